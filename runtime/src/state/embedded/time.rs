//! The time by which the records of a file end. It is the wall clock's when the file is first used, for records outlast the
//! process; from then on what went by, by the clock that nobody sets. A wall clock that is set ahead while the file is open ends
//! nothing.

use std::{sync::OnceLock, time::Duration};

use crate::{clock::Clock, state::StateError};

/// Since 1970.
pub(super) type Millis = u64;

pub(super) struct Time {
    clock: Clock,
    /// Since 1970, when the monotonic time began.
    began: OnceLock<Duration>,
}

impl Time {
    pub(super) const fn of(clock: Clock) -> Self {
        Self { clock, began: OnceLock::new() }
    }

    /// The time now, of a file that was last written at `latest`.
    ///
    /// # Errors
    /// When that is yet to come: the clock was set back, and nobody knows which records ended.
    pub(super) fn now(&self, latest: Option<Millis>) -> Result<Millis, StateError> {
        let now = self.clock.now().map_err(|_| StateError::Clock)?;
        let began = match self.began.get() {
            Some(began) => *began,
            None if latest.is_some_and(|latest| millis(now.wall()) < latest) => {
                return Err(StateError::Clock);
            }
            None => *self.began.get_or_init(|| now.wall().saturating_sub(now.monotonic())),
        };
        Ok(millis(began.saturating_add(now.monotonic())))
    }
}

fn millis(time: Duration) -> Millis {
    u64::try_from(time.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000;
    const LATEST: Option<Millis> = Some(NOON * 1000);

    #[test]
    fn it_begins_with_the_wall_clock_and_goes_on_by_itself() {
        let clock = Clock::fixed(NOON);
        let time = Time::of(clock.clone());
        assert_eq!(time.now(LATEST).unwrap(), NOON * 1000);
        clock.set(NOON + 90_000);
        clock.advance(Duration::from_millis(7));
        assert_eq!(time.now(LATEST).unwrap(), NOON * 1000 + 7, "a wall clock that is set ahead");
        let next = Time::of(clock);
        assert_eq!(
            next.now(LATEST).unwrap(),
            (NOON + 90_000) * 1000 + 7,
            "whoever opens it then cannot know"
        );
    }

    #[test]
    fn it_does_not_begin_before_the_file_was_last_written() {
        let clock = Clock::fixed(NOON - 1);
        let time = Time::of(clock.clone());
        assert!(matches!(time.now(LATEST), Err(StateError::Clock)));
        clock.set(NOON);
        assert_eq!(time.now(LATEST).unwrap(), NOON * 1000);
        clock.set(NOON - 1);
        assert_eq!(time.now(LATEST).unwrap(), NOON * 1000, "it began, and was set back since");
    }
}
