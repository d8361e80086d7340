//! Schemas: keywords that do nothing, constraints that contradict each other, values that do not fit.

use foldhash::HashSet;

use super::value;
use crate::document::{Additional, Document, JsonType, Schema, SchemaId, View};
use crate::finding::{Code, Finding, Findings};
use crate::source::span::Place;

/// Remarks on `{ type: integer, maxLength: 5 }`: the check that was meant would not happen.
pub(super) fn keywords_have_effect(document: &Document, findings: &mut Findings) {
    for schema in document
        .schemas()
        .iter()
        .filter(|schema| !schema.types.is_empty() && !schema.literal && !schema.merged)
    {
        for (keyword, kinds, place) in stated(schema) {
            if schema.types.iter().any(|kind| kinds.contains(&kind.value)) {
                continue;
            }
            let types: Vec<&str> = schema.types.iter().map(|kind| kind.value.word()).collect();
            let message = format!("`{keyword}` has no effect on a value of type `{}`", types.join("` or `"));
            // the standard says so: nothing that it promises is lost
            let finding = Finding::warning(Code::KeywordWithoutEffect, message, place);
            let wanted: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
            findings.push(
                finding.help(format!(
                    "it belongs to `{}`: correct the type, or remove it",
                    wanted.join("` and `")
                )),
            );
        }
    }
}

type Stated = (&'static str, &'static [JsonType], Place);

/// The keywords that are there, with the types that they apply to.
fn stated(schema: &Schema) -> Vec<Stated> {
    const NUMBERS: &[JsonType] = &[JsonType::Integer, JsonType::Number];
    const STRING: &[JsonType] = &[JsonType::String];
    const ARRAY: &[JsonType] = &[JsonType::Array];
    const OBJECT: &[JsonType] = &[JsonType::Object];
    let mut all: Vec<Stated> = Vec::new();
    all.extend(schema.bounds.any().map(|(keyword, place)| (keyword, NUMBERS, place)));
    let mut note =
        |keyword, kinds, place: Option<Place>| all.extend(place.map(|place| (keyword, kinds, place)));
    note("minLength", STRING, schema.min_length.as_ref().map(|keyword| keyword.place));
    note("maxLength", STRING, schema.max_length.as_ref().map(|keyword| keyword.place));
    note("pattern", STRING, schema.pattern.as_ref().map(|keyword| keyword.place));
    note("minItems", ARRAY, schema.min_items.as_ref().map(|keyword| keyword.place));
    note("maxItems", ARRAY, schema.max_items.as_ref().map(|keyword| keyword.place));
    note(
        "uniqueItems",
        ARRAY,
        schema.unique_items.as_ref().filter(|unique| unique.value).map(|keyword| keyword.place),
    );
    note("items", ARRAY, schema.items.map(|_| schema.place));
    note("properties", OBJECT, schema.properties.as_ref().map(|_| schema.place));
    note("required", OBJECT, schema.required.first().map(|keyword| keyword.place));
    note("additionalProperties", OBJECT, schema.additional.as_ref().map(|keyword| keyword.place));
    note("minProperties", OBJECT, schema.min_properties.as_ref().map(|keyword| keyword.place));
    note("maxProperties", OBJECT, schema.max_properties.as_ref().map(|keyword| keyword.place));
    all
}

/// Whether a member that it does not declare itself is declared by nobody.
fn is_alone(schema: &Schema) -> bool {
    let others = match schema.additional.as_ref().map(|additional| additional.value) {
        None => schema.rules.open.as_ref().is_some_and(|open| open.value),
        Some(Additional::Allowed(allowed)) => allowed,
        Some(Additional::Each(_)) => true,
    };
    !others && !schema.literal && schema.beyond.first.is_none()
}

/// Remarks on `required: [nmae]` of an object that declares `name`.
pub(super) fn required_is_declared(document: &Document, findings: &mut Findings) {
    let mut reported = HashSet::default();
    // what is composed of several declares what each of them does
    let whole = |id| match &document.schema(id).view {
        Some(View::One(core)) => document.schema(*core),
        _ => document.schema(id),
    };
    let alone = document.ids().filter(|id| !document.is_branch(*id)).map(whole);
    for schema in alone.filter(|schema| is_alone(schema)) {
        let Some(properties) = schema.properties.as_ref().filter(|properties| !properties.is_empty()) else {
            continue;
        };
        let declared: HashSet<&str> = properties.iter().map(|(known, _)| &*known.value).collect();
        // what is closed by its own word refuses it, and `impossible` says so
        let closed = schema.additional.is_some();
        for name in schema.required.iter().filter(|name| !closed && !declared.contains(&*name.value)) {
            let message = format!("the required property `{}` is not declared", name.value);
            let known = properties.iter().map(|(known, _)| &*known.value);
            if !reported.insert(name.place) {
                continue;
            }
            // the standard takes it at its word: it must be there, whatever it is
            let finding = Finding::warning(Code::UndeclaredProperty, message, name.place)
                .help("declare it under `properties`: as it is, any value will do");
            findings.push(finding.nearest(&name.value, known));
        }
        let mut known = HashSet::default();
        for name in schema.required.iter().filter(|_| !schema.merged) {
            if !known.insert(&*name.value) {
                let message = format!("`{}` is required twice", name.value);
                findings.push(Finding::error(Code::InvalidValue, message, name.place).help("keep one"));
            }
        }
    }
}

/// Rejects `open` that says the opposite of `additionalProperties`, and `open` on what is no object.
pub(super) fn openness_is_clear(document: &Document, findings: &mut Findings) {
    for schema in document.schemas() {
        let Some(open) = &schema.rules.open else { continue };
        if !schema.types.is_empty() && !schema.types.iter().any(|kind| kind.value == JsonType::Object) {
            let finding = Finding::error(Code::Misplaced, "`open` on what is no object", open.place);
            findings.push(finding.help("only objects have members to let through"));
        }
        if let Some(additional) = &schema.additional
            && matches!(additional.value, Additional::Allowed(allowed) if allowed != open.value)
        {
            let message = "`open` and `additionalProperties` say the opposite of each other";
            let finding = Finding::error(Code::Contradiction, message, open.place);
            findings.push(finding.related(additional.place, "the other").help("keep one of the two"));
        }
    }
}

/// Rejects enumerated values that their own schema refuses, and remarks on values that are listed twice.
pub(super) fn values_fit(document: &Document, findings: &mut Findings) {
    for schema in document.schemas().iter().filter(|schema| !schema.literal && !schema.merged) {
        if let Some(values) = &schema.enumeration {
            let mut known = HashSet::default();
            for node in &values.value {
                if let Err(reason) = value::fits_type(document, schema, node) {
                    // among others that do, it is one that no value can have: `normalise` has left it out
                    let message = format!("an enumerated value does not fit its schema: {reason}");
                    findings.push(
                        Finding::error(Code::EnumMismatch, message, node.place)
                            .help("correct the value or the type"),
                    );
                }
                if !known.insert(node.canonical()) {
                    let message = format!("{node} is enumerated twice");
                    findings.push(Finding::warning(Code::EnumMismatch, message, node.place).help("keep one"));
                }
            }
        }
        if let Some(constant) = &schema.constant
            && let Err(reason) = value::fits_type(document, schema, constant)
        {
            let message = format!("the constant does not fit its schema: {reason}");
            let finding = Finding::error(Code::EnumMismatch, message, constant.place);
            findings.push(finding.help("correct the value or the type"));
        }
    }
}

/// Rejects a default that its schema refuses, whatever the schema is composed of; one that only lacks everything, or is
/// `null`, is left out, with a remark. One that an alternative excludes is the default of the others.
pub(super) fn defaults_fit(document: &Document, findings: &mut Findings) {
    for id in document.ids() {
        let schema = document.schema(id);
        let judged = !schema.literal && !document.standing.is_narrowed(id);
        if let Some(default) = schema.default.as_ref().filter(|_| judged) {
            default_fits(document, id, default, findings);
        }
    }
}

fn default_fits(
    document: &Document,
    id: SchemaId,
    default: &crate::source::tree::Node,
    findings: &mut Findings,
) {
    let Err(reason) = value::fits(document, id, default) else { return };
    let schema = document.schema(document.target(id));
    let message = format!("the default does not fit its schema: {reason}");
    let may_be_object =
        schema.types.is_empty() || schema.types.iter().any(|kind| kind.value == JsonType::Object);
    let is_empty = may_be_object && default.as_object().is_some_and(|object| object.members().is_empty());
    if is_empty || matches!(default.value, crate::source::tree::Value::Null) {
        // written by generators for whatever is an object, and for whatever has no default
        let finding = Finding::warning(Code::DefaultMismatch, message, default.place);
        return findings.push(finding.help("it is not filled in: state what it must have, or leave it out"));
    }
    let finding = Finding::error(Code::DefaultMismatch, message, default.place);
    let words = schema.enumeration.iter().flat_map(|values| &values.value).filter_map(|value| value.as_str());
    findings.push(
        match default.as_str() {
            Some(word) => finding.nearest(word, words),
            None => finding,
        }
        .help("correct the value or the schema, or leave the default out"),
    );
}
