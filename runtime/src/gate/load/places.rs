//! Who is at work and who waits for that, without a clock and without tasks: each step of it is one change.

use std::collections::BTreeMap;

use crate::operation::Priority;

/// The places of a server. A waiter is whatever is told that a place is its own.
#[derive(Debug)]
pub(super) struct Places<W> {
    most: usize,
    at_work: usize,
    most_waiting: usize,
    /// In the order in which they get a place: what matters most first, then who came first.
    waiting: BTreeMap<Ticket, W>,
    next: u64,
}

/// Of one that waits.
pub(super) type Ticket = (Priority, u64);

impl<W> Places<W> {
    pub(super) const fn new(most: usize, most_waiting: usize) -> Self {
        Self { most, at_work: 0, most_waiting, waiting: BTreeMap::new(), next: 0 }
    }

    /// Whether one of this class would find a place, or may wait for one.
    pub(super) fn has_room(&self, class: Priority) -> bool {
        self.at_work < room(self.most, class) || self.may_wait(class)
    }

    /// Takes a place. Nobody is passed who could have it: while one waits there is none for its class, nor for those below.
    pub(super) fn enter(&mut self, class: Priority) -> bool {
        let entered = self.at_work < room(self.most, class);
        self.at_work += usize::from(entered);
        entered
    }

    /// Waits from now on, if it may; the last of those that matter less goes, where as many wait as may.
    pub(super) fn wait(&mut self, class: Priority, waiter: W) -> Option<Ticket> {
        if !self.may_wait(class) {
            return None;
        }
        if self.waiting.len() >= self.most_waiting {
            self.waiting.pop_last();
        }
        let ticket = (class, self.next);
        self.next += 1;
        self.waiting.insert(ticket, waiter);
        Some(ticket)
    }

    /// Gives a place back. It is that of the one who is returned, from now on.
    pub(super) fn leave(&mut self) -> Option<W> {
        self.at_work = self.at_work.saturating_sub(1);
        let (class, _) = *self.waiting.first_key_value()?.0;
        let (_, waiter) = self.enter(class).then(|| self.waiting.pop_first()).flatten()?;
        Some(waiter)
    }

    /// It waits no longer.
    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    fn may_wait(&self, class: Priority) -> bool {
        let last = self.waiting.last_key_value();
        let gives_way = last.is_some_and(|((last, _), _)| class < *last);
        self.waiting.len() < self.most_waiting || gives_way
    }
}

/// How many may be at work, this one included, for one of this class to begin.
fn room(most: usize, class: Priority) -> usize {
    let room = match class {
        Priority::Critical => most,
        Priority::Normal => most - most / 10,
        Priority::Batch => most / 2,
    };
    room.max(1)
}

#[cfg(test)]
impl<W> Places<W> {
    pub(super) fn count(&self) -> (usize, usize) {
        (self.at_work, self.waiting.len())
    }
}

#[cfg(test)]
mod tests;
