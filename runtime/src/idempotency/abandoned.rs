//! Claims of calls whose handler did not run and will not: their keys are free again as soon as the state can be asked.
//!
//! A change that a state did not confirm in time may be made all the same, and later. Left alone, such a claim holds its key
//! until it ends, and then nobody knows what became of a call that never ran.
//!
//! Rules:
//! 1. the state is asked at once, and then after pauses that double, from a quarter of a second to half a minute, for ten
//!    minutes: until the claim was taken back, or was twice not there;
//! 2. a claim is taken back only as it was made, by its owner or its version: whoever claimed the key since keeps it;
//! 3. a server follows a thousand at once. What is beyond is *unknown* when it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::KeptAnswers;
use super::decide::{Entry, Owner, Stage};
use crate::state::{Expected, Key, Next};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(600);
const AT_ONCE: usize = 1_000;

/// Those that are followed. Clones are the same.
#[derive(Clone)]
pub(super) struct Followed(Arc<Semaphore>);

impl Default for Followed {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// A claim that is to be taken back.
pub(super) struct Abandoned {
    pub(super) answers: KeptAnswers,
    pub(super) key: Key,
    pub(super) by: Mark,
}

/// By what it is known.
pub(super) enum Mark {
    /// It may have been made, or be made yet.
    Owner(Owner),
    /// It was made.
    Version(u64),
}

/// What the state says of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    TakenBack,
    NotThere,
    Unanswered,
}

impl Abandoned {
    /// Takes it back, now or later.
    pub(super) async fn settle(self) {
        let found = self.take_back().await;
        if found == Found::TakenBack {
            return;
        }
        if let Ok(place) = Arc::clone(&self.answers.followed.0).try_acquire_owned() {
            tokio::spawn(async move {
                self.follow(found).await;
                drop(place);
            });
        }
    }

    async fn follow(self, mut last: Found) {
        let end = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        while Instant::now() < end {
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            match (last, self.take_back().await) {
                (_, Found::TakenBack) | (Found::NotThere, Found::NotThere) => return,
                (_, found) => last = found,
            }
        }
    }

    async fn take_back(&self) -> Found {
        let state = &self.answers.state;
        let version = match &self.by {
            Mark::Version(version) => *version,
            Mark::Owner(owner) => match state.get(self.key).await {
                Ok(Some(record)) if self.is_of(owner, &record.value) => record.version,
                Ok(_) => return Found::NotThere,
                Err(_) => return Found::Unanswered,
            },
        };
        match state.swap(self.key, Expected::Version(version), Next::Nothing).await {
            Ok(_) => Found::TakenBack,
            Err(_) => Found::Unanswered,
        }
    }

    fn is_of(&self, owner: &Owner, value: &[u8]) -> bool {
        let plain = self.answers.keys.open(&self.key, value).ok();
        let entry = plain.and_then(|plain| Entry::read(&plain));
        entry.is_some_and(
            |entry| matches!(entry.stage, Stage::Running { owner: other, .. } if other == *owner),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::StoreFuture;
    use crate::idempotency::AnswerKeys;
    use crate::state::{Engine, Kind, Record, State, StateError, Swapped};

    /// A state that does not answer, and knows how often it was asked.
    #[derive(Clone, Default)]
    struct Away(Arc<AtomicUsize>);

    impl Engine for Away {
        fn get(&self, _: Key) -> StoreFuture<'_, Option<Record>, StateError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Err(StateError::Late) })
        }

        fn swap(&self, _: Key, _: Expected, _: Next) -> StoreFuture<'_, Swapped, StateError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Err(StateError::Late) })
        }
    }

    /// Rule 3, and rule 1: it is given up after ten minutes, and its place is another's.
    #[tokio::test(start_paused = true)]
    async fn a_thousand_are_followed_at_once() {
        let away = Away::default();
        let answers = KeptAnswers::new(State::new(away.clone()), AnswerKeys::generate().unwrap());
        let settle = async |count: u32| {
            for number in 0..count {
                let key = Key::new(Kind::Answer, &[&number.to_be_bytes()]);
                Abandoned { answers: answers.clone(), key, by: Mark::Version(1) }.settle().await;
            }
            let asked_at_once = away.0.swap(0, Ordering::SeqCst);
            sleep(FIRST_PAUSE + FIRST_PAUSE / 2).await;
            (asked_at_once, away.0.swap(0, Ordering::SeqCst))
        };
        assert_eq!(settle(1_500).await, (1_500, AT_ONCE));
        assert_eq!(settle(5).await.0, 5);
        sleep(PATIENCE + LONGEST_PAUSE).await;
        away.0.store(0, Ordering::SeqCst);
        assert_eq!(settle(5).await, (5, 5));
    }
}
