//! Limits as their answer tells of them.

use std::sync::Arc;

use crate::limit::key::Key;
use crate::limit::{Reserved, Rule, Standing};
use crate::operation::{Advertise, CountedOn, Per};

/// Whom an answer is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Who was authenticated.
    Authenticated,
    /// Who needs not be.
    Anybody,
    /// Who should be and was not, or asks for what is not there.
    Stranger,
}

/// Where a limit stood when it was asked, kept until the answer leaves.
pub(super) struct Told {
    rule: Arc<Rule>,
    key: Key,
    remaining: u32,
    reset: u64,
    wait: u64,
}

impl Told {
    pub(super) fn new(rule: &Arc<Rule>, standing: &Standing<'_>) -> Self {
        let Standing { key, remaining, reset, wait, .. } = *standing;
        Self { rule: Arc::clone(rule), key, remaining, reset, wait }
    }

    /// What was charged to it is taken back.
    pub(super) fn give_back(&mut self, charged: &Reserved) {
        if self.key == charged.key() {
            let most = self.rule.limit().burst;
            self.remaining = self.remaining.saturating_add(charged.cost()).min(most);
            if self.remaining == most {
                self.reset = 0;
            }
        }
    }

    pub(super) fn standing(&self) -> Standing<'_> {
        let Self { key, remaining, reset, wait, .. } = *self;
        Standing { rule: &self.rule, key, remaining, reset, wait, counted: true }
    }

    /// Whether this reader may know of it.
    pub(super) fn is_for(&self, reader: Reader) -> bool {
        let is_shown = match self.rule.limit().advertise {
            Advertise::Always => true,
            Advertise::Admitted => reader != Reader::Stranger,
            Advertise::Authenticated => reader == Reader::Authenticated,
        };
        is_shown && self.concerns_one_client()
    }

    /// Whether what is left of it is left to one client alone, whom it concerns before anything failed: what all have
    /// together, or all who name an account, tells about the others, and a limit on failures tells who guesses how often.
    fn concerns_one_client(&self) -> bool {
        let limit = self.rule.limit();
        limit.on == CountedOn::Request
            && limit.per.iter().any(|part| part.is_of_origin() || *part == Per::Principal)
    }
}
