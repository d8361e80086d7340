//! API keys: random, prefixed, kept as a hash, compared in constant time.
//!
//! Rules:
//! 1. the key has its form, its checksum is right, and it begins with the prefix of the scheme, if it states one;
//! 2. it is looked up by its public id; the digest of its secret is compared in constant time, with a dummy when
//!    the id is unknown, so that both answers cost the same;
//! 3. a revoked key is refused, and from `not_after` on so is any.

mod record;
mod text;

use std::{collections::HashMap, path::Path, sync::Arc};

use arc_swap::ArcSwap;

pub use self::record::{KeyRecord, NewKey, RecordError};
pub(in crate::authn) use self::record::{check_scopes, check_subject, lines, read_text};
use super::{
    Reason,
    principal::{Facts, Kind, Login, Principal},
};
use crate::{clock::Now, secret::ct_eq};

/// The API keys that a server accepts. Clones share them.
#[derive(Clone)]
pub struct ApiKeys(Arc<ArcSwap<Records>>);

type Records = HashMap<Arc<str>, Accepted>;

/// A record as requests need it. What principals hold of it is shared with them, not copied for each.
struct Accepted {
    hash: [u8; 32],
    id: Arc<str>,
    owner: Arc<str>,
    scopes: Arc<str>,
    not_after: Option<u64>,
    revoked: bool,
}

impl ApiKeys {
    /// These keys.
    ///
    /// # Errors
    /// When a record is not well-formed, or two have the same id.
    pub fn new(records: impl IntoIterator<Item = KeyRecord>) -> Result<Self, RecordError> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(index(records)?))))
    }

    /// The keys of a file: one JSON object a line, `{"id", "sha256", "owner", "scopes", "created", "not_after",
    /// "revoked_at"}`, as [`KeyRecord::to_line`] writes them.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no record.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        Self::new(record::read_file(path.as_ref())?)
    }

    /// Exchanges the keys, at once and for every clone.
    ///
    /// # Errors
    /// As [`ApiKeys::new`]; the keys stay as they were.
    pub fn replace(&self, records: impl IntoIterator<Item = KeyRecord>) -> Result<(), RecordError> {
        self.0.store(Arc::new(index(records)?));
        Ok(())
    }

    /// Judges a presented key.
    pub(in crate::authn) fn judge(
        &self,
        scheme: &'static str,
        issuer: &Arc<str>,
        prefix: Option<&str>,
        presented: &str,
        now: Now,
    ) -> Result<Principal, Reason> {
        let key = text::parse(presented).ok_or(Reason::Malformed)?;
        if prefix.is_some_and(|prefix| prefix != key.prefix) {
            return Err(Reason::Malformed);
        }
        let digest = record::hash_of(key.secret);
        let records = self.0.load();
        let record = records.get(key.id);
        match ct_eq(&digest, record.map_or(&DUMMY, |record| &record.hash)) {
            true => {}
            false => return Err(record.map_or(Reason::UnknownIdentity, |_| Reason::WrongSecret)),
        }
        let record = record.ok_or(Reason::UnknownIdentity)?;
        if record.revoked {
            return Err(Reason::Revoked);
        }
        if record.not_after.is_some_and(|end| now.unix() >= end) {
            return Err(Reason::Expired);
        }
        Ok(Principal::new(Facts {
            scheme,
            kind: Kind::ApiKey,
            issuer: Arc::clone(issuer),
            subject: Arc::clone(&record.owner),
            scopes: Arc::clone(&record.scopes),
            client: None,
            credential: Some(Arc::clone(&record.id)),
            issued: None,
            expires: record.not_after,
            login: Login::default(),
        }))
    }
}

/// Compared when the id is unknown; nobody knows a secret with this digest, and finding one would not help.
static DUMMY: [u8; 32] = [0; 32];

fn index(records: impl IntoIterator<Item = KeyRecord>) -> Result<Records, RecordError> {
    let mut index = Records::new();
    for record in records {
        record.check().map_err(RecordError::Fields)?;
        let accepted = Accepted::from(record);
        if let Some(twice) = index.insert(Arc::clone(&accepted.id), accepted) {
            return Err(RecordError::Twice(twice.id.as_ref().to_owned()));
        }
    }
    Ok(index)
}

impl From<KeyRecord> for Accepted {
    fn from(record: KeyRecord) -> Self {
        Self {
            hash: record.hash,
            id: record.id.into(),
            owner: record.owner.into(),
            scopes: record.scopes.join(" ").into(),
            not_after: record.not_after,
            revoked: record.revoked_at.is_some(),
        }
    }
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKeys({})", self.0.load().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authn::principal::local_issuer, clock::Clock};

    const NOW: u64 = 1_800_000_000;

    fn make(not_after: Option<u64>) -> NewKey {
        let now = Clock::fixed(NOW).now().unwrap();
        NewKey::generate("bank_live", "acme", &["transfers:write", "a"], now, not_after).unwrap()
    }

    fn judge(keys: &ApiKeys, key: &str, at: u64) -> Result<Principal, Reason> {
        let now = Clock::fixed(at).now().unwrap();
        keys.judge("partner", &local_issuer("partner"), Some("bank_live"), key, now)
    }

    #[test]
    fn a_key_is_its_owner_with_its_scopes() {
        let made = make(None);
        let keys = ApiKeys::new([made.record.clone()]).unwrap();
        let caller = judge(&keys, made.key.expose(), NOW).unwrap();
        assert_eq!((caller.subject(), caller.issuer()), ("acme", "urn:palisade:scheme:partner"));
        assert!(caller.grants("transfers:write") && !caller.grants("accounts:admin"));
        assert_eq!(caller.credential_id(), Some(made.record.id.as_str()));
    }

    #[test]
    fn another_secret_an_unknown_id_and_a_typo_are_refused() {
        let (made, stranger) = (make(None), make(None));
        let mut impostor = stranger.record.clone();
        impostor.id.clone_from(&made.record.id);
        let keys = ApiKeys::new([made.record.clone()]).unwrap();
        assert_eq!(judge(&keys, stranger.key.expose(), NOW).unwrap_err(), Reason::UnknownIdentity);
        assert_eq!(
            judge(&keys, &made.key.expose().replace("bank_live", "bank_test"), NOW).unwrap_err(),
            Reason::Malformed
        );
        assert_eq!(judge(&keys, "", NOW).unwrap_err(), Reason::Malformed);
        // the id of one key with the digest of another: the first key's secret is wrong
        let swapped = ApiKeys::new([impostor]).unwrap();
        assert_eq!(judge(&swapped, made.key.expose(), NOW).unwrap_err(), Reason::WrongSecret);
    }

    #[test]
    fn a_key_of_another_prefix_is_refused_even_when_it_is_registered() {
        let now = Clock::fixed(NOW).now().unwrap();
        let made = NewKey::generate("bank_test", "acme", &[], now, None).unwrap();
        let keys = ApiKeys::new([made.record]).unwrap();
        assert_eq!(judge(&keys, made.key.expose(), NOW).unwrap_err(), Reason::Malformed);
    }

    #[test]
    fn a_key_ends_at_not_after_and_at_its_revocation() {
        let made = make(Some(NOW + 10));
        let keys = ApiKeys::new([made.record.clone()]).unwrap();
        assert!(judge(&keys, made.key.expose(), NOW + 9).is_ok());
        assert_eq!(judge(&keys, made.key.expose(), NOW + 10).unwrap_err(), Reason::Expired);
        let revoked = KeyRecord { revoked_at: Some(NOW), ..made.record };
        keys.replace([revoked]).unwrap();
        assert_eq!(judge(&keys, made.key.expose(), NOW).unwrap_err(), Reason::Revoked);
    }

    #[test]
    fn one_id_stands_for_one_key() {
        let made = make(None);
        assert!(matches!(ApiKeys::new([made.record.clone(), made.record]), Err(RecordError::Twice(_))));
    }

    #[test]
    fn a_file_of_keys_is_read() {
        let made = make(None);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("# keys\n{}\n", made.record.to_line())).unwrap();
        let keys = ApiKeys::from_file(file.path()).unwrap();
        assert!(judge(&keys, made.key.expose(), NOW).is_ok());
        assert!(matches!(ApiKeys::from_file(file.path().with_extension("none")), Err(RecordError::File(..))));
    }
}
