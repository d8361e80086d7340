//! What an issuer keeps secret from its own store: the keys that it is given from outside.
//!
//! Rules:
//! 1. each master key gives two by HKDF (RFC 5869): one seals signing keys, the other makes the secrets of refresh tokens;
//! 2. what is sealed is about its place in the store ([`sealing`](crate::sealing)): under another it does not open;
//! 3. the secret of a refresh token is HMAC-SHA-256 over its family's grant and salt, its family and its generation. Nothing
//!    of it is stored, not even a hash, and who changes the grant in the store makes its tokens worthless;
//! 4. the first key is used for what is new, a key that is named for what was made with it.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::cursor::{CursorKeyError, Master, masters};
use crate::sealing::Sealer;

const SALT: &[u8] = b"palisade issuer v1";

/// The keys of an issuer that are not in its store, in order: the first is used for what is new, all of them for what was
/// made with them.
///
/// To change keys, put a new one in front, in every instance, and keep the old one until signing keys were rotated and the
/// families of its time are over. To take one away at once ends those families, and a sealed signing key that no key opens
/// stops the issuer.
///
/// ```
/// # fn main() -> Result<(), palisade::cursor::CursorKeyError> {
/// let keys = palisade::issuer::IssuerKeys::from_list("2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=")?;
/// # drop(keys);
/// # Ok(())
/// # }
/// ```
pub struct IssuerKeys {
    seals: Sealer,
    /// What makes the secrets of refresh tokens, by the id of its key.
    makes: Vec<(String, hmac::Key)>,
}

impl IssuerKeys {
    /// Takes a list of `id:base64`, separated by commas or white space: 32 random bytes each
    /// (`openssl rand -base64 32`), under an id that says when it was made. Not the keys of cursors: each purpose has its own.
    ///
    /// # Errors
    /// When the list is empty, or an entry is malformed or repeats another.
    pub fn from_list(list: &str) -> Result<Self, CursorKeyError> {
        Self::derive(&masters(list)?)
    }

    /// One new random key, good until the process ends: for tests, and where the state is in memory as well.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, CursorKeyError> {
        let mut master = Zeroizing::new([0; 32]);
        crate::random::fill(&mut *master).map_err(|_| CursorKeyError::Crypto)?;
        Self::derive(&[("generated", master)])
    }

    fn derive(masters: &[Master<'_>]) -> Result<Self, CursorKeyError> {
        let makes = masters.iter().map(|(id, master)| {
            let mut key = Zeroizing::new([0; 32]);
            let info: [&[u8]; 2] = [b"refresh ", id.as_bytes()];
            let secret = Salt::new(HKDF_SHA256, SALT).extract(&**master);
            secret.expand(&info, hmac::HMAC_SHA256).ok()?.fill(&mut *key).ok()?;
            Some(((*id).to_owned(), hmac::Key::new(hmac::HMAC_SHA256, &*key)))
        });
        let makes = makes.collect::<Option<_>>().ok_or(CursorKeyError::Crypto)?;
        Ok(Self { seals: Sealer::derive(SALT, masters)?, makes })
    }

    /// The id of the key for what is new.
    pub(super) fn newest(&self) -> Option<&str> {
        self.makes.first().map(|(id, _)| id.as_str())
    }

    fn named(&self, id: &str) -> Option<&hmac::Key> {
        self.makes.iter().find(|(known, _)| known == id).map(|(_, key)| key)
    }

    /// The secret of a refresh token; `None` where the key of its family was taken away.
    pub(super) fn refresh_secret(
        &self,
        key: &str,
        grant: &[u8],
        family: &str,
        generation: u64,
    ) -> Option<[u8; 32]> {
        let mut context = hmac::Context::with_key(self.named(key)?);
        for part in [grant, family.as_bytes()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.update(&generation.to_be_bytes());
        context.sign().as_ref().first_chunk().copied()
    }

    pub(super) fn seal(&self, about: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        self.seals.seal(about, plain.to_vec()).ok()
    }

    pub(super) fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.seals.open(about, sealed).ok()
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerKeys({} keys)", self.makes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    const NEW: &str = "b:3q2-7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg";

    #[test]
    fn what_is_sealed_opens_as_what_it_is_about_as_long_as_its_key_is_there() {
        let old = IssuerKeys::from_list(OLD).unwrap();
        let sealed = old.seal(b"keys", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(*old.open(b"keys", &sealed).unwrap(), b"secret");
        assert!(old.open(b"other", &sealed).is_none());
        let both = IssuerKeys::from_list(&format!("{NEW} {OLD}")).unwrap();
        assert_eq!(*both.open(b"keys", &sealed).unwrap(), b"secret");
        assert!(IssuerKeys::from_list(NEW).unwrap().open(b"keys", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(old.open(b"keys", &changed).is_none(), "byte {at}");
            assert!(old.open(b"keys", &sealed[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_refresh_secret_is_of_its_key_grant_family_and_generation() {
        let keys = IssuerKeys::from_list(&format!("{OLD} {NEW}")).unwrap();
        let secret =
            |key, grant: &[u8], family, generation| keys.refresh_secret(key, grant, family, generation);
        let one = secret("a", b"g", "f", 1).unwrap();
        assert_eq!(secret("a", b"g", "f", 1), Some(one));
        let others = [
            secret("b", b"g", "f", 1),
            secret("a", b"h", "f", 1),
            secret("a", b"g", "e", 1),
            secret("a", b"gf", "", 1),
            secret("a", b"g", "f", 2),
        ];
        assert!(others.iter().all(|other| other.is_some_and(|other| other != one)));
        assert_eq!(secret("c", b"g", "f", 1), None);
    }
}
