//! [`InputError`]: why an input is refused, precisely. The mapping to answers is the problem module's.

use std::fmt;

use super::upload::Unspooled;
use super::{Refused, Violations};

/// Why an input is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputError {
    /// Parameters are not what the document declares.
    Parameters(Violations),
    /// A required body did not come.
    Missing,
    /// A body came where none is declared.
    Undeclared,
    /// The body's media type is not declared, not stated, or stated twice.
    MediaType,
    /// The body is encoded (compressed).
    Encoding,
    /// The body is larger than the document allows.
    TooLarge,
    /// The connection ended before the body did.
    Truncated,
    /// The body did not come in time.
    Slow,
    /// All that arrives, or is spooled, takes what it may.
    NoRoom,
    /// What is spooled cannot be written or read.
    Unspooled,
    /// The body is not one JSON text in UTF-8.
    Syntax,
    /// The body is nested deeper than the document allows.
    TooDeep,
    /// The body is not what the document declares.
    Invalid(Violations),
}

/// The classes of refusal that a client can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputClass {
    /// The parameters.
    Parameters,
    /// The body, before its meaning.
    Syntax,
    /// The body's meaning.
    Schema,
    /// The body's size.
    TooLarge,
    /// The body's type or encoding.
    MediaType,
    /// The time it took.
    Timeout,
    /// There is no place for it now.
    Unavailable,
}

impl InputError {
    /// Its class.
    #[must_use]
    pub const fn class(&self) -> InputClass {
        match self {
            Self::Parameters(_) => InputClass::Parameters,
            Self::Missing | Self::Undeclared | Self::Truncated | Self::Syntax | Self::TooDeep => {
                InputClass::Syntax
            }
            Self::MediaType | Self::Encoding => InputClass::MediaType,
            Self::TooLarge => InputClass::TooLarge,
            Self::Slow => InputClass::Timeout,
            Self::NoRoom | Self::Unspooled => InputClass::Unavailable,
            Self::Invalid(_) => InputClass::Schema,
        }
    }

    /// What the client may be told in detail.
    #[must_use]
    pub const fn violations(&self) -> Option<&Violations> {
        match self {
            Self::Parameters(violations) | Self::Invalid(violations) => Some(violations),
            _ => None,
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Parameters(_) => "parameters_invalid",
            Self::Missing => "body_missing",
            Self::Undeclared => "body_undeclared",
            Self::MediaType => "body_media_type",
            Self::Encoding => "body_encoding",
            Self::TooLarge => "body_too_large",
            Self::Truncated => "body_truncated",
            Self::Slow => "body_slow",
            Self::NoRoom => "body_no_room",
            Self::Unspooled => "body_unspooled",
            Self::Syntax => "body_syntax",
            Self::TooDeep => "body_too_deep",
            Self::Invalid(_) => "body_invalid",
        }
    }
}

impl From<Unspooled> for InputError {
    fn from(unspooled: Unspooled) -> Self {
        match unspooled {
            Unspooled::NoRoom => Self::NoRoom,
            Unspooled::Failed => Self::Unspooled,
        }
    }
}

impl From<Refused> for InputError {
    fn from(refused: Refused) -> Self {
        match refused {
            // the gate, which knows whose challenge is due, answers a second token itself
            Refused::Syntax | Refused::SecondToken => Self::Syntax,
            Refused::TooDeep => Self::TooDeep,
            Refused::Invalid(violations) => Self::Invalid(violations),
        }
    }
}

/// For the log: a word, then each place and rule. Nothing that was submitted.
impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        let violations = self.violations().into_iter().flatten();
        violations
            .into_iter()
            .try_for_each(|violation| write!(f, " {}:{}", violation.pointer, violation.rule))
    }
}

impl std::error::Error for InputError {}
