//! Why an issuer did not do what it was asked for: what a client is told, and what only the log says.

use std::{fmt, time::Duration};

use crate::{DenylistError, ProofFault, state::StateError};

/// An issuer that could not do its part. No client is told why.
#[derive(Debug)]
#[non_exhaustive]
pub enum IssuerError {
    /// What it was configured with does not fit: the reason.
    Configuration(&'static str),
    /// A sign-in with a subject, client, scope or class that cannot be: the reason.
    Invalid(&'static str),
    /// The state failed, has no room or did not answer in time.
    State(StateError),
    /// Others changed the same record all the time.
    Busy,
    /// The signing keys in the state were sealed with a key that is not among the issuer's.
    Sealed,
    /// The denylist has no room or failed: refresh tokens are revoked, access tokens may not be.
    Denylist(DenylistError),
    /// The clock cannot be relied on, or is before the first signing key.
    Clock,
    /// The system gave no random bytes, or the cryptographic library refused.
    Crypto,
}

/// Why a client got no tokens, in the words of RFC 6749 section 5.2 ([`GrantError::code`]).
#[derive(Debug)]
#[non_exhaustive]
pub enum GrantError {
    /// `invalid_grant`: the refresh token is unknown, was used before, was revoked, has ended, or is another client's. Which,
    /// the event says.
    Invalid,
    /// `invalid_dpop_proof` (RFC 9449 section 5): the proof of possession is not good, or there is none where one is needed.
    Proof(ProofFault),
    /// `invalid_scope`: it asks for more than it was granted. The refresh token stays good.
    Scope,
    /// The family has too many access tokens that are still good. The refresh token stays good.
    TooMany {
        /// Until there is room.
        wait: Duration,
    },
    /// The issuer could not do its part.
    Unavailable(IssuerError),
}

/// Why a token was not revoked, in the words of RFC 7009 section 2.2.1.
#[derive(Debug)]
#[non_exhaustive]
pub enum RevokeError {
    /// `invalid_grant`: the token was given to another client, and stays good.
    Foreign,
    /// `unsupported_token_type`: an access token, and the issuer has no denylist.
    Unsupported,
    /// The issuer could not do its part: the token may be good still.
    Unavailable(IssuerError),
}

impl GrantError {
    /// The value of `error` in an answer.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid => "invalid_grant",
            Self::Proof(_) => "invalid_dpop_proof",
            Self::Scope => "invalid_scope",
            // neither has a word in RFC 6749 section 5.2; the first is that of RFC 8628 section 3.5
            Self::TooMany { .. } => "slow_down",
            Self::Unavailable(_) => "temporarily_unavailable",
        }
    }
}

impl RevokeError {
    /// The value of `error` in an answer.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Foreign => "invalid_grant",
            Self::Unsupported => "unsupported_token_type",
            Self::Unavailable(_) => "temporarily_unavailable",
        }
    }
}

impl From<StateError> for IssuerError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<DenylistError> for IssuerError {
    fn from(error: DenylistError) -> Self {
        Self::Denylist(error)
    }
}

impl<E: Into<IssuerError>> From<E> for GrantError {
    fn from(error: E) -> Self {
        Self::Unavailable(error.into())
    }
}

impl<E: Into<IssuerError>> From<E> for RevokeError {
    fn from(error: E) -> Self {
        Self::Unavailable(error.into())
    }
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(why) | Self::Invalid(why) => f.write_str(why),
            Self::State(error) => error.fmt(f),
            Self::Busy => f.write_str("the record was changed by others all the time"),
            Self::Sealed => {
                f.write_str("the signing keys were sealed with a key that the issuer was not given")
            }
            Self::Denylist(error) => error.fmt(f),
            Self::Clock => f.write_str("the clock cannot be relied on, or is before the first signing key"),
            Self::Crypto => f.write_str("the random source or the cryptographic library failed"),
        }
    }
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "no tokens were issued: {error}"),
            other => f.write_str(other.code()),
        }
    }
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "the token was not revoked: {error}"),
            other => f.write_str(other.code()),
        }
    }
}

impl std::error::Error for IssuerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::State(error) => Some(error),
            Self::Denylist(error) => Some(error),
            _ => None,
        }
    }
}

impl std::error::Error for GrantError {}
impl std::error::Error for RevokeError {}
