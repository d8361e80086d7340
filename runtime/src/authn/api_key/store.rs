//! Where the keys of a server are kept: the trait of an engine.
//!
//! The engines in memory and of a file are [`ApiKeys`](super::ApiKeys)' own. Others are given to
//! [`ApiKeys::from_store`](super::ApiKeys::from_store), which asks them with every request, waits two seconds at most,
//! and refuses the request with 503 when there is no answer by then.

use std::{fmt, time::Duration};

use super::{change::Change, record::KeyRecord};
use crate::authn::{StoreFuture, store};

/// Longest wait for a store.
pub(super) const STORE_TIME: Duration = Duration::from_secs(2);

/// Keeps the records of API keys.
///
/// What one call has changed, the next call of every instance sees: revocation holds at once.
pub trait KeyStore: Send + Sync + 'static {
    /// The record of the key with this public id, in a time that does not depend on whether there is one.
    fn find<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError>;

    /// A page of records, in the order of their ids.
    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError>;

    /// Makes the change, whole or not at all, by the rules of [`Change::apply`]; answers how many records are new or
    /// other than before.
    fn change<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, usize, KeyStoreError>;

    /// Notes when keys were last used: of each key at most once a minute from each process, and never in the way of a
    /// request. What [`KeyStore::find`] then says of it (`last_used`) keeps the other processes from noting it, too.
    fn used<'a>(&'a self, uses: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError>;
}

/// Which records a page has.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyQuery {
    /// Those of this owner only.
    pub owner: Option<String>,
    /// Those of this tenant only.
    pub tenant: Option<String>,
    /// Those with an id behind this one only.
    pub after: Option<String>,
    /// Not more than this.
    pub limit: usize,
}

impl KeyQuery {
    /// Whether a record is of the owner and the tenant that are asked for.
    #[must_use]
    pub fn is_of(&self, record: &KeyRecord) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == record.owner)
            && self.tenant.as_ref().is_none_or(|tenant| record.tenant.as_ref() == Some(tenant))
    }
}

/// That a key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// The public id of the key.
    pub id: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Why a store did not do what it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// It cannot be asked, or cannot answer.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    /// It did not answer in time.
    TimedOut,
    /// It answers, and what it has of this key is no record of it.
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
    /// It has no key with this id.
    NotFound,
    /// The key is revoked, or its time is over.
    NotLive,
    /// The key has a successor already: this one.
    Rotated(String),
    /// It has a key with this id.
    Exists,
    /// It has as many keys as it can hold.
    Full,
}

impl KeyStoreError {
    pub(super) fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }

    pub(super) fn unreadable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unreadable(cause.into())
    }
}

/// Waits for a store, but not for ever.
pub(super) async fn in_time<T>(asked: StoreFuture<'_, T, KeyStoreError>) -> Result<T, KeyStoreError> {
    store::in_time(asked, STORE_TIME).await.unwrap_or(Err(KeyStoreError::TimedOut))
}

impl fmt::Display for KeyStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(f, "the keys cannot be had: {cause}"),
            Self::TimedOut => f.write_str("the store of the keys did not answer in time"),
            Self::Unreadable(cause) => write!(f, "the record of the key cannot be read: {cause}"),
            Self::NotFound => f.write_str("there is no key with this id"),
            Self::NotLive => f.write_str("the key is revoked, or its time is over"),
            Self::Rotated(successor) => {
                write!(f, "the key was rotated before: its successor is `{successor}`")
            }
            Self::Exists => f.write_str("there is a key with this id"),
            Self::Full => f.write_str("there is no room for another key"),
        }
    }
}

impl std::error::Error for KeyStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(cause) | Self::Unreadable(cause) => Some(&**cause),
            _ => None,
        }
    }
}
