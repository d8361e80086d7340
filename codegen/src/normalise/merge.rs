//! `allOf` of schemas that say what types say becomes one schema; `anyOf` of a schema and `null` becomes that schema,
//! nullable. What is left composed after this keeps its keywords.
//!
//! Members, bounds and lists of values are intersected. Two schemas of one member become a composed schema of their own,
//! which is merged in its turn. What cannot be satisfied by anything is a finding; what only cannot be said in one
//! schema (two patterns, a closed branch beside others) stays composed, and may have a [view](super::view).

use foldhash::{HashMap, HashSet};

use super::listed;
use crate::check::value::fits_type;
use crate::document::{Additional, Beyond, Document, JsonType, Schema, SchemaId, Spanned};
use crate::finding::{Code, Finding, Findings};
use crate::normalise::standing::Standing;
use crate::normalise::{Bound, Bounds};
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Schemas inside each other that are followed.
const DEEPEST: usize = 64;
/// Merges every schema of the document that can be.
pub(crate) fn merge(document: &mut Document, findings: &mut Findings) {
    super::inheritance::inheritance(document);
    for id in document.ids() {
        listed::null_alternatives(document, id, findings);
        listed::constants(document, id);
        listed::fitting(document, id, findings);
        optional(document, id);
    }
    document.follow_references();
    document.standing = Standing::of(document);
    let mut next = 0;
    // members with two schemas add to the list while it is walked; where there is no room, what is left stays composed
    while let Some(id) = document.id(next).filter(|_| document.has_room(0)) {
        next += 1;
        for id in inside_out(document, id) {
            settle(document, id, findings);
        }
    }
    super::view::views(document);
    document.derive();
}

/// What `id` is certainly composed of, each before what it is part of, so that nothing is merged twice.
fn inside_out(document: &Document, id: SchemaId) -> Vec<SchemaId> {
    let mut order = Vec::new();
    let mut seen = HashSet::default();
    let mut waiting = vec![(id, false)];
    while let Some((id, ready)) = waiting.pop() {
        if ready {
            order.push(id);
        } else if !document.is_settled(id) && seen.insert(id) {
            let schema = document.schema(id);
            let parts = schema.reference.into_iter().chain(schema.beyond.certain());
            waiting.push((id, true));
            waiting.extend(parts.map(|part| (part, false)));
        }
    }
    order
}

/// Merges one schema, once.
fn settle(document: &mut Document, id: SchemaId, findings: &mut Findings) {
    let beyond = &document.schema(id).beyond;
    let chooses = !beyond.one_of.is_empty() || !beyond.any_of.is_empty();
    if beyond.certain().next().is_some() {
        match merged(document, id, 0) {
            Ok(merged) => document.replace(id, Schema { merged: true, ..merged }),
            // a choice of one that nothing satisfies is written by generators, and refuses every value
            Err(Apart::Contradiction(finding)) if chooses => drop(finding),
            Err(Apart::Contradiction(finding)) if document.standing.is_optional(id) => {
                findings.push(finding.without_stopping());
                let schema = document.schema(id);
                let never = Schema { docs: schema.docs.clone(), ..Schema::empty(schema.place) };
                document.replace(id, Schema { never: true, merged: true, ..never });
            }
            Err(Apart::Contradiction(finding)) => findings.push(*finding),
            Err(Apart::Composed) => {}
        }
    }
    document.settle(id);
}

/// Why schemas do not become one.
pub(super) enum Apart {
    /// They stay as they are.
    Composed,
    /// Nothing satisfies them all.
    Contradiction(Box<Finding>),
}

/// `anyOf: [X, { type: "null" }]`, or a choice of one: another name for `X`.
fn optional(document: &mut Document, id: SchemaId) {
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

/// The one schema that `id` comes to.
pub(super) fn merged(document: &mut Document, id: SchemaId, depth: usize) -> Result<Schema, Apart> {
    if depth > DEEPEST || !document.has_room(document.schema(id).weight()) {
        return Err(Apart::Composed);
    }
    let mut own = document.schema(id).clone();
    if let Some(target) = own.reference {
        let target = merged(document, target, depth + 1)?;
        return Ok(Schema {
            nullable: target.nullable || own.nullable,
            widens: target.widens || own.nullable,
            or_null: target.or_null || own.or_null,
            read_only: own.read_only.or(target.read_only),
            write_only: own.write_only.or(target.write_only),
            default: own.default.or(target.default),
            ..target
        });
    }
    let branches = own.beyond.take_certain();
    if depth > 0 && !branches.is_empty() && document.is_settled(id) {
        return Err(Apart::Composed); // as was found when it was its turn
    }
    let place = own.beyond.first.map_or(own.place, |(_, place)| place);
    if branches.is_empty() {
        return if own.literal || own.never || own.beyond.first.is_some() {
            Err(Apart::Composed)
        } else {
            Ok(own)
        };
    }
    own.beyond.first = None;
    if own.literal || !own.beyond.is_empty() {
        return Err(Apart::Composed);
    }
    // 3.0's `nullable` beside `allOf` widens the whole
    let widened = own.is_widened();
    own.nullable &= !widened;
    (own.widens, own.or_null) = (false, false);
    let reading = if document.standing.is_condition(id) { Reading::Letter } else { Reading::Implying };
    let docs = std::mem::take(&mut own.docs);
    let default = own.default.take();
    for branch in branches {
        let refers = document.schema(branch).reference.is_some();
        let mut other = merged(document, branch, depth + 1)?;
        if refers {
            other.docs = Default::default();
        }
        own = both(document, own, other, place, reading)?;
    }
    if docs != Default::default() {
        own.docs = docs;
    }
    own.default = default.or(own.default);
    own.nullable |= widened;
    own.widens |= widened;
    own.or_null |= widened;
    Ok(own)
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
    let contradiction = |what: &str| {
        let message = format!("no value satisfies all of these schemas: {what}");
        Apart::Contradiction(Box::new(
            Finding::error(Code::Contradiction, message, place).help("correct one of them, or leave it out"),
        ))
    };
    let (one, other) = match reading {
        Reading::Implying => (typed(one), typed(other)),
        Reading::Letter => (one, other),
    };
    // what each takes beside all that it lists, both do (JSON Schema 2020-12, validation, section 6.1.2)
    let null = takes_null(&one) && takes_null(&other);
    let besides_lists = null && (one.or_null || other.or_null);
    let Types { types, nullable, widens } =
        types(&one, &other)?.ok_or_else(|| contradiction(types_differ(&one, &other)))?;
    let (enumeration, constant) = match values(&one, &other) {
        Some(values) => values,
        None if besides_lists => return Err(Apart::Composed),
        None => return Err(contradiction("they list different values")),
    };
    let additional = additional(&one, &other)?;
    let (mut one, mut other) = (one, other);
    let properties = properties(document, &mut one, &mut other)?;
    let items = one.items.zip(other.items).map(|(one, other)| document.composed(one, other));
    let mut required = one.required;
    let named: HashSet<&str> = other.required.iter().map(|name| &*name.value).collect();
    required.retain(|name| !named.contains(&*name.value));
    required.extend(other.required);
    let mut both = Schema {
        types,
        nullable,
        widens,
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
        required,
        additional,
        min_properties: later(one.min_properties, other.min_properties),
        max_properties: earlier(one.max_properties, other.max_properties),
        read_only: one.read_only.or(other.read_only),
        write_only: one.write_only.or(other.write_only),
        rules: if one.rules.open.is_some() { one.rules } else { other.rules },
        ..Schema::empty(one.place)
    };
    // a value that one lists may be one that the other's bounds refuse
    let listed: Vec<_> =
        both.enumeration.iter().flat_map(|values| &values.value).chain(&both.constant).cloned().collect();
    let fitting: Vec<_> =
        listed.iter().filter(|value| fits_type(document, &both, value).is_ok()).cloned().collect();
    if fitting.is_empty() && !listed.is_empty() && besides_lists {
        return Err(Apart::Composed);
    }
    if fitting.is_empty() && !listed.is_empty() {
        return Err(contradiction("the values that one lists are refused by another"));
    }
    if let Some(values) = &mut both.enumeration {
        values.value = fitting;
    }
    both.or_null = besides_lists && !listed.is_empty();
    both.nullable |= both.or_null;
    Ok(both)
}

/// Whether `null` satisfies a schema that is composed of nothing.
fn takes_null(schema: &Schema) -> bool {
    let is_typed = schema.nullable || schema.types.is_empty();
    let is_null = |node: &Node| matches!(node.value, Value::Null);
    let is_listed = schema.enumeration.as_ref().is_none_or(|values| values.value.iter().any(is_null))
        && schema.constant.as_ref().is_none_or(is_null);
    schema.is_widened() || (is_typed && is_listed)
}

fn types_differ(one: &Schema, other: &Schema) -> &'static str {
    match one.takes_only_null() || other.takes_only_null() {
        true => "one allows `null` alone (`anyOf: [SCHEMA, { type: \"null\" }]` would allow either)",
        false => "their types differ",
    }
}

/// With the type that its keywords imply stated.
pub(super) fn typed(mut schema: Schema) -> Schema {
    if schema.types.is_empty() && schema.enumeration.is_none() && schema.constant.is_none() {
        let implied = crate::build::implied(&schema);
        schema.types.extend(implied.map(|kind| Spanned::new(kind, schema.place)));
    }
    schema
}

/// The types that a schema allows, and whether `null` is one.
struct Types {
    types: Vec<Spanned<JsonType>>,
    nullable: bool,
    widens: bool,
}

impl Types {
    fn of(schema: &Schema) -> Self {
        Self { types: schema.types.clone(), nullable: schema.nullable, widens: schema.widens }
    }
}

/// The types that both allow. `None`: there is none.
fn types(one: &Schema, other: &Schema) -> Result<Option<Types>, Apart> {
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

type Values = (Option<Spanned<Vec<Node>>>, Option<Node>);

/// The values that both list. `None`: there is none.
fn values(one: &Schema, other: &Schema) -> Option<Values> {
    let enumeration = match (&one.enumeration, &other.enumeration) {
        (Some(one), Some(other)) => {
            let known: HashSet<_> = other.value.iter().map(Node::canonical).collect();
            let listed: Vec<_> =
                one.value.iter().filter(|value| known.contains(&value.canonical())).cloned().collect();
            // one that lists nothing has a remark of its own
            if listed.is_empty() && !one.value.is_empty() && !other.value.is_empty() {
                return None;
            }
            Some(Spanned::new(listed, one.place))
        }
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    let constant = match (&one.constant, &other.constant) {
        (Some(one), Some(other)) if !one.same_value(other) => return None,
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    match (&enumeration, &constant) {
        (Some(values), Some(constant)) => {
            let listed = values.value.iter().any(|value| value.same_value(constant));
            listed.then_some((None, Some(constant.clone())))
        }
        _ => Some((enumeration, constant)),
    }
}

type Properties = Option<Vec<(Spanned<String>, SchemaId)>>;

/// Takes the members out of both.
fn properties(document: &mut Document, one: &mut Schema, other: &mut Schema) -> Result<Properties, Apart> {
    // a closed branch refuses what only the others declare
    for (closed, beside) in [(&*one, &*other), (&*other, &*one)] {
        if closed.restricts_others() {
            let mut names = beside.properties.iter().flatten().map(|(name, _)| &*name.value);
            let declared: HashSet<&str> =
                closed.properties.iter().flatten().map(|(name, _)| &*name.value).collect();
            if names.any(|name| !declared.contains(name)) {
                return Err(Apart::Composed);
            }
        }
    }
    let (mut all, more) = match (one.properties.take(), other.properties.take()) {
        (Some(all), Some(more)) => (all, more),
        (one, other) => return Ok(one.or(other)),
    };
    let declared: HashMap<String, usize> = match more.as_slice() {
        // of an `allOf` of thousands each adds little: no table is made for it
        [] | [_] => HashMap::default(),
        _ => all.iter().enumerate().map(|(at, (name, _))| (name.value.clone(), at)).collect(),
    };
    let few = more.len() < 2;
    for (name, id) in more {
        let known = match few {
            true => all.iter_mut().find(|(known, _)| known.value == name.value),
            false => declared.get(&name.value).and_then(|at| all.get_mut(*at)),
        };
        match known {
            Some((_, known)) if document.target(*known) == document.target(id) => {}
            Some((_, known)) => *known = document.composed(*known, id),
            None => all.push((name, id)),
        }
    }
    Ok(Some(all))
}

/// `false` and `true` of one branch; a schema for others only where nobody else has a say.
fn additional(one: &Schema, other: &Schema) -> Result<Option<Spanned<Additional>>, Apart> {
    Ok(match (&one.additional, &other.additional) {
        (None, None) => None,
        (Some(stated), None) | (None, Some(stated)) => Some(stated.clone()),
        (Some(one), Some(other)) => match (one.value, other.value) {
            (Additional::Allowed(false), _) => Some(one.clone()),
            (_, Additional::Allowed(false)) => Some(other.clone()),
            (Additional::Allowed(true), _) => Some(other.clone()),
            (_, Additional::Allowed(true)) => Some(one.clone()),
            _ => return Err(Apart::Composed),
        },
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
