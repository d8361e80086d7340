//! What the next process begins with.

use super::super::seen::{Network, Seen};
use super::super::{Limiter, SECOND};
use super::*;
use crate::clock::Clock;
use crate::operation::{self, Advertise, CountedOn, Counting, Limit, OnOutage, Per};

const NOW: u64 = 1_800_000_000;

const fn limit(name: &'static str, counter: operation::Counter, quota: u32, seconds: u64) -> Limit {
    let window = Duration::from_secs(seconds);
    let (per, scope, on) = (&[Per::Principal], Counting::Document, CountedOn::Request);
    let on_outage = OnOutage::Local;
    Limit {
        name,
        quota,
        window,
        burst: quota,
        counter,
        cost: 1,
        per,
        scope,
        on,
        on_outage,
        advertise: Advertise::Admitted,
    }
}

static HOURLY: Limit = limit("hourly", operation::Counter::TokenBucket, 5, 3600);
static DAILY: Limit = limit("daily", operation::Counter::FixedWindow, 5, 86_400);
static SLIDING: Limit = limit("sliding", operation::Counter::SlidingWindow, 5, 86_400);
static SHORT: Limit = limit("short", operation::Counter::TokenBucket, 5, 30);
static LOG: Limit = limit("log", operation::Counter::ExactLog, 5, 7200);
static LIMITS: [&Limit; 5] = [&HOURLY, &DAILY, &SLIDING, &LOG, &SHORT];

/// A server of its own each time.
async fn built(state: &State, clock: &Clock) -> Limiter {
    let kept = KeptLimits::load(state.clone()).await.unwrap();
    Limiter::new(4096).kept(Some(kept.of(Of::Document, clock.now().unwrap())))
}

fn micros(clock: &Clock) -> u64 {
    u64::try_from(clock.now().unwrap().monotonic().as_micros()).unwrap()
}

fn passed(limiter: &Limiter, clock: &Clock, limit: &'static Limit, subject: &str) -> usize {
    let rule = limiter.rule(limit, "a");
    let from = Network::of("192.0.2.1".parse().unwrap());
    let seen =
        Seen { from, principal: Some(("https://id", subject)), tenant: None, is_claimed: false, values: &[] };
    let passes = || limiter.decide(micros(clock), &[rule.charge(&seen)]).refused_by().is_none();
    (0..9).filter(|_| passes()).count()
}

#[tokio::test]
async fn the_next_process_begins_with_counters_of_long_windows() {
    let clock = Clock::fixed(NOW);
    let state = State::memory_of(1000, clock.clone());
    let first = built(&state, &clock).await;
    for limit in LIMITS {
        assert_eq!(passed(&first, &clock, limit, "alice"), 5, "{}", limit.name);
    }
    first.keep(micros(&clock)).await;
    assert_eq!(passed(&first, &clock, &HOURLY, "late"), 5, "after it was written");
    drop(first);
    // the clock of another process has another beginning
    let clock = Clock::fixed(NOW + 30);
    let next = built(&state, &clock).await;
    let again = LIMITS.map(|limit| passed(&next, &clock, limit, "alice"));
    assert_eq!(again, [0, 0, 0, 0, 5], "all but what half a minute gave back");
    let others = LIMITS.map(|limit| passed(&next, &clock, limit, "bob"));
    assert_eq!(others, [5; 5]);
    assert_eq!(passed(&next, &clock, &HOURLY, "late"), 5, "of the last second nothing is known");
    clock.advance(Duration::from_secs(3570));
    assert_eq!(passed(&next, &clock, &HOURLY, "alice"), 5, "an hour after it was spent");
    assert_eq!(passed(&next, &clock, &LOG, "alice"), 0, "an hour before it ends");
    let midnight = (NOW / 86_400 + 1) * 86_400;
    clock.advance(Duration::from_secs(midnight - NOW - 3600));
    assert_eq!(passed(&next, &clock, &DAILY, "alice"), 5, "the window ends where it did");
    assert!(passed(&next, &clock, &SLIDING, "alice") < 2, "and counts as the one before");
}

/// And no later, to the second.
#[tokio::test]
async fn a_log_ends_unit_by_unit_in_the_next_process_as_well() {
    let clock = Clock::fixed(NOW);
    let state = State::memory_of(1000, clock.clone());
    let first = built(&state, &clock).await;
    let one = |limiter: &Limiter, clock: &Clock| {
        let (rule, from) = (limiter.rule(&LOG, "a"), Network::of("192.0.2.1".parse().unwrap()));
        let seen = Seen {
            from,
            principal: Some(("https://id", "alice")),
            tenant: None,
            is_claimed: false,
            values: &[],
        };
        limiter.decide(micros(clock), &[rule.charge(&seen)]).refused_by().is_none()
    };
    for _ in 0..5 {
        assert!(one(&first, &clock));
        clock.advance(Duration::from_secs(60));
    }
    first.keep(micros(&clock)).await;
    let clock = Clock::fixed(NOW + 300);
    let next = built(&state, &clock).await;
    clock.advance(Duration::from_secs(7200 - 301));
    assert!(!one(&next, &clock));
    clock.advance(Duration::from_secs(1));
    assert!(one(&next, &clock) && !one(&next, &clock), "the first has ended");
    clock.advance(Duration::from_secs(60));
    assert!(one(&next, &clock) && !one(&next, &clock), "and the second");
}

#[tokio::test]
async fn a_network_is_the_same_in_the_next_process() {
    static SITE: Limit =
        Limit { per: &[Per::Network], ..limit("site", operation::Counter::FixedWindow, 5, 86_400) };
    let clock = Clock::fixed(NOW);
    let state = State::memory_of(1000, clock.clone());
    let passed = |limiter: &Limiter, network: u16| {
        let from = Network::of(std::net::Ipv6Addr::new(0x2001, 0xdb8, 1, network, 0, 0, 0, 1).into());
        let seen = Seen { from, principal: None, tenant: None, is_claimed: false, values: &[] };
        let rule = limiter.rule(&SITE, "a");
        limiter.decide(micros(&clock), &[rule.charge(&seen)]).refused_by().is_none()
    };
    let first = built(&state, &clock).await;
    assert_eq!((0..3).filter(|network| passed(&first, *network)).count(), 3);
    first.keep(micros(&clock)).await;
    let next = built(&state, &clock).await;
    assert_eq!((3..12).filter(|network| passed(&next, *network)).count(), 2);
}

#[tokio::test]
async fn what_does_not_change_is_not_written_and_what_is_over_is_removed() {
    let clock = Clock::fixed(NOW);
    let state = State::memory_of(1000, clock.clone());
    let limiter = built(&state, &clock).await;
    let shards = async || {
        let found = join_all((0..SHARDS).map(|shard| state.get(Of::Document.key(shard)))).await;
        found.into_iter().filter_map(|found| Some(found.unwrap()?.version)).collect::<Vec<_>>()
    };
    limiter.keep(micros(&clock)).await;
    assert!(shards().await.is_empty());
    passed(&limiter, &clock, &HOURLY, "alice");
    limiter.keep(micros(&clock)).await;
    let written = shards().await;
    assert_eq!(written.len(), 1);
    limiter.keep(micros(&clock)).await;
    assert_eq!(shards().await, written);
    clock.advance(Duration::from_secs(3600 - 60));
    limiter.keep(micros(&clock)).await;
    assert!(shards().await.is_empty(), "what is over in a minute");
    passed(&limiter, &clock, &HOURLY, "alice");
    limiter.keep(micros(&clock)).await;
    assert_eq!(shards().await.len(), 1);
}

#[tokio::test]
async fn keys_are_hashed_under_the_secret_of_the_state() {
    let clock = Clock::fixed(NOW);
    let key = async |state: &State, limit: &'static Limit| {
        let from = Network::of("::1".parse().unwrap());
        let seen = Seen {
            from,
            principal: Some(("https://id", "alice")),
            tenant: None,
            is_claimed: false,
            values: &[],
        };
        built(state, &clock).await.rule(limit, "a").charge(&seen).key
    };
    let [one, other] = [(); 2].map(|()| State::memory_of(1000, clock.clone()));
    let hourly = key(&one, &HOURLY).await;
    assert_eq!(hourly, key(&one, &HOURLY).await);
    assert_ne!(hourly, key(&other, &HOURLY).await);
    // a limit that counts otherwise since then is another one
    static LONGER: Limit = limit("hourly", operation::Counter::TokenBucket, 5, 7200);
    static FIXED: Limit = limit("hourly", operation::Counter::FixedWindow, 5, 3600);
    assert_ne!(hourly, key(&one, &LONGER).await);
    assert_ne!(hourly, key(&one, &FIXED).await);
}

#[tokio::test]
async fn a_state_that_fails_stops_nobody_and_is_written_again_when_it_does_not() {
    let clock = Clock::fixed(NOW);
    let state = State::memory_of(2, clock.clone()); // the secret, and one of two
    let limiter = built(&state, &clock).await;
    (0..50).for_each(|number| _ = passed(&limiter, &clock, &HOURLY, &format!("subject {number}")));
    limiter.keep(micros(&clock)).await;
    assert!(limiter.kept.as_ref().unwrap().written.lock().await.is_failing);
    clock.advance(Duration::from_micros(3600 * SECOND));
    limiter.keep(micros(&clock)).await;
    assert!(!limiter.kept.as_ref().unwrap().written.lock().await.is_failing);
}
