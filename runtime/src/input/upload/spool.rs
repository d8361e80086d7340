//! [`Spool`]: where temporary files lie, and how much all of them may take.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::settings::Settings;

/// What a file is charged at a time.
pub(in crate::input) const BLOCK: usize = 64 * 1024;

/// Shared by all requests of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: Option<PathBuf>,
    left: Arc<Left>,
}

/// What may still be taken.
#[derive(Debug)]
struct Left {
    blocks: AtomicU64,
    files: AtomicU64,
}

impl Spool {
    pub(crate) fn new(settings: &Settings) -> Self {
        let blocks = settings.max_spooled_bytes / BLOCK as u64;
        let left = Left { blocks: AtomicU64::new(blocks), files: AtomicU64::new(settings.max_spooled_files) };
        Self { folder: settings.spool_folder.clone(), left: Arc::new(left) }
    }

    /// A file without a name, which ends with its handle.
    pub(super) fn file(&self) -> io::Result<File> {
        match &self.folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
    }

    /// Room for one more file, still without a block. `None`: there are as many as there may be.
    pub(super) fn room(&self) -> Option<Room> {
        take_one(&self.left.files)?;
        Some(Room { left: Arc::clone(&self.left), blocks: 0 })
    }
}

/// A file and the blocks that it takes, given back when it goes.
#[derive(Debug)]
pub(super) struct Room {
    left: Arc<Left>,
    blocks: u64,
}

impl Room {
    /// Takes one more block. `None`: there is none.
    pub(super) fn grow(&mut self) -> Option<()> {
        take_one(&self.left.blocks)?;
        self.blocks += 1;
        Some(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.left.blocks.fetch_add(self.blocks, Ordering::AcqRel);
        self.left.files.fetch_add(1, Ordering::AcqRel);
    }
}

fn take_one(left: &AtomicU64) -> Option<()> {
    left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).ok().map(drop)
}
