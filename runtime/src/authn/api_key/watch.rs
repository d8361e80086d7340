//! A file of keys as a running server sees it: read again when it has changed.
//!
//! Rules:
//! 1. what a request is told was compared with the file at most a second ago: `cargo palisade key revoke` holds in
//!    every server that shares the file within that time;
//! 2. one request looks and the others wait for it, two seconds at most; a look that hangs is not started twice. What it
//!    finds is as old as its beginning, whoever takes it up: when that is too long ago, or this server has changed the
//!    file since, it counts for nothing and the file is looked at anew;
//! 3. a file that cannot be read, or in which a line is no record, is a store that cannot be asked. The keys of before
//!    are not kept for it: one of them may be what was taken out;
//! 4. a file that changed less than two seconds before it was read is read again ([`Stamp::is_settled`]).

use std::{io, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use super::{
    file::KeyFile,
    index::{Accepted, Index},
    outage::{Keeper, Outages},
    record::RecordError,
    store::{KeyStoreError, STORE_TIME},
};
use crate::authn::file::Stamp;

/// How old an answer may be.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) struct WatchedFile {
    file: KeyFile,
    seen: ArcSwap<Seen>,
    looking: Mutex<Option<Look>>,
    outages: Outages,
}

/// A look that has begun. Whoever waits for it may leave, and it goes on.
struct Look {
    /// `None`: what it finds counts no more.
    began: Option<Instant>,
    task: JoinHandle<Result<Content, RecordError>>,
}

/// What a look has shown.
struct Seen {
    /// `None`: it counts no more.
    at: Option<Instant>,
    content: Option<Content>,
}

#[derive(Clone)]
struct Content {
    index: Arc<Index>,
    /// `None`: the file may have changed without a trace.
    stamp: Option<Stamp>,
}

impl WatchedFile {
    /// Reads it at once.
    pub(super) fn open(file: KeyFile) -> Result<Self, RecordError> {
        let content = look(&file, None)?;
        let seen = Seen { at: Some(Instant::now()), content: Some(content) };
        let outages = Outages::of(Keeper::File(file.path().to_owned()));
        Ok(Self { file, seen: ArcSwap::from_pointee(seen), looking: Mutex::default(), outages })
    }

    pub(super) fn file(&self) -> &KeyFile {
        &self.file
    }

    /// The record of this id, or of another one where there is none.
    pub(super) async fn nearest(&self, id: &str) -> Result<Option<Arc<Accepted>>, KeyStoreError> {
        Ok(self.index().await?.nearest(id).cloned())
    }

    /// The keys, as they were a second ago or later.
    pub(super) async fn index(&self) -> Result<Arc<Index>, KeyStoreError> {
        let seen = self.seen.load();
        if seen.is_fresh() {
            return seen.answer();
        }
        drop(seen);
        self.look_again().await
    }

    /// The next request looks, whenever the last one did: this server has changed the file itself.
    pub(super) async fn forget(&self) {
        let mut looking = self.looking.lock().await;
        // who began before the change would bring what was before it
        if let Some(look) = &mut *looking {
            look.began = None;
        }
        let content = self.seen.load().content.clone();
        self.seen.store(Arc::new(Seen { at: None, content }));
    }

    async fn look_again(&self) -> Result<Arc<Index>, KeyStoreError> {
        let mut looking = self.looking.lock().await;
        let before = self.seen.load_full();
        if before.is_fresh() {
            return before.answer();
        }
        let told = self.outages.look(None);
        let waited = timeout_at(Instant::now() + STORE_TIME, self.newest(&mut looking, &before)).await;
        let (began, outcome) = waited.unwrap_or((None, Err(KeyStoreError::TimedOut)));
        told.ended(&outcome);
        // a failure counts from its end, so that those who wait are refused at once and not one after the other
        let at = if outcome.is_ok() { began } else { Some(Instant::now()) };
        let seen = Seen { at, content: outcome.ok() };
        let answer = seen.answer();
        self.seen.store(Arc::new(seen));
        answer
    }

    /// What a look finds, and when it began: one that others have left, if it is not too old, else one of our own.
    async fn newest(&self, looking: &mut Option<Look>, before: &Seen) -> (Option<Instant>, Found) {
        if let Some(left) = looking {
            let found = left.end().await;
            let began = left.began;
            *looking = None;
            if is_fresh(began) {
                return (began, found);
            }
        }
        let look = looking.insert(Look::begin(&self.file, before));
        let found = look.end().await;
        let began = look.began;
        *looking = None;
        (began, found)
    }
}

type Found = Result<Content, KeyStoreError>;

impl Look {
    fn begin(file: &KeyFile, before: &Seen) -> Self {
        let (file, before) = (file.clone(), before.content.clone());
        let began = Some(Instant::now());
        Self { began, task: tokio::task::spawn_blocking(move || look(&file, before.as_ref())) }
    }

    async fn end(&mut self) -> Found {
        let ended = (&mut self.task).await.map_err(KeyStoreError::unavailable)?;
        ended.map_err(KeyStoreError::unavailable)
    }
}

fn is_fresh(at: Option<Instant>) -> bool {
    at.is_some_and(|at| at.elapsed() < LOOK_EVERY)
}

impl Seen {
    fn is_fresh(&self) -> bool {
        is_fresh(self.at)
    }

    fn answer(&self) -> Result<Arc<Index>, KeyStoreError> {
        let content =
            self.content.as_ref().ok_or_else(|| KeyStoreError::unavailable("the file cannot be read"));
        content.map(|content| Arc::clone(&content.index))
    }
}

/// Rule 4, and reading when it must be.
fn look(file: &KeyFile, before: Option<&Content>) -> Result<Content, RecordError> {
    let error = |cause: io::Error| RecordError::File(file.path().to_owned(), cause);
    let stamp = Stamp::of(file.path()).map_err(error)?;
    if let Some(before) = before
        && before.stamp.as_ref() == Some(&stamp)
    {
        return Ok(before.clone());
    }
    // before it is read: what changes meanwhile is read again
    let settled = stamp.is_settled();
    let index = Index::new(file.read()?)?;
    let index = Arc::new(match before {
        Some(before) => index.used_like(&before.index),
        None => index,
    });
    Ok(Content { index, stamp: settled.then_some(stamp) })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, time::SystemTime};

    use super::*;
    use crate::{
        authn::api_key::{Change, KeyRecord, NewKey},
        clock::Clock,
    };

    fn key() -> KeyRecord {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        NewKey::generate("bank_live", "acme", &[], now, None).unwrap().record
    }

    async fn later() {
        tokio::time::sleep(LOOK_EVERY + Duration::from_millis(20)).await;
    }

    #[tokio::test]
    async fn what_another_process_does_to_the_file_is_seen_within_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        let (one, other) = (key(), key());
        file.change(&Change::Create(one.clone())).unwrap();
        let watched = WatchedFile::open(file.clone()).unwrap();
        assert!(watched.nearest(&one.id).await.unwrap().unwrap().record.revoked_at.is_none());
        file.change(&Change::Create(other.clone())).unwrap();
        file.change(&Change::Revoke { id: one.id.clone(), at: 1 }).unwrap();
        later().await;
        assert!(watched.nearest(&one.id).await.unwrap().unwrap().record.revoked_at.is_some());
        assert_eq!(watched.nearest(&other.id).await.unwrap().unwrap().record.id, other.id);
    }

    /// A file of these keys, and who watches it.
    fn watching(records: &[&KeyRecord]) -> (tempfile::TempDir, KeyFile, WatchedFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        for record in records {
            file.change(&Change::Create((*record).clone())).unwrap();
        }
        let watched = WatchedFile::open(file.clone()).unwrap();
        (folder, file, watched)
    }

    /// A runtime whose only thread for looks is held up until the sender is dropped or used.
    fn held_up<T>(test: impl AsyncFnOnce(std::sync::mpsc::Sender<()>) -> T) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().max_blocking_threads(1).build().unwrap().block_on(async {
            let (go_on, held) = std::sync::mpsc::channel();
            tokio::task::spawn_blocking(move || held.recv());
            test(go_on).await
        })
    }

    /// Whatever was begun before has ended.
    async fn looks_have_ended() {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }

    #[test]
    fn a_look_that_a_request_left_does_not_bring_back_what_was_revoked_since() {
        let (one, other) = (key(), key());
        let (_folder, file, watched) = watching(&[&one, &other]);
        held_up(async |go_on| {
            later().await;
            let left = tokio::time::timeout(Duration::from_millis(10), watched.nearest(&one.id)).await;
            assert!(left.is_err(), "the client is gone while the file is read");
            go_on.send(()).unwrap();
            looks_have_ended().await;
            file.change(&Change::Revoke { id: one.id.clone(), at: 1 }).unwrap();
            later().await;
            assert!(watched.nearest(&one.id).await.unwrap().unwrap().record.revoked_at.is_some());
            assert!(watched.nearest(&other.id).await.unwrap().unwrap().record.revoked_at.is_none());
        });
    }

    #[test]
    fn a_look_that_took_too_long_does_not_bring_back_what_was_revoked_since() {
        let one = key();
        let (_folder, file, watched) = watching(&[&one]);
        held_up(async |go_on| {
            later().await;
            assert!(watched.nearest(&one.id).await.is_err());
            go_on.send(()).unwrap();
            looks_have_ended().await;
            file.change(&Change::Revoke { id: one.id.clone(), at: 1 }).unwrap();
            later().await;
            assert!(watched.nearest(&one.id).await.unwrap().unwrap().record.revoked_at.is_some());
        });
    }

    #[test]
    fn a_file_that_hangs_is_an_outage_however_short_requests_wait() {
        let one = key();
        let (_folder, _file, watched) = watching(&[&one]);
        held_up(async |go_on| {
            later().await;
            let left = tokio::time::timeout(Duration::from_millis(600), watched.nearest(&one.id)).await;
            assert!(left.is_err());
            assert!(watched.outages.has_begun());
            go_on.send(()).unwrap();
            assert!(watched.nearest(&one.id).await.is_ok());
            assert!(!watched.outages.has_begun());
        });
    }

    #[test]
    fn a_look_from_before_our_own_change_counts_for_nothing() {
        let one = key();
        let (_folder, file, watched) = watching(&[&one]);
        held_up(async |go_on| {
            later().await;
            let left = tokio::time::timeout(Duration::from_millis(10), watched.nearest(&one.id)).await;
            assert!(left.is_err());
            go_on.send(()).unwrap();
            looks_have_ended().await;
            file.change(&Change::Revoke { id: one.id.clone(), at: 1 }).unwrap();
            watched.forget().await;
            assert!(watched.nearest(&one.id).await.unwrap().unwrap().record.revoked_at.is_some());
        });
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_answers_nothing_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        let one = key();
        file.change(&Change::Create(one.clone())).unwrap();
        let watched = WatchedFile::open(file.clone()).unwrap();
        for spoil in [|path: &Path| fs::write(path, "x"), |path: &Path| fs::remove_file(path)] {
            let good = fs::read(file.path()).unwrap();
            spoil(file.path()).unwrap();
            later().await;
            assert!(watched.nearest(&one.id).await.is_err());
            fs::write(file.path(), good).unwrap();
            later().await;
            assert!(watched.nearest(&one.id).await.unwrap().is_some());
        }
    }

    #[test]
    fn a_file_at_rest_is_not_read_again_and_one_that_just_changed_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        file.change(&Change::Create(key())).unwrap();
        let fresh = look(&file, None).unwrap();
        assert!(fresh.stamp.is_none());
        let long_ago = SystemTime::now() - Duration::from_secs(10);
        fs::File::options().write(true).open(file.path()).unwrap().set_modified(long_ago).unwrap();
        let read = look(&file, Some(&fresh)).unwrap();
        assert!(read.stamp.is_some() && !Arc::ptr_eq(&read.index, &fresh.index));
        assert!(Arc::ptr_eq(&look(&file, Some(&read)).unwrap().index, &read.index));
    }
}
