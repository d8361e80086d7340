//! Why keys cannot be used.

use std::fmt;

use super::key_set::LeftOut;

/// Why a key set, PEM text or secret cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    File(std::path::PathBuf, std::io::Error),
    /// Over 512 KiB, or over 100 keys.
    TooLarge,
    /// No JSON, a member named twice, or neither a key nor a set of keys.
    NotAKeySet,
    /// Not a PEM public key that we know.
    NotAPublicKey,
    /// A private key, where only public ones belong.
    PrivateKey,
    /// Symmetric and asymmetric keys in one set.
    Mixed,
    /// Two keys with the same `kid` for the same algorithm.
    Ambiguous,
    /// No key is left; of each that was left out, its `kid` and why.
    NoUsableKey(Vec<LeftOut>),
    /// A symmetric secret shorter than the hash (RFC 7518 section 3.2).
    ShortSecret,
    /// The address of a key set is not `https` (or `http` on loopback).
    #[cfg(feature = "outbound")]
    Address,
    /// The issuer whose keys are to be found is no such address, or has a query or a fragment.
    #[cfg(feature = "outbound")]
    Issuer,
    /// The key set could not be fetched.
    #[cfg(feature = "outbound")]
    Fetch(&'static str),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, cause) => write!(f, "cannot read `{}`: {cause}", path.display()),
            Self::TooLarge => f.write_str("the key set is over 512 KiB or over 100 keys"),
            Self::NotAKeySet => f.write_str("not a JSON Web Key Set (or a member is named twice)"),
            Self::NotAPublicKey => f.write_str("not a PEM public key of RSA, P-256, P-384 or Ed25519"),
            Self::PrivateKey => f.write_str("holds a private key: a verifier is given public keys only"),
            Self::Mixed => f.write_str("symmetric and asymmetric keys in one set"),
            Self::Ambiguous => f.write_str("two keys have the same `kid` (or none) for the same algorithm"),
            Self::ShortSecret => f.write_str("the secret is shorter than 32 bytes"),
            Self::NoUsableKey(left_out) => {
                f.write_str("no usable key")?;
                for LeftOut { kid, why } in left_out.iter().take(5) {
                    write!(f, "; `{}`: {why}", kid.as_deref().unwrap_or("no kid"))?;
                }
                Ok(())
            }
            #[cfg(feature = "outbound")]
            Self::Address => f.write_str("the address of a key set must be `https`, or `http` on loopback"),
            #[cfg(feature = "outbound")]
            Self::Issuer => f.write_str(
                "an issuer is an `https` address (or `http` on loopback) without query and fragment",
            ),
            #[cfg(feature = "outbound")]
            Self::Fetch(why) => write!(f, "the key set could not be fetched: {why}"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, cause) => Some(cause),
            _ => None,
        }
    }
}
