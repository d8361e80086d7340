//! The time, injected: the system's clock in a server, one that stands still in tests.
//!
//! Nothing that expires can be judged by a clock that says it is before 2020, which was never set, or by one that was set back:
//! what has ended by it, and is remembered by nobody any more, would be good again. So both are error values, and the request
//! is refused.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// 2020-01-01T00:00:00Z. No build of this crate has run before that.
const EARLIEST: Duration = Duration::from_secs(1_577_836_800);

/// By so much a clock may be mended.
const MENDED: Duration = Duration::from_secs(60);

/// Where the time comes from.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// The latest time that it or one of its clones said, in seconds.
    latest: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Source {
    System { started: Instant },
    Fixed(Arc<Hands>),
}

/// The hands of a fixed clock, moved by [`Clock::advance`] and [`Clock::set`].
#[derive(Debug)]
struct Hands {
    wall: AtomicU64,
    monotonic: AtomicU64,
}

/// One reading of a [`Clock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    wall: Duration,
    monotonic: Duration,
}

/// The clock cannot be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockError {
    /// It says a time before 2020: it was never set.
    NotSet,
    /// It says a time that is more than a minute before one that it said: it was set back. It can be relied on again when it
    /// is less than that, or by another process.
    SetBack,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Source::System { started: Instant::now() })
    }

    /// A clock that stands at `unix_seconds` until it is moved. Its clones move with it.
    #[must_use]
    pub fn fixed(unix_seconds: u64) -> Self {
        Self::of(Source::Fixed(Arc::new(Hands {
            wall: AtomicU64::new(nanos(Duration::from_secs(unix_seconds))),
            monotonic: AtomicU64::new(0),
        })))
    }

    fn of(source: Source) -> Self {
        Self { source, latest: Arc::default() }
    }

    /// Moves a fixed clock forward; does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(hands) = &self.source {
            hands.wall.fetch_add(nanos(by), Ordering::SeqCst);
            hands.monotonic.fetch_add(nanos(by), Ordering::SeqCst);
        }
    }

    /// Sets the wall time of a fixed clock and leaves its monotonic time, as an operator does to a real one.
    pub fn set(&self, unix_seconds: u64) {
        if let Source::Fixed(hands) = &self.source {
            hands.wall.store(nanos(Duration::from_secs(unix_seconds)), Ordering::SeqCst);
        }
    }

    /// Reads the clock.
    ///
    /// # Errors
    /// When it says a time before 2020, or was set back by more than a minute.
    pub fn now(&self) -> Result<Now, ClockError> {
        let wall = match &self.source {
            Source::System { .. } => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| ClockError::NotSet)?
            }
            Source::Fixed(hands) => Duration::from_nanos(hands.wall.load(Ordering::SeqCst)),
        };
        if wall < EARLIEST {
            return Err(ClockError::NotSet);
        }
        let (seconds, latest) = (wall.as_secs(), self.latest.load(Ordering::Relaxed));
        if seconds.saturating_add(MENDED.as_secs()) < latest {
            return Err(ClockError::SetBack);
        }
        if seconds > latest {
            self.latest.fetch_max(seconds, Ordering::Relaxed); // once a second, for all who ask share it
        }
        Ok(Now { wall, monotonic: self.monotonic() })
    }

    /// [`Now::monotonic`] alone, which can always be relied on and is read in half the time.
    pub(crate) fn monotonic(&self) -> Duration {
        match &self.source {
            Source::System { started } => started.elapsed(),
            Source::Fixed(hands) => Duration::from_nanos(hands.monotonic.load(Ordering::SeqCst)),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl Now {
    /// The start of 2020: no clock that can be relied on is before it.
    pub(crate) const EARLIEST: Self = Self { wall: EARLIEST, monotonic: Duration::ZERO };

    /// A reading of any time, for examples of standards that are older than any clock that can be relied on.
    #[cfg(test)]
    pub(crate) const fn at(wall: Duration) -> Self {
        Self { wall, monotonic: Duration::ZERO }
    }

    /// Whole seconds since 1970, as tokens and records count them.
    #[must_use]
    pub const fn unix(self) -> u64 {
        self.wall.as_secs()
    }

    /// Time since 1970.
    #[must_use]
    pub const fn wall(self) -> Duration {
        self.wall
    }

    /// Time since the clock was made; it never goes back.
    #[must_use]
    pub const fn monotonic(self) -> Duration {
        self.monotonic
    }
}

impl std::fmt::Display for ClockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotSet => "the clock says a time before 2020: it was never set",
            Self::SetBack => "the clock was set back by more than a minute",
        })
    }
}

impl std::error::Error for ClockError {}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_2020_is_an_error_and_one_after_is_not() {
        assert_eq!(Clock::fixed(EARLIEST.as_secs() - 1).now(), Err(ClockError::NotSet));
        assert_eq!(Clock::fixed(EARLIEST.as_secs()).now().unwrap().unix(), EARLIEST.as_secs());
        assert!(Clock::system().now().unwrap().wall() > EARLIEST);
    }

    #[test]
    fn a_clock_that_was_set_back_is_an_error_until_its_time_has_come() {
        let clock = Clock::fixed(1_800_000_000);
        clock.now().unwrap();
        clock.set(1_799_999_940);
        assert_eq!(clock.now().unwrap().unix(), 1_799_999_940, "a minute is mended");
        clock.set(1_799_999_939);
        assert_eq!(clock.now(), Err(ClockError::SetBack));
        assert_eq!(clock.clone().now(), Err(ClockError::SetBack), "whoever asks");
        clock.advance(Duration::from_secs(1));
        assert!(clock.now().is_ok());
        clock.set(1_900_000_000);
        assert!(clock.now().is_ok(), "forward it may go");
        clock.set(1_800_000_000);
        assert_eq!(clock.now(), Err(ClockError::SetBack));
        assert!(Clock::fixed(1_800_000_000).now().is_ok(), "another process knows of none");
    }

    #[test]
    fn clones_of_a_fixed_clock_move_together_and_setting_back_leaves_monotonic_time() {
        let clock = Clock::fixed(1_800_000_000);
        let other = clock.clone();
        clock.advance(Duration::from_millis(1500));
        let now = other.now().unwrap();
        assert_eq!((now.unix(), now.monotonic()), (1_800_000_001, Duration::from_millis(1500)));
        clock.set(1_799_999_990);
        assert_eq!(other.now().unwrap().unix(), 1_799_999_990);
        assert_eq!(other.now().unwrap().monotonic(), Duration::from_millis(1500));
    }
}
