//! What one lock of the table is for: places in a row, and what stands in them.

use super::{Ask, CROWD, Place, counter};
use crate::limit::key::Key;
use crate::limit::log::{MOST, Units};
use crate::limit::meter::State;

/// Places that a key may stand in, from its home on. Until four fifths are taken, hardly a key finds none.
pub(super) const REACH: usize = 32;
/// Of these, the places that are everybody's, and those of a crowd beyond them.
const FREE_FOR_ALL: usize = REACH / 4;
const OF_A_CROWD: usize = 3;

/// A counter in its place.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::limit) struct Entry {
    pub(in crate::limit) key: Key,
    /// Of one that keeps a log: when the last of it ends.
    pub(in crate::limit) state: State,
}

/// What one lock is for.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// Behind the last home are as many as its key may be away from it.
    pub(super) entries: Box<[Entry]>,
    /// As many as places, where each keeps a log; else none.
    pub(super) logs: Box<[Units]>,
    /// No key was ever put further from its home: nobody looks for one there.
    pub(super) furthest: usize,
}

impl Shard {
    pub(super) fn new(homes: usize) -> Self {
        let entries = vec![Entry::default(); homes.saturating_add(REACH - 1)].into();
        Self { entries, ..Self::default() }
    }

    pub(super) fn of_logs(homes: usize) -> Self {
        let shard = Self::new(homes);
        Self { logs: vec![[0; MOST]; shard.entries.len()].into(), ..shard }
    }

    /// Where a key may stand, from its home on. The home is found by a product and no division, which would cost as much as
    /// the look at it.
    fn home(&self, key: Key) -> usize {
        let homes = self.entries.len().saturating_sub(REACH - 1) as u64;
        usize::try_from((key & Key::from(u32::MAX)).saturating_mul(homes) >> 32).unwrap_or(0)
    }

    pub(super) fn reach(&self, key: Key) -> impl Iterator<Item = (usize, &Entry)> {
        let home = self.home(key);
        (home..).zip(self.entries.get(home..).unwrap_or_default()).take(REACH)
    }

    /// Where the counter of `ask` stands, which is in this place.
    pub(super) fn consider(&self, ask: &mut Ask, place: usize, far: usize, now: u64) {
        let at = Place::At(place, far);
        match (ask.meter.log(), self.logs.get(place), self.entries.get(place)) {
            (Some(log), Some(units), _) => ask.consider_log(at, log, units, now),
            (None, _, Some(entry)) => ask.consider(at, entry.state, now),
            _ => {} // which has no place
        }
    }

    /// Charges what was asked for to this place.
    pub(super) fn charge(&mut self, ask: &Ask, place: usize, far: usize, now: u64) {
        let Some(entry) = self.entries.get_mut(place) else { return };
        let state = match (ask.meter.log(), self.logs.get_mut(place)) {
            (Some(log), Some(units)) => {
                if counter(entry.key) != counter(ask.key) {
                    *units = log.units(ask.state, now);
                }
                State::full_at(log.note(units, now, ask.cost))
            }
            _ => ask.next,
        };
        *entry = Entry { key: ask.key, state };
        self.furthest = self.furthest.max(far);
    }

    /// Takes back what was spent at `then`, if its counter is here.
    pub(super) fn give_back(&mut self, ask: &Ask, then: u64, now: u64) {
        let mut reach = self.reach(ask.key);
        let Some((place, _)) = reach.find(|(_, entry)| counter(entry.key) == counter(ask.key)) else {
            return;
        };
        drop(reach);
        let Some(entry) = self.entries.get_mut(place) else { return };
        entry.state = match (ask.meter.log(), self.logs.get_mut(place)) {
            (Some(log), Some(units)) => State::full_at(log.give_back(units, then, now, ask.cost)),
            _ => ask.meter.give_back(entry.state, then, now, ask.cost),
        };
    }

    /// Puts a counter into a place where none ever was, and says which.
    pub(super) fn restore(&mut self, counter: Entry) -> Option<usize> {
        let free = self.reach(counter.key).enumerate().find(|(_, (_, entry))| entry.key == 0);
        let (far, place) = free.map(|(far, (place, _))| (far, place))?;
        self.furthest = self.furthest.max(far);
        *self.entries.get_mut(place)? = counter;
        Some(place)
    }

    /// Whether those of its crowd have as many of the places where a newcomer may stand as they get.
    pub(super) fn is_crowded(&self, key: Key, now: u64) -> bool {
        let live = || self.reach(key).filter(|(_, entry)| entry.state.fresh_at > now);
        let of_its_crowd = live().filter(|(_, entry)| entry.key & CROWD == key & CROWD);
        of_its_crowd.count() >= OF_A_CROWD && live().count() >= FREE_FOR_ALL
    }
}
