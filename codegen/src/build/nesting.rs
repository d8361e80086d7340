//! Lists and maps of themselves: `Folders: { additionalProperties: { $ref: Folders } }`. An object with members has a name in
//! Rust, by which it may hold itself; a list or a map is no type of its own, so one that is what its own items are stays
//! JSON, checked by its schema.

use super::kind::is_struct;
use crate::circles::leads_back;
use crate::document::{Additional, Document, SchemaId};

/// Whether each schema, by position, is a list or a map of itself.
pub(super) fn nesting(document: &Document) -> Vec<bool> {
    let inside = |id| directly_inside(document, id).map(SchemaId::position).into_iter().collect();
    leads_back(document.ids().map(inside).collect())
}

/// Whether a list, a map or a reference leads to no value.
pub(super) fn ends_nowhere(document: &Document, id: SchemaId) -> bool {
    let every = document.schemas().len();
    std::iter::successors(Some(id), |id| directly_inside(document, *id)).take(every + 1).count() > every
}

fn directly_inside(document: &Document, id: SchemaId) -> Option<SchemaId> {
    let schema = document.schema(id);
    let each = match schema.additional.as_ref().map(|additional| additional.value) {
        Some(Additional::Each(each)) if !is_struct(schema) => Some(each),
        _ => None,
    };
    schema.reference.or(schema.items).or(each)
}
