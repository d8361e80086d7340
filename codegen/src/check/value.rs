//! Whether a value of the document fits a schema of the document: defaults and enumerations. Exact, in decimals.

use std::cell::Cell;

use foldhash::HashMap;

use crate::build::implied;
use crate::document::{Additional, Document, JsonType, Schema, SchemaId};
use crate::mock;
use crate::model::{IntegerFormat, TextFormat};
use crate::normalise::number::Decimal;
use crate::source::tree::{Node, Object, Value};

/// Schemas that are looked at for one value, and those inside each other.
const MOST: usize = 10_000;
const DEEPEST: usize = 64;

/// Why not, in words that follow a colon. What is applied together with others is not all that a value is.
pub(crate) fn fits(document: &Document, id: SchemaId, node: &Node) -> Result<(), String> {
    let judge = Judge::of(document, false);
    if document.is_branch(id) { judge.part(id, node) } else { judge.whole(id, node) }
}

/// Whether a value is certainly refused: not where its schema is too much to be checked.
pub(super) fn refuses(document: &Document, id: SchemaId, node: &Node) -> bool {
    let judge = Judge::of(document, document.standing.is_condition(id));
    let outcome = if document.is_branch(id) { judge.part(id, node) } else { judge.whole(id, node) };
    outcome.is_err() && !judge.gave_up.get()
}

/// The schema without its enumeration and what it is composed of, to the letter.
pub(crate) fn fits_type(document: &Document, schema: &Schema, node: &Node) -> Result<(), String> {
    Judge::of(document, true).fits_type(schema, node)
}

/// Looks at values along schemas.
pub(super) struct Judge<'d> {
    pub(super) document: &'d Document,
    /// Whether keywords imply no type, and declared members close no object.
    pub(super) letter: bool,
    /// How many schemas may still be looked at.
    left: Cell<usize>,
    depth: Cell<usize>,
    /// Whether a schema was not looked at.
    gave_up: Cell<bool>,
}

impl<'d> Judge<'d> {
    const fn of(document: &'d Document, letter: bool) -> Self {
        Self { document, letter, left: Cell::new(MOST), depth: Cell::new(0), gave_up: Cell::new(false) }
    }

    /// The same question inside of what decides about something else.
    pub(super) fn satisfies(&self, id: SchemaId, node: &Node) -> bool {
        let inner = Self {
            document: self.document,
            letter: true,
            left: self.left.clone(),
            depth: self.depth.clone(),
            gave_up: self.gave_up.clone(),
        };
        let satisfied = inner.part(id, node).is_ok();
        self.left.set(inner.left.get());
        self.gave_up.set(inner.gave_up.get());
        satisfied
    }

    /// A value of its own.
    pub(super) fn whole(&self, id: SchemaId, node: &Node) -> Result<(), String> {
        self.part(id, node)?;
        if self.letter { Ok(()) } else { self.declares_all(id, node) }
    }

    /// What one of the schemas says that are applied to a value.
    pub(super) fn part(&self, id: SchemaId, node: &Node) -> Result<(), String> {
        let (left, depth) = (self.left.get(), self.depth.get());
        if left == 0 || depth > DEEPEST {
            self.gave_up.set(true);
            return Err("its schema is too much to be checked".into());
        }
        self.left.set(left - 1);
        self.depth.set(depth + 1);
        let outcome = self.keywords(self.document.schema(id), node);
        self.depth.set(depth);
        outcome
    }

    fn keywords(&self, schema: &Schema, node: &Node) -> Result<(), String> {
        let is_null = matches!(node.value, Value::Null);
        if is_null && schema.lets_null_pass() {
            return Ok(());
        }
        if let Some(target) = schema.reference {
            return self.part(target, node);
        }
        if schema.never {
            return Err("nothing is allowed there".into());
        }
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
        self.fits_type(schema, node)?;
        self.composed(schema, node)
    }

    fn fits_type(&self, schema: &Schema, node: &Node) -> Result<(), String> {
        if matches!(node.value, Value::Null) {
            let allowed = schema.nullable || (schema.types.is_empty() && self.implied(schema).is_none());
            return if allowed { Ok(()) } else { Err("`null` is not allowed".into()) };
        }
        if schema.takes_only_null() {
            return Err(format!("{} is not of type `null`", node.kind()));
        }
        let mut types: Vec<JsonType> = schema.types.iter().map(|kind| kind.value).collect();
        if types.is_empty() {
            types.extend(self.implied(schema));
        }
        if !types.is_empty() && !types.iter().any(|kind| is_of(*kind, node)) {
            let wanted: Vec<&str> = types.iter().map(|kind| kind.word()).collect();
            return Err(format!("{} is not of type `{}`", node.kind(), wanted.join("` or `")));
        }
        match &node.value {
            Value::Number(text) => number(schema, text),
            Value::String(text) => string(self.document, schema, text),
            Value::Array(items) => self.array(schema, items),
            Value::Object(object) => self.object(schema, object),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    fn implied(&self, schema: &Schema) -> Option<JsonType> {
        if self.letter { None } else { implied(schema) }
    }

    fn array(&self, schema: &Schema, items: &[Node]) -> Result<(), String> {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if schema.min_items.as_ref().is_some_and(|min| count < min.value) {
            return Err("it has fewer items than `minItems`".into());
        }
        if schema.max_items.as_ref().is_some_and(|max| count > max.value) {
            return Err("it has more items than `maxItems`".into());
        }
        let unique = schema.unique_items.as_ref().is_some_and(|unique| unique.value);
        let mut behind = items.iter().enumerate().map(|(at, one)| (one, items.iter().skip(at + 1)));
        if unique && behind.any(|(one, mut others)| others.any(|other| other.same_value(one))) {
            return Err("it has an item twice".into());
        }
        for (position, item) in items.iter().enumerate() {
            if let Some(id) = schema.beyond.prefix_items.get(position).copied().or(schema.items) {
                self.whole(id, item)?;
            }
        }
        Ok(())
    }

    fn object(&self, schema: &Schema, object: &Object) -> Result<(), String> {
        if let Some(name) = schema.required.iter().find(|name| object.get(&name.value).is_none()) {
            return Err(format!("it lacks `{}`", name.value));
        }
        let count = u64::try_from(object.members().len()).unwrap_or(u64::MAX);
        if schema.min_properties.as_ref().is_some_and(|min| count < min.value) {
            return Err("it has fewer members than `minProperties`".into());
        }
        if schema.max_properties.as_ref().is_some_and(|max| count > max.value) {
            return Err("it has more members than `maxProperties`".into());
        }
        let properties: HashMap<&str, SchemaId> =
            schema.properties.iter().flatten().rev().map(|(name, id)| (&*name.value, *id)).collect();
        for member in object.members() {
            let declared = properties.get(&*member.key).copied();
            let patterns = schema.beyond.pattern_properties.iter();
            let matching = patterns.filter(|(pattern, _)| self.document.matches(&pattern.value, &member.key));
            let mut described: Vec<SchemaId> =
                declared.into_iter().chain(matching.map(|(_, id)| *id)).collect();
            match schema.additional.as_ref().map(|additional| additional.value) {
                Some(Additional::Each(id)) if described.is_empty() => described.push(id),
                Some(Additional::Allowed(false)) if described.is_empty() => {
                    return Err(format!("`{}` is not declared", member.key));
                }
                _ => {}
            }
            for id in described {
                self.whole(id, &member.node)?;
            }
        }
        Ok(())
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
    float_format(schema, text)?;
    integer_format(schema, &number, text)
}

/// Numbers are read as `f32` or `f64`, which hold none beyond their range.
fn float_format(schema: &Schema, text: &str) -> Result<(), String> {
    let most = match schema.format.as_ref().map(|format| &*format.value) {
        Some("float") => f64::from(f32::MAX),
        _ => f64::MAX,
    };
    let fits = text.parse::<f64>().is_ok_and(|value| value.abs() <= most);
    if fits || !schema.types.iter().any(|kind| kind.value == JsonType::Number) {
        return Ok(());
    }
    Err(format!("{text} is out of the range of its format"))
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
