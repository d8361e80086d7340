//! A record as a line of a file of keys.
//!
//! The file has one JSON object a line; empty lines and lines that begin with `#` are passed over:
//!
//! ```text
//! {"id":"4fZ0cQy81LmA","sha256":"<64 hexadecimal digits>","owner":"acme","scopes":["transfers:write"],
//!  "created":"2026-11-23T10:00:00Z","not_after":"2027-11-23T10:00:00Z"}
//! ```
//! (on one line). `sha256` is of the 43 characters of the secret: with 256 random bits behind it a fast hash is
//! right, and a slow one would let strangers spend the server's time. With a pepper it is `hmac_sha256`, and
//! `pepper` says which. Besides, there may be `tenant`, `name`, `addresses`, `operations`, `revoked_at`, `rotated_at`, `successor` and `replaces`; only
//! the id, the hash and the owner must be there, and unknown members are refused.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::record::{KeyRecord, MAX_RECORDS, RecordError};
use crate::authn::file;

/// Largest accepted file.
const MAX_FILE: usize = 16 * 1024 * 1024;

impl KeyRecord {
    /// Its line in a file of keys, without the line end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let time = |seconds: Option<u64>| seconds.and_then(rfc3339);
        let hash = base16ct::lower::encode_string(&self.hash);
        let (sha256, hmac_sha256) = match self.pepper {
            None => (Some(hash), None),
            Some(_) => (None, Some(hash)),
        };
        let line = Line {
            id: self.id.clone(),
            sha256,
            hmac_sha256,
            pepper: self.pepper.clone(),
            owner: self.owner.clone(),
            tenant: self.tenant.clone(),
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            addresses: self.addresses.clone(),
            operations: self.operations.clone(),
            created: time(self.created),
            not_after: time(self.not_after),
            revoked_at: time(self.revoked_at),
            rotated_at: time(self.rotated_at),
            successor: self.successor.clone(),
            replaces: self.replaces.clone(),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hmac_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pepper: Option<String>,
    owner: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    operations: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    successor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
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
        if records.len() >= MAX_RECORDS {
            return Err(RecordError::TooLarge);
        }
        records.push(read_line(line).map_err(|why| RecordError::Line(number, why))?);
    }
    Ok(records)
}

/// The record of one line.
pub(super) fn read_line(line: &str) -> Result<KeyRecord, &'static str> {
    let line: Line =
        serde_json::from_str(line).map_err(|_| "it is no JSON object with the members of a key")?;
    line.into_record()
}

/// The lines that say something, numbered from 1.
pub(in crate::authn) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

impl Line {
    fn into_record(self) -> Result<KeyRecord, &'static str> {
        let hash = match (&self.sha256, &self.hmac_sha256, &self.pepper) {
            (Some(plain), None, None) => from_hex(plain).ok_or("`sha256` is not 64 hexadecimal digits")?,
            (None, Some(keyed), Some(_)) => {
                from_hex(keyed).ok_or("`hmac_sha256` is not 64 hexadecimal digits")?
            }
            _ => return Err("it has `sha256`, or both `hmac_sha256` and `pepper`"),
        };
        let record = KeyRecord {
            hash,
            created: seconds(self.created, "`created` is no RFC 3339 time")?,
            not_after: seconds(self.not_after, "`not_after` is no RFC 3339 time")?,
            revoked_at: seconds(self.revoked_at, "`revoked_at` is no RFC 3339 time")?,
            rotated_at: seconds(self.rotated_at, "`rotated_at` is no RFC 3339 time")?,
            id: self.id,
            pepper: self.pepper,
            name: self.name,
            owner: self.owner,
            tenant: self.tenant,
            scopes: self.scopes,
            addresses: self.addresses,
            operations: self.operations,
            successor: self.successor,
            replaces: self.replaces,
            last_used: None,
        };
        record.check()?;
        Ok(record)
    }
}

pub(super) fn seconds(time: Option<String>, why: &'static str) -> Result<Option<u64>, &'static str> {
    let Some(text) = time else { return Ok(None) };
    let time: jiff::Timestamp = text.parse().map_err(|_| why)?;
    // a time that cannot be counted must not read as "never"
    u64::try_from(time.as_second()).map(Some).map_err(|_| why)
}

pub(super) fn rfc3339(seconds: u64) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.to_string())
}

/// In steps that do not depend on the digits.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let decoded = base16ct::mixed::decode(text, &mut hash).ok()?;
    (decoded.len() == 32).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authn::api_key::{KeyPeppers, NewKey},
        clock::Clock,
    };

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
    fn a_peppered_record_names_its_pepper_and_a_rotated_one_its_successor() {
        let peppers = KeyPeppers::generate("2026-12").unwrap();
        let mut record = new_key(Some(1_900_000_000))
            .named("billing")
            .unwrap()
            .of_tenant("north")
            .unwrap()
            .peppered(&peppers)
            .record;
        record.rotated_at = Some(1_800_000_001);
        record.successor = Some("a".repeat(12));
        record.replaces = Some("b".repeat(12));
        let line = record.to_line();
        assert!(line.contains("hmac_sha256") && line.contains("\"pepper\":\"2026-12\""), "{line}");
        let read = read_line(&line).unwrap();
        assert_eq!(format!("{read:?}"), format!("{record:?}"));
    }

    #[test]
    fn a_line_that_is_no_record_is_named_by_its_number() {
        let good = new_key(None).record.to_line();
        for bad in [
            "{}".to_owned(),
            "x".to_owned(),
            good.replace("\"owner\":\"acme\"", "\"owner\":\"\""),
            good.replace("\"owner\":\"acme\"", "\"owner\":\"acme\",\"admin\":true"),
            good.replace("\"owner\":\"acme\"", "\"owner\":\"acme\",\"tenant\":\"\""),
            good.replace("transfers:write", "two words"),
            good.replace("\"id\":\"", "\"id\":\"x"),
            good.replace("\"created\":\"2027", "\"created\":\"yesterday"),
            good.replace("sha256", "hmac_sha256"),
            good.replace("\"sha256\"", "\"pepper\":\"p\",\"sha256\""),
            good.replace("\"owner\"", "\"successor\":\"x\",\"owner\""),
            good.replace("\"created\"", "\"not_after\":\"0001-01-01T00:00:00Z\",\"created\""),
        ] {
            let text = format!("{good}\n{bad}");
            assert!(matches!(read_lines(&text), Err(RecordError::Line(2, _))), "{bad}");
        }
    }
}
