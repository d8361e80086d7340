//! Connections that were refused, or could not be accepted, are reported together: a flood of them must not fill the log as well.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// At most this often.
const REPORT: Duration = Duration::from_secs(10);

/// Those of one kind.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Refused>);

#[derive(Debug, Default)]
struct Refused {
    count: u64,
    reported: Option<Instant>,
}

impl Tally {
    /// One more. If it is time for a report: how many they are since the last.
    pub(super) fn one(&self) -> Option<u64> {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.count = refused.count.saturating_add(1);
        let due = refused.reported.is_none_or(|last| last.elapsed() >= REPORT);
        due.then(|| {
            std::mem::replace(&mut *refused, Refused { count: 0, reported: Some(Instant::now()) }).count
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_is_reported_at_once_and_the_others_together() {
        let tally = Tally::default();
        assert_eq!([tally.one(), tally.one(), tally.one()], [Some(1), None, None]);
        tokio::time::advance(REPORT - Duration::from_millis(1)).await;
        assert_eq!(tally.one(), None);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!([tally.one(), tally.one()], [Some(4), None], "none is lost");
    }
}
