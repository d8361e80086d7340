//! Rate limits: whether a request may pass all of its limits, decided once and for all of them together.
//!
//! ```text
//! at start     Limiter::rule(limit, operation) -> Rule                       once a limit and operation
//! a request    rule.charge(&seen)              -> Charge                     whom it counts
//!              limiter.ask(now, &charges, ..)  -> Decision                   all or nothing
//!              headers::advertise(.., decision.standings())                  what the client is told
//! its answer   limiter.give_back(now, &reserved)                             of limits on failures, when it is good; of those
//!                                                                            of the principal, when it is that of another call
//! ```

mod decision;
#[cfg(test)]
pub(crate) mod dice;
mod gcra;
pub(crate) mod headers;
pub(crate) mod kept;
pub(crate) mod key;
mod memory;
mod meter;
pub(crate) mod running;
#[cfg_attr(
    not(feature = "redis"),
    allow(dead_code, unreachable_pub, reason = "nobody can make such counters")
)]
pub(crate) mod shared;
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
use self::key::{Key, Keyer, Name, NamePrefix, Prefix, Seen};
use self::memory::{Ask, OVERFLOWS, Table};
use self::meter::Meter;
use self::running::{Entered, Running};
use self::shared::{Asked, SharedLimits, Spent};
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

impl Charge<'_> {
    /// Of which counter.
    pub(crate) const fn key(&self) -> Key {
        self.key
    }
}

/// The limit that lets nothing pass while the shared counters cannot be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage(pub(crate) &'static Limit);

impl Limiter {
    /// Room for `capacity` counters, at 24 bytes each, and never more.
    pub(crate) fn new(capacity: usize) -> Self {
        let table = Table::new(capacity);
        let (keyer, jitter) = (Keyer::default(), RandomState::new());
        let (rules, running) = (Mutex::default(), Running::default());
        Self { table, keyer, jitter, rules, running, shared: None, kept: None }
    }

    /// By counters that instances share, where there are such.
    pub(crate) fn shared(self, shared: Option<SharedLimits>) -> Self {
        Self { shared, ..self }
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
        let Ok(answer) = shared.spend(&asked).await else { return self.outage(now, charges) };
        let outcome = |name: &Name| {
            let place = asked.iter().position(|one| one.name == *name)?;
            answer.outcomes.get(place).copied()
        };
        let Some(outcomes) = names.iter().map(outcome).collect() else { return self.outage(now, charges) };
        let jitter = self.jitter.hash_one(now);
        Ok(Decision { charges, outcomes, now: answer.now, jitter, by: By::Shared(names) })
    }

    /// What the limits say of an outage. Those that do not hold are asked for nothing.
    fn outage<'a>(&self, now: u64, charges: &'a [Charge<'a>]) -> Result<Decision<'a>, Outage> {
        let on_outage = |charge: &Charge<'_>| charge.rule.limit.on_outage;
        if let Some(charge) = charges.iter().find(|charge| on_outage(charge) == OnOutage::Deny) {
            return Err(Outage(charge.rule.limit));
        }
        let share = |charge: &Charge<'_>| (on_outage(charge) == OnOutage::Local).then_some(charge.rule.share);
        Ok(self.decide_by(now, charges, By::Share, share))
    }

    /// Lets a request in under limits on what is under way, all of them or none.
    pub(crate) fn enter<'a>(&self, charges: &[Charge<'a>]) -> Entered<'a> {
        self.running.enter(charges)
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
        let spent = |Reserved { ask, then, name }: &Reserved| {
            Some(Spent { asked: Asked { name: (*name)?, meter: ask.meter, cost: ask.cost }, then: *then })
        };
        let spent: Vec<Spent> = reserved.iter().filter_map(spent).collect();
        if let Some(shared) = self.shared.as_ref().filter(|_| !spent.is_empty()) {
            _ = shared.give_back(&spent).await;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::key::Network;
    use super::*;
    use crate::operation::{CountedOn, Counter, Per};

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
            on_outage: OnOutage::Local,
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
        admitted_at(limiter, SECOND, charge, times)
    }

    fn admitted_at(limiter: &Limiter, now: u64, charge: Charge<'_>, times: usize) -> usize {
        (0..times).filter(|_| limiter.decide(now, &[charge]).refused_by().is_none()).count()
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

    /// A million IPv4 addresses, and a million IPv6 networks of which each comes with addresses of its own, against somebody
    /// who is over the limit, somebody who is not, and a table of four thousand places.
    #[test]
    fn a_million_addresses_neither_grow_the_table_nor_wash_anybody_free() {
        let limiter = Limiter::new(4096);
        let rule = limiter.rule(&FLOOD, "a");
        let passes = |now, address| {
            let seen = seen(Network::of(address), None);
            limiter.decide(now, &[rule.charge(&seen)]).refused_by().is_none()
        };
        let [over, within]: [std::net::IpAddr; 2] =
            ["203.0.113.1", "203.0.113.2"].map(|it| it.parse().unwrap());
        assert_eq!((0..9).filter(|_| passes(SECOND, over)).count(), 3);
        assert!(passes(SECOND, within));
        let places = limiter.table.places();
        let mut admitted = 0_usize;
        for number in 0..1_000_000_u32 {
            let now = SECOND + u64::from(number);
            let v4 = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
            let host = u128::from(number).wrapping_mul(0x9e37_79b9);
            let v6 = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number) << 64) | host);
            admitted += [v4.into(), v6.into()].into_iter().filter(|address| passes(now, *address)).count();
        }
        let end = 2 * SECOND;
        assert_eq!(limiter.table.places(), places);
        let live = limiter.table.live(end);
        assert!((places / 3..=places / 2).contains(&live), "{live} of {places} places: a half is theirs");
        assert!(!passes(end, over), "still over the limit");
        assert!(
            passes(end, within) && passes(end, within) && !passes(end, within),
            "still with what was left"
        );
        // each place three times, and the buckets that newcomers share
        let most = 3 * (places / 2 + memory::OVERFLOWS);
        assert!(admitted <= most, "{admitted} of two million got through, of {most} that can");
        // who comes new, and is known, has all of their own
        let [money, whole] = [&MONEY, &WHOLE].map(|limit| limiter.rule(limit, "a"));
        let subjects: Vec<String> = (0..200).map(|number| format!("subject {number}")).collect();
        let passed = subjects.iter().map(|subject| {
            let seen = seen(Network::of(over), Some(("https://id", subject)));
            (0..9).filter(|_| limiter.decide(end, &[money.charge(&seen)]).refused_by().is_none()).count()
        });
        assert_eq!(passed.sum::<usize>(), 400, "two each");
        assert_eq!(admitted_at(&limiter, end, whole.charge(&seen(Network::of(over), None)), 200), 100);
    }

    /// Of 4,096 places a half is theirs: a customer's network has 65,536 networks of its own to come from, and a principal all
    /// identifiers that there are.
    #[test]
    fn neither_one_network_nor_one_principal_takes_the_places_of_others() {
        static LOOKS: Limit = limit("looks", 3, &[Per::Principal, Per::Path("id")], Counting::Document);
        let limiter = Limiter::new(4096);
        let (flood, looks) = (limiter.rule(&FLOOD, "a"), limiter.rule(&LOOKS, "a"));
        let half = limiter.table.places() / 2;
        let by_network = |address: std::net::IpAddr| {
            admitted(&limiter, flood.charge(&seen(Network::of(address), None)), 9)
        };
        let by_path = |subject: &str, number: u32| {
            let values = [(Per::Path("id"), number.to_string())];
            let seen = Seen { values: &values, ..seen(from("::1"), Some(("https://id", subject))) };
            admitted(&limiter, looks.charge(&seen), 9)
        };
        for number in 0..65_536_u32 {
            by_network(
                std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number) << 64)).into(),
            );
        }
        let of_network = limiter.table.live(SECOND);
        assert!((half / 32..half / 8).contains(&of_network), "{of_network} of {half}");
        (0..65_536_u32).for_each(|number| _ = by_path("mallory", number));
        let of_principal = limiter.table.live(SECOND) - of_network;
        assert!((half / 32..half / 8).contains(&of_principal), "{of_principal} of {half}");
        // but for those who share the bucket of that crowd, one in 64
        let passed: usize = (0..400_u32)
            .map(|number| by_network(std::net::Ipv4Addr::from_bits(0xc000_0200 | (number << 16)).into()))
            .sum();
        assert!((1_100..=1_200).contains(&passed), "{passed} of 1,200 from elsewhere");
        let passed: usize = (0..400).map(|number| by_path(&format!("subject {number}"), 7)).sum();
        assert!((1_100..=1_200).contains(&passed), "{passed} of 1,200 of others");
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
