//! Items of `text/event-stream`: events, or what their data is.
//!
//! OpenAPI 3.2 section 4.14.3.1 models an event as an object of its fields. Many documents describe the data alone, in
//! every version: so an object is an event where it declares `data`, and nothing but fields of an event.

use foldhash::HashSet;

use crate::document::{Document, Media, SchemaId};
use crate::model::Framing;

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
