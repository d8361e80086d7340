//! Objects that rules are about: the attributes that a resolver found, and where they come from.
//!
//! A rule reads attributes by name. What is missing, or is not of the type that the rule needs, never satisfies it.

use std::borrow::Cow;
use std::sync::Arc;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Text.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Integer(i64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Attribute {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<i64> for Attribute {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

/// The attributes of one object, by name. A resource has a handful, so they are looked through in turn.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    entries: Vec<(&'static str, Attribute)>,
}

impl Attributes {
    /// No attribute yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The same with one more. A name that is given twice keeps its first value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Attribute>) -> Self {
        if self.get(name).is_none() {
            self.entries.push((name, value.into()));
        }
        self
    }

    /// The attribute of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether attribute `name` says that `subject` owns the object.
    ///
    /// 1. An attribute that is missing, or is not text, says no.
    /// 2. Nobody is the empty name: an object without an owner belongs to no caller without a subject.
    /// 3. The names must be the same byte for byte: no case folding, no trimming.
    #[must_use]
    pub fn owner_is(&self, name: &str, subject: &str) -> bool {
        match self.get(name) {
            Some(Attribute::Text(owner)) => !owner.is_empty() && owner == subject,
            Some(Attribute::Boolean(_) | Attribute::Integer(_)) | None => false,
        }
    }
}

/// A field type that can give an attribute of a resource: what `#[derive(palisade::Resource)]` accepts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no attribute of a resource",
    label = "this field cannot be an `#[attribute]`",
    note = "text comes from `String`, `&str`, `Box<str>`, `Arc<str>` or `Cow<str>`, a boolean from `bool`, an integer from `i64` and smaller ones"
)]
pub trait AsAttribute {
    /// What the resource trait's method returns for it.
    type Out<'a>
    where
        Self: 'a;

    /// The attribute.
    fn as_attribute(&self) -> Self::Out<'_>;
}

/// The attribute that a field gives. Called by `#[derive(palisade::Resource)]`.
pub fn attribute<T: AsAttribute>(field: &T) -> T::Out<'_> {
    field.as_attribute()
}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl AsAttribute for $type {
            type Out<'a> = &'a str where Self: 'a;

            fn as_attribute(&self) -> &str {
                self
            }
        }
    )*};
}

macro_rules! value {
    ($out:ty: $($type:ty),*) => {$(
        impl AsAttribute for $type {
            type Out<'a> = $out;

            fn as_attribute(&self) -> $out {
                (*self).into()
            }
        }
    )*};
}

text!(String, &str, Box<str>, Arc<str>, Cow<'_, str>);
value!(bool: bool);
value!(i64: i64, i32, i16, i8, u32, u16, u8); // `u64` may not fit, and a rule must not read another number

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_whoever_the_attribute_names_and_nobody_else() {
        let account = Attributes::new().with("owner", "mia").with("frozen", false);
        assert!(account.owner_is("owner", "mia"));
        for stranger in ["noa", "Mia", "mia ", ""] {
            assert!(!account.owner_is("owner", stranger), "{stranger:?}");
        }
    }

    #[test]
    fn what_is_missing_or_of_another_type_owns_nothing() {
        let account = Attributes::new().with("frozen", true).with("number", 7).with("nobody", "");
        assert!(!account.owner_is("owner", "mia"));
        assert!(!account.owner_is("frozen", "true"));
        assert!(!account.owner_is("number", "7"));
        assert!(!account.owner_is("nobody", ""), "no owner and no subject are not the same person");
    }

    #[test]
    fn a_name_keeps_its_first_value() {
        let account = Attributes::new().with("owner", "mia").with("owner", "noa");
        assert!(account.owner_is("owner", "mia"));
        assert!(!account.owner_is("owner", "noa"));
    }

    #[test]
    fn fields_give_attributes() {
        let shared: Arc<str> = "mia".into();
        let text: &str = attribute(&shared);
        assert_eq!(text, "mia");
        assert_eq!(attribute(&String::from("mia")), "mia");
        assert_eq!(attribute(&Cow::Borrowed("mia")), "mia");
        assert!(attribute(&true));
        assert_eq!(attribute(&7_u32), 7_i64);
        assert_eq!(attribute(&-7_i8), -7_i64);
    }
}
