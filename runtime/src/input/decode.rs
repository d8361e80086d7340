//! [`Decode`]: from JSON into a type, twice.
//!
//! [`Decode::decode`] is the fast pass: straight from `serde_json` into the type, and it stops at the first thing that
//! it does not like. It may refuse what is right in an unusual spelling (`1.0` for an integer), never accept what is
//! wrong. [`Decode::collect`] is the careful pass over a [`Tree`], which runs only after the fast one refused: it
//! decides, and it tells every violation.

use std::fmt;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, Visitor};

use super::decimal::Decimal;
use super::text::{self, is_plain};
use super::{At, Depth, Expected, FromText, Password, Tree, Upload, Violations};

/// A value that can be read from JSON, strictly.
pub trait Decode: Sized {
    /// The fast pass.
    ///
    /// # Errors
    /// Whenever the careful pass has to look. The error's text is never shown.
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error>;

    /// The careful pass: pushes every violation, of rules as well as of types. `None` only if it pushed one.
    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self>;
}

/// Hands the depth that is left down to the next value.
pub(super) struct Seed<T> {
    depth: Depth,
    decodes: PhantomData<fn() -> T>,
}

impl<T> Seed<T> {
    #[inline]
    pub(super) const fn new(depth: Depth) -> Self {
        Self { depth, decodes: PhantomData }
    }
}

impl<'de, T: Decode> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        T::decode(from, self.depth)
    }
}

/// Refuses in the fast pass. Nobody reads the text: the careful pass finds out what is wrong.
pub(super) fn refused<E: Error>() -> E {
    E::custom("refused")
}

/// The fast pass of a string that has a format.
///
/// # Errors
/// When it is not a string, or not of the format.
pub fn decode_text<'de, T: FromText, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_str(OfText(PhantomData))
}

/// The careful pass of a string that has a format.
pub fn collect_text<T: FromText>(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<T> {
    let Some(text) = tree.text() else { return wrong_type("must be a string", at, out) };
    from_plain(text, at, out)
}

/// A text without a type, as the type reads it.
pub(super) fn from_plain<T: FromText>(text: &str, at: &At<'_>, out: &mut Violations) -> Option<T> {
    T::from_text(text).map_err(|expected| expected.push(at, out)).ok()
}

pub(super) fn wrong_type<T>(message: &'static str, at: &At<'_>, out: &mut Violations) -> Option<T> {
    Expected::kind(message).push(at, out);
    None
}

struct OfText<T>(PhantomData<fn() -> T>);

impl<T: FromText> Visitor<'_> for OfText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(|_| refused())
    }
}

macro_rules! formats {
    ($($type:ty),*) => { $(
        impl Decode for $type {
            #[inline]
            fn decode<'de, D: Deserializer<'de>>(from: D, _: Depth) -> Result<Self, D::Error> {
                decode_text(from)
            }

            fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
                collect_text(tree, at, out)
            }
        }
    )* };
}

formats!(uuid::Uuid, jiff::Timestamp, jiff::civil::Date, Ipv4Addr, Ipv6Addr, Password);

impl Decode for String {
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(from: D, _: Depth) -> Result<Self, D::Error> {
        from.deserialize_str(PlainText)
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        let Some(text) = tree.text() else { return wrong_type("must be a string", at, out) };
        match is_plain(text) {
            true => Some(text.to_owned()),
            false => {
                text::PLAIN.push(at, out);
                None
            }
        }
    }
}

struct PlainText;

impl Visitor<'_> for PlainText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if is_plain(text) { Ok(text.to_owned()) } else { Err(refused()) }
    }
}

/// In JSON `format: binary` is a string.
impl Decode for Upload {
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        String::decode(from, depth).map(Self::new)
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        match tree {
            Tree::File(file) => Some((*file).clone()),
            Tree::Text(text) | Tree::Plain(text) => Some(Self::new(text.as_bytes().to_vec())),
            _ => wrong_type("must be a file", at, out),
        }
    }
}

impl Decode for bool {
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(from: D, _: Depth) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(from)
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        match tree {
            Tree::Bool(value) => Some(*value),
            Tree::Plain(text) => from_plain(text, at, out),
            _ => wrong_type("must be `true` or `false`", at, out),
        }
    }
}

macro_rules! integers {
    ($($type:ident $deserialize:ident $range:literal;)*) => { $(
        impl Decode for $type {
            #[inline]
            fn decode<'de, D: Deserializer<'de>>(from: D, _: Depth) -> Result<Self, D::Error> {
                struct Integer;

                impl Visitor<'_> for Integer {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an integer")
                    }

                    // A number with a fraction or exponent arrives as a float, already rounded: it is left to the
                    // careful pass, which sees its digits.
                    #[inline]
                    fn visit_u64<E: Error>(self, value: u64) -> Result<$type, E> {
                        $type::try_from(value).map_err(|_| refused())
                    }

                    #[inline]
                    fn visit_i64<E: Error>(self, value: i64) -> Result<$type, E> {
                        $type::try_from(value).map_err(|_| refused())
                    }
                }

                from.$deserialize(Integer)
            }

            fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
                if let Some(text) = tree.plain() {
                    return from_plain(text, at, out);
                }
                match integer(tree) {
                    Ok(value) => match value.and_then(|value| $type::try_from(value).ok()) {
                        Some(value) => Some(value),
                        None => wrong_type($range, at, out),
                    },
                    Err(message) => wrong_type(message, at, out),
                }
            }
        }
    )* };
}

integers! {
    i8 deserialize_i8 "must be an integer of 8 bits";
    i16 deserialize_i16 "must be an integer of 16 bits";
    u8 deserialize_u8 "must be a non-negative integer of 8 bits";
    u16 deserialize_u16 "must be a non-negative integer of 16 bits";
    i32 deserialize_i32 "must be an integer of 32 bits";
    i64 deserialize_i64 "must be an integer of 64 bits";
    u32 deserialize_u32 "must be a non-negative integer of 32 bits";
    u64 deserialize_u64 "must be a non-negative integer of 64 bits";
}

/// A whole number in any spelling (JSON Schema: `1.0` is an integer). `None`: whole, and larger than any type of ours.
fn integer(tree: &Tree<'_>) -> Result<Option<i128>, &'static str> {
    const WRONG: &str = "must be an integer";
    let Tree::Number(text) = tree else { return Err(WRONG) };
    match Decimal::read(text) {
        Some(decimal) if decimal.is_whole() => Ok(decimal.to_integer()),
        _ => Err(WRONG),
    }
}

macro_rules! floats {
    ($($type:ident $deserialize:ident;)*) => { $(
        impl Decode for $type {
            #[inline]
            fn decode<'de, D: Deserializer<'de>>(from: D, _: Depth) -> Result<Self, D::Error> {
                struct Float;

                // A `number` of the document is a binary float: rounded to the nearest, refused beyond it.
                impl Visitor<'_> for Float {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a number")
                    }

                    #[inline]
                    fn visit_f64<E: Error>(self, value: f64) -> Result<$type, E> {
                        let value = value as $type;
                        if value.is_finite() { Ok(value) } else { Err(refused()) }
                    }

                    #[inline]
                    fn visit_u64<E: Error>(self, value: u64) -> Result<$type, E> {
                        Ok(value as $type)
                    }

                    #[inline]
                    fn visit_i64<E: Error>(self, value: i64) -> Result<$type, E> {
                        Ok(value as $type)
                    }
                }

                from.$deserialize(Float)
            }

            fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
                match tree {
                    Tree::Number(text) => from_plain(text, at, out),
                    Tree::Plain(text) => from_plain(text, at, out),
                    _ => wrong_type("must be a number", at, out),
                }
            }
        }
    )* };
}

floats! {
    f32 deserialize_f32;
    f64 deserialize_f64;
}

#[cfg(test)]
mod tests {
    use super::super::{Check, Refused, from_json};
    use super::*;

    fn read<T: Decode + Check>(text: &str) -> Option<T> {
        from_json(text.as_bytes(), 8).ok()
    }

    fn rule<T: Decode + Check + fmt::Debug>(text: &str) -> (&'static str, String) {
        match from_json::<T>(text.as_bytes(), 8) {
            Err(Refused::Invalid(found)) => {
                let violation = found.iter().next().unwrap();
                (violation.rule, violation.message.clone().into_owned())
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn integers_in_every_spelling_of_json_schema() {
        assert_eq!(read::<i64>("1.0"), Some(1));
        assert_eq!(read::<i32>("1e2"), Some(100));
        assert_eq!(read::<u32>("-0"), Some(0));
        assert_eq!(read::<i64>("-0.0"), Some(0));
        assert_eq!(read::<i64>("9007199254740993"), Some(9_007_199_254_740_993));
        assert_eq!(read::<i64>("9007199254740993.0"), Some(9_007_199_254_740_993));
        assert_eq!(read::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(read::<u64>("1844674407370955161.5e1"), Some(u64::MAX));
        assert_eq!(read::<i64>("-9223372036854775808"), Some(i64::MIN));
    }

    #[test]
    fn integers_are_refused_out_of_range_and_never_rounded() {
        for text in ["9223372036854775808", "1e19", "1e400", "123456789012345678901234567890"] {
            assert_eq!(rule::<i64>(text), ("type", "must be an integer of 64 bits".to_owned()), "{text}");
        }
        assert_eq!(rule::<u64>("-1").0, "type");
        assert_eq!(rule::<i32>("2147483648").0, "type");
        for text in ["1.5", "1e-1", "1.00000000000000000000001", "\"1\"", "true", "null", "[1]", "{}"] {
            assert_eq!(rule::<i64>(text), ("type", "must be an integer".to_owned()), "{text}");
        }
    }

    #[test]
    fn floats_stay_finite() {
        assert_eq!(read::<f64>("1e308"), Some(1e308));
        assert_eq!(read::<f32>("1e38"), Some(1e38));
        assert_eq!(read::<f64>("3"), Some(3.0));
        assert_eq!(read::<f64>("1.8907660227879804e-7"), Some(1.890_766_022_787_980_4e-7), "to the nearest");
        assert_eq!(rule::<f32>("1e39").0, "type");
        assert_eq!(rule::<f64>("1e400").0, "type");
        assert_eq!(rule::<f64>("\"1\"").0, "type");
    }

    #[test]
    fn strings_have_no_control_characters() {
        assert_eq!(read::<String>(r#""a\nb\t\u00fc""#), Some("a\nb\tü".to_owned()));
        assert_eq!(rule::<String>(r#""a\u0000""#).0, "control");
        assert_eq!(rule::<String>("\"\u{7f}\"").0, "control");
        assert_eq!(rule::<String>("\"\u{9b}31m\"").0, "control");
        assert_eq!(read::<String>("\"\u{a3}\""), Some("\u{a3}".to_owned()));
        assert_eq!(rule::<String>("1").0, "type");
    }

    #[test]
    fn booleans_are_booleans() {
        assert_eq!(read::<bool>("true"), Some(true));
        assert_eq!(rule::<bool>("1").0, "type");
        assert_eq!(rule::<bool>("\"true\"").0, "type");
    }
}
