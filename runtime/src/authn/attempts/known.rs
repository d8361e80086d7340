//! From which networks an account was lately authenticated: a table that never grows.
//!
//! An entry is a keyed hash of account and network, with the time until which it holds. A set of eight places takes it;
//! in a full set it takes the place of the one that ends first, which loses no more than its privilege, until it succeeds
//! again. Which accounts share a set is not for them to choose.
//!
//! Where an account has several spellings they have one entry, which holds for the last that succeeded: who writes a name in
//! a thousand ways takes no more places than others.

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
    /// Seconds since 1970; nothing holds after 2105.
    until: u32,
    /// Of the spelling, a part of its hash.
    written: u32,
}

/// An account in a network.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The same for all spellings of its name.
    pub(super) key: u64,
    /// Of the one that is meant.
    pub(super) written: u64,
}

impl Place {
    fn entry(self, until: u64) -> Entry {
        let [.., a, b, c, d] = self.written.to_be_bytes();
        let until = u32::try_from(until).unwrap_or(u32::MAX);
        Entry { key: self.key, until, written: u32::from_be_bytes([a, b, c, d]) }
    }
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

    pub(super) fn holds(&self, place: Place, now: Now) -> bool {
        let asked = place.entry(now.unix());
        let is_known = |entry: &Entry| {
            entry.key == asked.key && entry.written == asked.written && entry.until > asked.until
        };
        self.with_set(asked.key, |set| set.iter().any(is_known)).unwrap_or(false)
    }

    pub(super) fn insert(&self, place: Place, now: Now) {
        let entry = place.entry(now.unix().saturating_add(LATELY));
        self.with_set(entry.key, |set| {
            let place = match set.iter().position(|known| known.key == entry.key) {
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

    /// One that has a single spelling.
    fn of(key: u64) -> Place {
        Place { key, written: key }
    }

    fn at(seconds: u64) -> Now {
        Clock::fixed(1_800_000_000 + seconds).now().unwrap()
    }

    #[test]
    fn a_network_is_known_for_thirty_days_and_no_longer() {
        let known = Known::new(1024);
        let (seven, eight) = (of(7), of(8));
        assert!(!known.holds(seven, at(0)));
        known.insert(seven, at(0));
        assert!(known.holds(seven, at(LATELY - 1)) && !known.holds(seven, at(LATELY)));
        assert!(!known.holds(eight, at(0)));
        known.insert(seven, at(5));
        assert!(known.holds(seven, at(LATELY)), "from the last time on");
    }

    #[test]
    fn the_spellings_of_a_name_have_one_place_and_the_last_that_succeeded_is_known() {
        let known = Known::new(1024);
        let others: Vec<_> = (1..=7).map(|number| of(number << 42)).collect(); // all in one set
        others.iter().for_each(|other| known.insert(*other, at(0)));
        for written in 0..100 {
            known.insert(Place { key: 8 << 42, written }, at(1));
        }
        let holds = |written| known.holds(Place { key: 8 << 42, written }, at(1));
        assert!(holds(99) && !holds(98));
        assert!(others.iter().all(|other| known.holds(*other, at(1))), "nobody made room");
    }

    #[test]
    fn a_full_set_forgets_who_ends_first_and_the_table_does_not_grow() {
        let known = Known::new(1024);
        let crowd: Vec<_> = (1..=9).map(|number| of(number << 42)).collect(); // all in one set
        for (second, key) in (0..).zip(&crowd) {
            known.insert(*key, at(second));
        }
        assert!(!known.holds(crowd[0], at(9)), "the first made room");
        assert!(crowd[1..].iter().all(|key| known.holds(*key, at(9))));
    }
}
