//! The engine in memory: records by their key, and the keys in the order in which their records end.
//!
//! A look that is not to tell whether there is a record looks at others as well, whether or not there is one, and where there is none it
//! copies of them: which ones, only the key says.

use std::{
    collections::BTreeSet,
    hint::black_box,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indexmap::IndexMap;

use super::room::{Held, Room, cost};
use super::{ALIKE, Engine, Expected, Key, Next, Record, StateError, Swapped};
use crate::authn::StoreFuture;
use crate::clock::Clock;

/// Of a record, in bytes.
const AVERAGE: u64 = 2_560;
/// How many records are looked at for one to be read in the place of another.
const OTHERS: usize = 4;

pub(super) struct Memory {
    room: Room,
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    records: IndexMap<Key, Stored>,
    /// When each ends: the same keys.
    ends: BTreeSet<(Duration, Key)>,
    /// Of the whole engine, so that a key that comes back does not begin anew.
    versions: u64,
    /// What the records cost.
    bytes: u64,
}

/// A record with its end.
struct Stored {
    value: Vec<u8>,
    version: u64,
    end: Duration,
}

impl Stored {
    fn shown(&self, now: Duration) -> Record {
        Record { value: self.value.clone(), version: self.version, left: self.end.saturating_sub(now) }
    }

    /// As long as the records that are asked for, whatever it is.
    fn in_part(&self, now: Duration) -> Record {
        let mut value = Vec::with_capacity(ALIKE);
        value.extend_from_slice(self.value.get(..ALIKE).unwrap_or(&self.value));
        value.resize(ALIKE, 0);
        Record { value, version: self.version, left: self.end.saturating_sub(now) }
    }
}

impl Memory {
    pub(super) fn new(records: usize, clock: Clock) -> Self {
        Self { room: Room::of(records, AVERAGE), clock, kept: Mutex::default() }
    }

    /// The records that have not ended, and the time. By a clock that nobody sets: it would end them all.
    fn now<T>(&self, act: impl FnOnce(&mut Kept, Duration) -> T) -> T {
        let now = self.clock.monotonic();
        // it is changed whole or not at all
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget_ended(now);
        act(&mut kept, now)
    }
}

impl Engine for Memory {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        let found = self.now(|kept, now| kept.records.get(&key).map(|found| found.shown(now)));
        Box::pin(std::future::ready(Ok(found)))
    }

    fn get_alike(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        let found = self.now(|kept, now| {
            let other = black_box(kept.another(key));
            match kept.records.get(&key) {
                Some(found) => Some(found.shown(now)),
                None => {
                    black_box(other.map(|other| other.in_part(now)));
                    None
                }
            }
        });
        Box::pin(std::future::ready(Ok(found)))
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        let swapped = self.now(|kept, now| kept.swap(key, expected, next, now, self.room));
        Box::pin(std::future::ready(swapped))
    }
}

impl Kept {
    fn swap(
        &mut self,
        key: Key,
        expected: Expected,
        next: Next,
        now: Duration,
        room: Room,
    ) -> Result<Swapped, StateError> {
        let found = self.records.get(&key);
        let same = match (expected, found) {
            (Expected::Nothing, None) => true,
            (Expected::Version(version), Some(found)) => found.version == version,
            _ => false,
        };
        if !same {
            return Ok(Swapped::Not(found.map(|found| found.shown(now))));
        }
        let before = found.map(|found| (found.version, found.value.len(), found.end));
        let Next::Record { value, keep } = next else {
            let (version, _, end) = before.unwrap_or_default();
            self.remove(end, key);
            return Ok(Swapped::Made(version));
        };
        let held = Held { records: self.records.len(), bytes: self.bytes };
        if !room.of_key(key).takes(held, before.map(|(_, length, _)| length), value.len()) {
            return Err(StateError::Full);
        }
        if let Some((_, _, end)) = before {
            self.remove(end, key);
        }
        self.versions += 1;
        let (version, end) = (self.versions, now.saturating_add(keep));
        self.bytes = self.bytes.saturating_add(cost(value.len()));
        self.records.insert(key, Stored { value, version, end });
        self.ends.insert((end, key));
        Ok(Swapped::Made(version))
    }

    fn remove(&mut self, end: Duration, key: Key) {
        self.ends.remove(&(end, key));
        if let Some(removed) = self.records.swap_remove(&key) {
            self.bytes = self.bytes.saturating_sub(cost(removed.value.len()));
        }
    }

    /// A record for a key that has none: of some, the longest, for what is kept beside the records that are asked for is short.
    fn another(&self, key: Key) -> Option<&Stored> {
        let (numbers, _) = key.as_bytes().as_chunks();
        // each of them as often as any other, without a division
        let at =
            |number: &[u8; 4]| (u64::from(u32::from_be_bytes(*number)) * self.records.len() as u64) >> 32;
        let others =
            numbers.iter().take(OTHERS).filter_map(|number| self.records.get_index(at(number) as usize));
        others.map(|(_, other)| other).max_by_key(|other| other.value.len().min(ALIKE))
    }

    fn forget_ended(&mut self, now: Duration) {
        while let Some((end, key)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            self.remove(end, key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::flood::{LITTLE, grows_by};
    use crate::state::{Kind, State};

    fn key(name: &str) -> Key {
        Key::new(Kind::Application, &[name.as_bytes()])
    }

    fn record(value: &str, seconds: u64) -> Next {
        Next::Record { value: value.into(), keep: Duration::from_secs(seconds) }
    }

    /// Where half of what is kept is short, hardly a look falls upon it.
    #[test]
    fn what_is_read_for_a_key_that_has_no_record_is_mostly_as_long_as_one() {
        let now = Duration::from_secs(1);
        let mut kept = Kept::default();
        let put = |kept: &mut Kept, number: usize| {
            let value = vec![b'x'; if number.is_multiple_of(2) { ALIKE } else { 0 }];
            let next = Next::Record { value, keep: Duration::from_secs(60) };
            let room = Room::of(1000, AVERAGE);
            kept.swap(key(&number.to_string()), Expected::Nothing, next, now, room).unwrap();
        };
        let looks = |kept: &Kept| -> Vec<_> {
            (1000..2000)
                .map(|number| kept.another(key(&number.to_string())).map(|it| it.value.len()))
                .collect()
        };
        assert!(looks(&kept).iter().all(Option::is_none));
        put(&mut kept, 0);
        assert!(looks(&kept).iter().all(|found| *found == Some(ALIKE)));
        (1..200).for_each(|number| put(&mut kept, number));
        let long = looks(&kept).iter().filter(|found| **found == Some(ALIKE)).count();
        assert!((880..980).contains(&long), "{long} of 1000");
    }

    #[tokio::test]
    async fn one_of_two_wins_and_versions_only_grow() {
        let state = State::memory_of(10, Clock::fixed(1_800_000_000));
        let Swapped::Made(first) = state.swap(key("a"), Expected::Nothing, record("1", 60)).await.unwrap()
        else {
            panic!("there was nothing")
        };
        let lost = state.swap(key("a"), Expected::Nothing, record("2", 60)).await.unwrap();
        let left = Duration::from_secs(60);
        assert_eq!(lost, Swapped::Not(Some(Record { value: b"1".to_vec(), version: first, left })));
        let removed = state.swap(key("a"), Expected::Version(first), Next::Nothing).await.unwrap();
        assert_eq!(removed, Swapped::Made(first));
        assert_eq!(state.get(key("a")).await.unwrap(), None);
        let Swapped::Made(again) = state.swap(key("a"), Expected::Nothing, record("3", 60)).await.unwrap()
        else {
            panic!("it was removed")
        };
        assert!(again > first);
        let late = state.swap(key("a"), Expected::Version(first), record("4", 60)).await.unwrap();
        assert_eq!(late, Swapped::Not(Some(Record { value: b"3".to_vec(), version: again, left })));
    }

    #[tokio::test]
    async fn records_end_with_their_time_and_leave_their_room() {
        let clock = Clock::fixed(1_800_000_000);
        let state = State::memory_of(1, clock.clone());
        state.swap(key("a"), Expected::Nothing, record("1", 10)).await.unwrap();
        assert!(matches!(
            state.swap(key("b"), Expected::Nothing, record("1", 10)).await,
            Err(StateError::Full)
        ));
        clock.set(1_900_000_000);
        assert!(state.get(key("a")).await.unwrap().is_some(), "the wall clock was set, no time went by");
        clock.advance(Duration::from_secs(10));
        assert_eq!(state.get(key("a")).await.unwrap(), None);
        assert!(matches!(
            state.swap(key("b"), Expected::Nothing, record("1", 10)).await,
            Ok(Swapped::Made(_))
        ));
    }

    /// As many calls would claim keys and be answered: while those before them end, and while none does.
    #[test]
    fn a_flood_of_claims_takes_no_more_memory() {
        for pause in [Duration::from_millis(10), Duration::ZERO] {
            let clock = Clock::fixed(1_800_000_000);
            let state = Memory::new(1000, clock.clone());
            let swap = |key, expected, next| state.swap(key, expected, next).now_or_never().unwrap();
            let mut kept = 0;
            let grown = grows_by(100_000, |number| {
                clock.advance(pause);
                let key = key(&number.to_string());
                if let Ok(Swapped::Made(version)) = swap(key, Expected::Nothing, record("claimed", 60)) {
                    let answered = swap(key, Expected::Version(version), record(&"answered".repeat(8), 5));
                    kept += u32::from(answered.is_ok());
                }
            });
            assert!(kept >= 1000 && grown < LITTLE, "{grown} bytes, {kept} kept");
        }
    }

    #[test]
    fn keys_of_other_kinds_and_other_parts_differ() {
        let names = [
            Key::new(Kind::Application, &[b"ab", b"c"]),
            Key::new(Kind::Application, &[b"a", b"bc"]),
            Key::new(Kind::Application, &[b"abc"]),
            Key::new(Kind::Proof, &[b"abc"]),
        ];
        assert_eq!(std::collections::HashSet::from(names).len(), names.len());
    }
}
