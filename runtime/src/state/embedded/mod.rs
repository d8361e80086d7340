//! The embedded engine: a file of this process alone, which outlasts it.
//!
//! Rules:
//! 1. one thread writes, so a change sees all that were made before it; it commits many at a time, and each is answered
//!    when its commit is on the disk;
//! 2. a change whose caller has gone before its turn is not made;
//! 3. records end by the time of the file (`time`), in milliseconds, rounded up: what is shorter counts as one. The file knows
//!    the latest time at which it was written; a process whose clock is before that is refused everything: it was set back,
//!    and nobody knows which records ended;
//! 4. sweeping is bounded in each commit, and happens in the background. A record that ended counts as absent before it is swept;
//! 5. a file that failed once is not written again before it is opened anew;
//! 6. what waits for the writer is bounded, in changes and in bytes. What finds no place waits in its caller, in bounded time. A
//!    change that is shorter than a kibibyte waits for none, so that a revocation does not stand behind answers: its number
//!    bounds it.

mod outage;
mod records;
#[cfg(test)]
mod tests;
mod time;
mod writer;

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use redb::{Database, DatabaseError, ReadableDatabase};
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::{
    outage::Outage,
    time::{Millis, Time},
    writer::{Change, Writer},
};
use super::room::Room;
use super::{Engine, Expected, Key, Next, Record, StateError, Swapped};
use crate::{authn::StoreFuture, clock::Clock};

/// Changes that wait for the writer.
const WAITING: usize = 1024;
/// Kibibytes of their values, and of those that are being written. A disk that hangs keeps them also when nobody waits any more.
const WAITING_KIBIBYTES: u32 = 64 << 10;
/// Of a record, in bytes.
const AVERAGE: u64 = 40 << 10;
/// Memory for pages of the file.
const CACHE: usize = 64 << 20;

pub(super) struct Embedded {
    file: Arc<Database>,
    time: Arc<Time>,
    /// `None` only while it is dropped.
    changes: Option<mpsc::Sender<Change>>,
    /// Kibibytes that may wait beside those that do (rule 6).
    waiting: Arc<Semaphore>,
    outage: Arc<Outage>,
    writer: Option<JoinHandle<()>>,
}

impl Embedded {
    pub(super) fn open(path: &Path, records: usize, clock: Clock) -> Result<Self, StateError> {
        make_private(path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
        let opened = Database::builder().set_cache_size(CACHE).create(path);
        let file = Arc::new(opened.map_err(|error| not_opened(path, &error))?);
        self::records::prepare(&file)?;
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let (changes, waiting) = mpsc::channel(WAITING);
        let time = Arc::new(Time::of(clock));
        let outage = Arc::new(Outage::of(path));
        let room = Room::of(records, AVERAGE);
        let writer = Writer::new(Arc::clone(&file), room, Arc::clone(&time), Arc::clone(&outage));
        let writer = thread::Builder::new()
            .name("palisade-state".to_owned())
            .spawn(move || timer.block_on(writer.run(waiting)))
            .map_err(failed)?;
        let places = Arc::new(Semaphore::new(WAITING_KIBIBYTES as usize));
        Ok(Self { file, time, changes: Some(changes), waiting: places, outage, writer: Some(writer) })
    }

    /// Its thread is there as long as this is, unless it panicked.
    fn ended(&self) -> StateError {
        let error = failed("the writer of the file has ended");
        self.outage.tell(&error);
        error
    }
}

impl Engine for Embedded {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        let (file, time, outage) = (Arc::clone(&self.file), Arc::clone(&self.time), Arc::clone(&self.outage));
        let find = move || {
            let read = file.begin_read().map_err(failed).and_then(|seen| records::read(&seen, key, &time));
            read.inspect_err(|error| {
                outage.is_that(error, &file);
            })
        };
        // a page that is not in memory is read from the disk: not on a thread that serves
        Box::pin(async { tokio::task::spawn_blocking(find).await.map_err(failed)? })
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let changes = self.changes.as_ref().ok_or_else(|| self.ended())?;
            let place = match kibibytes(&next) {
                0 => None,
                length => {
                    let place = Arc::clone(&self.waiting).acquire_many_owned(length).await;
                    Some(place.map_err(|_| self.ended())?)
                }
            };
            changes.send(Change { key, expected, next, answer, place }).await.map_err(|_| self.ended())?;
            answered.await.map_err(|_| self.ended())?
        })
    }
}

impl Drop for Embedded {
    /// Waits for the commit that is under way, so that the file may be opened again.
    fn drop(&mut self) {
        self.changes = None;
        if let Some(writer) = self.writer.take() {
            // it has nobody left to tell that it failed
            drop(writer.join());
        }
    }
}

/// The file, new or not, for its owner alone when it is new: values may be what clients sent.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    // its name must last as well
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn not_opened(path: &Path, error: &DatabaseError) -> StateError {
    let path = path.display();
    match error {
        DatabaseError::DatabaseAlreadyOpen => failed(format!(
            "{path} is open already: it is for one process and one `State`, whose clones share it; several servers share \
             their state through Redis"
        )),
        error => failed(format!("{path}: {error}")),
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StateError {
    StateError::Engine(error.into())
}

/// That a change waits for (rule 6), rounded up.
fn kibibytes(next: &Next) -> u32 {
    match next {
        Next::Record { value, .. } if value.len() >= 1024 => {
            // a `State` takes a mebibyte at most: who waited for more than there are would wait for ever
            u32::try_from(value.len().div_ceil(1024)).unwrap_or(WAITING_KIBIBYTES)
        }
        Next::Record { .. } | Next::Nothing => 0,
    }
}

/// Rounded up: no record ends before its time.
fn rounded_up(time: Duration) -> Millis {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(Millis::MAX)
}
