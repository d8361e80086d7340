//! Signature algorithms: their names, and the list that a scheme accepts.
//!
//! A name means one algorithm, compared letter by letter (RFC 7515 section 4.1.1); `none` is not a name here.

use crate::operation::Algorithm;

/// The algorithms that a scheme accepts.
///
/// Either HMAC or asymmetric ones, never both: a list with both is how a public key comes to be used as
/// an HMAC secret (RFC 8725 section 3.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed(u8);

/// Why a list of algorithms is refused at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadList {
    Empty,
    Mixed,
}

impl Allowed {
    pub(crate) fn new(list: &[Algorithm]) -> Result<Self, BadList> {
        let mut bits = 0;
        for algorithm in list {
            bits |= bit(*algorithm);
        }
        match (list.iter().any(|a| is_hmac(*a)), list.iter().any(|a| !is_hmac(*a))) {
            (false, false) => Err(BadList::Empty),
            (true, true) => Err(BadList::Mixed),
            _ => Ok(Self(bits)),
        }
    }

    pub(crate) const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & bit(algorithm) != 0
    }
}

/// The algorithm of this registered name (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2).
pub(crate) fn from_name(name: &str) -> Option<Algorithm> {
    Some(match name {
        "HS256" => Algorithm::HS256,
        "RS256" => Algorithm::RS256,
        "PS256" => Algorithm::PS256,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        // RFC 9864 renames what everybody meant by EdDSA
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        _ => return None,
    })
}

/// Its registered name, as [`from_name`] reads it.
pub(crate) const fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HS256 => "HS256",
        Algorithm::RS256 => "RS256",
        Algorithm::PS256 => "PS256",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        Algorithm::EdDSA => "EdDSA",
    }
}

pub(crate) const fn is_hmac(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256)
}

const fn bit(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::HS256 => 1,
        Algorithm::RS256 => 1 << 1,
        Algorithm::PS256 => 1 << 2,
        Algorithm::ES256 => 1 << 3,
        Algorithm::ES384 => 1 << 4,
        Algorithm::EdDSA => 1 << 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert_eq!(from_name("ES256"), Some(Algorithm::ES256));
        assert_eq!(from_name("Ed25519"), from_name("EdDSA"));
        for bad in ["none", "None", "NONE", "es256", "ES256 ", "ES256\0", "", "HS384", "RS1", "Ed448", "dir"]
        {
            assert_eq!(from_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_list_is_of_one_kind() {
        assert!(Allowed::new(&[Algorithm::ES256, Algorithm::EdDSA]).is_ok());
        assert!(Allowed::new(&[Algorithm::HS256]).is_ok());
        assert_eq!(Allowed::new(&[Algorithm::HS256, Algorithm::RS256]).unwrap_err(), BadList::Mixed);
        assert_eq!(Allowed::new(&[]).unwrap_err(), BadList::Empty);
    }

    #[test]
    fn only_what_is_listed_is_contained() {
        let allowed = Allowed::new(&[Algorithm::ES256, Algorithm::RS256]).unwrap();
        assert!(allowed.contains(Algorithm::ES256) && allowed.contains(Algorithm::RS256));
        assert!(!allowed.contains(Algorithm::PS256) && !allowed.contains(Algorithm::HS256));
    }
}
