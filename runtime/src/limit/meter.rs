//! What a counter counts: a token bucket, a window or a log, behind one set of functions.

use std::time::Duration;

use super::gcra::Rate;
use super::log::Log;
use super::window::Window;
use crate::operation::{Counter, Limit};

/// What is kept of a counter. Whichever way it counts, from `fresh_at` on it says nothing that an unused one does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct State {
    /// Microseconds.
    pub(crate) fresh_at: u64,
    /// Of windows: this one's count above, the last one's below. Of logs: how many count, above.
    pub(super) counts: u64,
}

/// How a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meter {
    Bucket(Rate),
    Window(Window),
    /// Of which a state tells what is told of it; in a place of its own it has a log beside it.
    Log(Log),
}

impl State {
    /// Of a bucket: when it is full again.
    pub(crate) const fn full_at(fresh_at: u64) -> Self {
        Self { fresh_at, counts: 0 }
    }

    /// Which says that nothing may pass for as long as can be told.
    pub(crate) const fn never() -> Self {
        Self { fresh_at: u64::MAX, counts: u64::MAX }
    }

    pub(super) fn with_pair(fresh_at: u64, high: u32, low: u32) -> Self {
        Self { fresh_at, counts: (u64::from(high) << 32) | u64::from(low) }
    }

    pub(super) fn pair(self) -> (u32, u32) {
        let part = |counts: u64| u32::try_from(counts & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        (part(self.counts >> 32), part(self.counts))
    }
}

impl Default for Meter {
    /// Lets nothing through.
    fn default() -> Self {
        Self::Bucket(Rate::new(0, Duration::ZERO, 0))
    }
}

impl Meter {
    pub(crate) fn new(limit: &Limit) -> Self {
        match limit.counter {
            Counter::TokenBucket => Self::Bucket(Rate::new(limit.quota, limit.window, limit.burst)),
            Counter::SlidingWindow => Self::Window(Window::sliding(limit.quota, limit.window)),
            Counter::FixedWindow => Self::Window(Window::fixed(limit.quota, limit.window)),
            Counter::ExactLog => Self::Log(Log::new(limit.quota, limit.window)),
            // it is not metered ([`Running`](super::running::Running))
            Counter::Concurrency => Self::default(),
        }
    }

    /// When it keeps a log.
    pub(crate) const fn log(self) -> Option<Log> {
        match self {
            Self::Log(log) => Some(log),
            Self::Bucket(_) | Self::Window(_) => None,
        }
    }

    /// The state after `cost` more, else how long until they pass.
    pub(crate) fn spend(self, state: State, now: u64, cost: u32) -> Result<State, u64> {
        match self {
            Self::Bucket(rate) => rate.spend(state.fresh_at, now, cost).map(State::full_at),
            Self::Window(window) => window.spend(state, now, cost),
            Self::Log(log) => log.spend(state, now, cost),
        }
    }

    /// The state when `cost` that was spent at `then` was not.
    pub(crate) fn give_back(self, state: State, then: u64, now: u64, cost: u32) -> State {
        match self {
            Self::Bucket(rate) => State::full_at(rate.give_back(state.fresh_at, then, now, cost)),
            Self::Window(window) => window.give_back(state, then, now, cost),
            Self::Log(_) => state, // of a bucket that is shared, where nothing is given back
        }
    }

    /// How many would pass at once.
    pub(crate) fn remaining(self, state: State, now: u64) -> u32 {
        match self {
            Self::Bucket(rate) => rate.remaining(state.fresh_at, now),
            Self::Window(window) => window.remaining(state, now),
            Self::Log(log) => log.remaining(state, now),
        }
    }

    /// How long until one more would; zero when none is missing.
    pub(crate) fn until_next(self, state: State, now: u64) -> u64 {
        match self {
            Self::Bucket(rate) => rate.until_next(state.fresh_at, now),
            Self::Window(window) => window.until_next(state, now),
            Self::Log(log) => log.until_next(state, now),
        }
    }
}
