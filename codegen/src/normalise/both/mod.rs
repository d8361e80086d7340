//! What satisfies two schemas, as one schema.
//!
//! Members, bounds and lists of values are intersected. Two schemas of one member become a composed schema of their own,
//! which is merged in its turn. What cannot be satisfied by anything is a contradiction; what only cannot be said in one
//! schema (two patterns, a closed branch beside others) stays composed.

mod members;
mod types;
mod values;

use self::members::{additional, properties, required};
pub(super) use self::types::typed;
use self::types::{Types, takes_null, types, types_differ};
use self::values::{Left, Values, keep_fitting, values};
use crate::document::{Document, Schema, Spanned};
use crate::finding::{Code, Finding};
use crate::normalise::{Bound, Bounds};
use crate::source::span::Place;

/// Why schemas do not become one.
pub(super) enum Apart {
    /// They stay as they are.
    Composed,
    /// Nothing satisfies them all.
    Contradiction(Box<Finding>),
}

/// How schemas are read that state no type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Their keywords imply one.
    Implying,
    /// Every type is allowed, as JSON Schema says.
    Letter,
}

/// What satisfies both.
pub(super) fn both(
    document: &mut Document,
    one: Schema,
    other: Schema,
    place: Place,
    reading: Reading,
) -> Result<Schema, Apart> {
    let (one, other) = match reading {
        Reading::Implying => (typed(one), typed(other)),
        Reading::Letter => (one, other),
    };
    // what each takes beside all that it lists, both do (JSON Schema 2020-12, validation, section 6.1.2)
    let null = takes_null(&one) && takes_null(&other);
    let besides_lists = null && (one.or_null || other.or_null);
    let types = types(&one, &other)?.ok_or_else(|| contradiction(types_differ(&one, &other), place))?;
    let values = match values(&one, &other) {
        Some(values) => values,
        None if besides_lists => return Err(Apart::Composed),
        None => return Err(contradiction("they list different values", place)),
    };
    let mut both = keywords(document, one, other, types, values)?;
    // a value that one lists may be one that the other's bounds refuse
    let left = keep_fitting(document, &mut both);
    match left {
        Left::Nothing if besides_lists => return Err(Apart::Composed),
        Left::Nothing => {
            return Err(contradiction("the values that one lists are refused by another", place));
        }
        Left::Some => both.or_null = besides_lists,
        Left::Unlisted => both.or_null = false,
    }
    both.nullable |= both.or_null;
    Ok(both)
}

fn contradiction(what: &str, place: Place) -> Apart {
    let message = format!("no value satisfies all of these schemas: {what}");
    let finding = Finding::error(Code::Contradiction, message, place);
    Apart::Contradiction(Box::new(finding.help("correct one of them, or leave it out")))
}

/// The keywords of both, each as far as both go.
fn keywords(
    document: &mut Document,
    mut one: Schema,
    mut other: Schema,
    types: Types,
    values: Values,
) -> Result<Schema, Apart> {
    let (enumeration, constant) = values;
    let additional = additional(&one, &other)?;
    let properties = properties(document, &mut one, &mut other)?;
    let items = one.items.zip(other.items).map(|(one, other)| document.composed(one, other));
    Ok(Schema {
        types: types.types,
        nullable: types.nullable,
        widens: types.widens,
        enumeration,
        constant,
        titles: one.titles.into_iter().chain(other.titles).collect(),
        // what refines another stands behind it
        default: other.default.or(one.default),
        examples: one.examples.into_iter().chain(other.examples).collect(),
        docs: if one.docs == Default::default() { other.docs } else { one.docs },
        format: same(one.format, other.format)?,
        encoded: one.encoded || other.encoded,
        bounds: bounds(one.bounds, other.bounds)?,
        min_length: later(one.min_length, other.min_length),
        max_length: earlier(one.max_length, other.max_length),
        pattern: same(one.pattern, other.pattern)?,
        items: items.or(one.items).or(other.items),
        min_items: later(one.min_items, other.min_items),
        max_items: earlier(one.max_items, other.max_items),
        unique_items: one.unique_items.filter(|unique| unique.value).or(other.unique_items),
        properties,
        required: required(one.required, other.required),
        additional,
        min_properties: later(one.min_properties, other.min_properties),
        max_properties: earlier(one.max_properties, other.max_properties),
        read_only: one.read_only.or(other.read_only),
        write_only: one.write_only.or(other.write_only),
        rules: if one.rules.open.is_some() { one.rules } else { other.rules },
        ..Schema::empty(one.place)
    })
}

fn same(
    one: Option<Spanned<String>>,
    other: Option<Spanned<String>>,
) -> Result<Option<Spanned<String>>, Apart> {
    match (one, other) {
        (Some(one), Some(other)) if one.value != other.value => Err(Apart::Composed),
        (one, other) => Ok(one.or(other)),
    }
}

fn later<T: Ord>(one: Option<Spanned<T>>, other: Option<Spanned<T>>) -> Option<Spanned<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.value > one.value { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn earlier<T: Ord>(one: Option<Spanned<T>>, other: Option<Spanned<T>>) -> Option<Spanned<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.value < one.value { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn bounds(one: Bounds, other: Bounds) -> Result<Bounds, Apart> {
    type Stated = Option<Spanned<Bound>>;
    let pick = |one: Stated, other: Stated, high: bool| match (one, other) {
        (Some(one), Some(other)) => {
            let takes_other =
                if high { other.value.value > one.value.value } else { other.value.value < one.value.value };
            Some(if takes_other { other } else { one })
        }
        (one, other) => one.or(other),
    };
    let multiple_of = match (one.multiple_of, other.multiple_of) {
        (Some(one), Some(other)) if one.value.value != other.value.value => return Err(Apart::Composed),
        (one, other) => one.or(other),
    };
    Ok(Bounds {
        minimum: pick(one.minimum, other.minimum, true),
        maximum: pick(one.maximum, other.maximum, false),
        exclusive_minimum: pick(one.exclusive_minimum, other.exclusive_minimum, true),
        exclusive_maximum: pick(one.exclusive_maximum, other.exclusive_maximum, false),
        multiple_of,
    })
}
