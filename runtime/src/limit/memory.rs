//! The counters of this process: a table that never grows and never forgets who is over a limit.
//!
//! * The table has a fixed number of places (24 bytes each). Nothing is allocated after start.
//! * A place whose counter is fresh again (its bucket full, its windows over) tells nothing that an empty place does not, so it is free to be taken.
//! * A place whose counter is *not* fresh is never taken: else a flood of fresh addresses would wash away the very
//!   counters that hold it back. A newcomer who finds no place shares an overflow bucket with other newcomers.
//! * Counters that strangers can make stand in one half of the table, those of principals in the other: no flood without
//!   credentials takes the places of those who have some.
//! * Of [`REACH`] places a quarter is for everybody; of the others no crowd (the network of an organisation, a principal whose
//!   limit counts by more than that) gets any when it has three of these. So one crowd takes a few places in a hundred. What
//!   anybody can say makes a counter of the crowd that says it, and whoever else says it is counted by the same.
//! * Counters that keep a log stand in shards of their own, where each place has room for one ([`Units`]). There are none until a
//!   limit of the document keeps a log, and then an eighth as many as of the others. All else is the same for them.
//! * Who gets a place later starts from where the shared bucket stands, so moving from one to the other gains nothing.
//!   The price: as long as a bucket is shared, all newcomers who could land in it start with what is left in it.

mod shard;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use self::shard::Entry;
use self::shard::{REACH, Shard};
use super::Few;
use super::kept::MOST_LOGS;
use super::key::Key;
use super::log::{Log, Units};
use super::meter::{Meter, State};

/// Counters without a log to one that keeps some.
const LOGS_TO_OTHERS: usize = 8;
/// Overflow buckets of each rule.
pub(crate) const OVERFLOWS: usize = 64;

/// One bucket that is to be charged, and what came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) key: Key,
    /// Which overflow bucket it shares when there is no place.
    pub(crate) overflow: usize,
    pub(crate) cost: u32,
    pub(crate) meter: Meter,
    place: Place,
    /// Whether the request has asked for this one before: a limit that is named twice counts once.
    is_twin: bool,
    /// Where it stands, and where it would with the charge.
    state: State,
    next: State,
    /// How long until the charge passes; zero when it does.
    wait: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Overflow,
    /// The place, and how far from its home.
    At(usize, usize),
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
    pub(crate) fn new(key: Key, overflow: usize, meter: Meter, cost: u32) -> Self {
        Self { key, overflow, meter, cost, ..Self::default() }
    }

    pub(crate) fn outcome(&self, allowed: bool) -> Outcome {
        Outcome { state: if allowed { self.next } else { self.state }, wait: self.wait }
    }

    fn consider(&mut self, place: Place, state: State, now: u64) {
        (self.place, self.state) = (place, state);
        match self.meter.spend(state, now, self.cost) {
            Ok(next) => self.next = next,
            Err(wait) => self.wait = wait.max(1),
        }
    }

    /// The same of one that has a log in its place.
    fn consider_log(&mut self, place: Place, log: Log, units: &Units, now: u64) {
        (self.place, self.state) = (place, log.state(units, now));
        self.wait = log.wait(units, now, self.cost);
        self.next = log.after(self.state, now, self.cost);
    }

    fn shard(&self) -> Shards {
        shard_of(self.key, self.meter.log().is_some())
    }
}

/// Who can make a counter come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// Whoever sends a request.
    Strangers,
    /// Who was authenticated, or the document.
    Known,
}

/// Which bit of a key says the half: the uppermost of those that its shard comes from.
const HALF: Key = 1 << 53;
/// Where a key says its crowd. A few bits are enough to count by.
const CROWD: Key = 0xff << 40;

/// What a key says of its counter, and not of whose crowd that is.
pub(super) const fn counter(key: Key) -> Key {
    key & !CROWD
}

/// A key that says of a hash where it stands.
pub(crate) const fn placed(hash: u64, crowd: u64, half: Half) -> Key {
    let half = match half {
        Half::Strangers => 0,
        Half::Known => HALF,
    };
    (hash & !CROWD & !HALF) | (crowd & CROWD) | half
}

/// The half of a key.
pub(crate) const fn half_of(key: Key) -> Half {
    if key & HALF == 0 { Half::Strangers } else { Half::Known }
}

/// One bit for each shard: in this order their locks are taken. Those whose counters keep logs come behind the others.
type Shards = u128;

/// Of counters without logs, and as many of those that keep some.
pub(super) const SHARDS: usize = Shards::BITS as usize / 2;

/// The shard of a key comes from its upper half, the home in it from the lower.
fn shard_of(key: Key, keeps_log: bool) -> Shards {
    let among_its_kind = 1 << ((key >> 48) % SHARDS as u64);
    if keeps_log { among_its_kind << SHARDS } else { among_its_kind }
}

/// The table.
#[derive(Debug)]
pub(crate) struct Table {
    shards: Box<[Mutex<Shard>]>,
    /// Of a shard of counters that keep logs.
    homes_of_logs: usize,
    overflow: Mutex<Vec<State>>,
    /// No overflow bucket is anything but fresh after this time, so that nobody has to lock them to know.
    overflow_until: AtomicU64,
}

impl Table {
    /// A table of at least `capacity` places. Each takes 24 bytes, all of them at once.
    pub(crate) fn new(capacity: usize) -> Self {
        let homes = capacity.div_ceil(SHARDS).max(REACH);
        let without = (0..SHARDS).map(|_| Mutex::new(Shard::new(homes)));
        let shards = without.chain((0..SHARDS).map(|_| Mutex::default())).collect();
        let homes_of_logs = homes.div_ceil(LOGS_TO_OTHERS).clamp(REACH, MOST_LOGS - REACH);
        Self { shards, homes_of_logs, overflow: Mutex::default(), overflow_until: AtomicU64::new(0) }
    }

    /// Makes room for counters that keep logs, if there is none yet: all of it at once.
    pub(crate) fn make_room_for_logs(&self) {
        for shard in self.shards.iter().skip(SHARDS) {
            let mut shard = lock(shard);
            if shard.logs.is_empty() {
                *shard = Shard::of_logs(self.homes_of_logs);
            }
        }
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
    /// gets between the check and the charge, and no two requests wait for each other. All are taken before the first look,
    /// because nothing is read ahead of a lock: so the memory of all counters is waited for at once.
    pub(crate) fn decide(&self, now: u64, asks: &mut [Ask]) -> bool {
        let needed = asks.iter().fold(0, |all, ask| all | ask.shard());
        let mut shards = self.locked(needed);
        for at in 0..asks.len() {
            if let Some((before, [ask, ..])) = asks.split_at_mut_checked(at)
                && let Some(shard) = shards.get(rank(ask.shard(), needed))
            {
                self.look(shard, before, ask, now);
            }
        }
        if !self.overflowed(now, asks) {
            return false;
        }
        for ask in asks.iter().filter(|ask| !ask.is_twin) {
            if let Place::At(place, far) = ask.place
                && let Some(shard) = shards.get_mut(rank(ask.shard(), needed))
            {
                shard.charge(ask, place, far, now);
            }
        }
        true
    }

    /// The counters of a shard that are not fresh at this time, in the order of their places.
    pub(super) fn counters(&self, shard: usize, at: u64) -> Vec<Entry> {
        let Some(shard) = self.shards.get(shard) else { return Vec::new() };
        lock(shard).entries.iter().filter(|entry| entry.state.fresh_at > at).copied().collect()
    }

    /// The same of a shard whose counters keep logs.
    pub(super) fn logs(&self, shard: usize, at: u64) -> Vec<(Key, Units)> {
        let Some(shard) = self.shards.get(shard) else { return Vec::new() };
        let shard = lock(shard);
        let all = shard.entries.iter().zip(&shard.logs);
        all.filter(|(entry, _)| entry.state.fresh_at > at).map(|(entry, units)| (entry.key, *units)).collect()
    }

    /// Puts a counter into a new table, if it finds a place. In the order of their places all that stood in a table do.
    pub(super) fn restore(&self, counter: Entry) {
        for mut shard in self.locked(shard_of(counter.key, false)) {
            shard.restore(counter);
        }
    }

    /// The same of one that keeps a log.
    pub(super) fn restore_log(&self, key: Key, units: Units) {
        self.make_room_for_logs();
        let last = units.last().copied().unwrap_or_default();
        for mut shard in self.locked(shard_of(key, true)) {
            let place = shard.restore(Entry { key, state: State::full_at(last) });
            if let Some(log) = place.and_then(|place| shard.logs.get_mut(place)) {
                *log = units;
            }
        }
    }

    fn locked(&self, mut needed: Shards) -> Few<MutexGuard<'_, Shard>> {
        let mut shards = Few::new();
        while let Some(shard) = self.shards.get(needed.trailing_zeros() as usize) {
            shards.push(lock(shard));
            needed &= needed.wrapping_sub(1); // without its lowest bit
        }
        shards
    }

    /// Takes back what was spent at `then`. Who found no place stays charged: the bucket is shared with strangers.
    pub(crate) fn give_back(&self, now: u64, then: u64, ask: &Ask) {
        for mut shard in self.locked(ask.shard()) {
            shard.give_back(ask, then, now);
        }
    }

    /// Finds the bucket of `ask`, or a place for it that none of those `before` it has chosen.
    fn look(&self, shard: &Shard, before: &[Ask], ask: &mut Ask, now: u64) {
        if let Some(same) = before.iter().find(|other| other.key == ask.key) {
            *ask = Ask { is_twin: true, ..*same };
            return;
        }
        let mut free = None;
        for (far, (place, entry)) in shard.reach(ask.key).enumerate() {
            if counter(entry.key) == counter(ask.key) {
                return shard.consider(ask, place, far, now);
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
        if let Some(place) = free.filter(|_| !shard.is_crowded(ask.key, now)) {
            ask.consider(place, self.shared(ask.overflow, now), now);
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
        let allowed = asks.iter().all(|ask| ask.wait == 0);
        if let (true, Some(shared)) = (allowed, shared.as_mut()) {
            for ask in asks.iter().filter(|ask| ask.place == Place::Overflow) {
                if let Some(bucket) = shared.get_mut(ask.overflow) {
                    *bucket = ask.next.max(*bucket);
                    self.overflow_until.fetch_max(ask.next.fresh_at, Ordering::Relaxed);
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

/// Which of the locked shards is this one.
fn rank(shard: Shards, locked: Shards) -> usize {
    (locked & shard.wrapping_sub(1)).count_ones() as usize
}

/// Every write under these locks is a whole value, so a thread that died holding one leaves nothing half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
