//! A token bucket, kept as one number: the time at which it will be full again.
//!
//! A bucket that holds `burst` tokens and gains one every `interval` decides exactly like this: let `full_at` be the
//! time at which it is full (the "theoretical arrival time" of the generic cell rate algorithm). A request that
//! costs `n` moves `full_at` by `n * interval`; it is refused when that would lie more than `burst * interval` ahead.
//! One number needs no refill task, no second field that could disagree, and fits one word of a shared store.
//!
//! All times are microseconds of a clock that never runs backwards, its origin does not matter.

use std::time::Duration;

/// How fast a bucket refills and how much it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Time in which one token comes back.
    interval: u64,
    /// Time in which an empty bucket fills: `burst * interval`.
    span: u64,
}

impl Rate {
    /// `quota` tokens come back in `window`, `burst` fit.
    ///
    /// The interval is rounded up, so that rounding never admits more than the document says; what it takes away is
    /// less than `quota / window` in microseconds (nothing for 20 000 in a second, 1 in 10 000 for 600 in 7 s).
    /// Neither a quota nor a burst of zero admits anything.
    pub(crate) fn new(quota: u32, window: Duration, burst: u32) -> Self {
        let window = u64::try_from(window.as_micros()).unwrap_or(u64::MAX).max(1);
        if quota == 0 {
            return Self { interval: window, span: 0 };
        }
        let interval = window.div_ceil(u64::from(quota));
        Self { interval, span: interval.saturating_mul(u64::from(burst)) }
    }

    /// The time in which one token comes back, and that in which an empty bucket fills.
    pub(super) const fn times(self) -> (u64, u64) {
        (self.interval, self.span)
    }

    /// The new `full_at` when `cost` tokens are there, else how long until they are.
    pub(crate) fn spend(self, full_at: u64, now: u64, cost: u32) -> Result<u64, u64> {
        let ahead = self.missing(full_at, now).saturating_add(self.interval.saturating_mul(u64::from(cost)));
        if ahead <= self.span { Ok(now.saturating_add(ahead)) } else { Err(ahead.saturating_sub(self.span)) }
    }

    /// `full_at` when what was spent at `then` was not. What has come back meanwhile was not needed and stays so: else who
    /// takes long would gain that time.
    pub(crate) fn give_back(self, full_at: u64, then: u64, now: u64, cost: u32) -> u64 {
        let spent = self.interval.saturating_mul(u64::from(cost));
        full_at.saturating_sub(spent.saturating_sub(now.saturating_sub(then)))
    }

    /// The tokens that are there.
    pub(crate) fn remaining(self, full_at: u64, now: u64) -> u32 {
        let there = self.span.saturating_sub(self.missing(full_at, now));
        u32::try_from(there.checked_div(self.interval).unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// How long [`Self::remaining`] stays what it is if nothing is spent; zero for a full bucket.
    pub(crate) fn until_next(self, full_at: u64, now: u64) -> u64 {
        let missing = self.missing(full_at, now);
        match missing.checked_rem(self.interval) {
            _ if missing == 0 => 0,
            Some(0) | None => self.interval,
            Some(part) => part,
        }
    }

    fn missing(self, full_at: u64, now: u64) -> u64 {
        full_at.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Dice;
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// The textbook bucket, in exact arithmetic: `level` counts tokens times `window`.
    struct Bucket {
        quota: u128,
        window: u128,
        burst: u128,
        level: u128,
        at: u64,
    }

    impl Bucket {
        fn new(quota: u32, window: Duration, burst: u32) -> Self {
            let (quota, window, burst) = (u128::from(quota), window.as_micros(), u128::from(burst));
            Self { quota, window, burst, level: burst * window, at: 0 }
        }
        fn spend(&mut self, now: u64, cost: u32) -> bool {
            let gained = u128::from(now - self.at) * self.quota;
            self.at = now;
            self.level = (self.level + gained).min(self.burst * self.window);
            let cost = u128::from(cost) * self.window;
            let enough = self.level >= cost;
            self.level -= if enough { cost } else { 0 };
            enough
        }
    }

    #[test]
    fn what_is_given_back_was_never_spent_and_gains_nothing() {
        let rate = Rate::new(5, Duration::from_secs(900), 5);
        let (start, wait) = (1_000 * SECOND, 10 * SECOND);
        let one = rate.spend(0, start, 1).unwrap();
        assert_eq!(rate.remaining(rate.give_back(one, start, start, 1), start), 5);
        let later = rate.give_back(one, start, start + wait, 1);
        assert_eq!(rate.remaining(later, start + wait), 5, "also after a while");
        // a second one that failed meanwhile stays counted, to the last microsecond
        let two = rate.spend(one, start + wait / 2, 1).unwrap();
        let left = rate.give_back(two, start, start + wait, 1);
        assert!(left >= rate.spend(0, start + wait / 2, 1).unwrap());
        assert_eq!(rate.give_back(two, start, start + 400 * SECOND, 1), two, "all of it has come back");
    }

    #[test]
    fn decides_like_an_exact_token_bucket() {
        let rates = [
            (10, 60, 10),
            (50, 1, 100),
            (1, 1, 1),
            (600, 60, 60),
            (5, 900, 5),
            (20_000, 1, 20_000),
            (3, 3, 9),
        ];
        for (seed, (quota, seconds, burst)) in (1..).zip(rates) {
            let window = Duration::from_secs(seconds);
            let (rate, mut bucket) = (Rate::new(quota, window, burst), Bucket::new(quota, window, burst));
            let (mut dice, mut now, mut full_at, mut refused) = (Dice(seed), 0, 0, 0);
            let step = rate.interval;
            for _ in 0..20_000 {
                now += dice.below(step);
                let cost = u32::try_from(1 + dice.below(u64::from(burst.min(3)))).unwrap();
                let ours = rate.spend(full_at, now, cost);
                assert_eq!(
                    ours.is_ok(),
                    bucket.spend(now, cost),
                    "{quota}/{seconds}s burst {burst} at {now}"
                );
                refused += u32::from(ours.is_err());
                full_at = ours.unwrap_or(full_at);
            }
            assert!(refused > 1000, "the trace must meet the limit, or it says nothing: {refused}");
        }
    }

    /// governor, an implementation of the same algorithm by others.
    #[test]
    fn decides_as_governor_does() {
        use governor::clock::{Clock, FakeRelativeClock};
        use std::num::NonZeroU32;

        let rates = [(10, 60, 10), (50, 1, 100), (1, 1, 1), (600, 60, 60), (7, 60, 3), (999, 7, 40)];
        for (seed, (quota, seconds, burst)) in (1..).zip(rates) {
            let rate = Rate::new(quota, Duration::from_secs(seconds), burst);
            let clock = FakeRelativeClock::default();
            let period = governor::Quota::with_period(Duration::from_micros(rate.interval)).unwrap();
            let theirs = period.allow_burst(NonZeroU32::new(burst).unwrap());
            let theirs = governor::RateLimiter::direct_with_clock(theirs, clock.clone());
            let (mut dice, mut now, mut full_at, mut refused) = (Dice(seed), SECOND, 0, 0);
            for _ in 0..20_000 {
                let step = dice.below(rate.interval);
                clock.advance(Duration::from_micros(step));
                now += step;
                let cost = u32::try_from(1 + dice.below(u64::from(burst.min(3)))).unwrap();
                let ours = rate.spend(full_at, now, cost);
                let same = theirs.check_n(NonZeroU32::new(cost).unwrap()).expect("a cost within the burst");
                let wait = same.err().map(|until| until.wait_time_from(clock.now()));
                let about = format!("{cost} of {quota}/{seconds}s burst {burst} at {now}");
                assert_eq!(ours.err().map(Duration::from_micros), wait, "{about}");
                refused += u32::from(ours.is_err());
                full_at = ours.unwrap_or(full_at);
            }
            assert!(refused > 1000, "the trace must meet the limit, or it says nothing: {refused}");
        }
    }

    #[test]
    fn no_window_of_any_length_admits_more_than_burst_and_rate() {
        // 7 in a minute does not divide evenly: rounding must stay on the strict side.
        for (quota, seconds, burst) in [(7, 60, 3), (300, 1, 5), (13, 11, 1), (999_983, 60, 40)] {
            let rate = Rate::new(quota, Duration::from_secs(seconds), burst);
            let (mut dice, mut now, mut full_at) = (Dice(u64::from(quota)), 0, 0);
            let mut admitted = Vec::new();
            for _ in 0..3_000 {
                now += dice.below(2 * rate.interval);
                if let Ok(next) = rate.spend(full_at, now, 1) {
                    full_at = next;
                    admitted.push(now);
                }
            }
            for (first, start) in admitted.iter().enumerate() {
                for (count, end) in (1_u128..).zip(&admitted[first..]) {
                    let window = Duration::from_secs(seconds).as_micros();
                    let allowed = u128::from(burst) * window + u128::from(end - start) * u128::from(quota);
                    assert!(count * window <= allowed, "{count} in {} us", end - start);
                }
            }
        }
    }

    #[test]
    fn a_refusal_says_when_it_would_pass() {
        let rate = Rate::new(10, Duration::from_secs(60), 2);
        let full_at = rate.spend(rate.spend(0, SECOND, 1).unwrap(), SECOND, 1).unwrap();
        let wait = rate.spend(full_at, 2 * SECOND, 1).unwrap_err();
        assert_eq!(wait, 5 * SECOND);
        assert!(rate.spend(full_at, 2 * SECOND + wait - 1, 1).is_err());
        assert!(rate.spend(full_at, 2 * SECOND + wait, 1).is_ok());
    }

    #[test]
    fn what_remains_and_when_more_comes() {
        let rate = Rate::new(10, Duration::from_secs(60), 10);
        assert_eq!((rate.remaining(0, 5), rate.until_next(0, 5)), (10, 0));
        let full_at = rate.spend(0, 0, 3).unwrap();
        assert_eq!((rate.remaining(full_at, 0), rate.until_next(full_at, 0)), (7, 6 * SECOND));
        assert_eq!((rate.remaining(full_at, SECOND), rate.until_next(full_at, SECOND)), (7, 5 * SECOND));
        assert_eq!(
            (rate.remaining(full_at, 6 * SECOND), rate.until_next(full_at, 6 * SECOND)),
            (8, 6 * SECOND)
        );
    }

    #[test]
    fn zero_admits_nothing_and_extremes_do_not_wrap() {
        let (second, ever) = (Duration::from_secs(1), Duration::MAX);
        assert!(Rate::new(0, second, 5).spend(0, 10, 1).is_err());
        assert!(Rate::new(5, second, 0).spend(0, 10, 1).is_err());
        assert!(Rate::new(5, Duration::ZERO, 5).spend(0, 10, 6).is_err());
        assert!(
            Rate::new(1, ever, u32::MAX).spend(u64::MAX, 0, u32::MAX).is_ok(),
            "saturated, and no overflow"
        );
        assert!(Rate::new(u32::MAX, ever, 1).spend(0, u64::MAX, 1).is_ok());
    }
}
