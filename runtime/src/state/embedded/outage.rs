//! What the operator is told of a file that fails.
//!
//! Rules:
//! 1. that it failed is told once: what fails afterwards follows from it (rule 5 of the module);
//! 2. that records are not swept is told when that begins.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use redb::{Database, TransactionError};

use crate::state::StateError;

pub(super) struct Outage {
    path: PathBuf,
    is_told: AtomicBool,
    is_swept: AtomicBool,
}

impl Outage {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), is_told: AtomicBool::new(false), is_swept: AtomicBool::new(true) }
    }

    /// Whether this error of the file means that it failed, which is told of. A record that cannot be read does not: all others can be.
    pub(super) fn is_that(&self, error: &StateError, file: &Database) -> bool {
        // redb begins nothing once the disk has failed, and says so before it looks whether somebody else is writing
        let failed = matches!(error, StateError::Engine(_))
            && matches!(file.try_begin_write(), Err(TransactionError::Storage(_)));
        if failed {
            self.tell(error);
        }
        failed
    }

    /// Rule 1.
    pub(super) fn tell(&self, error: &StateError) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::error!(
                target: "palisade::state", file = %self.path.display(), %error,
                "the file of the state failed: what needs it is refused until the server is started again"
            );
        }
    }

    /// Rule 2.
    pub(super) fn tell_unswept(&self, error: &StateError) {
        if self.is_swept.swap(false, Ordering::Relaxed) {
            tracing::warn!(
                target: "palisade::state", file = %self.path.display(), %error,
                "records that ended are not swept"
            );
        }
    }

    /// From now on, until it is not.
    pub(super) fn note_swept(&self) {
        self.is_swept.store(true, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Relaxed)
    }
}
