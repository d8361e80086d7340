//! What a composed schema is as a type: one struct, or a choice. The schema itself keeps its keywords, and they decide;
//! a view only has to describe whatever they let through.
//!
//! 1. What always holds (its own keywords, `allOf`, a reference beside others) is merged into one schema, the core.
//! 2. One `oneOf` or `anyOf` is a choice; each alternative is merged with the core. A list of types is one as well.
//! 3. Alternatives that declare no member which the core does not are conditions: without another choice the core is the
//!    struct.
//! 4. Otherwise there is no view, and the value stays JSON.

use std::cell::OnceCell;
use std::collections::VecDeque;

use foldhash::HashSet;

use super::both::{Apart, Reading, both, typed};
use super::merge::merged;
use crate::document::{
    Additional, Alternative, Beyond, Choice, Document, JsonType, Schema, SchemaId, Spanned, View,
};

/// Schemas inside each other that are followed.
const DEEPEST: usize = 64;
/// Alternatives that are choices themselves, merged with a core each time.
const GENERATIONS: usize = 4;
/// Schemas that views may add to a document.
const MOST: usize = 50_000;

/// Gives every composed schema its view, if it has one.
pub(crate) fn views(document: &mut Document) {
    let written = document.schemas().len();
    let mut generations = vec![0; written];
    let mut next = 0;
    while let Some(id) = document.id(next) {
        next += 1;
        let generation = generations.get(id.position()).copied().unwrap_or_default();
        let many = document.schemas().len() > written.saturating_add(MOST) || !document.has_room(0);
        if many || generation > GENERATIONS {
            break;
        }
        if id.position() >= written {
            join(document, id);
        }
        if let Some(view) = view(document, id) {
            document.replace(id, Schema { view: Some(view), ..document.schema(id).clone() });
        }
        generations.resize(document.schemas().len(), generation + 1);
    }
}

/// What a view added: one schema if it can be, and if nothing satisfies it, nothing.
fn join(document: &mut Document, id: SchemaId) {
    if document.schema(id).beyond.all_of.is_empty() {
        return;
    }
    match merged(document, id, 0) {
        Ok(one) => document.replace(id, Schema { merged: true, ..one }),
        Err(Apart::Contradiction(_)) => {
            let place = document.schema(id).place;
            document.replace(id, Schema { never: true, merged: true, ..Schema::empty(place) });
        }
        Err(Apart::Composed) => {}
    }
}

fn view(document: &mut Document, id: SchemaId) -> Option<View> {
    let schema = document.schema(id);
    if schema.literal || schema.never || schema.reference.is_some() {
        return None;
    }
    if schema.beyond.first.is_none() {
        return by_type(document, id).map(View::Choice);
    }
    let mut parts = parts(document, id, 0).ok()?;
    if !adds_nothing(document, &parts.core, &parts.conditions) {
        return None;
    }
    if parts.core.properties.as_ref().is_some_and(|properties| !properties.is_empty()) {
        // a choice that declares nothing is one more condition
        let (conditions, choices): (Vec<Listed>, Vec<Listed>) =
            parts.choices.into_iter().partition(|choice| adds_nothing(document, &parts.core, &choice.list));
        parts.choices = choices;
        parts.judged |= !conditions.is_empty();
    }
    match &*parts.choices {
        [] => one(document, &parts),
        [choice] => alternatives_of(document, &parts, choice).map(View::Choice),
        _ => None,
    }
}

/// A struct, with a map of whatever else is let through.
fn one(document: &mut Document, parts: &Parts) -> Option<View> {
    let mut core = typed(parts.core.clone());
    let is_object = matches!(&*core.types, [only] if only.value == JsonType::Object);
    let null_is_open = core.nullable && parts.judged;
    core.nullable |= parts.widened;
    if !is_object || null_is_open || core.enumeration.is_some() || core.constant.is_some() {
        return None;
    }
    let silent = core.properties.as_ref().is_none_or(Vec::is_empty) && core.additional.is_none();
    if silent && names(document, &parts.conditions).next().is_none() {
        core.additional = Some(Spanned::new(Additional::Each(anything(document, &core)), core.place));
    }
    Some(View::One(document.add(Schema { merged: true, ..core })))
}

/// What always holds, and what may.
struct Parts {
    core: Schema,
    choices: Vec<Listed>,
    /// Schemas that hold under a condition.
    conditions: Vec<SchemaId>,
    /// Whether there is a `not`, a condition, or a choice.
    judged: bool,
    /// Whether `null` is allowed whatever the rest says (3.0's `nullable`).
    widened: bool,
}

/// A `oneOf` or `anyOf`.
struct Listed {
    list: Vec<SchemaId>,
    exactly_one: bool,
    /// The schema that it stands in.
    holder: SchemaId,
}

fn parts(document: &mut Document, id: SchemaId, depth: usize) -> Result<Parts, Apart> {
    if depth > DEEPEST || !document.has_room(document.schema(id).weight()) {
        return Err(Apart::Composed);
    }
    let mut core = document.schema(id).clone();
    if core.literal || core.never {
        return Err(Apart::Composed);
    }
    if let Some(target) = core.reference {
        let parts = parts(document, target, depth + 1)?;
        return Ok(Parts { widened: parts.widened || core.nullable, ..parts });
    }
    let mut beyond = std::mem::take(&mut core.beyond);
    let certain = beyond.take_certain();
    core.view = None;
    core.additional = others(document, &core, &beyond, certain.is_empty());
    // 3.0's `nullable` beside a composition widens the whole
    let widened = core.is_widened();
    core.nullable &= !widened;
    core.widens &= !widened;
    core.or_null = false;
    let lists =
        [(&beyond.one_of, true), (&beyond.any_of, false)].into_iter().filter(|(list, _)| !list.is_empty());
    let mut choices: Vec<Listed> =
        lists.map(|(list, exactly_one)| Listed { list: list.clone(), exactly_one, holder: id }).collect();
    let listed = |id: &SchemaId| beyond.one_of.contains(id) || beyond.any_of.contains(id);
    let mut conditions: Vec<SchemaId> = beyond.in_place().filter(|id| !listed(id)).collect();
    let mut judged = beyond.not.is_some() || !conditions.is_empty();
    for branch in certain {
        let mut other = parts(document, branch, depth + 1)?;
        if other.widened {
            // `null` or an object: what else stands beside it decides
            other.core.nullable = true;
            other.judged = true;
        }
        judged |= other.judged;
        let place = core.place;
        let docs = std::mem::take(&mut core.docs);
        core = both(document, core, other.core, place, Reading::Implying)?;
        core.docs = docs;
        choices.extend(other.choices);
        conditions.extend(other.conditions);
    }
    let mut parts = Parts { core, choices, conditions, judged, widened };
    if let Some(id) = beyond.unevaluated_properties {
        parts.core.additional = unevaluated(document, &parts, id);
    }
    Ok(parts)
}

/// What members that are not declared by name must be: by `patternProperties` and `additionalProperties`. Which name may
/// hold what is left to the keywords, and so is all of it where several schemas have a say.
fn others(
    document: &mut Document,
    core: &Schema,
    beyond: &Beyond,
    alone: bool,
) -> Option<Spanned<Additional>> {
    let closed =
        core.additional.as_ref().is_none_or(|stated| matches!(stated.value, Additional::Allowed(false)));
    let value = match &*beyond.pattern_properties {
        [] => return core.additional.clone(),
        [(_, only)] if closed && alone => *only,
        _ => anything(document, core),
    };
    Some(Spanned::new(Additional::Each(value), core.place))
}

/// What members must be that nothing else has described (`unevaluatedProperties`).
fn unevaluated(document: &mut Document, parts: &Parts, id: SchemaId) -> Option<Spanned<Additional>> {
    let schema = document.schema(id);
    let stated = parts.core.additional.clone();
    // closed, as it is without a word
    if schema.never {
        return stated;
    }
    let says = schema.says_something() || schema.beyond.first.is_some() || schema.reference.is_some();
    let alternatives = parts.choices.iter().flat_map(|choice| &choice.list);
    let others: Vec<SchemaId> = parts.conditions.iter().chain(alternatives).copied().collect();
    let value = match stated.as_ref().map(|stated| stated.value) {
        Some(Additional::Allowed(_)) => return stated,
        None if !says => Additional::Allowed(true),
        None if adds_nothing(document, &parts.core, &others) => Additional::Each(id),
        // what others describe is not for it to say
        None | Some(Additional::Each(_)) => Additional::Each(anything(document, &parts.core)),
    };
    Some(Spanned::new(value, parts.core.place))
}

/// The schema `{}`.
fn anything(document: &mut Document, beside: &Schema) -> SchemaId {
    document.add(Schema { merged: true, ..Schema::empty(beside.place) })
}

/// Whether schemas that may hold beside the core let no member through that the core has no place for.
fn adds_nothing(document: &Document, core: &Schema, others: &[SchemaId]) -> bool {
    let takes_all = matches!(
        core.additional.as_ref().map(|additional| additional.value),
        Some(Additional::Allowed(true) | Additional::Each(_))
    );
    if takes_all || others.is_empty() {
        return true;
    }
    let declared: HashSet<&str> = core.properties.iter().flatten().map(|(name, _)| &*name.value).collect();
    // where there is no room to look, they may
    names(document, others)
        .all(|name| document.has_room(1) && name.is_some_and(|name| declared.contains(name)))
}

/// The members that schemas declare, and those that are applied with them; `None` for members without a name.
fn names<'d>(document: &'d Document, of: &[SchemaId]) -> impl Iterator<Item = Option<&'d str>> + use<'d> {
    let mut known: HashSet<SchemaId> = of.iter().copied().collect();
    let mut waiting: VecDeque<SchemaId> = of.iter().copied().collect();
    let each = std::iter::from_fn(move || {
        let id = waiting.pop_front()?;
        let schema = document.schema(id);
        let inner = schema.reference.into_iter().chain(schema.beyond.in_place());
        waiting.extend(inner.filter(|id| known.insert(*id)));
        Some(schema)
    });
    each.flat_map(|schema| {
        let unnamed = !schema.beyond.pattern_properties.is_empty()
            || schema.beyond.unevaluated_properties.is_some_and(|id| !document.schema(id).never)
            || matches!(
                schema.additional.as_ref().map(|additional| additional.value),
                Some(Additional::Allowed(true) | Additional::Each(_))
            );
        let named = schema.properties.iter().flatten().map(|(name, _)| Some(&*name.value));
        named.chain(unnamed.then_some(None))
    })
}

fn alternatives_of(document: &mut Document, parts: &Parts, listed: &Listed) -> Option<Choice> {
    let core = &parts.core;
    let null_fits = core.types.is_empty() || core.nullable;
    let mut core_id = None;
    let mut choice = Choice {
        alternatives: Vec::new(),
        exactly_one: listed.exactly_one,
        nulls: 0,
        holder: Some(listed.holder),
        widened: parts.widened,
        judged: parts.judged,
        said: OnceCell::new(),
    };
    for written in listed.list.iter().copied() {
        if document.schema(document.target(written)).is_only_null() {
            choice.nulls += usize::from(null_fits);
            continue;
        }
        let schema = if core.says_something() {
            let bare = || Schema { merged: true, docs: Default::default(), default: None, ..core.clone() };
            let core = *core_id.get_or_insert_with(|| document.add(bare()));
            let both = document.composed(core, written);
            let docs = document.schema(document.target(written)).docs.clone();
            document.replace(both, Schema { docs, ..document.schema(both).clone() });
            join(document, both);
            both
        } else {
            written
        };
        if !document.schema(schema).never {
            choice.alternatives.push(Alternative { schema, written });
        }
    }
    (!choice.alternatives.is_empty()).then_some(choice)
}

/// `type: [string, integer]`: a choice by type.
fn by_type(document: &mut Document, id: SchemaId) -> Option<Choice> {
    let schema = document.schema(id).clone();
    if schema.types.len() < 2 || schema.enumeration.is_some() || schema.constant.is_some() {
        return None;
    }
    let any_number = schema.types.iter().any(|kind| kind.value == JsonType::Number);
    let mut alternatives = Vec::new();
    for kind in &schema.types {
        if kind.value == JsonType::Integer && any_number {
            continue;
        }
        let one = Schema { types: vec![kind.clone()], ..only(&schema, kind.value) };
        let schema = document.add(one);
        alternatives.push(Alternative { schema, written: schema });
    }
    let nulls = usize::from(schema.nullable);
    Some(Choice {
        alternatives,
        exactly_one: false,
        nulls,
        holder: None,
        widened: false,
        judged: false,
        said: OnceCell::new(),
    })
}

/// The keywords that say something of values of this type.
fn only(schema: &Schema, kind: JsonType) -> Schema {
    let empty = Schema { merged: true, ..Schema::empty(schema.place) };
    let schema = schema.clone();
    match kind {
        JsonType::Boolean => empty,
        JsonType::Integer | JsonType::Number => {
            Schema { format: schema.format, bounds: schema.bounds, ..empty }
        }
        JsonType::String => Schema {
            format: schema.format,
            encoded: schema.encoded,
            min_length: schema.min_length,
            max_length: schema.max_length,
            pattern: schema.pattern,
            ..empty
        },
        JsonType::Array => Schema {
            items: schema.items,
            min_items: schema.min_items,
            max_items: schema.max_items,
            unique_items: schema.unique_items,
            ..empty
        },
        JsonType::Object => Schema {
            properties: schema.properties,
            required: schema.required,
            additional: schema.additional,
            min_properties: schema.min_properties,
            max_properties: schema.max_properties,
            rules: schema.rules,
            ..empty
        },
    }
}
