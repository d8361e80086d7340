//! JSON that a schema was checked over, as a type of its own.

use super::super::text::has_number_form;
use super::super::{At, Expected, Json, Tree, Violations};
use super::{Shape, shape};

/// A parameter of such a type: text that is a number, `true`, `false` or `null` may be meant as one or as a string. The
/// schema decides; the string is tried first, because that is what came.
///
/// # Errors
/// When the schema takes none of them.
pub fn shaped_from_text(text: &str, of: &'static Shape) -> Result<Json, Expected> {
    let mut readings = vec![Json::from(text)];
    match text {
        "true" => readings.push(Json::Bool(true)),
        "false" => readings.push(Json::Bool(false)),
        "null" => readings.push(Json::Null),
        number if has_number_form(number) => {
            // by its digits, as in a body: an integer that no type holds is refused, not rounded
            readings.extend(Tree::Number(number).to_json(&At::root(), &mut Violations::new()));
        }
        _ => {}
    }
    let fits = |reading: &Json| {
        let mut out = Violations::new();
        shape(reading, of, &At::root(), &mut out);
        out.is_empty()
    };
    let found = readings.into_iter().find(fits);
    found.ok_or_else(|| Expected::kind("must be what the document declares"))
}

/// Makes a struct around [`Json`] decode, check and serialize itself by its schema.
#[macro_export]
#[doc(hidden)]
macro_rules! __shaped {
    ($name:ident, $shape:ident) => {
        impl $crate::__private::Decode for $name {
            fn decode<'de, D: $crate::__private::serde::Deserializer<'de>>(
                from: D,
                depth: $crate::__private::Depth,
            ) -> ::core::result::Result<Self, D::Error> {
                <$crate::__private::Json as $crate::__private::Decode>::decode(from, depth).map(Self)
            }

            fn collect(
                tree: &$crate::__private::Tree<'_>,
                at: &$crate::__private::At<'_>,
                out: &mut $crate::__private::Violations,
            ) -> ::core::option::Option<Self> {
                let value = <$crate::__private::Json as $crate::__private::Decode>::collect(tree, at, out)?;
                $crate::__private::shape(&value, &$shape, at, out);
                ::core::option::Option::Some(Self(value))
            }
        }

        impl $crate::__private::Check for $name {
            fn check(&self, at: &$crate::__private::At<'_>, out: &mut $crate::__private::Violations) {
                $crate::__private::shape(&self.0, &$shape, at, out);
            }
        }

        impl $crate::__private::FromText for $name {
            fn from_text(text: &str) -> ::core::result::Result<Self, $crate::__private::Expected> {
                $crate::__private::shaped_from_text(text, &$shape).map(Self)
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::serde::Serialize::serialize(&self.0, to)
            }
        }

        impl $crate::__private::validator::Validate for $name {
            fn validate(&self) -> ::core::result::Result<(), $crate::__private::validator::ValidationErrors> {
                $crate::__private::validate(self)
            }
        }
    };
}
