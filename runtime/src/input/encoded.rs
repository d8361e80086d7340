//! Percent-encoded text of a path or query, decoded once and strictly (RFC 3986 section 2.1).
//!
//! `+` is a plus: only the form encoding of HTML makes it a space, and OpenAPI parameters are not HTML forms.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// How a text says what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoding {
    /// Percent-encoded; `+` is a plus: a query of OpenAPI is no HTML form.
    Percent,
    /// `application/x-www-form-urlencoded` (the URL standard, section 5.1): `+` is a space, and a text has lines, for people
    /// write it.
    Form,
    /// As it stands.
    Plain,
}

impl Decoding {
    pub(super) fn text(self, raw: &str) -> Result<Cow<'_, str>, BadEncoding> {
        match self {
            Self::Percent => decoded(raw),
            Self::Form => form_decoded(raw),
            Self::Plain => Ok(Cow::Borrowed(raw)),
        }
    }

    /// Whether a text may have this character.
    pub(crate) const fn may_have(self, char: char) -> bool {
        !char.is_ascii_control() || (matches!(self, Self::Form) && matches!(char, '\t' | '\n' | '\r'))
    }
}

/// The text is not percent-encoded UTF-8, or holds NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadEncoding;

/// Decodes. What is decoded is data: `%2F` is no separator and `%252F` stays `%2F`.
pub(super) fn decoded(text: &str) -> Result<Cow<'_, str>, BadEncoding> {
    if !text.contains('%') {
        return if text.contains('\0') { Err(BadEncoding) } else { Ok(Cow::Borrowed(text)) };
    }
    // The decoder leaves a `%` without two digits as it stands.
    let mut escapes = text.split('%').skip(1);
    if !escapes
        .all(|rest| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
    {
        return Err(BadEncoding);
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| BadEncoding)?;
    if text.contains('\0') { Err(BadEncoding) } else { Ok(text) }
}

/// The same for `application/x-www-form-urlencoded`, where `+` is a space (the URL standard, section 5.1).
pub(crate) fn form_decoded(text: &str) -> Result<Cow<'_, str>, BadEncoding> {
    match text.contains('+') {
        false => decoded(text),
        true => decoded(&text.replace('+', "%20")).map(|text| Cow::Owned(text.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once() {
        assert_eq!(decoded("a+b").as_deref(), Ok("a+b"));
        assert_eq!(decoded("a%20b%2fc%2B").as_deref(), Ok("a b/c+"));
        assert_eq!(decoded("%252F").as_deref(), Ok("%2F"));
        assert_eq!(decoded("%F0%9F%92%A9").as_deref(), Ok("💩"));
        assert_eq!(decoded("").as_deref(), Ok(""));
    }

    #[test]
    fn refuses_what_is_no_text() {
        for text in [
            "%",
            "%2",
            "%zz",
            "a%",
            "%%41",
            "%u002f",
            "%ff",
            "%C3",
            "%C0%AF",
            "%ED%A0%80",
            "%00",
            "a%00b",
            "\0",
        ] {
            assert_eq!(decoded(text), Err(BadEncoding), "{text}");
        }
    }
}
