//! Which keys were noted as used within the last minute, whatever keeps the keys.
//!
//! A store may know of a use only after a while, or never tell, and makes another record for each request; several requests
//! of one key come at once. So who is first is settled here. Keys are held by a hash, 50,000 at most: as many as there may be
//! in memory or in a file. Of a store with more keys in use, what comes beyond is not noted before there is room.

use std::{
    collections::{HashSet, VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Mutex, PoisonError},
};

use super::record::MAX_RECORDS;

/// Uses of a key are noted once in so many seconds.
pub(super) const NOTE_EVERY: u64 = 60;

#[derive(Default)]
pub(super) struct Noted {
    hasher: RandomState,
    minute: Mutex<Minute>,
}

#[derive(Default)]
struct Minute {
    keys: HashSet<u64>,
    /// The same, with when they came.
    order: VecDeque<(u64, u64)>,
}

impl Noted {
    /// Whether nobody has noted a use of this key in the minute before `at`, which is in seconds since 1970.
    pub(super) fn is_first(&self, id: &str, at: u64) -> bool {
        let key = self.hasher.hash_one(id);
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        minute.forget_until(at.saturating_sub(NOTE_EVERY));
        let is_first = minute.keys.len() < MAX_RECORDS && minute.keys.insert(key);
        if is_first {
            minute.order.push_back((key, at));
        }
        is_first
    }
}

impl Minute {
    fn forget_until(&mut self, end: u64) {
        while let Some((key, _)) = self.order.pop_front_if(|(_, at)| *at <= end) {
            self.keys.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::grows_by;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_key_is_the_first_once_a_minute() {
        let noted = Noted::default();
        let first = |at| noted.is_first("a", NOW + at);
        assert_eq!([0, 0, 1, 59].map(first), [true, false, false, false]);
        assert_eq!([60, 60, 119, 120].map(first), [true, false, false, true]);
        assert!(noted.is_first("b", NOW + 120));
    }

    #[test]
    fn more_keys_than_there_is_room_for_wait_for_it_and_take_no_memory() {
        let noted = Noted::default();
        let first = |number: usize, at| noted.is_first(&number.to_string(), at);
        let firsts = (0..MAX_RECORDS + 7).filter(|number| first(*number, NOW)).count();
        assert_eq!(firsts, MAX_RECORDS);
        let grown = grows_by(100_000, |number| _ = noted.is_first(&format!("another {number}"), NOW + 59));
        assert_eq!(grown, 0);
        assert!(first(MAX_RECORDS + 7, NOW + 60));
        assert_eq!(noted.minute.lock().unwrap().order.len(), 1);
    }
}
