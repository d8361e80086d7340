//! Sealing what leaves our hands and comes back: to a store, or to a browser.
//!
//! ```text
//! sealed = version 1 | key id 4 | nonce 12 | ciphertext | tag 16
//! ```
//!
//! Rules:
//! 1. by AES-256-GCM-SIV (RFC 8452) with a random nonce, bound to what it is about: what is put in the place of something
//!    else does not open;
//! 2. the keys are derived from master keys by HKDF (RFC 5869), under a salt that each purpose has for itself;
//! 3. the first key seals, each key opens what was sealed with it.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::cursor::{CursorKeyError, Master, Ring};

const VERSION: u8 = 1;
/// Bytes before the ciphertext.
const HEAD: usize = 1 + 4 + NONCE_LEN;
/// By which something sealed is longer than what was sealed.
pub(crate) const OVERHEAD: usize = HEAD + 16;

/// The keys of one purpose.
pub(crate) struct Sealer(Ring);

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsealed(pub(crate) &'static str);

impl Sealer {
    /// The keys of a list, for the purpose that `salt` names.
    pub(crate) fn from_list(salt: &[u8], list: &str) -> Result<Self, CursorKeyError> {
        Ring::from_list(salt, list).map(Self)
    }

    /// One new random key.
    pub(crate) fn generate(salt: &[u8]) -> Result<Self, CursorKeyError> {
        Ring::generate(salt).map(Self)
    }

    /// The keys of these masters.
    pub(crate) fn derive(salt: &[u8], masters: &[Master<'_>]) -> Result<Self, CursorKeyError> {
        Ring::derive(salt, masters).map(Self)
    }

    pub(crate) fn seal(&self, about: &[u8], mut plain: Vec<u8>) -> Result<Vec<u8>, Unsealed> {
        let failed = Unsealed("it could not be encrypted");
        let key = self.0.first().ok_or(failed)?;
        let mut nonce = [0; NONCE_LEN];
        crate::random::fill(&mut nonce).map_err(|_| failed)?;
        let mut sealed = Vec::with_capacity(plain.len().saturating_add(OVERHEAD));
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        let data = bound_to(about, &sealed);
        sealed.extend_from_slice(&nonce);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag =
            key.key.seal_in_place_separate_tag(nonce, Aad::from(data), &mut plain).map_err(|_| failed)?;
        sealed.extend_from_slice(&plain);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    pub(crate) fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
        let malformed = Unsealed("it is nothing that was sealed");
        let (head, rest) = sealed.split_at_checked(HEAD).ok_or(malformed)?;
        let (&[version, a, b, c, d], nonce) = head.split_first_chunk().ok_or(malformed)?;
        if version != VERSION {
            return Err(malformed);
        }
        let key = self.0.named([a, b, c, d]).ok_or(Unsealed("it is sealed by an unknown key"))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| malformed)?;
        let data = bound_to(about, &[version, a, b, c, d]);
        let mut plain = Zeroizing::new(rest.to_vec());
        let opened = key.key.open_in_place(nonce, Aad::from(data), &mut plain);
        let length = opened.map_err(|_| Unsealed("it was altered, or belongs elsewhere"))?.len();
        plain.truncate(length);
        Ok(plain)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn bound_to(about: &[u8], head: &[u8]) -> Vec<u8> {
    [head, about].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    const NEW: &str = "new:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=";

    fn sealer(list: &[&str]) -> Sealer {
        Sealer::from_list(b"one purpose", &list.join(",")).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_where_it_belongs_by_the_keys_of_the_list() {
        let sealed = sealer(&[OLD]).seal(b"here", b"secret of alice".to_vec()).unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"alice"));
        assert_eq!(sealed.len(), b"secret of alice".len() + OVERHEAD);
        assert_eq!(*sealer(&[NEW, OLD]).open(b"here", &sealed).unwrap(), b"secret of alice");
        assert!(sealer(&[OLD]).open(b"there", &sealed).is_err(), "it was moved");
        assert!(sealer(&[NEW]).open(b"here", &sealed).is_err(), "its key is not in the list");
        assert_ne!(sealer(&[OLD]).seal(b"here", b"secret of alice".to_vec()).unwrap(), sealed);
    }

    #[test]
    fn no_bit_of_it_can_be_changed() {
        let sealer = sealer(&[OLD]);
        let sealed = sealer.seal(b"here", b"text".to_vec()).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer.open(b"here", &altered).is_err(), "{bit}");
        }
        for length in 0..sealed.len() {
            assert!(sealer.open(b"here", &sealed[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn what_one_purpose_sealed_another_does_not_open() {
        let sealed = sealer(&[OLD]).seal(b"here", b"text".to_vec()).unwrap();
        assert!(Sealer::from_list(b"another", OLD).unwrap().open(b"here", &sealed).is_err());
    }

    #[test]
    fn nothing_is_sealed_without_random_bytes() {
        let _failing = crate::random::failing::begin();
        assert!(sealer(&[OLD]).seal(b"here", b"text".to_vec()).is_err());
    }
}
