//! All keys of an owner are revoked: as many changes of the state as there are keys.
//!
//! Rules:
//! 1. it is done in a task of its own, so it goes on when whoever asked waits no more, and who asks again waits for the same: with
//!    80,000 keys it may take longer than a request may wait, and it is done all the same;
//! 2. one key after the other, [`AT_ONCE`] under way, for all owners together and in turn: nothing is locked, and others change the
//!    state between them;
//! 3. whoever asks while it goes on is told that it is done when every key that there was when they asked is revoked: the list is
//!    looked at again. A key that is being made, in the list and without a record yet, is none so far;
//! 4. a key that cannot be revoked keeps no other from it: the first failure is told when all were tried;
//! 5. at most [`OWNERS`] owners at a time.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{
    Semaphore,
    watch::{self, Receiver},
};

use super::Kept;
use crate::{
    authn::api_key::{change::revoke, store::KeyStoreError},
    event::Pseudonym,
};

/// Rule 2. As many as a commit of a file takes leave room for those of others.
const AT_ONCE: usize = 128;
/// Rule 5. Each has the ids of its owner's keys in memory.
const OWNERS: usize = 1000;

/// Those that go on.
#[derive(Clone)]
pub(super) struct Sweeps {
    by_owner: Arc<Mutex<HashMap<String, Sweep>>>,
    /// Rule 2.
    places: Arc<Semaphore>,
}

pub(super) struct Sweep {
    asked: Asked,
    /// How many keys were revoked, or why not all.
    ended: Receiver<Option<Result<usize, Fault>>>,
}

/// Who has asked for a sweep.
#[derive(Clone, Copy)]
struct Asked {
    count: u64,
    /// When the last of them did.
    at: u64,
}

/// A [`KeyStoreError`] for all who wait.
#[derive(Clone)]
enum Fault {
    TimedOut,
    Full,
    Unavailable(String),
}

impl Default for Sweeps {
    fn default() -> Self {
        Self { by_owner: Arc::default(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Sweeps {
    pub(super) fn held(&self) -> MutexGuard<'_, HashMap<String, Sweep>> {
        self.by_owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self, owner: &str) -> Option<Asked> {
        self.held().get(owner).map(|sweep| sweep.asked)
    }

    /// Rule 3: whether nobody has asked since; then those who ask from now on begin another.
    fn end(&self, owner: &str, asked: Asked) -> bool {
        let mut sweeps = self.held();
        let nobody = sweeps.get(owner).is_none_or(|sweep| sweep.asked.count == asked.count);
        if nobody {
            sweeps.remove(owner);
        }
        nobody
    }
}

impl Kept {
    /// Answers how many keys were good until now or had ended by themselves.
    pub(super) async fn sweep(&self, owner: &str, at: u64) -> Result<usize, KeyStoreError> {
        let mut ended = self.begin_sweep(owner, at)?;
        let told = ended.wait_for(Option::is_some).await.map_err(KeyStoreError::unavailable)?;
        match told.as_ref() {
            Some(Ok(revoked)) => Ok(*revoked),
            Some(Err(fault)) => Err(fault.clone().into()),
            None => Err(KeyStoreError::TimedOut),
        }
    }

    fn begin_sweep(
        &self,
        owner: &str,
        at: u64,
    ) -> Result<Receiver<Option<Result<usize, Fault>>>, KeyStoreError> {
        let mut sweeps = self.sweeps.held();
        // one whose task is gone has told nobody anything
        sweeps.retain(|_, sweep| sweep.ended.has_changed().is_ok());
        if let Some(sweep) = sweeps.get_mut(owner) {
            sweep.asked = Asked { count: sweep.asked.count.saturating_add(1), at: sweep.asked.at.max(at) };
            return Ok(sweep.ended.clone());
        }
        if sweeps.len() >= OWNERS {
            return Err(KeyStoreError::unavailable("the keys of too many owners are being revoked"));
        }
        let (tell, ended) = watch::channel(None);
        let asked = Asked { count: 1, at };
        sweeps.insert(owner.to_owned(), Sweep { asked, ended: ended.clone() });
        let (kept, owner) = (self.clone(), owner.to_owned());
        tokio::spawn(async move {
            let outcome = kept.revoke_all(&owner, asked).await;
            if let Err(error) = &outcome {
                let owner = Pseudonym::new(&kept.name, &owner);
                tracing::warn!(target: "palisade::keys", %error, %owner, "not all keys of an owner were revoked");
            }
            let _ = tell.send(Some(outcome.map_err(Fault::from))); // whether or not anybody waits
        });
        Ok(ended)
    }

    /// A key that is made in the place of one that is good has its record before that one is rotated, so the round after the one
    /// that revokes the old one finds it.
    async fn revoke_all(&self, owner: &str, first: Asked) -> Result<usize, KeyStoreError> {
        let (mut done, mut touched, mut failed) = (BTreeSet::new(), 0, None);
        loop {
            let asked = self.sweeps.asked(owner).unwrap_or(first);
            let ids = self.in_turn(self.ids(self.of_owner(owner))).await;
            // before anybody is told: who asks again begins another
            let mut ids = ids.inspect_err(|_| _ = self.sweeps.held().remove(owner))?;
            ids.retain(|id| !done.contains(id));
            let (now, failure) = self.revoke_each(ids, asked.at, &mut done).await;
            touched += now;
            failed = failed.or(failure);
            if now == 0 && self.sweeps.end(owner, asked) {
                return failed.map_or(Ok(touched), Err);
            }
        }
    }

    /// A round, to its end (rule 4). Those that are revoked by then are `done`; answers how many were not before, and why not all.
    async fn revoke_each(
        &self,
        ids: Vec<String>,
        at: u64,
        done: &mut BTreeSet<String>,
    ) -> (usize, Option<KeyStoreError>) {
        let revoked = stream::iter(ids).map(async |id| {
            let revoked = self.change_record(&id, |record| {
                // one that was made meanwhile is not revoked before it was made
                let at = record.created.map_or(at, |created| created.max(at));
                Ok(revoke(record, at).is_some())
            });
            (self.in_turn(revoked).await, id)
        });
        let mut revoked = std::pin::pin!(revoked.buffered(AT_ONCE));
        let (mut now, mut failed) = (0, None);
        while let Some((outcome, id)) = revoked.next().await {
            match outcome {
                Ok(Some(is_new)) => {
                    now += usize::from(is_new);
                    done.insert(id);
                }
                Ok(None) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        (now, failed)
    }

    /// Rule 2.
    async fn in_turn<T>(
        &self,
        step: impl Future<Output = Result<T, KeyStoreError>>,
    ) -> Result<T, KeyStoreError> {
        let _place = self.sweeps.places.acquire().await.map_err(KeyStoreError::unavailable)?;
        step.await
    }
}

impl From<KeyStoreError> for Fault {
    fn from(error: KeyStoreError) -> Self {
        match error {
            KeyStoreError::TimedOut => Self::TimedOut,
            KeyStoreError::Full => Self::Full,
            KeyStoreError::Unavailable(cause) => Self::Unavailable(cause.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<Fault> for KeyStoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TimedOut => Self::TimedOut,
            Fault::Full => Self::Full,
            Fault::Unavailable(cause) => Self::unavailable(cause),
        }
    }
}

#[cfg(test)]
mod tests;
