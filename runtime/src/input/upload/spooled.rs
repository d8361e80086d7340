//! [`Spooler`]: what comes, into memory and then into a file.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;

use super::spool::{BLOCK, Room, Spool};
use super::{Content, Upload};

/// A temporary file, whole.
#[derive(Debug)]
pub(super) struct Spooled {
    file: File,
    length: u64,
    /// Given back when the file goes.
    _room: Room,
}

/// Why something could not be put into a file.
#[derive(Debug)]
pub(in crate::input) enum Unspooled {
    /// All files together take what they may.
    NoRoom,
    /// The file system refuses.
    Failed,
}

impl From<io::Error> for Unspooled {
    fn from(_: io::Error) -> Self {
        Self::Failed
    }
}

/// An upload in the making. Whenever it is dropped, its file is gone.
pub(in crate::input) struct Spooler<'s> {
    spool: &'s Spool,
    /// All of it while there is no file, and what is to be written next when there is one.
    memory: BytesMut,
    file: Option<(tokio::fs::File, Room)>,
    length: u64,
}

impl<'s> Spooler<'s> {
    pub(in crate::input) fn new(spool: &'s Spool) -> Self {
        Self { spool, memory: BytesMut::new(), file: None, length: 0 }
    }

    /// How many bytes came.
    pub(in crate::input) const fn len(&self) -> u64 {
        self.length
    }

    /// How many of them are in memory for as long as the upload is.
    pub(in crate::input) fn in_memory(&self) -> usize {
        if self.file.is_some() { 0 } else { self.memory.len() }
    }

    /// Takes what came next. At most `memory` bytes stay in memory, whatever comes later.
    pub(in crate::input) async fn push(&mut self, mut data: Bytes, memory: usize) -> Result<(), Unspooled> {
        self.length += data.len() as u64;
        if self.file.is_none() && self.memory.len() + data.len() <= memory.min(BLOCK) {
            self.memory.extend_from_slice(&data);
            return Ok(());
        }
        while !data.is_empty() {
            let fits = BLOCK.saturating_sub(self.memory.len()).min(data.len());
            self.memory.extend_from_slice(&data.split_to(fits));
            if self.memory.len() >= BLOCK {
                self.write().await?;
            }
        }
        // from here on there is a file, be it that nothing has been written yet
        if self.file.is_none() { self.open().await } else { Ok(()) }
    }

    /// The upload.
    pub(in crate::input) async fn finish(mut self) -> Result<Upload, Unspooled> {
        if self.file.is_none() {
            return Ok(Upload::new(self.memory.freeze()));
        }
        self.write().await?;
        let Some((mut file, room)) = self.file.take() else { return Err(Unspooled::Failed) };
        file.flush().await?;
        let spooled = Spooled { file: file.into_std().await, length: self.length, _room: room };
        Ok(Upload { content: Content::File(Arc::new(spooled)), file_name: None, content_type: None })
    }

    async fn open(&mut self) -> Result<(), Unspooled> {
        let mut room = self.spool.room();
        room.grow().ok_or(Unspooled::NoRoom)?;
        let spool = self.spool.clone();
        let opened = tokio::task::spawn_blocking(move || spool.file()).await;
        let mut file = tokio::fs::File::from_std(opened.map_err(|_| Unspooled::Failed)??);
        file.set_max_buf_size(BLOCK);
        self.file = Some((file, room));
        Ok(())
    }

    /// Writes what waits, a block at most.
    async fn write(&mut self) -> Result<(), Unspooled> {
        if self.memory.is_empty() {
            return Ok(());
        }
        match &mut self.file {
            Some((_, room)) => room.grow().ok_or(Unspooled::NoRoom)?,
            None => self.open().await?,
        }
        let Some((file, _)) = &mut self.file else { return Err(Unspooled::Failed) };
        file.write_all(&self.memory).await?;
        self.memory.clear();
        Ok(())
    }
}

impl Spooled {
    pub(super) const fn len(&self) -> u64 {
        self.length
    }

    /// Reads at a place, whoever else reads. It may block.
    pub(super) fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(&self.file, into, at);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(&self.file, into, at);
    }
}
