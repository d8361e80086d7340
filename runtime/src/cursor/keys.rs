//! The keys that cursors are sealed with.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::retired;

/// Length of a master key.
const MASTER: usize = 32;
/// What a key id may consist of; long enough for a date and a word.
const ID: std::ops::RangeInclusive<usize> = 1..=32;

/// The keys that cursors are sealed and opened with, in order: the first seals, all of them open.
///
/// To change keys, put a new one in front, and write behind the old one from when on nobody seals by it: it opens for as
/// long as its cursors live after that (`pagination.ttl` of the document), and then nothing. A cursor names its key, so an
/// unknown one is refused without trying others.
///
/// ```
/// # fn main() -> Result<(), palisade::cursor::CursorKeyError> {
/// let keys = palisade::cursor::CursorKeys::from_list(
///     "2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=
///      2026-11:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=:2026-12-01T12:00:00Z",
/// )?;
/// # drop(keys);
/// # Ok(())
/// # }
/// ```
pub struct CursorKeys {
    ring: Ring,
}

/// Keys that were derived from a list for one purpose: the first seals, all of them open.
pub(crate) struct Ring(Vec<Key>);

/// A key that was derived once. The master is not kept.
pub(crate) struct Key {
    pub(crate) id: [u8; 4],
    pub(crate) key: LessSafeKey,
    /// From when on nobody seals by it, in seconds since 1970 ([`retired`]).
    retired: Option<u64>,
}

/// What cursors are sealed under: other purposes have other salts.
const CURSORS: &[u8] = b"palisade cursor v1";

/// Why keys of cursors, or of an issuer, could not be taken. It never holds a key.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CursorKeyError {
    /// The environment variable is not set, or is not text.
    Missing(String),
    /// There is no key in the list.
    Empty,
    /// An entry, counted from one, is not `id:base64`.
    Entry(usize),
    /// An entry's id is not 1 to 32 letters, digits, dots, dashes or underscores.
    Id(usize),
    /// An entry's key is not 32 bytes in base64, or all its bytes are the same.
    Key(usize),
    /// An entry has the id of one before it, or the key of one before it, so nothing was rotated.
    Repeated(usize),
    /// What follows an entry's key is not from when on nobody seals by it, or the entry is the first, which seals.
    Retired(usize),
    /// The system gave no random bytes, or the cryptographic library refused.
    Crypto,
}

impl fmt::Display for CursorKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(variable) => {
                write!(f, "the environment variable `{variable}` holds no keys")
            }
            Self::Empty => f.write_str("the list of keys is empty"),
            Self::Entry(entry) => write!(f, "key {entry} is not written as `id:base64`"),
            Self::Id(entry) => {
                write!(f, "the id of key {entry} is not 1 to 32 of `A-Z a-z 0-9 . _ -`")
            }
            Self::Key(entry) => write!(f, "key {entry} is not 32 random bytes in base64"),
            Self::Repeated(entry) => {
                write!(f, "key {entry} repeats the id or the key of one before it")
            }
            Self::Retired(1) => f.write_str("key 1 seals, and is not retired: nothing follows it"),
            Self::Retired(entry) => {
                write!(
                    f,
                    "key {entry} is not followed by the time when it was retired, as `2026-12-01T00:00:00Z`"
                )
            }
            Self::Crypto => f.write_str("no key could be made: the system's random source failed"),
        }
    }
}

impl std::error::Error for CursorKeyError {}

/// A master key under its id.
pub(crate) type Master<'a> = (&'a str, Zeroizing<[u8; MASTER]>);

/// What a list has, between commas and white space.
pub(super) fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty())
}

/// The keys of a list of `id:base64`.
pub(crate) fn masters(list: &str) -> Result<Vec<Master<'_>>, CursorKeyError> {
    let mut masters: Vec<Master<'_>> = Vec::new();
    for (number, entry) in (1..).zip(entries(list)) {
        let (id, key) = entry.split_once(':').ok_or(CursorKeyError::Entry(number))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !ID.contains(&id.len()) || !id.bytes().all(plain) {
            return Err(CursorKeyError::Id(number));
        }
        let master = master(key).ok_or(CursorKeyError::Key(number))?;
        let again = |(other, known): &Master<'_>| {
            *other == id || aws_lc_rs::constant_time::verify_slices_are_equal(&**known, &*master).is_ok()
        };
        if masters.iter().any(again) {
            return Err(CursorKeyError::Repeated(number));
        }
        masters.push((id, master));
    }
    if masters.is_empty() { Err(CursorKeyError::Empty) } else { Ok(masters) }
}

impl CursorKeys {
    /// Takes the list from an environment variable, in the form of [`CursorKeys::from_list`].
    ///
    /// # Errors
    /// When it is not set, and as [`CursorKeys::from_list`].
    pub fn from_env(variable: &str) -> Result<Self, CursorKeyError> {
        let list = std::env::var(variable).map_err(|_| CursorKeyError::Missing(variable.to_owned()))?;
        Self::from_list(&Zeroizing::new(list))
    }

    /// Takes a list of `id:base64`, separated by commas or white space: 32 random bytes each
    /// (`openssl rand -base64 32`), under an id that says when it was made. Behind all but the first may stand from when on
    /// nobody seals by it: `id:base64:2026-12-01T00:00:00Z`.
    ///
    /// # Errors
    /// When the list is empty, or an entry is malformed or repeats another.
    pub fn from_list(list: &str) -> Result<Self, CursorKeyError> {
        let (keys, times) = retired::split(list)?;
        let mut ring = Ring::from_list(CURSORS, &keys)?;
        ring.0.iter_mut().zip(times).for_each(|(key, time)| key.retired = time);
        Ok(Self { ring })
    }

    /// One new random key, good until the process ends: cursors do not survive a restart, nor reach another instance.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, CursorKeyError> {
        Ok(Self { ring: Ring::generate(CURSORS)? })
    }

    pub(super) fn first(&self) -> Option<&Key> {
        self.ring.first()
    }

    /// The key that a cursor of a list names, when it opens those that live for `ttl`.
    pub(super) fn opening(&self, id: [u8; 4], ttl: Duration, now: u64) -> Option<&Key> {
        self.ring.named(id).filter(|key| retired::opens(key.retired, ttl, now))
    }

    /// How many keys seal no more, and open for longer than their cursors live.
    pub(crate) fn outliving(&self, now: u64) -> usize {
        self.ring.0.iter().skip(1).filter(|key| retired::outlives(key.retired, now)).count()
    }
}

impl Ring {
    /// The keys of a list of `id:base64`.
    pub(crate) fn from_list(salt: &[u8], list: &str) -> Result<Self, CursorKeyError> {
        Self::derive(salt, &masters(list)?)
    }

    /// One new random key.
    pub(crate) fn generate(salt: &[u8]) -> Result<Self, CursorKeyError> {
        let mut master = Zeroizing::new([0; MASTER]);
        crate::random::fill(&mut *master).map_err(|_| CursorKeyError::Crypto)?;
        Self::derive(salt, &[("generated", master)])
    }

    pub(crate) fn derive(salt: &[u8], masters: &[Master<'_>]) -> Result<Self, CursorKeyError> {
        let mut keys: Vec<Key> = Vec::with_capacity(masters.len());
        for (number, (id, master)) in (1..).zip(masters) {
            let key = Key::derive(salt, id, master).ok_or(CursorKeyError::Crypto)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(CursorKeyError::Repeated(number)); // the short forms of two ids meet by chance
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// The key that seals.
    pub(crate) fn first(&self) -> Option<&Key> {
        self.0.first()
    }

    /// The key that something sealed names.
    pub(crate) fn named(&self, id: [u8; 4]) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Key {
    /// HKDF (RFC 5869) with the purpose and the id as context, so that a master that is used elsewhere too, or under two
    /// ids, gives unrelated keys. The same derivation gives the short id that stands in the cursor.
    fn derive(salt: &[u8], id: &str, master: &[u8; MASTER]) -> Option<Self> {
        let secret = Salt::new(HKDF_SHA256, salt).extract(master);
        let mut key = Zeroizing::new([0; 32]);
        let info = [b"key ".as_slice(), id.as_bytes()];
        secret.expand(&info, &AES_256_GCM_SIV).ok()?.fill(&mut *key).ok()?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
        let id = *digest.as_ref().first_chunk()?;
        Some(Self {
            id,
            key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &*key).ok()?),
            retired: None,
        })
    }
}

/// Standard or URL-safe base64 of 32 bytes that are not obviously a placeholder.
fn master(text: &str) -> Option<Zeroizing<[u8; MASTER]>> {
    let mut bytes = Zeroizing::new([0; MASTER + 4]);
    let text = text.trim_end_matches('=');
    let length = URL_SAFE_NO_PAD
        .decode_slice(text, &mut *bytes)
        .or_else(|_| STANDARD.decode_slice(Zeroizing::new(format!("{text}=")).as_str(), &mut *bytes))
        .ok()?;
    let master = bytes.get(..length)?;
    let varied = master.iter().any(|byte| Some(byte) != master.first());
    let mut key = Zeroizing::new([0; MASTER]);
    (varied && length == MASTER).then(|| key.copy_from_slice(master))?;
    Some(key)
}

impl fmt::Debug for CursorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CursorKeys({} keys)", self.ring.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    const TWO: &str = "3q2-7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg";

    #[test]
    fn takes_lists_in_both_alphabets() {
        let keys = CursorKeys::from_list(&format!(" a:{ONE},\n2026-11:{TWO} ")).unwrap();
        assert_eq!(keys.ring.len(), 2);
        assert_eq!(format!("{keys:?}"), "CursorKeys(2 keys)");
        assert!(CursorKeys::generate().is_ok());
    }

    #[test]
    fn refuses_what_is_no_list_of_keys() {
        let refused = |list: String| CursorKeys::from_list(&list).unwrap_err();
        assert_eq!(refused(String::new()), CursorKeyError::Empty);
        assert_eq!(refused(" , ".to_owned()), CursorKeyError::Empty);
        assert_eq!(refused(ONE.to_owned()), CursorKeyError::Entry(1));
        assert_eq!(refused(format!(":{ONE}")), CursorKeyError::Id(1));
        assert_eq!(refused(format!("{}:{ONE}", "x".repeat(33))), CursorKeyError::Id(1));
        assert_eq!(refused(format!("a:{ONE} b/:{TWO}")), CursorKeyError::Id(2));
        let long: [u8; 33] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        assert_eq!(refused(format!("a:{ONE} b:{}", STANDARD.encode(&long[..31]))), CursorKeyError::Key(2));
        assert_eq!(refused(format!("a:{}", STANDARD.encode([0; 32]))), CursorKeyError::Key(1));
        assert_eq!(refused(format!("a:{}", STANDARD.encode(long))), CursorKeyError::Key(1));
        assert_eq!(refused("a:changeme".to_owned()), CursorKeyError::Key(1));
        assert_eq!(refused(format!("a:{ONE} a:{TWO}")), CursorKeyError::Repeated(2));
        assert_eq!(refused(format!("a:{ONE} b:{ONE}")), CursorKeyError::Repeated(2));
        let missing = CursorKeys::from_env("PALISADE_TEST_NO_SUCH_VARIABLE").unwrap_err();
        assert_eq!(missing, CursorKeyError::Missing("PALISADE_TEST_NO_SUCH_VARIABLE".to_owned()));
    }

    #[test]
    fn no_message_shows_a_key() {
        for error in [format!("a:{ONE} a:{TWO}"), ONE.to_owned(), format!("a:{ONE}x")].map(|list| {
            let error = CursorKeys::from_list(&list).unwrap_err();
            format!("{error} {error:?}")
        }) {
            assert!(!error.contains("QmUN") && !error.contains("3q2"), "{error}");
        }
    }
}
