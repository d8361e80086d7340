//! Items of `text/event-stream`: events, or what their data is.
//!
//! OpenAPI 3.2 section 4.14.3.1 models an event as an object of its fields. Many documents describe the data alone, in
//! every version: so an object is an event where it declares `data`, and nothing but fields of an event.

use foldhash::HashSet;

use super::Builder;
use super::wire::Flat;
use crate::document::{Document, Media, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{Framing, IntegerFormat, Schema};

/// The HTML standard, section 9.2.6.
const FIELDS: [&str; 4] = ["data", "event", "id", "retry"];

/// How the items of a stream of events are told.
pub(super) fn framing(document: &Document, media: &Media) -> Framing {
    match item_of(document, media).is_some_and(|item| is_event(document, item)) {
        true => Framing::Event,
        false => Framing::Data,
    }
}

fn item_of(document: &Document, media: &Media) -> Option<SchemaId> {
    media.item_schema.or_else(|| {
        let whole = document.target(media.schema?);
        // of a whole that is an array, each item is one of its items
        Some(document.schema(whole).items.unwrap_or(whole))
    })
}

impl Builder<'_> {
    /// Remarks on `data: { format: int64 }`, as the example of OpenAPI 3.2 section 4.14.6.3 has it: what events say is a text,
    /// and without a type the format is one of numbers alone.
    pub(super) fn formats_of_data(&mut self, media: &Media) {
        let document = self.document;
        let Some(item) = item_of(document, media) else { return };
        let data = match framing(document, media) {
            Framing::Event => {
                let members = in_place(document, [item]).into_iter();
                let members = members.flat_map(|id| document.schema(id).properties.iter().flatten());
                in_place(document, members.filter(|(name, _)| name.value == "data").map(|(_, id)| *id))
            }
            _ => in_place(document, [item]),
        };
        let of_numbers =
            |word: &str| IntegerFormat::of(word).is_some() || ["float", "double", "decimal"].contains(&word);
        for schema in data.into_iter().map(|id| document.schema(id)).filter(|schema| schema.types.is_empty())
        {
            let Some(format) = schema.format.as_ref().filter(|format| of_numbers(&format.value)) else {
                continue;
            };
            // a schema may be that of several streams
            if self.findings.iter().any(|known| known.place() == format.place) {
                continue;
            }
            let message =
                format!("the format `{}` is one of numbers, and what an event says is a text", format.value);
            let finding = Finding::warning(Code::UnknownFormat, message, format.place);
            self.findings
                .push(finding.help("a text is not checked for it: state `type: integer`, or a `pattern`"));
        }
    }

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

/// With all that is applied to the same value, in the order of the document.
fn in_place(document: &Document, start: impl IntoIterator<Item = SchemaId>) -> Vec<SchemaId> {
    let (mut seen, mut waiting) = (HashSet::default(), start.into_iter().collect::<Vec<_>>());
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            let schema = document.schema(id);
            waiting.extend(schema.reference.into_iter().chain(schema.beyond.in_place()));
        }
    }
    let mut all: Vec<SchemaId> = seen.into_iter().collect();
    all.sort_unstable();
    all
}

fn is_event(document: &Document, item: SchemaId) -> bool {
    let mut has_data = false;
    for id in in_place(document, [item]) {
        let schema = document.schema(id);
        for (name, _) in schema.properties.iter().flatten() {
            if !FIELDS.contains(&&*name.value) {
                return false;
            }
            has_data |= name.value == "data";
        }
    }
    has_data
}
