//! Rules of the document over decoded values: pure functions that push what they find and allocate nothing otherwise.
//!
//! Generated code calls them from a member's rule. The same functions run over what comes in, over what a handler
//! sends out, and behind `validator::Validate`.

mod list;
mod number;
mod pattern;
mod simple;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

pub use self::list::{each, each_value, items, members, unique_items};
pub use self::number::{Number, exclusive_maximum, exclusive_minimum, maximum, minimum, multiple_of};
pub use self::pattern::{Pattern, pattern};
pub use self::text::{Octets, length, size};
use super::{At, Upload, Violations, Visit, no_rule};

/// A value that knows the rules the document has for its type.
///
/// What the document says about one *use* of a type stands in the member's or parameter's rule instead.
pub trait Check {
    /// Whether `==` on this type is equality of JSON values, so that short lists need no fingerprints.
    #[doc(hidden)]
    const PLAIN: bool = false;

    /// Pushes what this value violates.
    fn check(&self, at: &At<'_>, out: &mut Violations);

    /// Shows its members, where it has any. `false`: it is no object.
    #[doc(hidden)]
    fn show<V: Visit>(&self, _: &mut V) -> bool {
        false
    }

    /// The files that it is, where it is one or a list of them.
    #[doc(hidden)]
    fn files(&self) -> Vec<Upload> {
        Vec::new()
    }
}

/// `validator::Validate` for whatever has [`Check`]: each violation under its JSON pointer.
///
/// # Errors
/// Every violation, as [`ValidationErrors`] whose keys are JSON pointers, codes are rules.
pub fn validate<T: Check>(value: &T) -> Result<(), ValidationErrors> {
    let mut found = Violations::new();
    value.check(&At::root(), &mut found);
    if found.is_empty() {
        return Ok(());
    }
    let mut errors = ValidationErrors::new();
    for violation in &found {
        let error = ValidationError::new(violation.rule).with_message(violation.message.clone());
        let field = errors.errors_mut().entry(Cow::Owned(violation.pointer.clone()));
        match field.or_insert_with(|| ValidationErrorsKind::Field(Vec::new())) {
            ValidationErrorsKind::Field(list) => list.push(error),
            // Every entry is made one line above.
            ValidationErrorsKind::Struct(_) | ValidationErrorsKind::List(_) => {}
        }
    }
    Err(errors)
}

/// Types whose every value is allowed; their uses may have rules.
macro_rules! without_rules {
    ($($type:ty),* $(,)?) => { $(
        impl Check for $type {
            const PLAIN: bool = true;

            #[inline]
            fn check(&self, _: &At<'_>, _: &mut Violations) {}
        }
    )* };
}

without_rules!(
    (),
    bool,
    i8,
    i16,
    u8,
    u16,
    i32,
    i64,
    u32,
    u64,
    String,
    uuid::Uuid,
    jiff::Timestamp,
    jiff::civil::Date,
    Ipv4Addr,
    Ipv6Addr,
    super::Password,
);

/// `==` on JSON of any shape tells `1` from `1.0`, which are one number.
impl Check for super::Json {
    #[inline]
    fn check(&self, _: &At<'_>, _: &mut Violations) {}

    fn show<V: Visit>(&self, to: &mut V) -> bool {
        let Self::Object(members) = self else { return false };
        let members: BTreeMap<String, Self> = members.clone().into_iter().collect();
        members.show(to)
    }
}

/// A float from a handler may be infinite or not a number, which JSON cannot say (RFC 8259 section 6).
macro_rules! finite {
    ($($type:ty),*) => { $(
        impl Check for $type {
            const PLAIN: bool = true;

            #[inline]
            fn check(&self, at: &At<'_>, out: &mut Violations) {
                if !self.is_finite() {
                    out.push(at, "type", "must be a finite number");
                }
            }
        }
    )* };
}

finite!(f32, f64);

impl<T: Check> Check for Option<T> {
    #[inline]
    fn check(&self, at: &At<'_>, out: &mut Violations) {
        if let Some(value) = self {
            value.check(at, out);
        }
    }

    fn show<V: Visit>(&self, to: &mut V) -> bool {
        self.as_ref().is_some_and(|value| value.show(to))
    }

    fn files(&self) -> Vec<Upload> {
        self.as_ref().map(T::files).unwrap_or_default()
    }
}

impl<T: Check> Check for Vec<T> {
    #[inline]
    fn check(&self, at: &At<'_>, out: &mut Violations) {
        each(self, at, out, T::check);
    }

    fn files(&self) -> Vec<Upload> {
        self.iter().flat_map(T::files).collect()
    }
}

impl<T: Check + Serialize> Check for BTreeMap<String, T> {
    #[inline]
    fn check(&self, at: &At<'_>, out: &mut Violations) {
        each_value(self, at, out, T::check);
    }

    fn show<V: Visit>(&self, to: &mut V) -> bool {
        to.others(self, no_rule);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Order(Vec<f64>);

    impl Check for Order {
        fn check(&self, at: &At<'_>, out: &mut Violations) {
            let at = at.member("amounts");
            items(&self.0, 1..=2, &at, out);
            self.0.check(&at, out);
        }
    }

    #[test]
    fn validator_sees_pointers_and_rules() {
        assert!(validate(&Order(vec![1.0])).is_ok());
        let errors = validate(&Order(vec![1.0, f64::NAN, f64::INFINITY])).unwrap_err();
        let fields = errors.field_errors();
        assert_eq!(fields.len(), 3);
        assert_eq!(fields.get("/amounts").map(|list| list[0].code.as_ref()), Some("maxItems"));
        assert_eq!(fields.get("/amounts/1").map(|list| list[0].code.as_ref()), Some("type"));
    }
}
