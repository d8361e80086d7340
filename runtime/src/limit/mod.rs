//! Rate limits: whether a request may pass all of its limits, decided once and for all of them together.
//!
//! ```text
//! at start     Limiter::rule(limit, operation) -> Rule                       once a limit and operation
//! a request    rule.charge(&seen)              -> Charge                     whom it counts
//!              limiter.ask(now, &charges, ..)  -> Decision                   all or nothing
//!              headers::advertise(.., decision.standings())                  what the client is told
//! its answer   limiter.give_back(now, &charged)                              of limits on failures, when it is good; of those
//!                                                                            of the principal, when it is that of another call;
//!                                                                            of all, when another limit refuses it later
//! ```

mod decision;
#[cfg(test)]
pub(crate) mod dice;
mod gcra;
pub(crate) mod headers;
pub(crate) mod kept;
pub(crate) mod key;
mod log;
mod memory;
mod meter;
mod name;
pub(crate) mod running;
pub(crate) mod seen;
#[cfg_attr(
    not(feature = "redis"),
    allow(dead_code, unreachable_pub, reason = "nobody can make such counters")
)]
pub(crate) mod shared;
#[cfg(test)]
mod tests;
mod under_way;
mod window;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use smallvec::SmallVec;

use self::decision::By;
pub(crate) use self::decision::{Decision, Reserved, Standing};
use self::kept::Kept;
use self::key::{Key, Keyer, Prefix};
use self::memory::{Ask, OVERFLOWS, Table};
use self::meter::Meter;
use self::name::{Name, NamePrefix};
use self::running::Running;
use self::seen::Seen;
use self::shared::{Asked, SharedLimits, Spent};
use crate::breaker::LeftAlone;
use crate::operation::{Counting, Limit, OnOutage};

/// A list with one item for each limit of an operation. Documents rarely name more than three, so most cost no allocation.
pub(crate) type Few<T> = SmallVec<[T; 4]>;

/// Microseconds in a second.
const SECOND: u64 = 1_000_000;

/// All counters of a server.
#[derive(Debug)]
pub(crate) struct Limiter {
    table: Table,
    keyer: Keyer,
    jitter: RandomState,
    /// The rules by limit and, where it is counted alone, operation: who shares a counter shares its overflow.
    rules: Mutex<HashMap<(&'static str, Option<&'static str>), usize>>,
    /// What is under way.
    running: Running,
    /// Where the counters are that other instances count by as well.
    shared: Option<SharedLimits>,
    /// What outlasts the process.
    kept: Option<Kept>,
}

/// A limit as an operation meets it, with everything computed that does not depend on the request.
#[derive(Debug)]
pub(crate) struct Rule {
    limit: &'static Limit,
    meter: Meter,
    /// What this instance lets through while the shared counters cannot be asked.
    share: Meter,
    prefix: Prefix,
    names: NamePrefix,
    overflow: usize,
    /// Its name and its policy, as `RateLimit` and `RateLimit-Policy` tell them.
    name: String,
    policy: String,
    burst: HeaderValue,
}

/// One limit of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge<'a> {
    rule: &'a Rule,
    key: Key,
    /// The shared bucket that it is charged to when there is no room for it.
    overflow: usize,
    cost: u32,
}

/// The limit that lets nothing pass while the shared counters cannot be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) limit: &'static Limit,
    /// When they are not asked, because they failed.
    pub(crate) left_alone: Option<LeftAlone>,
}

impl Limiter {
    /// Room for `capacity` counters, at 24 bytes each, and never more; where a limit keeps a log, for an eighth as many of
    /// these, at 536 bytes each.
    pub(crate) fn new(capacity: usize) -> Self {
        let table = Table::new(capacity);
        let (keyer, jitter) = (Keyer::default(), RandomState::new());
        let (rules, running) = (Mutex::default(), Running::default());
        Self { table, keyer, jitter, rules, running, shared: None, kept: None }
    }

    /// By counters that instances share, where there are such. What they tell of a counter is the same then. No rule was made
    /// yet.
    pub(crate) fn shared(self, shared: Option<SharedLimits>) -> Self {
        let keyer = shared.as_ref().map_or(self.keyer, |shared| Keyer::of(shared.secret()));
        Self { keyer, shared, ..self }
    }

    /// With the counters of a process before this one, where they are kept. No rule was made yet.
    pub(crate) fn kept(mut self, kept: Option<Kept>) -> Self {
        if let Some(mut kept) = kept {
            kept.restore(&self.table);
            self.keyer = kept.keyer();
            self.kept = Some(kept);
        }
        self
    }

    /// Whether its counters outlast the process.
    pub(crate) const fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Writes what is to outlast the process.
    pub(crate) async fn keep(&self, now: u64) {
        if let Some(kept) = &self.kept {
            kept.write(&self.table, self.counted_by(now)).await;
        }
    }

    /// The clock that is counted by. One that outlasts the process goes on from the time of day.
    fn counted_by(&self, now: u64) -> u64 {
        self.kept.as_ref().map_or(now, |kept| kept.began().saturating_add(now))
    }

    /// Whether it can count by `limit`, for counters that are shared do not reckon as far as those in memory.
    pub(crate) fn counts(&self, limit: &Limit) -> bool {
        self.shared.is_none() || shared::is_exact(limit)
    }

    /// Prepares `limit` for `operation`.
    pub(crate) fn rule(&self, limit: &'static Limit, operation: &'static str) -> Rule {
        let alone = (limit.scope == Counting::Operation).then_some(operation);
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let next = rules.len();
        let number = *rules.entry((limit.name, alone)).or_insert(next);
        let meter = Meter::new(limit);
        if meter.log().is_some() {
            self.table.make_room_for_logs();
        }
        Rule {
            limit,
            meter,
            share: self.shared.as_ref().map_or(meter, |shared| shared.share(limit)),
            names: NamePrefix::new(limit, alone),
            prefix: self.keyer.prefix(limit, alone),
            overflow: self.table.add_overflow(number),
            name: headers::name(limit.name),
            policy: headers::policy(limit),
            burst: limit.burst.into(),
        }
    }

    /// Charges all or none of the counters. `now` is microseconds of a clock that never runs backwards.
    pub(crate) fn decide<'a>(&self, now: u64, charges: &'a [Charge<'a>]) -> Decision<'a> {
        self.decide_by(now, charges, By::Process, |charge| Some(charge.rule.meter))
    }

    /// The same by the counters that instances share, where there are such. `seen` is what the charges are made of.
    ///
    /// # Errors
    /// When they cannot be asked, and one of the limits lets nothing pass then.
    pub(crate) async fn ask<'a>(
        &self,
        now: u64,
        charges: &'a [Charge<'a>],
        seen: &Seen<'_>,
    ) -> Result<Decision<'a>, Outage> {
        match &self.shared {
            None => Ok(self.decide(now, charges)),
            // boxed: a request that asks no other process does not carry the room for it
            Some(shared) => Box::pin(self.ask_shared(shared, now, charges, seen)).await,
        }
    }

    async fn ask_shared<'a>(
        &self,
        shared: &SharedLimits,
        now: u64,
        charges: &'a [Charge<'a>],
        seen: &Seen<'_>,
    ) -> Result<Decision<'a>, Outage> {
        let names: Vec<Name> = charges.iter().map(|charge| charge.rule.name_of(seen)).collect();
        let mut asked: Few<Asked> = Few::new();
        for (charge, name) in charges.iter().zip(&names) {
            if !asked.iter().any(|other| other.name == *name) {
                asked.push(Asked { name: *name, meter: charge.rule.meter, cost: charge.cost });
            }
        }
        let answer = match shared.spend(&asked).await {
            Ok(answer) => answer,
            Err(error) => return self.outage(now, charges, error.left_alone()),
        };
        let outcome = |name: &Name| {
            let place = asked.iter().position(|one| one.name == *name)?;
            answer.outcomes.get(place).copied()
        };
        let Some(outcomes) = names.iter().map(outcome).collect() else {
            return self.outage(now, charges, None);
        };
        let jitter = self.jitter.hash_one(now);
        Ok(Decision { charges, outcomes, now: answer.now, jitter, by: By::Shared(names) })
    }

    /// What the limits say of an outage. Those that do not hold are asked for nothing.
    fn outage<'a>(
        &self,
        now: u64,
        charges: &'a [Charge<'a>],
        left_alone: Option<LeftAlone>,
    ) -> Result<Decision<'a>, Outage> {
        none_denies(charges, left_alone)?;
        let share = |charge: &Charge<'_>| {
            (charge.rule.limit.on_outage == OnOutage::Local).then_some(charge.rule.share)
        };
        Ok(self.decide_by(now, charges, By::Share, share))
    }

    /// Seconds after which one who was refused may ask again, when nobody knows: one to three by chance, for those who were
    /// refused together shall not come back together.
    pub(crate) fn some_time(&self, now: u64) -> u64 {
        self.jitter.hash_one(now) % 3 + 1
    }

    /// `meter`: how a charge counts; `None` when it does not.
    fn decide_by<'a>(
        &self,
        now: u64,
        charges: &'a [Charge<'a>],
        by: By,
        meter: impl Fn(&Charge<'_>) -> Option<Meter>,
    ) -> Decision<'a> {
        let now = self.counted_by(now);
        let mut asks: Few<Ask> =
            charges.iter().filter_map(|charge| Some(charge.ask(meter(charge)?))).collect();
        let allowed = self.table.decide(now, &mut asks);
        let mut outcomes = asks.iter().map(|ask| ask.outcome(allowed));
        let outcome = |charge: &Charge<'_>| meter(charge).and_then(|_| outcomes.next()).unwrap_or_default();
        let outcomes = charges.iter().map(outcome).collect();
        let jitter = if allowed { 0 } else { self.jitter.hash_one(now) };
        Decision { charges, outcomes, now, jitter, by }
    }

    /// Takes back what was charged. What the shared counters do not hear of stays charged.
    pub(crate) async fn give_back(&self, now: u64, reserved: &[Reserved]) {
        self.give_back_here(now, reserved);
        let spent = |Reserved { ask, then, name, .. }: &Reserved| {
            Some(Spent { asked: Asked { name: (*name)?, meter: ask.meter, cost: ask.cost }, then: *then })
        };
        let spent: Vec<Spent> = reserved.iter().filter_map(spent).collect();
        if let Some(shared) = self.shared.as_ref().filter(|_| !spent.is_empty()) {
            _ = Box::pin(shared.give_back(&spent)).await;
        }
    }

    /// The same for the counters of this process alone.
    pub(crate) fn give_back_here(&self, now: u64, reserved: &[Reserved]) {
        let now = self.counted_by(now);
        for Reserved { ask, then, .. } in reserved.iter().filter(|reserved| reserved.name.is_none()) {
            self.table.give_back(now, *then, ask);
        }
    }
}

/// Whether all of these limits let something pass in an outage.
fn none_denies(charges: &[Charge<'_>], left_alone: Option<LeftAlone>) -> Result<(), Outage> {
    let denies = |charge: &&Charge<'_>| charge.rule.limit.on_outage == OnOutage::Deny;
    let outage = |charge: &Charge<'_>| Outage { limit: charge.rule.limit, left_alone };
    charges.iter().find(denies).map_or(Ok(()), |charge| Err(outage(charge)))
}

impl Charge<'_> {
    fn ask(&self, meter: Meter) -> Ask {
        Ask::new(self.key, self.overflow, meter, self.cost)
    }
}

impl Rule {
    /// The limit of the document.
    pub(crate) fn limit(&self) -> &'static Limit {
        self.limit
    }

    /// What clients are told of a counter of it.
    fn partition(&self, key: Key) -> [u8; 8] {
        self.prefix.partition(key)
    }

    /// The counter that a request is counted by.
    pub(crate) fn charge(&self, seen: &Seen<'_>) -> Charge<'_> {
        let (key, crowd) = self.prefix.key(self.limit.per, seen);
        let bucket = usize::try_from(crowd >> 58).unwrap_or(0) % OVERFLOWS;
        Charge { rule: self, key, overflow: self.overflow.saturating_add(bucket), cost: self.limit.cost }
    }

    /// The same among the counters that instances share.
    fn name_of(&self, seen: &Seen<'_>) -> Name {
        self.names.name(self.limit.per, seen)
    }
}
