//! Revocations in a [`State`]: a record for each mark, which ends after the last second that it counts.

use std::time::Duration;

use futures_util::future::try_join;

use super::{DenylistError, DenylistStore, Entry, Mark, StoreFuture};
use crate::state::{Expected, Key, Kind, Next, Record, State, StateError, Swapped};

/// How often a change is tried against others of the same mark. One of them is made each time.
const TRIES: usize = 16;

pub(super) struct Kept(pub(super) State);

impl Kept {
    async fn entry(&self, mark: Mark) -> Result<Option<Entry>, DenylistError> {
        self.0.get(key(mark)).await?.map(|record| read(&record)).transpose()
    }

    async fn merge(&self, mark: Mark, new: Entry, now: u64) -> Result<(), DenylistError> {
        let (mut expected, mut entry) = (Expected::Nothing, new);
        for _ in 0..TRIES {
            let found = match self.0.swap(key(mark), expected, next(entry, now)).await? {
                Swapped::Made(_) => return Ok(()),
                Swapped::Not(found) => found,
            };
            let Some(record) = found else {
                (expected, entry) = (Expected::Nothing, new);
                continue;
            };
            let known = read(&record)?;
            entry = Entry {
                issued_until: known.issued_until.max(new.issued_until),
                keep_until: known.keep_until.max(new.keep_until),
            };
            if entry == known {
                return Ok(());
            }
            expected = Expected::Version(record.version);
        }
        Err(DenylistError::Store("others change the same entry all the time".into()))
    }
}

impl DenylistStore for Kept {
    fn put(&self, mark: Mark, entry: Entry, now: u64) -> StoreFuture<'_, (), DenylistError> {
        Box::pin(self.merge(mark, entry, now))
    }

    fn get(&self, [one, other]: [Mark; 2], _: u64) -> StoreFuture<'_, [Option<Entry>; 2], DenylistError> {
        Box::pin(async move { Ok(try_join(self.entry(one), self.entry(other)).await?.into()) })
    }
}

fn key(mark: Mark) -> Key {
    Key::new(Kind::Revocation, &[mark.as_bytes()])
}

/// Both times, big-endian, until the last second is over.
fn next(entry: Entry, now: u64) -> Next {
    let value = [entry.issued_until.to_be_bytes(), entry.keep_until.to_be_bytes()].concat();
    let seconds = entry.keep_until.saturating_sub(now).saturating_add(1);
    Next::Record { value, keep: Duration::from_secs(seconds) }
}

fn read(record: &Record) -> Result<Entry, DenylistError> {
    match record.value.as_chunks() {
        ([issued, keep], []) => {
            Ok(Entry { issued_until: u64::from_be_bytes(*issued), keep_until: u64::from_be_bytes(*keep) })
        }
        _ => Err(DenylistError::Store("the record is no entry".into())),
    }
}

impl From<StateError> for DenylistError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Full => Self::Full,
            StateError::Clock => Self::Clock,
            error => Self::Store(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Denylist, Reason};
    use super::*;
    use crate::authn::principal::tests::token;
    use crate::breaker::LeftAlone;
    use crate::clock::Clock;
    use crate::state::Engine;

    const NOW: u64 = 1_800_000_000;

    fn ends(issued_until: u64, keep_until: u64) -> Entry {
        Entry { issued_until, keep_until }
    }

    #[tokio::test]
    async fn the_later_of_both_times_counts_each() {
        let kept = Kept(State::memory());
        let (one, other) = (Mark([1; 32]), Mark([2; 32]));
        kept.put(one, ends(5, NOW + 10), NOW).await.unwrap();
        kept.put(one, ends(3, NOW + 20), NOW).await.unwrap();
        kept.put(one, ends(4, NOW + 15), NOW).await.unwrap();
        assert_eq!(kept.get([one, other], NOW).await.unwrap(), [Some(ends(5, NOW + 20)), None]);
    }

    #[tokio::test]
    async fn an_entry_stays_for_its_last_second_and_no_longer() {
        let clock = Clock::fixed(NOW);
        let kept = Kept(State::memory_of(1, clock.clone()));
        let (one, other) = (Mark([1; 32]), Mark([2; 32]));
        kept.put(one, ends(1, NOW + 10), NOW).await.unwrap();
        clock.advance(Duration::from_millis(10_999));
        assert!(kept.get([one, other], NOW + 10).await.unwrap()[0].is_some());
        assert!(matches!(kept.put(other, ends(1, NOW + 90), NOW + 10).await, Err(DenylistError::Full)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(kept.get([one, other], NOW + 11).await.unwrap(), [None, None]);
        kept.put(other, ends(1, NOW + 90), NOW + 11).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_who_revoke_at_once_lose_nothing() {
        let kept = Arc::new(Kept(State::memory()));
        let mark = Mark([1; 32]);
        let many = TRIES as u64;
        let puts = (0..many).map(|n| {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move { kept.put(mark, ends(n, NOW + 100 - n), NOW).await })
        });
        for put in puts.collect::<Vec<_>>() {
            put.await.unwrap().unwrap();
        }
        assert_eq!(kept.get([mark, mark], NOW).await.unwrap(), [Some(ends(many - 1, NOW + 100)); 2]);
    }

    /// A state that failed.
    struct Rests;

    impl Rests {
        fn fails<T>() -> StoreFuture<'static, T, StateError> {
            Box::pin(async { Err(StateError::Engine(LeftAlone(Duration::from_millis(1_400)).into())) })
        }
    }

    impl Engine for Rests {
        fn get(&self, _: Key) -> StoreFuture<'_, Option<Record>, StateError> {
            Self::fails()
        }

        fn swap(&self, _: Key, _: Expected, _: Next) -> StoreFuture<'_, Swapped, StateError> {
            Self::fails()
        }
    }

    #[tokio::test]
    async fn a_list_whose_state_is_left_alone_says_for_how_long() {
        let alice = token("https://a", "alice", Some("1"), Some(NOW), Some(NOW + 600));
        let now = Clock::fixed(NOW).now().unwrap();
        let checked = Denylist::kept_in(State::new(Rests)).check(&alice, now).await;
        assert_eq!(checked, Err(Reason::RevocationLeftAlone(2)));
    }

    #[tokio::test]
    async fn lists_over_one_state_are_one_list() {
        let state = State::memory();
        let list = || Denylist::kept_in(state.clone()).clock(Clock::fixed(NOW));
        let now = Clock::fixed(NOW).now().unwrap();
        let alice = token("https://a", "alice", Some("1"), Some(NOW), Some(NOW + 600));
        let bob = token("https://a", "bob", Some("2"), Some(NOW), Some(NOW + 600));
        list().revoke(&alice).await.unwrap();
        assert_eq!(list().check(&alice, now).await, Err(Reason::Revoked));
        assert_eq!(list().check(&bob, now).await, Ok(()));
        list().revoke_all(bob.identity()).await.unwrap();
        assert_eq!(list().check(&bob, now).await, Err(Reason::Revoked));
    }

    #[cfg(feature = "redb")]
    #[tokio::test]
    async fn a_revocation_outlasts_the_process_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(NOW);
        let list = || {
            let state = State::open_of(folder.path().join("state"), 10, clock.clone()).unwrap();
            Denylist::kept_in(state).clock(clock.clone())
        };
        let alice = token("https://a", "alice", Some("1"), Some(NOW), Some(NOW + 600));
        let other = token("https://a", "alice", Some("2"), Some(NOW), Some(NOW + 600));
        list().revoke(&alice).await.unwrap();
        let now = clock.now().unwrap();
        assert_eq!(list().check(&alice, now).await, Err(Reason::Revoked));
        assert_eq!(list().check(&other, now).await, Ok(()));
        clock.set(NOW - 100);
        assert_eq!(
            list().check(&other, now).await,
            Err(Reason::RevocationUnknown),
            "nobody knows what ended"
        );
    }
}
