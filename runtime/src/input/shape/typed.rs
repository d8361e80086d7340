//! Types behind a schema that says more than they do: a choice between types, and structs with more to hold.
//!
//! The type gives the handler its words, the schema decides.
//!
//! 1. What comes in is read as JSON and held against the whole schema first. Only what fits becomes the type.
//! 2. Of a choice, the alternative is the first whose guard the value fits. Guards are made so that the schema, having
//!    held, leaves no other to be meant.
//! 3. What is inside was held against its own schemas on the way, so it is not held against them again.
//! 4. A file of a form is to the schema a string of as many bytes; the type then takes the file itself.
//! 5. What a handler gives is held against the same schema, as the JSON that would leave.

use serde::Serialize;
use serde::de::Deserializer;

use super::super::decode::refused;
use super::super::object::{collect_members, read_members};
use super::super::{At, Decode, Depth, Expected, Json, Object, Tree, Violations};
use super::untyped::{Files, read};
use super::{Shape, shape, shaped_from_text, shaped_from_tree};
pub use crate::__union as union;

/// A choice between types. Generated code states the alternatives; reading is done here.
pub trait Union: Sized {
    /// The schema of the whole.
    const SHAPE: &'static Shape;
    /// What tells each alternative from those behind it, in the order of [`Union::read`].
    const GUARDS: &'static [&'static Shape];
    /// Reads the alternative with this index. `None`: there is none, or the value is not what it declares.
    fn read<F: Take>(alternative: usize, from: F) -> Option<Self>;
}

/// The value of a choice whose alternative is known.
pub trait Take {
    /// Reads it.
    fn take<T: Decode>(self) -> Option<T>;
}

/// In the fast pass: the JSON that was held against the schema.
struct Fast<'v> {
    value: &'v Json,
    depth: Depth,
}

impl Take for Fast<'_> {
    fn take<T: Decode>(self) -> Option<T> {
        T::decode(self.value, self.depth).ok()
    }
}

/// In the careful pass: what stands there, with its digits.
struct Careful<'t, 'o> {
    tree: &'t Tree<'t>,
    at: &'t At<'t>,
    out: &'o mut Violations,
}

impl Take for Careful<'_, '_> {
    fn take<T: Decode>(self) -> Option<T> {
        T::collect(self.tree, self.at, self.out)
    }
}

/// The fast pass of a choice.
///
/// # Errors
/// As [`Decode::decode`].
pub fn decode_union<'de, U: Union, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<U, D::Error> {
    let value = Json::decode(from, depth)?;
    if !depth.is_shaped() && !holds(&value, U::SHAPE) {
        return Err(refused());
    }
    of_json(&value, depth).ok_or_else(refused)
}

fn of_json<U: Union>(value: &Json, depth: Depth) -> Option<U> {
    U::read(meant::<U>(value)?, Fast { value, depth: depth.in_shaped() })
}

/// The alternative of a value that fits the schema.
fn meant<U: Union>(value: &Json) -> Option<usize> {
    U::GUARDS.iter().position(|guard| holds(value, guard))
}

/// The careful pass of a choice.
pub fn collect_union<U: Union>(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<U> {
    if tree.is_untyped() {
        // the schema says what its texts are, so the alternative is read from what it made of them
        let value = checked(tree, U::SHAPE, at, out)?;
        let read = if tree.has_file() { None } else { of_json(&value, Depth::MOST) };
        // a file has no JSON, and the digits of a number are where it was written
        return read.or_else(|| out.in_shaped(|out| alternative(&value, tree, at, out)));
    }
    let value = match out.is_shaped() {
        true => Json::collect(tree, at, out)?,
        false => checked(tree, U::SHAPE, at, out)?,
    };
    out.in_shaped(|out| alternative(&value, tree, at, out))
}

/// Whether text without a type is `null` to the schema of a choice.
pub fn union_is_null<U: Union>(tree: &Tree<'_>) -> bool {
    tree.is_untyped()
        && shaped_from_tree(tree, U::SHAPE, &At::root(), &mut Violations::new()) == Some(Json::Null)
}

fn alternative<U: Union>(value: &Json, tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<U> {
    let before = out.len();
    let found = meant::<U>(value).and_then(|which| U::read(which, Careful { tree, at, out }));
    if found.is_none() && out.len() == before {
        out.push(at, "type", "must be one of the declared alternatives");
    }
    found
}

/// A parameter that is a choice.
///
/// # Errors
/// When the schema takes it in no reading.
pub fn union_from_text<U: Union>(text: &str) -> Result<U, Expected> {
    let value = shaped_from_text(text, U::SHAPE)?;
    of_json(&value, Depth::MOST).ok_or_else(|| Expected::kind("must be what the document declares"))
}

/// The fast pass of a struct that has a [`Object::SHAPE`].
///
/// # Errors
/// As [`Decode::decode`].
pub fn read_shaped<'de, T: Object, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<T, D::Error> {
    let Some(shape) = T::SHAPE.filter(|_| !depth.is_shaped()) else { return read_members(from, depth) };
    let value = Json::decode(from, depth)?;
    if !holds(&value, shape) {
        return Err(refused());
    }
    read_members(&value, depth.in_shaped()).map_err(|_: serde_json::Error| refused())
}

/// The careful pass of such a struct.
pub(in crate::input) fn collect_shaped<T: Object>(
    tree: &Tree<'_>,
    shape: &'static Shape,
    at: &At<'_>,
    out: &mut Violations,
) -> Option<T> {
    checked(tree, shape, at, out)?;
    out.in_shaped(|out| collect_members(tree, at, out))
}

/// Holds what a handler gave against the schema behind its type.
pub fn check_shaped<T: Serialize>(value: &T, shape: &'static Shape, at: &At<'_>, out: &mut Violations) {
    if out.is_shaped() {
        return;
    }
    match as_sent(value) {
        Ok(value) => super::shape(&value, shape, at, out),
        // the text may hold the value: it is not repeated
        Err(_) => out.push(at, "type", "cannot be written as JSON"),
    }
}

/// The JSON that would leave: a float as it is written, a member that is written twice refused.
fn as_sent<T: Serialize>(value: &T) -> Result<Json, serde_json::Error> {
    let text = serde_json::to_vec(value)?;
    Json::decode(&mut serde_json::Deserializer::from_slice(&text), Depth::MOST)
}

/// Whether the value fits, without a word.
fn holds(value: &Json, of: &'static Shape) -> bool {
    let mut found = Violations::new();
    shape(value, of, &At::root(), &mut found);
    found.is_empty()
}

/// The JSON of a value that fits. `None`: every violation was told.
fn checked(tree: &Tree<'_>, of: &'static Shape, at: &At<'_>, out: &mut Violations) -> Option<Json> {
    let mut found = Violations::new();
    let value = read(tree, of, Files::StandIn, at, &mut found);
    let fits = found.is_empty();
    out.append(found);
    value.filter(|_| fits)
}

/// Makes an enum that has [`Union`] decode and check itself.
#[macro_export]
#[doc(hidden)]
macro_rules! __union {
    ($name:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::__private::Decode for $name {
            fn decode<'de, D: $crate::__private::serde::Deserializer<'de>>(
                from: D,
                depth: $crate::__private::Depth,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::decode_union(from, depth)
            }

            fn collect(
                tree: &$crate::__private::Tree<'_>,
                at: &$crate::__private::At<'_>,
                out: &mut $crate::__private::Violations,
            ) -> ::core::option::Option<Self> {
                $crate::__private::collect_union(tree, at, out)
            }

            fn is_null(tree: &$crate::__private::Tree<'_>) -> bool {
                $crate::__private::union_is_null::<Self>(tree)
            }
        }

        impl $crate::__private::Check for $name {
            fn check(&self, at: &$crate::__private::At<'_>, out: &mut $crate::__private::Violations) {
                $crate::__private::check_shaped(self, <Self as $crate::__private::Union>::SHAPE, at, out);
            }

            fn show<V: $crate::__private::Visit>(&self, to: &mut V) -> bool {
                match self {
                    $(Self::$variant(value) => $crate::__private::Check::show(value, to),)*
                }
            }

            fn files(&self) -> ::std::vec::Vec<$crate::__private::Upload> {
                match self {
                    $(Self::$variant(value) => $crate::__private::Check::files(value),)*
                }
            }
        }

        impl $crate::__private::FromText for $name {
            fn from_text(text: &str) -> ::core::result::Result<Self, $crate::__private::Expected> {
                $crate::__private::union_from_text(text)
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(value) => $crate::__private::serde::Serialize::serialize(value, to),)*
                }
            }
        }

        impl $crate::__private::validator::Validate for $name {
            fn validate(&self) -> ::core::result::Result<(), $crate::__private::validator::ValidationErrors> {
                $crate::__private::validate(self)
            }
        }
    };
}
