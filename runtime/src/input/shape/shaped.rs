//! JSON that a schema was checked over, as a type of its own.

/// Makes a struct around [`Json`] decode, check and serialize itself by its schema.
#[macro_export]
#[doc(hidden)]
macro_rules! __shaped {
    ($name:ident, $shape:ident $(,)?) => {
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
                $crate::__private::shaped_from_tree(tree, &$shape, at, out).map(Self)
            }
        }

        impl $crate::__private::Check for $name {
            fn check(&self, at: &$crate::__private::At<'_>, out: &mut $crate::__private::Violations) {
                $crate::__private::shape(&self.0, &$shape, at, out);
            }

            fn show<V: $crate::__private::Visit>(&self, to: &mut V) -> bool {
                $crate::__private::Check::show(&self.0, to)
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
