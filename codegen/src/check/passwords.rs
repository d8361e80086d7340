//! `format: password`: comes in by body or header, never goes out, never stands in a URL.

use foldhash::HashSet;

use crate::build::{merged, properties};
use crate::document::{Additional, Document, Media, Parameter, SchemaId};
use crate::finding::{Code, Finding, Findings};
use crate::model::{Api, Location};

const ANSWER: &str = "an answer";

/// Rejects a password in an answer or in what the server sends of its own accord, and in the path and the query, which logs
/// and histories keep.
pub(super) fn stay_inside(document: &Document, _api: &Api, findings: &mut Findings) {
    let mut answered = Vec::new();
    let sent = document.outgoing().flat_map(|item| &item.operations);
    for body in sent.filter_map(|operation| operation.body.as_ref()) {
        answered.extend(body.content.iter().flat_map(|media| [media.schema, media.item_schema]).flatten());
        let of_parts = body.content.iter().flat_map(Media::encodings).flat_map(|part| &part.headers);
        answered.extend(of_parts.filter_map(|header| header.schema));
    }
    let mut in_urls = Vec::new();
    for (item, operation) in document.operations() {
        for response in &operation.responses {
            let contents = response.content.iter().flat_map(|media| [media.schema, media.item_schema]);
            let of_parts = response.content.iter().flat_map(Media::encodings).flat_map(|part| &part.headers);
            let headers = response.headers.iter().chain(of_parts).map(|header| header.schema);
            answered.extend(contents.chain(headers).flatten());
        }
        let in_url = |parameter: &&Parameter| {
            matches!(parameter.location, Location::Path | Location::Query | Location::QueryString)
        };
        let parameters = merged(item, operation).into_iter().filter(in_url);
        in_urls.extend(parameters.filter_map(|parameter| parameter.schema));
    }
    report(document, answered, ANSWER, findings);
    report(document, in_urls, "a URL", findings);
}

/// Each password once, however many ways lead to it.
fn report(document: &Document, roots: Vec<SchemaId>, where_to: &str, findings: &mut Findings) {
    let mut seen = HashSet::default();
    let mut waiting = roots;
    while let Some(id) = waiting.pop() {
        let id = document.target(id);
        if !seen.insert(id) {
            continue;
        }
        let schema = document.schema(id);
        if let Some(format) = schema.format.as_ref().filter(|format| format.value == "password") {
            let message = format!("a password in {where_to}");
            let finding = Finding::error(Code::Contradiction, message, format.place);
            findings.push(
                finding.help("passwords come in by body or header, and never go out: remove the member"),
            );
        }
        // what is `writeOnly` is no member of an answer
        let answered = |id: &SchemaId| where_to != ANSWER || !document.access(*id).1;
        waiting.extend(properties(document, id).iter().map(|(_, id)| *id).filter(answered));
        waiting.extend(schema.items);
        waiting.extend(schema.beyond.all());
        if let Some(Additional::Each(id)) = schema.additional.as_ref().map(|additional| additional.value) {
            waiting.push(id);
        }
    }
}
