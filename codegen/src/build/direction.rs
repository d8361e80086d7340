//! `readOnly` and `writeOnly`: a type that has such members is one type in requests and another in answers.
//!
//! A member that is `readOnly` is no member of a request (so that one who sends it is refused, as with any member that
//! is not declared), and one that is `writeOnly` is no member of an answer (so that a handler cannot let it out). The same
//! is true of members that only a pattern, `additionalProperties` or `unevaluatedProperties` describes, of an alternative
//! of a choice, and of an item of its own place in a list. A list whose every item says it says it itself. What is whole
//! (a body, a header) and says it would never be there, which is a finding. A parameter that says it borrowed the schema of
//! a member: it is asked for all the same, with a remark.
//! Types without such members, at any depth, are one type for both.
//!
//! An optional member with a `default` is filled with it where it is absent. In a patch it is not: what a patch does not
//! speak of stays as it is. So a type with such a member is another one there.

use foldhash::{HashMap, HashSet};

use super::Builder;
use super::literal::literal;
use super::size::of_value;
use crate::check::value::fits;
use crate::document::{Additional, Document, Schema, SchemaId, View};
use crate::finding::{Code, Finding};
use crate::model::Literal;

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

impl<'d> Builder<'d> {
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

    /// What an optional member is where it is absent. It is judged and written out at each of its uses, so its size is
    /// counted first.
    pub(super) fn filled_with(&mut self, property: SchemaId) -> Option<Literal> {
        let default = self.document.default_of(property).filter(|_| self.direction != Direction::Patch)?;
        let fills = self.has_room(of_value(default)) && fits(self.document, property, default).is_ok();
        fills.then(|| literal(default))
    }

    /// Whether a property is a member of what goes this way.
    pub(super) fn is_member(&self, property: SchemaId) -> bool {
        let (read_only, write_only) = self.document.access(property);
        match self.direction {
            Direction::Request | Direction::Patch => !read_only,
            Direction::Answer => !write_only,
            Direction::Either => true,
        }
    }
}

impl Builder<'_> {
    /// Remarks on a parameter whose schema says that it never comes.
    pub(super) fn comes_anyway(&mut self, id: SchemaId) {
        if !self.is_member(id) {
            let place = self.document.schema(id).place;
            let message = "`readOnly` has no effect on a parameter, which comes from the client alone";
            let finding = Finding::warning(Code::KeywordWithoutEffect, message, place);
            self.findings.push(finding.help("state it at the members of objects"));
        }
    }

    /// Rejects a body or a header that never goes this way. `None` after a finding.
    pub(super) fn goes_this_way(&mut self, id: SchemaId) -> Option<()> {
        if self.is_member(id) {
            return Some(());
        }
        let (message, help) = match self.direction {
            Direction::Answer => (
                "all of this is `writeOnly`, which never leaves the server",
                "answer with something else, or remove `writeOnly`",
            ),
            _ => (
                "all of this is `readOnly`, which never comes to the server",
                "ask for something else, or remove `readOnly`",
            ),
        };
        let place = self.document.schema(id).place;
        self.findings.push(Finding::error(Code::Contradiction, message, place).help(help));
        None
    }
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
        let required: HashSet<&str> = schema.required.iter().map(|required| &*required.value).collect();
        let mut optional =
            schema.properties.iter().flatten().filter(|(name, _)| !required.contains(&*name.value));
        optional.any(|(_, property)| {
            // `check` has a finding on one that its schema refuses
            document.default_of(*property).is_some_and(|default| fits(document, *property, default).is_ok())
        })
    };
    holding(document, document.ids().filter(fills).collect())
}

fn hides(document: &Document, schema: &Schema) -> bool {
    let properties = schema.properties.iter().flatten().map(|(_, property)| *property);
    let patterns = schema.beyond.pattern_properties.iter().map(|(_, property)| *property);
    let beyond = &schema.beyond;
    let several = [&beyond.one_of, &beyond.any_of, &beyond.prefix_items].into_iter().flatten().copied();
    let others =
        [schema.items, beyond.unevaluated_items, beyond.unevaluated_properties].into_iter().flatten();
    let mut members = properties.chain(patterns).chain(each(schema)).chain(several).chain(others);
    members.any(|property| document.access(property) != (false, false))
}

fn each(schema: &Schema) -> Option<SchemaId> {
    match schema.additional.as_ref().map(|additional| additional.value) {
        Some(Additional::Each(each)) => Some(each),
        _ => None,
    }
}

/// These schemas, and those that hold one of them at any depth.
fn holding(document: &Document, mut waiting: Vec<SchemaId>) -> HashSet<SchemaId> {
    let mut holders: HashMap<SchemaId, Vec<SchemaId>> = HashMap::default();
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
    let mut found = HashSet::default();
    while let Some(id) = waiting.pop() {
        if found.insert(id) {
            waiting.extend(holders.get(&id).into_iter().flatten());
        }
    }
    found
}
