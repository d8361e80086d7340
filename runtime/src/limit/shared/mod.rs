//! Limits that several instances count together.
//!
//! Rules:
//! 1. all counters of a request are asked in one call and charged all or none, by the clock of where they are;
//! 2. while they cannot be asked, each limit does as it says (`on-outage`): one that denies refuses the request, one that
//!    allows does not count it, the others count it in this process, up to its share;
//! 3. no limit is lifted by an outage but one that says so;
//! 4. neither the beginning nor the end of an outage changes a counter: who was over a limit in one stays so in the next;
//! 5. what is under way is counted by places that are held ([`places`]), and in this process as well: so its share is known
//!    when an outage begins.

#[cfg(feature = "redis")]
mod in_redis;
mod places;
#[cfg(test)]
#[cfg(feature = "redis")]
#[path = "../../../../tests/src/redis_server.rs"]
#[expect(dead_code, unreachable_pub, reason = "it is of tests, and other tests do more with it")]
pub(crate) mod server;
#[cfg(test)]
#[cfg(feature = "redis")]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::places::{Came, Lease, Taken};
use self::places::{MOST, MOST_TAKEN, Places, Room, Said};
use super::Few;
use super::gcra::Rate;
use super::log::Log;
use super::memory::Outcome;
use super::meter::Meter;
use super::name::Name;
use super::window::Window;
use crate::authn::StoreFuture;
use crate::operation::{Counter, Limit};
#[cfg(feature = "redis")]
use crate::state::RedisServer;
use crate::state::StateError;

/// Nothing is reckoned with that lies further ahead, in microseconds: the sum of two is exact in a double. Some 70 years.
const FARTHEST: u64 = 1 << 51;

/// How long is waited for an answer, unless something is said.
const PATIENCE: Duration = Duration::from_millis(50);
/// And at most. A server that fails is left alone for longer than that.
const LONGEST: Duration = Duration::from_secs(1);

/// Counters of limits that all instances of a server share. Clones are the same.
///
/// A server that has them ([`Settings::limits_in`](crate::Settings::limits_in)) asks them once for each step of a request
/// that has limits, and once more where some are on what is under way; each time it waits 50 ms at most
/// ([`SharedLimits::patience`]).
#[derive(Clone)]
pub struct SharedLimits {
    counters: Arc<dyn Counters>,
    instances: u32,
    patience: Duration,
    /// Known to all of them.
    secret: [u8; 16],
    places: Arc<Places>,
}

/// Where the counters are.
pub(crate) trait Counters: Send + Sync {
    /// Charges all or none.
    fn spend<'a>(&'a self, asked: &'a [Asked], within: Duration) -> StoreFuture<'a, Answer, StateError>;

    /// Takes back what was spent, and says when that was.
    fn give_back<'a>(&'a self, spent: &'a [Spent], within: Duration) -> StoreFuture<'a, u64, StateError>;

    /// Takes, holds and leaves places, each held for so long.
    fn places<'a>(
        &'a self,
        said: &'a [Said],
        lease: Duration,
        within: Duration,
    ) -> StoreFuture<'a, Room, StateError>;

    /// What was kept under this name.
    fn record<'a>(&'a self, name: &'a str, within: Duration) -> StoreFuture<'a, Option<Vec<u8>>, StateError>;

    /// Keeps something under this name for so long.
    fn keep_record<'a>(
        &'a self,
        name: &'a str,
        value: Vec<u8>,
        keep: Duration,
        within: Duration,
    ) -> StoreFuture<'a, (), StateError>;
}

/// A counter that is to be charged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) name: Name,
    pub(crate) meter: Meter,
    pub(crate) cost: u32,
}

/// What was charged, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) asked: Asked,
    pub(crate) then: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// By the clock of the counters, in microseconds.
    pub(crate) now: u64,
    /// As many as were asked.
    pub(crate) outcomes: Few<Outcome>,
}

impl SharedLimits {
    /// In the Redis at `redis://[user:password@]host[:port][/database]`, or `rediss://` ([`RedisServer`]), for so many
    /// instances. Its keys begin with `palisade:limit:`.
    ///
    /// While Redis cannot be asked, each instance lets through its part of a limit, one in `instances`, or what the limit
    /// says instead (`on-outage`).
    ///
    /// Redis 6.2 or later, or Valkey, no cluster, with `maxmemory-policy noeviction`, which is warned of now when it is not
    /// so.
    ///
    /// # Errors
    /// When there is no instance, the address is none of these, or the server cannot be asked now.
    #[cfg(feature = "redis")]
    pub async fn redis(server: impl Into<RedisServer>, instances: u32) -> Result<Self, StateError> {
        Self::redis_under(server, "palisade", instances).await
    }

    /// The same with keys that begin with `prefix` and a colon: for several applications in one Redis.
    ///
    /// # Errors
    /// As [`SharedLimits::redis`].
    #[cfg(feature = "redis")]
    pub async fn redis_under(
        server: impl Into<RedisServer>,
        prefix: &str,
        instances: u32,
    ) -> Result<Self, StateError> {
        if instances == 0 {
            return Err(StateError::Engine("limits are shared by one instance at least".into()));
        }
        let counters = in_redis::InRedis::connect(&server.into(), prefix, in_redis::PATIENCE).await?;
        let secret = counters.secret().await?;
        let counters: Arc<dyn Counters> = Arc::new(counters);
        let places = Arc::new(Places::new(Arc::clone(&counters), places::PACE)?);
        Ok(Self { counters, instances, patience: PATIENCE, secret, places })
    }

    /// How long a step of a request waits for them, up to a second. Default: 50 ms, for a limit must not take longer than what
    /// it guards.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience: patience.min(LONGEST), ..self }
    }

    pub(crate) async fn spend(&self, asked: &[Asked]) -> Result<Answer, StateError> {
        self.counters.spend(asked, self.patience).await
    }

    /// Takes places under all of these counters, of so many each, or under none.
    pub(crate) async fn take(&self, wanted: &[(Taken, u32)]) -> Result<Came, StateError> {
        self.places.take(wanted, self.patience).await
    }

    /// Holds places that could not be asked for: they are told of when they can be.
    pub(crate) fn hold(&self, taken: Few<Taken>) -> Lease {
        self.places.hold(taken)
    }

    /// Says what was left, before nobody does any more.
    pub(crate) async fn settle(&self) {
        self.places.settle().await;
    }

    /// Whether a request would be counted now: a counter of nobody is charged, which says nothing a millisecond later.
    pub(crate) async fn answers(&self) -> bool {
        let meter = Meter::Bucket(Rate::new(1, Duration::from_millis(1), 1));
        self.spend(&[Asked { name: *b"palisade's probe", meter, cost: 1 }]).await.is_ok()
    }

    pub(crate) async fn give_back(&self, spent: &[Spent]) -> Result<u64, StateError> {
        self.counters.give_back(spent, self.patience).await
    }

    pub(crate) const fn secret(&self) -> [u8; 16] {
        self.secret
    }

    pub(crate) async fn record(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.counters.record(name, self.patience).await
    }

    pub(crate) async fn keep_record(
        &self,
        name: &str,
        value: Vec<u8>,
        keep: Duration,
    ) -> Result<(), StateError> {
        self.counters.keep_record(name, value, keep, self.patience).await
    }

    /// What this instance lets through of `limit` in an outage.
    pub(crate) fn share(&self, limit: &Limit) -> Meter {
        share(limit, self.instances)
    }

    /// How many may be under way at once in this instance then.
    pub(crate) fn share_of_places(&self, limit: &Limit) -> u32 {
        part(limit.quota, limit, self.instances)
    }
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimits").field("instances", &self.instances).finish_non_exhaustive()
    }
}

/// One part in `instances`, and one request at least: else an instance of many would refuse all.
fn part(whole: u32, limit: &Limit, instances: u32) -> u32 {
    whole.checked_div(instances).unwrap_or(0).max(limit.cost)
}

fn share(limit: &Limit, instances: u32) -> Meter {
    let part = |whole: u32| part(whole, limit, instances);
    match limit.counter {
        Counter::TokenBucket => {
            let window = limit.window.saturating_mul(instances);
            Meter::Bucket(Rate::new(limit.quota, window, part(limit.burst)))
        }
        Counter::SlidingWindow => Meter::Window(Window::sliding(part(limit.quota), limit.window)),
        Counter::FixedWindow => Meter::Window(Window::fixed(part(limit.quota), limit.window)),
        Counter::ExactLog => Meter::Log(Log::new(part(limit.quota), limit.window)),
        // it is not metered
        Counter::Concurrency => Meter::default(),
    }
}

/// Whether this limit is none that cannot be shared: all that is reckoned for it is exact where numbers are doubles, and its
/// places are not too many to be kept one by one.
pub(crate) fn is_exact(limit: &Limit) -> bool {
    if limit.counter == Counter::Concurrency {
        return limit.quota <= MOST && limit.cost <= MOST_TAKEN;
    }
    let farthest = match Meter::new(limit) {
        Meter::Bucket(rate) => {
            let (interval, span) = rate.times();
            interval.saturating_mul(limit.cost.into()).max(span)
        }
        Meter::Window(window) => window.facts().0.saturating_mul(2),
        Meter::Log(log) => log.facts().0,
    };
    farthest <= FARTHEST
}

/// Counters that nobody reaches.
#[cfg(test)]
struct Away;

#[cfg(test)]
impl Counters for Away {
    fn spend<'a>(&'a self, _: &'a [Asked], _: Duration) -> StoreFuture<'a, Answer, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn give_back<'a>(&'a self, _: &'a [Spent], _: Duration) -> StoreFuture<'a, u64, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn places<'a>(&'a self, _: &'a [Said], _: Duration, _: Duration) -> StoreFuture<'a, Room, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn record<'a>(&'a self, _: &'a str, _: Duration) -> StoreFuture<'a, Option<Vec<u8>>, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn keep_record<'a>(
        &'a self,
        _: &'a str,
        _: Vec<u8>,
        _: Duration,
        _: Duration,
    ) -> StoreFuture<'a, (), StateError> {
        Box::pin(async { Err(StateError::Late) })
    }
}

#[cfg(test)]
impl SharedLimits {
    pub(crate) fn away(instances: u32) -> Self {
        let places = Arc::new(Places::new(Arc::new(Away), places::PACE).expect("random bytes"));
        Self { counters: Arc::new(Away), instances, patience: PATIENCE, secret: [0; 16], places }
    }
}

#[cfg(test)]
mod share {
    use super::*;
    use crate::limit::meter::State;
    use crate::operation::{Advertise, CountedOn, Counting, OnOutage, Per};

    fn limit(counter: Counter, quota: u32, burst: u32, cost: u32) -> Limit {
        let (window, scope) = (Duration::from_secs(60), Counting::Document);
        let (per, on, on_outage) = (&[Per::Global], CountedOn::Request, OnOutage::Local);
        Limit {
            name: "few",
            quota,
            window,
            burst,
            counter,
            cost,
            per,
            scope,
            on,
            on_outage,
            advertise: Advertise::Admitted,
        }
    }

    /// How many pass in the first instant, and in the hour after it.
    fn admitted(meter: Meter, cost: u32) -> (u32, u32) {
        let (mut state, mut passed) = (State::default(), (0, 0));
        for second in 3_600..7_200_u64 {
            while let Ok(next) = meter.spend(state, second * 1_000_000, cost) {
                state = next;
                *(if second == 3_600 { &mut passed.0 } else { &mut passed.1 }) += cost;
            }
        }
        passed
    }

    #[test]
    fn shares_together_are_the_limit_and_none_lets_nothing_through() {
        for (instances, quota, burst, at_once, hour) in
            [(1, 60, 10, 10, 3_599), (4, 60, 10, 2, 899), (4, 60, 3, 1, 899), (60, 60, 10, 1, 59)]
        {
            let meter = share(&limit(Counter::TokenBucket, quota, burst, 1), instances);
            assert_eq!(admitted(meter, 1), (at_once, hour), "{instances} of {quota} with {burst}");
        }
        for counter in [Counter::SlidingWindow, Counter::FixedWindow, Counter::ExactLog] {
            for (instances, at_once) in [(1, 60), (4, 15), (7, 8), (100, 1)] {
                let (first, _) = admitted(share(&limit(counter, 60, 60, 1), instances), 1);
                assert_eq!(first, at_once, "{instances}");
            }
        }
        assert_eq!(
            admitted(share(&limit(Counter::TokenBucket, 60, 10, 5), 4), 5).0,
            5,
            "one that costs five"
        );
    }

    #[tokio::test]
    async fn an_outage_charges_all_that_is_counted_here_or_none() {
        use crate::limit::Limiter;
        use crate::limit::seen::{Network, Seen};

        static FEW: Limit = whole("few", 4, OnOutage::Local);
        static MANY: Limit = whole("many", 20, OnOutage::Local);
        static OPEN: Limit = whole("open", 1, OnOutage::Allow);
        static SURE: Limit = whole("sure", 100, OnOutage::Deny);
        const fn whole(name: &'static str, quota: u32, on_outage: OnOutage) -> Limit {
            let (window, scope, on) = (Duration::from_secs(3600), Counting::Document, CountedOn::Request);
            let counter = Counter::FixedWindow;
            Limit {
                name,
                quota,
                window,
                burst: quota,
                counter,
                cost: 1,
                per: &[Per::Global],
                scope,
                on,
                on_outage,
                advertise: Advertise::Admitted,
            }
        }
        let limiter = Limiter::new(1024).shared(Some(SharedLimits::away(2)));
        let from = Network::of("192.0.2.1".parse().unwrap());
        let seen = Seen { from, principal: None, tenant: None, is_claimed: false, values: &[] };
        let passed = async |limits: &[&'static Limit]| {
            let rules: Vec<_> = limits.iter().map(|limit| limiter.rule(limit, "a")).collect();
            let charges: Vec<_> = rules.iter().map(|rule| rule.charge(&seen)).collect();
            let mut passed = 0;
            for _ in 0..30 {
                match limiter.ask(1_000_000, &charges, &seen).await {
                    Ok(decision) => passed += u32::from(decision.refused_by().is_none()),
                    Err(outage) => assert_eq!(outage.limit.name, "sure"),
                }
            }
            passed
        };
        assert_eq!(passed(&[&FEW, &SURE]).await, 0);
        assert_eq!(passed(&[&FEW, &OPEN, &MANY]).await, 2, "none was charged by what was denied");
        assert_eq!(passed(&[&MANY]).await, 8, "ten, and two of them with the others");
        assert_eq!(passed(&[&OPEN]).await, 30);
    }

    #[test]
    fn what_a_double_does_not_hold_is_not_shared() {
        let year = Duration::from_secs(365 * 86_400);
        let of = |counter, quota, burst| Limit { window: year, ..limit(counter, quota, burst, 1) };
        assert!(is_exact(&of(Counter::TokenBucket, 1, 70)) && !is_exact(&of(Counter::TokenBucket, 1, 80)));
        assert!(!is_exact(&Limit { cost: 80, ..of(Counter::TokenBucket, 1, 1) }));
        assert!(!is_exact(&of(Counter::TokenBucket, 1, u32::MAX)));
        assert!(is_exact(&of(Counter::SlidingWindow, u32::MAX, u32::MAX)));
        assert!(is_exact(&of(Counter::ExactLog, 64, 64)));
        assert!(!is_exact(&Limit { window: year * 80, ..of(Counter::ExactLog, 1, 1) }));
        assert!(!is_exact(&Limit { window: year * 40, ..of(Counter::SlidingWindow, 1, 1) }));
    }
}
