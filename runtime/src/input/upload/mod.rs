//! [`Upload`]: bytes that a client sent as they are, in memory when they are few and in a temporary file when not.
//!
//! 1. A file of a form, and a body that is neither JSON, a form nor text, stays in memory up to 64 KiB; of one request, up to
//!    1 MiB together. What is more goes to a temporary file that has no name, so that nothing is left behind however the
//!    request ends, not even by a crash.
//! 2. All files of all requests together take what [`Settings::max_spooled_bytes`](crate::Settings::max_spooled_bytes)
//!    allows, and are as many as [`Settings::max_spooled_files`](crate::Settings::max_spooled_files) allows, for as long as
//!    somebody holds them. A request for which there is no room is answered with 503.
//! 3. The name that a client gives to a file is what is left of it without its directories (RFC 7578 section 4.2,
//!    RFC 6266 section 4.3).

mod name;
mod reader;
mod spool;
mod spooled;

use std::fmt;
use std::io;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use tokio::io::AsyncReadExt;

pub use self::reader::UploadReader;
pub(super) use self::spool::BLOCK as IN_MEMORY;
pub(crate) use self::spool::Spool;
use self::spooled::Spooled;
pub(super) use self::spooled::{Spooler, Unspooled};
use super::{At, Check, Violations};

/// Bytes as a client sent them: a file of a form, a whole body, or the text of a string with `format: binary`.
///
/// A handler gets it when all of the request has been read and checked. It is cheap to clone; the temporary file, if there
/// is one, goes with the last clone.
#[derive(Clone)]
pub struct Upload {
    content: Content,
    file_name: Option<String>,
    content_type: Option<String>,
}

#[derive(Clone)]
enum Content {
    Memory(Bytes),
    File(std::sync::Arc<Spooled>),
}

impl Upload {
    /// An upload of these bytes, without a name.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { content: Content::Memory(bytes.into()), file_name: None, content_type: None }
    }

    /// The same with what is said of it: what a client calls it and says that it is, or, as a part of an answer, what the
    /// server says. The name loses its directories.
    #[must_use]
    pub fn said(self, file_name: Option<&str>, content_type: Option<&str>) -> Self {
        let file_name = file_name.and_then(name::without_directories);
        Self { file_name, content_type: content_type.map(str::to_owned), ..self }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(file) => file.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the client calls it: one name and no path. It is still the client's word; do not store under it.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The media type that the client says it has, which is one of those that the document declares for it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The bytes, when they are in memory.
    #[must_use]
    pub const fn in_memory(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Memory(bytes) => Some(bytes),
            Content::File(_) => None,
        }
    }

    /// Reads it from the start. Any number of readers may read at once.
    #[must_use]
    pub fn reader(&self) -> UploadReader {
        match &self.content {
            Content::Memory(bytes) => UploadReader::of_memory(bytes.clone()),
            Content::File(file) => UploadReader::of_file(std::sync::Arc::clone(file)),
        }
    }

    /// All of it in memory, if it is at most this many bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] when it is more, and whatever reading it gives.
    pub async fn bytes(&self, most: usize) -> io::Result<Bytes> {
        let length = usize::try_from(self.len()).ok().filter(|length| *length <= most);
        let length = length.ok_or(io::ErrorKind::FileTooLarge)?;
        if let Some(bytes) = self.in_memory() {
            return Ok(bytes.clone());
        }
        let mut all = Vec::with_capacity(length);
        self.reader().read_to_end(&mut all).await?;
        Ok(all.into())
    }

    /// As text, when it is short enough to be in memory.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.in_memory()?).ok()
    }
}

impl Default for Upload {
    fn default() -> Self {
        Self::new(Bytes::new())
    }
}

impl From<Bytes> for Upload {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

/// Two uploads in memory are equal when their bytes are; of two files only clones of one are.
impl PartialEq for Upload {
    fn eq(&self, other: &Self) -> bool {
        let content = match (&self.content, &other.content) {
            (Content::Memory(one), Content::Memory(other)) => one == other,
            (Content::File(one), Content::File(other)) => std::sync::Arc::ptr_eq(one, other),
            _ => false,
        };
        content && self.file_name == other.file_name && self.content_type == other.content_type
    }
}

impl Eq for Upload {}

/// Without its content.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("length", &self.len()).finish_non_exhaustive()
    }
}

/// In JSON `format: binary` is a string: bytes that are no text cannot be written.
impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => to.serialize_str(text),
            None => Err(serde::ser::Error::custom("bytes that are no text in memory have no JSON form")),
        }
    }
}

impl Check for Upload {
    fn check(&self, _: &At<'_>, _: &mut Violations) {}

    fn files(&self) -> Vec<Self> {
        vec![self.clone()]
    }
}
