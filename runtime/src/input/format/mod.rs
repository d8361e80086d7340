//! Formats of strings, checked strictly and in full (JSON Schema's "assertion"): where a parser at hand takes more than
//! the standard says, the standard's grammar is checked first.
//!
//! `uuid`, `date-time`, `date`, `ipv4` and `ipv6` have types of their own and are [`FromText`]; the others stay
//! `String` and have a check.

mod duration;
mod label;
mod name;
mod pointer;
mod reference;
mod regular;
mod time;

use std::net::{Ipv4Addr, Ipv6Addr};

use uuid::Uuid;

pub use self::duration::duration;
pub use self::name::{email, hostname, idn_email, idn_hostname};
pub use self::pointer::{json_pointer, relative_json_pointer};
pub use self::reference::{iri, iri_reference, uri, uri_reference, uri_template};
pub use self::regular::regex;
pub use self::time::time;
use super::{At, Expected, FromText, Violations};

/// A string's format, as a rule.
fn checked(holds: bool, message: &'static str, at: &At<'_>, out: &mut Violations) {
    if !holds {
        Expected::format(message).push(at, out);
    }
}

/// `byte`: base64 of RFC 4648 section 4, with its padding and without anything else.
pub fn byte(text: &str, at: &At<'_>, out: &mut Violations) {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    // Decoded to look at it: the trailing bits of the last character must be zero, which no look at the letters tells.
    checked(STANDARD.decode(text).is_ok(), "must be base64", at, out);
}

/// `base64url`: RFC 4648 section 5, with its padding or without (section 3.2).
pub fn base64url(text: &str, at: &At<'_>, out: &mut Violations) {
    use base64::Engine;
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    let padded = text.ends_with('=');
    let holds = if padded { URL_SAFE.decode(text).is_ok() } else { URL_SAFE_NO_PAD.decode(text).is_ok() };
    checked(holds, "must be base64url", at, out);
}

/// `decimal` of a string: a number of RFC 8259 section 6 without an exponent, of any length.
pub fn decimal_text(text: &str, at: &At<'_>, out: &mut Violations) {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let positive = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = positive.split_once('.').unwrap_or((positive, "0"));
    let holds = digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'));
    checked(holds, "must be a decimal number", at, out);
}

impl FromText for Uuid {
    /// RFC 9562 section 4. The parser also takes braces, `urn:uuid:` and no hyphens; none of them has 36 characters.
    fn from_text(text: &str) -> Result<Self, Expected> {
        const WRONG: Expected = Expected::format("must be a UUID");
        match text.len() == 36 {
            true => Self::try_parse(text).map_err(|_| WRONG),
            false => Err(WRONG),
        }
    }
}

impl FromText for Ipv4Addr {
    /// Four decimal numbers without leading zeros, which elsewhere are octal.
    fn from_text(text: &str) -> Result<Self, Expected> {
        text.parse().map_err(|_| Expected::format("must be an IPv4 address"))
    }
}

impl FromText for Ipv6Addr {
    /// RFC 4291 section 2.2, without a zone.
    fn from_text(text: &str) -> Result<Self, Expected> {
        text.parse().map_err(|_| Expected::format("must be an IPv6 address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn holds(check: fn(&str, &At<'_>, &mut Violations), text: &str) -> bool {
        let mut out = Violations::new();
        check(text, &At::root(), &mut out);
        out.iter().all(|violation| violation.rule == "format" && !violation.message.contains(text))
            && out.is_empty()
    }

    #[test]
    fn uuids_have_36_characters() {
        let text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        assert_eq!(Uuid::from_text(text).unwrap().to_string(), text);
        assert!(Uuid::from_text(&text.to_uppercase()).is_ok(), "hexadecimal in either case");
        for text in [
            "",
            "f81d4fae7dec11d0a76500a0c91e6bf6",
            "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
            "f81d4fae-7dec-11d0a-765-00a0c91e6bf6",
            " f81d4fae-7dec-11d0-a765-00a0c91e6bf",
            "f81d4fae-7dec-11d0-a765-00a0c91e6b\u{e9}",
        ] {
            assert!(Uuid::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn decimal_numbers_as_text() {
        for text in ["0", "-0.5", "10", "12345678901234567890123456789012345678901234567890.05"] {
            assert!(holds(decimal_text, text), "{text}");
        }
        for text in ["", "-", ".5", "5.", "05", "+5", "1e5", "1,5", " 1", "1.2.3", "NaN", "\u{661}"] {
            assert!(!holds(decimal_text, text), "{text}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(Ipv4Addr::from_text("127.0.0.1"), Ok(Ipv4Addr::LOCALHOST));
        for text in ["127.1", "0x7f.0.0.1", "01.2.3.4", "256.0.0.1", "1.2.3.4.5", "1.2.3.4 ", "1.2.3.\u{664}"]
        {
            assert!(Ipv4Addr::from_text(text).is_err(), "{text}");
        }
        assert_eq!(Ipv6Addr::from_text("::1"), Ok(Ipv6Addr::LOCALHOST));
        assert!(Ipv6Addr::from_text("2001:db8::192.0.2.1").is_ok());
        for text in ["fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7", ":::", "12345::", "::1/64", "127.0.0.1"] {
            assert!(Ipv6Addr::from_text(text).is_err(), "{text}");
        }
    }

    /// The parsers of others as well.
    #[test]
    fn no_text_is_too_odd() {
        const PARTS: [&str; 40] = [
            "a", "Z", "0", "9", "-", "--", "xn--", ".", "@", "[", "]", "IPv6:", ":", "::", "/", "//", "?",
            "#", "%", "%4", "%41", "{", "}", ",", "*", "~", "~0", "\\", "\"", "(", ")", "(?<", "P", "T", "€",
            "é", "\u{301}", "א", "\u{200D}", " ",
        ];
        let checks: [fn(&str, &At<'_>, &mut Violations); 15] = [
            byte,
            duration,
            email,
            hostname,
            idn_email,
            idn_hostname,
            iri,
            iri_reference,
            json_pointer,
            regex,
            relative_json_pointer,
            time,
            uri,
            uri_reference,
            uri_template,
        ];
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut roll = |sides: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % sides as u64).unwrap()
        };
        for _ in 0..20_000 {
            let text: String = (0..roll(12)).map(|_| PARTS[roll(PARTS.len())]).collect();
            for check in checks {
                holds(check, &text);
            }
            _ = Uuid::from_text(&text);
            _ = Ipv6Addr::from_text(&text);
        }
    }

    #[test]
    fn base64_is_canonical() {
        for text in ["", "Zg==", "Zm8=", "Zm9v", "+/+/"] {
            assert!(holds(byte, text), "{text}");
        }
        for text in ["Zg", "Zg=", "Zh==", "Zm9v\n", "-_-_", "Zm9", "====", "Z"] {
            assert!(!holds(byte, text), "{text}");
        }
    }
}
