//! [`UploadReader`]: an upload as a stream of bytes.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::JoinHandle;

use super::spooled::Spooled;

/// Read from the file at a time.
const CHUNK: usize = 64 * 1024;

/// Reads an [`Upload`](super::Upload) from its start.
pub struct UploadReader {
    /// What has been read and not yet been taken.
    chunk: Bytes,
    rest: Option<Rest>,
}

/// What is still in the file.
struct Rest {
    file: Arc<Spooled>,
    at: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl UploadReader {
    pub(super) const fn of_memory(bytes: Bytes) -> Self {
        Self { chunk: bytes, rest: None }
    }

    pub(super) const fn of_file(file: Arc<Spooled>) -> Self {
        Self { chunk: Bytes::new(), rest: Some(Rest { file, at: 0, reading: None }) }
    }
}

impl fmt::Debug for UploadReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadReader").finish_non_exhaustive()
    }
}

impl Rest {
    /// The next chunk; an empty one at the end.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let reading = self.reading.get_or_insert_with(|| {
            let (file, at) = (Arc::clone(&self.file), self.at);
            tokio::task::spawn_blocking(move || chunk(&file, at))
        });
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let chunk = read.map_err(io::Error::other)??;
        self.at += chunk.len() as u64;
        Poll::Ready(Ok(chunk))
    }
}

fn chunk(file: &Spooled, at: u64) -> io::Result<Bytes> {
    let wanted = usize::try_from(file.len().saturating_sub(at)).unwrap_or(CHUNK).min(CHUNK);
    let mut bytes = vec![0; wanted];
    let read = file.read_at(&mut bytes, at)?;
    match read {
        0 if wanted > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
        read => {
            bytes.truncate(read);
            Ok(bytes.into())
        }
    }
}

impl AsyncRead for UploadReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.chunk.is_empty()
            && let Some(rest) = &mut self.rest
        {
            self.chunk = ready!(rest.poll_chunk(context))?;
        }
        let count = self.chunk.len().min(into.remaining());
        into.put_slice(&self.chunk.split_to(count));
        Poll::Ready(Ok(()))
    }
}
