//! Reads configured files with a bound on their size.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

#[derive(Debug)]
pub(crate) enum ReadError {
    Io(io::Error),
    TooLarge,
}

/// The text of a file of at most `max` bytes.
pub(crate) fn read(path: &Path, max: usize) -> Result<String, ReadError> {
    let file = File::open(path).map_err(ReadError::Io)?;
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    file.take(limit).read_to_string(&mut text).map_err(ReadError::Io)?;
    if text.len() > max { Err(ReadError::TooLarge) } else { Ok(text) }
}
