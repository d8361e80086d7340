//! Whether a value of the document fits a schema of the document: defaults and enumerations. Exact, in decimals.

use std::collections::HashSet;

use crate::document::{Additional, Document, JsonType, Schema, SchemaId};
use crate::mock;
use crate::model::{IntegerFormat, TextFormat};
use crate::normalise::number::Decimal;
use crate::source::tree::{Node, Object, Value};

/// Why not, in words that follow a colon.
pub(super) fn fits(document: &Document, id: SchemaId, node: &Node) -> Result<(), String> {
    let schema = document.schema(document.target(id));
    if let Some(values) = &schema.enumeration
        && !values.value.iter().any(|value| value.same_value(node))
    {
        return Err(format!("{node} is not one of the enumerated values"));
    }
    if let Some(constant) = &schema.constant
        && !constant.same_value(node)
    {
        return Err(format!("{node} is not {constant}"));
    }
    fits_type(document, schema, node)
}

/// The schema without its enumeration.
pub(crate) fn fits_type(document: &Document, schema: &Schema, node: &Node) -> Result<(), String> {
    if matches!(node.value, Value::Null) {
        let allowed = schema.nullable || schema.types.is_empty();
        return if allowed { Ok(()) } else { Err("`null` is not allowed".into()) };
    }
    if !schema.types.is_empty() && !schema.types.iter().any(|kind| is_of(kind.value, node)) {
        let wanted: Vec<&str> = schema.types.iter().map(|kind| kind.value.word()).collect();
        return Err(format!("{} is not of type `{}`", node.kind(), wanted.join("` or `")));
    }
    match &node.value {
        Value::Number(text) => number(schema, text),
        Value::String(text) => string(document, schema, text),
        Value::Array(items) => array(document, schema, items),
        Value::Object(object) => self::object(document, schema, object),
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn is_of(kind: JsonType, node: &Node) -> bool {
    match (&node.value, kind) {
        (Value::Bool(_), JsonType::Boolean)
        | (Value::Number(_), JsonType::Number)
        | (Value::String(_), JsonType::String)
        | (Value::Array(_), JsonType::Array)
        | (Value::Object(_), JsonType::Object) => true,
        (Value::Number(text), JsonType::Integer) => {
            Decimal::parse(text).is_some_and(|number| number.is_whole())
        }
        _ => false,
    }
}

fn number(schema: &Schema, text: &str) -> Result<(), String> {
    let Some(number) = Decimal::parse(text) else { return Err(format!("{text} is out of range")) };
    let bounds = &schema.bounds;
    let broken = |holds: bool, keyword: &str, bound: &str| {
        if holds { Ok(()) } else { Err(format!("{text} breaks `{keyword}: {bound}`")) }
    };
    if let Some(bound) = &bounds.minimum {
        broken(number >= bound.value.value, "minimum", &bound.value.text)?;
    }
    if let Some(bound) = &bounds.maximum {
        broken(number <= bound.value.value, "maximum", &bound.value.text)?;
    }
    if let Some(bound) = &bounds.exclusive_minimum {
        broken(number > bound.value.value, "exclusiveMinimum", &bound.value.text)?;
    }
    if let Some(bound) = &bounds.exclusive_maximum {
        broken(number < bound.value.value, "exclusiveMaximum", &bound.value.text)?;
    }
    if let Some(bound) = &bounds.multiple_of {
        broken(number.is_multiple_of(&bound.value.value) == Some(true), "multipleOf", &bound.value.text)?;
    }
    integer_format(schema, &number, text)
}

fn integer_format(schema: &Schema, number: &Decimal, text: &str) -> Result<(), String> {
    let stated = schema.format.as_ref().and_then(|format| IntegerFormat::of(&format.value));
    let (low, high) = match stated {
        Some(format) => format.range(),
        // values that are listed need no type that holds others
        None if schema.enumeration.is_some() || schema.constant.is_some() => {
            (i64::MIN.into(), u64::MAX.into())
        }
        None if exceeds_i64(schema) => IntegerFormat::U64.range(),
        None => IntegerFormat::I64.range(),
    };
    let fits = number.to_integer().is_some_and(|integer| (low..=high).contains(&integer));
    if fits || !schema.types.iter().any(|kind| kind.value == JsonType::Integer) {
        return Ok(());
    }
    Err(format!("{text} is out of the range of its format"))
}

/// Whether an integer without a format has room for more than `i64` holds.
fn exceeds_i64(schema: &Schema) -> bool {
    let bound = schema.bounds.maximum.as_ref().or(schema.bounds.exclusive_maximum.as_ref());
    let largest = bound.and_then(|bound| bound.value.value.to_integer());
    largest.is_some_and(|largest| largest > i128::from(i64::MAX))
}

/// The formats that give a value a type of its own: what is not of them could not be written down.
fn has_format(schema: &Schema, text: &str) -> bool {
    let format = match schema.format.as_ref().map(|format| &*format.value) {
        Some("uuid") => return mock::has_format(TextFormat::Uuid, &text.to_ascii_lowercase()),
        Some("date-time") => TextFormat::DateTime,
        Some("date") => TextFormat::Date,
        Some("ipv4") => TextFormat::Ipv4,
        Some("ipv6") => TextFormat::Ipv6,
        _ => return true,
    };
    mock::has_format(format, text)
}

fn string(document: &Document, schema: &Schema, text: &str) -> Result<(), String> {
    if !has_format(schema, text) {
        return Err("it is not of its `format`".into());
    }
    // code points (JSON Schema 2020-12 section 6.3.1)
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if schema.min_length.as_ref().is_some_and(|min| length < min.value) {
        return Err("it is shorter than `minLength`".into());
    }
    if schema.max_length.as_ref().is_some_and(|max| length > max.value) {
        return Err("it is longer than `maxLength`".into());
    }
    let Some(pattern) = &schema.pattern else { return Ok(()) };
    if document.matches(&pattern.value, text) { Ok(()) } else { Err("it does not match `pattern`".into()) }
}

fn array(document: &Document, schema: &Schema, items: &[Node]) -> Result<(), String> {
    let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
    if schema.min_items.as_ref().is_some_and(|min| count < min.value) {
        return Err("it has fewer items than `minItems`".into());
    }
    if schema.max_items.as_ref().is_some_and(|max| count > max.value) {
        return Err("it has more items than `maxItems`".into());
    }
    for (position, item) in items.iter().enumerate() {
        if let Some(id) = schema.beyond.prefix_items.get(position).copied().or(schema.items) {
            fits(document, id, item)?;
        }
    }
    Ok(())
}

fn object(document: &Document, schema: &Schema, object: &Object) -> Result<(), String> {
    if let Some(name) = schema.required.iter().find(|name| object.get(&name.value).is_none()) {
        return Err(format!("it lacks `{}`", name.value));
    }
    let properties = schema.properties.as_deref().unwrap_or_default();
    let mut declared = HashSet::new();
    for (name, id) in properties {
        if let Some(member) = object.get(&name.value).filter(|_| declared.insert(&*name.value)) {
            fits(document, *id, &member.node)?;
        }
    }
    if let Some(Additional::Each(id)) = schema.additional.as_ref().map(|additional| additional.value) {
        for member in object.members().iter().filter(|member| !declared.contains(&*member.key)) {
            fits(document, id, &member.node)?;
        }
    }
    Ok(())
}
