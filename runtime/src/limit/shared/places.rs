//! Places under limits on what is under way, where instances count together.
//!
//! Rules:
//! 1. a request takes its places under all limits of a step in one call, or takes none (`places.lua`);
//! 2. a place is held for half a minute, and for as long as its process says so every ten seconds: what a process held that
//!    died is free half a minute later, and what a counter forgot that lost its memory it knows again after ten seconds;
//! 3. a place is left as soon as the request has ended. That is said by the next request for it as well, so who asks again
//!    here finds it free; elsewhere a moment later;
//! 4. a call of which nobody knows what became of it is left like a place;
//! 5. what is let in while the counters cannot be asked holds its places as soon as they can;
//! 6. what could not be said in time is forgotten here, and its place ends by rule 2.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::{Counters, LONGEST};
use crate::limit::Few;
use crate::limit::name::Name;
use crate::state::StateError;

/// It may go wrong twice that a place is said to be held.
pub(super) const PACE: Pace = Pace { lease: Duration::from_secs(30), every: Duration::from_secs(10) };
/// Who does not answer is asked again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// How many places are told of in one call.
const AT_ONCE: u32 = 500;
/// How many are said to be left by a request that takes one.
const MOST_SAID: usize = 32;
/// Of what is to be left, no more is kept; half as much of what may never have been taken.
const MOST_LEFT: usize = 10_000;
/// A limit that has more places is not shared: each is a line in a sorted set.
pub(super) const MOST: u32 = 100_000;
/// Nor one of which a request takes more.
pub(super) const MOST_TAKEN: u32 = 100;

/// A counter, and how many of its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) name: Name,
    pub(crate) cost: u32,
}

/// One line of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(super) act: Act,
    /// The name of the request.
    pub(super) of: [u8; 16],
    pub(super) taken: Taken,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Of so many.
    Take(u32),
    Hold,
    Leave,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Room {
    /// Whether there was room under all counters.
    pub(super) found: bool,
    /// How many places of each are taken.
    pub(super) taken: Few<u32>,
}

/// How places are held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// For how long, without a word.
    pub(super) lease: Duration,
    /// How often there is one.
    pub(super) every: Duration,
}

/// The places that requests of this process hold.
pub(super) struct Places {
    desk: Arc<Desk>,
    keeper: Mutex<JoinHandle<()>>,
}

struct Desk {
    counters: Arc<dyn Counters>,
    pace: Pace,
    /// What the names of its requests begin with.
    process: [u8; 8],
    book: Mutex<Book>,
    woken: Notify,
}

#[derive(Default)]
struct Book {
    last: u64,
    held: HashMap<u64, Few<Taken>>,
    left: Vec<(u64, Few<Taken>)>,
}

/// Places that are held until this is dropped.
pub(crate) struct Lease {
    desk: Arc<Desk>,
    number: u64,
    taken: Few<Taken>,
    is_held: bool,
}

/// Where the counters stand, and the places, if there was room.
pub(crate) struct Came {
    pub(crate) taken: Few<u32>,
    pub(crate) lease: Option<Lease>,
}

impl Places {
    /// Its keeper works as long as this is there.
    pub(super) fn new(counters: Arc<dyn Counters>, pace: Pace) -> Result<Self, StateError> {
        let mut process = [0; 8];
        crate::random::fill(&mut process).map_err(|error| StateError::Engine(error.into()))?;
        let desk = Arc::new(Desk { counters, pace, process, book: Mutex::default(), woken: Notify::new() });
        let keeper = Mutex::new(tokio::spawn(Arc::clone(&desk).keep()));
        Ok(Self { desk, keeper })
    }

    /// It ends with the runtime that it was made in, and there may be another one.
    fn ensure_keeper(&self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if keeper.is_finished() {
            *keeper = tokio::spawn(Arc::clone(&self.desk).keep());
        }
    }

    /// Holds places that could not be asked for.
    pub(super) fn hold(&self, taken: Few<Taken>) -> Lease {
        self.ensure_keeper();
        let number = self.desk.book().next();
        Lease { desk: Arc::clone(&self.desk), number, taken, is_held: false }.held()
    }

    /// Says what is to be left before nobody does any more, within two seconds.
    pub(super) async fn settle(&self) {
        self.desk.tell_left(Instant::now() + AGAIN).await;
    }

    /// Takes places under all of these counters, of so many each, or under none.
    pub(super) async fn take(&self, wanted: &[(Taken, u32)], within: Duration) -> Result<Came, StateError> {
        self.ensure_keeper();
        let taken: Few<Taken> = wanted.iter().map(|(taken, _)| *taken).collect();
        let number = self.desk.book().next();
        // from here on it is left, whatever comes, unless it is held
        let mut lease = Lease { desk: Arc::clone(&self.desk), number, taken, is_held: false };
        let mut said = self.desk.left_of(&lease.taken);
        let take = |(taken, most): &(Taken, u32)| self.desk.said(Act::Take(*most), number, *taken);
        said.extend(wanted.iter().map(take));
        let Room { found, taken } = self.desk.counters.places(&said, self.desk.pace.lease, within).await?;
        if !found {
            lease.taken.clear(); // there is nothing to leave
            return Ok(Came { taken, lease: None });
        }
        Ok(Came { taken, lease: Some(lease.held()) })
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner).abort();
    }
}

impl Lease {
    fn held(mut self) -> Self {
        self.is_held = true;
        self.desk.book().held.insert(self.number, self.taken.clone());
        self
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.taken.is_empty() {
            return;
        }
        let mut book = self.desk.book();
        book.held.remove(&self.number);
        let most = if self.is_held { MOST_LEFT } else { MOST_LEFT / 2 };
        if book.left.len() < most {
            book.left.push((self.number, std::mem::take(&mut self.taken)));
        }
        drop(book);
        self.desk.woken.notify_one();
    }
}

/// Its counters have names that say nothing.
impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Book {
    fn next(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

impl Desk {
    /// Every change under the lock is whole, so a thread that died holding it leaves nothing half-done.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn said(&self, act: Act, number: u64, taken: Taken) -> Said {
        let mut of = [0; 16];
        let (process, request) = of.split_at_mut(8);
        process.copy_from_slice(&self.process);
        request.copy_from_slice(&number.to_be_bytes());
        Said { act, of, taken }
    }

    /// Rule 3: what is being left of these counters.
    fn left_of(&self, counters: &[Taken]) -> Vec<Said> {
        let book = self.book();
        let of_these = |taken: &&Taken| counters.iter().any(|one| one.name == taken.name);
        // those that left last are the ones that are not told of yet
        let left = book.left.iter().rev().flat_map(|(number, taken)| {
            taken.iter().filter(of_these).map(|taken| self.said(Act::Leave, *number, *taken))
        });
        left.take(MOST_SAID).collect()
    }

    async fn keep(self: Arc<Self>) {
        let mut due = Instant::now() + self.pace.every;
        loop {
            let told = self.tell_left(due).await;
            let wake = if told { due } else { due.min(Instant::now() + AGAIN) };
            tokio::select! {
                () = self.woken.notified(), if told => {}
                () = sleep_until(wake) => {}
            }
            if Instant::now() >= due {
                let pause = if self.tell_held().await { self.pace.every } else { AGAIN.min(self.pace.every) };
                due = Instant::now() + pause;
            }
        }
    }

    /// Whether all that was left has been said to be, or it is time for what is held.
    async fn tell_left(&self, until: Instant) -> bool {
        loop {
            let batch = first_of(self.book().left.iter());
            if batch.is_empty() || Instant::now() >= until {
                return true;
            }
            if !self.tell(Act::Leave, &batch).await {
                return false;
            }
            let told: HashSet<u64> = batch.iter().map(|(number, _)| *number).collect();
            self.book().left.retain(|(number, _)| !told.contains(number));
        }
    }

    /// Whether all arrived.
    async fn tell_held(&self) -> bool {
        let held: Vec<_> = self.book().held.iter().map(|(number, taken)| (*number, taken.clone())).collect();
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            let batch = first_of(rest.iter());
            if !self.tell(Act::Hold, &batch).await {
                return false;
            }
            rest = rest.get(batch.len()..).unwrap_or_default();
        }
        true
    }

    async fn tell(&self, act: Act, batch: &[(u64, Few<Taken>)]) -> bool {
        let lines = batch.iter().flat_map(|(number, taken)| taken.iter().map(|one| (*number, *one)));
        let said: Vec<Said> = lines.map(|(number, taken)| self.said(act, number, taken)).collect();
        self.counters.places(&said, self.pace.lease, LONGEST).await.is_ok()
    }
}

/// As many of these as are told of in one call, and one at least.
fn first_of<'b>(entries: impl Iterator<Item = &'b (u64, Few<Taken>)>) -> Vec<(u64, Few<Taken>)> {
    let mut places = 0_u32;
    let fits = |(_, taken): &&(u64, Few<Taken>)| {
        let before = places;
        places = taken.iter().fold(places, |all, one| all.saturating_add(one.cost));
        before == 0 || places <= AT_ONCE
    };
    entries.take_while(fits).cloned().collect()
}
