//! What is described as a whole and comes item by item: an array whose items stand one after the other.

use super::Builder;
use super::kind::{Kind, kind};
use super::types::with;
use crate::document::{Document, JsonType, Media, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{Counts, Schema};
use crate::source::span::Place;

impl Builder<'_> {
    /// `itemSchema` (OpenAPI 3.2 section 4.14.3). `None` after a finding.
    pub(super) fn item_schema(&mut self, one: &Media, item: SchemaId, path: &[String]) -> Option<Schema> {
        match one.schema {
            Some(whole) => self.only_one_is_enforced(self.document.schema(whole).place),
            None => self.schema(item, &with(path, "item"), 0),
        }
    }

    /// Rejects `schema` beside `itemSchema`. Always `None`.
    pub(super) fn only_one_is_enforced<T>(&mut self, schema: Place) -> Option<T> {
        let message = "`schema` beside `itemSchema`: only one of them is enforced";
        let finding = Finding::error(Code::MediaType, message, schema);
        let help = "keep `itemSchema`, or describe all of it by `schema` as an array of `items`";
        self.findings.push(finding.help(help));
        None
    }

    /// An item of what leaves item by item, whose whole is described. `None` after a finding.
    pub(super) fn item_of(&mut self, id: SchemaId, path: &[String]) -> Option<Schema> {
        let document = self.document;
        let written = document.schema(document.target(id));
        if !is_list(document, id) {
            return self.schema(id, path, 0);
        }
        let whole = self.array(written, path, 0)?;
        if !matches!(kind(document, written), Kind::Is(JsonType::Array)) {
            let message = "the items of a stream leave one by one: what is said of all of them together cannot be enforced";
            let finding = Finding::error(Code::MediaType, message, written.place);
            self.findings.push(finding.help("describe it by `type: array` and `items` alone"));
            return None;
        }
        if whole.counts != Counts::default() || whole.unique {
            let message = "the items of a stream are not counted or compared before they leave";
            let finding = Finding::warning(Code::MediaType, message, written.place);
            self.findings.push(finding.help(
                "remove `minItems`, `maxItems` and `uniqueItems`, or answer with the array as `application/json`",
            ));
        }
        Some(whole.items)
    }
}

/// Whether the schema of a whole says that it is an array, in whatever words: then it is the list of the items, and no
/// item itself.
pub(super) fn is_list(document: &Document, id: SchemaId) -> bool {
    let written = document.schema(document.target(id));
    match written.types.as_slice() {
        [] => written.items.is_some() || !written.beyond.prefix_items.is_empty(),
        types => types.iter().all(|kind| kind.value == JsonType::Array),
    }
}

/// Whether it is one of items that are all described alike.
pub(super) fn is_list_of_one(document: &Document, id: SchemaId) -> bool {
    let written = document.schema(document.target(id));
    is_list(document, id) && written.items.is_some() && written.beyond.prefix_items.is_empty()
}

/// Whether it is one of items that have a schema each, by their places.
pub(super) fn is_list_by_place(document: &Document, id: SchemaId) -> bool {
    is_list(document, id) && !document.schema(document.target(id)).beyond.prefix_items.is_empty()
}
