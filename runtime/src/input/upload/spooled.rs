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
    /// All of it, or what is to be written next.
    memory: BytesMut,
    /// Whether it is more than what stays in memory.
    spilled: bool,
    file: Option<(tokio::fs::File, Room)>,
    length: u64,
}

impl<'s> Spooler<'s> {
    pub(in crate::input) fn new(spool: &'s Spool) -> Self {
        Self { spool, memory: BytesMut::new(), spilled: false, file: None, length: 0 }
    }

    /// How many bytes came.
    pub(in crate::input) const fn len(&self) -> u64 {
        self.length
    }

    /// How many of them the upload will have in memory.
    pub(in crate::input) fn in_memory(&self) -> usize {
        if self.spilled { 0 } else { self.memory.len() }
    }

    /// Takes what came next. At most `memory` bytes stay in memory, and never more than a block.
    pub(in crate::input) async fn push(&mut self, mut data: Bytes, memory: usize) -> Result<(), Unspooled> {
        self.length += data.len() as u64;
        if !self.spilled && self.memory.len() + data.len() <= memory.min(BLOCK) {
            self.memory.extend_from_slice(&data);
            return Ok(());
        }
        self.spilled = true;
        while !data.is_empty() {
            let fits = BLOCK.saturating_sub(self.memory.len()).min(data.len());
            self.memory.extend_from_slice(&data.split_to(fits));
            if self.memory.len() >= BLOCK {
                self.write().await?;
            }
        }
        Ok(())
    }

    /// The upload.
    pub(in crate::input) async fn finish(mut self) -> Result<Upload, Unspooled> {
        if !self.spilled {
            return Ok(Upload::new(self.memory.freeze()));
        }
        self.write().await?;
        let Some((mut file, room)) = self.file.take() else { return Ok(Upload::default()) };
        file.flush().await?;
        let spooled = Spooled { file: file.into_std().await, length: self.length, _room: room };
        Ok(Upload { content: Content::File(Arc::new(spooled)), file_name: None, content_type: None })
    }

    /// Writes what waits, a block at most.
    async fn write(&mut self) -> Result<(), Unspooled> {
        if self.memory.is_empty() {
            return Ok(());
        }
        let (file, room) = match &mut self.file {
            Some(open) => open,
            none => {
                let room = self.spool.room().ok_or(Unspooled::NoRoom)?;
                none.insert((open(self.spool).await?, room))
            }
        };
        room.grow().ok_or(Unspooled::NoRoom)?;
        file.write_all(&self.memory).await?;
        self.memory.clear();
        Ok(())
    }
}

async fn open(spool: &Spool) -> Result<tokio::fs::File, Unspooled> {
    let spool = spool.clone();
    let opened = tokio::task::spawn_blocking(move || spool.file()).await;
    let mut file = tokio::fs::File::from_std(opened.map_err(|_| Unspooled::Failed)??);
    file.set_max_buf_size(BLOCK);
    Ok(file)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    async fn spooled(spool: &Spool, pieces: &[usize], memory: usize) -> Result<Upload, Unspooled> {
        let mut spooler = Spooler::new(spool);
        for (at, length) in pieces.iter().enumerate() {
            let byte = u8::try_from(at).unwrap();
            spooler.push(Bytes::from(vec![byte; *length]), memory).await?;
        }
        spooler.finish().await
    }

    #[tokio::test]
    async fn what_came_is_read_again_from_wherever_it_is() {
        let spool = Spool::new(&Settings::new());
        for (pieces, memory, on_disk) in [
            (&[][..], BLOCK, false),
            (&[BLOCK], usize::MAX, false),
            (&[BLOCK, 1], usize::MAX, true),
            (&[1, BLOCK, 3 * BLOCK + 7, 5], BLOCK, true),
            (&[10, 10], 15, true),
            (&[1], 0, true),
        ] {
            let upload = spooled(&spool, pieces, memory).await.unwrap();
            assert_eq!(upload.in_memory().is_none(), on_disk, "{pieces:?}");
            let sent: Vec<u8> = (0..).zip(pieces).flat_map(|(byte, length)| vec![byte; *length]).collect();
            for upload in [upload.clone(), upload] {
                assert_eq!(upload.bytes(sent.len()).await.unwrap(), sent, "{pieces:?}");
                assert!(sent.is_empty() || upload.bytes(sent.len() - 1).await.is_err());
            }
        }
    }

    #[tokio::test]
    async fn room_is_given_back_with_the_last_handle() {
        let spool = Spool::new(&Settings::new().max_spooled_bytes(3 * BLOCK as u64));
        let two = spooled(&spool, &[2 * BLOCK], 0).await.unwrap();
        let again = two.clone();
        assert!(matches!(spooled(&spool, &[2 * BLOCK], 0).await, Err(Unspooled::NoRoom)));
        let one = spooled(&spool, &[1], 0).await.unwrap();
        assert!(matches!(spooled(&spool, &[1], 0).await, Err(Unspooled::NoRoom)), "a block for the smallest");
        drop((two, one));
        assert!(
            matches!(spooled(&spool, &[2 * BLOCK], 0).await, Err(Unspooled::NoRoom)),
            "somebody holds it"
        );
        drop(again);
        assert!(spooled(&spool, &[3 * BLOCK], 0).await.is_ok());
    }

    #[tokio::test]
    async fn files_are_counted_however_small_they_are() {
        let spool = Spool::new(&Settings::new().max_spooled_files(3));
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(spooled(&spool, &[1], 0).await.unwrap());
        }
        assert!(matches!(spooled(&spool, &[1], 0).await, Err(Unspooled::NoRoom)));
        assert!(spooled(&spool, &[1], 1).await.is_ok(), "in memory");
        held.pop();
        assert!(spooled(&spool, &[1], 0).await.is_ok());
    }
}
