//! The counters of this process: a table that never grows and never forgets who is over a limit.
//!
//! * The table has a fixed number of places (24 bytes each). Nothing is allocated after start.
//! * A place whose counter is fresh again (its bucket full, its windows over) tells nothing that an empty place does not, so it is free to be taken.
//! * A place whose counter is *not* fresh is never taken: else a flood of fresh addresses would wash away the very
//!   counters that hold it back. A newcomer who finds no place shares an overflow bucket with other newcomers.
//! * Who gets a place later starts from where the shared bucket stands, so moving from one to the other gains nothing.
//!   The price: as long as a bucket is shared, all newcomers who could land in it start with what is left in it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::key::Key;
use super::meter::{Meter, State};

/// Locks are taken by shard: enough of them that threads rarely meet.
const SHARDS: usize = 64;
/// Places that a key may stand in, from its home on. Until four fifths are taken, hardly a key finds none.
const REACH: usize = 32;
/// Overflow buckets of each rule.
pub(crate) const OVERFLOWS: usize = 64;

/// One bucket that is to be charged, and what came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    /// Where it stands among the charges.
    pub(crate) index: usize,
    pub(crate) key: Key,
    /// Which overflow bucket it shares when there is no place.
    pub(crate) overflow: usize,
    pub(crate) meter: Meter,
    pub(crate) cost: u32,
    place: Place,
    state: State,
    /// The new state, or how long to wait.
    next: Option<State>,
    wait: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Unknown,
    /// The place, and how far from its home.
    At(usize, usize),
    Overflow,
}

/// What is true of a bucket after the decision.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Where it stands.
    pub(crate) state: State,
    /// Zero when this bucket let the request through.
    pub(crate) wait: u64,
}

impl Ask {
    pub(crate) fn new(index: usize, key: Key, overflow: usize, meter: Meter, cost: u32) -> Self {
        Self { index, key, overflow, meter, cost, ..Self::default() }
    }

    pub(crate) fn outcome(&self, allowed: bool) -> Outcome {
        let state = if allowed { self.next.unwrap_or(self.state) } else { self.state };
        Outcome { state, wait: self.wait }
    }

    fn consider(&mut self, place: Place, state: State, now: u64) {
        (self.place, self.state) = (place, state);
        match self.meter.spend(state, now, self.cost) {
            Ok(next) => self.next = Some(next),
            Err(wait) => self.wait = wait.max(1),
        }
    }

    /// The shard comes from the top of the key, the place in it from the bottom.
    fn shard(&self) -> usize {
        usize::try_from(self.key >> 48).unwrap_or(0) % SHARDS
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    key: Key,
    state: State,
}

/// What one lock is for.
#[derive(Debug)]
struct Shard {
    entries: Box<[Entry]>,
    /// No key was ever put further from its home: nobody looks for one there.
    furthest: usize,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Table {
    shards: Box<[Mutex<Shard>]>,
    overflow: Mutex<Vec<State>>,
    /// No overflow bucket is anything but fresh after this time, so that nobody has to lock them to know.
    overflow_until: AtomicU64,
}

impl Table {
    /// A table of at least `capacity` places. Each takes 24 bytes, all of them at once.
    pub(crate) fn new(capacity: usize) -> Self {
        let places = capacity.div_ceil(SHARDS).max(REACH);
        let shard = || Shard { entries: vec![Entry::default(); places].into(), furthest: 0 };
        let shards = (0..SHARDS).map(|_| Mutex::new(shard())).collect();
        Self { shards, overflow: Mutex::default(), overflow_until: AtomicU64::new(0) }
    }

    /// Makes room for the overflow buckets of one more rule, and gives the number of its first.
    pub(crate) fn add_overflow(&self, rule: usize) -> usize {
        let first = rule.saturating_mul(OVERFLOWS);
        let mut overflow = lock(&self.overflow);
        let needed = first.saturating_add(OVERFLOWS).max(overflow.len());
        overflow.resize(needed, State::default());
        first
    }

    /// Charges all or none, and says which.
    ///
    /// The locks of all shards that are needed are held together, in the order of the shards, so that no other request
    /// gets between the check and the charge, and no two requests wait for each other.
    pub(crate) fn decide(&self, now: u64, asks: &mut [Ask]) -> bool {
        asks.sort_unstable_by_key(Ask::shard);
        self.decide_from(now, asks, 0)
    }

    /// Takes back what was spent at `then`. Who found no place stays charged: the bucket is shared with strangers.
    pub(crate) fn give_back(&self, now: u64, then: u64, ask: &Ask) {
        let Some(shard) = self.shards.get(ask.shard()) else { return };
        let mut shard = lock(shard);
        for place in places(ask.key, shard.entries.len()) {
            let Some(entry) = shard.entries.get_mut(place).filter(|entry| entry.key == ask.key) else {
                continue;
            };
            entry.state = ask.meter.give_back(entry.state, then, now, ask.cost);
            return;
        }
    }

    /// Looks on the way in, when every lock of a lower shard is held; writes on the way out, when all have been asked.
    fn decide_from(&self, now: u64, asks: &mut [Ask], start: usize) -> bool {
        let Some(number) = asks.get(start).map(Ask::shard) else { return self.overflowed(now, asks) };
        let Some(shard) = self.shards.get(number) else { return false };
        let mut shard = lock(shard);
        let mut end = start;
        while let Some((before, ask)) = asks.split_at_mut_checked(end).and_then(|(before, rest)| {
            rest.first_mut().filter(|ask| ask.shard() == number).map(|ask| (before, ask))
        }) {
            self.look(&shard, before, ask, now);
            end = end.saturating_add(1);
        }
        let allowed = self.decide_from(now, asks, end);
        if allowed {
            for ask in asks.get(start..end).unwrap_or_default() {
                if let (Place::At(place, far), Some(next)) = (ask.place, ask.next)
                    && let Some(entry) = shard.entries.get_mut(place)
                {
                    *entry = Entry { key: ask.key, state: next };
                    shard.furthest = shard.furthest.max(far);
                }
            }
        }
        allowed
    }

    /// Finds the bucket of `ask`, or a place for it that none of those `before` it has chosen.
    fn look(&self, shard: &Shard, before: &[Ask], ask: &mut Ask, now: u64) {
        if let Some(same) = before.iter().find(|other| other.key == ask.key) {
            *ask = Ask { index: ask.index, ..*same }; // a limit that is named twice counts once
            return;
        }
        let mut free = None;
        for (far, place) in places(ask.key, shard.entries.len()).enumerate() {
            let Some(entry) = shard.entries.get(place) else { break };
            if entry.key == ask.key {
                return ask.consider(Place::At(place, far), entry.state, now);
            }
            if entry.state.fresh_at <= now && free.is_none() {
                let chosen = |other: &Ask| {
                    matches!(other.place, Place::At(taken, _) if taken == place)
                        && other.shard() == ask.shard()
                };
                free = Some(Place::At(place, far)).filter(|_| !before.iter().any(chosen));
            }
            if free.is_some() && (entry.key == 0 || far >= shard.furthest) {
                break; // nothing was ever put further on
            }
        }
        match free {
            Some(place) => ask.consider(place, self.shared(ask.overflow, now), now),
            None => ask.place = Place::Overflow,
        }
    }

    /// Where the shared bucket of newcomers stands.
    fn shared(&self, overflow: usize, now: u64) -> State {
        // Relaxed is enough: a client's own earlier requests went through the lock of the same shard.
        if self.overflow_until.load(Ordering::Relaxed) <= now {
            return State::default();
        }
        lock(&self.overflow).get(overflow).copied().unwrap_or(State::never())
    }

    /// The last step, with every shard locked: those without a place, then whether all can be charged.
    fn overflowed(&self, now: u64, asks: &mut [Ask]) -> bool {
        let mut shared = asks.iter().any(|ask| ask.place == Place::Overflow).then(|| lock(&self.overflow));
        for ask in asks.iter_mut().filter(|ask| ask.place == Place::Overflow) {
            let state = shared.as_ref().and_then(|all| all.get(ask.overflow)).copied();
            ask.consider(Place::Overflow, state.unwrap_or(State::never()), now);
        }
        let allowed = asks.iter().all(|ask| ask.next.is_some());
        if let (true, Some(shared)) = (allowed, shared.as_mut()) {
            for ask in asks.iter().filter(|ask| ask.place == Place::Overflow) {
                if let (Some(next), Some(bucket)) = (ask.next, shared.get_mut(ask.overflow)) {
                    *bucket = next.max(*bucket);
                    self.overflow_until.fetch_max(next.fresh_at, Ordering::Relaxed);
                }
            }
        }
        allowed
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).entries.len()).sum()
    }

    #[cfg(test)]
    pub(super) fn live(&self, now: u64) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).entries.iter().filter(|entry| entry.state.fresh_at > now).count())
            .sum()
    }
}

/// Where a key may stand among `count` places. One division finds its home; one for each place would cost more than all else.
fn places(key: Key, count: usize) -> impl Iterator<Item = usize> {
    let home = usize::try_from(key & Key::from(u32::MAX)).unwrap_or(0).checked_rem(count).unwrap_or(0);
    (home..count).chain(0..home).take(REACH)
}

/// Every write under these locks is a whole value, so a thread that died holding one leaves nothing half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::gcra::Rate;
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// Ten at once, one back each second.
    fn rate() -> Meter {
        Meter::Bucket(Rate::new(10, Duration::from_secs(10), 10))
    }

    fn key(number: u64) -> Key {
        // spread like the hash that makes real ones
        let spread = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        spread ^ (spread >> 32)
    }

    fn take(table: &Table, now: u64, number: u64, bucket: usize) -> bool {
        table.decide(now, &mut [Ask::new(0, key(number), bucket, rate(), 1)])
    }

    fn exhaust(table: &Table, now: u64, number: u64) {
        assert!((0..10).all(|_| take(table, now, number, 0)));
        assert!(!take(table, now, number, 0));
    }

    #[test]
    fn a_flood_neither_grows_the_table_nor_frees_who_is_throttled() {
        let table = Table::new(4096);
        table.add_overflow(0);
        exhaust(&table, SECOND, 0);
        let mut admitted = 0;
        for number in 1..1_000_000 {
            admitted += u32::from(take(&table, SECOND + number / 1_000_000, number, 0));
        }
        assert!(!take(&table, SECOND, 0, 0), "still over its limit");
        let places = 4096;
        assert!(table.live(SECOND) <= places);
        assert!(table.live(SECOND) > places * 3 / 4, "most places are used: {}", table.live(SECOND));
        assert!(admitted <= 4096 + 10, "newcomers share one bucket of ten: {admitted}");
        assert!(take(&table, 12 * SECOND, 0, 0), "and it is free when its time has come");
        assert!(
            (2_000_000..2_000_100).all(|number| take(&table, 30 * SECOND, number, 0)),
            "as are all places"
        );
    }

    #[test]
    fn moving_from_the_shared_bucket_to_a_place_gains_nothing() {
        let table = Table::new(REACH);
        table.add_overflow(0);
        let busy: Vec<u64> = (1..10_000).collect();
        busy.iter().for_each(|number| _ = take(&table, SECOND, *number, 1));
        // No place for this one: it has what the shared bucket has, and no more when a place comes free.
        let mut admitted = (0..20).filter(|_| take(&table, SECOND, 0, 0)).count();
        assert_eq!(admitted, 10);
        for tick in 1..=50 {
            admitted += (0..5).filter(|_| take(&table, SECOND + tick * SECOND / 10, 0, 0)).count();
        }
        assert_eq!(admitted, 15, "burst and five seconds at the rate");
    }

    #[test]
    fn all_or_nothing() {
        let table = Table::new(1024);
        table.add_overflow(0);
        exhaust(&table, SECOND, 1);
        for _ in 0..100 {
            let mut asks = [0, 1, 2].map(|number| Ask::new(0, key(number), 0, rate(), 1));
            assert!(!table.decide(SECOND, &mut asks));
        }
        for free in [0, 2] {
            exhaust(&table, SECOND, free);
        }
    }

    #[test]
    fn the_same_counter_twice_counts_once() {
        let table = Table::new(1024);
        table.add_overflow(0);
        for round in 0..12 {
            let mut asks = [0, 1].map(|index| Ask::new(index, key(7), 0, rate(), 1));
            assert_eq!(table.decide(SECOND, &mut asks), round < 10);
        }
    }

    #[test]
    fn many_counters_that_are_new_get_a_place_each() {
        let table = Table::new(REACH);
        table.add_overflow(0);
        // All in one shard, with homes that overlap.
        let crowd = |index: usize| Key::try_from((index << 32) | (index % 4)).unwrap();
        let mut asks: Vec<_> = (1..=16).map(|index| Ask::new(index, crowd(index), 0, rate(), 1)).collect();
        assert!(table.decide(SECOND, &mut asks));
        assert_eq!(table.live(SECOND), 16);
    }

    /// Those before it become fresh again, and it does not.
    #[test]
    fn a_counter_is_found_however_far_from_its_home() {
        let table = Table::new(1);
        let at_one_home = |number: u64| number * REACH as u64; // in one shard, which has so many places
        let take = |now, number| table.decide(now, &mut [Ask::new(0, at_one_home(number), 0, rate(), 1)]);
        assert!((1..=5).all(|number| take(SECOND, number)));
        assert_eq!((0..20).filter(|_| take(SECOND, 6)).count(), 10);
        assert_eq!((0..20).filter(|_| take(3 * SECOND, 6)).count(), 2, "what came back in two seconds");
    }

    #[test]
    fn threads_together_get_what_one_would() {
        let table = Table::new(1024);
        table.add_overflow(0);
        let admitted: usize = std::thread::scope(|scope| {
            let work = |offset: u64| {
                let table = &table;
                move || {
                    let pair = [offset % 4, 100 + offset % 3];
                    let ask = |number: u64| Ask::new(0, key(number), 0, rate(), 1);
                    (0..1_000).filter(|_| table.decide(SECOND, &mut pair.map(ask))).count()
                }
            };
            let threads: Vec<_> = (0..8).map(|offset| scope.spawn(work(offset))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(admitted, 30, "the three counters of the second kind hold ten each");
    }
}
