//! Rate limits: whether a request may pass all of its limits, decided once and for all of them together.
//!
//! ```text
//! at start     Limiter::rule(limit, operation) -> Rule                       once a limit and operation
//! a request    rule.charge(&seen)              -> Charge                     whom it counts
//!              limiter.decide(now, &charges)   -> Decision                   all or nothing
//!              headers::advertise(.., decision.standings())                  what the client is told
//! its answer   limiter.give_back(now, &reserved)                             of limits on failures, when it is good
//! ```

#[cfg(test)]
mod dice;
mod gcra;
pub(crate) mod headers;
pub(crate) mod key;
mod memory;
mod meter;
mod window;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use smallvec::SmallVec;

use self::key::{Key, Keyer, Prefix, Seen};
use self::memory::{Ask, OVERFLOWS, Outcome, Table};
use self::meter::Meter;
use crate::operation::{CountedOn, Counting, Limit};

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
}

/// A limit as an operation meets it, with everything computed that does not depend on the request.
#[derive(Debug)]
pub(crate) struct Rule {
    limit: &'static Limit,
    meter: Meter,
    prefix: Prefix,
    overflow: usize,
    /// Its name and its policy, as `RateLimit` and `RateLimit-Policy` tell them.
    name: String,
    policy: HeaderValue,
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

/// What came of the charges of a request.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    charges: &'a [Charge<'a>],
    outcomes: Few<Outcome>,
    now: u64,
    jitter: u64,
}

/// Where a caller stands with one limit, after the decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) rule: &'a Rule,
    /// How many requests are left at once.
    pub(crate) remaining: u32,
    /// Microseconds until one more is.
    pub(crate) reset: u64,
    /// Microseconds until this limit lets the refused request through; zero when it did not refuse.
    pub(crate) wait: u64,
}

impl Limiter {
    /// Room for `capacity` counters, at 24 bytes each, and never more.
    pub(crate) fn new(capacity: usize) -> Self {
        let table = Table::new(capacity);
        Self { table, keyer: Keyer::default(), jitter: RandomState::new(), rules: Mutex::default() }
    }

    /// Prepares `limit` for `operation`.
    pub(crate) fn rule(&self, limit: &'static Limit, operation: &'static str) -> Rule {
        let alone = (limit.scope == Counting::Operation).then_some(operation);
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let next = rules.len();
        let number = *rules.entry((limit.name, alone)).or_insert(next);
        Rule {
            limit,
            meter: Meter::new(limit),
            prefix: self.keyer.prefix(limit.name, alone),
            overflow: self.table.add_overflow(number),
            name: headers::name(limit.name),
            policy: headers::policy(limit),
            burst: limit.burst.into(),
        }
    }

    /// Charges all or none of the counters. `now` is microseconds of a clock that never runs backwards.
    pub(crate) fn decide<'a>(&self, now: u64, charges: &'a [Charge<'a>]) -> Decision<'a> {
        let mut asks = asks(charges);
        let allowed = self.table.decide(now, &mut asks);
        // The table has them in the order of its locks.
        let mut outcomes: Few<_> = charges.iter().map(|_| Outcome::default()).collect();
        for ask in &asks {
            if let Some(outcome) = outcomes.get_mut(ask.index) {
                *outcome = ask.outcome(allowed);
            }
        }
        let jitter = if allowed { 0 } else { self.jitter.hash_one(now) };
        Decision { charges, outcomes, now, jitter }
    }

    /// Takes back what was charged to the limits on failures: the request succeeded.
    pub(crate) fn give_back(&self, now: u64, reserved: &[Reserved]) {
        reserved.iter().for_each(|it| self.table.give_back(now, it.then, &it.ask));
    }
}

/// One charge that is taken back if its request succeeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserved {
    ask: Ask,
    then: u64,
}

fn asks(charges: &[Charge<'_>]) -> Few<Ask> {
    let ask = |(index, charge): (usize, &Charge<'_>)| {
        Ask::new(index, charge.key, charge.overflow, charge.rule.meter, charge.cost)
    };
    charges.iter().enumerate().map(ask).collect()
}

impl Rule {
    /// The limit of the document.
    pub(crate) fn limit(&self) -> &'static Limit {
        self.limit
    }

    /// The counter that a request is counted by.
    pub(crate) fn charge(&self, seen: &Seen<'_>) -> Charge<'_> {
        let (key, near) = self.prefix.key(self.limit.per, seen);
        let bucket = usize::try_from(near >> 58).unwrap_or(0) % OVERFLOWS;
        Charge { rule: self, key, overflow: self.overflow.saturating_add(bucket), cost: self.limit.cost }
    }
}

impl Charge<'_> {
    /// Of which counter.
    pub(crate) const fn key(&self) -> Key {
        self.key
    }
}

impl<'a> Decision<'a> {
    /// Where the caller stands with each limit, in the order of the charges.
    pub(crate) fn standings(&self) -> impl Iterator<Item = Standing<'a>> + Clone {
        self.charges.iter().zip(&self.outcomes).map(|(charge, outcome)| Standing {
            rule: charge.rule,
            remaining: charge.rule.meter.remaining(outcome.state, self.now),
            reset: charge.rule.meter.until_next(outcome.state, self.now),
            wait: outcome.wait,
        })
    }

    /// What is to be taken back if the request succeeds. A limit that is named twice was charged once.
    pub(crate) fn reserved(&self) -> Few<Reserved> {
        let mut reserved: Few<Reserved> = Few::new();
        if self.refused_by().is_some() {
            return reserved;
        }
        for charge in self.charges.iter().filter(|charge| charge.rule.limit.on == CountedOn::Failure) {
            let ask = Ask::new(0, charge.key, charge.overflow, charge.rule.meter, charge.cost);
            if !reserved.iter().any(|other| other.ask.key == ask.key) {
                reserved.push(Reserved { ask, then: self.now });
            }
        }
        reserved
    }

    /// The limit that refused, and if there are several, the one to wait for longest; `None` when the request may go on.
    pub(crate) fn refused_by(&self) -> Option<&'static Limit> {
        self.standings().filter(|one| one.wait > 0).max_by_key(|one| one.wait).map(|one| one.rule.limit)
    }

    /// Whole seconds to wait before the refused request can pass, at least one, for `Retry-After`.
    ///
    /// Up to a tenth is added at random, so that those who were refused together do not come back together.
    pub(crate) fn retry_after(&self) -> u64 {
        let wait = self.outcomes.iter().map(|outcome| outcome.wait).max().unwrap_or(0);
        let seconds = wait.div_ceil(SECOND).max(1);
        seconds.saturating_add(seconds.saturating_mul(self.jitter % 11) / 100)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::key::Network;
    use super::*;
    use crate::operation::{Counter, Per};

    static FLOOD: Limit = limit("flood", 3, &[Per::Address], Counting::Document);
    static MONEY: Limit = limit("money", 2, &[Per::Principal], Counting::Operation);
    static WHOLE: Limit = limit("whole", 100, &[Per::Global], Counting::Document);

    const fn limit(name: &'static str, burst: u32, per: &'static [Per], scope: Counting) -> Limit {
        Limit {
            name,
            quota: burst,
            window: Duration::from_secs(60),
            burst,
            counter: Counter::TokenBucket,
            cost: 1,
            per,
            scope,
            on: CountedOn::Request,
        }
    }

    fn from(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    fn seen<'a>(from: Network, principal: Option<(&'a str, &'a str)>) -> Seen<'a> {
        Seen { from, principal, values: &[] }
    }

    const ALICE: Option<(&str, &str)> = Some(("https://id", "alice"));
    const BOB: Option<(&str, &str)> = Some(("https://id", "bob"));

    fn admitted(limiter: &Limiter, charge: Charge<'_>, times: usize) -> usize {
        (0..times).filter(|_| limiter.decide(SECOND, &[charge]).refused_by().is_none()).count()
    }

    #[test]
    fn each_limit_counts_whom_it_says() {
        let limiter = Limiter::new(1024);
        let (flood, money) = (limiter.rule(&FLOOD, "a"), limiter.rule(&MONEY, "a"));
        let (here, there) = (from("192.0.2.1"), from("192.0.2.2"));
        assert_eq!(admitted(&limiter, flood.charge(&seen(here, ALICE)), 9), 3);
        assert_eq!(admitted(&limiter, flood.charge(&seen(here, BOB)), 9), 0, "one address, whoever asks");
        assert_eq!(admitted(&limiter, flood.charge(&seen(there, ALICE)), 9), 3);
        assert_eq!(admitted(&limiter, money.charge(&seen(here, ALICE)), 9), 2);
        assert_eq!(
            admitted(&limiter, money.charge(&seen(there, ALICE)), 9),
            0,
            "one principal, wherever from"
        );
        assert_eq!(admitted(&limiter, money.charge(&seen(here, BOB)), 9), 2);
        assert_eq!(
            admitted(&limiter, money.charge(&seen(here, None)), 9),
            2,
            "without a principal: the address"
        );
        assert_eq!(admitted(&limiter, money.charge(&seen(here, None)), 9), 0);
        assert_eq!(admitted(&limiter, limiter.rule(&WHOLE, "a").charge(&seen(here, ALICE)), 99), 99);
        assert_eq!(admitted(&limiter, limiter.rule(&WHOLE, "b").charge(&seen(there, None)), 9), 1);
    }

    #[test]
    fn shared_by_the_document_or_alone_for_the_operation() {
        let limiter = Limiter::new(1024);
        let here = from("192.0.2.1");
        let of = |limit, operation, principal| {
            let rule = limiter.rule(limit, operation);
            admitted(&limiter, rule.charge(&seen(here, principal)), 9)
        };
        assert_eq!((of(&FLOOD, "a", None), of(&FLOOD, "b", None)), (3, 0));
        assert_eq!((of(&MONEY, "a", ALICE), of(&MONEY, "b", ALICE), of(&MONEY, "a", ALICE)), (2, 2, 0));
    }

    #[test]
    fn a_refusal_costs_nothing_and_says_how_long() {
        let limiter = Limiter::new(1024);
        let rules = [limiter.rule(&FLOOD, "a"), limiter.rule(&MONEY, "a"), limiter.rule(&WHOLE, "a")];
        let charges = rules.each_ref().map(|rule| rule.charge(&seen(from("192.0.2.1"), ALICE)));
        assert!((0..2).all(|_| limiter.decide(SECOND, &charges).refused_by().is_none()));
        for _ in 0..50 {
            let decision = limiter.decide(SECOND, &charges);
            assert!(decision.refused_by().is_some());
            assert_eq!(decision.refused_by().map(|limit| limit.name), Some("money"));
            assert!(
                (30..=33).contains(&decision.retry_after()),
                "a tenth of jitter: {}",
                decision.retry_after()
            );
            let left: Vec<_> = decision.standings().map(|one| (one.remaining, one.wait > 0)).collect();
            assert_eq!(left, [(1, false), (0, true), (98, false)]);
        }
        assert!(limiter.decide(31 * SECOND - 1, &charges).refused_by().is_some());
        assert!(limiter.decide(31 * SECOND, &charges).refused_by().is_none());
    }

    #[test]
    fn more_limits_than_fit_on_the_stack() {
        let limiter = Limiter::new(1024);
        let rules: Vec<_> = (0..20)
            .map(|number| limiter.rule(&MONEY, Box::leak(format!("operation{number}").into_boxed_str())))
            .collect();
        let charges: Vec<_> = rules.iter().map(|rule| rule.charge(&seen(from("::1"), BOB))).collect();
        assert!((0..2).all(|_| limiter.decide(SECOND, &charges).refused_by().is_none()));
        assert!(limiter.decide(SECOND, &charges).refused_by().is_some());
        assert_eq!(limiter.decide(SECOND, &charges).standings().count(), 20);
    }

    #[test]
    fn no_limits_no_refusal() {
        let limiter = Limiter::new(0);
        let decision = limiter.decide(SECOND, &[]);
        assert!(decision.refused_by().is_none());
        assert_eq!((decision.standings().count(), decision.refused_by().is_none()), (0, true));
    }
}
