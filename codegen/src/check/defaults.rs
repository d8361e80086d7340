//! Defaults of members: what fills a value must end, be little, and be what the types say.

use foldhash::HashMap;

use super::endless::{name, place};
use crate::document::Document;
use crate::finding::{Code, Finding, Findings};
use crate::mock::conforms;
use crate::model::{Api, Literal, Member, Schema, Shape, Type, TypeId};

/// Defaults inside each other that are followed.
const DEEPEST: usize = 32;
/// Values that one absent member may come to.
const MOST: usize = 10_000;

/// A member of a struct.
type Place = (TypeId, usize);

/// Rejects a default that is filled with itself (`Node: { properties: { next: { $ref: Node, default: {} } } }`), and one
/// with a member that the struct it becomes does not have.
pub(super) fn end(document: &Document, api: &Api, findings: &mut Findings) {
    let mut filling = Filling { api, known: HashMap::default() };
    for (id, definition) in api.types.iter() {
        let Shape::Object(object) = &definition.shape else { continue };
        for (at, member) in object.members.iter().enumerate() {
            let Some(default) = &member.default else { continue };
            let what = format!("the default of `{}` in `{}`", member.name, name(&definition.origin));
            let message = if filling.values((id, at), 0).is_none_or(|values| values > MOST) {
                format!("{what} is filled with defaults in turn, without end")
            } else if holds_objects(default) && !conforms(api, &member.schema, default) {
                format!("{what} does not fit the type that it becomes")
            } else {
                continue;
            };
            let finding = Finding::error(Code::DefaultMismatch, message, place(document, &definition.origin));
            findings.push(finding.help("state in the default what its members are, or leave it out"));
        }
    }
}

fn holds_objects(value: &Literal) -> bool {
    match value {
        Literal::Array(items) => items.iter().any(holds_objects),
        Literal::Object(_) => true,
        _ => false,
    }
}

struct Filling<'a> {
    api: &'a Api,
    /// How many values each member comes to. `None`: it does not end.
    known: HashMap<Place, Option<usize>>,
}

impl Filling<'_> {
    fn values(&mut self, at: Place, depth: usize) -> Option<usize> {
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let found = self.count(at, depth);
        self.known.insert(at, found);
        found
    }

    fn count(&mut self, (id, position): Place, depth: usize) -> Option<usize> {
        if depth > DEEPEST {
            return None;
        }
        let Shape::Object(object) = &self.api.types.get(id).shape else { return Some(0) };
        let member = object.members.get(position)?;
        let mut filled = Vec::new();
        let mut values = 0;
        absent(self.api, &member.schema, member.default.as_ref()?, &mut filled, &mut values);
        for place in filled {
            values = values.saturating_add(self.values(place, depth + 1)?);
        }
        Some(values)
    }
}

/// The members that a value lacks and that have a default; and how many values it has of its own.
fn absent(api: &Api, schema: &Schema, value: &Literal, filled: &mut Vec<Place>, values: &mut usize) {
    *values += 1;
    match (&schema.ty, value) {
        (Type::Array(array), Literal::Array(items)) => {
            items.iter().for_each(|item| absent(api, &array.items, item, filled, values));
        }
        (Type::Map(map), Literal::Object(entries)) => {
            entries.values().for_each(|entry| absent(api, &map.values, entry, filled, values));
        }
        (Type::Named(id), _) => match (&api.types.get(*id).shape, value) {
            (Shape::Alias(schema), _) => absent(api, schema, value, filled, values),
            (Shape::Union(union), _) => {
                let fitting = union.variants.iter().filter(|one| conforms(api, &one.schema, value));
                fitting.for_each(|one| absent(api, &one.schema, value, filled, values));
            }
            (Shape::Object(object), Literal::Object(entries)) => {
                for (at, member) in object.members.iter().enumerate() {
                    match entries.get(&member.name) {
                        Some(value) => absent(api, &member.schema, value, filled, values),
                        None if fills(member) => filled.push((*id, at)),
                        None => {}
                    }
                }
            }
            _ => {}
        },
        _ => {}
    }
}

const fn fills(member: &Member) -> bool {
    member.default.is_some()
}
