//! What must be told, and finds no room in the queue.
//!
//! Rules:
//! 1. it waits for room for 5 ms, beside its request, and at most 64 do;
//! 2. after that it is a line of JSON on standard error, a hundred in a second at most;
//! 3. what is beyond that is dropped, and counted; so is what waits when its runtime ends, and what cannot be said;
//! 4. a server that ends waits for those who wait, for a moment: what finds room then is written as well.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};

use super::record::SecurityEvent;
use super::sink::Book;
use super::writer::Item;

/// Rule 1.
const PATIENCE: Duration = Duration::from_millis(5);
const WAITING: usize = 64;
/// Rule 4.
const MOMENT: Duration = Duration::from_millis(1);
/// Rule 2.
const LINES: u32 = 100;

pub(super) struct Overflow {
    /// Weak, so that who waits does not keep the writer waiting for more.
    queue: mpsc::WeakUnboundedSender<Item>,
    room: Arc<Semaphore>,
    places: Arc<Semaphore>,
    last: Arc<LastResort>,
}

struct LastResort {
    tell: fn(&str),
    lines: Mutex<(Instant, u32)>,
    book: Arc<Book>,
}

impl Overflow {
    pub(super) fn new(
        queue: mpsc::WeakUnboundedSender<Item>,
        room: Arc<Semaphore>,
        tell: fn(&str),
        book: &Arc<Book>,
    ) -> Self {
        let lines = Mutex::new((Instant::now(), 0));
        let last = Arc::new(LastResort { tell, lines, book: Arc::clone(book) });
        Self { queue, room, places: Arc::new(Semaphore::new(WAITING)), last }
    }

    pub(super) fn take(&self, event: SecurityEvent) {
        let (Ok(runtime), Ok(place)) = (Handle::try_current(), Arc::clone(&self.places).try_acquire_owned())
        else {
            return self.last.book.drop_one(); // 3
        };
        let waiting = Waiting { event: Some(event), last: Arc::clone(&self.last), _place: place };
        runtime.spawn(waiting.find_room(self.queue.clone(), Arc::clone(&self.room)));
    }

    /// Ends when none waits any more, or a moment after none may. Rule 4.
    pub(super) async fn settle(&self) {
        // it takes none of the places: others may come meanwhile
        let none_waits = async {
            while self.waiting() > 0 {
                sleep(MOMENT).await;
            }
        };
        _ = timeout(PATIENCE * 4, none_waits).await; // nobody may read what is said then
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        WAITING.saturating_sub(self.places.available_permits())
    }
}

/// What waits for room. Dropped before anybody has it, it is counted.
struct Waiting {
    event: Option<SecurityEvent>,
    last: Arc<LastResort>,
    _place: OwnedSemaphorePermit,
}

impl Waiting {
    async fn find_room(mut self, queue: mpsc::WeakUnboundedSender<Item>, room: Arc<Semaphore>) {
        let found = timeout(PATIENCE, room.acquire_owned()).await; // 1
        if let Ok(Ok(room)) = found
            && let Some(queue) = queue.upgrade()
            && let Some(event) = self.event.take()
        {
            if queue.send(Item::Event(event, room)).is_err() {
                self.last.book.drop_one();
            }
        } else if self.last.may_tell() {
            // nobody may read what the process says
            _ = tokio::task::spawn_blocking(move || self.say()).await;
        }
    }

    fn say(mut self) {
        let line = self.event.as_ref().map(SecurityEvent::line);
        (self.last.tell)(&line.unwrap_or_default());
        self.event = None;
    }
}

/// Rule 3.
impl Drop for Waiting {
    fn drop(&mut self) {
        if self.event.is_some() {
            self.last.book.drop_one();
        }
    }
}

impl LastResort {
    /// Rule 2.
    fn may_tell(&self) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.0.elapsed() >= Duration::from_secs(1) {
            *lines = (Instant::now(), 0);
        }
        lines.1 = lines.1.saturating_add(1);
        lines.1 <= LINES
    }
}

/// Says a line where whoever runs the process reads it.
pub(super) fn standard_error(line: &str) {
    _ = io::stderr().write_all(line.as_bytes()); // there is nowhere else to say that it fails
}
