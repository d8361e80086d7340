//! The members of both, and what either says of others.

use foldhash::{HashMap, HashSet};

use super::Apart;
use crate::document::{Additional, Document, Schema, SchemaId, Spanned};

type Properties = Option<Vec<(Spanned<String>, SchemaId)>>;

/// Takes the members out of both.
pub(super) fn properties(
    document: &mut Document,
    one: &mut Schema,
    other: &mut Schema,
) -> Result<Properties, Apart> {
    // a closed branch refuses what only the others declare
    for (closed, beside) in [(&*one, &*other), (&*other, &*one)] {
        if closed.restricts_others() {
            let mut names = beside.properties.iter().flatten().map(|(name, _)| &*name.value);
            let declared: HashSet<&str> =
                closed.properties.iter().flatten().map(|(name, _)| &*name.value).collect();
            if names.any(|name| !declared.contains(name)) {
                return Err(Apart::Composed);
            }
        }
    }
    let (mut all, more) = match (one.properties.take(), other.properties.take()) {
        (Some(all), Some(more)) => (all, more),
        (one, other) => return Ok(one.or(other)),
    };
    let declared: HashMap<String, usize> = match more.as_slice() {
        // of an `allOf` of thousands each adds little: no table is made for it
        [] | [_] => HashMap::default(),
        _ => all.iter().enumerate().map(|(at, (name, _))| (name.value.clone(), at)).collect(),
    };
    let few = more.len() < 2;
    for (name, id) in more {
        let known = match few {
            true => all.iter_mut().find(|(known, _)| known.value == name.value),
            false => declared.get(&name.value).and_then(|at| all.get_mut(*at)),
        };
        match known {
            Some((_, known)) if document.target(*known) == document.target(id) => {}
            Some((_, known)) => *known = document.composed(*known, id),
            None => all.push((name, id)),
        }
    }
    Ok(Some(all))
}

/// `false` and `true` of one branch; a schema for others only where nobody else has a say.
pub(super) fn additional(one: &Schema, other: &Schema) -> Result<Option<Spanned<Additional>>, Apart> {
    Ok(match (&one.additional, &other.additional) {
        (None, None) => None,
        (Some(stated), None) | (None, Some(stated)) => Some(stated.clone()),
        (Some(one), Some(other)) => match (one.value, other.value) {
            (Additional::Allowed(false), _) => Some(one.clone()),
            (_, Additional::Allowed(false)) => Some(other.clone()),
            (Additional::Allowed(true), _) => Some(other.clone()),
            (_, Additional::Allowed(true)) => Some(one.clone()),
            _ => return Err(Apart::Composed),
        },
    })
}

/// What one of them asks for.
pub(super) fn required(mut one: Vec<Spanned<String>>, other: Vec<Spanned<String>>) -> Vec<Spanned<String>> {
    let named: HashSet<&str> = other.iter().map(|name| &*name.value).collect();
    one.retain(|name| !named.contains(&*name.value));
    one.extend(other);
    one
}
