//! Types that hold themselves.

use foldhash::HashSet;

use crate::circles::leads_back;
use crate::document::{Document, SchemaId};
use crate::finding::{Code, Finding, Findings};
use crate::model::{Api, Definition, Origin, Schema, Shape, Type, TypeId};
use crate::source::span::Place;

/// Rejects names that only lead to each other: `A: { $ref: B }, B: { $ref: A }`. Through an object, a list or a map recursion
/// is fine.
pub(super) fn aliases(document: &Document, api: &Api, findings: &mut Findings) {
    let held = |shape: &Shape| match shape {
        Shape::Alias(schema) => named_inside(schema),
        Shape::Object(_) | Shape::Words(_) | Shape::Union(_) | Shape::Checked(_) => Vec::new(),
    };
    for (definition, endless) in endless(api, held) {
        if endless && matches!(definition.shape, Shape::Alias(_)) {
            let message =
                format!("`{}` leads back to itself with no object in between", name(&definition.origin));
            let finding = Finding::error(Code::Endless, message, place(document, &definition.origin));
            findings.push(finding.help("a type is a scalar, an object, or a list of something else"));
        }
    }
}

/// Rejects an object that must hold itself: `Node: { required: [next], properties: { next: Node } }`. An optional or
/// nullable member, a list or a map ends it.
pub(super) fn structs(document: &Document, api: &Api, findings: &mut Findings) {
    for (definition, endless) in endless(api, inevitable) {
        if endless && matches!(definition.shape, Shape::Object(_)) {
            let message = format!(
                "a value of `{}` would have to hold another one, without end",
                name(&definition.origin)
            );
            let finding = Finding::error(Code::Endless, message, place(document, &definition.origin));
            findings.push(finding.help("make a member on the way optional, or let it be `null`"));
        }
    }
}

/// Rejects references that lead to each other alone: `A: { $ref: B }, B: { $ref: A }`.
pub(crate) fn references(document: &Document, findings: &mut Findings) {
    let refers = |id| document.schema(id).reference.map(SchemaId::position).into_iter().collect();
    let back = leads_back(document.ids().map(refers).collect());
    if let Some((id, _)) = document.ids().zip(back).find(|(_, back)| *back) {
        findings.push(applied_again(document, &[id]));
    }
}

/// Rejects a schema that applies itself to the same value: `A: { allOf: [A] }`. JSON Schema leaves open what it means
/// (2020-12 core, section 9.4.1). Whatever comes after may follow what is applied.
pub(crate) fn schemas(document: &Document, findings: &mut Findings) {
    let mut seen = vec![false; document.schemas().len()];
    let mut on_the_way = vec![false; document.schemas().len()];
    for root in document.ids() {
        // a walk that keeps the way it came, with the steps that are still to be taken from each place on it
        let mut way: Vec<(SchemaId, Vec<SchemaId>)> = Vec::new();
        let mut next = Some(root);
        loop {
            if let Some(id) = next.take() {
                if on_the_way.get(id.position()) == Some(&true) {
                    let back = way.iter().skip_while(|(known, _)| *known != id);
                    let circle: Vec<SchemaId> = back.map(|(id, _)| *id).collect();
                    findings.push(applied_again(document, &circle));
                    return;
                } else if seen.get(id.position()) == Some(&false) {
                    seen.get_mut(id.position()).into_iter().for_each(|seen| *seen = true);
                    on_the_way.get_mut(id.position()).into_iter().for_each(|on| *on = true);
                    way.push((id, applied(document, id)));
                }
            }
            let Some((_, steps)) = way.last_mut() else { break };
            next = steps.pop();
            if next.is_none()
                && let Some((left, _)) = way.pop()
            {
                on_the_way.get_mut(left.position()).into_iter().for_each(|on| *on = false);
            }
        }
    }
}

fn applied_again(document: &Document, circle: &[SchemaId]) -> Finding {
    let keyword = circle.iter().find_map(|id| document.schema(*id).beyond.first).map(|(_, place)| place);
    let reference = circle.first().map(|id| document.schema(*id).place);
    let place = keyword.or(reference).unwrap_or(Place::start_of(crate::source::span::FileId(0)));
    let circle: HashSet<SchemaId> = circle.iter().copied().collect();
    let known = document.components.iter().find(|(_, id)| circle.contains(id));
    let what = known.map_or("this schema".to_owned(), |(name, _)| format!("`{}`", name.value));
    let message = format!("{what} is applied to the same value again, without end");
    Finding::error(Code::Endless, message, place).help("let it hold itself in a member or an item")
}

/// The schemas that are applied to the value that `id` is applied to.
fn applied(document: &Document, id: SchemaId) -> Vec<SchemaId> {
    let schema = document.schema(id);
    schema.reference.into_iter().chain(schema.beyond.in_place()).chain(schema.beyond.not).collect()
}

/// The types that a value cannot do without.
fn inevitable(shape: &Shape) -> Vec<TypeId> {
    let of = |schema: &Schema| match schema.ty {
        Type::Named(id) if !schema.nullable => Some(id),
        _ => None,
    };
    match shape {
        Shape::Object(object) => object
            .members
            .iter()
            .filter(|member| member.required)
            .filter_map(|member| of(&member.schema))
            .collect(),
        Shape::Alias(schema) => of(schema).into_iter().collect(),
        // another alternative may end it
        Shape::Words(_) | Shape::Union(_) | Shape::Checked(_) => Vec::new(),
    }
}

fn named_inside(schema: &Schema) -> Vec<TypeId> {
    match &schema.ty {
        Type::Named(id) => vec![*id],
        Type::Array(array) => named_inside(&array.items),
        Type::Map(map) => named_inside(&map.values),
        _ => Vec::new(),
    }
}

/// Each type, and whether it leads back to itself.
fn endless(api: &Api, held: impl Fn(&Shape) -> Vec<TypeId>) -> impl Iterator<Item = (&Definition, bool)> {
    let positions = |held: Vec<TypeId>| held.into_iter().map(TypeId::position).collect();
    let held = api.types.iter().map(|(_, definition)| positions(held(&definition.shape))).collect();
    api.types.iter().map(|(_, definition)| definition).zip(leads_back(held))
}

pub(super) fn name(origin: &Origin) -> String {
    match origin {
        Origin::Component(name) => name.clone(),
        Origin::Inline(words) => words.join("."),
    }
}

/// Inline types stand somewhere under a component; without one the document itself is shown.
pub(super) fn place(document: &Document, origin: &Origin) -> Place {
    let name = match origin {
        Origin::Component(name) => Some(name),
        Origin::Inline(words) => words.first(),
    };
    let known = document.components.iter().find(|(component, _)| Some(&component.value) == name);
    let operation =
        || document.operations().find(|(_, operation)| operation.id.as_ref().map(|id| &id.value) == name);
    known
        .map(|(component, _)| component.place)
        .or_else(|| operation().map(|(_, operation)| operation.place))
        .unwrap_or(Place::start_of(crate::source::span::FileId(0)))
}
