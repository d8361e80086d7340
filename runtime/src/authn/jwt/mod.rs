//! Bearer tokens that are signed JWTs (RFC 7519, 8725, 9068).
//!
//! One pass: the token is taken apart, its header read once, its key found, its signature verified, its claims
//! read once. Keys are parsed when they are loaded; nothing about a token is remembered.

pub(crate) mod algorithm;
pub(crate) mod claims;
#[cfg(feature = "outbound")]
pub(crate) mod discovery;
pub(crate) mod header;
mod heads;
#[cfg(feature = "login")]
pub(crate) mod id_token;
pub(crate) mod json;
pub(crate) mod jwk;
pub(crate) mod jws;
mod key_error;
pub(crate) mod key_set;
pub(crate) mod keys;
#[cfg(feature = "login")]
pub(crate) mod logout_token;
mod pem;
#[cfg(feature = "outbound")]
mod remote;
mod rsa;
mod source;
#[cfg(test)]
mod standards;
#[cfg(test)]
mod vectors;
mod verifier;

#[cfg(feature = "outbound")]
pub(in crate::authn) use self::verifier::Agreed;
pub(crate) use self::verifier::MAX_LEEWAY;
pub(crate) use self::verifier::TokenVerifier;
pub use self::{
    key_error::KeyError,
    key_set::LeftOut,
    source::{JwkSet, Jwks},
};

/// Verifies the tokens of one issuer: its keys, and what the document leaves to the server's configuration.
///
/// ```
/// # fn main() -> Result<(), palisade::KeyError> {
/// # let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let tokens = palisade::Jwt::new(palisade::JwkSet::from_json(text)?)
///     .issuer("https://id.example.com")
///     .audience("bank-api");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Jwt {
    pub(crate) keys: Jwks,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) loopback_only: bool,
}

impl Jwt {
    /// Tokens that these keys verify.
    pub fn new(keys: impl Into<Jwks>) -> Self {
        Self { keys: keys.into(), issuer: None, audience: None, loopback_only: false }
    }

    /// The issuer whose keys they are. Needed where neither the document nor [`Jwks::discover`] names it; where they do, it
    /// must be the same.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The audience that stands for this server. Needed where the document does not name it.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Takes tokens only from callers on this machine: for development keys.
    ///
    /// A request that says it was forwarded is not from this machine, whoever handed it over.
    #[must_use]
    pub fn accept_from_loopback_only(mut self) -> Self {
        self.loopback_only = true;
        self
    }
}
