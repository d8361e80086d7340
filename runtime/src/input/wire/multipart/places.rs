//! Parts that are told by their places (OpenAPI 3.2 section 4.14.4.2): an object with a member for each of the first, and one,
//! the last, for the list of all others.

use std::borrow::Cow;

use super::super::Wire;
use super::headers::{Parts, both, heads};
use super::tree::value;
use super::{Part, Places};
use crate::input::json::finish;
use crate::input::{Decode, Entry, Refused, Rule, Tree, no_rule};

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
    finish(&tree(parts, places, depth), rule).map_err(|refused| numbered(refused, places))
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
    let headers = finish(&heads(parts, places.fields, depth), no_rule);
    both(form, headers).map_err(|refused| numbered(refused, places))
}

fn tree<'t>(parts: &'t [Part], places: Places, depth: usize) -> Tree<'t> {
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
fn numbered(refused: Refused, places: Places) -> Refused {
    let Refused::Invalid(mut found) = refused else { return refused };
    for violation in found.iter_mut() {
        let Some(pointer) = violation.pointer.strip_prefix('/') else {
            if violation.rule == "additionalProperties" {
                (violation.rule, violation.message) = ("maxItems", "must not have more parts".into());
            }
            continue;
        };
        let (name, inside) =
            pointer.split_once('/').map_or((pointer, None), |(name, more)| (name, Some(more)));
        let Some(at) = places.fields.iter().position(|field| field.name == name) else { continue };
        violation.pointer = match (inside, places.rest().filter(|rest| rest.name == name)) {
            // what is wrong with their number is wrong with that of all
            (None, Some(_)) => {
                violation.message = match violation.rule {
                    "minItems" => "must have more parts".into(),
                    _ => "must not have more parts".into(),
                };
                String::new()
            }
            (None, None) => format!("/{at}"),
            (Some(inside), None) => format!("/{at}/{inside}"),
            (Some(inside), Some(_)) => {
                let (item, inside) = inside.split_once('/').unwrap_or((inside, ""));
                let place = at + item.parse::<usize>().unwrap_or_default();
                if inside.is_empty() { format!("/{place}") } else { format!("/{place}/{inside}") }
            }
        };
    }
    Refused::Invalid(found)
}

impl Places {
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
