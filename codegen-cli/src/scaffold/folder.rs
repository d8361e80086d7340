//! A new folder that appears whole or not at all.
//!
//! Everything is written beside its place under another name, and moved there by one rename at the end. Whoever
//! fails before that drops the staged folder, and with it what was written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// A folder in the making.
#[derive(Debug)]
pub(crate) struct Folder {
    staged: PathBuf,
    place: PathBuf,
    finished: bool,
}

impl Folder {
    /// Refuses a place that holds something: nothing of a user's is ever overwritten.
    pub(crate) fn begin(place: &Path) -> Result<Self, Failure> {
        refuse_what_is_there(place)?;
        let parent = match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let name = place
            .file_name()
            .ok_or_else(|| Failure::usage(format!("`{}` names no folder", place.display())))?;
        let name = format!(".{}.{}.new", name.to_string_lossy(), std::process::id());
        fs::create_dir_all(parent).map_err(|cause| Failure::io("create", parent, cause))?;
        let staged = parent.join(name);
        fs::create_dir(&staged).map_err(|cause| Failure::io("create", &staged, cause))?;
        Ok(Self { staged, place: place.to_owned(), finished: false })
    }

    /// Where files are until [`Folder::finish`].
    pub(crate) fn staged(&self) -> &Path {
        &self.staged
    }

    /// Writes a file of the folder; folders on the way are part of it.
    pub(crate) fn write(&self, file: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        let path = self.staged.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|cause| Failure::io("create", parent, cause))?;
        }
        fs::write(&path, content).map_err(|cause| Failure::io("write", &path, cause))
    }

    /// Moves the folder to its place.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        refuse_what_is_there(&self.place)?;
        // Not every system renames over an empty folder.
        match fs::remove_dir(&self.place) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::io("replace the empty folder", &self.place, cause));
            }
            _ => {}
        }
        fs::rename(&self.staged, &self.place).map_err(|cause| Failure::io("create", &self.place, cause))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.finished {
            // What failed is being reported already; a folder that cannot be removed is named as it is: staged.
            let _ = fs::remove_dir_all(&self.staged);
        }
    }
}

fn refuse_what_is_there(place: &Path) -> Result<(), Failure> {
    match fs::read_dir(place) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!("`{}` exists and is not empty", place.display()))
                .help("name a folder that does not exist yet, or an empty one; nothing was changed")),
        },
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {
            Err(Failure::usage(format!("`{}` is a file", place.display())))
        }
        Err(cause) => Err(Failure::io("read", place, cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn it_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("deep/shop");
        let folder = Folder::begin(&place).unwrap();
        folder.write(Path::new("src/main.rs"), "fn main() {}").unwrap();
        assert!(!place.exists());
        folder.finish().unwrap();
        assert_eq!(fs::read_to_string(place.join("src/main.rs")).unwrap(), "fn main() {}");
        assert_eq!(fs::read_dir(root.path().join("deep")).unwrap().count(), 1, "the staged folder is gone");

        let other = root.path().join("other");
        let folder = Folder::begin(&other).unwrap();
        folder.write(Path::new("a"), "a").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing stays of what was not finished");
    }

    #[test]
    fn an_empty_folder_is_taken_and_a_full_one_refused() {
        let root = tempfile::tempdir().unwrap();
        let empty = root.path().join("empty");
        fs::create_dir(&empty).unwrap();
        Folder::begin(&empty).unwrap().finish().unwrap();

        let full = root.path().join("full");
        fs::create_dir(&full).unwrap();
        fs::write(full.join("mine"), "mine").unwrap();
        assert_eq!(Folder::begin(&full).unwrap_err().exit(), Exit::Usage);
        assert_eq!(Folder::begin(&full.join("mine")).unwrap_err().exit(), Exit::Usage);
        assert_eq!(fs::read_to_string(full.join("mine")).unwrap(), "mine");
    }
}
