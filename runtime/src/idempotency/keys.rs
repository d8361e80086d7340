//! The keys that records are sealed with: answers hold what only their caller is to see.
//!
//! ```text
//! sealed = version 1 | key id 4 | nonce 12 | ciphertext | tag 16
//! ```
//!
//! AES-256-GCM-SIV (RFC 8452), bound to what the record is kept under: one that is moved opens nowhere else.

use std::fmt;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::cursor::{CursorKeyError, Ring};
use crate::state::Key;

/// What records are sealed under: a master that seals cursors, too, gives unrelated keys.
const ANSWERS: &[u8] = b"palisade answer v1";
const VERSION: u8 = 1;
/// Bytes before the ciphertext.
const HEAD: usize = 1 + 4 + NONCE_LEN;
/// By which something sealed is longer than what was sealed.
pub(super) const OVERHEAD: usize = HEAD + 16;

/// The keys that kept answers are sealed and opened with, in order: the first seals, all of them open.
///
/// To change keys, put a new one in front and keep the old one for as long as answers live (the longest
/// `idempotency.ttl` of the document). While an answer cannot be opened, its call is refused with 503.
///
/// ```
/// # fn main() -> Result<(), palisade::cursor::CursorKeyError> {
/// let keys = palisade::AnswerKeys::from_list("2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=")?;
/// # drop(keys);
/// # Ok(())
/// # }
/// ```
pub struct AnswerKeys(Ring);

/// Why a record could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsealed(pub(crate) &'static str);

impl AnswerKeys {
    /// Takes the list from an environment variable, in the form of [`AnswerKeys::from_list`].
    ///
    /// # Errors
    /// When it is not set, and as [`AnswerKeys::from_list`].
    pub fn from_env(variable: &str) -> Result<Self, CursorKeyError> {
        let list = std::env::var(variable).map_err(|_| CursorKeyError::Missing(variable.to_owned()))?;
        Self::from_list(&Zeroizing::new(list))
    }

    /// Takes a list of `id:base64`, separated by commas or white space: 32 random bytes each
    /// (`openssl rand -base64 32`), under an id that says when it was made.
    ///
    /// # Errors
    /// When the list is empty, or an entry is malformed or repeats another.
    pub fn from_list(list: &str) -> Result<Self, CursorKeyError> {
        Ok(Self(Ring::from_list(ANSWERS, list)?))
    }

    /// One new random key, good until the process ends: for a state in memory.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, CursorKeyError> {
        Ok(Self(Ring::generate(ANSWERS)?))
    }

    pub(super) fn seal(&self, under: &Key, mut plain: Vec<u8>) -> Result<Vec<u8>, Unsealed> {
        let failed = Unsealed("the record could not be encrypted");
        let key = self.0.first().ok_or(failed)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| failed)?;
        let mut sealed = Vec::with_capacity(plain.len().saturating_add(OVERHEAD));
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        let data = bound_to(under, &sealed);
        sealed.extend_from_slice(&nonce);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag =
            key.key.seal_in_place_separate_tag(nonce, Aad::from(data), &mut plain).map_err(|_| failed)?;
        sealed.extend_from_slice(&plain);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    pub(super) fn open(&self, under: &Key, sealed: &[u8]) -> Result<Vec<u8>, Unsealed> {
        let malformed = Unsealed("the record is no sealed one");
        let (head, rest) = sealed.split_at_checked(HEAD).ok_or(malformed)?;
        let (&[version, a, b, c, d], nonce) = head.split_first_chunk().ok_or(malformed)?;
        if version != VERSION {
            return Err(malformed);
        }
        let key = self.0.named([a, b, c, d]).ok_or(Unsealed("the record is sealed by an unknown key"))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| malformed)?;
        let data = bound_to(under, &[version, a, b, c, d]);
        let mut plain = rest.to_vec();
        let opened = key.key.open_in_place(nonce, Aad::from(data), &mut plain);
        let length = opened.map_err(|_| Unsealed("the record was altered, or belongs elsewhere"))?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

fn bound_to(under: &Key, head: &[u8]) -> Vec<u8> {
    [head, under.as_bytes()].concat()
}

impl fmt::Debug for AnswerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerKeys({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Kind;

    const OLD: &str = "old:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    const NEW: &str = "new:3q2-7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=";

    fn keys(list: &[&str]) -> AnswerKeys {
        AnswerKeys::from_list(&list.join(",")).unwrap()
    }

    #[test]
    fn a_record_opens_where_it_was_kept_by_the_keys_of_the_list() {
        let (here, there) = (Key::new(Kind::Answer, &[b"a"]), Key::new(Kind::Answer, &[b"b"]));
        let sealed = keys(&[OLD]).seal(&here, b"secret of alice".to_vec()).unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"alice"));
        assert_eq!(sealed.len(), b"secret of alice".len() + OVERHEAD);
        assert_eq!(keys(&[NEW, OLD]).open(&here, &sealed).unwrap(), b"secret of alice");
        assert!(keys(&[OLD]).open(&there, &sealed).is_err(), "it was moved");
        assert!(keys(&[NEW]).open(&here, &sealed).is_err(), "its key is not in the list");
        assert_ne!(keys(&[OLD]).seal(&here, b"secret of alice".to_vec()).unwrap(), sealed);
    }

    #[test]
    fn no_bit_of_a_record_can_be_changed() {
        let under = Key::new(Kind::Answer, &[b"a"]);
        let keys = keys(&[OLD]);
        let sealed = keys.seal(&under, b"text".to_vec()).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(keys.open(&under, &altered).is_err(), "{bit}");
        }
        for length in 0..sealed.len() {
            assert!(keys.open(&under, &sealed[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_master_of_cursors_opens_no_answer() {
        let under = Key::new(Kind::Answer, &[b"a"]);
        let sealed = keys(&[OLD]).seal(&under, b"text".to_vec()).unwrap();
        let other = AnswerKeys(Ring::from_list(b"palisade cursor v1", OLD).unwrap());
        assert!(other.open(&under, &sealed).is_err());
    }
}
