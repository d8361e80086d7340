//! From which networks an account was lately authenticated: a table that never grows.
//!
//! An entry is a keyed hash of account and network, with the time until which it holds. A set of eight places takes it;
//! in a full set it takes the place of the one that ends first, which loses no more than its privilege, until it succeeds
//! again. Which accounts share a set is not for them to choose.

use std::sync::{Mutex, PoisonError};

use crate::clock::Now;

/// How long a network is known after an account was authenticated there: 30 days.
const LATELY: u64 = 30 * 24 * 3600;

const WAYS: usize = 8;

/// Sets that one lock is for.
const SHARD: usize = 128;

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Zero: never used.
    key: u64,
    /// Seconds since 1970.
    until: u64,
}

type Sets = Box<[[Entry; WAYS]]>;

/// The table.
pub(super) struct Known {
    shards: Box<[Mutex<Sets>]>,
}

impl Known {
    /// Of at least so many places, at 16 bytes each.
    pub(super) fn new(places: usize) -> Self {
        let shards = places.div_ceil(SHARD * WAYS).max(1);
        let shard = || Mutex::new(vec![[Entry::default(); WAYS]; SHARD].into());
        Self { shards: (0..shards).map(|_| shard()).collect() }
    }

    pub(super) fn holds(&self, key: u64, now: Now) -> bool {
        let holds =
            |set: &mut [Entry; WAYS]| set.iter().any(|entry| entry.key == key && entry.until > now.unix());
        self.with_set(key, holds).unwrap_or(false)
    }

    pub(super) fn insert(&self, key: u64, now: Now) {
        let entry = Entry { key, until: now.unix().saturating_add(LATELY) };
        self.with_set(key, |set| {
            let place = match set.iter().position(|known| known.key == key) {
                Some(place) => set.get_mut(place),
                None => set.iter_mut().min_by_key(|known| known.until),
            };
            if let Some(place) = place {
                *place = entry;
            }
        });
    }

    fn with_set<T>(&self, key: u64, act: impl FnOnce(&mut [Entry; WAYS]) -> T) -> Option<T> {
        let spread = usize::try_from(key >> 32).unwrap_or(0);
        let shard = self.shards.get(spread.checked_rem(self.shards.len())?)?;
        // each write is one whole entry, so a thread that died holding the lock leaves nothing half-done
        let mut sets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let set = usize::try_from(key & 0xffff_ffff).unwrap_or(0) % SHARD;
        sets.get_mut(set).map(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn at(seconds: u64) -> Now {
        Clock::fixed(1_800_000_000 + seconds).now().unwrap()
    }

    #[test]
    fn a_network_is_known_for_thirty_days_and_no_longer() {
        let known = Known::new(1024);
        assert!(!known.holds(7, at(0)));
        known.insert(7, at(0));
        assert!(known.holds(7, at(LATELY - 1)) && !known.holds(7, at(LATELY)) && !known.holds(8, at(0)));
        known.insert(7, at(5));
        assert!(known.holds(7, at(LATELY)), "from the last time on");
    }

    #[test]
    fn a_full_set_forgets_who_ends_first_and_the_table_does_not_grow() {
        let known = Known::new(1024);
        let crowd: Vec<u64> = (1..=9).map(|number| number << 42).collect(); // all in one set
        for (second, key) in (0..).zip(&crowd) {
            known.insert(*key, at(second));
        }
        assert!(!known.holds(crowd[0], at(9)), "the first made room");
        assert!(crowd[1..].iter().all(|key| known.holds(*key, at(9))));
    }
}
