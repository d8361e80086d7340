//! The schemas that certainly hold of one value: a schema, what it refers to, and what its `allOf` lists.

use foldhash::HashSet;

use super::{clash, has_type};
use crate::build::implied;
use crate::check::value::refuses;
use crate::document::{Document, JsonType, Schema, SchemaId};
use crate::finding::Finding;
use crate::source::span::Place;
use crate::source::tree::Node;

/// Layers that are looked at.
const MOST: usize = 200;

/// The kinds of values: whole numbers are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    Array,
    Object,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Null, Self::Boolean, Self::Number, Self::Text, Self::Array, Self::Object];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Null => "`null`",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Text => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// One schema among those that hold of a value.
#[derive(Clone, Debug)]
pub(super) struct Layer<'d> {
    pub(super) id: SchemaId,
    pub(super) schema: &'d Schema,
    /// Whether it describes the whole value: then members that it declares close it, unless it says otherwise.
    pub(super) whole: bool,
    /// Whether `null` passes whatever it says.
    pub(super) lets_null: bool,
    /// Whether no type is implied by its keywords.
    pub(super) letter: bool,
    /// Whether an alternative was chosen where it has a choice.
    pub(super) chosen: bool,
}

/// All of them, and what they were made of.
#[derive(Clone, Debug)]
pub(super) struct Layers<'d> {
    pub(super) all: Vec<Layer<'d>>,
    pub(super) of: Vec<SchemaId>,
}

impl<'d> Layers<'d> {
    /// Of schemas that all hold, each of the whole value or as one beside others. `None`: they are too many.
    pub(super) fn of(document: &'d Document, ids: &[SchemaId], whole: bool) -> Option<Self> {
        let mut layers = Self { all: Vec::new(), of: Vec::new() };
        ids.iter().try_for_each(|id| layers.add(document, *id, whole))?;
        Some(layers)
    }

    /// The same, with an alternative chosen.
    pub(super) fn and(&self, document: &'d Document, alternative: SchemaId) -> Option<Self> {
        let mut layers = self.clone();
        layers.add(document, alternative, false)?;
        Some(layers)
    }

    fn add(&mut self, document: &'d Document, id: SchemaId, whole: bool) -> Option<()> {
        self.of.push(id);
        let mut seen = HashSet::default();
        let mut waiting = vec![(id, whole, false)];
        while let Some((id, whole, lets_null)) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > MOST || self.all.len() > MOST {
                return None;
            }
            let schema = document.schema(id);
            let lets_null = lets_null || schema.lets_null_pass();
            if let Some(target) = schema.reference {
                waiting.push((target, whole, lets_null));
                continue;
            }
            let certain: Vec<SchemaId> = schema.beyond.certain().collect();
            waiting.extend(certain.into_iter().rev().map(|id| (id, false, lets_null)));
            let letter = document.standing.is_condition(id);
            self.all.push(Layer { id, schema, whole, lets_null, letter, chosen: false });
        }
        Some(())
    }

    pub(super) fn let_null_pass(&self) -> bool {
        self.all.iter().all(|layer| layer.lets_null)
    }

    /// Where one of them says `false`.
    pub(super) fn never(&self, kind: Kind) -> Option<Place> {
        let passes = |layer: &Layer<'_>| kind == Kind::Null && layer.lets_null;
        self.all.iter().find(|layer| layer.schema.never && !passes(layer)).map(|layer| layer.schema.place)
    }

    pub(super) fn allow(&self, kind: Kind) -> bool {
        self.all.iter().all(|layer| layer.allows(kind))
    }

    /// Whether numbers are whole ones.
    pub(super) fn are_whole(&self) -> bool {
        let whole =
            |schema: &Schema| has_type(schema, JsonType::Integer) && !has_type(schema, JsonType::Number);
        self.all.iter().any(|layer| whole(layer.schema))
    }

    /// Where values are listed: whether one of them fits everything, and if none does, why. A list of nothing has a remark
    /// of its own.
    pub(super) fn listed(&self, document: &Document) -> Option<Option<Finding>> {
        let lists = self.all.iter().filter(|layer| !layer.lets_null);
        let mut lists = lists.filter_map(|layer| Some((layer, listed(layer.schema)?)));
        let (layer, (values, place)) = lists.next()?;
        let fits = |value: &Node| !self.of.iter().any(|id| refuses(document, *id, value));
        if values.iter().any(fits) || has_finding(document, layer.schema, values) {
            return Some(None);
        }
        let not = self.all.iter().find_map(|layer| layer.schema.beyond.not);
        let other = lists.next().map(|(_, (_, place))| place);
        let beside = || self.all.iter().find(|other| other.id != layer.id).map(|other| other.schema.place);
        let other = other.or_else(|| not.map(|not| document.schema(not).place)).or_else(beside);
        let other = (other.unwrap_or(place), "what refuses them");
        let message = "none of the values that are listed fits the rest of the schema";
        Some(Some(clash(message, place, other).help("list a value that fits, or correct the rest")))
    }

    /// Types that have no value in common.
    pub(super) fn types_differ(&self) -> Option<Finding> {
        let mut stated = self.all.iter().filter(|layer| layer.states_types());
        let first = stated.next()?;
        let common =
            |other: &&Layer<'_>| Kind::ALL.iter().any(|kind| first.allows(*kind) && other.allows(*kind));
        let all: Vec<&Layer<'_>> = stated.collect();
        let other = all.iter().find(|other| !common(other)).or(all.last())?;
        let other = (other.place_of_types(), "the other type");
        let message = "no value is of all of these types";
        Some(clash(message, first.place_of_types(), other).help("correct one of the types"))
    }
}

impl Layer<'_> {
    fn implied(&self) -> Option<JsonType> {
        if self.letter { None } else { implied(self.schema) }
    }

    fn states_types(&self) -> bool {
        !self.schema.types.is_empty() || self.schema.takes_only_null() || self.implied().is_some()
    }

    pub(super) fn allows(&self, kind: Kind) -> bool {
        let schema = self.schema;
        let has =
            |known| has_type(schema, known) || (schema.types.is_empty() && self.implied() == Some(known));
        let stated = match kind {
            Kind::Null => self.lets_null || schema.nullable,
            Kind::Boolean => has(JsonType::Boolean),
            Kind::Number => has(JsonType::Number) || has(JsonType::Integer),
            Kind::Text => has(JsonType::String),
            Kind::Array => has(JsonType::Array),
            Kind::Object => has(JsonType::Object),
        };
        stated || !self.states_types()
    }

    pub(super) fn place_of_types(&self) -> Place {
        self.schema.types.first().map_or(self.schema.place, |kind| kind.place)
    }
}

/// The values of `enum` or `const`.
pub(super) fn listed(schema: &Schema) -> Option<(&[Node], Place)> {
    let constant = schema.constant.as_ref().map(|constant| (std::slice::from_ref(constant), constant.place));
    let values = schema.enumeration.as_ref().filter(|values| !values.value.is_empty());
    constant.or_else(|| values.map(|values| (&*values.value, values.place)))
}

/// Whether each of the values has a finding of its own, by what stands beside the list.
fn has_finding(document: &Document, schema: &Schema, values: &[Node]) -> bool {
    !schema.literal
        && !schema.merged
        && values.iter().all(|value| crate::check::value::fits_type(document, schema, value).is_err())
}

/// How many values there are at most. `None`: more than one can count.
pub(super) fn count(document: &Document, id: SchemaId) -> Option<usize> {
    let layers = Layers::of(document, &[id], true)?;
    let null = usize::from(layers.allow(Kind::Null));
    if let Some((layer, (values, _))) =
        layers.all.iter().find_map(|layer| Some((layer, listed(layer.schema)?)))
    {
        let fitting = values.iter().filter(|value| !refuses(document, id, value));
        let fitting: HashSet<String> = fitting.map(Node::canonical).collect();
        let null = if layer.lets_null { null } else { 0 };
        return fitting.len().checked_add(null);
    }
    let many = [Kind::Number, Kind::Text, Kind::Array, Kind::Object];
    let two = usize::from(layers.allow(Kind::Boolean)) * 2;
    (!many.iter().any(|kind| layers.allow(*kind))).then_some(two + null)
}
