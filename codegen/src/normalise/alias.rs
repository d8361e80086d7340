//! A choice that is another name for one schema.

use crate::document::{Beyond, Document, SchemaId};

/// `anyOf: [X, { type: "null" }]`, or a choice of one: another name for `X`.
pub(super) fn optional(document: &mut Document, id: SchemaId) {
    let schema = document.schema(id);
    let beyond = &schema.beyond;
    let choice = match (&*beyond.one_of, &*beyond.any_of) {
        (list, []) | ([], list) if beyond.in_place().count() == list.len() => list,
        _ => return,
    };
    let rest = Beyond { one_of: Vec::new(), any_of: Vec::new(), ..beyond.clone() };
    // a discriminator asks for its word
    if !rest.is_empty() || rest.discriminator.is_some() || schema.says_something() {
        return;
    }
    let is_null = |id: &&SchemaId| document.schema(**id).is_only_null();
    let choice_has_null = choice.len() == 2;
    let (target, nullable) = match choice {
        [only] => (*only, schema.nullable),
        [one, other] if is_null(&other) => (*one, true),
        [other, one] if is_null(&other) => (*one, true),
        _ => return,
    };
    // with `oneOf`, a `null` that both allow is one too many
    if nullable && document.schema(document.target(target)).nullable && !beyond.one_of.is_empty() {
        return;
    }
    let mut alias = schema.clone();
    alias.beyond = Default::default();
    alias.reference = Some(target);
    alias.nullable = nullable;
    alias.or_null |= choice_has_null;
    document.replace(id, alias);
}
