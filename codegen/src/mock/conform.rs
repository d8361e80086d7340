//! Whether a value conforms to a schema. Narrower than the runtime where a standard leaves room: what conforms here
//! conforms there.

use serde_json::Value;

use super::bounds::{integer_fits, number_fits};
use super::format::has_format;
use crate::build::matches;
use crate::model::{Api, Array, Counts, Map, Object, Schema, Shape, Text, Type};

/// Whether `value` conforms to `schema`.
pub(crate) fn conforms(api: &Api, schema: &Schema, value: &Value) -> bool {
    if value.is_null() {
        return schema.nullable || schema.ty == Type::Any;
    }
    match &schema.ty {
        Type::Any => true,
        Type::Boolean => value.is_boolean(),
        Type::Integer(integer) => whole(value).is_some_and(|whole| {
            let (low, high) = integer.format.range();
            (low..=high).contains(&whole) && integer_fits(&integer.bounds, whole)
        }),
        Type::Number(number) => value.as_f64().is_some_and(|value| number_fits(number, value)),
        Type::Text(text) => value.as_str().is_some_and(|value| text_conforms(text, value)),
        Type::Array(array) => value.as_array().is_some_and(|items| array_conforms(api, array, items)),
        Type::Map(map) => value.as_object().is_some_and(|entries| map_conforms(api, map, entries)),
        Type::Named(id) => match &api.types.get(*id).shape {
            Shape::Alias(schema) => conforms(api, schema, value),
            // what else the schema says, the runtime decides
            Shape::Union(union) => union.variants.iter().any(|variant| conforms(api, &variant.schema, value)),
            // the runtime decides: an example that it refuses is not sent
            Shape::Checked(_) => true,
            Shape::Words(words) => words.words.iter().any(|word| word.value.to_literal() == *value),
            Shape::Object(object) => {
                value.as_object().is_some_and(|entries| object_conforms(api, object, entries))
            }
        },
    }
}

fn whole(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

/// Whether `text` conforms.
pub(super) fn text_conforms(rules: &Text, text: &str) -> bool {
    rules.pattern.as_ref().is_none_or(|pattern| matches(pattern, text))
        && !text.chars().any(char::is_control)
        && counted(rules.length, text.chars().count())
        && has_format(rules.format, text)
}

fn counted(counts: Counts, count: usize) -> bool {
    counts.min.is_none_or(|min| count >= min) && counts.max.is_none_or(|max| count <= max)
}

fn array_conforms(api: &Api, array: &Array, items: &[Value]) -> bool {
    let repeated =
        |(position, item): (usize, &Value)| items.iter().skip(position + 1).any(|other| other == item);
    counted(array.counts, items.len())
        && items.iter().all(|item| conforms(api, &array.items, item))
        && !(array.unique && items.iter().enumerate().any(repeated))
}

fn map_conforms(api: &Api, map: &Map, entries: &serde_json::Map<String, Value>) -> bool {
    counted(map.counts, entries.len()) && entries.values().all(|value| conforms(api, &map.values, value))
}

fn object_conforms(api: &Api, object: &Object, entries: &serde_json::Map<String, Value>) -> bool {
    let declared = |name: &str| object.members.iter().any(|member| member.name == name);
    let fits = |(name, value): (&String, &Value)| {
        declared(name) || object.others.as_ref().is_some_and(|others| conforms(api, others, value))
    };
    object.members.iter().all(|member| match entries.get(&member.name) {
        Some(value) => conforms(api, &member.schema, value),
        None => !member.required,
    }) && entries.iter().all(fits)
}
