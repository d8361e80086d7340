//! Objects: members that have to be there and cannot be.

use foldhash::{HashMap, HashSet};

use super::layers::{Layer, Layers};
use super::{Clash, Impossible, Reason, beyond, tightest};
use crate::check::value::refuses;
use crate::document::{Additional, SchemaId, Spanned};
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// A layer with its members by name.
struct Members<'l, 'd> {
    layer: &'l Layer<'d>,
    declared: HashMap<&'d str, SchemaId>,
}

/// What a layer says of a member.
enum Says {
    Is(Vec<SchemaId>),
    Refuses(Place),
}

impl<'d> Impossible<'d> {
    /// Why no object satisfies all of the layers.
    pub(super) fn no_object(&self, layers: &Layers<'d>, depth: usize) -> Option<Reason> {
        let mut known = HashSet::default();
        let required = layers.all.iter().flat_map(|layer| &layer.schema.required);
        let required: Vec<&Spanned<String>> = required.filter(|name| known.insert(&*name.value)).collect();
        if let Some(reason) = counts(layers, &required) {
            return Some(reason);
        }
        if required.is_empty() {
            return self.closed_count(layers);
        }
        let members: Vec<Members<'_, '_>> = layers.all.iter().map(Members::of).collect();
        let refused = required.iter().find_map(|name| self.no_member(&members, name, depth));
        refused.or_else(|| self.closed_count(layers))
    }

    /// Why a member that is required cannot be there.
    fn no_member(&self, members: &[Members<'_, 'd>], name: &Spanned<String>, depth: usize) -> Option<Reason> {
        let clash = |other: Place| {
            let message = format!("`{}` is required, and nothing is allowed there", name.value);
            let help = "let it be there, or do not require it";
            Clash::new(message, name.place, help).with(other, "what refuses it")
        };
        let mut ids = Vec::new();
        for one in members {
            match self.says(one, name) {
                Says::Is(more) => ids.extend(more),
                Says::Refuses(place) => return Some(Reason::Clash(clash(place))),
            }
        }
        let mut seen = HashSet::default();
        ids.retain(|id| seen.insert(*id));
        self.together(&ids, depth, clash)
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
        match schema.additional.as_ref().map(|additional| (additional.value, additional.place)) {
            Some((Additional::Each(each), _)) => Says::Is(vec![each]),
            Some((Additional::Allowed(false), place)) => Says::Refuses(place),
            Some((Additional::Allowed(true), _)) => Says::Is(Vec::new()),
            // what it requires itself it lets through, whatever it is
            None => match closes(one.layer) {
                Some(place) if !schema.required.iter().any(|own| own.value == name.value) => {
                    Says::Refuses(place)
                }
                _ => Says::Is(Vec::new()),
            },
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
            let clash = Clash::new(message, least.place, "ask for fewer members, or declare more");
            too_few.then(|| Reason::Clash(clash.with(place, "what refuses others")))
        })
    }

    /// How many members a closed object can have, and where it is closed.
    fn room(&self, layer: &Layer<'d>) -> Option<(Place, usize)> {
        let schema = layer.schema;
        let closed = match schema.additional.as_ref().map(|additional| (additional.value, additional.place)) {
            Some((Additional::Allowed(false), place)) => Some(place),
            Some(_) => None,
            None => closes(layer),
        }?;
        let open = |(_, id): &&(Spanned<String>, SchemaId)| !self.reasons.contains_key(id);
        if schema.beyond.pattern_properties.iter().any(|pattern| open(&pattern)) {
            return None;
        }
        let declared = schema.properties.iter().flatten().filter(open);
        let names: HashSet<&str> = declared.map(|(name, _)| &*name.value).collect();
        let required = schema.required.iter().map(|name| &*name.value);
        let required = required.filter(|_| schema.additional.is_none());
        Some((closed, names.into_iter().chain(required).collect::<HashSet<&str>>().len()))
    }
}

impl<'l, 'd> Members<'l, 'd> {
    fn of(layer: &'l Layer<'d>) -> Self {
        let properties = layer.schema.properties.iter().flatten();
        Self { layer, declared: properties.map(|(name, id)| (&*name.value, *id)).collect() }
    }
}

/// Where an object is closed by the members that it declares.
fn closes(layer: &Layer<'_>) -> Option<Place> {
    let schema = layer.schema;
    let open = schema.rules.open.as_ref().is_some_and(|open| open.value);
    let alone = schema.beyond.in_place().next().is_none() && schema.beyond.unevaluated_properties.is_none();
    (layer.whole && alone && !open && !schema.literal && !layer.letter && schema.declares_members())
        .then_some(schema.place)
}

/// `maxProperties` that is less than what has to be there.
fn counts(layers: &Layers<'_>, required: &[&Spanned<String>]) -> Option<Reason> {
    let (most, most_layer) =
        tightest(layers, |layer| layer.schema.max_properties.clone(), |one, other| one.value < other.value)?;
    if let Some(name) = usize::try_from(most.value).ok().and_then(|most| required.get(most)) {
        let message = "`maxProperties` allows fewer members than are required";
        let clash = Clash::new(message, most.place, "allow more members, or require fewer");
        return Some(Reason::Clash(clash.with(name.place, "one more that is required")));
    }
    let least = |layer: &Layer<'_>| layer.schema.min_properties.clone();
    let (least, layer) = tightest(layers, least, |one, other| one.value > other.value)?;
    (least.value > most.value).then(|| match layer.id == most_layer.id {
        true => Reason::Follows(layer.id),
        false => Reason::Clash(beyond(("minProperties", least.place), ("maxProperties", most.place))),
    })
}
