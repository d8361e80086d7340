//! The thread that writes: it takes what waits, commits it as one, and then answers.

use std::{sync::Arc, time::Duration};

use redb::{Database, ReadableDatabase};
use tokio::sync::{
    OwnedSemaphorePermit,
    mpsc::{Receiver, error::TryRecvError},
    oneshot,
};

use super::{
    failed,
    outage::Outage,
    records::{self, Tables},
    time::{Millis, Time},
};
use crate::state::{Expected, Key, Next, StateError, Swapped, room::Room};

/// The most changes that one commit holds.
const GROUP: usize = 256;
/// The most records that one commit sweeps. More than it can add, so that sweeping keeps up.
const SWEPT: usize = 512;
/// With nothing to write, it looks so often for records that ended.
const REST: Duration = Duration::from_secs(1);

/// A change that somebody waits for.
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) expected: Expected,
    pub(super) next: Next,
    pub(super) answer: oneshot::Sender<Result<Swapped, StateError>>,
    /// Held until it is written, where it needs one.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

type Answer = (oneshot::Sender<Result<Swapped, StateError>>, Result<Swapped, StateError>);

pub(super) struct Writer {
    file: Arc<Database>,
    room: Room,
    time: Arc<Time>,
    outage: Arc<Outage>,
}

impl Writer {
    pub(super) const fn new(file: Arc<Database>, room: Room, time: Arc<Time>, outage: Arc<Outage>) -> Self {
        Self { file, room, time, outage }
    }

    /// Until nobody is left who could send a change.
    pub(super) async fn run(self, mut waiting: Receiver<Change>) {
        let mut rest = REST;
        loop {
            match tokio::time::timeout(rest, waiting.recv()).await {
                Ok(Some(first)) => self.write(group(first, &mut waiting)),
                Ok(None) => return,
                Err(_) => rest = if self.sweep() { Duration::ZERO } else { REST },
            }
        }
    }

    fn write(&self, group: Vec<Change>) {
        let (mut askers, mut changes, mut places) = (Vec::new(), Vec::new(), Vec::new());
        // who has gone was told that it is too late
        for change in group.into_iter().filter(|change| !change.answer.is_closed()) {
            askers.push(change.answer);
            changes.push((change.key, change.expected, change.next));
            places.push(change.place);
        }
        if changes.is_empty() {
            return;
        }
        let answers: Vec<Answer> = match self.commit(changes) {
            Ok(results) => askers.into_iter().zip(results).collect(),
            Err(error) => {
                self.outage.is_that(&error, &self.file);
                askers.into_iter().map(|asker| (asker, Err(same(&error)))).collect()
            }
        };
        drop(places);
        for (asker, answer) in answers {
            // who has gone in the meantime asks again
            drop(asker.send(answer));
        }
    }

    /// Each change with its own result, when all that were made are on the disk.
    fn commit(
        &self,
        changes: Vec<(Key, Expected, Next)>,
    ) -> Result<Vec<Result<Swapped, StateError>>, StateError> {
        let writing = self.file.begin_write().map_err(failed)?;
        let (results, changed) = {
            let mut tables = Tables::open(&writing)?;
            let now = tables.begin(&self.time)?;
            let results = self.swap_all(&mut tables, changes, now)?;
            let changed = results.iter().any(|result| matches!(result, Ok(Swapped::Made(_))));
            if changed {
                tables.sweep(now, SWEPT)?;
            }
            (results, changed)
        };
        if !changed {
            // what they are told is on the disk already
            writing.abort().map_err(failed)?;
            return Ok(results);
        }
        writing.commit().map_err(failed)?;
        Ok(results)
    }

    /// A change that is refused leaves no trace. One that failed may have been made in part: then none of them is.
    fn swap_all(
        &self,
        tables: &mut Tables<'_>,
        changes: Vec<(Key, Expected, Next)>,
        now: Millis,
    ) -> Result<Vec<Result<Swapped, StateError>>, StateError> {
        let swapped = changes.into_iter().map(|change| match tables.swap(change, now, self.room) {
            Err(error @ StateError::Engine(_)) => Err(error),
            result => Ok(result),
        });
        swapped.collect()
    }

    /// Sweeps as much as one commit does. Says whether there may be more.
    fn sweep(&self) -> bool {
        match self.try_to_sweep() {
            Ok(more) => {
                self.outage.note_swept();
                more
            }
            Err(error) => {
                if !self.outage.is_that(&error, &self.file) {
                    self.outage.tell_unswept(&error);
                }
                false
            }
        }
    }

    fn try_to_sweep(&self) -> Result<bool, StateError> {
        if !records::has_ended(&self.file.begin_read().map_err(failed)?, &self.time)? {
            return Ok(false);
        }
        let writing = self.file.begin_write().map_err(failed)?;
        let swept = {
            let mut tables = Tables::open(&writing)?;
            let now = tables.begin(&self.time)?;
            tables.sweep(now, SWEPT)?
        };
        writing.commit().map_err(failed)?;
        Ok(swept == SWEPT)
    }
}

/// What waits, with the first of it.
fn group(first: Change, waiting: &mut Receiver<Change>) -> Vec<Change> {
    let mut group = vec![first];
    while group.len() < GROUP {
        match waiting.try_recv() {
            Ok(next) => group.push(next),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    group
}

/// The same for each who asked.
fn same(error: &StateError) -> StateError {
    match error {
        StateError::Full => StateError::Full,
        StateError::TooLong => StateError::TooLong,
        StateError::Late => StateError::Late,
        StateError::Clock => StateError::Clock,
        StateError::Engine(error) => failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, state::Kind};

    #[test]
    fn a_change_whose_caller_has_gone_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = Arc::new(Database::create(folder.path().join("state")).unwrap());
        records::prepare(&file).unwrap();
        let time = Arc::new(Time::of(Clock::fixed(1_800_000_000)));
        let outage = Arc::new(Outage::of(folder.path()));
        let writer = Writer::new(Arc::clone(&file), Room::of(10, 0), time, outage);
        let key = |name: &str| Key::new(Kind::Application, &[name.as_bytes()]);
        let change = |name| {
            let (answer, answered) = oneshot::channel();
            let next = Next::Record { value: Vec::new(), keep: REST };
            (Change { key: key(name), expected: Expected::Nothing, next, answer, place: None }, answered)
        };
        let ((stays, mut answered), (leaves, gone)) = (change("stays"), change("leaves"));
        drop(gone);
        writer.write(vec![leaves, stays]);
        assert_eq!(answered.try_recv().unwrap().unwrap(), Swapped::Made(1));
        let seen = file.begin_read().unwrap();
        assert!(records::read(&seen, key("stays"), &writer.time).unwrap().is_some());
        assert_eq!(records::read(&seen, key("leaves"), &writer.time).unwrap(), None);
    }
}
