//! Why keys were not made, listed, rotated or revoked, and what a client is told of it.

use std::fmt;

use super::super::{record::RecordError, store::KeyStoreError};
use crate::{clock::ClockError, problem::Problem};

/// Why nothing was done.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyAdminError {
    /// A scope that the key should grant is not whoever makes it to grant.
    NotGranted,
    /// It is not for the tenant that this is bounded to.
    OtherTenant,
    /// The key would be good for longer than the scheme's `rotate-within`, or for no time.
    Lifetime,
    /// The key cannot be so: its owner, its name, a scope.
    Record(RecordError),
    /// The store did not do it.
    Store(KeyStoreError),
    /// The clock cannot be relied on.
    Clock(ClockError),
}

impl From<RecordError> for KeyAdminError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<KeyStoreError> for KeyAdminError {
    fn from(error: KeyStoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ClockError> for KeyAdminError {
    fn from(error: ClockError) -> Self {
        Self::Clock(error)
    }
}

/// What a client may be told: 403 for a scope or a tenant, 404 for an id, 409 for a key that cannot be rotated, 422 for a key
/// that cannot be so, 503 while the store does not answer. The document declares 403, 409 and 422 where they may come.
impl From<KeyAdminError> for Problem {
    fn from(error: KeyAdminError) -> Self {
        let problem = match &error {
            KeyAdminError::NotGranted => {
                Self::new(403, "scope_not_granted", "you may not make a key that grants this")
            }
            KeyAdminError::OtherTenant => {
                Self::new(403, "other_tenant", "you may not do this for another tenant")
            }
            KeyAdminError::Lifetime => {
                Self::new(422, "key_lifetime", "a key of this scheme is not good for that long")
            }
            KeyAdminError::Record(RecordError::Fields(_)) => Self::new(
                422,
                "key_fields",
                "the owner, the name, a scope, an address or an operation is not well-formed",
            ),
            KeyAdminError::Store(KeyStoreError::NotFound) => Self::not_found(),
            KeyAdminError::Store(KeyStoreError::NotLive | KeyStoreError::Rotated(_)) => {
                Self::new(409, "key_not_rotated", "the key is good no more, or was rotated before")
            }
            KeyAdminError::Store(_) | KeyAdminError::Clock(_) => Self::unavailable(),
            KeyAdminError::Record(_) => Self::internal("no key could be made"),
        };
        problem.because(error)
    }
}

impl fmt::Display for KeyAdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted => f.write_str("a scope of the key may not be granted"),
            Self::OtherTenant => f.write_str("it is not for one tenant alone, or for another"),
            Self::Lifetime => f.write_str("the key would be good for too long, or for no time"),
            Self::Record(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Clock(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyAdminError {}
