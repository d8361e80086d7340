//! Where security events are stored besides the log.
//!
//! Rules:
//! 1. what happens is told to `tracing`, whatever becomes of the sink;
//! 2. no request waits for the sink, but for what is to be stored before it is done ([`Events::store`]);
//! 3. events wait in a queue of so many. What is not high has seven eighths of it: no flood takes the room of what is high. What is
//!    of low or medium severity is dropped and counted where it has none;
//! 4. audited events have an eighth more than all, for themselves, and take that first: what is high may be a flood as well. What
//!    is high, or audited, waits for room for 5 ms where there is none, beside its request, and goes to standard error then
//!    ([`Overflow`], one for each of the two);
//! 5. one task writes, in the order in which they came, and what failed again before what comes later ([`Writer`]). It outlives the
//!    runtime that it began in ([`Home`]);
//! 6. what is to be stored at once goes before what waits, so that no flood keeps it from being stored;
//! 7. `tracing` is told when dropping begins, and the sink how many were dropped, when there is room again. Where nobody has events any
//!    more, `tracing` is told how many the sink never got.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::home::Home;
use super::overflow::{Overflow, standard_error};
use super::record::SecurityEvent;
use super::writer::{Audit, Item, Writer};
use super::{Kind, Severity, tell};
use crate::authn::StoreFuture;
use crate::breaker::LeftAlone;

/// How many events wait, by default, and how many may.
const CAPACITY: usize = 4096;
const CAPACITIES: (usize, usize) = (64, 1 << 20);
/// How many wait at once to be stored before anything else is done.
const AUDITS: usize = 1024;
/// For how long one of these waits: for what is being written, and for itself.
const AUDIT_PATIENCE: Duration = Duration::from_secs(2);
/// For how long what is left is written when the server ends. All that is written then has two seconds.
const LAST: Duration = Duration::from_millis(1800);

/// Of the process: with its name it says which event one is, also where several sinks store in one place.
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

/// Where security events are stored: a table, a topic, a collector.
///
/// One call at a time, in the order in which events came. A call that takes longer than a second is given up, and counts as
/// failed. What failed is given again, perhaps with other events behind it or in several calls, until it is stored: an event that
/// was stored by a call that failed comes twice, under the same [`SecurityEvent::sequence`] of the same [`SecurityEvent::process`].
/// So an error says "not now"; what can never be stored is not one.
pub trait EventSink: Send + Sync + 'static {
    /// Stores them, at most 64, all or none. When this ends well they will not be lost.
    fn write<'a>(&'a self, events: &'a [SecurityEvent]) -> StoreFuture<'a, (), EventSinkError>;
}

/// Why events are not stored now.
#[derive(Debug)]
pub struct EventSinkError(Box<dyn Error + Send + Sync>);

impl EventSinkError {
    /// For this reason.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for EventSinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "events are not stored: {}", self.0)
    }
}

impl Error for EventSinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Security events on their way to a sink. Clones are the same.
///
/// For [`Settings::events_to`](crate::Settings::events_to), and for [`Readiness::events`](crate::Readiness::events). What
/// becomes of events while the sink is away: `docs/events.md`.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    queue: mpsc::UnboundedSender<Item>,
    audits: mpsc::Sender<Audit>,
    /// Bounds the queue.
    room: Arc<Semaphore>,
    /// What is left of it for what is high.
    reserve: usize,
    /// For audited events alone.
    audit_room: Arc<Semaphore>,
    overflow: Overflow,
    audit_overflow: Overflow,
    book: Arc<Book>,
    home: Arc<Home>,
    /// That what waited was not stored at the end is told.
    is_lost: AtomicBool,
}

/// What an event is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is dropped, and counted, where there is no room for it.
    Dropped,
    /// It is never dropped silently.
    Kept,
    /// Nor is this, whatever others there are.
    Audited,
}

impl From<Severity> for Worth {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low | Severity::Medium => Self::Dropped,
            Severity::High => Self::Kept,
        }
    }
}

/// What the writer and those who have events know of each other.
pub(super) struct Book {
    room: Arc<Semaphore>,
    capacity: usize,
    dropped: AtomicU64,
    is_dropping: AtomicBool,
    pub(super) is_away: AtomicBool,
    /// When the sink is asked again.
    again: Mutex<Option<Instant>>,
    /// Nobody waits until it is time to try again.
    pub(super) hurry: Notify,
}

impl<S: EventSink> From<S> for Events {
    fn from(sink: S) -> Self {
        Self::to(sink)
    }
}

impl Events {
    /// To this sink. 4096 events wait for it at most, and 512 more of audited calls, each of a few hundred bytes, and of 6 KiB at most.
    pub fn to(sink: impl EventSink) -> Self {
        Self::holding(CAPACITY, sink)
    }

    /// To this sink, with room for so many that wait: from 64 to 1 048 576, and for an eighth more of audited calls. Another number
    /// is the nearest of these.
    pub fn holding(events: usize, sink: impl EventSink) -> Self {
        Self::new(events.clamp(CAPACITIES.0, CAPACITIES.1), Arc::new(sink), standard_error)
    }

    pub(super) fn new(capacity: usize, sink: Arc<dyn EventSink>, last_resort: fn(&str)) -> Self {
        let (queue, items) = mpsc::unbounded_channel(); // bounded by `room`
        let (audits, first) = mpsc::channel(AUDITS);
        let room = Arc::new(Semaphore::new(capacity));
        let book = Arc::new(Book {
            room: Arc::clone(&room),
            capacity,
            dropped: AtomicU64::new(0),
            is_dropping: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            again: Mutex::new(None),
            hurry: Notify::new(),
        });
        let audit_room = Arc::new(Semaphore::new(share(capacity)));
        let overflow = Overflow::new(queue.downgrade(), Arc::clone(&room), last_resort, &book);
        let audit_overflow = Overflow::new(queue.downgrade(), Arc::clone(&audit_room), last_resort, &book);
        let home = Home::of(Writer::new(sink, items, first, Arc::clone(&book)));
        let (reserve, is_lost) = (share(capacity), AtomicBool::new(false));
        let shared = Shared {
            queue,
            audits,
            room,
            reserve,
            audit_room,
            overflow,
            audit_overflow,
            book,
            home,
            is_lost,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Whether what it was given last was stored.
    pub(crate) fn answers(&self) -> bool {
        !self.shared.book.is_away.load(Ordering::Relaxed)
    }

    /// Writes from now on, where there is a runtime to do so. What came before has waited. What is lost at the end of who starts it is
    /// told again.
    pub(crate) fn start(&self) {
        self.shared.is_lost.store(false, Ordering::Relaxed);
        self.shared.home.send_out();
    }

    /// One more, which is stored when it can be (rules 3 and 4). It is made where there is room for it: a flood costs little.
    pub(crate) fn push(&self, worth: Worth, event: impl FnOnce() -> SecurityEvent) {
        self.queue(worth, event);
        self.shared.home.send_out(); // a runtime may have ended meanwhile
    }

    fn queue(&self, worth: Worth, event: impl FnOnce() -> SecurityEvent) {
        let Shared { queue, overflow, audit_overflow, book, .. } = &*self.shared;
        let sequence = Book::next();
        let place = self.place(worth);
        if place.is_none() && worth == Worth::Dropped {
            return book.drop_one();
        }
        let event = SecurityEvent { sequence, ..event() };
        match (place, worth) {
            (Some(place), _) => {
                if queue.send(Item::Event(event, place)).is_err() {
                    book.drop_one(); // never: there is a writer as long as there is this
                }
            }
            (None, Worth::Audited) => audit_overflow.take(event),
            (None, _) => overflow.take(event),
        }
    }

    fn place(&self, worth: Worth) -> Option<OwnedSemaphorePermit> {
        let Shared { room, reserve, audit_room, .. } = &*self.shared;
        let of = |room: &Arc<Semaphore>| Arc::clone(room).try_acquire_owned().ok();
        let beside_reserve = || if room.available_permits() > *reserve { of(room) } else { None };
        match worth {
            Worth::Dropped => beside_reserve(),
            Worth::Kept => of(room),
            Worth::Audited => of(audit_room).or_else(beside_reserve),
        }
    }

    /// One that is stored when this ends well (rule 6).
    pub(crate) async fn store(&self, mut event: SecurityEvent) -> Result<(), NotStored> {
        event.sequence = Book::next();
        let (tell, stored) = oneshot::channel();
        _ = self.shared.audits.try_send(Audit { event, tell }); // dropped where there is no place: it is not stored
        self.shared.home.send_out();
        match timeout(AUDIT_PATIENCE, stored).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(NotStored(self.shared.book.left_alone())),
        }
    }

    /// Ends when what waits is written, in bounded time.
    pub(crate) async fn settle(&self) {
        self.shared.home.send_out();
        let Shared { queue, room, audit_room, overflow, audit_overflow, book, .. } = &*self.shared;
        let writing = async {
            book.hurry.notify_one();
            tokio::join!(overflow.settle(), audit_overflow.settle()); // what has no room yet comes before
            let (tell, written) = oneshot::channel();
            let asked = queue.send(Item::Settle(tell));
            book.hurry.notify_one();
            asked.is_ok() && written.await.is_ok()
        };
        let is_lost = !timeout(LAST, writing).await.unwrap_or(false);
        // a server and its service may have the same
        if is_lost && !self.shared.is_lost.swap(true, Ordering::Relaxed) {
            let free = room.available_permits().saturating_add(audit_room.available_permits());
            let lost = book.capacity.saturating_add(share(book.capacity)).saturating_sub(free);
            let lost = lost.saturating_add(overflow.waiting()).saturating_add(audit_overflow.waiting());
            let lost = u64::try_from(lost).unwrap_or(u64::MAX);
            let lost = lost.saturating_add(book.dropped.load(Ordering::Relaxed));
            tracing::error!(
                target: "palisade::events", count = lost,
                "the server ends, and security events are not stored that it has for its sink"
            );
        }
    }
}

/// What some of the events have for themselves.
const fn share(capacity: usize) -> usize {
    capacity / 8
}

/// It is not known to be stored. The sink is left alone for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotStored(pub(crate) LeftAlone);

impl Book {
    fn next() -> u64 {
        SEQUENCE.fetch_add(1, Ordering::Relaxed)
    }

    /// The sink is asked again then, and not before.
    pub(super) fn leave_alone(&self, until: Instant) {
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    fn left_alone(&self) -> LeftAlone {
        let until = *self.again.lock().unwrap_or_else(PoisonError::into_inner);
        LeftAlone(until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now())))
    }

    /// Rule 7.
    pub(super) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if !self.is_dropping.swap(true, Ordering::Relaxed) {
            tell(|| {
                tracing::error!(
                    target: "palisade::events",
                    "security events are dropped: more of them wait for their sink than there is room for"
                );
            });
        }
    }

    /// So many are never stored.
    pub(super) fn lose(&self, count: usize) {
        self.dropped.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What the sink is told of those that were dropped, once there is room again.
    pub(super) fn take_dropped(&self) -> Option<SecurityEvent> {
        if self.dropped.load(Ordering::Relaxed) == 0 || self.room.available_permits() < self.capacity / 2 {
            return None;
        }
        self.is_dropping.store(false, Ordering::Relaxed);
        let count = self.dropped.swap(0, Ordering::Relaxed);
        let kind = Kind { event_type: "sys_events_dropped", severity: Severity::High };
        let event = SecurityEvent {
            sequence: Book::next(),
            failure_reason: Some("no_room_for_those_that_wait".into()),
            count: Some(count),
            ..SecurityEvent::of(kind)
        };
        tracing::error!(target: "palisade::events", count, "security events were dropped");
        Some(event)
    }
}

/// Nobody has events for this sink any more, and nothing writes them.
impl Drop for Book {
    fn drop(&mut self) {
        let count = *self.dropped.get_mut();
        if count > 0 {
            tell(|| {
                tracing::error!(
                    target: "palisade::events", count,
                    "security events are given up: nobody has any more, and their sink has not got these"
                );
            });
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("capacity", &self.shared.book.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
