//! Enumerations of strings: [`Words`], and the macro that makes a Rust enum one.

use super::Expected;

/// An enumeration of strings: each word of the document with the value that stands for it.
pub trait Words: Copy + PartialEq + 'static {
    /// The words, in the order of the document.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of a word, exactly as written.
    #[must_use]
    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }

    /// The word of this value.
    #[must_use]
    fn word(&self) -> Option<&'static str> {
        Self::WORDS.iter().find(|(_, value)| value == self).map(|(word, _)| *word)
    }

    /// What a text that is none of the words should have been.
    #[must_use]
    fn expected() -> Expected {
        /// More words than these are not listed: the document has them.
        const LISTED: usize = 16;
        let mut message = String::from("must be one of");
        for (index, (word, _)) in Self::WORDS.iter().take(LISTED).enumerate() {
            message.push_str(if index == 0 { " `" } else { ", `" });
            message.push_str(word);
            message.push('`');
        }
        if Self::WORDS.len() > LISTED {
            message.push_str(", ..");
        }
        Expected { rule: "enum", message: message.into() }
    }
}

/// Makes an enum that has [`Words`] decode, serialize, display and check itself.
#[macro_export]
#[doc(hidden)]
macro_rules! __words {
    ($name:ident $(,)?) => {
        impl $crate::__private::FromText for $name {
            fn from_text(text: &str) -> ::core::result::Result<Self, $crate::__private::Expected> {
                match <Self as $crate::__private::Words>::of(text) {
                    ::core::option::Option::Some(value) => ::core::result::Result::Ok(value),
                    ::core::option::Option::None => {
                        ::core::result::Result::Err(<Self as $crate::__private::Words>::expected())
                    }
                }
            }
        }

        impl $crate::__private::Decode for $name {
            fn decode<'de, D: $crate::__private::serde::Deserializer<'de>>(
                from: D,
                _: $crate::__private::Depth,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::decode_text(from)
            }

            fn collect(
                tree: &$crate::__private::Tree<'_>,
                at: &$crate::__private::At<'_>,
                out: &mut $crate::__private::Violations,
            ) -> ::core::option::Option<Self> {
                $crate::__private::collect_text(tree, at, out)
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
                $crate::__private::serialize_word(self, to)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str($crate::__private::Words::word(self).unwrap_or_default())
            }
        }
    };
}

/// The word, as generated enums serialize.
///
/// # Errors
/// When the value has no word: then it must not leave.
pub fn serialize_word<W: Words, S: serde::Serializer>(value: &W, to: S) -> Result<S::Ok, S::Error> {
    match value.word() {
        Some(word) => to.serialize_str(word),
        None => Err(serde::ser::Error::custom("the value has no word")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FromText, Refused, from_json};
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    enum Currency {
        Eur,
        UsDollar,
    }

    impl Words for Currency {
        const WORDS: &'static [(&'static str, Self)] = &[("EUR", Self::Eur), ("us dollar", Self::UsDollar)];
    }

    crate::__words!(Currency);

    #[test]
    fn goes_there_and_back() {
        assert_eq!(Currency::from_text("us dollar"), Ok(Currency::UsDollar));
        assert_eq!(from_json::<Currency>(b"\"EUR\"", 8).unwrap(), Currency::Eur);
        assert_eq!(from_json::<Currency>(b"\"\\u0045UR\"", 8).unwrap(), Currency::Eur);
        assert_eq!(serde_json::to_string(&Currency::UsDollar).unwrap(), "\"us dollar\"");
        assert_eq!(Currency::Eur.to_string(), "EUR");
    }

    #[test]
    fn other_words_are_refused_and_not_repeated() {
        assert!(Currency::from_text("eur").is_err());
        let Err(Refused::Invalid(found)) = from_json::<Currency>(b"\"GBP\"", 8) else { panic!() };
        let violation = found.iter().next().unwrap();
        assert_eq!((violation.rule, &*violation.message), ("enum", "must be one of `EUR`, `us dollar`"));
        assert!(from_json::<Currency>(b"0", 8).is_err());
    }
}
