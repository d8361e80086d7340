//! The types that both allow, and whether `null` is one.

use super::Apart;
use crate::document::{JsonType, Schema, Spanned};
use crate::source::tree::{Node, Value};

/// The types that a schema allows, and whether `null` is one.
pub(super) struct Types {
    pub(super) types: Vec<Spanned<JsonType>>,
    pub(super) nullable: bool,
    pub(super) widens: bool,
}

impl Types {
    fn of(schema: &Schema) -> Self {
        Self { types: schema.types.clone(), nullable: schema.nullable, widens: schema.widens }
    }
}

/// The types that both allow. `None`: there is none.
pub(super) fn types(one: &Schema, other: &Schema) -> Result<Option<Types>, Apart> {
    let widened = |schema: &Schema| schema.widens && schema.types.is_empty();
    for (one, other) in [(one, other), (other, one)] {
        if widened(one) {
            // `null` passes by what the one says: then it is for the other to take it
            let states = !other.types.is_empty();
            let lists = other.enumeration.is_some() || other.constant.is_some();
            return match (states || other.takes_only_null(), other.nullable || !states) {
                (true, false) => Ok(Some(Types::of(other))),
                (false, _) if !lists => Ok(Some(Types::of(one))),
                _ => Err(Apart::Composed),
            };
        }
    }
    let says = |schema: &Schema| !schema.types.is_empty() || schema.nullable;
    match (says(one), says(other)) {
        (false, _) => return Ok(Some(Types::of(other))),
        (_, false) => return Ok(Some(Types::of(one))),
        _ => {}
    }
    let has = |list: &[Spanned<JsonType>], kind| list.iter().any(|known| known.value == kind);
    let narrower = |from: &[Spanned<JsonType>], to: &[Spanned<JsonType>]| -> Vec<Spanned<JsonType>> {
        let keeps = |kind: &&Spanned<JsonType>| {
            has(to, kind.value) || (kind.value == JsonType::Integer && has(to, JsonType::Number))
        };
        from.iter().filter(keeps).cloned().collect()
    };
    let mut types = narrower(&one.types, &other.types);
    let more = narrower(&other.types, &one.types);
    types.extend(more.into_iter().filter(|kind| !has(&one.types, kind.value)));
    let nullable = one.nullable && other.nullable;
    let some = !types.is_empty() || nullable;
    Ok(some.then_some(Types { types, nullable, widens: false }))
}

/// Whether `null` satisfies a schema that is composed of nothing.
pub(super) fn takes_null(schema: &Schema) -> bool {
    let is_typed = schema.nullable || schema.types.is_empty();
    let is_null = |node: &Node| matches!(node.value, Value::Null);
    let is_listed = schema.enumeration.as_ref().is_none_or(|values| values.value.iter().any(is_null))
        && schema.constant.as_ref().is_none_or(is_null);
    schema.is_widened() || (is_typed && is_listed)
}

pub(super) fn types_differ(one: &Schema, other: &Schema) -> &'static str {
    match one.takes_only_null() || other.takes_only_null() {
        true => "one allows `null` alone (`anyOf: [SCHEMA, { type: \"null\" }]` would allow either)",
        false => "their types differ",
    }
}

/// With the type that its keywords imply stated.
pub(in crate::normalise) fn typed(mut schema: Schema) -> Schema {
    if schema.types.is_empty() && schema.enumeration.is_none() && schema.constant.is_none() {
        let implied = crate::build::implied(&schema);
        schema.types.extend(implied.map(|kind| Spanned::new(kind, schema.place)));
    }
    schema
}
