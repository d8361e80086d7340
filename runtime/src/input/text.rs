//! [`FromText`]: a scalar from the text of a parameter, and strings of a body that have a format.

use std::borrow::Cow;

use super::{At, Violations};

/// A scalar that has a text form.
pub trait FromText: Sized {
    /// Reads the whole text, strictly.
    ///
    /// # Errors
    /// What was expected instead.
    fn from_text(text: &str) -> Result<Self, Expected>;
}

/// What a text was expected to be. Made of the document's facts, never of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The rule that it breaks.
    pub rule: &'static str,
    /// The rule in words.
    pub message: Cow<'static, str>,
}

impl Expected {
    /// A value of another type.
    #[must_use]
    pub const fn kind(message: &'static str) -> Self {
        Self { rule: "type", message: Cow::Borrowed(message) }
    }

    /// A string of another format.
    #[must_use]
    pub const fn format(message: &'static str) -> Self {
        Self { rule: "format", message: Cow::Borrowed(message) }
    }

    /// As a violation.
    pub fn push(self, at: &At<'_>, out: &mut Violations) {
        out.push(at, self.rule, self.message);
    }
}

/// Control characters (of ASCII and of Latin-1) have no place in a text of a body but tabulator and line ends; they forge
/// log lines and terminal output, and NUL cuts strings short elsewhere.
#[inline]
pub(crate) fn is_plain(text: &str) -> bool {
    // Without a branch a byte, so that it runs many bytes at a time; the rare rest is looked at again. U+0080 to U+009F
    // begin with the byte C2 in UTF-8.
    let clean =
        text.bytes().fold(true, |clean, byte| clean & (byte >= 0x20) & (byte != 0x7f) & (byte != 0xc2));
    clean || text.chars().all(|letter| matches!(letter, '\t' | '\n' | '\r') || !letter.is_control())
}

/// What [`is_plain`] refuses, in words.
pub(crate) const PLAIN: Expected =
    Expected { rule: "control", message: Cow::Borrowed("must not contain control characters") };

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, Expected> {
        // A parameter is one line: not even tabulator and line ends.
        match text.chars().any(char::is_control) {
            true => Err(PLAIN),
            false => Ok(text.to_owned()),
        }
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, Expected> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Expected::kind("must be `true` or `false`")),
        }
    }
}

macro_rules! integers {
    ($($type:ty: $range:literal),*) => { $(
        impl FromText for $type {
            /// Digits, as an integer is written: neither `1.0` nor `1e2`, which are JSON's spellings of a number.
            fn from_text(text: &str) -> Result<Self, Expected> {
                match has_integer_form(text) {
                    true => text.parse().map_err(|_| Expected::kind($range)),
                    false => Err(Expected::kind("must be an integer")),
                }
            }
        }
    )* };
}

integers!(
    i8: "must be an integer of 8 bits",
    i16: "must be an integer of 16 bits",
    u8: "must be a non-negative integer of 8 bits",
    u16: "must be a non-negative integer of 16 bits",
    i32: "must be an integer of 32 bits",
    i64: "must be an integer of 64 bits",
    u32: "must be a non-negative integer of 32 bits",
    u64: "must be a non-negative integer of 64 bits"
);

macro_rules! floats {
    ($($type:ty),*) => { $(
        impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, Expected> {
                match has_number_form(text) {
                    // Too large a number reads as infinity.
                    true => text.parse().ok().filter(|value: &Self| value.is_finite()).ok_or(TOO_LARGE),
                    false => Err(Expected::kind("must be a number")),
                }
            }
        }
    )* };
}

/// A number beyond its type.
pub(crate) const TOO_LARGE: Expected = Expected::kind("must be a number that its format can hold");

floats!(f32, f64);

/// `[ minus ] int` of RFC 8259 section 6.
fn has_integer_form(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = digits == "0" || !digits.starts_with('0');
    canonical && all_digits(digits)
}

/// `number` of RFC 8259 section 6: `[ minus ] int [ frac ] [ exp ]`.
pub(crate) fn has_number_form(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    has_integer_form(whole)
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_digits_in_range() {
        assert_eq!(i32::from_text("-2147483648"), Ok(i32::MIN));
        assert_eq!(u64::from_text("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(i64::from_text("-0"), Ok(0));
        for text in [
            "", "-", "+1", "01", "-01", "1.0", "1e2", "0x1", "1_000", " 1", "1 ", "1,5", "\u{661}", "true",
            "--1",
        ] {
            assert!(i64::from_text(text).is_err(), "{text}");
        }
        assert!(i32::from_text("2147483648").is_err() && u32::from_text("-1").is_err());
        assert!(u64::from_text("18446744073709551616").is_err());
        assert_eq!(u32::from_text("-0"), Err(Expected::kind("must be a non-negative integer of 32 bits")));
    }

    #[test]
    fn floats_have_the_grammar_of_json() {
        assert_eq!(f64::from_text("-1.5e-3"), Ok(-0.0015));
        assert_eq!(f64::from_text("0"), Ok(0.0));
        assert_eq!(f32::from_text("3.4e38"), Ok(3.4e38));
        for text in
            ["", ".5", "5.", "1e", "1e+", "+1", "NaN", "inf", "Infinity", "1e999", "00.1", "1..2", "1e2e3"]
        {
            assert!(f64::from_text(text).is_err(), "{text}");
        }
        assert!(f32::from_text("1e39").is_err(), "beyond f32, though not beyond f64");
    }

    #[test]
    fn booleans_are_two_words() {
        assert_eq!(bool::from_text("true"), Ok(true));
        for text in ["True", "1", "yes", "", " true"] {
            assert!(bool::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn strings_are_one_line() {
        assert_eq!(String::from_text("grüße 💩"), Ok("grüße 💩".to_owned()));
        assert_eq!(String::from_text(""), Ok(String::new()));
        for text in ["a\0", "a\nb", "\u{1b}[0m", "\u{7f}"] {
            assert!(String::from_text(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn texts_of_a_body_may_have_lines() {
        assert!(is_plain("a\tb\r\nc ü") && is_plain(""));
        assert!(!is_plain("a\0") && !is_plain("\u{1b}[0m") && !is_plain("a\u{7f}"));
    }
}
