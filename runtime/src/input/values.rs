//! Enumerations of integers and of truth values: [`Values`], and the macro that makes a Rust enum one.

use std::fmt::Display;

use serde::Deserializer;

use super::decode::refused;
use super::{At, Decode, Depth, Expected, FromText, Tree, Violations};

/// An enumeration: each value of the document with the variant that stands for it.
pub trait Values: Copy + PartialEq + 'static {
    /// `i64`, `u64` or `bool`.
    type Value: Decode + FromText + Display + PartialEq + Copy + 'static;

    /// The values, in the order of the document.
    const VALUES: &'static [(Self::Value, Self)];

    /// The variant of a value.
    #[must_use]
    fn of(value: Self::Value) -> Option<Self> {
        Self::VALUES.iter().find(|(known, _)| *known == value).map(|(_, variant)| *variant)
    }

    /// The value of this variant.
    #[must_use]
    fn value(&self) -> Option<Self::Value> {
        Self::VALUES.iter().find(|(_, variant)| variant == self).map(|(value, _)| *value)
    }
}

/// The fast pass.
///
/// # Errors
/// As [`Decode::decode`].
pub fn decode_value<'de, V: Values, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<V, D::Error> {
    V::of(V::Value::decode(from, depth)?).ok_or_else(refused)
}

/// The careful pass.
pub fn collect_value<V: Values>(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<V> {
    let found = V::of(V::Value::collect(tree, at, out)?);
    if found.is_none() {
        expected::<V>().push(at, out);
    }
    found
}

/// A parameter.
///
/// # Errors
/// What was expected instead.
pub fn value_from_text<V: Values>(text: &str) -> Result<V, Expected> {
    V::of(V::Value::from_text(text)?).ok_or_else(expected::<V>)
}

fn expected<V: Values>() -> Expected {
    /// More values than these are not listed: the document has them.
    const LISTED: usize = 16;
    let listed: Vec<String> = V::VALUES.iter().take(LISTED).map(|(value, _)| format!("`{value}`")).collect();
    let more = if V::VALUES.len() > LISTED { ", .." } else { "" };
    Expected { rule: "enum", message: format!("must be one of {}{more}", listed.join(", ")).into() }
}

/// Makes an enum that has [`Values`] decode, serialize, display and check itself.
#[macro_export]
#[doc(hidden)]
macro_rules! __values {
    ($name:ident $(,)?) => {
        impl $crate::__private::FromText for $name {
            fn from_text(text: &str) -> ::core::result::Result<Self, $crate::__private::Expected> {
                $crate::__private::value_from_text(text)
            }
        }

        impl $crate::__private::Decode for $name {
            fn decode<'de, D: $crate::__private::serde::Deserializer<'de>>(
                from: D,
                depth: $crate::__private::Depth,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::decode_value(from, depth)
            }

            fn collect(
                tree: &$crate::__private::Tree<'_>,
                at: &$crate::__private::At<'_>,
                out: &mut $crate::__private::Violations,
            ) -> ::core::option::Option<Self> {
                $crate::__private::collect_value(tree, at, out)
            }
        }

        impl $crate::__private::Check for $name {
            const PLAIN: bool = true;

            fn check(&self, _: &$crate::__private::At<'_>, _: &mut $crate::__private::Violations) {}
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::serde::Serialize::serialize(&$crate::__private::Values::value(self), to)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match $crate::__private::Values::value(self) {
                    ::core::option::Option::Some(value) => ::core::fmt::Display::fmt(&value, f),
                    ::core::option::Option::None => ::core::result::Result::Err(::core::fmt::Error),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::super::{Refused, from_json};
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Level {
        Value1,
        ValueMinus1,
    }

    impl Values for Level {
        type Value = i64;
        const VALUES: &'static [(i64, Self)] = &[(1, Self::Value1), (-1, Self::ValueMinus1)];
    }

    crate::__values!(Level);

    #[test]
    fn goes_there_and_back() {
        assert_eq!(from_json::<Level>(b"-1", 8), Ok(Level::ValueMinus1));
        assert_eq!(from_json::<Level>(b"1.0", 8), Ok(Level::Value1), "one number in two spellings");
        assert_eq!(Level::from_text("1"), Ok(Level::Value1));
        assert_eq!(serde_json::to_string(&Level::ValueMinus1).unwrap(), "-1");
        assert_eq!(Level::Value1.to_string(), "1");
    }

    #[test]
    fn other_values_are_refused() {
        let rule = |text: &str| match from_json::<Level>(text.as_bytes(), 8) {
            Err(Refused::Invalid(found)) => found.iter().next().map(|violation| violation.rule),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(rule("2"), Some("enum"));
        assert_eq!(rule("1.5"), Some("type"));
        assert_eq!(rule("\"1\""), Some("type"));
        assert!(Level::from_text("2").is_err() && Level::from_text("1.0").is_err());
    }
}
