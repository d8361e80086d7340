//! What is missing or does not fit when a server is built: found at start, all of it at once.

use std::fmt;

/// A part of authentication that is missing or does not fit the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError {
    pub(in crate::authn) scheme: String,
    pub(in crate::authn) fault: Fault,
}

/// What is wrong with a scheme's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An operation needs the scheme, and nothing verifies it.
    NoVerifier,
    /// The document has no such scheme.
    NoSuchScheme,
    /// The verifier is of another kind than the scheme.
    OtherKind,
    /// Neither document nor configuration names the issuer.
    NoIssuer,
    /// Document, configuration and discovery of keys name different issuers.
    OtherIssuer,
    /// The issuer's name begins with `urn:palisade:scheme:`, which is ours.
    ReservedIssuer,
    /// Neither document nor configuration names the audience.
    NoAudience,
    /// Document and configuration name different audiences.
    OtherAudience,
    /// The document lists no algorithm.
    NoAlgorithms,
    /// The document lists HMAC beside asymmetric algorithms.
    MixedAlgorithms,
    /// No key of the set does any of the scheme's algorithms.
    NoKeyFits,
    /// The document asks for revocation, and no denylist was given.
    NoDenylist,
    /// The document takes tokens that are older than the denylist lets one live.
    ShortDenylist,
    /// The leeway is over 120 s.
    Leeway,
    /// The key set could not be loaded.
    KeysUnavailable,
    /// Its tokens need proofs (DPoP), and the settings do not say for which address they are made.
    NoPublicOrigin,
    /// The scheme of a session is no cookie of the name that the login was given, or states what keys alone have.
    SessionCookie,
}

impl SetupError {
    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What is wrong.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scheme `{}`: {}", self.scheme, self.fault)
    }
}

impl std::error::Error for SetupError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoVerifier => "nothing verifies its credentials, and an operation needs it",
            Self::NoSuchScheme => "the document has no scheme of this name",
            Self::OtherKind => "its verifier is of another kind than the document's scheme",
            Self::NoIssuer => "neither the document nor the configuration names the issuer of its tokens",
            Self::OtherIssuer => "document, configuration and discovery of its keys name different issuers",
            Self::ReservedIssuer => {
                "its issuer begins with `urn:palisade:scheme:`, which stands for local schemes"
            }
            Self::NoAudience => "neither the document nor the configuration names the audience of its tokens",
            Self::OtherAudience => "the configuration names another audience than the document",
            Self::NoAlgorithms => "the document lists no algorithm",
            Self::MixedAlgorithms => "the document lists HMAC beside asymmetric algorithms",
            Self::NoKeyFits => "no key of its set does any algorithm that the document lists",
            Self::NoDenylist => "the document asks for revocation of its tokens, and there is no denylist",
            Self::ShortDenylist => {
                "its `max-lifetime` is longer than the denylist lets a token live: give that a `longest_token` of as much, or \
                 the scheme a shorter one"
            }
            Self::Leeway => "its leeway is over 120 s",
            Self::KeysUnavailable => "its key set could not be loaded",
            Self::NoPublicOrigin => {
                "its tokens are bound to keys (`binding: dpop`), and proofs by these name the address of the server: \
                 `Settings::public_origin` (`public_origin` in palisade.toml) says which it is"
            }
            Self::SessionCookie => {
                "sessions stand in the cookie that `LoginBuilder::cookie` names (`__Host-session` if nothing is said), \
                 without `prefix` and `rotate-within`: the document names another place"
            }
        })
    }
}
