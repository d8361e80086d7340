//! What a login cannot be configured with, and why one that was tried is refused: the browser is told neither.

use std::fmt;

use http::StatusCode;

use crate::authn::KeyError;
use crate::authn::jwt::id_token::BadIdToken;
use crate::breaker::LeftAlone;
use crate::state::StateError;

/// A login that could not be opened, or could not do its part.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginError {
    /// What it was configured with does not fit: the reason.
    Configuration(&'static str),
    /// The provider's keys cannot be had.
    Keys(KeyError),
    /// The provider did not say what it is, or says what no login can be made of: the reason.
    Provider(&'static str),
    /// The state failed, has no room or did not answer in time.
    State(StateError),
    /// Others changed the same session all the time.
    Busy,
    /// The clock cannot be relied on.
    Clock,
    /// The system gave no random bytes, or the cryptographic library refused.
    Crypto,
}

/// Why a login came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// The request is none that a browser would send.
    Request,
    /// It wants to go to somewhere else than our own site.
    ReturnTo,
    /// It asks for a class that the application does not name, or for no age.
    StepUp,
    /// This browser has no login under way, or had it too long.
    NotPending,
    /// The `state` is not that of this browser.
    State,
    /// The `state` was used before.
    Replayed,
    /// The answer is of another issuer, or of none where it should name itself.
    Issuer,
    /// The provider refuses, in the words of its standard.
    Provider(&'static str),
    /// The provider did not take the code, or its answer is none.
    Exchange(&'static str),
    /// The ID token is not good.
    IdToken(BadIdToken),
    /// The provider cannot be asked now.
    Unreachable(&'static str),
    /// Too many logins at a time.
    Busy,
    /// Our own part failed.
    Ours(LoginError),
}

impl Fault {
    /// What the browser gets: that something was wrong with what it sent, with the provider, or with us.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Request
            | Self::ReturnTo
            | Self::StepUp
            | Self::NotPending
            | Self::State
            | Self::Replayed
            | Self::Issuer
            | Self::Provider(_) => StatusCode::BAD_REQUEST,
            Self::IdToken(bad) if bad.is_unknown() => StatusCode::SERVICE_UNAVAILABLE,
            Self::IdToken(bad) if bad.is_insufficient() => StatusCode::FORBIDDEN,
            Self::Exchange(_) | Self::IdToken(_) => StatusCode::BAD_GATEWAY,
            Self::Unreachable(_) | Self::Busy | Self::Ours(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The word for the event's `failure_reason`.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Request => "malformed_callback",
            Self::ReturnTo => "return_to_elsewhere",
            Self::StepUp => "step_up_not_named",
            Self::NotPending => "no_login_under_way",
            Self::State => "wrong_state",
            Self::Replayed => "state_used_before",
            Self::Issuer => "wrong_issuer",
            Self::IdToken(bad) => bad.code(),
            Self::Provider(why) | Self::Exchange(why) | Self::Unreachable(why) => why,
            Self::Busy => "too_many_logins",
            Self::Ours(_) => "login_unavailable",
        }
    }

    /// It shows what nobody vouches for: a way back from a login that this browser did not begin, or a code that the provider does
    /// not know.
    pub(super) fn is_guess(&self) -> bool {
        matches!(self, Self::NotPending | Self::State | Self::Replayed | Self::Issuer)
            || matches!(self, Self::Exchange("invalid_grant"))
            || matches!(self, Self::IdToken(bad) if !bad.is_unknown() && !bad.is_insufficient())
    }

    /// Somebody tried what no honest browser does.
    pub(super) fn is_attack(&self) -> bool {
        matches!(self, Self::State | Self::Replayed | Self::Issuer | Self::ReturnTo)
            || matches!(self, Self::IdToken(bad) if !bad.is_unknown() && !bad.is_insufficient())
    }
}

impl From<LoginError> for Fault {
    fn from(error: LoginError) -> Self {
        Self::Ours(error)
    }
}

impl LoginError {
    /// Where nobody asks the state, because it failed.
    pub(super) fn left_alone(&self) -> Option<LeftAlone> {
        match self {
            Self::State(error) => error.left_alone(),
            _ => None,
        }
    }
}

impl From<StateError> for LoginError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::Ours(error.into())
    }
}

impl From<BadIdToken> for Fault {
    fn from(bad: BadIdToken) -> Self {
        Self::IdToken(bad)
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(why) => f.write_str(why),
            Self::Keys(error) => write!(f, "the keys of the provider: {error}"),
            Self::Provider(why) => write!(f, "the provider: {why}"),
            Self::State(error) => error.fmt(f),
            Self::Busy => f.write_str("the session was changed by others all the time"),
            Self::Clock => f.write_str("the clock cannot be relied on"),
            Self::Crypto => f.write_str("the random source or the cryptographic library failed"),
        }
    }
}

impl std::error::Error for LoginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Keys(error) => Some(error),
            Self::State(error) => Some(error),
            _ => None,
        }
    }
}
