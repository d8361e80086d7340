//! What a server keeps of an API key: everything but the key. And the file that holds it.
//!
//! The file has one JSON object a line; empty lines and lines that begin with `#` are passed over:
//!
//! ```text
//! {"id":"4fZ0cQy81LmA","sha256":"<64 hexadecimal digits>","owner":"acme","scopes":["transfers:write"],
//!  "created":"2026-11-23T10:00:00Z","not_after":"2027-11-23T10:00:00Z"}
//! ```
//! (on one line). `sha256` is of the 43 characters of the secret: with 256 random bits behind it a fast hash is
//! right, and a slow one would let strangers spend the server's time. `scopes`, `created`, `not_after` and
//! `revoked_at` may be left out; unknown members are refused.

use std::{fmt, path::Path};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::text;
use crate::{authn::file, clock::Now, secret::Secret};

/// Largest accepted file, and most keys in it.
const MAX_FILE: usize = 16 * 1024 * 1024;
const MAX_RECORDS: usize = 50_000;

/// What a server keeps of an API key.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// The public id inside the key.
    pub id: String,
    /// SHA-256 of the secret inside the key.
    pub hash: [u8; 32],
    /// Whom the key stands for: the subject of its principal.
    pub owner: String,
    /// The scopes that it grants.
    pub scopes: Vec<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
    /// From when it is good no more, in seconds since 1970.
    pub not_after: Option<u64>,
    /// When it was revoked, in seconds since 1970.
    pub revoked_at: Option<u64>,
}

/// A key that was just made: the only time that its text exists on this side.
#[derive(Debug)]
pub struct NewKey {
    /// The whole key, to hand to its owner. It is not stored.
    pub key: Secret<String>,
    /// What to store.
    pub record: KeyRecord,
}

/// Why a key or a file of keys cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// The file cannot be read.
    File(std::path::PathBuf, std::io::Error),
    /// The file, or the number of its records, is over the bound.
    TooLarge,
    /// This line (from 1) is no record.
    Line(usize, &'static str),
    /// Two records have this name.
    Twice(String),
    /// A key's prefix is not words of lower-case letters and digits joined by `_`, at most 32 characters.
    Prefix,
    /// An owner or scope is empty or has characters that cannot be.
    Fields(&'static str),
    /// The random source of the machine failed.
    Random,
}

impl NewKey {
    /// Makes a key of `owner` that begins with `prefix` (as `bank_live`) and grants `scopes`.
    ///
    /// # Errors
    /// When prefix, owner or a scope is not well-formed, or the random source fails.
    pub fn generate(
        prefix: &str,
        owner: &str,
        scopes: &[&str],
        now: Now,
        not_after: Option<u64>,
    ) -> Result<Self, RecordError> {
        if !text::is_prefix(prefix) {
            return Err(RecordError::Prefix);
        }
        let (id, secret, key) = text::generate(prefix).ok_or(RecordError::Random)?;
        let record = KeyRecord {
            id,
            // looked at to keep its digest in its place
            hash: hash_of(secret.expose()),
            owner: owner.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            created: Some(now.unix()),
            not_after,
            revoked_at: None,
        };
        record.check().map_err(RecordError::Fields)?;
        Ok(Self { key, record })
    }
}

impl KeyRecord {
    /// Its line in a file of keys, without the line end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let time = |seconds: Option<u64>| seconds.and_then(rfc3339);
        let line = Line {
            id: self.id.clone(),
            sha256: self.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            owner: self.owner.clone(),
            scopes: self.scopes.clone(),
            created: time(self.created),
            not_after: time(self.not_after),
            revoked_at: time(self.revoked_at),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if !text::is_id(&self.id) {
            return Err("`id` is not 12 letters and digits");
        }
        check_subject(&self.owner)?;
        check_scopes(&self.scopes)
    }
}

/// A name that can be a principal's subject: not empty, bounded, without control characters.
pub(in crate::authn) fn check_subject(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("the name is empty"),
        _ if name.len() > 256 => Err("the name is over 256 bytes"),
        _ if name.chars().any(char::is_control) => Err("the name has control characters"),
        _ => Ok(()),
    }
}

/// Scope tokens (RFC 6749 section 3.3): visible ASCII without `"` and `\`.
pub(in crate::authn) fn check_scopes(scopes: &[String]) -> Result<(), &'static str> {
    let token = |scope: &String| {
        !scope.is_empty() && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    };
    if scopes.iter().all(token) {
        Ok(())
    } else {
        Err("a scope is empty or has a character that scopes cannot have")
    }
}

pub(crate) fn hash_of(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().zip(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref()) {
        *place = *byte;
    }
    hash
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    sha256: String,
    owner: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<KeyRecord>, RecordError> {
    read_lines(&read_text(path)?)
}

pub(in crate::authn) fn read_text(path: &Path) -> Result<String, RecordError> {
    file::read(path, MAX_FILE).map_err(|error| match error {
        file::ReadError::TooLarge => RecordError::TooLarge,
        file::ReadError::Io(cause) => RecordError::File(path.to_owned(), cause),
    })
}

pub(crate) fn read_lines(text: &str) -> Result<Vec<KeyRecord>, RecordError> {
    let mut records = Vec::new();
    for (number, line) in lines(text) {
        let line: Line = serde_json::from_str(line)
            .map_err(|_| RecordError::Line(number, "it is no JSON object with the members of a key"))?;
        let record = line.into_record().map_err(|why| RecordError::Line(number, why))?;
        if records.len() >= MAX_RECORDS {
            return Err(RecordError::TooLarge);
        }
        records.push(record);
    }
    Ok(records)
}

/// The lines that say something, numbered from 1.
pub(in crate::authn) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

impl Line {
    fn into_record(self) -> Result<KeyRecord, &'static str> {
        let record = KeyRecord {
            hash: from_hex(&self.sha256).ok_or("`sha256` is not 64 hexadecimal digits")?,
            created: seconds(self.created, "`created` is no RFC 3339 time")?,
            not_after: seconds(self.not_after, "`not_after` is no RFC 3339 time")?,
            revoked_at: seconds(self.revoked_at, "`revoked_at` is no RFC 3339 time")?,
            id: self.id,
            owner: self.owner,
            scopes: self.scopes,
        };
        record.check()?;
        Ok(record)
    }
}

fn seconds(time: Option<String>, why: &'static str) -> Result<Option<u64>, &'static str> {
    let Some(text) = time else { return Ok(None) };
    let time: jiff::Timestamp = text.parse().map_err(|_| why)?;
    // a time that cannot be counted must not read as "never"
    u64::try_from(time.as_second()).map(Some).map_err(|_| why)
}

fn rfc3339(seconds: u64) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.to_string())
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    for place in &mut hash {
        let (high, low) = (digits.next()??, digits.next()??);
        *place = u8::try_from(high * 16 + low).ok()?;
    }
    digits.next().is_none().then_some(hash)
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, cause) => write!(f, "cannot read `{}`: {cause}", path.display()),
            Self::TooLarge => write!(f, "over 16 MiB or over {MAX_RECORDS} records"),
            Self::Line(number, why) => write!(f, "line {number}: {why}"),
            Self::Twice(name) => write!(f, "`{name}` is there twice"),
            Self::Prefix => f.write_str(
                "a prefix is words of lower-case letters and digits joined by `_`, at most 32 characters",
            ),
            Self::Fields(why) => f.write_str(why),
            Self::Random => f.write_str("the random source of the machine failed"),
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, cause) => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn new_key(not_after: Option<u64>) -> NewKey {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        NewKey::generate("bank_live", "acme", &["transfers:write"], now, not_after).unwrap()
    }

    #[test]
    fn a_record_survives_its_line_and_holds_no_key() {
        let made = new_key(Some(1_900_000_000));
        let line = made.record.to_line();
        let secret = &made.key.expose()[made.key.expose().len() - 49..];
        assert!(!line.contains(secret) && !line.contains(&secret[..20]));
        let read = read_lines(&format!("# partners\n\n{line}\n")).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(
            (&read[0].id, read[0].hash, &read[0].owner, read[0].not_after, &read[0].scopes),
            (&made.record.id, made.record.hash, &made.record.owner, Some(1_900_000_000), &made.record.scopes)
        );
    }

    #[test]
    fn debug_of_a_new_key_does_not_show_it() {
        let made = new_key(None);
        assert!(!format!("{made:?}").contains(made.key.expose().as_str()));
    }

    #[test]
    fn a_line_that_is_no_record_is_named_by_its_number() {
        let good = new_key(None).record.to_line();
        for bad in [
            "{}".to_owned(),
            "x".to_owned(),
            good.replace("\"owner\":\"acme\"", "\"owner\":\"\""),
            good.replace("\"owner\":\"acme\"", "\"owner\":\"acme\",\"admin\":true"),
            good.replace("transfers:write", "two words"),
            good.replace("\"id\":\"", "\"id\":\"x"),
            good.replace("\"created\":\"2027", "\"created\":\"yesterday"),
            good.replace("\"created\"", "\"not_after\":\"0001-01-01T00:00:00Z\",\"created\""),
        ] {
            let text = format!("{good}\n{bad}");
            assert!(matches!(read_lines(&text), Err(RecordError::Line(2, _))), "{bad}");
        }
    }

    #[test]
    fn what_no_key_may_have_is_refused_when_it_is_made() {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        assert!(matches!(NewKey::generate("Bank", "a", &[], now, None), Err(RecordError::Prefix)));
        assert!(matches!(NewKey::generate("bank", "", &[], now, None), Err(RecordError::Fields(_))));
        assert!(matches!(NewKey::generate("bank", "a", &["x y"], now, None), Err(RecordError::Fields(_))));
    }
}
