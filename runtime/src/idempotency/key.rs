//! The key that a client gives its call (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! 1. It comes once. The field is an item, so a list, and a line that comes twice, is none (section 2.1).
//! 2. It is a String of structured fields, in quotes (RFC 9651 section 3.3.3), without parameters: none is defined; or, as
//!    many clients send it, its characters as they are: visible ASCII without `"` `\` `,` `;`. Both name one key.
//! 3. It has 16 to 255 characters, four of them different at least: what two calls might have by chance is no key.
//! 4. Where the document requires one, a call has one.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::operation::Idempotency;

/// The field.
pub(crate) static FIELD: HeaderName = HeaderName::from_static("idempotency-key");

/// As long as a key may be, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=255;
/// Of which so many differ.
const DIFFERENT: usize = 4;

/// A key, without its quotes. It is the client's, so no log shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClientKey(String);

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    Missing,
    Repeated,
    Malformed,
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
            None if text.bytes().all(is_bare) => text.to_owned(),
            None => return Err(KeyFault::Malformed),
        }; // 2
        let mut seen = key.clone().into_bytes();
        seen.sort_unstable();
        seen.dedup();
        match LENGTH.contains(&key.len()) && seen.len() >= DIFFERENT {
            true => Ok(Self(key)),
            false => Err(KeyFault::Weak), // 3
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"\\,;".contains(&byte)
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
    /// A stable word for the event.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::Malformed => "malformed",
            Self::Weak => "weak",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::operation::Rerun;

    const UUID: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

    fn read(required: bool, lines: &[&[u8]]) -> Result<Option<String>, KeyFault> {
        let ttl = Duration::from_secs(1);
        let rule = Idempotency { required, ttl, rerun: Rerun::Never, docs: None };
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
        let escaped = br#""order \"7\" of \\ alice""#;
        assert_eq!(read(true, &[escaped]), Ok(Some(r#"order "7" of \ alice"#.to_owned())));
        assert_eq!(read(true, &["abcd".repeat(63).as_bytes()]).map(|key| key.is_some()), Ok(true));
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
        let long = "abcd".repeat(64);
        for weak in ["", "\"\"", "abcdefghijklmno", "0000000000000000", "1212121212121212121", &long] {
            assert_eq!(read(true, &[weak.as_bytes()]), Err(KeyFault::Weak), "{weak}");
        }
    }
}
