//! How much memory answers take that their clients have not taken: how long that is, a client decides, within the time that
//! [`Settings::write_timeout`](crate::Settings::write_timeout) gives for each step.
//!
//! Rules:
//! 1. an answer counts with all of its bytes from when it is made until the last of them has left or its connection is closed. One
//!    of up to 16 KiB does not count, nor does one that is streamed: that much of either is ahead anyway;
//! 2. while those of one network (an address, or an IPv6 /64) have an eighth of what a setting says, its next request is refused
//!    (503); so is everybody's while all of them together have it, and while they have a half of it, that of callers who were not
//!    authenticated;
//! 3. a request is refused before its handler runs. What many that came at once answer goes by rule 2 again, with 503 in its
//!    place, where the method is safe (RFC 9110 section 9.2.1) or the answer is one that is kept: either may be asked for again.
//!    What had effects is told in any case, for it was done, and counts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limit::seen::Network;
use crate::problem::Rejection;

/// Rule 1.
const AHEAD: u64 = 16 << 10;
/// Rule 2.
const SHARES: u64 = 8;

/// What all answers of a server take. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Unread {
    most: u64,
    waiting: Arc<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    all: AtomicU64,
    /// Only of those that have something.
    of: Mutex<HashMap<Network, u64>>,
}

/// An answer that counts until the last clone of this is dropped: it goes with the bytes.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    _answer: Arc<One>,
}

#[derive(Debug)]
struct One {
    unread: Unread,
    network: Network,
    bytes: u64,
}

impl Unread {
    pub(super) fn new(most: usize) -> Self {
        Self { most: u64::try_from(most).unwrap_or(u64::MAX), waiting: Arc::default() }
    }

    /// Whether another request of this network may come (rule 2).
    pub(super) fn lets_in(&self, network: Network) -> bool {
        // mostly nothing waits, and nobody waits for the lock
        self.all() == 0 || self.has_room(&self.of(), network, true)
    }

    /// Whether its handler may run, now that it is known who calls.
    pub(super) fn lets_run(&self, network: Network, is_known: bool) -> bool {
        self.all() == 0 || self.has_room(&self.of(), network, is_known)
    }

    fn has_room(&self, of: &HashMap<Network, u64>, network: Network, is_known: bool) -> bool {
        let all = self.all();
        let is_below_share = of.get(&network).is_none_or(|bytes| *bytes < self.most / SHARES);
        all == 0 || (all < self.most && is_below_share && (is_known || all <= self.most / 2))
    }

    /// Counts an answer of so many bytes to what had effects. `None`: it is one that does not count.
    pub(super) fn count(&self, network: Network, bytes: Option<u64>) -> Option<Counted> {
        let bytes = bytes.filter(|bytes| *bytes > AHEAD)?;
        Some(self.add(&mut self.of(), network, bytes))
    }

    /// The same of one that may be asked for again.
    ///
    /// # Errors
    /// [`Rejection::Unread`] when there is no room for it (rule 3).
    pub(super) fn offer(
        &self,
        network: Network,
        is_known: bool,
        bytes: Option<u64>,
    ) -> Result<Option<Counted>, Rejection> {
        let Some(bytes) = bytes.filter(|bytes| *bytes > AHEAD) else { return Ok(None) };
        let mut of = self.of(); // nobody comes between the look and the count
        match self.has_room(&of, network, is_known) {
            true => Ok(Some(self.add(&mut of, network, bytes))),
            false => Err(Rejection::Unread),
        }
    }

    fn add(&self, of: &mut HashMap<Network, u64>, network: Network, bytes: u64) -> Counted {
        self.waiting.all.fetch_add(bytes, Ordering::Relaxed);
        let share = of.entry(network).or_default();
        *share = share.saturating_add(bytes);
        Counted { _answer: Arc::new(One { unread: self.clone(), network, bytes }) }
    }

    fn all(&self) -> u64 {
        self.waiting.all.load(Ordering::Relaxed)
    }

    fn of(&self) -> MutexGuard<'_, HashMap<Network, u64>> {
        // it is changed whole or not at all
        self.waiting.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.unread.waiting.all.fetch_sub(self.bytes, Ordering::Relaxed);
        let mut of = self.unread.of();
        match of.get(&self.network).map_or(0, |bytes| bytes.saturating_sub(self.bytes)) {
            0 => of.remove(&self.network),
            left => of.insert(self.network, left),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Network = Network::V4([192, 0, 2, 1]);

    fn there(last: u8) -> Network {
        Network::V4([198, 51, 100, last])
    }

    #[test]
    fn one_network_has_a_share_and_strangers_a_half() {
        let unread = Unread::new(8 << 20);
        let first = unread.count(HERE, Some((1 << 20) - 1)).unwrap();
        assert!(unread.lets_run(HERE, false), "a byte is left of its share");
        let second = unread.count(HERE, Some(1 << 20)).unwrap();
        assert!(!unread.lets_in(HERE) && unread.lets_in(there(1)));
        let others: Vec<_> = (1..=2).map(|last| unread.count(there(last), Some(1 << 20)).unwrap()).collect();
        assert!(unread.lets_run(there(9), true) && unread.lets_run(there(9), false));
        let more = unread.count(there(4), Some(1 << 20));
        assert!(unread.lets_run(there(9), true) && !unread.lets_run(there(9), false), "beyond a half");
        let rest: Vec<_> = (5..=7).map(|last| unread.count(there(last), Some(1 << 20)).unwrap()).collect();
        assert!(unread.lets_in(there(9)));
        let last = unread.count(there(8), Some(1 << 20));
        assert!(!unread.lets_in(there(9)), "all is taken");
        drop((first, second, others, more, rest, last));
        assert!(unread.all() == 0 && unread.of().is_empty());
    }

    #[test]
    fn what_many_answer_at_once_goes_where_there_is_no_room_unless_it_was_done() {
        let unread = Unread::new(8 << 20);
        let offer = |from: Network, is_known: bool| unread.offer(from, is_known, Some(700 << 10));
        let held = [offer(HERE, false).unwrap(), offer(HERE, false).unwrap()];
        assert!(matches!(offer(HERE, true), Err(Rejection::Unread)), "its share is taken");
        assert!(matches!(unread.offer(HERE, false, Some(AHEAD)), Ok(None)));
        let done = unread.count(HERE, Some(4 << 20)).unwrap();
        assert!(matches!(offer(there(1), false), Err(Rejection::Unread)), "beyond a half");
        assert!(offer(there(1), true).is_ok_and(|counted| counted.is_some()));
        drop((held, done));
        assert!(unread.all() == 0 && unread.of().is_empty());
    }

    #[test]
    fn short_answers_and_streams_do_not_count_and_what_goes_on_does() {
        let unread = Unread::new(0);
        assert!(unread.count(HERE, Some(AHEAD)).is_none() && unread.count(HERE, None).is_none());
        let unread = Unread::new(1 << 20);
        let answer = unread.count(HERE, Some(1 << 20)).unwrap();
        let piece = answer.clone();
        drop(answer);
        assert!(!unread.lets_in(HERE), "a piece of it has not left");
        drop(piece);
        assert!(unread.lets_in(HERE));
    }
}
