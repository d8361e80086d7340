//! `pagination`: the parameters and members that it names.

use crate::annotation::Pagination;
use crate::build::{find, properties, status};
use crate::document::{Document, JsonType, Operation, Parameter, PathItem, Schema, SchemaId, Spanned};
use crate::finding::{Code, Finding, Findings};
use crate::model::{Location, StatusKey};

/// Rejects a rule whose cursor or limit is no query parameter of the right type, or whose answer lacks the members.
pub(super) fn fits(document: &Document, findings: &mut Findings) {
    for (item, operation) in document.operations() {
        let Some(rule) = &operation.rules.pagination else { continue };
        if let Some(cursor) = parameter(item, operation, &rule.cursor, findings) {
            self::cursor(document, cursor, &rule.cursor, findings);
        }
        if let Some(limit) = parameter(item, operation, &rule.limit, findings) {
            self::limit(document, limit, &rule.limit, findings);
        }
        answer(document, operation, rule, findings);
    }
}

fn parameter<'d>(
    item: &'d PathItem,
    operation: &'d Operation,
    name: &Spanned<String>,
    findings: &mut Findings,
) -> Option<&'d Parameter> {
    let found = find(item, operation, Location::Query, &name.value);
    if found.is_none() {
        let message = format!("this operation has no query parameter `{}`", name.value);
        let finding = Finding::error(Code::Pagination, message, name.place);
        let known: Vec<&str> = crate::build::merged(item, operation)
            .into_iter()
            .filter(|parameter| parameter.location == Location::Query)
            .map(|parameter| &*parameter.name.value)
            .collect();
        findings.push(finding.help("declare it with `in: query`").nearest(&name.value, known));
    }
    found
}

fn cursor(document: &Document, cursor: &Parameter, name: &Spanned<String>, findings: &mut Findings) {
    if !is(document, cursor.schema, JsonType::String) {
        let message = format!("the cursor `{}` is not a string", name.value);
        findings.push(
            Finding::error(Code::Pagination, message, name.place)
                .related(cursor.place, "declared here")
                .help("write `type: string`: a sealed cursor is text"),
        );
    }
    if cursor.required.as_ref().is_some_and(|required| required.value) {
        let message =
            format!("the cursor `{}` is required, so nobody can ask for the first page", name.value);
        let finding = Finding::error(Code::Pagination, message, name.place);
        findings.push(finding.related(cursor.place, "declared here").help("leave `required` out"));
    }
}

fn limit(document: &Document, limit: &Parameter, name: &Spanned<String>, findings: &mut Findings) {
    if !is(document, limit.schema, JsonType::Integer) {
        let message = format!("the limit `{}` is not an integer", name.value);
        findings.push(
            Finding::error(Code::Pagination, message, name.place)
                .related(limit.place, "declared here")
                .help("write `type: integer`, with a `maximum`"),
        );
        return;
    }
    let bounds = limit.schema.map(|id| &document.schema(document.target(id)).bounds);
    if !bounds.is_some_and(|bounds| bounds.maximum.is_some() || bounds.exclusive_maximum.is_some()) {
        let message = format!("the limit `{}` has no maximum, so a page may be of any size", name.value);
        let finding = Finding::error(Code::Pagination, message, name.place);
        findings.push(finding.related(limit.place, "declared here").help("add a `maximum`, such as 100"));
    }
}

fn answer(document: &Document, operation: &Operation, rule: &Pagination, findings: &mut Findings) {
    let good = |key: &str| matches!(status(key), Some(StatusKey::Exactly(200..=299) | StatusKey::Range(2)));
    let answers = operation.responses.iter().filter(|response| good(&response.status.value));
    let bodies: Vec<SchemaId> =
        answers.filter_map(|response| response.content.first()).filter_map(|media| media.schema).collect();
    if bodies.is_empty() {
        let finding =
            Finding::error(Code::Pagination, "no answer that could hold a page is declared", rule.place);
        findings.push(finding.help("declare a response such as `\"200\"` with an object"));
    }
    for body in bodies {
        member(document, body, &rule.items, JsonType::Array, findings);
        for cursor in std::iter::once(&rule.next).chain(&rule.previous) {
            member(document, body, cursor, JsonType::String, findings);
            may_be_missing(document, body, cursor, findings);
        }
    }
    if let Some(previous) = rule.previous.as_ref().filter(|previous| previous.value == rule.next.value) {
        let message =
            format!("`{}` holds the next cursor, so it cannot hold the previous one", previous.value);
        let finding = Finding::error(Code::Pagination, message, previous.place);
        findings.push(finding.related(rule.next.place, "the next one").help("name a member of its own"));
    }
}

fn member(
    document: &Document,
    body: SchemaId,
    name: &Spanned<String>,
    kind: JsonType,
    findings: &mut Findings,
) {
    let members = properties(document, body);
    match members.iter().find(|(known, _)| known.value == name.value) {
        None => {
            let message = format!("the answer has no member `{}`", name.value);
            let finding = Finding::error(Code::Pagination, message, name.place);
            let finding = finding.related(document.schema(document.target(body)).place, "the answer");
            let known = members.iter().map(|(known, _)| &*known.value);
            findings.push(finding.help("name a property of the answer's schema").nearest(&name.value, known));
        }
        Some((declared, id)) if !is(document, Some(*id), kind) => {
            let message =
                format!("the member `{}` of the answer is not of type `{}`", name.value, kind.word());
            findings.push(
                Finding::error(Code::Pagination, message, name.place)
                    .related(declared.place, "declared here")
                    .help("name another member, or correct the type of this one"),
            );
        }
        Some(_) => {}
    }
}

/// On the last page there is no next cursor, and on the first no previous one.
fn may_be_missing(document: &Document, body: SchemaId, cursor: &Spanned<String>, findings: &mut Findings) {
    let target: &Schema = document.schema(document.target(body));
    let Some(required) = target.required.iter().find(|name| name.value == cursor.value) else { return };
    let declared = properties(document, body).iter().find(|(name, _)| name.value == cursor.value);
    let nullable = declared.is_some_and(|(_, id)| document.schema(document.target(*id)).nullable);
    if !nullable {
        let message =
            format!("`{}` is required and never `null`, so every page has one beside it", cursor.value);
        let finding = Finding::error(Code::Pagination, message, cursor.place);
        findings.push(
            finding
                .related(required.place, "required here")
                .help("leave it out of `required`, or allow `null`"),
        );
    }
}

/// After a finding about the schema itself there is no type to compare.
fn is(document: &Document, id: Option<SchemaId>, kind: JsonType) -> bool {
    let Some(id) = id else { return true };
    matches!(document.schema(document.target(id)).types.as_slice(), [only] if only.value == kind)
}
