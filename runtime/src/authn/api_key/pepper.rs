//! Peppers: keys of the server that hashes of API keys are keyed with, so that a stolen store verifies nothing.
//!
//! Without one a hash is plain SHA-256, which is sound as well: what is hashed are 256 random bits, which nobody
//! guesses. A pepper adds that who reads the store cannot check a key that leaked elsewhere, nor put in one of theirs
//! where the store can be written and the pepper cannot be read. Neither is bound to the other: records of before stay
//! good, and each names the pepper of its hash.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// Shortest pepper: what HMAC-SHA-256 gives (RFC 2104 section 3).
const SHORTEST: usize = 32;

/// The peppers of a server, in order: the first keys new hashes, all of them verify.
///
/// To change peppers, put a new one in front, and keep the old one while a record names it.
#[derive(Default)]
pub struct KeyPeppers(Vec<Pepper>);

pub(super) struct Pepper {
    id: String,
    key: hmac::Key,
}

/// Why peppers could not be taken. It never holds one.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PepperError {
    /// There is none in the list.
    Empty,
    /// An entry, counted from one, is not `id:base64` of at least 32 bytes under an id of 1 to 32 letters, digits,
    /// dots, dashes or underscores.
    Entry(usize),
    /// An entry has the id of one before it.
    Repeated(usize),
    /// The system gave no random bytes.
    Random,
}

impl KeyPeppers {
    /// Takes a list of `id:base64`, separated by commas or white space: 32 random bytes each
    /// (`openssl rand -base64 32`), under an id that says when it was made.
    ///
    /// # Errors
    /// When the list is empty, or an entry is malformed or repeats another's id.
    pub fn from_list(list: &str) -> Result<Self, PepperError> {
        let entries = list.split([',', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty());
        let mut peppers: Vec<Pepper> = Vec::new();
        for (number, entry) in (1..).zip(entries) {
            let pepper = Pepper::read(entry).ok_or(PepperError::Entry(number))?;
            if peppers.iter().any(|known| known.id == pepper.id) {
                return Err(PepperError::Repeated(number));
            }
            peppers.push(pepper);
        }
        if peppers.is_empty() { Err(PepperError::Empty) } else { Ok(Self(peppers)) }
    }

    /// One new random pepper, for tests: what it keyed is good until the process ends.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate(id: &str) -> Result<Self, PepperError> {
        let mut bytes = Zeroizing::new([0; SHORTEST]);
        crate::random::fill(&mut *bytes).map_err(|_| PepperError::Random)?;
        Self::from_list(&Zeroizing::new(format!("{id}:{}", *Zeroizing::new(STANDARD.encode(*bytes)))))
    }

    pub(super) fn first(&self) -> Option<&Pepper> {
        self.0.first()
    }

    pub(super) fn named(&self, id: &str) -> Option<&Pepper> {
        self.0.iter().find(|pepper| pepper.id == id)
    }
}

impl Pepper {
    fn read(entry: &str) -> Option<Self> {
        let (id, key) = entry.split_once(':')?;
        let bytes = Zeroizing::new(STANDARD.decode(key).ok()?);
        let sound =
            is_id(id) && bytes.len() >= SHORTEST && bytes.iter().any(|byte| Some(byte) != bytes.first());
        sound.then(|| Self { id: id.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, &bytes) })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// HMAC-SHA-256 of the secret.
    pub(super) fn digest(&self, secret: &str) -> [u8; 32] {
        let mut digest = [0; 32];
        for (place, byte) in digest.iter_mut().zip(hmac::sign(&self.key, secret.as_bytes()).as_ref()) {
            *place = *byte;
        }
        digest
    }
}

/// Whether a pepper may be called so.
pub(super) fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=32).contains(&id.len()) && id.bytes().all(plain)
}

impl fmt::Debug for KeyPeppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPeppers({})", self.0.len())
    }
}

impl fmt::Display for PepperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the list of peppers is empty"),
            Self::Entry(entry) => {
                write!(f, "pepper {entry} is not written as `id:base64` of at least 32 random bytes")
            }
            Self::Repeated(entry) => write!(f, "pepper {entry} repeats the id of one before it"),
            Self::Random => f.write_str("the random source of the machine failed"),
        }
    }
}

impl std::error::Error for PepperError {}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

    #[test]
    fn the_first_of_a_list_keys_and_all_are_known_by_their_ids() {
        let peppers =
            KeyPeppers::from_list(&format!("new:{ONE}\nold:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg="))
                .unwrap();
        assert_eq!(peppers.first().unwrap().id(), "new");
        let digest = |id: &str| peppers.named(id).map(|pepper| pepper.digest("secret"));
        assert!(digest("old").is_some() && digest("new") != digest("old") && digest("other").is_none());
    }

    #[test]
    fn what_is_no_pepper_is_named_by_its_number() {
        let entry = |list: String| KeyPeppers::from_list(&list).err();
        assert_eq!(entry(String::new()), Some(PepperError::Empty));
        assert_eq!(entry(format!("a:{ONE},a:{ONE}")), Some(PepperError::Repeated(2)));
        for bad in
            [ONE.to_owned(), format!(":{ONE}"), "a:c2hvcnQ=".to_owned(), format!("a:{}=", "A".repeat(43))]
        {
            assert_eq!(entry(bad), Some(PepperError::Entry(1)));
        }
    }
}
