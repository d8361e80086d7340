//! What an object declares of a member, and the rule that its value must satisfy.

use super::{At, Violations};

/// A rule of the document over a value: pushes what the value violates.
pub type Rule<T> = fn(&T, &At<'_>, &mut Violations);

/// What an object's reader needs of a member before it knows its type. Each constructor is a word of
/// `object!`.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether an object without it is refused.
    pub required: bool,
    /// Whether it is read at all: what only the server makes is not.
    pub read: bool,
}

impl Declared {
    /// A member without which the object is refused.
    #[must_use]
    pub const fn required(name: &'static str) -> Self {
        Self { name, required: true, read: true }
    }

    /// A member that may be absent.
    #[must_use]
    pub const fn optional(name: &'static str) -> Self {
        Self { name, required: false, read: true }
    }

    /// A member that has a value also where it is absent.
    #[must_use]
    pub const fn or(name: &'static str) -> Self {
        Self::optional(name)
    }

    /// Whether a member of this name is read as this one.
    #[must_use]
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name == name && self.read
    }

    /// A cursor, absent where there is none: nothing but `caller.seal(..)` makes one.
    #[must_use]
    pub const fn sealed(name: &'static str) -> Self {
        Self { name, required: false, read: false }
    }

    /// A cursor, `null` where there is none.
    #[must_use]
    pub const fn sealed_or_null(name: &'static str) -> Self {
        Self::sealed(name)
    }
}

/// No rule.
pub fn no_rule<T>(_: &T, _: &At<'_>, _: &mut Violations) {}
