//! A file of keys, changed by whole replacement under a lock: for commands, and for servers that share it.
//!
//! Beside `partner.keys` stand `partner.keys.lock`, which is held while either of the others changes, and
//! `partner.keys.used`, where servers note when keys were last used: the file of the keys itself they only read,
//! unless they make keys. Lines that a change does not touch stay as they are, comments included.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    change::{Change, Records},
    line::{self, read_lines, read_text},
    record::{KeyRecord, RecordError},
    store::{KeyStoreError, KeyUse},
};

/// Longest wait for another command that changes the file: each holds it for milliseconds.
const LOCK_TIME: Duration = Duration::from_secs(5);
const LOCK_LOOK: Duration = Duration::from_millis(10);

/// A file of API keys. Every call reads or writes it and blocks meanwhile.
#[derive(Clone, Debug)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// The file at this path, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its records, with what servers noted of their last use.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no record.
    pub fn read(&self) -> Result<Vec<KeyRecord>, RecordError> {
        let mut records = read_lines(&read_text(&self.0)?)?;
        let uses = self.uses();
        for record in &mut records {
            record.last_used = uses.get(&record.id).copied();
        }
        Ok(records)
    }

    /// Makes a change: reads the file, writes the new one beside it and renames it, while nobody else does. Answers how
    /// many records are new or other than before. A file that is not there is made by [`Change::Create`].
    ///
    /// # Errors
    /// When the change is refused, the file cannot be read or written, or another holds it for five seconds.
    pub fn change(&self, change: &Change) -> Result<usize, KeyStoreError> {
        let _held = self.lock()?;
        let before = match read_text(&self.0) {
            Err(RecordError::File(_, cause)) if cause.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(KeyStoreError::unavailable)?,
        };
        let read = read_lines(&before).map_err(KeyStoreError::unavailable)?;
        let mut records: Records = read.into_iter().map(|record| (record.id.clone(), record)).collect();
        let touched = change.apply(&mut records)?;
        if !touched.is_empty() {
            replace(&self.0, &with_changes(&before, &records, &touched))
                .map_err(KeyStoreError::unavailable)?;
        }
        Ok(touched.len())
    }

    /// Notes uses, and forgets those of keys that are gone.
    pub(super) fn note(&self, uses: &[KeyUse]) -> Result<(), KeyStoreError> {
        let records = read_lines(&read_text(&self.0).map_err(KeyStoreError::unavailable)?)
            .map_err(KeyStoreError::unavailable)?;
        let _held = self.lock()?;
        let mut noted = self.uses();
        for KeyUse { id, at } in uses {
            let known = noted.entry(id.clone()).or_default();
            *known = (*known).max(*at);
        }
        let lines = records.iter().filter_map(|record| {
            let last_used = line::rfc3339(*noted.get(&record.id)?)?;
            serde_json::to_string(&UseLine { id: record.id.clone(), last_used }).ok()
        });
        let text: String = lines.map(|line| line + "\n").collect();
        replace(&self.beside("used"), &text).map_err(KeyStoreError::unavailable)
    }

    /// What was noted. It decides nothing, so what cannot be read is not known.
    fn uses(&self) -> HashMap<String, u64> {
        let text = read_text(&self.beside("used")).unwrap_or_default();
        let read = |line: &str| {
            let line: UseLine = serde_json::from_str(line).ok()?;
            Some((line.id, line::seconds(Some(line.last_used), "").ok().flatten()?))
        };
        text.lines().filter_map(read).collect()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.0.as_os_str().to_owned();
        name.push(".");
        name.push(ending);
        name.into()
    }

    /// Held until it is dropped, or the process ends.
    fn lock(&self) -> Result<File, KeyStoreError> {
        let path = self.beside("lock");
        let cannot = |cause: io::Error| {
            KeyStoreError::unavailable(io::Error::new(
                cause.kind(),
                format!("cannot lock `{}`: {cause}", path.display()),
            ))
        };
        let mut options = OpenOptions::new();
        private(options.write(true).create(true).truncate(false));
        let file = options.open(&path).map_err(cannot)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_TIME => thread::sleep(LOCK_LOOK),
                Err(TryLockError::WouldBlock) => return Err(KeyStoreError::TimedOut),
                Err(TryLockError::Error(cause)) => return Err(cannot(cause)),
            }
        }
    }
}

/// When a key was last used.
#[derive(Serialize, Deserialize)]
struct UseLine {
    id: String,
    last_used: String,
}

/// The text with the lines of these records anew, without those of records that are gone, and with those at the end that it does
/// not have.
fn with_changes(before: &str, records: &Records, touched: &[String]) -> String {
    let mut left: Vec<&String> = touched.iter().collect();
    let mut text = String::with_capacity(before.len() + 512);
    for line in before.lines() {
        let id = line::read_line(line.trim()).ok().map(|record| record.id);
        if id.as_ref().is_some_and(|id| !records.contains_key(id)) {
            continue;
        }
        let changed = id.and_then(|id| {
            let place = left.iter().position(|touched| **touched == id)?;
            records.get(left.swap_remove(place))
        });
        text.push_str(&changed.map_or_else(|| line.to_owned(), KeyRecord::to_line));
        text.push('\n');
    }
    for record in touched.iter().filter(|id| left.contains(id)).filter_map(|id| records.get(id)) {
        text.push_str(&record.to_line());
        text.push('\n');
    }
    text
}

/// Replaces a file by one rename: who reads meanwhile sees the old one or the new one. It stays whose it was.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(target) => target, // what a link leads to is replaced, not the link
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(cause) => return Err(cause),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".palisade-").suffix(".new").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(&path) {
        keep_owner(new.as_file(), &old)?;
        new.as_file().set_permissions(old.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(&path).map_err(|error| error.error)?;
    // the rename itself is on the disk only when the folder is; where folders cannot be opened it is the system's affair
    File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
}

/// A command of another user must not take the file from the server that reads it.
#[cfg(unix)]
fn keep_owner(new: &File, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let made = new.metadata()?;
    if (made.uid(), made.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(new, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Only its owner reads it.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authn::api_key::NewKey, clock::Clock};

    const NOW: u64 = 1_800_000_000;

    fn key() -> KeyRecord {
        let now = Clock::fixed(NOW).now().unwrap();
        NewKey::generate("bank_live", "acme", &["a"], now, None).unwrap().record
    }

    fn ids(file: &KeyFile) -> Vec<String> {
        file.read().unwrap().into_iter().map(|record| record.id).collect()
    }

    #[test]
    fn a_change_touches_its_line_and_leaves_the_others_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        let (one, other) = (key(), key());
        file.change(&Change::Create(one.clone())).unwrap();
        let odd = one.to_line().replace("{\"id\"", "{ \"id\"");
        fs::write(file.path(), format!("# partners\n\n  {odd}\n# the last line has no end")).unwrap();
        file.change(&Change::Create(other.clone())).unwrap();
        let text = format!("# partners\n\n  {odd}\n# the last line has no end\n{}\n", other.to_line());
        assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
        assert_eq!(file.change(&Change::Revoke { id: other.id.clone(), at: NOW }).unwrap(), 1);
        assert_eq!(file.change(&Change::Revoke { id: other.id.clone(), at: NOW + 1 }).unwrap(), 0);
        let revoked = KeyRecord { revoked_at: Some(NOW), ..other.clone() };
        let text = text.replace(&other.to_line(), &revoked.to_line());
        assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        let made: Vec<_> = (0..4)
            .map(|_| {
                let file = file.clone();
                thread::spawn(move || {
                    let keys: Vec<_> = (0..5).map(|_| key()).collect();
                    keys.iter().for_each(|key| {
                        file.change(&Change::Create(key.clone())).unwrap();
                    });
                    keys
                })
            })
            .collect();
        let mut made: Vec<_> =
            made.into_iter().flat_map(|thread| thread.join().unwrap()).map(|record| record.id).collect();
        let mut stored = ids(&file);
        made.sort();
        stored.sort();
        assert_eq!((made.len(), stored), (20, made));
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["partner.keys", "partner.keys.lock"], "nothing is left beside them");
    }

    #[test]
    fn a_file_that_is_broken_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        fs::write(file.path(), "nonsense\n").unwrap();
        assert!(matches!(file.change(&Change::Create(key())), Err(KeyStoreError::Unavailable(_))));
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "nonsense\n");
        let nowhere = KeyFile::new(folder.path().join("none/partner.keys"));
        assert!(nowhere.change(&Change::Create(key())).is_err() && !folder.path().join("none").exists());
    }

    #[test]
    fn uses_stand_beside_the_file_and_only_of_keys_that_are_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        let (one, gone) = (key(), key());
        file.change(&Change::Create(one.clone())).unwrap();
        let before = fs::read_to_string(file.path()).unwrap();
        let used = |id: &str, at| KeyUse { id: id.to_owned(), at };
        file.note(&[used(&one.id, NOW + 5), used(&gone.id, NOW)]).unwrap();
        file.note(&[used(&one.id, NOW)]).unwrap();
        assert_eq!(file.read().unwrap()[0].last_used, Some(NOW + 5), "time does not go back");
        assert!(!fs::read_to_string(file.beside("used")).unwrap().contains(&gone.id));
        assert_eq!(fs::read_to_string(file.path()).unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it_and_what_was_set_stays() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        let mode = || fs::metadata(file.path()).unwrap().permissions().mode() & 0o777;
        file.change(&Change::Create(key())).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        file.change(&Change::Create(key())).unwrap();
        assert_eq!(mode(), 0o640);
        let link = folder.path().join("link.keys");
        std::os::unix::fs::symlink(file.path(), &link).unwrap();
        KeyFile::new(&link).change(&Change::Create(key())).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && ids(&file).len() == 3);
    }
}
