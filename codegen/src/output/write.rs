//! Writing: only what changed, and never half of it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Writes `code` to `path` and says whether anything changed. What is current is not touched, so that no build tool
/// sees a new file time; what is not is replaced in one step, so that nobody reads half a file.
///
/// # Errors
/// When the file or its folder cannot be written. The file that was there is then still whole.
pub fn write_if_changed(path: &Path, code: &str) -> io::Result<bool> {
    if is_current(path, code)? {
        return Ok(false);
    }
    let beside = beside(path)?;
    let written = std::fs::write(&beside, code).and_then(|()| std::fs::rename(&beside, path));
    if let Err(error) = written {
        // The first error is the one to tell; a leftover beside the file harms nobody.
        let _ = std::fs::remove_file(&beside);
        return Err(error);
    }
    Ok(true)
}

/// Whether `path` holds exactly `code`. Writes nothing.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn is_current(path: &Path, code: &str) -> io::Result<bool> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes == code.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A name in the same folder: a rename between file systems would not be one step.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.rs");
        assert!(!is_current(&path, "a").unwrap());
        assert!(write_if_changed(&path, "a").unwrap());
        assert!(is_current(&path, "a").unwrap());
        assert!(!write_if_changed(&path, "a").unwrap(), "nothing changed");
        assert!(write_if_changed(&path, "b").unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "b");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_if_changed(&folder.path().join("no/api.rs"), "a").is_err());
        assert!(write_if_changed(Path::new("/"), "a").is_err());
    }
}
