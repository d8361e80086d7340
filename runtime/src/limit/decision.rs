//! What came of the charges of a request: whether it may go on, where its caller stands, what may be taken back.

use super::key::Key;
use super::memory::{Ask, Half, Outcome, half_of};
use super::name::Name;
use super::{Charge, Few, Rule, SECOND};
use crate::operation::{CountedOn, Limit, OnOutage, Per};

/// What came of the charges of a request.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    pub(super) charges: &'a [Charge<'a>],
    pub(super) outcomes: Few<Outcome>,
    pub(super) now: u64,
    pub(super) jitter: u64,
    pub(super) by: By,
}

/// What decided.
#[derive(Debug)]
pub(super) enum By {
    /// The counters of this process, which are all there are.
    Process,
    /// Those that instances share, by these names.
    Shared(Vec<Name>),
    /// The counters of this process, in the place of those.
    Share,
}

/// Where a caller stands with one limit, after the decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) rule: &'a Rule,
    /// The counter.
    pub(crate) key: Key,
    /// How many requests are left at once.
    pub(crate) remaining: u32,
    /// Microseconds until one more is.
    pub(crate) reset: u64,
    /// Microseconds until this limit lets the refused request through; zero when it did not refuse.
    pub(crate) wait: u64,
    /// Whether it counted at all, which one that allows does not in an outage.
    pub(crate) counted: bool,
}

/// One charge that may be taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserved {
    pub(super) ask: Ask,
    pub(super) then: u64,
    /// Of the shared counter that was charged.
    pub(super) name: Option<Name>,
    limit: &'static Limit,
}

impl Reserved {
    /// The counter.
    pub(crate) const fn key(&self) -> Key {
        self.ask.key
    }

    /// How many requests it counted for.
    pub(crate) const fn cost(&self) -> u32 {
        self.ask.cost
    }

    /// Whether it is to be taken back if the request succeeds.
    pub(crate) fn is_of_failures(&self) -> bool {
        self.limit.on == CountedOn::Failure
    }

    /// Whether it is to be taken back if the request gets the answer of one that was counted: what its principal is counted by.
    /// The limits of addresses and of all together stay charged, for they are about what comes, and not about what is done.
    pub(crate) fn is_of_caller(&self) -> bool {
        let is_of_callers = |part: &Per| matches!(part, Per::Principal | Per::Tenant);
        !self.is_of_failures()
            && self.limit.per.iter().any(is_of_callers)
            && half_of(self.ask.key) == Half::Known
    }

    /// What is left of it when `cost` is used; `None`: nothing.
    pub(crate) fn beyond(mut self, cost: u32) -> Option<Self> {
        self.ask.cost = self.ask.cost.saturating_sub(cost);
        (self.ask.cost > 0).then_some(self)
    }
}

impl<'a> Decision<'a> {
    /// Where the caller stands with each limit, in the order of the charges.
    pub(crate) fn standings(&self) -> impl Iterator<Item = Standing<'a>> + Clone {
        let (now, in_outage) = (self.now, matches!(self.by, By::Share));
        self.charges.iter().zip(&self.outcomes).map(move |(charge, outcome)| {
            let meter = if in_outage { charge.rule.share } else { charge.rule.meter };
            Standing {
                rule: charge.rule,
                key: charge.key,
                remaining: meter.remaining(outcome.state, now),
                reset: meter.until_next(outcome.state, now),
                wait: outcome.wait,
                counted: !in_outage || charge.rule.limit.on_outage == OnOutage::Local,
            }
        })
    }

    /// What was charged. A limit that is named twice was charged once.
    pub(crate) fn charged(&self) -> Vec<Reserved> {
        let mut charged: Vec<Reserved> = Vec::new();
        if self.refused_by().is_some() {
            return charged;
        }
        for (index, charge) in self.charges.iter().enumerate() {
            let (meter, name) = match &self.by {
                By::Process => (charge.rule.meter, None),
                By::Shared(names) => (charge.rule.meter, names.get(index).copied()),
                By::Share if charge.rule.limit.on_outage == OnOutage::Local => (charge.rule.share, None),
                By::Share => continue,
            };
            if !charged.iter().any(|other| other.ask.key == charge.key) {
                let (ask, then, limit) = (charge.ask(meter), self.now, charge.rule.limit);
                charged.push(Reserved { ask, then, name, limit });
            }
        }
        charged
    }

    /// What was charged to this limit.
    pub(crate) fn charged_to(&self, limit: &Limit) -> Option<Reserved> {
        self.charged().into_iter().find(|reserved| std::ptr::eq(reserved.limit, limit))
    }

    /// The limit that refused, and if there are several, the one to wait for longest; `None` when the request may go on.
    pub(crate) fn refused_by(&self) -> Option<&'static Limit> {
        let refused = self.charges.iter().zip(&self.outcomes).filter(|(_, outcome)| outcome.wait > 0);
        refused.max_by_key(|(_, outcome)| outcome.wait).map(|(charge, _)| charge.rule.limit)
    }

    /// Whole seconds to wait before the refused request can pass, at least one, for `Retry-After`.
    ///
    /// Up to a tenth is added at random, so that those who were refused together do not come back together.
    pub(crate) fn retry_after(&self) -> u64 {
        let wait = self.outcomes.iter().map(|outcome| outcome.wait).max().unwrap_or(0);
        let later = wait.saturating_mul(self.jitter % 11) / 100;
        wait.saturating_add(later).div_ceil(SECOND).max(1)
    }
}
