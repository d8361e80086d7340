//! The one task that writes to a sink.
//!
//! Rules:
//! 1. a call has at most 64 events, of which at most half are to be stored before anything is done. Where one is given at a time,
//!    every other is;
//! 2. a call that fails, panics or takes longer than a second is made again, after a pause that doubles from 100 ms to 5 s, with
//!    a half of it left to chance: instances do not all come back at once. It is the pause of a writer that panics as well;
//! 3. after a full call that took longer than that, half as many are given, down to one: a sink may be slow, and a burst would keep
//!    it away for ever. One of fewer may have been bad luck, and has to be late twice in a row. After a full call in less than half
//!    of a second twice as many are given again, and one more after one in less than three quarters: nearer to the second, a sink
//!    that takes its time for each event would be late again;
//! 4. what was to be stored at once is not, when a call fails: whoever waits for it is told, and it is not given again. So is who
//!    comes during a pause, or while events are given again to a sink that is away;
//! 5. whoever has left before it was given is not waited for: nothing was done;
//! 6. a server that ends does not wait for the pause. When nobody has events any more, what fails is given again for five seconds more;
//! 7. what it has when it is given up is counted, and told of with what was dropped before.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::record::SecurityEvent;
use super::sink::{Book, EventSink};
use super::tell; // a log that panics is no failure of the sink

/// Rule 1.
const MOST: usize = 64;
/// Rule 2.
const PATIENCE: Duration = Duration::from_secs(1);
/// Rule 3.
const FAST: Duration = Duration::from_millis(500);
const IN_TIME: Duration = Duration::from_millis(750);
/// Rule 2.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Rule 6.
const AT_LAST: Duration = Duration::from_secs(5);

/// What waits in the queue.
#[expect(clippy::large_enum_variant, reason = "nearly all are of it")]
pub(super) enum Item {
    /// With its place there.
    Event(SecurityEvent, OwnedSemaphorePermit),
    /// Somebody waits for all before it.
    Settle(oneshot::Sender<()>),
}

/// What is to be stored before anything is done.
pub(super) struct Audit {
    pub(super) event: SecurityEvent,
    /// Dropped: it is not stored.
    pub(super) tell: oneshot::Sender<()>,
}

pub(super) struct Writer {
    sink: Arc<dyn EventSink>,
    queue: mpsc::UnboundedReceiver<Item>,
    audits: mpsc::Receiver<Audit>,
    book: Arc<Book>,
    batch: Batch,
    /// How many are given in one call.
    most: usize,
    pause: Duration,
    chance: RandomState,
    /// The last call had events that somebody waits for.
    had_audits: bool,
    /// It ran before, in a runtime that has ended since.
    has_ended: bool,
    /// When it is given up, now that nobody has events any more.
    ends: Option<Instant>,
}

/// What is given next, and not stored yet.
#[derive(Default)]
struct Batch {
    /// Those that are waited for first.
    events: Vec<SecurityEvent>,
    audits: Vec<oneshot::Sender<()>>,
    places: Vec<OwnedSemaphorePermit>,
    settle: Vec<oneshot::Sender<()>>,
}

enum Failure {
    Said(String),
    Panicked,
    Late,
}

impl Writer {
    pub(super) fn new(
        sink: Arc<dyn EventSink>,
        queue: mpsc::UnboundedReceiver<Item>,
        audits: mpsc::Receiver<Audit>,
        book: Arc<Book>,
    ) -> Self {
        let (batch, chance) = (Batch::default(), RandomState::new());
        let (most, pause) = (MOST, PAUSES.0);
        let (had_audits, has_ended, ends) = (false, false, None);
        Self { sink, queue, audits, book, batch, most, pause, chance, had_audits, has_ended, ends }
    }

    pub(super) async fn run(&mut self) {
        if std::mem::take(&mut self.has_ended) {
            tell(|| {
                tracing::warn!(
                    target: "palisade::events",
                    "the task that stored security events has ended before them: another one goes on"
                );
            });
        }
        self.batch.refuse_audits(); // nobody waits for them any more
        while self.fill().await {
            let (given, began) = (self.batch.events.len().min(self.most), Instant::now());
            self.had_audits = !self.batch.audits.is_empty();
            match self.write(given).await {
                Ok(()) => self.is_stored(given, began.elapsed()),
                Err(failure) => {
                    let again = self.put_off();
                    self.is_away(given, &failure);
                    if !self.rest(again).await {
                        return;
                    }
                }
            }
        }
    }

    /// Ends when there is something to give. False: there will be nothing any more.
    async fn fill(&mut self) -> bool {
        if self.batch.events.is_empty()
            && self.room_for_audits() == 0
            && let Ok(item) = self.queue.try_recv()
        {
            self.batch.take(item);
        }
        while self.batch.events.is_empty() {
            self.batch.settle.drain(..).for_each(|tell| _ = tell.send(()));
            tokio::select! {
                biased;
                Some(audit) = self.audits.recv() => self.batch.audit(audit),
                Some(item) = self.queue.recv() => self.batch.take(item),
                else => return false,
            }
        }
        while !self.gives_again()
            && self.batch.audits.len() < self.room_for_audits()
            && let Ok(audit) = self.audits.try_recv()
        {
            self.batch.audit(audit);
        }
        // who waits for all before it does not wait for what comes later
        while self.batch.settle.is_empty()
            && self.batch.events.len() < self.most
            && let Ok(item) = self.queue.try_recv()
        {
            self.batch.take(item);
        }
        true
    }

    /// Rule 1.
    fn room_for_audits(&self) -> usize {
        if self.most == 1 { usize::from(!self.had_audits) } else { self.most / 2 }
    }

    /// Whether a call of so many has as many as it may.
    fn is_full(&self, given: usize) -> bool {
        given == self.most || self.batch.audits.len() >= self.room_for_audits()
    }

    /// Whether the sink is away, and has events to be given again: nobody waits for what comes of that. Rule 4.
    fn gives_again(&self) -> bool {
        self.book.is_away.load(Ordering::Relaxed) && self.batch.audits.is_empty()
    }

    async fn write(&mut self, given: usize) -> Result<(), Failure> {
        let gives_again = self.gives_again();
        let events = self.batch.events.get(..given).unwrap_or_default();
        let mut writing = pin!(attempt(&*self.sink, events));
        loop {
            tokio::select! {
                biased;
                written = &mut writing => return written,
                Some(audit) = self.audits.recv(), if gives_again => drop(audit),
            }
        }
    }

    fn is_stored(&mut self, given: usize, took: Duration) {
        self.pause = PAUSES.0;
        // 3
        if self.is_full(given) && took < IN_TIME {
            let more = if took < FAST { self.most } else { 1 };
            self.most = self.most.saturating_add(more).min(MOST);
        }
        self.batch.stored(given);
        if self.book.is_away.swap(false, Ordering::Relaxed) {
            tell(
                || tracing::info!(target: "palisade::events", "the sink of security events stores them again"),
            );
        }
        self.batch.events.extend(self.book.take_dropped());
    }

    fn is_away(&mut self, given: usize, failure: &Failure) {
        let was_away = self.book.is_away.swap(true, Ordering::Relaxed);
        if matches!(failure, Failure::Late) && (was_away || self.is_full(given)) {
            self.most = (self.most / 2).max(1); // 3
        }
        self.batch.refuse_audits(); // 4
        if !was_away {
            tell(|| {
                tracing::error!(
                    target: "palisade::events", %failure,
                    "security events wait for their sink; operations with `audit` are refused until it is back"
                );
            });
        }
    }

    /// The runtime ends before it does.
    pub(super) fn has_ended(&mut self) {
        self.has_ended = true;
    }

    /// What comes out of it is no failure of the sink that is known. Ends when it is time to go on; false: it is given up.
    pub(super) async fn has_panicked(&mut self) -> bool {
        self.book.is_away.store(true, Ordering::Relaxed);
        self.batch.refuse_audits(); // 4
        let again = self.put_off();
        tell(
            || tracing::error!(target: "palisade::events", "the task that stores security events has panicked"),
        );
        self.rest(again).await
    }

    /// When the sink is asked again. Rule 2.
    fn put_off(&mut self) -> Instant {
        let half = self.pause / 2;
        let part = self.chance.hash_one(Instant::now()) % 1024;
        let chance = half * u32::try_from(part).unwrap_or_default() / 1024;
        let again = Instant::now() + half + chance;
        self.pause = self.pause.saturating_mul(2).min(PAUSES.1);
        self.book.leave_alone(again);
        again
    }

    /// Rules 4 and 6. False: it is given up.
    async fn rest(&mut self, again: Instant) -> bool {
        if self.queue.is_closed() && *self.ends.get_or_insert_with(|| Instant::now() + AT_LAST) < again {
            return false;
        }
        let book = Arc::clone(&self.book);
        loop {
            tokio::select! {
                () = sleep_until(again) => return true,
                () = book.hurry.notified() => {
                    self.pause = PAUSES.0;
                    return true;
                }
                Some(audit) = self.audits.recv() => drop(audit),
            }
        }
    }
}

/// Rule 7.
impl Drop for Writer {
    fn drop(&mut self) {
        self.batch.refuse_audits();
        let queued = std::iter::from_fn(|| self.queue.try_recv().ok());
        let queued = queued.filter(|item| matches!(item, Item::Event(..))).count();
        self.book.lose(self.batch.events.len().saturating_add(queued));
    }
}

/// One call. What it drops and how it says that it fails is of the sink as well, and may panic.
async fn attempt(sink: &dyn EventSink, events: &[SecurityEvent]) -> Result<(), Failure> {
    let attempt = async {
        match timeout(PATIENCE, sink.write(events)).await {
            Ok(said) => said.map_err(|error| Failure::Said(error.to_string())),
            Err(_) => Err(Failure::Late),
        }
    };
    AssertUnwindSafe(attempt).catch_unwind().await.unwrap_or(Err(Failure::Panicked))
}

impl Batch {
    fn take(&mut self, item: Item) {
        match item {
            Item::Event(event, place) => {
                self.events.push(event);
                self.places.push(place);
            }
            Item::Settle(tell) => self.settle.push(tell),
        }
    }

    /// Before all that nobody waits for.
    fn audit(&mut self, Audit { event, tell }: Audit) {
        // 5
        if !tell.is_closed() {
            self.events.insert(self.audits.len(), event);
            self.audits.push(tell);
        }
    }

    fn stored(&mut self, given: usize) {
        let audits = given.min(self.audits.len());
        self.events.drain(..given);
        self.places.drain(..given.saturating_sub(audits).min(self.places.len())); // that some were dropped has none
        self.audits.drain(..audits).for_each(|tell| _ = tell.send(()));
    }

    fn refuse_audits(&mut self) {
        self.events.drain(..self.audits.len().min(self.events.len()));
        self.audits.clear();
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(error) => f.write_str(error),
            Self::Panicked => f.write_str("it panicked"),
            Self::Late => f.write_str("it did not answer in time"),
        }
    }
}
