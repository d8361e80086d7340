//! Reads configured files with a bound on their size, and tells whether they have changed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::{Duration, SystemTime},
};

/// The coarsest steps that file systems in use count time in.
const STEP: Duration = Duration::from_secs(2);

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

/// What tells one state of a file from another.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: SystemTime,
    length: u64,
    #[cfg(unix)]
    identity: (u64, u64, i64, i64),
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let data = fs::metadata(path)?;
        Ok(Self {
            modified: data.modified()?,
            length: data.len(),
            #[cfg(unix)]
            identity: {
                use std::os::unix::fs::MetadataExt;
                (data.dev(), data.ino(), data.ctime(), data.ctime_nsec())
            },
        })
    }

    /// Whether any change from now on makes another stamp: file systems count time in steps, and two changes within one look
    /// the same.
    pub(crate) fn is_settled(&self) -> bool {
        self.modified.elapsed().is_ok_and(|age| age > STEP)
    }
}
