//! [`Visit`]: whoever is shown the members of an object.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Check, Rule, no_rule};

/// Whoever is shown the members of an object. It keeps what went wrong to itself, so that a member is one plain call; the
/// provided methods are the words of `object!`.
pub trait Visit {
    /// A member that is there.
    fn member<T: Check + Serialize>(&mut self, name: &'static str, value: &T, rule: Rule<T>);

    /// The members that are not declared, each under the rule.
    fn others<T: Check + Serialize>(&mut self, map: &BTreeMap<String, T>, rule: Rule<T>);

    /// A member that is always there.
    #[inline]
    fn required<T: Check + Serialize>(&mut self, name: &'static str, value: &T) {
        self.member(name, value, no_rule);
    }

    /// A member that may be absent.
    #[inline]
    fn optional<T: Check + Serialize>(&mut self, name: &'static str, value: &Option<T>) {
        if let Some(value) = value {
            self.member(name, value, no_rule);
        }
    }

    /// A member that has a value also where it was absent.
    #[inline]
    fn or<T: Check + Serialize>(&mut self, name: &'static str, value: &T) {
        self.member(name, value, no_rule);
    }

    /// A cursor that may be absent.
    #[inline]
    fn sealed<T: Check + Serialize>(&mut self, name: &'static str, value: &Option<T>) {
        self.optional(name, value);
    }

    /// A cursor, or `null`.
    #[inline]
    fn sealed_or_null<T: Check + Serialize>(&mut self, name: &'static str, value: &T) {
        self.member(name, value, no_rule);
    }

    /// The same words for a member with a rule of its own.
    #[inline]
    fn under<T>(&mut self, rule: Rule<T>) -> ShownUnder<'_, Self, T>
    where
        Self: Sized,
    {
        ShownUnder { to: self, rule }
    }
}

/// Shows one member that has a rule.
pub struct ShownUnder<'v, V, T> {
    to: &'v mut V,
    rule: Rule<T>,
}

impl<V: Visit, T: Check + Serialize> ShownUnder<'_, V, T> {
    /// As [`Visit::required`].
    #[inline]
    pub fn required(self, name: &'static str, value: &T) {
        self.to.member(name, value, self.rule);
    }

    /// As [`Visit::optional`].
    #[inline]
    pub fn optional(self, name: &'static str, value: &Option<T>) {
        if let Some(value) = value {
            self.to.member(name, value, self.rule);
        }
    }

    /// As [`Visit::or`].
    #[inline]
    pub fn or(self, name: &'static str, value: &T) {
        self.required(name, value);
    }

    /// As [`Visit::sealed`].
    #[inline]
    pub fn sealed(self, name: &'static str, value: &Option<T>) {
        self.optional(name, value);
    }

    /// As [`Visit::sealed_or_null`].
    #[inline]
    pub fn sealed_or_null(self, name: &'static str, value: &T) {
        self.required(name, value);
    }
}
