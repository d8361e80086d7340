//! Files that hold credentials: only their owner reads them, and they are replaced whole.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::exit::Failure;

/// Replaces the file by one rename, so that a server that starts meanwhile sees the old one or the new one.
pub(crate) fn replace(path: &Path, content: &str) -> Result<(), Failure> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&beside)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|cause: io::Error| {
        let _ = fs::remove_file(&beside);
        Failure::io("write", path, cause)
    })
}

/// The text of the file, or `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Failure::io("read", path, cause)),
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        replace(&file, "one\ntwo\n").unwrap();
        replace(&file, "four\n").unwrap();
        assert_eq!(read(&file).unwrap().as_deref(), Some("four\n"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(replace(&folder.path().join("none/keys"), "one").is_err());
        assert!(!folder.path().join("none").exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        replace(&file, "secret").unwrap();
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
