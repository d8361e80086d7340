//! `allOf` of schemas that say what types say becomes one schema; `anyOf` of a schema and `null` becomes that schema,
//! nullable. What is left composed after this keeps its keywords.
//!
//! What cannot be satisfied by anything is a finding; what only cannot be said in [one schema](super::both) stays composed,
//! and may have a [view](super::view).

use foldhash::HashSet;

use super::alias::optional;
use super::both::{Apart, Reading, both};
use super::listed;
use crate::document::{Document, Schema, SchemaId};
use crate::finding::Findings;
use crate::normalise::standing::Standing;

/// Schemas inside each other that are followed.
const DEEPEST: usize = 64;

/// Merges every schema of the document that can be.
pub(crate) fn merge(document: &mut Document, findings: &mut Findings) {
    super::inheritance::inheritance(document);
    for id in document.ids() {
        listed::null_alternatives(document, id, findings);
        listed::constants(document, id);
        listed::fitting(document, id, findings);
        optional(document, id);
    }
    document.follow_references();
    document.standing = Standing::of(document);
    let mut next = 0;
    // members with two schemas add to the list while it is walked; where there is no room, what is left stays composed
    while let Some(id) = document.id(next).filter(|_| document.has_room(0)) {
        next += 1;
        for id in inside_out(document, id) {
            settle(document, id, findings);
        }
    }
    super::view::views(document);
    document.derive();
}

/// What `id` is certainly composed of, each before what it is part of, so that nothing is merged twice.
fn inside_out(document: &Document, id: SchemaId) -> Vec<SchemaId> {
    let mut order = Vec::new();
    let mut seen = HashSet::default();
    let mut waiting = vec![(id, false)];
    while let Some((id, ready)) = waiting.pop() {
        if ready {
            order.push(id);
        } else if !document.is_settled(id) && seen.insert(id) {
            let schema = document.schema(id);
            let parts = schema.reference.into_iter().chain(schema.beyond.certain());
            waiting.push((id, true));
            waiting.extend(parts.map(|part| (part, false)));
        }
    }
    order
}

/// Merges one schema, once.
fn settle(document: &mut Document, id: SchemaId, findings: &mut Findings) {
    let beyond = &document.schema(id).beyond;
    let chooses = !beyond.one_of.is_empty() || !beyond.any_of.is_empty();
    if beyond.certain().next().is_some() {
        match merged(document, id, 0) {
            Ok(merged) => document.replace(id, Schema { merged: true, ..merged }),
            // a choice of one that nothing satisfies is written by generators, and refuses every value
            Err(Apart::Contradiction(finding)) if chooses => drop(finding),
            Err(Apart::Contradiction(finding)) if document.standing.is_optional(id) => {
                findings.push(finding.without_stopping());
                let schema = document.schema(id);
                let never = Schema { docs: schema.docs.clone(), ..Schema::empty(schema.place) };
                document.replace(id, Schema { never: true, merged: true, ..never });
            }
            Err(Apart::Contradiction(finding)) => findings.push(*finding),
            Err(Apart::Composed) => {}
        }
    }
    document.settle(id);
}

/// The one schema that `id` comes to.
pub(super) fn merged(document: &mut Document, id: SchemaId, depth: usize) -> Result<Schema, Apart> {
    if depth > DEEPEST || !document.has_room(document.schema(id).weight()) {
        return Err(Apart::Composed);
    }
    let mut own = document.schema(id).clone();
    if let Some(target) = own.reference {
        let target = merged(document, target, depth + 1)?;
        return Ok(Schema {
            nullable: target.nullable || own.nullable,
            widens: target.widens || own.nullable,
            or_null: target.or_null || own.or_null,
            read_only: own.read_only.or(target.read_only),
            write_only: own.write_only.or(target.write_only),
            default: own.default.or(target.default),
            ..target
        });
    }
    let branches = own.beyond.take_certain();
    if depth > 0 && !branches.is_empty() && document.is_settled(id) {
        return Err(Apart::Composed); // as was found when it was its turn
    }
    let place = own.beyond.first.map_or(own.place, |(_, place)| place);
    if branches.is_empty() {
        return if own.literal || own.never || own.beyond.first.is_some() {
            Err(Apart::Composed)
        } else {
            Ok(own)
        };
    }
    own.beyond.first = None;
    if own.literal || !own.beyond.is_empty() {
        return Err(Apart::Composed);
    }
    // 3.0's `nullable` beside `allOf` widens the whole
    let widened = own.is_widened();
    own.nullable &= !widened;
    (own.widens, own.or_null) = (false, false);
    let reading = if document.standing.is_condition(id) { Reading::Letter } else { Reading::Implying };
    let docs = std::mem::take(&mut own.docs);
    let default = own.default.take();
    for branch in branches {
        let refers = document.schema(branch).reference.is_some();
        let mut other = merged(document, branch, depth + 1)?;
        if refers {
            other.docs = Default::default();
        }
        own = both(document, own, other, place, reading)?;
    }
    if docs != Default::default() {
        own.docs = docs;
    }
    own.default = default.or(own.default);
    own.nullable |= widened;
    own.widens |= widened;
    own.or_null |= widened;
    Ok(own)
}
