//! What is done with the members of an [`Object`] that is there: they are checked, and written.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{At, Check, Declared, Object, Rule, Violations, Visit, check_shaped};

impl<T: Object> Check for T {
    #[inline]
    fn check(&self, at: &At<'_>, out: &mut Violations) {
        match T::SHAPE {
            Some(shape) => check_shaped(self, shape, at, out),
            None => self.visit(&mut Checking { declared: T::MEMBERS, object: at, out }),
        }
    }

    fn show<V: Visit>(&self, to: &mut V) -> bool {
        self.visit(to);
        true
    }
}

struct Checking<'o> {
    declared: &'static [Declared],
    object: &'o At<'o>,
    out: &'o mut Violations,
}

impl Visit for Checking<'_> {
    #[inline]
    fn member<T: Check + Serialize>(&mut self, name: &'static str, value: &T, rule: Rule<T>) {
        let at = self.object.member(name);
        rule(value, &at, self.out);
        value.check(&at, self.out);
    }

    /// What a handler put there: none of them is declared, or it would leave twice.
    fn others<T: Check + Serialize>(&mut self, map: &BTreeMap<String, T>, rule: Rule<T>) {
        if self.declared.iter().any(|member| map.contains_key(member.name)) {
            self.out.push(self.object, "duplicate", "must not have a declared member among the others");
        }
        let at = self.object.entry();
        for value in map.values() {
            rule(value, &at, self.out);
            value.check(&at, self.out);
        }
    }
}

/// Writes an object: its members in the order of the document, absent ones left out.
///
/// # Errors
/// Whatever the serializer says.
#[inline]
pub fn write<T: Object, S: Serializer>(object: &T, to: S) -> Result<S::Ok, S::Error> {
    let mut writing = Writing { to: to.serialize_map(None)?, written: Ok(()) };
    object.visit(&mut writing);
    writing.written?;
    writing.to.end()
}

struct Writing<M: SerializeMap> {
    to: M,
    /// Nothing is written after the first error.
    written: Result<(), M::Error>,
}

impl<M: SerializeMap> Visit for Writing<M> {
    #[inline]
    fn member<T: Check + Serialize>(&mut self, name: &'static str, value: &T, _: Rule<T>) {
        if self.written.is_ok() {
            self.written = self.to.serialize_entry(name, value);
        }
    }

    fn others<T: Check + Serialize>(&mut self, map: &BTreeMap<String, T>, _: Rule<T>) {
        for (name, value) in map {
            if self.written.is_ok() {
                self.written = self.to.serialize_entry(name, value);
            }
        }
    }
}
