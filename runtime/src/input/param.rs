//! [`Param`]: one declared parameter, with the rule that its value must satisfy.

use super::member::{Rule, no_rule};
use super::wire::{Kind, Style, Wire};
use super::{At, Violations};
use crate::operation::Location;

/// A declared parameter.
#[derive(Debug)]
pub struct Param<T> {
    pub(super) location: Location,
    pub(super) wire: Wire,
    rule: Rule<T>,
}

impl<T> Param<T> {
    /// In the default style of its place (OpenAPI 3.1 section 4.8.12.2).
    const fn new(location: Location, name: &'static str) -> Self {
        let wire = match location {
            Location::Path | Location::Header => Wire::text(name).style(Style::Simple),
            Location::Query | Location::QueryString | Location::Cookie => Wire::text(name),
        };
        Self { location, wire, rule: no_rule }
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

    /// All of the query, of this [`kind`](Self::kind).
    #[must_use]
    pub const fn querystring(name: &'static str) -> Self {
        Self::new(Location::QueryString, name)
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

    /// Another style than the default of its place. `explode` is false until it is said.
    #[must_use]
    pub const fn style(mut self, style: Style) -> Self {
        self.wire = self.wire.style(style);
        self
    }

    /// For an array or an object: whether each value has its name, as in `x=a&x=b`, or they stand together, `x=a,b`.
    #[must_use]
    pub const fn explode(mut self, explode: bool) -> Self {
        self.wire.explode = explode;
        self
    }

    /// What it is made of, where it is not one text.
    #[must_use]
    pub const fn kind(mut self, kind: Kind) -> Self {
        self.wire.kind = kind;
        self
    }

    /// `allowEmptyValue`: a name without `=` is the empty text, and a value that its type has no empty text for counts as
    /// absent.
    #[must_use]
    pub const fn allow_empty(mut self) -> Self {
        self.wire.empty = true;
        self
    }

    /// The rule of its value.
    #[must_use]
    pub const fn check(mut self, rule: Rule<T>) -> Self {
        self.rule = rule;
        self
    }

    pub(super) fn at(&self) -> At<'static> {
        At::parameter(self.location, self.wire.name)
    }

    pub(super) fn check_rule(&self, value: &T, out: &mut Violations) {
        (self.rule)(value, &self.at(), out);
    }
}
