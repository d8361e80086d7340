//! `object!`: a struct as a table of its members, which is all that generated code states of it.
//!
//! ```text
//! object!(Freeze: Closed {
//!     0 frozen: bool = required "frozen",
//!     1 reason: String = optional "reason" under |value, at, out| length(value, 0..=200, at, out),
//!     2 days: i64 = or(7) "days",
//! });
//! ```
//!
//! - Each line: the place in the table, the field, the type of a value that is there, whether it may be absent, the name on
//!   the wire, and the rule.
//! - `or(..)`: what an absent member is. `sealed`, `sealed_or_null`: a cursor, which is written and not read.
//! - `Closed`: members that are not declared are refused. `Open`: they are dropped, or kept by
//!   `others(3 additional: Json, no_rule)`.
//! - `Closed beside SHAPE_1`: the schema that must hold beside the members.

pub use crate::__object as object;

/// Makes a struct read, check and write itself by a table of its members.
#[macro_export]
#[doc(hidden)]
macro_rules! __object {
    (
        $name:ident: $extra:ident $(beside $shape:ident)? {
            $($index:tt $field:ident: $ty:ty = $given:ident $(($default:expr))? $wire:literal $(under $rule:expr)?),* $(,)?
        }
        $(others($place:tt $rest:ident: $other:ty, $under:expr $(,)?))?
    ) => {
        impl $crate::__private::Object for $name {
            const MEMBERS: &'static [$crate::__private::Declared] =
                &[$($crate::__private::Declared::$given($wire)),*];
            const OPEN: bool = $crate::__extra!($extra);

            $(
                const SHAPE: ::core::option::Option<&'static $crate::__private::Shape> =
                    ::core::option::Option::Some(&$shape);

                fn read<'de, D: $crate::__private::serde::Deserializer<'de>>(
                    from: D,
                    depth: $crate::__private::Depth,
                ) -> ::core::result::Result<Self, D::Error> {
                    $crate::__private::read_shaped(from, depth)
                }
            )?

            type Slots = (
                $(::core::option::Option<$ty>,)*
                $($crate::__private::BTreeMap<::std::string::String, $other>,)?
            );

            fn slots() -> Self::Slots {
                ($($crate::__empty!($field),)* $($crate::__private::BTreeMap::<::std::string::String, $other>::new(),)?)
            }

            fn fill<F: $crate::__private::Fill>(
                slots: &mut Self::Slots,
                member: usize,
                from: F,
            ) -> ::core::result::Result<(), F::Error> {
                match member {
                    $($index => from$(.under::<$ty>($rule))?.$given(&mut slots.$index),)*
                    _ => from.skip(),
                }
            }

            $(
                fn other<F: $crate::__private::Fill>(
                    slots: &mut Self::Slots,
                    name: &str,
                    from: F,
                ) -> ::core::result::Result<(), F::Error> {
                    from.entry(name, $under, &mut slots.$place)
                }
            )?

            fn build(slots: Self::Slots) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self {
                    $($field: $crate::__built!($given slots.$index $(, $default)?),)*
                    $($rest: slots.$place,)?
                })
            }

            fn visit<V: $crate::__private::Visit>(&self, to: &mut V) {
                $(to$(.under::<$ty>($rule))?.$given($wire, &self.$field);)*
                $(to.others(&self.$rest, $under);)?
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::write(self, to)
            }
        }

        impl $crate::__private::validator::Validate for $name {
            fn validate(&self) -> ::core::result::Result<(), $crate::__private::validator::ValidationErrors> {
                $crate::__private::validate(self)
            }
        }
    };
}

/// Whether members that are not declared are let through.
#[macro_export]
#[doc(hidden)]
macro_rules! __extra {
    (Closed) => {
        false
    };
    (Open) => {
        true
    };
}

/// An empty place for a member.
#[macro_export]
#[doc(hidden)]
macro_rules! __empty {
    ($field:ident) => {
        ::core::option::Option::None
    };
}

/// The value of a field, by what came for its member.
#[macro_export]
#[doc(hidden)]
macro_rules! __built {
    (required $slot:expr) => {
        $slot?
    };
    (optional $slot:expr) => {
        $slot
    };
    (or $slot:expr, $default:expr) => {
        match $slot {
            ::core::option::Option::Some(value) => value,
            ::core::option::Option::None => $default,
        }
    };
    ($sealed:ident $slot:expr) => {
        ::core::option::Option::None
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Json, Refused, from_json, length, minimum, no_rule, validate};
    use crate::cursor::SealedCursor;

    #[derive(Clone, Debug, PartialEq)]
    struct Page {
        count: i64,
        note: Option<String>,
        size: i64,
        next: Option<SealedCursor>,
        last: Option<SealedCursor>,
        additional: BTreeMap<String, Json>,
    }

    crate::__object!(Page: Open {
        0 count: i64 = required "count" under |count, at, out| minimum(count, 1, at, out),
        1 note: String = optional "note" under |note, at, out| length(note, 0..=3, at, out),
        2 size: i64 = or(20) "size",
        3 next: SealedCursor = sealed "next",
        4 last: Option<SealedCursor> = sealed_or_null "last",
    } others(5 additional: Json, no_rule));

    fn faults(text: &str) -> Vec<(String, &'static str)> {
        match from_json::<Page>(text.as_bytes(), 8) {
            Err(Refused::Invalid(found)) => found.iter().map(|v| (v.pointer.clone(), v.rule)).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn read(text: &str) -> Page {
        from_json(text.as_bytes(), 8).unwrap()
    }

    #[test]
    fn each_word_says_whether_a_member_must_come() {
        let page = read(r#"{"count":1}"#);
        assert_eq!((page.count, page.note, page.size), (1, None, 20));
        assert_eq!(read(r#"{"size":5,"count":1}"#).size, 5);
        assert_eq!(faults(r#"{"size":5}"#), [("/count".to_owned(), "required")]);
        assert_eq!(faults(r#"{"count":1,"size":"5"}"#), [("/size".to_owned(), "type")]);
    }

    #[test]
    fn a_rule_is_asked_of_what_comes_and_of_what_leaves() {
        assert_eq!(read(r#"{"count":1,"note":"abc"}"#).note.as_deref(), Some("abc"));
        let both = [("/count".to_owned(), "minimum"), ("/note".to_owned(), "maxLength")];
        assert_eq!(faults(r#"{"count":0,"note":"abcd"}"#), both);
        let page = Page { count: 0, note: Some("abcd".into()), ..read(r#"{"count":1}"#) };
        assert_eq!(validate(&page).unwrap_err().errors().len(), 2);
    }

    #[test]
    fn a_cursor_is_written_and_never_read() {
        // what a client calls like a cursor is none, and is not kept beside it either: it would leave as one
        for forged in [r#"{"count":1,"next":"forged"}"#, r#"{"count":1,"last":null}"#] {
            assert_eq!(faults(forged), [(String::new(), "duplicate")]);
        }
        let written = serde_json::to_string(&read(r#"{"count":1}"#)).unwrap();
        assert_eq!(written, r#"{"count":1,"size":20,"last":null}"#);
    }

    #[test]
    fn what_is_not_declared_is_kept_where_there_is_a_place() {
        let page = read(r#"{"count":1,"more":[true]}"#);
        assert_eq!(page.additional.len(), 1);
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"count":1,"size":20,"last":null,"more":[true]}"#
        );
    }
}
