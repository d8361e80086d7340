//! Counters of windows: how many came since the window began, and how many in the one before.
//!
//! Windows begin at multiples of their length. The state of a counter is the time from which it says nothing that an
//! unused one does not (`fresh_at`, which tells its window, too) and two counts.
//!
//! * **Fixed**: at most `quota` in each window. Around a boundary, twice that may come in no time.
//! * **Sliding**: the window before counts by the part of it that the last `window` still covers, as if its requests had
//!   come evenly: `current + previous * (1 - elapsed / window) <= quota`. However they come, no more than
//!   `quota * (1 + length / window)` pass in any interval of at most a window's length.
//!
//! What is refused is not counted. All times are microseconds of a clock that never runs backwards.

use std::time::Duration;

use super::meter::State;

/// How long a window is, and how many it lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    length: u64,
    quota: u32,
    slides: bool,
}

/// A counter as it stands at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    /// When the window began.
    start: u64,
    current: u32,
    previous: u32,
    /// How much of the window has passed.
    elapsed: u64,
}

impl Window {
    /// At most `quota` in each `length`.
    pub(crate) fn fixed(quota: u32, length: Duration) -> Self {
        Self { length: micros(length), quota, slides: false }
    }

    /// At most `quota` in the last `length`, as far as two counts tell.
    pub(crate) fn sliding(quota: u32, length: Duration) -> Self {
        Self { length: micros(length), quota, slides: true }
    }

    /// Its length, its quota, and whether it slides.
    pub(super) const fn facts(self) -> (u64, u32, bool) {
        (self.length, self.quota, self.slides)
    }

    /// The state after `cost` more, else how long until they would pass if nobody else came.
    pub(crate) fn spend(self, state: State, now: u64, cost: u32) -> Result<State, u64> {
        let counts = self.counts(state, now);
        let wait = self.wait(counts, cost);
        if wait > 0 {
            return Err(wait);
        }
        Ok(self.state(Counts { current: counts.current.saturating_add(cost), ..counts }))
    }

    /// The state when `cost` that was spent at `then` was not.
    pub(crate) fn give_back(self, state: State, then: u64, now: u64, cost: u32) -> State {
        let counts = self.counts(state, now);
        let begun = then.saturating_sub(then.checked_rem(self.length).unwrap_or(0));
        match counts.start.saturating_sub(begun) {
            _ if state.fresh_at <= now => state,
            0 => self.state(Counts { current: counts.current.saturating_sub(cost), ..counts }),
            since if since == self.length => {
                self.state(Counts { previous: counts.previous.saturating_sub(cost), ..counts })
            }
            _ => state,
        }
    }

    /// How many would pass at once.
    pub(crate) fn remaining(self, state: State, now: u64) -> u32 {
        let used = self.used(self.counts(state, now)).div_ceil(u128::from(self.length));
        self.quota.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    /// How long until one more would; zero when none is missing.
    pub(crate) fn until_next(self, state: State, now: u64) -> u64 {
        let more = self.remaining(state, now).saturating_add(1);
        if more > self.quota { 0 } else { self.wait(self.counts(state, now), more) }
    }

    /// How many windows a count is of interest for.
    fn span(self) -> u64 {
        self.length.saturating_mul(if self.slides { 2 } else { 1 })
    }

    fn counts(self, state: State, now: u64) -> Counts {
        let begun = now.saturating_sub(now.checked_rem(self.length).unwrap_or(0));
        let known = state.fresh_at.saturating_sub(self.span());
        let (current, previous) = state.pair();
        let fresh = Counts { start: begun, current: 0, previous: 0, elapsed: now.saturating_sub(begun) };
        match begun.saturating_sub(known) {
            _ if state.fresh_at <= now => fresh,
            // a request that looked at the clock before another and came to the counter after it is of its window
            0 => Counts { start: known, current, previous, elapsed: now.saturating_sub(known) },
            _ => Counts { previous: current, ..fresh },
        }
    }

    fn state(self, counts: Counts) -> State {
        let previous = if self.slides { counts.previous } else { 0 };
        State::with_pair(counts.start.saturating_add(self.span()), counts.current, previous)
    }

    /// Requests times the window's length.
    fn used(self, counts: Counts) -> u128 {
        let left = self.length.saturating_sub(counts.elapsed);
        let before = if self.slides { u128::from(counts.previous).saturating_mul(left.into()) } else { 0 };
        u128::from(counts.current).saturating_mul(self.length.into()).saturating_add(before)
    }

    /// How long until `cost` pass; zero when they do now.
    fn wait(self, counts: Counts, cost: u32) -> u64 {
        let in_this = self.passes_after(counts.current, counts.previous, cost);
        let passes = in_this.or_else(|| {
            let in_next = self.passes_after(0, counts.current, cost)?;
            Some(self.length.saturating_add(in_next))
        });
        // more than the quota never pass: that far ahead, and the generator has refused such a cost
        passes.unwrap_or_else(|| self.length.saturating_mul(2)).saturating_sub(counts.elapsed)
    }

    /// How much of a window with these counts must have passed before `cost` pass; `None`: it will not do.
    fn passes_after(self, current: u32, previous: u32, cost: u32) -> Option<u64> {
        let room = self.quota.checked_sub(current)?.checked_sub(cost)?;
        if !self.slides || previous == 0 {
            return Some(0);
        }
        // previous * (length - elapsed) <= room * length
        let left = u128::from(room).saturating_mul(self.length.into()).checked_div(previous.into())?;
        Some(self.length.saturating_sub(u64::try_from(left).unwrap_or(u64::MAX)))
    }
}

pub(super) fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::super::dice::Dice;
    use super::*;

    const SECOND: u64 = 1_000_000;
    const MINUTE: Duration = Duration::from_secs(60);

    /// When each of the requests that passed came, of a trace that meets the limit often.
    fn admitted(window: Window, seed: u64) -> Vec<u64> {
        let (mut dice, mut now, mut state) = (Dice(seed), 0, State::default());
        let mut passed = Vec::new();
        let mut refused = 0;
        for _ in 0..4_000 {
            // bursts around boundaries as well as an even flow
            now += match dice.below(32 * u64::from(window.quota)) {
                0 => dice.below(3 * window.length),
                1..=2 => window.length - now % window.length - 1,
                _ => dice.below(1 + window.length / u64::from(4 * window.quota)),
            };
            match window.spend(state, now, 1) {
                Ok(next) => (state, _) = (next, passed.push(now)),
                Err(wait) => {
                    refused += 1;
                    assert!(window.spend(state, now + wait - 1, 1).is_err(), "{wait} is too long");
                    assert!(window.spend(state, now + wait, 1).is_ok(), "{wait} is too short");
                }
            }
        }
        assert!(refused > 500, "the trace must meet the limit, or it says nothing: {refused}");
        passed
    }

    #[test]
    fn a_sliding_window_keeps_its_bound_in_every_interval() {
        for (seed, quota, seconds) in [(1, 10, 60), (2, 7, 13), (3, 100, 1), (4, 1, 5)] {
            let window = Window::sliding(quota, Duration::from_secs(seconds));
            let passed = admitted(window, seed);
            for (first, start) in passed.iter().enumerate() {
                let within = passed[first..].iter().take_while(|end| *end - start <= window.length);
                for (count, end) in (1_u128..).zip(within) {
                    let bound = u128::from(quota) * u128::from(window.length + end - start);
                    assert!(count * u128::from(window.length) <= bound, "{count} in {} us", end - start);
                }
            }
        }
    }

    #[test]
    fn a_fixed_window_holds_its_quota_and_twice_that_around_a_boundary() {
        let window = Window::fixed(10, MINUTE);
        let passed = admitted(window, 5);
        let most = |group: &dyn Fn(u64) -> usize| passed.iter().map(|start| group(*start)).max().unwrap();
        let of_one =
            |at: u64| passed.iter().filter(|other| *other / window.length == at / window.length).count();
        assert_eq!(most(&of_one), 10);
        let close = |at: u64| passed.iter().filter(|other| (at..at + window.length).contains(other)).count();
        assert!((11..=20).contains(&most(&close)), "{}", most(&close));
    }

    #[test]
    fn the_window_before_counts_by_the_part_that_is_still_covered() {
        let window = Window::sliding(10, MINUTE);
        let full = (0..10).fold(State::default(), |state, _| window.spend(state, 59 * SECOND, 1).unwrap());
        assert_eq!((window.remaining(full, 59 * SECOND), window.remaining(full, 60 * SECOND)), (0, 0));
        assert_eq!(
            window.spend(full, 59 * SECOND, 1),
            Err(7 * SECOND),
            "one is free six seconds into the next"
        );
        assert_eq!(window.remaining(full, 90 * SECOND), 5);
        assert_eq!(window.until_next(full, 90 * SECOND), 6 * SECOND);
        assert_eq!(window.remaining(full, 120 * SECOND), 10);
        assert_eq!(window.until_next(full, 120 * SECOND), 0);
        assert_eq!(full.fresh_at, 120 * SECOND, "and from then on it says nothing");
    }

    #[test]
    fn what_is_given_back_was_never_counted_in_its_window() {
        for window in [Window::sliding(3, MINUTE), Window::fixed(3, MINUTE)] {
            let one = window.spend(State::default(), 50 * SECOND, 1).unwrap();
            assert_eq!(window.remaining(window.give_back(one, 50 * SECOND, 55 * SECOND, 1), 55 * SECOND), 3);
            let two = window.spend(one, 61 * SECOND, 1).unwrap();
            let left = window.give_back(two, 50 * SECOND, 62 * SECOND, 1);
            assert_eq!(window.remaining(left, 62 * SECOND), 2, "that of the new window stays");
            let much_later = window.spend(State::default(), 200 * SECOND, 1).unwrap();
            assert_eq!(window.give_back(much_later, 50 * SECOND, 200 * SECOND, 1), much_later);
        }
    }

    #[test]
    fn what_is_refused_is_not_counted() {
        for window in [Window::sliding(3, MINUTE), Window::fixed(3, MINUTE)] {
            let one = window.spend(State::default(), SECOND, 1).unwrap();
            assert!(window.spend(one, SECOND, 3).is_err());
            assert_eq!(window.remaining(one, SECOND), 2);
        }
    }

    #[test]
    fn a_late_look_at_the_clock_and_extremes_do_no_harm() {
        let window = Window::sliding(2, MINUTE);
        let state = window.spend(State::default(), 61 * SECOND, 2).unwrap();
        assert!(window.spend(state, 59 * SECOND, 1).is_err(), "it is of the window that has begun");
        assert!(window.spend(State::default(), 0, 3).is_err(), "more than the quota never pass");
        assert!(Window::fixed(0, MINUTE).spend(State::default(), SECOND, 1).is_err());
        let ever = Window::sliding(u32::MAX, Duration::MAX);
        assert!(ever.spend(State::default(), u64::MAX, u32::MAX).is_ok(), "saturated, and no overflow");
        assert_eq!(Window::sliding(1, Duration::ZERO).remaining(State::default(), 5), 1);
    }
}
