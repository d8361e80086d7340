//! The stores behind [`ApiKeys`](super::ApiKeys): in memory, in a file, or another's.

use std::{
    hint::black_box,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

use super::{
    change::Change,
    file::KeyFile,
    index::{Accepted, Index},
    outage::{Keeper, Outages},
    record::{KeyRecord, RecordError},
    store::{KeyQuery, KeyStore, KeyStoreError, KeyUse, STORE_TIME, in_time},
    watch::WatchedFile,
};

pub(super) enum Engine {
    Memory(Memory),
    File(WatchedFile),
    Store(Asked),
}

/// A store that is asked with every request.
pub(super) struct Asked {
    store: Box<dyn KeyStore>,
    /// Makes a record of nobody, in the time in which the store makes one of somebody.
    nobody: fn() -> KeyRecord,
    outages: Outages,
}

/// Keys that live as long as the process.
pub(super) struct Memory {
    index: ArcSwap<Index>,
    /// Changes happen one after the other.
    changing: Mutex<()>,
}

impl Engine {
    /// The record of this id. Where there is none: nothing, or another one.
    pub(super) async fn nearest(&self, id: &str) -> Result<Option<Arc<Accepted>>, KeyStoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.index.load().nearest(id).cloned()),
            Self::File(file) => file.nearest(id).await,
            Self::Store(asked) => asked.nearest(id).await,
        }
    }

    pub(super) async fn find(&self, id: &str) -> Result<Option<Arc<Accepted>>, KeyStoreError> {
        Ok(self.nearest(id).await?.filter(|accepted| accepted.record.id == id))
    }

    pub(super) async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, KeyStoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.index.load().page(query)),
            Self::File(file) => Ok(file.index().await?.page(query)),
            Self::Store(asked) => in_time(asked.store.list(query)).await,
        }
    }

    pub(super) async fn change(&self, change: &Change) -> Result<usize, KeyStoreError> {
        match self {
            Self::Memory(memory) => memory.change(change),
            Self::File(watched) => {
                let (file, change) = (watched.file().clone(), change.clone());
                let outcome = off_the_request(move || file.change(&change)).await;
                watched.forget().await;
                outcome
            }
            Self::Store(asked) => in_time(asked.store.change(change)).await,
        }
    }

    /// Notes uses where they outlive the process.
    pub(super) async fn used(&self, uses: Vec<KeyUse>) -> Result<(), KeyStoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::File(watched) => {
                let file: KeyFile = watched.file().clone();
                off_the_request(move || file.note(&uses)).await
            }
            Self::Store(asked) => asked.store.used(&uses).await,
        }
    }

    pub(super) const fn forgets_uses(&self) -> bool {
        matches!(self, Self::Memory(_))
    }
}

impl Asked {
    /// `name`: as the operator knows it.
    pub(super) fn new(store: impl KeyStore, name: &str, nobody: fn() -> KeyRecord) -> Self {
        Self { store: Box::new(store), nobody, outages: Outages::of(Keeper::Store(name.to_owned())) }
    }

    async fn nearest(&self, id: &str) -> Result<Option<Arc<Accepted>>, KeyStoreError> {
        let look = self.outages.look(Some(id));
        let found = self.look_for(id).await;
        look.ended(&found);
        found
    }

    async fn look_for(&self, id: &str) -> Result<Option<Arc<Accepted>>, KeyStoreError> {
        let found = in_time(self.store.find(id)).await?;
        let is_there = found.is_some();
        // what a record costs is spent for an id of nobody as well
        let record = found.unwrap_or_else(self.nobody);
        let checked = black_box(record.check().map(|()| Arc::new(Accepted::from(record))));
        match checked {
            _ if !is_there => Ok(None),
            // a store that answers with another's record must not lend its owner
            Ok(accepted) if accepted.record.id == id => Ok(Some(accepted)),
            Ok(_) => Err(KeyStoreError::unreadable("the store answers with another key")),
            Err(why) => Err(KeyStoreError::unreadable(why)),
        }
    }
}

/// A change may be under way when the wait for it ends: it is made whole or not at all, and the caller is told that it
/// is not known.
async fn off_the_request<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyStoreError> + Send + 'static,
) -> Result<T, KeyStoreError> {
    let done = tokio::time::timeout(STORE_TIME, tokio::task::spawn_blocking(work)).await;
    done.map_err(|_| KeyStoreError::TimedOut)?.map_err(KeyStoreError::unavailable)?
}

impl Memory {
    pub(super) fn new(records: impl IntoIterator<Item = KeyRecord>) -> Result<Self, RecordError> {
        Ok(Self { index: ArcSwap::from_pointee(Index::new(records)?), changing: Mutex::default() })
    }

    pub(super) fn len(&self) -> usize {
        self.index.load().len()
    }

    pub(super) fn replace(&self, records: impl IntoIterator<Item = KeyRecord>) -> Result<(), RecordError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let index = Index::new(records)?.used_like(&self.index.load());
        self.index.store(Arc::new(index));
        Ok(())
    }

    fn change(&self, change: &Change) -> Result<usize, KeyStoreError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.index.load();
        let mut records = before.records();
        let touched = change.apply(&mut records)?;
        let index = Index::new(records.into_values()).map_err(KeyStoreError::unavailable)?.used_like(&before);
        self.index.store(Arc::new(index));
        Ok(touched.len())
    }
}
