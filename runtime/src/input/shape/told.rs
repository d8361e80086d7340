//! [`Told`]: whether a schema holds, and what the client is told when it does not.

use std::borrow::Cow;

use super::super::{At, Violations};

/// What a schema pushes its violations to. An alternative that is only being tried pushes to nowhere.
pub(super) struct Told<'o> {
    out: Option<&'o mut Violations>,
    failed: bool,
}

impl<'o> Told<'o> {
    /// Every violation is told.
    pub(super) const fn to(out: &'o mut Violations) -> Self {
        Self { out: Some(out), failed: false }
    }

    /// Only whether it holds is asked.
    pub(super) const fn nobody() -> Self {
        Self { out: None, failed: false }
    }

    /// The same audience, for a part that wants to know whether it held.
    pub(super) fn part(&mut self) -> Told<'_> {
        Told { out: self.out.as_deref_mut(), failed: false }
    }

    /// What the document says does not hold here.
    pub(super) fn broken(&mut self, at: &At<'_>, rule: &'static str, message: impl Into<Cow<'static, str>>) {
        self.failed = true;
        if let Some(out) = &mut self.out {
            out.push(at, rule, message);
        }
    }

    /// The same, where the message takes work.
    pub(super) fn broken_with(&mut self, at: &At<'_>, rule: &'static str, message: impl FnOnce() -> String) {
        self.failed = true;
        if let Some(out) = &mut self.out {
            out.push(at, rule, message());
        }
    }

    /// Runs a check that pushes by itself.
    pub(super) fn run(&mut self, check: impl FnOnce(&mut Violations)) {
        match &mut self.out {
            Some(out) if !out.is_full() => {
                let before = out.len();
                check(out);
                self.failed |= out.len() > before;
            }
            _ => {
                let mut found = Violations::new();
                check(&mut found);
                self.failed |= !found.is_empty();
            }
        }
    }

    pub(super) const fn note(&mut self, failed: bool) {
        self.failed |= failed;
    }

    pub(super) const fn failed(&self) -> bool {
        self.failed
    }

    /// Whether there is no use in looking on: it failed, and nobody wants to hear more.
    pub(super) fn is_settled(&self) -> bool {
        self.failed && self.out.as_ref().is_none_or(|out| out.is_full())
    }
}
