//! A table of what was lately seen, that never grows: from which networks an account was authenticated ([`networks`](super::networks)).
//!
//! An entry is a keyed hash, with the time until which it holds. A set of eight places takes it, which the hash of its owner
//! chooses. In a full set it takes the place of the one that ends first, which loses no more than its privilege, until it
//! succeeds again; but of one owner there are four in a set at most: whoever is authenticated from everywhere takes its own.
//!
//! Where an account has several spellings they have one entry, which holds for the last that succeeded: who writes a name in
//! a thousand ways takes no more places than others.

use std::sync::{Mutex, PoisonError};

use crate::clock::Now;

/// How long a network is known after an account was authenticated there: 30 days.
pub(super) const LATELY: u64 = 30 * 24 * 3600;

const WAYS: usize = 8;
/// Of one owner.
const OF_ONE: usize = WAYS / 2;
/// Sets that one lock is for.
const SHARD: usize = 128;
/// What an entry takes where it is kept.
const BYTES: usize = 24;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Zero: never used.
    key: u64,
    owner: u64,
    /// Seconds since 1970; nothing holds after 2105.
    until: u32,
    /// Of the spelling, a part of its hash.
    written: u32,
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Whose it is.
    pub(super) owner: u64,
    /// What it is; the same for all spellings of a name.
    pub(super) key: u64,
    /// Of the spelling that is meant.
    pub(super) written: u64,
}

impl Place {
    fn entry(self, until: u64) -> Entry {
        let [.., a, b, c, d] = self.written.to_be_bytes();
        let until = u32::try_from(until).unwrap_or(u32::MAX);
        Entry { key: self.key, owner: self.owner, until, written: u32::from_be_bytes([a, b, c, d]) }
    }
}

/// The places that one hash chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set([Entry; WAYS]);

impl Set {
    pub(super) fn holds(&self, place: Place, now: Now) -> bool {
        self.until(place).is_some_and(|until| until > now.unix())
    }

    fn until(&self, place: Place) -> Option<u64> {
        let asked = place.entry(0);
        let is_it = |entry: &&Entry| entry.key == asked.key && entry.written == asked.written;
        self.0.iter().find(is_it).map(|entry| entry.until.into())
    }

    pub(super) fn insert(&mut self, place: Place, now: Now) {
        self.put(place.entry(now.unix().saturating_add(LATELY)));
    }

    fn put(&mut self, entry: Entry) {
        let is_own = |other: &Entry| other.owner == entry.owner && other.key != 0;
        let own = self.0.iter().filter(|other| is_own(other)).count();
        let place = match self.0.iter().position(|other| other.key == entry.key) {
            Some(place) => self.0.get_mut(place),
            None if own >= OF_ONE => {
                self.0.iter_mut().filter(|other| is_own(other)).min_by_key(|other| other.until)
            }
            None => self.0.iter_mut().min_by_key(|other| other.until),
        };
        if let Some(place) = place {
            *place = entry;
        }
    }

    /// Takes what another has and this has not, or has for shorter.
    pub(super) fn take(&mut self, other: &Self) {
        for entry in other.0.iter().filter(|entry| entry.key != 0) {
            let ours = self.0.iter().find(|ours| ours.key == entry.key);
            if ours.is_none_or(|ours| ours.until < entry.until) {
                self.put(*entry);
            }
        }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let bytes = |entry: &Entry| {
            let mut bytes = [0; BYTES];
            let parts = entry.key.to_be_bytes().into_iter().chain(entry.owner.to_be_bytes());
            let parts = parts.chain(entry.until.to_be_bytes()).chain(entry.written.to_be_bytes());
            bytes.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
            bytes
        };
        self.0.iter().flat_map(bytes).collect()
    }

    /// `None`: it is none that [`Set::to_bytes`] has written.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (entries, []) = bytes.as_chunks::<BYTES>() else { return None };
        let entries: Vec<Entry> = entries.iter().filter_map(entry).collect();
        entries.try_into().ok().map(Self)
    }
}

fn entry(bytes: &[u8; BYTES]) -> Option<Entry> {
    let (key, rest) = bytes.split_first_chunk()?;
    let (owner, rest) = rest.split_first_chunk()?;
    let (until, rest) = rest.split_first_chunk()?;
    let (written, _) = rest.split_first_chunk()?;
    Some(Entry {
        key: u64::from_be_bytes(*key),
        owner: u64::from_be_bytes(*owner),
        until: u32::from_be_bytes(*until),
        written: u32::from_be_bytes(*written),
    })
}

/// The table.
pub(super) struct Known {
    shards: Box<[Mutex<Box<[Set]>>]>,
}

impl Known {
    /// Of at least so many places, at 24 bytes each.
    pub(super) fn new(places: usize) -> Self {
        let shards = places.div_ceil(SHARD * WAYS).max(1);
        let shard = || Mutex::new(vec![Set::default(); SHARD].into());
        Self { shards: (0..shards).map(|_| shard()).collect() }
    }

    pub(super) fn holds(&self, place: Place, now: Now) -> bool {
        self.with_set(place, |set| set.holds(place, now)).unwrap_or(false)
    }

    /// Until when it was held, if it was.
    pub(super) fn insert(&self, place: Place, now: Now) -> Option<u64> {
        let inserted = self.with_set(place, |set| {
            let before = set.until(place);
            set.insert(place, now);
            before
        });
        inserted.flatten()
    }

    /// Takes what somebody else knows.
    pub(super) fn take(&self, place: Place, other: &Set) {
        self.with_set(place, |set| set.take(other));
    }

    /// The number of its set.
    pub(super) fn number(&self, place: Place) -> usize {
        let sets = u64::try_from(self.shards.len().saturating_mul(SHARD)).unwrap_or(u64::MAX);
        place.owner.checked_rem(sets).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    }

    fn with_set<T>(&self, place: Place, act: impl FnOnce(&mut Set) -> T) -> Option<T> {
        let number = self.number(place);
        // each write is one whole entry, so a thread that died holding the lock leaves nothing half-done
        let mut sets = self.shards.get(number / SHARD)?.lock().unwrap_or_else(PoisonError::into_inner);
        sets.get_mut(number % SHARD).map(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    /// One that has a single spelling, of an owner of the first set.
    fn of(owner: u64, key: u64) -> Place {
        Place { owner: owner * 1024, key, written: key }
    }

    fn at(seconds: u64) -> Now {
        Clock::fixed(1_800_000_000 + seconds).now().unwrap()
    }

    #[test]
    fn a_network_is_known_for_thirty_days_and_no_longer() {
        let known = Known::new(1024);
        let (seven, eight) = (of(1, 7), of(1, 8));
        assert!(!known.holds(seven, at(0)));
        assert_eq!(known.insert(seven, at(0)), None);
        assert!(known.holds(seven, at(LATELY - 1)) && !known.holds(seven, at(LATELY)));
        assert!(!known.holds(eight, at(0)));
        assert_eq!(known.insert(seven, at(5)), Some(1_800_000_000 + LATELY));
        assert!(known.holds(seven, at(LATELY)), "from the last time on");
    }

    #[test]
    fn the_spellings_of_a_name_have_one_place_and_the_last_that_succeeded_is_known() {
        let known = Known::new(1024);
        let others: Vec<_> = (1..=7).map(|number| of(number, number)).collect();
        others.iter().for_each(|other| _ = known.insert(*other, at(0)));
        for written in 0..100 {
            known.insert(Place { written, ..of(8, 8) }, at(1));
        }
        let holds = |written| known.holds(Place { written, ..of(8, 8) }, at(1));
        assert!(holds(99) && !holds(98));
        assert!(others.iter().all(|other| known.holds(*other, at(1))), "nobody made room");
    }

    #[test]
    fn a_full_set_forgets_who_ends_first_and_the_table_does_not_grow() {
        let known = Known::new(1024);
        let crowd: Vec<_> = (1..=9).map(|number| of(number, number)).collect();
        for (second, place) in (0..).zip(&crowd) {
            known.insert(*place, at(second));
        }
        assert!(!known.holds(crowd[0], at(9)), "the first made room");
        assert!(crowd[1..].iter().all(|place| known.holds(*place, at(9))));
    }

    #[test]
    fn of_one_owner_there_are_four_in_a_set_where_others_need_the_room() {
        let known = Known::new(1024);
        let others: Vec<_> = (1..=4).map(|number| of(number, number)).collect();
        others.iter().for_each(|other| _ = known.insert(*other, at(0)));
        let travels: Vec<_> = (100..200).map(|network| of(9, network)).collect();
        for (second, place) in (1..).zip(&travels) {
            known.insert(*place, at(second));
        }
        assert!(others.iter().all(|other| known.holds(*other, at(100))));
        assert!(travels[96..].iter().all(|place| known.holds(*place, at(100))), "the last four");
    }

    #[test]
    fn who_is_authenticated_from_everywhere_takes_half_of_a_set_from_others_and_no_more() {
        let known = Known::new(65_536);
        let accounts = 2_000_u64;
        let home =
            |owner: u64| Place { owner: owner.wrapping_mul(0x9e37_79b9_7f4a_7c15), key: owner, written: 1 };
        (1..=accounts).for_each(|owner| _ = known.insert(home(owner), at(0)));
        for network in 0..200_000 {
            known.insert(Place { key: 1 << 40 | network, ..home(0) }, at(1));
        }
        let left = (1..=accounts).filter(|owner| known.holds(home(*owner), at(1))).count();
        assert!(left >= 1_996, "{left}");
    }

    #[test]
    fn a_set_is_read_as_it_was_written_and_takes_what_lasts_longer() {
        let mut set = Set::default();
        set.insert(of(1, 7), at(0));
        set.insert(Place { written: u64::MAX, ..of(2, u64::MAX) }, at(1));
        assert_eq!(Set::from_bytes(&set.to_bytes()), Some(set));
        assert_eq!(set.to_bytes().len(), 192);
        for bad in [&b""[..], &[0; 191], &[0; 216]] {
            assert_eq!(Set::from_bytes(bad), None);
        }
        let mut other = Set::default();
        other.insert(of(1, 7), at(9));
        other.insert(of(3, 3), at(0));
        other.take(&set);
        assert!(other.holds(of(1, 7), at(LATELY)), "ours lasts longer");
        assert!(
            other.holds(of(3, 3), at(0))
                && other.holds(Place { written: u64::MAX, ..of(2, u64::MAX) }, at(0))
        );
    }
}
