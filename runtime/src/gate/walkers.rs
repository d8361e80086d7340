//! How many pages of a list each caller gets, in however many walks: who takes it whole by small parts is on no long walk.
//!
//! What is counted refuses nobody, and has a table of its own, so that no limit loses room to it. Callers for whom there is no
//! room share counts, as those of limits do.

use std::collections::HashMap;
use std::time::Duration;

use crate::limit::seen::Seen;
use crate::limit::{Limiter, Rule};
use crate::operation::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per, Policy};

/// Callers and lists in an hour.
const ROOM: usize = 32 * 1024;

/// It never refuses: as many as can be told.
static PAGES: Limit = Limit {
    name: "pages in an hour",
    quota: u32::MAX,
    window: Duration::from_hours(1),
    burst: u32::MAX,
    counter: Counter::FixedWindow,
    cost: 1,
    per: &[Per::Principal],
    scope: Counting::Operation,
    on: CountedOn::Request,
    on_outage: OnOutage::Local,
    advertise: Advertise::Admitted,
};

/// The counts of the lists of a server.
pub(super) struct Walkers {
    limiter: Limiter,
    rules: HashMap<&'static str, Rule>,
}

impl Walkers {
    /// Of those operations that are lists; none of them, no room.
    pub(super) fn new(operations: impl Iterator<Item = &'static Policy>) -> Self {
        let lists: Vec<_> = operations.filter(|policy| policy.pagination.is_some()).collect();
        let limiter = Limiter::new(if lists.is_empty() { 0 } else { ROOM });
        let rules = lists.iter().map(|list| (list.id, limiter.rule(&PAGES, list.id))).collect();
        Self { limiter, rules }
    }

    /// Counts a page that was reached by a cursor; how many that makes in this hour, with the one that a walk begins at.
    pub(super) fn count(&self, now: u64, operation: &str, seen: &Seen<'_>) -> Option<u32> {
        let charges = [self.rules.get(operation)?.charge(seen)];
        let decision = self.limiter.decide(now, &charges);
        let left = decision.standings().next()?.remaining;
        Some(PAGES.quota.saturating_sub(left).saturating_add(1))
    }
}
