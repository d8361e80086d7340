//! `readOnly` and `writeOnly`: a type that has such members is one type in requests and another in answers.
//!
//! A member that is `readOnly` is no member of a request (so that one who sends it is refused, as with any member that
//! is not declared), and one that is `writeOnly` is no member of an answer (so that a handler cannot let it out). The same
//! is true of members that only a pattern or `additionalProperties` describes, and of an alternative of a choice.
//! Types without such members, at any depth, are one type for both.
//!
//! An optional member with a `default` is filled with it where it is absent. In a patch it is not: what a patch does not
//! speak of stays as it is. So a type with such a member is another one there.

use std::collections::{HashMap, HashSet};

use super::Builder;
use crate::check::value::fits;
use crate::document::{Additional, Document, Schema, SchemaId, View};
use crate::source::tree::Node;

/// Choices inside each other that are looked into.
const DEEPEST: usize = 4;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    /// To the server.
    Request,
    /// To the server, and what is absent stays as it is.
    Patch,
    /// From it.
    Answer,
    /// It makes no difference.
    Either,
}

impl Builder<'_> {
    /// The direction, where it makes a difference for this schema.
    pub(super) fn side(&self, id: SchemaId) -> Direction {
        match self.direction {
            Direction::Patch if self.filled.contains(&id) => Direction::Patch,
            _ => self.access_side(id),
        }
    }

    /// The same for what is let through, which is not filled.
    pub(super) fn access_side(&self, id: SchemaId) -> Direction {
        match self.direction {
            _ if !self.directed.contains(&id) => Direction::Either,
            Direction::Patch => Direction::Request,
            direction => direction,
        }
    }

    /// What an optional member is where it is absent.
    pub(super) fn filled_with(&self, property: SchemaId) -> Option<&Node> {
        (self.direction != Direction::Patch).then(|| filling(self.document, property)).flatten()
    }

    /// Whether a property is a member of what goes this way.
    pub(super) fn is_member(&self, property: SchemaId) -> bool {
        let (read_only, write_only) = access(self.document, property);
        match self.direction {
            Direction::Request | Direction::Patch => !read_only,
            Direction::Answer => !write_only,
            Direction::Either => true,
        }
    }
}

/// The default of a property, if it is one: `check` has a finding on one that its schema refuses.
fn filling(document: &Document, property: SchemaId) -> Option<&Node> {
    document.default_of(property).filter(|default| fits(document, property, default).is_ok())
}

/// Whether a property, or a schema that certainly holds of it, is `readOnly` and `writeOnly`: annotations add up over what
/// is applied to one value (JSON Schema 2020-12 section 7.7).
///
/// A choice says it where each of its alternatives does.
pub(crate) fn access(document: &Document, property: SchemaId) -> (bool, bool) {
    access_within(document, property, 0)
}

fn access_within(document: &Document, property: SchemaId, depth: usize) -> (bool, bool) {
    if depth > DEEPEST {
        return (false, false);
    }
    let mut choices: Vec<&Vec<SchemaId>> = Vec::new();
    let mut found = (false, false);
    let mut seen = HashSet::new();
    let mut waiting = vec![property];
    while let Some(at) = waiting.pop() {
        if !seen.insert(at) {
            continue;
        }
        let schema = document.schema(at);
        found.0 |= schema.read_only.is_some();
        found.1 |= schema.write_only.is_some();
        waiting.extend(schema.reference);
        waiting.extend(schema.beyond.clone().take_certain());
        choices
            .extend([&schema.beyond.one_of, &schema.beyond.any_of].into_iter().filter(|list| list.len() > 1));
    }
    for choice in choices {
        // one that nothing but `null` satisfies says nothing of a value
        let others = choice.iter().filter(|id| !document.schema(document.target(**id)).is_only_null());
        let each: Vec<(bool, bool)> = others.map(|id| access_within(document, *id, depth + 1)).collect();
        found.0 |= !each.is_empty() && each.iter().all(|(read_only, _)| *read_only);
        found.1 |= !each.is_empty() && each.iter().all(|(_, write_only)| *write_only);
    }
    found
}

/// The schemas that differ by direction: those that have such a member, and those that hold one of them.
pub(super) fn directed(document: &Document) -> HashSet<SchemaId> {
    let hides = |id: &SchemaId| hides(document, document.schema(*id));
    holding(document, document.ids().filter(hides).collect())
}

/// The schemas that differ by whether they are filled: those with an optional member that has a default, and those that
/// hold one of them.
pub(super) fn filled(document: &Document) -> HashSet<SchemaId> {
    let fills = |id: &SchemaId| {
        let schema = document.schema(*id);
        let required = |name: &str| schema.required.iter().any(|required| required.value == name);
        let mut optional = schema.properties.iter().flatten().filter(|(name, _)| !required(&name.value));
        optional.any(|(_, property)| filling(document, *property).is_some())
    };
    holding(document, document.ids().filter(fills).collect())
}

fn hides(document: &Document, schema: &Schema) -> bool {
    let properties = schema.properties.iter().flatten().map(|(_, property)| *property);
    let patterns = schema.beyond.pattern_properties.iter().map(|(_, property)| *property);
    let choices = [&schema.beyond.one_of, &schema.beyond.any_of].into_iter().flatten().copied();
    let mut members = properties.chain(patterns).chain(each(schema)).chain(choices);
    members.any(|property| access(document, property) != (false, false))
}

fn each(schema: &Schema) -> Option<SchemaId> {
    match schema.additional.as_ref().map(|additional| additional.value) {
        Some(Additional::Each(each)) => Some(each),
        _ => None,
    }
}

/// These schemas, and those that hold one of them at any depth.
fn holding(document: &Document, mut waiting: Vec<SchemaId>) -> HashSet<SchemaId> {
    let mut holders: HashMap<SchemaId, Vec<SchemaId>> = HashMap::new();
    for id in document.ids() {
        let schema = document.schema(id);
        let properties = schema.properties.iter().flatten().map(|(_, property)| *property);
        let viewed: Vec<SchemaId> = match &schema.view {
            Some(View::One(core)) => vec![*core],
            Some(View::Choice(choice)) => choice.alternatives.iter().map(|one| one.schema).collect(),
            None => Vec::new(),
        };
        let inner = schema.reference.into_iter().chain(schema.items).chain(each(schema)).chain(viewed);
        for inner in inner.chain(properties).chain(schema.beyond.all()) {
            holders.entry(inner).or_default().push(id);
        }
    }
    let mut found = HashSet::new();
    while let Some(id) = waiting.pop() {
        if found.insert(id) {
            waiting.extend(holders.get(&id).into_iter().flatten());
        }
    }
    found
}
