//! [`Fill`]: where the value of a member comes from.

use std::collections::BTreeMap;

use super::{Check, Decode, Rule, no_rule};

/// The value of a member that is about to be read; the provided methods are the words of `object!`.
pub trait Fill: Sized {
    /// Why it could not be.
    type Error;
    /// Reads it under its rule.
    ///
    /// # Errors
    /// When it is not what the member declares, or came before.
    fn fill<T: Decode + Check>(self, slot: &mut Option<T>, rule: Rule<T>) -> Result<(), Self::Error>;
    /// Reads it into the map of members that are not declared.
    ///
    /// # Errors
    /// When it is not what the map holds, or a member of the name came before.
    fn entry<T: Decode + Check>(
        self,
        name: &str,
        rule: Rule<T>,
        map: &mut BTreeMap<String, T>,
    ) -> Result<(), Self::Error>;
    /// Leaves it, for a member that has no place.
    ///
    /// # Errors
    /// When it is not well-formed.
    fn skip(self) -> Result<(), Self::Error>;

    /// A member that must come.
    ///
    /// # Errors
    /// As [`Fill::fill`].
    #[inline]
    fn required<T: Decode + Check>(self, slot: &mut Option<T>) -> Result<(), Self::Error> {
        self.fill(slot, no_rule)
    }

    /// A member that may come.
    ///
    /// # Errors
    /// As [`Fill::fill`].
    #[inline]
    fn optional<T: Decode + Check>(self, slot: &mut Option<T>) -> Result<(), Self::Error> {
        self.fill(slot, no_rule)
    }

    /// A member that has a value also where it does not come.
    ///
    /// # Errors
    /// As [`Fill::fill`].
    #[inline]
    fn or<T: Decode + Check>(self, slot: &mut Option<T>) -> Result<(), Self::Error> {
        self.fill(slot, no_rule)
    }

    /// A cursor: its place stays empty, for it is not read (`Declared::read`).
    ///
    /// # Errors
    /// As [`Fill::skip`].
    fn sealed<T>(self, _: &mut Option<T>) -> Result<(), Self::Error> {
        self.skip()
    }

    /// The same for a cursor that may be `null`.
    ///
    /// # Errors
    /// As [`Fill::skip`].
    fn sealed_or_null<T>(self, _: &mut Option<T>) -> Result<(), Self::Error> {
        self.skip()
    }

    /// The same words for a member with a rule of its own.
    #[inline]
    fn under<T>(self, rule: Rule<T>) -> FilledUnder<Self, T> {
        FilledUnder { from: self, rule }
    }
}

/// Reads one member that has a rule.
pub struct FilledUnder<F, T> {
    from: F,
    rule: Rule<T>,
}

impl<F: Fill, T> FilledUnder<F, T> {
    /// As [`Fill::required`].
    ///
    /// # Errors
    /// As [`Fill::fill`].
    #[inline]
    pub fn required(self, slot: &mut Option<T>) -> Result<(), F::Error>
    where
        T: Decode + Check,
    {
        self.from.fill(slot, self.rule)
    }

    /// As [`Fill::optional`].
    ///
    /// # Errors
    /// As [`Fill::fill`].
    #[inline]
    pub fn optional(self, slot: &mut Option<T>) -> Result<(), F::Error>
    where
        T: Decode + Check,
    {
        self.from.fill(slot, self.rule)
    }

    /// As [`Fill::or`].
    ///
    /// # Errors
    /// As [`Fill::fill`].
    #[inline]
    pub fn or(self, slot: &mut Option<T>) -> Result<(), F::Error>
    where
        T: Decode + Check,
    {
        self.from.fill(slot, self.rule)
    }

    /// As [`Fill::sealed`].
    ///
    /// # Errors
    /// As [`Fill::skip`].
    pub fn sealed(self, slot: &mut Option<T>) -> Result<(), F::Error> {
        self.from.sealed(slot)
    }

    /// As [`Fill::sealed_or_null`].
    ///
    /// # Errors
    /// As [`Fill::skip`].
    pub fn sealed_or_null(self, slot: &mut Option<T>) -> Result<(), F::Error> {
        self.from.sealed_or_null(slot)
    }
}
