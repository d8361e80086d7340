//! The limits of an operation, by the step at which the last thing that they count by is known.
//!
//! | step | counts by |
//! |---|---|
//! | 2 | nothing but the client's address or its network, or all clients together |
//! | 9 | the principal, the tenant, a parameter of the path, and the above |
//! | 11 | a member of the body, and the above |
//!
//! Those of one step are decided together: first those on what is under way, which are left again when others refuse; then
//! the others, of which all are charged or none. What those of earlier steps were charged is taken back then
//! ([`Visit::close`](super::Visit::close)).

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::Captures;
use super::builder::captured;
use crate::input::Sent;
use crate::limit::seen::spelled;
use crate::limit::{Limiter, Rule};
use crate::operation::{Counter, Per, Policy};

/// What requests of an operation count by, from their path and their body.
pub(crate) type Values = Vec<(Per, String)>;

/// The limits that a request comes under at one step.
#[derive(Default)]
pub(crate) struct Due {
    /// On what is under way.
    pub(crate) running: Vec<Arc<Rule>>,
    /// On what came in a time.
    pub(crate) counted: Vec<Arc<Rule>>,
}

impl Due {
    pub(super) fn add(&mut self, rule: Rule) {
        match rule.limit().counter {
            Counter::Concurrency => self.running.push(Arc::new(rule)),
            _ => self.counted.push(Arc::new(rule)),
        }
    }
}

/// The limits of an operation.
pub(crate) struct Limits {
    /// Step 2.
    pub(crate) by_source: Due,
    /// Step 9.
    pub(crate) by_principal: Due,
    /// Step 11.
    pub(crate) by_body: Due,
    /// The parameters of the path that are counted by, with the places of their captures.
    path: Vec<(Per, usize)>,
    /// The members of the body.
    body: Vec<&'static str>,
}

impl Limits {
    /// Those of `policy`.
    ///
    /// # Errors
    /// What one of them counts by, and the operation does not have.
    pub(super) fn new(policy: &'static Policy, limiter: &Limiter) -> Result<Self, String> {
        let (by_source, by_principal, by_body) = Default::default();
        let mut limits = Self { by_source, by_principal, by_body, path: Vec::new(), body: Vec::new() };
        for limit in policy.limits {
            let rule = limiter.rule(limit, policy.id);
            for part in limit.per {
                limits.ask_for(policy, *part)?;
            }
            let told = |part: &Per| matches!(part, Per::Body(_));
            let strange = |part: &Per| part.is_of_origin() || *part == Per::Global;
            match () {
                () if limit.per.iter().any(told) => limits.by_body.add(rule),
                () if limit.per.iter().all(strange) => limits.by_source.add(rule),
                () => limits.by_principal.add(rule),
            }
        }
        Ok(limits)
    }

    fn ask_for(&mut self, policy: &Policy, part: Per) -> Result<(), String> {
        match part {
            Per::Path(name) if !self.path.iter().any(|(known, _)| *known == part) => {
                let fault = || {
                    format!("operation `{}`: a limit counts by `{name}`, no parameter of its path", policy.id)
                };
                self.path.push((part, captured(policy, name).ok_or_else(fault)?));
            }
            Per::Body(name) if !self.body.contains(&name) => self.body.push(name),
            Per::Path(_)
            | Per::Body(_)
            | Per::Address
            | Per::Network
            | Per::Principal
            | Per::Tenant
            | Per::Global => {}
        }
        Ok(())
    }

    /// What the path says at the parameters that are counted by.
    pub(super) fn of_path(&self, captures: Captures<'_>) -> Values {
        let value = |(part, capture): &(Per, usize)| {
            let decoded = percent_decode_str(captures.get(*capture)?).decode_utf8_lossy();
            Some((*part, spelled(&decoded)))
        };
        self.path.iter().filter_map(value).collect()
    }

    /// What the body says at the members that are counted by. Of a body that does not decode nothing is asked: it is
    /// refused for that.
    pub(super) fn of_body(&self, sent: Option<&Sent<'_>>) -> Values {
        let Some(sent) = sent.filter(|_| !self.body.is_empty()) else { return Vec::new() };
        let found = sent.texts(&self.body).into_iter();
        found.map(|(name, value)| (Per::Body(name), spelled(&value))).collect()
    }
}
