//! Parts that are told by their places (OpenAPI 3.2 section 4.14.4.2): an object with a member for each of the first, and one,
//! the last, for the list of all others.

use std::borrow::Cow;

use super::super::{Kind, Wire};
use super::headers::{Parts, both, heads};
use super::tree::value;
use super::{Declared, Part};
use crate::input::json::finish;
use crate::input::{Decode, Entry, Refused, Rule, Tree, no_rule};

/// How parts are written that are told by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    pub(crate) fields: &'static [Wire],
    /// Whether the last of the fields is that of all parts behind the others.
    pub(crate) rest: bool,
}

impl Places {
    /// So many parts, each as its field says.
    #[must_use]
    pub const fn of_each(fields: &'static [Wire]) -> Self {
        Self { fields, rest: false }
    }

    /// The same, but for the last of the fields, which says of all parts behind the others.
    #[must_use]
    pub const fn and_others(fields: &'static [Wire]) -> Self {
        Self { fields, rest: !fields.is_empty() }
    }

    /// How many have a place of their own.
    pub(crate) const fn first(self) -> usize {
        self.fields.len() - self.rest as usize
    }

    /// How all others are written.
    pub(crate) fn rest(self) -> Option<&'static Wire> {
        self.fields.last().filter(|_| self.rest)
    }

    /// How the part of this place is written.
    pub(super) fn of(self, at: usize) -> Option<&'static Wire> {
        self.fields.get(at).filter(|_| at < self.first()).or_else(|| self.rest())
    }
}

/// The object that parts are.
///
/// # Errors
/// Why they are not what the document declares, with every violation at its place.
pub(in crate::input) fn by_place<T: Decode>(
    parts: &[Part],
    places: Places,
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    finish(&tree(parts, places, depth), rule).map_err(|refused| numbered(refused, Declared::ByPlace(places)))
}

/// The same, and their header fields.
///
/// # Errors
/// As for [`by_place`], with every violation of both together.
pub(in crate::input) fn by_place_with_headers<T: Decode, H: Decode>(
    parts: &[Part],
    places: Places,
    depth: usize,
    rule: Rule<T>,
) -> Result<Parts<T, H>, Refused> {
    let form = finish(&tree(parts, places, depth), rule);
    let headers = finish(&heads(parts, places.fields, places.rest(), depth), no_rule);
    both(form, headers).map_err(|refused| numbered(refused, Declared::ByPlace(places)))
}

pub(super) fn tree<'t>(parts: &'t [Part], places: Places, depth: usize) -> Tree<'t> {
    let Places { fields, .. } = places;
    let entry = |name: &'static str, value| Entry { name: Cow::Borrowed(name), value, repeated: false };
    let read = |(at, part): (usize, &'t Part)| match fields.get(at) {
        Some(field) => entry(field.name, value(part, Some(field), depth)),
        // one too many, which the type takes for no member of its
        None => entry("", Tree::Null),
    };
    let (first, others) = parts.split_at(places.first().min(parts.len()));
    let Some(rest) = places.rest() else {
        return Tree::Object(parts.iter().enumerate().map(read).collect());
    };
    let mut entries: Vec<Entry<'t>> = first.iter().enumerate().map(read).collect();
    entries.push(entry(
        rest.name,
        Tree::List(others.iter().map(|part| value(part, Some(rest), depth)).collect()),
    ));
    Tree::Object(entries)
}

/// With places of parts in place of the names of members: a client knows no other.
pub(super) fn numbered(refused: Refused, declared: Declared) -> Refused {
    let Refused::Invalid(mut found) = refused else { return refused };
    for violation in found.iter_mut() {
        let (pointer, end) = renumbered(&violation.pointer, declared);
        violation.pointer = pointer;
        match (end, violation.rule) {
            (End::Body, "additionalProperties") => {
                (violation.rule, violation.message) = ("maxItems", "must not have more parts".into());
            }
            (End::Rest, "minItems") => violation.message = "must have more parts".into(),
            (End::Rest, "maxItems") => violation.message = "must not have more parts".into(),
            _ => {}
        }
    }
    Refused::Invalid(found)
}

/// What a pointer leads to.
enum End {
    /// All parts of a body that are told by their places.
    Body,
    /// Those of them that are behind the first.
    Rest,
    Other,
}

/// The pointer of a body that is declared so, with numbers for the names of places.
fn renumbered(pointer: &str, declared: Declared) -> (String, End) {
    let mut out = String::new();
    let mut here = Some(declared);
    let mut left = pointer.strip_prefix('/');
    while let (Some(declared), Some(rest)) = (here, left) {
        let (name, mut more) = rest.split_once('/').map_or((rest, None), |(name, more)| (name, Some(more)));
        let (at, field) = match declared {
            Declared::Named(fields) => (None, fields.iter().find(|field| field.name == name)),
            Declared::InOrder(item) => (None, Some(item)),
            Declared::ByPlace(places) => {
                let named = |(_, field): &(usize, &'static Wire)| field.name == name;
                let found = places.fields.iter().enumerate().find(named);
                (found.map(|(at, _)| at), found.map(|(_, field)| field))
            }
        };
        let is_rest = matches!(declared, Declared::ByPlace(places) if places.rest().is_some() && places.rest() == field);
        match (at, more) {
            // what is wrong with their number is wrong with that of all
            (Some(_), None) if is_rest => return (out, End::Rest),
            (Some(at), Some(item)) if is_rest => {
                let (item, inside) =
                    item.split_once('/').map_or((item, None), |(item, more)| (item, Some(more)));
                out.push_str(&format!("/{}", at + item.parse::<usize>().unwrap_or_default()));
                more = inside;
            }
            (Some(at), _) => out.push_str(&format!("/{at}")),
            (None, _) => out.extend(["/", name]),
        }
        left = more;
        here = match field.map(|field| field.kind) {
            Some(Kind::Parts(inner)) => Some(inner),
            _ => None,
        };
    }
    match (left, here) {
        (Some(inside), _) => (format!("{out}/{inside}"), End::Other),
        (None, Some(Declared::ByPlace(_))) => (out, End::Body),
        (None, _) => (out, End::Other),
    }
}
