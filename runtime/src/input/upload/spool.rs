//! [`Spool`]: where temporary files lie, and how much all of them may take.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::settings::Settings;

/// What a file is charged at a time. Even the smallest takes one, so that the number of files is bounded as well.
pub(super) const BLOCK: usize = 64 * 1024;

/// Shared by all requests of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: Option<PathBuf>,
    left: Arc<AtomicU64>,
}

impl Spool {
    pub(crate) fn new(settings: &Settings) -> Self {
        let blocks = settings.max_spooled_bytes / BLOCK as u64;
        Self { folder: settings.spool_folder.clone(), left: Arc::new(AtomicU64::new(blocks)) }
    }

    /// A file without a name, which ends with its handle.
    pub(super) fn file(&self) -> io::Result<File> {
        match &self.folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
    }

    pub(super) fn room(&self) -> Room {
        Room { left: Arc::clone(&self.left), blocks: 0 }
    }
}

/// The blocks that a file takes, given back when it goes.
#[derive(Debug)]
pub(super) struct Room {
    left: Arc<AtomicU64>,
    blocks: u64,
}

impl Room {
    /// Takes one more block. `None`: there is none.
    pub(super) fn grow(&mut self) -> Option<()> {
        let one_less = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less).ok()?;
        self.blocks += 1;
        Some(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.left.fetch_add(self.blocks, Ordering::AcqRel);
    }
}
