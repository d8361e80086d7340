//! Keys that verify signatures: parsed once, chosen by `kid` and algorithm.
//!
//! The algorithm belongs to the key, never to the token alone (RFC 8725 section 3.1): a key is kept with
//! exactly the algorithms that its type can do, and a token is matched against those.

use std::sync::Arc;

use aws_lc_rs::{hmac, signature::ParsedPublicKey};

use crate::{authn::Reason, operation::Algorithm};

/// An unchanging set of verification keys, at most [`MAX_KEYS`].
pub(crate) struct KeyRing {
    keys: Vec<Key>,
}

/// RFC-less bound: a provider has a handful; a set of thousands is an attack on start-up or on memory.
pub(crate) const MAX_KEYS: usize = 100;

pub(crate) struct Key {
    kid: Option<Box<str>>,
    checks: Vec<(Algorithm, Arc<Check>)>,
}

/// A key ready for one algorithm.
pub(crate) enum Check {
    Public(ParsedPublicKey),
    Mac(Box<hmac::Key>),
}

impl Check {
    /// Whether `signature` is of `message`. HMAC tags are compared in constant time by the primitive.
    #[must_use]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
            Self::Mac(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

/// Two keys answer to the same `kid` and algorithm, so a token could not say which it means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

impl KeyRing {
    pub(crate) fn new(keys: Vec<Key>) -> Result<Self, Ambiguous> {
        for (index, key) in keys.iter().enumerate() {
            let clash = |other: &Key| {
                other.kid == key.kid && key.checks.iter().any(|(alg, _)| other.check(*alg).is_some())
            };
            if keys.iter().skip(index + 1).any(clash) {
                return Err(Ambiguous);
            }
        }
        Ok(Self { keys })
    }

    /// The key that a token with this `kid` and `alg` means.
    ///
    /// A token's `kid` picks the keys that it names; where it names none, a key without (from PEM) fits any token. Where
    /// nothing picks, exactly one key must fit the algorithm.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Arc<Check>, Reason> {
        let is_named = |key: &Key| kid.is_some() && key.kid.as_deref() == kid;
        let named = self.keys.iter().any(is_named);
        let fits = |key: &&Key| if named { is_named(key) } else { kid.is_none() || key.kid.is_none() };
        let mut checks = self.keys.iter().filter(fits).filter_map(|key| key.check(algorithm));
        match (checks.next(), checks.next()) {
            (Some(check), None) => Ok(check),
            (None, _) if named => Err(Reason::AlgorithmMismatch),
            _ => Err(Reason::UnknownKid),
        }
    }

    /// Whether any key does one of these algorithms.
    pub(crate) fn does(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.check(algorithm).is_some())
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn kids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(|key| key.kid.as_deref())
    }
}

impl Key {
    pub(crate) fn new(kid: Option<Box<str>>, checks: impl IntoIterator<Item = (Algorithm, Check)>) -> Self {
        Self {
            kid,
            checks: checks.into_iter().map(|(algorithm, check)| (algorithm, Arc::new(check))).collect(),
        }
    }

    pub(crate) fn does_any(&self, of: impl Fn(Algorithm) -> bool) -> bool {
        self.checks.iter().any(|(algorithm, _)| of(*algorithm))
    }

    fn check(&self, algorithm: Algorithm) -> Option<&Arc<Check>> {
        self.checks.iter().find(|(alg, _)| *alg == algorithm).map(|(_, check)| check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: Option<&str>, algorithms: &[Algorithm]) -> Key {
        let mac = || Check::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])));
        Key::new(kid.map(Into::into), algorithms.iter().map(|alg| (*alg, mac())))
    }

    #[test]
    fn a_kid_picks_its_key_and_the_algorithm_must_be_the_keys() {
        let ring =
            KeyRing::new(vec![key(Some("a"), &[Algorithm::ES256]), key(Some("b"), &[Algorithm::RS256])])
                .unwrap();
        assert!(ring.find(Some("a"), Algorithm::ES256).is_ok());
        assert_eq!(ring.find(Some("a"), Algorithm::RS256).err(), Some(Reason::AlgorithmMismatch));
        assert_eq!(ring.find(Some("c"), Algorithm::ES256).err(), Some(Reason::UnknownKid));
    }

    #[test]
    fn without_a_kid_exactly_one_key_must_fit() {
        let one =
            KeyRing::new(vec![key(Some("a"), &[Algorithm::ES256]), key(Some("b"), &[Algorithm::RS256])])
                .unwrap();
        assert!(one.find(None, Algorithm::ES256).is_ok());
        let two =
            KeyRing::new(vec![key(Some("a"), &[Algorithm::ES256]), key(Some("b"), &[Algorithm::ES256])])
                .unwrap();
        assert_eq!(two.find(None, Algorithm::ES256).err(), Some(Reason::UnknownKid));
        assert!(two.find(Some("b"), Algorithm::ES256).is_ok());
    }

    #[test]
    fn a_key_without_kid_fits_any_token() {
        let ring = KeyRing::new(vec![key(None, &[Algorithm::ES256])]).unwrap();
        assert!(ring.find(Some("whatever"), Algorithm::ES256).is_ok());
        assert_eq!(ring.find(Some("whatever"), Algorithm::RS256).err(), Some(Reason::UnknownKid));
    }

    #[test]
    fn a_key_without_kid_does_not_stand_in_the_way_of_one_that_is_named() {
        let (es, rs) = ([Algorithm::ES256], [Algorithm::RS256]);
        let ring = KeyRing::new(vec![key(None, &es), key(Some("a"), &es), key(None, &rs)]).unwrap();
        let named = ring.find(Some("a"), Algorithm::ES256).unwrap();
        assert!(Arc::ptr_eq(named, ring.keys[1].check(Algorithm::ES256).unwrap()));
        let other = ring.find(Some("b"), Algorithm::ES256).unwrap();
        assert!(Arc::ptr_eq(other, ring.keys[0].check(Algorithm::ES256).unwrap()));
        assert_eq!(ring.find(Some("a"), Algorithm::RS256).err(), Some(Reason::AlgorithmMismatch));
        assert_eq!(ring.find(None, Algorithm::ES256).err(), Some(Reason::UnknownKid));
    }

    #[test]
    fn the_same_kid_twice_is_fine_for_other_key_types_only() {
        let (es, rs) = ([Algorithm::ES256], [Algorithm::RS256]);
        assert!(KeyRing::new(vec![key(Some("a"), &es), key(Some("a"), &rs)]).is_ok());
        assert!(KeyRing::new(vec![key(Some("a"), &es), key(Some("a"), &es)]).is_err());
        assert!(KeyRing::new(vec![key(None, &es), key(None, &es)]).is_err());
    }
}
