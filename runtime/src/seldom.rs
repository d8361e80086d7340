//! What is told again and again, and mostly need not be.

use std::time::Duration;

use tokio::time::Instant;

const SELDOM: Duration = Duration::from_secs(10);

/// Lets one through, and the next when that is ten seconds ago.
#[derive(Default)]
pub(crate) struct Seldom(Option<Instant>);

impl Seldom {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    pub(crate) fn lets(&mut self, now: Instant) -> bool {
        let due = self.0.is_none_or(|last| now.duration_since(last) >= SELDOM);
        if due {
            self.0 = Some(now);
        }
        due
    }
}
