//! Items of `text/event-stream`: events, or what their data is.
//!
//! OpenAPI 3.2 section 4.14.3.1 models an event as an object of its fields. Many documents describe the data alone, in
//! every version: so an object is an event where it declares `data`, and nothing but fields of an event.

use foldhash::HashSet;

use super::Builder;
use super::wire::Flat;
use crate::document::{Document, Media, SchemaId};
use crate::model::{Framing, Schema};

/// The HTML standard, section 9.2.6.
const FIELDS: [&str; 4] = ["data", "event", "id", "retry"];

/// How the items of a stream of events are told.
pub(super) fn framing(document: &Document, media: &Media) -> Framing {
    let item = media.item_schema.or_else(|| {
        let whole = document.target(media.schema?);
        // of a whole that is an array, each item is one of its items
        Some(document.schema(whole).items.unwrap_or(whole))
    });
    match item.is_some_and(|item| is_event(document, item)) {
        true => Framing::Event,
        false => Framing::Data,
    }
}

impl Builder<'_> {
    /// How the events of a request are read, of which this is the list, and whether their data is JSON, where the schema says
    /// so of all of them. `None`: it is no list in Rust.
    pub(super) fn events(&self, media: &Media, schema: &Schema) -> Option<(Framing, Option<bool>)> {
        let framing = framing(self.document, media);
        let Flat::List(item) = self.flat(schema, 0) else { return None };
        let json = match (framing, *item) {
            (Framing::Event, Flat::Object(members, _)) => {
                members.into_iter().find(|(name, _)| name == "data").and_then(|(_, data)| is_json(&data))
            }
            (Framing::Event, _) => None,
            (_, data) => is_json(&data),
        };
        Some((framing, json))
    }
}

fn is_json(data: &Flat) -> Option<bool> {
    match data {
        Flat::Scalar | Flat::Encoded | Flat::File(_) | Flat::Any => Some(false),
        Flat::Free(free) if free.may_be_scalar() => None,
        Flat::Free(_) | Flat::List(_) | Flat::Object(..) | Flat::Map(_) | Flat::Deep => Some(true),
    }
}

fn is_event(document: &Document, item: SchemaId) -> bool {
    let start = document.target(item);
    let mut seen = HashSet::from_iter([start]);
    let mut waiting = vec![start];
    let mut has_data = false;
    while let Some(id) = waiting.pop() {
        let schema = document.schema(id);
        for (name, _) in schema.properties.iter().flatten() {
            if !FIELDS.contains(&&*name.value) {
                return false;
            }
            has_data |= name.value == "data";
        }
        let inner = schema.reference.into_iter().chain(schema.beyond.in_place());
        waiting.extend(inner.filter(|id| seen.insert(*id)));
    }
    has_data
}
