//! The key that a client gives its call (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! 1. It comes once. The field is an item, so a list, and a line that comes twice, is none (section 2.1).
//! 2. It is a String of structured fields, in quotes (RFC 9651 section 3.3.3), without parameters: the draft takes `sf-string`
//!    alone. Or, as many clients send it, its characters as they are: letters, digits and `-` `_` `.` `~` `+` `/` `:`, the
//!    first a letter, a digit, `-` or `_`, and `=` at the end. Both name one key. So no other item of structured fields is
//!    one, but for Tokens, which nothing tells from a key without quotes.
//! 3. It has 16 to 255 characters, and is one that nobody guesses ([`strength`](super::strength)): what two calls might have
//!    by chance is no key.
//! 4. Where the document requires one, a call has one.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::strength::is_strong;
use crate::operation::Idempotency;

/// The field.
pub(crate) static FIELD: HeaderName = HeaderName::from_static("idempotency-key");

/// As long as a key may be, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=255;

/// A key, without its quotes. It is the client's, so no log shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClientKey(String);

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    Missing,
    Repeated,
    Malformed,
    Length,
    Weak,
}

impl ClientKey {
    /// The key of a request, where it has one.
    pub(crate) fn of(rule: &Idempotency, headers: &HeaderMap) -> Result<Option<Self>, KeyFault> {
        let mut lines = headers.get_all(&FIELD).into_iter();
        match (lines.next(), lines.next()) {
            (None, _) if rule.required => Err(KeyFault::Missing), // 4
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(KeyFault::Repeated), // 1
            (Some(line), None) => Self::read(line).map(Some),
        }
    }

    fn read(line: &HeaderValue) -> Result<Self, KeyFault> {
        let text = line.to_str().map_err(|_| KeyFault::Malformed)?;
        let key = match text.strip_prefix('"') {
            Some(rest) => quoted(rest).ok_or(KeyFault::Malformed)?,
            None if is_bare(text) => text.to_owned(),
            None => return Err(KeyFault::Malformed),
        }; // 2
        match (LENGTH.contains(&key.len()), is_strong(&key)) {
            (true, true) => Ok(Self(key)),
            (true, false) => Err(KeyFault::Weak),
            (false, _) => Err(KeyFault::Length),
        } // 3
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Rule 2.
fn is_bare(text: &str) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let is_later = |byte: u8| is_first(&byte) || b".~+/:".contains(&byte);
    text.as_bytes().first().is_none_or(is_first) && text.trim_end_matches('=').bytes().all(is_later)
}

/// What is before the closing quote, when nothing is behind it (RFC 9651 section 4.2.5).
fn quoted(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '\\' => key.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => break,
            character @ ' '..='~' => key.push(character),
            _ => return None,
        }
    }
    characters.as_str().is_empty().then_some(key)
}

impl KeyFault {
    /// What the client is told.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Missing => {
                "this operation needs an Idempotency-Key: a new one for each call, the same when it is sent again"
            }
            Self::Repeated => "Idempotency-Key comes more than once: a request has one key",
            Self::Malformed => {
                "Idempotency-Key is no text in quotes, without parameters, and no key without quotes, such as a UUID"
            }
            Self::Length => "Idempotency-Key has fewer than 16 or more than 255 characters",
            Self::Weak => {
                "Idempotency-Key is too easy to guess, or to have twice: draw it at random, such as a UUID"
            }
        }
    }

    /// A stable word for the event.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::Malformed => "malformed",
            Self::Length => "length",
            Self::Weak => "weak",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::operation::{Replays, Rerun};

    const UUID: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

    fn read(required: bool, lines: &[&[u8]]) -> Result<Option<String>, KeyFault> {
        let ttl = Duration::from_secs(1);
        let rule = Idempotency {
            required,
            ttl,
            rerun: Rerun::Never,
            replays: Replays::Free,
            docs: None,
            longest: 0,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FIELD.clone(), HeaderValue::from_bytes(line).unwrap());
        }
        ClientKey::of(&rule, &headers).map(|key| key.map(|key| key.0))
    }

    #[test]
    fn a_key_comes_quoted_or_bare_and_is_the_same() {
        for sent in [UUID.to_owned(), format!("\"{UUID}\"")] {
            assert_eq!(read(true, &[sent.as_bytes()]), Ok(Some(UUID.to_owned())), "{sent}");
        }
        let escaped = br#""order \"7\" of \\ alice at noon""#;
        assert_eq!(read(true, &[escaped]), Ok(Some(r#"order "7" of \ alice at noon"#.to_owned())));
        let nanoid = b"-V1StGXR8_Z5jdHi6B-myT";
        assert!(read(true, &[nanoid]).unwrap().is_some());
        let base64 = b"q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg==";
        assert!(read(true, &[base64]).unwrap().is_some());
        // a Token of structured fields is a key without quotes
        assert!(read(true, &[b"retry:mXj0n1Qx7rF8u5t0eT/2"]).unwrap().is_some());
        assert!(read(true, &[UUID.repeat(7).as_bytes()]).unwrap().is_some());
    }

    #[test]
    fn it_is_there_where_it_must_be_and_once() {
        assert_eq!(read(true, &[]), Err(KeyFault::Missing));
        assert_eq!(read(false, &[]), Ok(None));
        assert_eq!(read(false, &[UUID.as_bytes(), UUID.as_bytes()]), Err(KeyFault::Repeated));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let trailing = format!("\"{UUID}\";a=1");
        let listed = format!("{UUID},{UUID}");
        let open = format!("\"{UUID}");
        let spaced = format!("{UUID} {UUID}");
        for wrong in [trailing.as_bytes(), listed.as_bytes(), open.as_bytes(), spaced.as_bytes()] {
            assert_eq!(read(true, &[wrong]), Err(KeyFault::Malformed), "{wrong:?}");
        }
        for wrong in
            [&b"\"8e03978e-40d5-\\a3dd-bc93\""[..], b"\xe4bcdefghijklmnop", b"\"abcdefgh\tijklmnop\""]
        {
            assert_eq!(read(true, &[wrong]), Err(KeyFault::Malformed), "{wrong:?}");
        }
    }

    /// RFC 9651 section 3: none of them is a String.
    #[test]
    fn items_of_other_types_are_no_keys() {
        for item in [
            ":q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=:",
            "@1795943018132062971",
            "%\"q2+7wD1x6mXj0n1Qx7rF8u5t0\"",
            "(q2+7wD1x6mXj0n1Qx7rF8u5t0)",
            "key=q2+7wD1x6mXj0n1Qx7rF8u5t0",
            "mXj0n1Qx7rF8u5t0eTqA2kHn;v=1",
            "*Xj0n1Qx7rF8u5t0eTqA2kHn",
            "?1",
        ] {
            assert_eq!(read(true, &[item.as_bytes()]), Err(KeyFault::Malformed), "{item}");
        }
        for number in ["795943018132062", "-795943018132062", "795943018132.062"] {
            assert!(read(true, &[number.as_bytes()]).is_err(), "{number}");
        }
    }

    #[test]
    fn its_length_and_strength_are_judged_apart() {
        let long = format!("{UUID}-").repeat(7);
        for wrong in ["", "\"\"", &UUID[..15], &long] {
            assert_eq!(read(true, &[wrong.as_bytes()]), Err(KeyFault::Length), "{wrong}");
        }
        for weak in ["0000000000000001", "\"abcdefghijklmnop\"", "1795943018132062971"] {
            assert_eq!(read(true, &[weak.as_bytes()]), Err(KeyFault::Weak), "{weak}");
        }
    }
}
