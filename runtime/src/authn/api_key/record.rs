//! What a server keeps of an API key: everything but the key.

use std::{fmt, time::Duration};

use aws_lc_rs::digest;

use super::{
    pepper::{self, KeyPeppers},
    text,
};
use crate::{clock::Now, secret::Secret, settings::network};

/// Most keys of a store that is kept in memory.
pub(super) const MAX_RECORDS: usize = 50_000;

/// Most addresses, and most operations, that a key is bounded to.
const MAX_BOUNDS: usize = 64;

/// What a server keeps of an API key.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// The public id inside the key.
    pub id: String,
    /// SHA-256 of the secret inside the key, or its HMAC-SHA-256 with the pepper that the record names.
    pub hash: [u8; 32],
    /// The id of the pepper that the hash is keyed with, if it is.
    pub pepper: Option<String>,
    /// What people call it: up to 256 bytes, for lists.
    pub name: Option<String>,
    /// Whom the key stands for: the subject of its principal.
    pub owner: String,
    /// The tenant for which it does, where there are tenants.
    pub tenant: Option<String>,
    /// The scopes that it grants.
    pub scopes: Vec<String>,
    /// The networks that it is good from, such as `192.0.2.0/24`, and addresses; empty: from everywhere.
    pub addresses: Vec<String>,
    /// The operations that it is good for, by their ids in the document; empty: for all that its scopes open.
    pub operations: Vec<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
    /// From when it is good no more, in seconds since 1970.
    pub not_after: Option<u64>,
    /// When it was revoked, in seconds since 1970.
    pub revoked_at: Option<u64>,
    /// When a successor was made, in seconds since 1970; from then on it is good until `not_after` only.
    pub rotated_at: Option<u64>,
    /// The id of the key that was made in its place.
    pub successor: Option<String>,
    /// The id of the key in whose place it was made.
    pub replaces: Option<String>,
    /// When it last opened something, to a minute or so, in seconds since 1970. Not part of its line in a file.
    pub last_used: Option<u64>,
}

/// Whether a key is good, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// It opens what its scopes grant.
    Active,
    /// It does so still; a successor was made.
    Retiring,
    /// It is older than the scheme's `rotate-within`.
    Overdue,
    /// Its `not_after` is over.
    Expired,
    /// It was revoked.
    Revoked,
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
    /// The keys are not kept in memory: their store is where they change.
    NotInMemory,
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
            tenant: None,
            addresses: Vec::new(),
            operations: Vec::new(),
            pepper: None,
            name: None,
            revoked_at: None,
            rotated_at: None,
            successor: None,
            replaces: None,
            last_used: None,
        };
        record.check().map_err(RecordError::Fields)?;
        Ok(Self { key, record })
    }

    /// Makes the key that takes the place of `old`: the same owner, tenant, scopes, name and bounds. Without `not_after` it is good
    /// for as long as `old` was made for. [`Change::Rotate`](super::Change) brings both into a store.
    ///
    /// # Errors
    /// As [`NewKey::generate`].
    pub fn succeeding(
        old: &KeyRecord,
        prefix: &str,
        now: Now,
        not_after: Option<u64>,
    ) -> Result<Self, RecordError> {
        let scopes: Vec<&str> = old.scopes.iter().map(String::as_str).collect();
        let lifetime = old.not_after.zip(old.created).map(|(end, start)| end.saturating_sub(start));
        let not_after = not_after.or_else(|| lifetime.map(|lifetime| now.unix().saturating_add(lifetime)));
        let mut new = Self::generate(prefix, &old.owner, &scopes, now, not_after)?;
        new.record.name.clone_from(&old.name);
        new.record.tenant.clone_from(&old.tenant);
        new.record.addresses.clone_from(&old.addresses);
        new.record.operations.clone_from(&old.operations);
        new.record.replaces = Some(old.id.clone());
        Ok(new)
    }

    /// Keys its hash with the first of these peppers; without any, it stays SHA-256.
    #[must_use]
    pub fn peppered(mut self, peppers: &KeyPeppers) -> Self {
        // looked at to keep its digest in its place
        let secret = text::parse(self.key.expose()).map(|key| key.secret);
        if let Some((secret, pepper)) = secret.zip(peppers.first()) {
            self.record.hash = pepper.digest(secret);
            self.record.pepper = Some(pepper.id().to_owned());
        }
        self
    }

    /// Good from these addresses and networks alone, and for these operations alone, by their ids; an empty list bounds nothing.
    ///
    /// # Errors
    /// When one is no network or no id, or there are more than 64 of either.
    pub fn bounded(
        mut self,
        addresses: impl IntoIterator<Item = impl Into<String>>,
        operations: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, RecordError> {
        self.record.addresses = addresses.into_iter().map(Into::into).collect();
        self.record.operations = operations.into_iter().map(Into::into).collect();
        self.record.check().map_err(RecordError::Fields)?;
        Ok(self)
    }

    /// Of this tenant: that of its principal ([`Principal::tenant`](crate::Principal::tenant)).
    ///
    /// # Errors
    /// When the tenant is empty, over 256 bytes, or has control characters.
    pub fn of_tenant(mut self, tenant: &str) -> Result<Self, RecordError> {
        check_subject(tenant).map_err(RecordError::Fields)?;
        self.record.tenant = Some(tenant.to_owned());
        Ok(self)
    }

    /// What people call it.
    ///
    /// # Errors
    /// When the name is empty, over 256 bytes, or has control characters.
    pub fn named(mut self, name: &str) -> Result<Self, RecordError> {
        check_subject(name).map_err(RecordError::Fields)?;
        self.record.name = Some(name.to_owned());
        Ok(self)
    }
}

impl KeyRecord {
    /// Stands for a key that is not known, and is as long as one. Nobody has a secret with this digest, and finding one would
    /// not help.
    pub(super) fn of_nobody() -> Self {
        Self {
            id: "000000000000".to_owned(),
            hash: [0; 32],
            pepper: None,
            name: None,
            owner: "nobody".to_owned(),
            tenant: None,
            scopes: vec!["nothing:read".to_owned()],
            addresses: Vec::new(),
            operations: Vec::new(),
            created: Some(1_800_000_000),
            not_after: None,
            revoked_at: None,
            rotated_at: None,
            successor: None,
            replaces: None,
            last_used: None,
        }
    }

    /// Whether it is good at this time, under a scheme that asks for rotation within this time.
    ///
    /// A key without `created` has an age that nobody knows: where rotation is asked for, it is overdue.
    #[must_use]
    pub fn state(&self, now: Now, rotate_within: Option<Duration>) -> KeyState {
        let at = now.unix();
        let is_old =
            |within: Duration| self.created.is_none_or(|made| at >= made.saturating_add(within.as_secs()));
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.not_after.is_some_and(|end| at >= end) {
            KeyState::Expired
        } else if rotate_within.is_some_and(is_old) {
            KeyState::Overdue
        } else if self.successor.is_some() {
            KeyState::Retiring
        } else {
            KeyState::Active
        }
    }

    /// When it was good no more, or will be.
    pub(super) fn ended(&self) -> Option<u64> {
        self.revoked_at.into_iter().chain(self.not_after).min()
    }

    /// Whether it was rotated and is in the last tenth of the time in which it is good beside its successor.
    pub(super) fn is_ending(&self, now: Now) -> bool {
        let Some((start, end)) = self.rotated_at.zip(self.not_after) else { return false };
        now.unix() >= end.saturating_sub(end.saturating_sub(start) / 10)
    }

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if !text::is_id(&self.id) {
            return Err("`id` is not 12 letters and digits");
        }
        for id in [&self.successor, &self.replaces].into_iter().flatten() {
            if !text::is_id(id) {
                return Err("the id of another key is not 12 letters and digits");
            }
        }
        if self.pepper.as_deref().is_some_and(|id| !pepper::is_id(id)) {
            return Err("`pepper` is not the id of one");
        }
        if self.addresses.len() > MAX_BOUNDS || self.operations.len() > MAX_BOUNDS {
            return Err("it has more than 64 addresses or operations");
        }
        if !self.addresses.iter().all(|text| network(text).is_some()) {
            return Err("one of `addresses` is neither an address nor a network such as `10.0.0.0/8`");
        }
        self.operations.iter().try_for_each(|id| check_subject(id))?;
        self.name.as_deref().map_or(Ok(()), check_subject)?;
        self.tenant.as_deref().map_or(Ok(()), check_subject)?;
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
            Self::NotInMemory => f.write_str(
                "the records are kept in a store or a file: change them there, keys also by `KeyAdmin`",
            ),
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
    fn debug_of_a_new_key_does_not_show_it() {
        let made = new_key(None);
        assert!(!format!("{made:?}").contains(made.key.expose().as_str()));
    }

    #[test]
    fn what_no_key_may_have_is_refused_when_it_is_made() {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        assert!(matches!(NewKey::generate("Bank", "a", &[], now, None), Err(RecordError::Prefix)));
        assert!(matches!(NewKey::generate("bank", "", &[], now, None), Err(RecordError::Fields(_))));
        assert!(matches!(NewKey::generate("bank", "a", &["x y"], now, None), Err(RecordError::Fields(_))));
    }

    #[test]
    fn a_key_is_good_until_one_of_its_ends() {
        let record = new_key(Some(1_800_000_100)).record;
        let state = |record: &KeyRecord, at, within: Option<u64>| {
            record.state(Clock::fixed(at).now().unwrap(), within.map(Duration::from_secs))
        };
        assert_eq!(state(&record, 1_800_000_099, None), KeyState::Active);
        assert_eq!(state(&record, 1_800_000_100, None), KeyState::Expired);
        assert_eq!(state(&record, 1_800_000_049, Some(50)), KeyState::Active);
        assert_eq!(state(&record, 1_800_000_050, Some(50)), KeyState::Overdue);
        let ageless = KeyRecord { created: None, ..record.clone() };
        assert_eq!(state(&ageless, 1_800_000_000, None), KeyState::Active);
        assert_eq!(state(&ageless, 1_800_000_000, Some(50)), KeyState::Overdue);
        let rotated = KeyRecord { successor: Some("a".repeat(12)), ..record.clone() };
        assert_eq!(state(&rotated, 1_800_000_000, None), KeyState::Retiring);
        let revoked = KeyRecord { revoked_at: Some(1), ..rotated };
        assert_eq!(state(&revoked, 1_800_000_000, None), KeyState::Revoked);
    }

    #[test]
    fn the_last_tenth_of_an_overlap_is_its_end() {
        let mut record = new_key(Some(1_800_001_000)).record;
        let ending = |record: &KeyRecord, at| record.is_ending(Clock::fixed(at).now().unwrap());
        assert!(!ending(&record, 1_800_000_999), "it was not rotated");
        record.rotated_at = Some(1_800_000_000);
        assert!(!ending(&record, 1_800_000_899) && ending(&record, 1_800_000_900));
    }

    #[test]
    fn a_successor_lives_as_long_as_its_predecessor_was_made_for() {
        let old = new_key(Some(1_800_000_100)).named("billing").unwrap().of_tenant("north").unwrap().record;
        let now = Clock::fixed(1_800_000_050).now().unwrap();
        let new = NewKey::succeeding(&old, "bank_live", now, None).unwrap().record;
        assert_eq!((&new.owner, &new.tenant), (&old.owner, &old.tenant));
        assert_eq!((&new.scopes, &new.name), (&old.scopes, &old.name));
        assert_eq!((new.not_after, new.replaces.as_deref()), (Some(1_800_000_150), Some(old.id.as_str())));
        let new = NewKey::succeeding(&old, "bank_live", now, Some(1_800_000_060)).unwrap().record;
        assert_eq!(new.not_after, Some(1_800_000_060));
    }
}
