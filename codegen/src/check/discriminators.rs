//! Discriminators: words and alternatives that no value can have.

use foldhash::HashSet;

use crate::build::{Untold, untold};
use crate::document::{Additional, Discriminator, Document, Schema, SchemaId};
use crate::finding::{Code, Finding, Findings};

/// Remarks on `oneOf: [A, B], discriminator: { propertyName: kind, mapping: { c: C } }`, on an `A` that refuses `kind`, and on a
/// discriminator of nothing.
pub(super) fn choose(document: &Document, findings: &mut Findings) {
    let parts = document.schemas().iter().flat_map(|schema| schema.beyond.in_place());
    let parts: HashSet<SchemaId> = parts.map(|id| document.target(id)).collect();
    let mut lonely = HashSet::default();
    for id in document.ids() {
        let holder = document.schema(id);
        let beyond = &holder.beyond;
        let Some(discriminator) = &beyond.discriminator else { continue };
        // it chooses among the first list there is
        let list = if beyond.one_of.is_empty() { &beyond.any_of } else { &beyond.one_of };
        if document.standing.is_condition(id) {
            continue;
        }
        if list.is_empty() {
            // what it was merged into has it as well
            if lonely.insert(discriminator.property.place) {
                findings.push(chooses_among_none(discriminator));
            }
            continue;
        }
        mapping_leads_to_alternatives(document, discriminator, list, findings);
        if let Some(untold) = untold(document, holder) {
            chooses_nothing(document, discriminator, untold, findings);
        }
        // what stands beside it may declare the member, and so may what it is a part of
        let member = &discriminator.property.value;
        let beside = holder.properties.iter().flatten().any(|(name, _)| name.value == *member);
        if !beside && !takes_others(document, holder) && !parts.contains(&id) {
            alternatives_declare(document, discriminator, list, findings);
        }
        let required = holder.required.iter().any(|name| name.value == *member) || parts.contains(&id);
        if discriminator.absence_is_told && discriminator.default.is_none() && !required {
            absence_is_told(document, discriminator, list, findings);
        }
    }
}

/// Remarks on `oneOf: [{ $ref: .. }, { type: object }], discriminator: { propertyName: kind }`: no word means the second.
fn chooses_nothing(
    document: &Document,
    discriminator: &Discriminator,
    untold: Untold,
    findings: &mut Findings,
) {
    let (why, alternative, help) = match untold {
        Untold::Wordless(alternative) => (
            "nothing says which word means one of the alternatives".to_owned(),
            alternative,
            "give it a word in `mapping`, a `const` for the member, or a name under `components/schemas`",
        ),
        Untold::Twice(alternative, word) => (
            format!("`{word}` means two of the alternatives"),
            alternative,
            "give each alternative words of its own",
        ),
    };
    let member = &discriminator.property;
    let message = format!("the discriminator has no effect: {why}");
    let finding = Finding::warning(Code::KeywordWithoutEffect, message, member.place);
    let target = document.schema(document.target(alternative));
    findings.push(finding.related(target.place, "this one").help(help));
}

/// `discriminator: { propertyName: kind }` without alternatives, in a schema that no component extends.
fn chooses_among_none(discriminator: &Discriminator) -> Finding {
    let message =
        "the discriminator has no effect: there are no alternatives, and no component extends this schema";
    let finding = Finding::warning(Code::KeywordWithoutEffect, message, discriminator.property.place);
    finding.help("list the alternatives in `oneOf`, let components extend it by `allOf`, or remove it")
}

fn mapping_leads_to_alternatives(
    document: &Document,
    discriminator: &Discriminator,
    list: &[SchemaId],
    findings: &mut Findings,
) {
    let targets: HashSet<SchemaId> = list.iter().map(|id| document.target(*id)).collect();
    for (word, _) in discriminator.mapping.iter().filter(|(_, id)| !targets.contains(&document.target(*id))) {
        let message =
            format!("`{}` leads to a schema that is no alternative, so that it chooses none", word.value);
        let finding = Finding::warning(Code::Contradiction, message, word.place);
        findings.push(finding.help("list the schema among the alternatives, or remove the word"));
    }
    let default = discriminator.default.as_ref();
    if let Some(default) = default.filter(|default| !targets.contains(&document.target(default.value))) {
        let message = "`defaultMapping` leads to a schema that is no alternative, so that it chooses none";
        let finding = Finding::error(Code::Contradiction, message, default.place);
        findings.push(finding.help("list the schema among the alternatives, or name one of them"));
    }
}

/// Rejects an alternative with an optional `kind` where nothing says what a value without it is: OpenAPI 3.2 section 4.25
/// asks for `defaultMapping` then.
fn absence_is_told(
    document: &Document,
    discriminator: &Discriminator,
    list: &[SchemaId],
    findings: &mut Findings,
) {
    let member = &discriminator.property;
    let optional = list.iter().find(|id| leaves_optional(document, **id, &member.value));
    let Some(optional) = optional else { return };
    let message = format!("`{}` is optional, and nothing says what a value without it is", member.value);
    let finding = Finding::error(Code::MissingMember, message, member.place);
    let finding = finding.related(document.schema(*optional).place, "here it may be absent");
    findings.push(finding.help("require it in each alternative, or name one of them by `defaultMapping`"));
}

/// Whether a schema declares a member, and requires it nowhere. Where there is no room to look, it may.
fn leaves_optional(document: &Document, id: SchemaId, member: &str) -> bool {
    let mut declares = false;
    let mut known = HashSet::default();
    let mut waiting = vec![id];
    while let Some(id) = waiting.pop() {
        if !known.insert(id) {
            continue;
        }
        let schema = document.schema(id);
        let requires = schema.required.iter().any(|name| name.value == member);
        if requires || !document.has_room(schema.weight()) {
            return false;
        }
        declares |= schema.properties.iter().flatten().any(|(name, _)| name.value == member);
        waiting.extend(schema.reference.into_iter().chain(schema.beyond.in_place()));
    }
    declares
}

fn alternatives_declare(
    document: &Document,
    discriminator: &Discriminator,
    list: &[SchemaId],
    findings: &mut Findings,
) {
    let member = &discriminator.property.value;
    for id in list.iter().filter(|id| refuses(document, **id, member)) {
        let message = format!(
            "no value is this alternative: it does not declare `{member}`, which tells what a value is"
        );
        let finding = Finding::warning(Code::Contradiction, message, document.schema(*id).place);
        let finding = finding.related(discriminator.property.place, "the member that tells");
        findings.push(finding.help("declare the member, or remove the alternative"));
    }
}

/// Whether a schema declares members, and this one is none of them. Where there is no room to look, it may be.
fn refuses(document: &Document, id: SchemaId, member: &str) -> bool {
    let mut declares = false;
    let mut known = HashSet::default();
    let mut waiting = vec![id];
    while let Some(id) = waiting.pop() {
        if !known.insert(id) {
            continue;
        }
        let schema = document.schema(id);
        let properties = schema.properties.as_deref().unwrap_or_default();
        let takes = takes_others(document, schema) || properties.iter().any(|(name, _)| name.value == member);
        if takes || !document.has_room(schema.weight()) {
            return false;
        }
        declares |= !properties.is_empty();
        waiting.extend(schema.reference.into_iter().chain(schema.beyond.in_place()));
    }
    declares
}

/// Whether members are let through that it does not declare by name.
fn takes_others(document: &Document, schema: &Schema) -> bool {
    let additional = schema.additional.as_ref().map(|additional| additional.value);
    schema.literal
        || schema.rules.open.as_ref().is_some_and(|open| open.value)
        || matches!(additional, Some(Additional::Allowed(true) | Additional::Each(_)))
        || !schema.beyond.pattern_properties.is_empty()
        || schema.beyond.unevaluated_properties.is_some_and(|id| !document.schema(id).never)
}
