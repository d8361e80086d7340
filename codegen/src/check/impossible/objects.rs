//! Objects: members that have to be there and cannot be.

use foldhash::{HashMap, HashSet};

use super::layers::{Layer, Layers};
use super::{Impossible, Reason, beyond, clash, tightest};
use crate::check::value::refuses;
use crate::document::{Additional, SchemaId, Spanned};
use crate::finding::Finding;
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Members that are looked at, and how often one of them is compared with a pattern.
const MOST: usize = 1000;
const MOST_MATCHES: usize = 10_000;

/// A layer with its members by name.
struct Members<'l, 'd> {
    layer: &'l Layer<'d>,
    declared: HashMap<&'d str, SchemaId>,
}

/// The members that have to be there, those among them that others bring with them (`dependentRequired`). These are told where
/// the others are.
fn required(layers: &Layers<'_>) -> Vec<Spanned<String>> {
    let mut known = HashSet::default();
    let stated = layers.all.iter().flat_map(|layer| &layer.schema.required);
    let mut all: Vec<Spanned<String>> =
        stated.filter(|name| known.insert(name.value.as_str())).take(MOST).cloned().collect();
    let mut brought: HashMap<&str, Vec<&String>> = HashMap::default();
    for (one, others) in layers.all.iter().flat_map(|layer| &layer.schema.beyond.dependent_required) {
        brought.entry(one).or_default().extend(others);
    }
    let mut at = 0;
    while let Some(name) = all.get(at).cloned() {
        for other in brought.get(&*name.value).into_iter().flatten().copied() {
            if all.len() < MOST && known.insert(other) {
                all.push(Spanned::new(other.clone(), name.place));
            }
        }
        at += 1;
    }
    all
}

/// What a layer says of a member.
enum Says {
    Is(Vec<SchemaId>),
    /// By its name.
    Refuses(Place),
    /// As one that is not declared.
    Closed(Place),
}

impl<'d> Impossible<'d> {
    /// Why no object satisfies all of the layers.
    pub(super) fn no_object(&self, layers: &Layers<'d>, depth: usize) -> Option<Reason> {
        let required = required(layers);
        let required: Vec<&Spanned<String>> = required.iter().collect();
        if let Some(reason) = counts(layers, &required) {
            return Some(reason);
        }
        if required.is_empty() {
            return self.closed_count(layers);
        }
        let patterns = layers.all.iter().map(|layer| layer.schema.beyond.pattern_properties.len());
        if patterns.sum::<usize>().saturating_mul(required.len()) > MOST_MATCHES {
            return self.closed_count(layers);
        }
        let members: Vec<Members<'_, '_>> = layers.all.iter().map(Members::of).collect();
        let refused = required.iter().find_map(|name| self.no_member(&members, name, depth));
        refused.or_else(|| self.left_out(&members, &required)).or_else(|| self.closed_count(layers))
    }

    /// A member that is required and that none of what is applied to a closed object describes.
    fn left_out(&self, members: &[Members<'_, 'd>], required: &[&Spanned<String>]) -> Option<Reason> {
        let nobody_says = |name: &Spanned<String>| {
            members.iter().all(|one| matches!(self.says(one, name), Says::Is(ids) if ids.is_empty()))
        };
        members.iter().find_map(|one| {
            let (place, described) = self.closed_over_all(one.layer)?;
            if described.patterns.len().saturating_mul(required.len()) > MOST_MATCHES {
                return None;
            }
            let mut missing = required.iter().filter(|name| {
                let matches = |pattern: &&str| self.document.matches(pattern, &name.value);
                !described.names.contains(&*name.value) && !described.patterns.iter().any(matches)
            });
            let name = missing.find(|name| nobody_says(name))?;
            Some(Reason::of(undeclared(members, name, place)))
        })
    }

    /// Why a member that is required cannot be there.
    fn no_member(&self, members: &[Members<'_, 'd>], name: &Spanned<String>, depth: usize) -> Option<Reason> {
        let nothing = |other: Place| {
            let message = format!("`{}` is required, and no value is allowed there", name.value);
            clash(message, name.place, (other, "what refuses it"))
        };
        let help = "allow a value there, or do not require it";
        let mut ids = Vec::new();
        for one in members {
            match self.says(one, name) {
                Says::Is(more) => ids.extend(more),
                Says::Refuses(place) => return Some(Reason::of(nothing(place).help(help))),
                Says::Closed(place) => return Some(Reason::of(undeclared(members, name, place))),
            }
        }
        let mut seen = HashSet::default();
        ids.retain(|id| seen.insert(*id));
        self.together(&ids, depth, |other| nothing(other).help(help))
    }

    fn says(&self, one: &Members<'_, 'd>, name: &Spanned<String>) -> Says {
        let schema = one.layer.schema;
        if let Some(names) = schema.beyond.property_names {
            let node = Node { value: Value::String((*name.value).into()), place: name.place };
            if refuses(self.document, names, &node) {
                return Says::Refuses(self.document.schema(names).place);
            }
        }
        let patterns = schema.beyond.pattern_properties.iter();
        let matching = patterns.filter(|(pattern, _)| self.document.matches(&pattern.value, &name.value));
        let declared = one.declared.get(&*name.value).copied();
        let described: Vec<SchemaId> = declared.into_iter().chain(matching.map(|(_, id)| *id)).collect();
        if !described.is_empty() {
            return Says::Is(described);
        }
        if let Some(Additional::Each(each)) = schema.additional.as_ref().map(|additional| additional.value) {
            return Says::Is(vec![each]);
        }
        let requires = || schema.required.iter().any(|own| own.value == name.value);
        match self.closed(one.layer).filter(|closed| !(closed.takes_required && requires())) {
            Some(closed) => Says::Closed(closed.place),
            None => Says::Is(Vec::new()),
        }
    }

    /// `minProperties` of an object that has no room for so many.
    fn closed_count(&self, layers: &Layers<'d>) -> Option<Reason> {
        let least = |layer: &Layer<'d>| layer.schema.min_properties.clone();
        let (least, _) = tightest(layers, least, |one, other| one.value > other.value)?;
        layers.all.iter().find_map(|layer| {
            let (place, names) = self.room(layer)?;
            let too_few = u64::try_from(names).is_ok_and(|names| names < least.value);
            let message = "`minProperties` asks for more members than the object can have";
            let clash = clash(message, least.place, (place, "what refuses others"));
            too_few.then(|| Reason::of(clash.help("ask for fewer members, or declare more")))
        })
    }

    /// How many members a closed object can have, and where it is closed.
    fn room(&self, layer: &Layer<'d>) -> Option<(Place, usize)> {
        let schema = layer.schema;
        if let Some(names) = schema.beyond.property_names.filter(|names| self.known(*names).is_some()) {
            return Some((self.document.schema(names).place, 0));
        }
        let closed = self.closed(layer)?;
        let open = |(_, id): &&(Spanned<String>, SchemaId)| self.known(*id).is_none();
        if schema.beyond.pattern_properties.iter().any(|pattern| open(&pattern)) {
            return None;
        }
        let declared = schema.properties.iter().flatten().filter(open);
        let declared = declared.map(|(name, _)| &*name.value);
        let required = schema.required.iter().filter(|_| closed.takes_required).map(|name| &*name.value);
        Some((closed.place, declared.chain(required).collect::<HashSet<&str>>().len()))
    }
}

impl<'l, 'd> Members<'l, 'd> {
    fn of(layer: &'l Layer<'d>) -> Self {
        let properties = layer.schema.properties.iter().flatten();
        Self { layer, declared: properties.map(|(name, id)| (&*name.value, *id)).collect() }
    }
}

fn undeclared(members: &[Members<'_, '_>], name: &Spanned<String>, closed: Place) -> Finding {
    let message = format!("`{}` is required and not declared, and others are refused", name.value);
    let declared = members.iter().flat_map(|one| one.layer.schema.properties.iter().flatten());
    let known = declared.map(|(known, _)| &*known.value);
    let finding = clash(message, name.place, (closed, "what refuses others"));
    finding.help("declare it under `properties`, or do not require it").nearest(&name.value, known)
}

/// `maxProperties` that is less than what has to be there.
fn counts(layers: &Layers<'_>, required: &[&Spanned<String>]) -> Option<Reason> {
    let (most, most_layer) =
        tightest(layers, |layer| layer.schema.max_properties.clone(), |one, other| one.value < other.value)?;
    if let Some(name) = usize::try_from(most.value).ok().and_then(|most| required.get(most)) {
        let message = "`maxProperties` allows fewer members than are required";
        let clash = clash(message, most.place, (name.place, "one more that is required"));
        return Some(Reason::of(clash.help("allow more members, or require fewer")));
    }
    let least = |layer: &Layer<'_>| layer.schema.min_properties.clone();
    let (least, layer) = tightest(layers, least, |one, other| one.value > other.value)?;
    (least.value > most.value).then(|| match layer.id == most_layer.id {
        true => Reason::Follows(layer.id),
        false => Reason::of(beyond(("minProperties", least.place), ("maxProperties", most.place))),
    })
}
