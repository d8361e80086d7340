//! [`Object`]: a struct of the document, and the visitor that fills it.
//!
//! What derived visitors let through and this one does not: an array in place of the object, a member that comes twice
//! (also when one is spelled with escapes), a member that nobody declared, in an open object a hidden second copy.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserializer, Serialize};

use super::decode::{Seed, refused, wrong_type};
use super::shape::collect_shaped;
use super::text::{PLAIN, is_plain};
use super::{At, Check, Declared, Decode, Depth, Fill, Json, Rule, Shape, Tree, Violations, Visit};

/// A struct of the document. `object!` makes a struct one; reading, checking and writing are done here.
pub trait Object: Sized + Serialize {
    /// The members, in the order of the document.
    const MEMBERS: &'static [Declared];
    /// Whether members that are not declared are let through, rather than refused.
    const OPEN: bool;
    /// The schema that must hold beside the members, where they are not all that it says.
    const SHAPE: Option<&'static Shape> = None;
    /// A place for each member's value.
    type Slots;
    /// All of them empty.
    fn slots() -> Self::Slots;
    /// Puts the value of the member with this index in [`Object::MEMBERS`] into its place.
    ///
    /// # Errors
    /// Whatever the source of the value says.
    fn fill<F: Fill>(slots: &mut Self::Slots, member: usize, from: F) -> Result<(), F::Error>;
    /// Puts the value of a member that is not declared into the map of these, if there is one, or drops it.
    ///
    /// # Errors
    /// Whatever the source of the value says.
    fn other<F: Fill>(_slots: &mut Self::Slots, _name: &str, from: F) -> Result<(), F::Error> {
        from.skip()
    }
    /// The fast pass; another one where there is a [`Object::SHAPE`].
    ///
    /// # Errors
    /// As [`Decode::decode`].
    #[inline]
    fn read<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        read_members(from, depth)
    }
    /// The struct. `None` when a required member is missing.
    fn build(slots: Self::Slots) -> Option<Self>;
    /// Shows the value of each member, in the order of the document.
    fn visit<V: Visit>(&self, to: &mut V);
}

impl<T: Object> Decode for T {
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        T::read(from, depth)
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        collect(tree, at, out)
    }
}

/// The members, straight from where they stand.
#[inline]
pub(super) fn read_members<'de, T: Object, D: Deserializer<'de>>(
    from: D,
    depth: Depth,
) -> Result<T, D::Error> {
    from.deserialize_map(Members(depth, PhantomData))
}

struct Members<T>(Depth, PhantomData<fn() -> T>);

impl<'de, T: Object> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<T, A::Error> {
        let depth = self.0.enter()?;
        let mut slots = T::slots();
        // the names of an open object that are not declared: they must not come twice either
        let mut others: Option<HashSet<String>> = None;
        let mut likely = 0;
        while let Some(name) = from.next_key_seed(Name::<T> { likely, of: PhantomData })? {
            let next = Next { from: &mut from, depth, text: PhantomData };
            match name {
                Named::Member(member) => {
                    T::fill(&mut slots, member, next)?;
                    likely = member + 1;
                }
                Named::Other(name) => {
                    T::other(&mut slots, &name, next)?;
                    if !others.get_or_insert_default().insert(name) {
                        return Err(refused()); // twice
                    }
                }
            }
        }
        T::build(slots).ok_or_else(refused)
    }
}

/// Reads a member's name.
struct Name<T> {
    /// Members mostly come in the order of the document, so the next one is tried first.
    likely: usize,
    of: PhantomData<fn() -> T>,
}

enum Named {
    /// Its index.
    Member(usize),
    /// Not declared, in an object that is open.
    Other(String),
}

impl<'de, T: Object> DeserializeSeed<'de> for Name<T> {
    type Value = Named;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<T: Object> Visitor<'_> for Name<T> {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    #[inline]
    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        match index_of(T::MEMBERS, self.likely, name) {
            Some(member) => Ok(Named::Member(member)),
            None if T::OPEN => Ok(Named::Other(name.to_owned())),
            None => Err(refused()),
        }
    }
}

#[inline]
fn index_of(members: &[Declared], likely: usize, name: &str) -> Option<usize> {
    match members.get(likely) {
        Some(member) if member.is(name) => Some(likely),
        _ => members.iter().position(|member| member.is(name)),
    }
}

struct Next<'m, 'de, A> {
    from: &'m mut A,
    depth: Depth,
    text: PhantomData<&'de str>,
}

impl<'de, A: MapAccess<'de>> Fill for Next<'_, 'de, A> {
    type Error = A::Error;

    #[inline]
    fn fill<T: Decode + Check>(self, slot: &mut Option<T>, _: Rule<T>) -> Result<(), A::Error> {
        if slot.is_some() {
            return Err(refused()); // twice
        }
        *slot = Some(self.from.next_value_seed(Seed::new(self.depth))?);
        Ok(())
    }

    fn entry<T: Decode + Check>(
        self,
        name: &str,
        _: Rule<T>,
        map: &mut BTreeMap<String, T>,
    ) -> Result<(), A::Error> {
        if !is_plain(name) {
            return Err(refused());
        }
        let value = self.from.next_value_seed(Seed::new(self.depth))?;
        if map.insert(name.to_owned(), value).is_some() { Err(refused()) } else { Ok(()) }
    }

    /// Reads it as JSON, so that what is dropped is as strict as what is kept.
    fn skip(self) -> Result<(), A::Error> {
        self.from.next_value_seed(Seed::<Json>::new(self.depth)).map(drop)
    }
}

/// The careful pass: the schema as a whole if there is one, declared members in the order of the document, then the
/// others.
fn collect<T: Object>(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<T> {
    match T::SHAPE {
        Some(shape) if !out.is_shaped() => collect_shaped(tree, shape, at, out),
        _ => collect_members(tree, at, out),
    }
}

pub(super) fn collect_members<T: Object>(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<T> {
    let Some(entries) = tree.entries() else { return wrong_type("must be an object", at, out) };
    let mut places: Vec<Option<&Tree<'_>>> = vec![None; T::MEMBERS.len()];
    let (mut unknown, mut repeated) = (false, vec![false; T::MEMBERS.len()]);
    let mut others = Vec::new();
    let mut likely = 0;
    for entry in entries {
        let Some(member) = index_of(T::MEMBERS, likely, &entry.name) else {
            unknown |= !T::OPEN || entry.repeated;
            others.push(entry);
            continue;
        };
        likely = member + 1;
        if let Some(place) = places.get_mut(member) {
            *place = Some(&entry.value);
        }
        if let (true, Some(twice)) = (entry.repeated, repeated.get_mut(member)) {
            *twice = true;
        }
    }
    let mut slots = T::slots();
    for (index, ((declared, value), twice)) in T::MEMBERS.iter().zip(places).zip(repeated).enumerate() {
        let here = at.member(declared.name);
        match value {
            _ if twice => out.push(&here, "duplicate", "must not come twice"),
            Some(tree) => {
                let Ok(()) = T::fill(&mut slots, index, Careful { tree, at: &here, out });
            }
            None if declared.required => out.push(&here, "required", "is missing"),
            None => {}
        }
    }
    if unknown {
        undeclared(at, out);
    } else {
        for entry in others {
            let from = Careful { tree: &entry.value, at, out };
            let Ok(()) = T::other(&mut slots, &entry.name, from);
        }
    }
    // Built also when rules are violated, so that the rules of what holds it are told in the same answer.
    T::build(slots)
}

struct Careful<'t, 'o> {
    tree: &'t Tree<'t>,
    /// The member's place; the object's, where the name is the client's.
    at: &'t At<'t>,
    out: &'o mut Violations,
}

impl Fill for Careful<'_, '_> {
    type Error = Infallible;

    fn fill<T: Decode + Check>(self, slot: &mut Option<T>, rule: Rule<T>) -> Result<(), Infallible> {
        if let Tree::Wrong(expected) = self.tree {
            expected.clone().push(self.at, self.out);
            return Ok(());
        }
        *slot = T::collect(self.tree, self.at, self.out);
        if let Some(value) = slot {
            rule(value, self.at, self.out);
        }
        Ok(())
    }

    fn entry<T: Decode + Check>(
        self,
        name: &str,
        rule: Rule<T>,
        map: &mut BTreeMap<String, T>,
    ) -> Result<(), Infallible> {
        let at = self.at.entry();
        if !is_plain(name) {
            PLAIN.push(&at, self.out);
        } else if let Some(value) = T::collect(self.tree, &at, self.out) {
            rule(&value, &at, self.out);
            map.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// As strict as what is kept.
    fn skip(self) -> Result<(), Infallible> {
        if Json::collect(self.tree, self.at, &mut Violations::new()).is_none() {
            undeclared(self.at, self.out);
        }
        Ok(())
    }
}

/// The place is the object: the name is the client's.
fn undeclared(object: &At<'_>, out: &mut Violations) {
    out.push(object, "additionalProperties", "must not have a member that is not declared");
}

#[cfg(test)]
mod tests;
