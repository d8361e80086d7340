//! All keys of an owner are revoked: as many changes of the state as there are keys.
//!
//! Rules:
//! 1. it is done in a task of its own, so it goes on when whoever asked waits no more, and who asks again waits for the same: with
//!    80,000 keys it may take longer than a request may wait, and it is done all the same;
//! 2. one key after the other, [`AT_ONCE`] under way: nothing is locked, and others change the state between them;
//! 3. whoever asks while it goes on is told that it is done when every key that there was when they asked is revoked: the list is
//!    looked at again;
//! 4. at most [`OWNERS`] owners at a time.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::watch::{self, Receiver};

use super::Kept;
use crate::authn::api_key::{change::revoke, store::KeyStoreError};

/// Rule 2. As many as a commit of a file takes leave room for those of others.
const AT_ONCE: usize = 128;
const OWNERS: usize = 8;

/// Those that go on, by owner.
#[derive(Clone, Default)]
pub(super) struct Sweeps(Arc<Mutex<HashMap<String, Sweep>>>);

pub(super) struct Sweep {
    /// How many have asked for it.
    asked: u64,
    /// How many keys were revoked, or why not all.
    ended: Receiver<Option<Result<usize, Fault>>>,
}

#[derive(Clone)]
enum Fault {
    TimedOut,
    Other(String),
}

impl Sweeps {
    pub(super) fn held(&self) -> MutexGuard<'_, HashMap<String, Sweep>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self, owner: &str) -> u64 {
        self.held().get(owner).map_or(0, |sweep| sweep.asked)
    }

    /// Rule 3: whether nobody has asked since; then those who ask from now on begin another.
    fn end(&self, owner: &str, asked: u64) -> bool {
        let mut sweeps = self.held();
        let nobody = sweeps.get(owner).is_none_or(|sweep| sweep.asked == asked);
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
            Some(Err(Fault::Other(why))) => Err(KeyStoreError::unavailable(why.clone())),
            Some(Err(Fault::TimedOut)) | None => Err(KeyStoreError::TimedOut),
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
            sweep.asked = sweep.asked.saturating_add(1);
            return Ok(sweep.ended.clone());
        }
        if sweeps.len() >= OWNERS {
            return Err(KeyStoreError::unavailable("the keys of too many owners are being revoked"));
        }
        let (tell, ended) = watch::channel(None);
        sweeps.insert(owner.to_owned(), Sweep { asked: 1, ended: ended.clone() });
        let (kept, owner) = (self.clone(), owner.to_owned());
        tokio::spawn(async move {
            let outcome = kept.revoke_all(&owner, at).await;
            let _ = tell.send(Some(outcome.map_err(Fault::from))); // whether or not anybody waits
        });
        Ok(ended)
    }

    /// A key that is made in the place of one that is good has its record before that one is rotated, so the round after the one
    /// that revokes the old one finds it.
    async fn revoke_all(&self, owner: &str, at: u64) -> Result<usize, KeyStoreError> {
        let (mut done, mut touched) = (BTreeSet::new(), 0);
        loop {
            let asked = self.sweeps.asked(owner);
            let mut ids = self.ids(self.of_owner(owner)).await?;
            ids.retain(|id| !done.contains(id));
            let revoked = stream::iter(ids).map(async |id| {
                let revoked = self.change_record(&id, |record| Ok(revoke(record, at).is_some())).await?;
                Ok::<_, KeyStoreError>((id, revoked))
            });
            let round: Vec<(String, Option<bool>)> = revoked.buffered(AT_ONCE).try_collect().await?;
            let now = round.iter().filter(|(_, revoked)| *revoked == Some(true)).count();
            done.extend(round.into_iter().filter(|(_, revoked)| revoked.is_some()).map(|(id, _)| id));
            touched += now;
            if now == 0 && self.sweeps.end(owner, asked) {
                return Ok(touched);
            }
        }
    }
}

impl From<KeyStoreError> for Fault {
    fn from(error: KeyStoreError) -> Self {
        match error {
            KeyStoreError::TimedOut => Self::TimedOut,
            other => Self::Other(other.to_string()),
        }
    }
}
