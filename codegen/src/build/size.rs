//! How much is made of a document, counted while it is made: what is written once may be needed at each of its uses, and
//! again inside of each. Where it is too much nothing more is made, and the document is refused.

use super::Builder;
use crate::document::Schema as Written;
use crate::finding::{Code, Finding, Findings};
use crate::model::{Api, Docs, Shape};
use crate::source::span::{FileId, Place};
use crate::source::tree::{Node, Value};

/// Types, members, words, alternatives, schemas that are checked, values, and parameters. The largest documents that are
/// published have a fraction; a few gigabytes are needed to write down this many.
const MOST: usize = 250_000;
/// Text that is as much as one of these.
const TEXT: usize = 256;

impl Builder<'_> {
    /// Whether there is room for so much more, which is counted.
    pub(super) fn has_room(&mut self, much: usize) -> bool {
        self.made = self.made.saturating_add(much);
        self.made <= MOST
    }
}

/// Whether a document comes to more than is generated; then it has a finding. `made`: what was counted on the way.
pub(super) fn is_too_much(api: &Api, made: usize, findings: &mut Findings) -> bool {
    let too_much = parts(api).saturating_add(made) > MOST;
    if too_much {
        let message = format!("this document comes to more than {MOST} types, members and schemas");
        let finding = Finding::error(Code::NotSupported, message, Place::start_of(FileId(0)));
        findings.push(finding.help("that is more than is generated: split it"));
    }
    too_much
}

fn parts(api: &Api) -> usize {
    let types = api.types.iter().map(|(_, definition)| match &definition.shape {
        Shape::Object(object) => 1 + object.members.len(),
        Shape::Words(words) => 1 + words.words.len(),
        Shape::Union(union) => 1 + union.variants.len(),
        Shape::Alias(_) | Shape::Checked(_) => 1,
    });
    let operations = api.operations.iter().map(|operation| 1 + operation.parameters.len());
    types.chain(operations).sum()
}

/// A schema that is written out as keywords, without what is inside of it.
pub(super) fn of_keywords(written: &Written) -> usize {
    let values = written.enumeration.iter().flat_map(|values| &values.value).chain(&written.constant);
    let pattern = written.pattern.as_ref().map_or(0, |pattern| of_text(&pattern.value));
    values.map(of_value).fold(written.weight().saturating_add(pattern), usize::saturating_add)
}

/// A value with all that is inside of it.
pub(super) fn of_value(node: &Node) -> usize {
    let inside = match &node.value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(text) | Value::String(text) => of_text(text),
        Value::Array(items) => items.iter().map(of_value).fold(0, usize::saturating_add),
        Value::Object(object) => {
            let members = object.members().iter();
            members
                .map(|member| of_text(&member.key).saturating_add(of_value(&member.node)))
                .fold(0, usize::saturating_add)
        }
    };
    inside.saturating_add(1)
}

/// What is said of something, wherever it is used.
pub(super) fn of_docs(docs: &Docs) -> usize {
    let texts = [&docs.summary, &docs.description];
    texts.into_iter().flatten().map(|text| of_text(text)).fold(0, usize::saturating_add)
}

const fn of_text(text: &str) -> usize {
    text.len() / TEXT
}
