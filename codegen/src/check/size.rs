//! How much a document comes to. What is read is bounded by the reader; what is made of it, here.

use crate::document::Document;
use crate::finding::{Code, Finding, Findings};
use crate::model::{Api, Shape};
use crate::source::span::{FileId, Place};

/// Types, members, words, alternatives, schemas that are checked, and parameters. The largest documents that are published
/// have a fraction; a few gigabytes are needed to write down this many.
const MOST: usize = 250_000;
/// References that lead to one another. People write two or three.
const MOST_LINKS: u32 = 64;

/// Rejects a document of which more would be generated than a compiler takes.
pub(super) fn bounded(_document: &Document, api: &Api, findings: &mut Findings) {
    let parts = parts(api);
    if parts > MOST {
        let message = format!("this document comes to {parts} types, members and schemas");
        let finding = Finding::error(Code::NotSupported, message, Place::start_of(FileId(0)));
        findings.push(finding.help(format!("at most {MOST} are generated: split it")));
    }
}

/// Rejects a schema from which references lead on and on. Each is a name of its own for the next one's type, which the
/// compiler and whatever else walks along them would have to follow.
pub(super) fn references_end_soon(document: &Document, findings: &mut Findings) {
    let long = document.components.iter().find(|(_, id)| document.end(*id).links > MOST_LINKS);
    if let Some((name, id)) = long {
        let links = document.end(*id).links;
        let message = format!("{links} references lead from `{}` to what it is", name.value);
        let finding = Finding::error(Code::NotSupported, message, name.place);
        findings.push(finding.help(format!("refer to it directly: at most {MOST_LINKS} are followed")));
    }
}

fn parts(api: &Api) -> usize {
    let types = api.types.iter().map(|(_, definition)| match &definition.shape {
        Shape::Object(object) => 1 + object.members.len(),
        Shape::Words(words) => 1 + words.words.len(),
        Shape::Union(union) => 1 + union.variants.len(),
        Shape::Alias(_) | Shape::Checked(_) => 1,
    });
    let operations = api.operations.iter().map(|operation| 1 + operation.parameters.len());
    types.chain(operations).sum::<usize>() + api.shapes.len()
}
