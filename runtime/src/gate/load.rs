//! How many handlers are at work, what waits for that, and what is refused when these are too many.
//!
//! Rules:
//! 1. handlers of every class are counted together: each takes of what all have;
//! 2. one of `batch` begins while fewer than half of the most are at work, one of `normal` while fewer than nine tenths are,
//!    one of `critical` while fewer than the most are;
//! 3. while none is at work each class is let in, whatever the most is: a setting sheds load and closes nothing;
//! 4. a request has a place from when all of it has been read until its handler has answered or ended, also when nobody waits
//!    for it any more. Who sends slowly has none: else one client could take all places and do nothing with them;
//! 5. what finds no place when its handler would begin waits for one for a moment, and not beyond its deadline: so a burst is
//!    served that is over at once. A tenth as many wait as are at work, and one at least;
//! 6. a place that is left goes to who waits: what matters more first, and who came first of a class, if its class may have
//!    one by rule 2. Nobody who comes later gets it instead, unless it matters more;
//! 7. when as many wait as may, the last of those that matter least gives way to one that matters more, and is refused;
//! 8. while there is no place for it, nor one to wait at, a request is refused when it comes, before anything is done for it.
//!    What loses the last to another meanwhile is refused when its handler would begin;
//! 9. who leaves while it waits has not been there: the place that it was just given goes to the next.

mod places;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use self::places::{Places, Ticket};
use crate::operation::Priority;

/// The handlers that are at work, and what waits. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    places: Shared,
    patience: Duration,
}

/// One that counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Place(Shared);

type Shared = Arc<Mutex<Places<oneshot::Sender<()>>>>;

impl Load {
    /// Of so many, for which others wait so long, or not at all.
    pub(super) fn new(most: usize, patience: Duration) -> Self {
        let most_waiting = if patience.is_zero() { 0 } else { (most / 10).max(1) };
        Self { places: Arc::new(Mutex::new(Places::new(most, most_waiting))), patience }
    }

    /// Whether one of this class would find a place, or one to wait at.
    pub(super) fn has_room(&self, class: Priority) -> bool {
        lock(&self.places).has_room(class)
    }

    /// A place for one of this class, while there is room for its class.
    pub(super) fn enter(&self, class: Priority) -> Option<Place> {
        lock(&self.places).enter(class).then(|| self.place())
    }

    /// The same, waited for until the deadline at most.
    pub(super) async fn wait(&self, class: Priority, deadline: Instant) -> Option<Place> {
        let mut waiter = match self.queue(class)? {
            Queued::Entered(place) => return Some(place),
            Queued::Waits(waiter) => waiter,
        };
        let until = deadline.min(Instant::now() + self.patience);
        let told = timeout_at(until, &mut waiter.told).await;
        matches!(told, Ok(Ok(()))).then(|| self.place()) // else 5 or 7
    }

    fn queue(&self, class: Priority) -> Option<Queued> {
        let mut places = lock(&self.places);
        if places.enter(class) {
            return Some(Queued::Entered(self.place()));
        }
        let (tell, told) = oneshot::channel();
        let ticket = places.wait(class, tell)?;
        Some(Queued::Waits(Waiter { places: Arc::clone(&self.places), ticket, told }))
    }

    fn place(&self) -> Place {
        Place(Arc::clone(&self.places))
    }
}

enum Queued {
    Entered(Place),
    Waits(Waiter),
}

/// One that waits. It is told under the lock: once it is no longer in the line, it has been told or never will be.
struct Waiter {
    places: Shared,
    ticket: Ticket,
    told: oneshot::Receiver<()>,
}

/// Rule 9.
impl Drop for Waiter {
    fn drop(&mut self) {
        lock(&self.places).forget(self.ticket);
        if self.told.try_recv().is_ok() {
            drop(Place(Arc::clone(&self.places)));
        }
    }
}

/// Rule 6.
impl Drop for Place {
    fn drop(&mut self) {
        let mut places = lock(&self.0);
        while places.leave().is_some_and(|waiter| waiter.send(()).is_err()) {}
    }
}

fn lock(places: &Shared) -> MutexGuard<'_, Places<oneshot::Sender<()>>> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
