//! [`Param`]: one declared parameter, with the rule that its value must satisfy.

use super::member::{Rule, no_rule};
use super::{At, Violations};
use crate::operation::Location;

/// A declared parameter.
#[derive(Debug)]
pub struct Param<T> {
    pub(super) name: &'static str,
    pub(super) location: Location,
    pub(super) explode: bool,
    rule: Rule<T>,
}

impl<T> Param<T> {
    const fn new(location: Location, name: &'static str) -> Self {
        Self { name, location, explode: true, rule: no_rule }
    }

    /// A parameter of the path.
    #[must_use]
    pub const fn path(name: &'static str) -> Self {
        Self::new(Location::Path, name)
    }

    /// A parameter of the query.
    #[must_use]
    pub const fn query(name: &'static str) -> Self {
        Self::new(Location::Query, name)
    }

    /// A header.
    #[must_use]
    pub const fn header(name: &'static str) -> Self {
        Self::new(Location::Header, name)
    }

    /// A cookie.
    #[must_use]
    pub const fn cookie(name: &'static str) -> Self {
        Self::new(Location::Cookie, name)
    }

    /// For an array of the query or a cookie: `true` for `x=a&x=b`, `false` for `x=a,b`. Path and header always have
    /// commas.
    #[must_use]
    pub const fn explode(self, explode: bool) -> Self {
        Self { name: self.name, location: self.location, explode, rule: self.rule }
    }

    /// The rule of its value.
    #[must_use]
    pub const fn check(self, rule: Rule<T>) -> Self {
        Self { name: self.name, location: self.location, explode: self.explode, rule }
    }

    pub(super) fn at(&self) -> At<'static> {
        At::parameter(self.location, self.name)
    }

    pub(super) fn check_rule(&self, value: &T, out: &mut Violations) {
        (self.rule)(value, &self.at(), out);
    }
}
