//! The one task that writes to a sink.
//!
//! Rules:
//! 1. a call has at most 64 events, of which at most half are to be stored before anything is done;
//! 2. a call that fails, panics or takes longer than a second is made again, after a pause that doubles from 100 ms to 5 s, with
//!    a half of it left to chance: instances do not all come back at once;
//! 3. what was to be stored at once is not: whoever waits for it is told, also during a pause, and it is not given again;
//! 4. whoever has left before it was given is not waited for: nothing was done;
//! 5. a server that ends does not wait for the pause. When nobody has events any more, what fails is given up.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::record::SecurityEvent;
use super::sink::{Book, EventSink, EventSinkError};

/// Rule 1.
const MOST: usize = 64;
/// Rule 2.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

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
    pause: Duration,
    chance: RandomState,
}

/// What is given in one call.
#[derive(Default)]
struct Batch {
    /// Those that are waited for first.
    events: Vec<SecurityEvent>,
    audits: Vec<oneshot::Sender<()>>,
    places: Vec<OwnedSemaphorePermit>,
    settle: Vec<oneshot::Sender<()>>,
}

enum Failure {
    Said(EventSinkError),
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
        Self { sink, queue, audits, book, pause: PAUSES.0, chance: RandomState::new() }
    }

    pub(super) async fn run(mut self) {
        while let Some(batch) = self.next().await {
            self.deliver(batch).await;
        }
    }

    async fn next(&mut self) -> Option<Batch> {
        let (mut batch, mut first) = (Batch::default(), None);
        tokio::select! {
            biased;
            Some(audit) = self.audits.recv() => batch.audit(audit),
            Some(item) = self.queue.recv() => first = Some(item),
            else => return None,
        }
        while batch.audits.len() < MOST / 2
            && let Ok(audit) = self.audits.try_recv()
        {
            batch.audit(audit);
        }
        first.into_iter().for_each(|item| batch.take(item));
        while batch.events.len() < MOST
            && let Ok(item) = self.queue.try_recv()
        {
            batch.take(item);
        }
        Some(batch)
    }

    /// Until all of it is stored.
    async fn deliver(&mut self, mut batch: Batch) {
        while !batch.events.is_empty() {
            let Err(failure) = self.write(&batch.events).await else {
                self.is_back();
                batch.stored();
                batch.events.extend(self.book.take_dropped());
                continue;
            };
            batch.refuse_audits(); // 3
            self.is_away(&failure);
            if self.queue.is_closed() {
                let count = batch.events.len();
                tracing::error!(target: "palisade::events", count, "security events are given up");
                return; // 5
            }
            self.rest().await;
        }
        batch.settle.into_iter().for_each(|tell| _ = tell.send(()));
    }

    async fn write(&self, events: &[SecurityEvent]) -> Result<(), Failure> {
        let writing = AssertUnwindSafe(async { self.sink.write(events).await }).catch_unwind();
        match timeout(PATIENCE, writing).await {
            Ok(Ok(said)) => said.map_err(Failure::Said),
            Ok(Err(_)) => Err(Failure::Panicked),
            Err(_) => Err(Failure::Late),
        }
    }

    fn is_back(&mut self) {
        self.pause = PAUSES.0;
        if self.book.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!(target: "palisade::events", "the sink of security events stores them again");
        }
    }

    fn is_away(&self, failure: &Failure) {
        if !self.book.is_away.swap(true, Ordering::Relaxed) {
            tracing::error!(
                target: "palisade::events", %failure,
                "security events wait for their sink; operations with `audit` are refused until it is back"
            );
        }
    }

    /// Rules 2, 3 and 5.
    async fn rest(&mut self) {
        let half = self.pause / 2;
        let part = self.chance.hash_one(Instant::now()) % 1024;
        let chance = half * u32::try_from(part).unwrap_or_default() / 1024;
        let ends = Instant::now() + half + chance;
        self.pause = self.pause.saturating_mul(2).min(PAUSES.1);
        let book = Arc::clone(&self.book);
        loop {
            tokio::select! {
                () = sleep_until(ends) => return,
                () = book.hurry.notified() => return self.pause = PAUSES.0,
                Some(audit) = self.audits.recv() => drop(audit),
            }
        }
    }
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

    fn audit(&mut self, Audit { event, tell }: Audit) {
        // 4
        if !tell.is_closed() {
            self.events.push(event);
            self.audits.push(tell);
        }
    }

    fn stored(&mut self) {
        self.events.clear();
        self.places.clear();
        self.audits.drain(..).for_each(|tell| _ = tell.send(()));
    }

    fn refuse_audits(&mut self) {
        self.events.drain(..self.audits.len().min(self.events.len()));
        self.audits.clear();
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(error) => error.fmt(f),
            Self::Panicked => f.write_str("it panicked"),
            Self::Late => f.write_str("it did not answer in time"),
        }
    }
}
