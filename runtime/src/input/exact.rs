//! [`Decimal`] as a type of the document: `format: decimal`, a number that is never rounded.
//!
//! `serde_json` hands a number with a fraction over as a float, which has lost digits by then. So the fast pass takes whole
//! numbers of 64 bits alone, and leaves every other to the careful pass, which sees what was written. An answer is written
//! digit by digit.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;

use super::check::Number;
use super::decimal::Decimal;
use super::decode::{from_plain, refused, wrong_type};
use super::text::has_number_form;
use super::{At, Check, Decode, Depth, Expected, FromText, Tree, Violations};

/// The exponents of IEEE 754 decimal128: far beyond what anybody counts, and no work for who expands them.
const EXPONENTS: std::ops::RangeInclusive<i64> = -6176..=6111;
/// Zeros that are written out; more of them are an exponent.
const MOST_ZEROS: i64 = 40;

impl Decimal {
    /// A number as JSON writes it (RFC 8259 section 6), of at most 38 digits. `None`: not that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let read = Self::read(text).filter(|_| has_number_form(text))?;
        EXPONENTS.contains(&read.parts().2).then_some(read)
    }

    /// The integer that it is, if it is one of 128 bits.
    #[must_use]
    pub fn to_i128(self) -> Option<i128> {
        self.to_integer()
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // its text is a number, so it reads
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

/// A number of the document, for generated code: what reads as none is none that the generator writes.
#[must_use]
pub fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_default()
}

impl FromText for Decimal {
    fn from_text(text: &str) -> Result<Self, Expected> {
        match has_number_form(text) {
            true => Self::parse(text).ok_or(Expected::kind("must be a number of at most 38 digits")),
            false => Err(Expected::kind("must be a number")),
        }
    }
}

impl Decode for Decimal {
    fn decode<'de, D: Deserializer<'de>>(from: D, _: Depth) -> Result<Self, D::Error> {
        struct Whole;

        impl Visitor<'_> for Whole {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Decimal, E> {
                Ok(value.into())
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Decimal, E> {
                Ok(value.into())
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Decimal, E> {
                Err(refused())
            }
        }

        from.deserialize_f64(Whole)
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        match tree {
            Tree::Number(text) => from_plain(text, at, out),
            Tree::Plain(text) => from_plain(text, at, out),
            _ => wrong_type("must be a number", at, out),
        }
    }
}

impl Check for Decimal {
    const PLAIN: bool = true;

    fn check(&self, _: &At<'_>, _: &mut Violations) {}
}

impl Number for Decimal {
    fn is_a_multiple(self, of: Self) -> bool {
        self.is_multiple_of(&of)
    }
}

macro_rules! from_integers {
    ($($type:ty),*) => { $(
        impl From<$type> for Decimal {
            fn from(value: $type) -> Self {
                // at most 20 digits
                Self::of(value).unwrap_or_default()
            }
        }
    )* };
}

from_integers!(i32, i64, u32, u64);

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
    }
}

/// As JSON writes numbers: without an exponent, unless it has very many zeros.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negative, digits, exponent) = self.parts();
        let (sign, digits) = (if negative { "-" } else { "" }, digits.to_string());
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        match exponent {
            0..=MOST_ZEROS => write!(f, "{sign}{digits}{}", zeros(exponent)),
            _ if !(-MOST_ZEROS..=MOST_ZEROS).contains(&exponent) => write!(f, "{sign}{digits}e{exponent}"),
            _ if length <= -exponent => write!(f, "{sign}0.{}{digits}", zeros(-exponent - length)),
            _ => {
                let point = usize::try_from(length + exponent).unwrap_or(0);
                let (whole, fraction) = digits.split_at_checked(point).ok_or(fmt::Error)?;
                write!(f, "{sign}{whole}.{fraction}")
            }
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let Some(value) = self.to_integer().and_then(|value| i64::try_from(value).ok()) {
            return to.serialize_i64(value);
        }
        RawValue::from_string(self.to_string()).map_err(ser::Error::custom)?.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Refused, from_json, maximum, multiple_of, unique_items};
    use super::*;

    #[test]
    fn keeps_every_digit_in_and_out() {
        for (sent, kept) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("1.50", "1.5"),
            ("-12345678901234567890.12345678901234567", "-12345678901234567890.12345678901234567"),
            ("9007199254740993", "9007199254740993"),
            ("340282366920938463463374607431768211455", ""),
            ("34028236692093846346337460743176821145", "34028236692093846346337460743176821145"),
            ("0.1e-3", "0.0001"),
            ("12e3", "12000"),
            ("1.5e100", "15e99"),
            ("1e-50", "1e-50"),
            ("0.3", "0.3"),
        ] {
            let read = from_json::<Decimal>(sent.as_bytes(), 4).ok();
            let written = read.map(|value| serde_json::to_string(&value).unwrap());
            assert_eq!(written.unwrap_or_default(), kept, "{sent}");
            assert_eq!(read, Decimal::from_text(sent).ok(), "a parameter is the same");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for text in ["1e7000", "1e-7000", "\"1\"", "1.5e", "[]", &"7".repeat(39)] {
            assert!(from_json::<Decimal>(text.as_bytes(), 4).is_err(), "{text}");
        }
        for text in ["", "+1", "01", ".5", "NaN", "1 "] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rules_are_exact() {
        let rules = |text: &str| {
            let Ok(value) = from_json::<Decimal>(text.as_bytes(), 4) else { panic!("{text}") };
            let mut out = Violations::new();
            maximum(&value, decimal("0.3"), &At::root(), &mut out);
            multiple_of(&value, decimal("0.01"), &At::root(), &mut out);
            out.iter().map(|violation| violation.rule).collect::<Vec<_>>()
        };
        assert!(rules("0.30").is_empty() && rules("-7").is_empty());
        assert_eq!(
            rules("0.30000000000000000000000000001"),
            ["maximum", "multipleOf"],
            "a float would be 0.3"
        );
    }

    #[test]
    fn compares_as_a_number() {
        let list: Result<Vec<Decimal>, Refused> = from_json(b"[1.5, 15e-1]", 4);
        let mut out = Violations::new();
        unique_items(&list.unwrap(), &At::root(), &mut out);
        assert_eq!(out.len(), 1);
        assert!(decimal("-1.5") < 0.into() && Decimal::from(3_u64) > decimal("2.999"));
        assert_eq!((decimal("12e1").to_i128(), decimal("0.5").to_i128()), (Some(120), None));
        assert_eq!((decimal("0.5").to_f64(), decimal("-12e3").to_f64()), (0.5, -12_000.0));
    }
}
