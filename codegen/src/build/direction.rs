//! `readOnly` and `writeOnly`: a type that has such members is one type in requests and another in answers.
//!
//! A member that is `readOnly` is no member of a request (so that one who sends it is refused, as with any member that
//! is not declared), and one that is `writeOnly` is no member of an answer (so that a handler cannot let it out).
//! Types without such members, at any depth, are one type for both.

use std::collections::{HashMap, HashSet};

use super::Builder;
use crate::document::{Additional, Document, SchemaId, View};

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    /// To the server.
    Request,
    /// From it.
    Answer,
    /// It makes no difference.
    Either,
}

impl Builder<'_> {
    /// The direction, where it makes a difference for this schema.
    pub(super) fn side(&self, id: SchemaId) -> Direction {
        if self.directed.contains(&id) { self.direction } else { Direction::Either }
    }

    /// Whether a property is a member of what goes this way.
    pub(super) fn is_member(&self, property: SchemaId) -> bool {
        let (read_only, write_only) = self.document.access(property);
        match self.direction {
            Direction::Request => !read_only,
            Direction::Answer => !write_only,
            Direction::Either => true,
        }
    }
}

/// The schemas that differ by direction: those that have such a member, and those that hold one of them.
pub(super) fn directed(document: &Document) -> HashSet<SchemaId> {
    let mut holders: HashMap<SchemaId, Vec<SchemaId>> = HashMap::new();
    let mut waiting = Vec::new();
    for id in document.ids() {
        let schema = document.schema(id);
        let properties = schema.properties.iter().flatten().map(|(_, property)| *property);
        if properties.clone().any(|property| document.access(property) != (false, false)) {
            waiting.push(id);
        }
        let each = match schema.additional.as_ref().map(|additional| additional.value) {
            Some(Additional::Each(each)) => Some(each),
            _ => None,
        };
        let viewed: Vec<SchemaId> = match &schema.view {
            Some(View::One(core)) => vec![*core],
            Some(View::Choice(choice)) => choice.alternatives.iter().map(|one| one.schema).collect(),
            None => Vec::new(),
        };
        let inner = schema.reference.into_iter().chain(schema.items).chain(each).chain(viewed);
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
