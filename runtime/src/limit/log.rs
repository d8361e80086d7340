//! A log of what passed: no more than `quota` in *any* window, to the microsecond.
//!
//! A log keeps of each unit that passed the time at which it ends, a window after it came.
//!
//! 1. A unit counts until it ends, so whenever a window begins, no more than `quota` come in it.
//! 2. Whoever is let in by a number that is left is told the truth: nothing else than those units is counted.
//! 3. What is refused leaves no trace.
//! 4. A log has room for [`MOST`] units, whatever the quota, and is never longer: it is for small limits, and of large ones
//!    two counts ([`Window`](super::window::Window)) say as much in 24 bytes.
//! 5. A bucket that newcomers share has no log: it knows how many there are, and takes all of them for as new as the last
//!    ([`State`]). So it lets through no more than a log, and at times less.
//!
//! All times are microseconds of a clock that never runs backwards.

use std::time::Duration;

use super::meter::State;
use super::window::micros;

/// Units that a log has room for.
pub(crate) const MOST: usize = 64;

/// When each unit ends, the first of them first. Zero is none.
pub(crate) type Units = [u64; MOST];

/// How long a window is, and how many it lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    length: u64,
    quota: u32,
}

impl Log {
    /// At most `quota` in any `length`; never more than [`MOST`], which the generator has seen to.
    pub(crate) fn new(quota: u32, length: Duration) -> Self {
        Self { length: micros(length), quota: quota.min(MOST as u32) }
    }

    /// Its length and its quota.
    pub(super) const fn facts(self) -> (u64, u32) {
        (self.length, self.quota)
    }

    /// How long until `cost` more pass; zero when they do now.
    pub(crate) fn wait(self, units: &Units, now: u64, cost: u32) -> u64 {
        if cost > self.quota {
            return self.length; // it never passes, and the generator has refused such a cost
        }
        // each of them takes the place of one that came a quota before it
        let ends = self.latest(units).take(cost as usize).last();
        ends.map_or(0, |ends| ends.saturating_sub(now))
    }

    /// Notes that `cost` pass, and says when the last of all ends.
    pub(crate) fn note(self, units: &mut Units, now: u64, cost: u32) -> u64 {
        // who looked at the clock before another and came to the log after it is as late as that one
        let ends = now.saturating_add(self.length).max(last(units));
        let cost = (cost as usize).min(MOST);
        units.rotate_left(cost);
        units.iter_mut().rev().take(cost).for_each(|unit| *unit = ends);
        ends
    }

    /// Takes back `cost` that were noted at `then`, and says when the last of the others ends.
    pub(crate) fn give_back(self, units: &mut Units, then: u64, now: u64, cost: u32) -> u64 {
        let ends = then.saturating_add(self.length);
        // of those that were noted as late as another the first will do: the others are the stricter for it
        let first = units.iter().position(|unit| *unit >= ends).filter(|_| ends > now);
        if let Some(first) = first {
            let cost = (cost as usize).min(MOST.saturating_sub(first));
            if let Some(until) = units.get_mut(..first.saturating_add(cost)) {
                until.rotate_right(cost);
            }
            units.iter_mut().take(cost).for_each(|unit| *unit = 0);
        }
        last(units)
    }

    /// How many units count, and when the first of them ends.
    pub(crate) fn state(self, units: &Units, now: u64) -> State {
        let mut live = self.latest(units).filter(|unit| *unit > now);
        let first = live.next();
        first.map_or_else(State::default, |first| counted(first, live.count().saturating_add(1)))
    }

    /// What [`Self::state`] is after `cost` more, of one that lets them through.
    pub(crate) fn after(self, state: State, now: u64, cost: u32) -> State {
        match self.used(state, now) {
            0 => State::with_pair(now.saturating_add(self.length), cost, 0),
            used => State::with_pair(state.fresh_at, used.saturating_add(cost), 0),
        }
    }

    /// The log of one who comes from a shared bucket.
    pub(crate) fn units(self, state: State, now: u64) -> Units {
        let mut units = [0; MOST];
        let used = self.used(state, now) as usize;
        units.iter_mut().rev().take(used).for_each(|unit| *unit = state.fresh_at);
        units
    }

    /// The state of a shared bucket after `cost` more, else how long until they pass.
    pub(crate) fn spend(self, state: State, now: u64, cost: u32) -> Result<State, u64> {
        let used = self.used(state, now).saturating_add(cost);
        match used {
            _ if cost > self.quota => Err(self.length),
            _ if used > self.quota => Err(state.fresh_at.saturating_sub(now)),
            _ => Ok(State::with_pair(now.saturating_add(self.length).max(state.fresh_at), used, 0)),
        }
    }

    /// How many would pass at once.
    pub(crate) fn remaining(self, state: State, now: u64) -> u32 {
        self.quota.saturating_sub(self.used(state, now))
    }

    /// How long until one more would; zero when none is missing.
    pub(crate) fn until_next(self, state: State, now: u64) -> u64 {
        state.fresh_at.saturating_sub(now)
    }

    fn used(self, state: State, now: u64) -> u32 {
        if state.fresh_at > now { state.pair().0 } else { 0 }
    }

    /// The units of a quota: those that came last.
    fn latest(self, units: &Units) -> impl Iterator<Item = u64> {
        units.iter().skip(MOST.saturating_sub(self.quota as usize)).copied()
    }
}

fn last(units: &Units) -> u64 {
    units.last().copied().unwrap_or(0)
}

fn counted(first: u64, count: usize) -> State {
    State::with_pair(first, u32::try_from(count).unwrap_or(u32::MAX), 0)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::super::dice::Dice;
    use super::*;

    const SECOND: u64 = 1_000_000;
    const MINUTE: Duration = Duration::from_secs(60);

    /// A log, and what a list of all that passed would say.
    struct Twins {
        log: Log,
        units: Units,
        list: VecDeque<u64>,
        passed: Vec<(u64, u32)>,
        refused: u32,
    }

    impl Twins {
        fn new(quota: u32, length: Duration) -> Self {
            let log = Log::new(quota, length);
            Self { log, units: [0; MOST], list: VecDeque::new(), passed: Vec::new(), refused: 0 }
        }

        fn spend(&mut self, now: u64, cost: u32) -> bool {
            self.list.retain(|at| at + self.log.length > now);
            let fits = self.list.len() + cost as usize <= self.log.quota as usize;
            let wait = self.log.wait(&self.units, now, cost);
            assert_eq!(wait == 0, fits, "{cost} at {now}: {wait}");
            let state = self.log.state(&self.units, now);
            assert_eq!(self.log.remaining(state, now), self.log.quota - self.list.len() as u32);
            let first = self.list.front().map_or(0, |at| at + self.log.length - now);
            assert_eq!(self.log.until_next(state, now), first);
            if fits {
                self.log.note(&mut self.units, now, cost);
                assert_eq!(self.log.state(&self.units, now), self.log.after(state, now, cost));
                (0..cost).for_each(|_| self.list.push_back(now));
                self.passed.push((now, cost));
            } else {
                self.refused += 1;
                assert!(self.log.wait(&self.units, now + wait - 1, cost) > 0, "{wait} is too long");
                assert_eq!(self.log.wait(&self.units, now + wait, cost), 0, "{wait} is too short");
            }
            fits
        }

        fn give_back(&mut self, at: usize, now: u64) {
            let (then, cost) = self.passed.swap_remove(at);
            self.log.give_back(&mut self.units, then, now, cost);
            for _ in 0..cost {
                if let Some(place) = self.list.iter().position(|at| *at == then) {
                    self.list.remove(place);
                }
            }
        }
    }

    const QUOTAS: [(u64, u32, u64); 6] =
        [(1, 1, 5), (2, 5, 60), (3, 7, 13), (4, 10, 1), (5, 63, 60), (6, 64, 60)];

    /// Bursts, an even flow and gaps, of what costs one and more.
    fn step(dice: &mut Dice, quota: u32, length: u64) -> u64 {
        match dice.below(8 * u64::from(quota)) {
            0 => dice.below(3 * length),
            1 => length - 1,
            2 => length,
            _ => dice.below(1 + length / u64::from(4 * quota)),
        }
    }

    #[test]
    fn whenever_a_window_begins_no_more_than_the_quota_come_in_it() {
        for (seed, quota, seconds) in QUOTAS {
            let (mut dice, mut now) = (Dice(seed), SECOND);
            let mut twins = Twins::new(quota, Duration::from_secs(seconds));
            let length = twins.log.length;
            for _ in 0..6_000 {
                now += step(&mut dice, quota, length);
                let cost = u32::try_from(1 + dice.below(u64::from(quota.min(3)))).unwrap();
                twins.spend(now, cost);
            }
            assert!(
                twins.refused > 500,
                "the trace must meet the limit, or it says nothing: {}",
                twins.refused
            );
            for (first, (start, _)) in twins.passed.iter().enumerate() {
                let within = twins.passed[first..].iter().take_while(|(at, _)| at - start < length);
                let count: u32 = within.map(|(_, cost)| cost).sum();
                assert!(count <= quota, "{count} of {quota} in a window that begins at {start}");
            }
        }
    }

    #[test]
    fn what_is_given_back_was_never_noted() {
        for (seed, quota, seconds) in QUOTAS {
            let (mut dice, mut now, mut given) = (Dice(seed), SECOND, 0);
            let mut twins = Twins::new(quota, Duration::from_secs(seconds));
            for _ in 0..6_000 {
                now += step(&mut dice, quota, twins.log.length);
                twins.spend(now, u32::try_from(1 + dice.below(u64::from(quota.min(3)))).unwrap());
                if dice.below(4) == 0 && !twins.passed.is_empty() {
                    let recent = twins.passed.len().min(2 * quota as usize) as u64;
                    let back = usize::try_from(1 + dice.below(recent)).unwrap();
                    twins.give_back(twins.passed.len() - back, now);
                    given += 1;
                }
            }
            assert!(given > 500 && twins.refused > 100, "{given} given, {} refused", twins.refused);
        }
    }

    /// And lets as many through again when it rests.
    #[test]
    fn a_shared_bucket_lets_through_no_more_than_a_log() {
        for (seed, quota, seconds) in QUOTAS {
            let log = Log::new(quota, Duration::from_secs(seconds));
            let (mut dice, mut now, mut state, mut units) = (Dice(seed), SECOND, State::default(), [0; MOST]);
            let (mut passed, mut refused) = (0, 0);
            for _ in 0..6_000 {
                now += step(&mut dice, quota, log.length);
                match log.spend(state, now, 1) {
                    Ok(next) => {
                        assert_eq!(log.wait(&units, now, 1), 0, "a log refuses it");
                        log.note(&mut units, now, 1);
                        (state, passed) = (next, passed + 1);
                        // who gets a place of their own now has no more
                        let own = log.state(&log.units(state, now), now);
                        assert!(log.remaining(own, now) <= log.remaining(log.state(&units, now), now));
                    }
                    Err(wait) => {
                        refused += 1;
                        assert!(log.spend(state, now + wait - 1, 1).is_err());
                        assert!(log.spend(state, now + wait, 1).is_ok());
                    }
                }
            }
            assert!(passed > 200 && refused > 200, "{passed} passed, {refused} refused");
        }
    }

    #[test]
    fn a_late_look_at_the_clock_and_extremes_do_no_harm() {
        let log = Log::new(2, MINUTE);
        let mut units = [0; MOST];
        log.note(&mut units, 61 * SECOND, 1);
        let ends = log.note(&mut units, 59 * SECOND, 1);
        assert_eq!(ends, 121 * SECOND, "it is as late as the one before");
        assert_eq!(log.wait(&units, 120 * SECOND, 1), SECOND);
        log.give_back(&mut units, 59 * SECOND, 62 * SECOND, 1);
        assert_eq!(log.remaining(log.state(&units, 62 * SECOND), 62 * SECOND), 1, "one of them is left");
        assert_eq!(log.wait(&[0; MOST], 0, 3), 60 * SECOND, "more than the quota never pass");
        assert!(log.spend(State::default(), 0, 3).is_err());
        let never = State::never();
        assert!(log.spend(never, SECOND, 1).is_err());
        assert!(Log::new(0, MINUTE).wait(&[0; MOST], SECOND, 1) > 0);
        assert_eq!(Log::new(u32::MAX, MINUTE).remaining(State::default(), 0), 64, "it has room for no more");
        let ever = Log::new(64, Duration::MAX);
        let mut units = [0; MOST];
        assert_eq!(ever.note(&mut units, u64::MAX, u32::MAX), u64::MAX, "saturated, and no overflow");
    }

    /// A limit that was changed since, as a process before this one has kept it.
    #[test]
    fn a_log_of_another_quota_counts_those_that_came_last() {
        let (few, many) = (Log::new(2, MINUTE), Log::new(5, MINUTE));
        let mut units = [0; MOST];
        (1..=5).for_each(|at| _ = many.note(&mut units, at * SECOND, 1));
        let now = 6 * SECOND;
        assert_eq!(few.remaining(few.state(&units, now), now), 0);
        assert_eq!(few.wait(&units, now, 1), 58 * SECOND, "the fourth ends then, and only the fifth is left");
        let now = 64 * SECOND;
        few.note(&mut units, now, 1);
        assert_eq!(many.remaining(many.state(&units, now), now), 3);
    }
}
