//! [`Password`]: text that comes in and never goes out.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer, ser};
use subtle::ConstantTimeEq;

use super::{Expected, FromText};

/// Longest accepted password, in bytes: hashing an endless one is work for the asking.
const LONGEST: usize = 1024;

/// A string of `format: password`. Zeroed when dropped, compared in constant time, and shown by nothing.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// The text, for the one place that verifies or hashes it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl FromText for Password {
    fn from_text(text: &str) -> Result<Self, Expected> {
        match text.len() <= LONGEST && !text.contains('\0') {
            true => Ok(Self::from(text)),
            false => Err(Expected::format("must be a password of at most 1024 bytes, without NUL")),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for Password {}

/// Always an error: the generator lets no password into an answer, and should one get there, it does not leave.
impl Serialize for Password {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("a password is never written"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nothing() {
        let password = Password::from("hunter2");
        assert_eq!(password.expose(), "hunter2");
        assert!(!format!("{password:?}").contains("hunter2"));
        assert!(serde_json::to_string(&password).is_err());
    }

    #[test]
    fn compares_by_value() {
        assert_eq!(Password::from("a"), Password::from("a"));
        assert_ne!(Password::from("a"), Password::from("b"));
        assert_ne!(Password::from("a"), Password::from("aa"));
    }

    #[test]
    fn is_bounded() {
        assert!(Password::from_text(&"x".repeat(1024)).is_ok());
        assert!(Password::from_text(&"x".repeat(1025)).is_err());
        assert!(Password::from_text("a\0b").is_err());
    }
}
