//! The engine in memory: entries by their mark, and in the order in which they may go.

use std::{
    collections::{BTreeSet, HashMap, hash_map},
    sync::{PoisonError, RwLock},
};

use super::{DenylistError, DenylistStore, Entry, Mark, StoreFuture};

pub(super) struct Memory {
    capacity: usize,
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Mark, Entry>,
    /// When each may go: the same marks.
    ends: BTreeSet<(u64, Mark)>,
}

impl Memory {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, kept: RwLock::default() }
    }
}

impl DenylistStore for Memory {
    fn put(&self, mark: Mark, entry: Entry, now: u64) -> StoreFuture<'_, (), DenylistError> {
        let put =
            self.kept.write().unwrap_or_else(PoisonError::into_inner).put(mark, entry, now, self.capacity);
        Box::pin(std::future::ready(put))
    }

    fn get(&self, marks: [Mark; 2], _: u64) -> StoreFuture<'_, [Option<Entry>; 2], DenylistError> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let found = marks.map(|mark| kept.entries.get(&mark).copied());
        Box::pin(std::future::ready(Ok(found)))
    }
}

impl Kept {
    fn put(&mut self, mark: Mark, entry: Entry, now: u64, capacity: usize) -> Result<(), DenylistError> {
        self.forget_ended(now);
        let count = self.entries.len();
        match self.entries.entry(mark) {
            hash_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                self.ends.remove(&(known.keep_until, mark));
                known.issued_until = known.issued_until.max(entry.issued_until);
                known.keep_until = known.keep_until.max(entry.keep_until);
                self.ends.insert((known.keep_until, mark));
            }
            hash_map::Entry::Vacant(_) if count >= capacity => return Err(DenylistError::Full),
            hash_map::Entry::Vacant(free) => {
                free.insert(entry);
                self.ends.insert((entry.keep_until, mark));
            }
        }
        Ok(())
    }

    fn forget_ended(&mut self, now: u64) {
        while let Some((end, mark)) = self.ends.first().copied().filter(|(end, _)| *end < now) {
            self.ends.remove(&(end, mark));
            self.entries.remove(&mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::{LITTLE, grows_by};

    /// While those before it end, and while none does.
    #[test]
    fn a_flood_of_revocations_takes_no_more_memory() {
        for each_second in [10, u32::MAX] {
            let mut kept = Kept::default();
            let grown = grows_by(100_000, |number| {
                let mut mark = Mark([0; 32]);
                mark.0[..4].copy_from_slice(&number.to_be_bytes());
                let now = u64::from(number / each_second);
                _ = kept.put(mark, Entry { issued_until: now, keep_until: now + 60 }, now, 1000);
            });
            assert!(grown < LITTLE, "{grown} bytes");
        }
    }

    fn mark(number: u8) -> Mark {
        Mark([number; 32])
    }

    #[test]
    fn entries_go_when_their_time_is_over_and_no_sooner() {
        let mut kept = Kept::default();
        let ends = |keep_until| Entry { issued_until: 1, keep_until };
        kept.put(mark(1), ends(10), 0, 2).unwrap();
        kept.put(mark(2), ends(20), 0, 2).unwrap();
        assert!(matches!(kept.put(mark(3), ends(30), 10, 2), Err(DenylistError::Full)));
        kept.put(mark(3), ends(30), 11, 2).unwrap();
        assert_eq!((kept.entries.len(), kept.ends.len()), (2, 2));
        assert!(!kept.entries.contains_key(&mark(1)));
        for _ in 0..100 {
            kept.put(mark(2), ends(25), 11, 2).unwrap();
            kept.put(mark(2), ends(15), 11, 2).unwrap();
        }
        assert_eq!(kept.entries.get(&mark(2)).map(|entry| entry.keep_until), Some(25));
        assert_eq!((kept.entries.len(), kept.ends.len()), (2, 2), "an entry stands once in the order");
    }
}
