//! What one principal may have kept in a day: so many keys, and so many bytes under them.
//!
//! 1. Both are asked together, before the handler runs: when one is used up, none is charged.
//! 2. A key counts when it is claimed for the first time, and not when it is claimed anew.
//! 3. Bytes count for each run, by the longest answer that it may have. What that did not take is given back once it is kept.
//! 4. Where the handler does not run after all, both are given back.

use std::time::Duration;

use super::visit::micros;
use super::{Gate, Witness};
use crate::idempotency::KeptAnswers;
use crate::limit::{Charge, Few, Limiter, Reserved, Rule};
use crate::operation::{Advertise, CountedOn, Counter, Counting, Idempotency, Limit, OnOutage, Per};
use crate::problem::Rejection;

/// What a record has beside the body of its answer: headers, and how it is sealed.
const BESIDE: usize = 4 << 10;
/// What bytes are counted by.
const UNIT: usize = 1 << 10;

pub(super) struct Allowance {
    keys: Rule,
    bytes: Rule,
}

/// What a run was charged until its answer is kept.
pub(super) struct Taken {
    bytes: Option<Reserved>,
    key: Option<Reserved>,
}

impl Allowance {
    /// For calls of one operation. What they are counted by is that of all operations together.
    ///
    /// # Errors
    /// When there is not room for one answer in a day.
    pub(super) fn new(
        kept: &KeptAnswers,
        rule: &Idempotency,
        limiter: &Limiter,
        operation: &'static str,
    ) -> Result<Self, String> {
        let (room, longest) = (kept.most_bytes(), units(rule.longest.saturating_add(BESIDE)));
        let room = u32::try_from(room / UNIT as u64).unwrap_or(u32::MAX);
        if room < longest {
            return Err(format!(
                "operation `{operation}`: to keep an answer takes up to {longest} KiB, and a principal has {room} KiB a day \
                 (`bytes_per_day`)"
            ));
        }
        let keys = limiter.rule(limit("idempotency keys", kept.most_calls(), 1), operation);
        Ok(Self { keys, bytes: limiter.rule(limit("idempotency bytes", room, longest), operation) })
    }

    /// For a run of a call whose key is claimed, for the first time or anew.
    pub(super) async fn take(
        &self,
        is_first: bool,
        gate: &Gate,
        witness: &Witness,
    ) -> Result<Taken, Rejection> {
        let seen = witness.seen();
        let rules = [Some(&self.bytes), is_first.then_some(&self.keys)];
        let charges: Few<Charge<'_>> = rules.into_iter().flatten().map(|rule| rule.charge(&seen)).collect();
        let now = gate.settings().clock.now().map_err(|_| Rejection::ClockFailed)?;
        let asking = gate.limiter().ask(micros(now), &charges, &seen);
        let decision = asking.await?;
        match decision.refused_by() {
            Some(limit) => Err(Rejection::Limited { limit, retry_after: decision.retry_after() }),
            None => Ok(Taken {
                bytes: decision.charged_to(self.bytes.limit()),
                key: decision.charged_to(self.keys.limit()),
            }),
        }
    }
}

impl Taken {
    /// Gives back all but `kept` bytes.
    pub(super) async fn settle(self, kept: usize, gate: &Gate) {
        if let Some(rest) = self.bytes.and_then(|charged| charged.beyond(units(kept)))
            && let Ok(now) = gate.settings().clock.now()
        {
            gate.limiter().give_back(micros(now), &[rest]).await;
        }
    }

    /// Gives back all of it: there is no run.
    pub(super) async fn undo(self, gate: &Gate) {
        let charged: Vec<_> = [self.bytes, self.key].into_iter().flatten().collect();
        if let Ok(now) = gate.settings().clock.now() {
            gate.limiter().give_back(micros(now), &charged).await;
        }
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// Over all operations together. It lives as long as the process, as the limits of a document do; there are two for each
/// idempotent operation of a gate. No limit of a document has a space in its name.
fn limit(name: &'static str, most: u32, cost: u32) -> &'static Limit {
    Box::leak(Box::new(Limit {
        name,
        quota: most,
        window: Duration::from_secs(24 * 3600),
        burst: most,
        counter: Counter::TokenBucket,
        cost,
        per: &[Per::Principal],
        scope: Counting::Document,
        on: CountedOn::Request,
        on_outage: OnOutage::Local,
        advertise: Advertise::Admitted,
    }))
}
