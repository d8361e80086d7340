//! Schemas that stay JSON: their keywords, those of what they refer to as entries of the table of shapes.
//!
//! Objects are closed here as they are elsewhere: where members are declared and nothing is said about others, others
//! are refused. A schema that is composed is closed over the whole of it, as `unevaluatedProperties: false` would; its
//! branches are open, or no two of them could ever be combined. Inside `not`, `if` and `contains` nothing is closed: it
//! would turn a refusal into a permission.

use foldhash::HashMap;

use super::described::is_closed_alone;
use super::{Builder, size};
use crate::document::{Additional, JsonType, Schema as Written, SchemaId, Spanned};
use crate::model::{IntegerFormat, Keyword, Keywords, Kind, ShapeId, Tagged, TextFormat, Value};
use crate::normalise::Bound;
use crate::source::tree::{Node, Value as Json};

/// How a schema is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The whole of a value.
    Top,
    /// One of several schemas that are applied to the same value.
    Part,
    /// As JSON Schema says, implying nothing.
    Letter,
    /// The same, but the values inside are none of it: an object that says `open` says it of itself.
    Open,
    /// The same, of what decides about something else. There a refusal lets through, so that nothing may be refused
    /// beyond the letter: no member is hidden, and no discriminator asked for.
    Condition,
}

impl Place {
    /// Of the values inside.
    const fn below(self) -> Self {
        match self {
            Self::Top | Self::Part | Self::Open => Self::Top,
            Self::Letter => Self::Letter,
            Self::Condition => Self::Condition,
        }
    }

    /// Of the schemas beside.
    const fn beside(self) -> Self {
        match self {
            Self::Top | Self::Part => Self::Part,
            Self::Open => Self::Open,
            Self::Letter => Self::Letter,
            Self::Condition => Self::Condition,
        }
    }
}

impl Builder<'_> {
    /// The entry of a schema; what it refers to is filled in by [`Builder::finish_shapes`].
    pub(super) fn shape_of(&mut self, id: SchemaId, place: Place) -> ShapeId {
        let target = self.document.target(id);
        let key = (target, place, self.access_side(target));
        if let Some(known) = self.shape_ids.get(&key) {
            return *known;
        }
        let declared = ShapeId::at(self.shapes.len());
        self.shapes.push(Keywords::never()); // until it is read
        self.shape_ids.insert(key, declared);
        self.shapes_waiting.push((declared, target, place, self.direction));
        declared
    }

    /// Reads the shapes that were asked for, and those that they ask for.
    pub(super) fn finish_shapes(&mut self) {
        let direction_now = self.direction;
        while let Some((shape, schema, place, direction)) = self.shapes_waiting.pop() {
            self.direction = direction;
            let keywords = self.keywords(schema, place);
            if let Some(slot) = self.shapes.get_mut(shape.position()) {
                *slot = keywords;
            }
        }
        self.direction = direction_now;
    }

    /// A schema where it is used: by its entry where it is a reference, so that recursion ends; where it was merged, so that
    /// its members are not written out again inside of each that it was merged into; and where it declares members and has
    /// an entry anyway. All else is written out.
    fn part(&mut self, id: SchemaId, place: Place) -> Keywords {
        let written = self.document.schema(id);
        if written.reference.is_some() {
            let refers = Keywords(vec![Keyword::Ref(self.shape_of(id, place))]);
            return if written.nullable { Keywords(vec![or_null(refers)]) } else { refers };
        }
        let has_entry = self.shape_ids.contains_key(&(id, place, self.access_side(id)));
        if (written.merged && written.items.is_some())
            || ((written.merged || has_entry) && written.declares_members())
        {
            return Keywords(vec![Keyword::Ref(self.shape_of(id, place))]);
        }
        self.keywords(id, place)
    }

    fn parts(&mut self, ids: &[SchemaId], place: Place) -> Vec<Keywords> {
        ids.iter().map(|id| self.part(*id, place)).collect()
    }

    fn keywords(&mut self, id: SchemaId, place: Place) -> Keywords {
        let document = self.document;
        let written = document.schema(id);
        // what has no room is not made, and the document refused
        if written.never || !self.has_room(size::of_keywords(written)) {
            return Keywords::never();
        }
        let place = match place {
            Place::Top | Place::Part | Place::Open if says_open(written) => Place::Open,
            Place::Top | Place::Part | Place::Open if written.literal => Place::Letter,
            _ => place,
        };
        let mut all = Keywords::default();
        let types = types(written, place);
        // 3.0's `nullable` beside a composition
        let widened = written.or_null || (written.widens && types.is_empty());
        if !types.is_empty() {
            all.0.push(Keyword::Types(types));
        }
        values(written, &mut all.0);
        self.numbers(written, &mut all.0);
        self.texts(written, &mut all.0);
        self.items(written, place, &mut all.0);
        self.members(id, place, &mut all.0);
        self.composed(written, place, &mut all.0);
        let beyond = &written.beyond;
        if let Some(shape) = beyond.unevaluated_items {
            all.0.push(Keyword::UnevaluatedItems(self.member(shape, place)));
        }
        if let Some(shape) = beyond.unevaluated_properties {
            all.0.push(Keyword::UnevaluatedProperties(self.member(shape, place)));
        } else if place == Place::Top && self.closes_as_a_whole(id) {
            all.0.push(Keyword::UnevaluatedProperties(Keywords::never()));
        }
        if widened { Keywords(vec![or_null(all)]) } else { all }
    }

    fn numbers(&mut self, written: &Written, all: &mut Vec<Keyword>) {
        let text = |bound: &Option<Spanned<Bound>>| bound.as_ref().map(|bound| bound.value.text.clone());
        let bounds = &written.bounds;
        all.extend(text(&bounds.minimum).map(Keyword::Minimum));
        all.extend(text(&bounds.maximum).map(Keyword::Maximum));
        all.extend(text(&bounds.exclusive_minimum).map(Keyword::ExclusiveMinimum));
        all.extend(text(&bounds.exclusive_maximum).map(Keyword::ExclusiveMaximum));
        all.extend(text(&bounds.multiple_of).map(Keyword::MultipleOf));
        let format = written.format.as_ref().and_then(|format| IntegerFormat::of(&format.value));
        let range = format.map(IntegerFormat::range);
        all.extend(range.map(|(low, high)| Keyword::Range(low, high)));
    }

    fn texts(&mut self, written: &Written, all: &mut Vec<Keyword>) {
        if let Some((min, max)) = range_of(written.min_length.as_ref(), written.max_length.as_ref()) {
            all.push(Keyword::Length(min, max));
        }
        if let Some(pattern) = &written.pattern {
            all.extend(self.pattern(pattern).map(Keyword::Pattern));
        }
        let of_numbers =
            |word: &str| IntegerFormat::of(word).is_some() || ["float", "double"].contains(&word);
        let of_text = |format: &&Spanned<String>| !of_numbers(&format.value);
        let may_be_text =
            written.types.is_empty() || written.types.iter().any(|kind| kind.value == JsonType::String);
        if written.format.as_ref().filter(of_text).is_some() && may_be_text {
            let format = self.text_format(written);
            // bytes are any
            if !matches!(format, TextFormat::Plain | TextFormat::Binary) {
                all.push(Keyword::Format(format));
            }
        }
    }

    fn items(&mut self, written: &Written, place: Place, all: &mut Vec<Keyword>) {
        let beyond = &written.beyond;
        if written.items.is_some() || !beyond.prefix_items.is_empty() {
            let prefix = beyond.prefix_items.iter().map(|item| self.member(*item, place)).collect();
            let rest = written.items.map(|items| self.member(items, place));
            all.push(Keyword::Items(prefix, rest));
        }
        if let Some(contains) = beyond.contains {
            let count = |count: &Spanned<u64>| usize::try_from(count.value).unwrap_or(usize::MAX);
            let min = beyond.min_contains.as_ref().map_or(1, count);
            let max = beyond.max_contains.as_ref().map(count);
            all.push(Keyword::Contains(self.part(contains, Place::Condition), min, max));
        }
        if let Some((min, max)) = range_of(written.min_items.as_ref(), written.max_items.as_ref()) {
            all.push(Keyword::ItemCount(min, max));
        }
        if written.unique_items.as_ref().is_some_and(|unique| unique.value) {
            all.push(Keyword::UniqueItems);
        }
    }

    fn members(&mut self, id: SchemaId, place: Place, all: &mut Vec<Keyword>) {
        let document = self.document;
        let written = document.schema(id);
        let beyond = &written.beyond;
        let mut declared = Vec::new();
        for (name, id) in written.properties.iter().flatten() {
            declared.push((name.value.clone(), self.member(*id, place)));
        }
        let mut patterns = Vec::new();
        for (source, id) in &beyond.pattern_properties {
            let keywords = self.member(*id, place);
            patterns.extend(self.pattern(source).map(|pattern| (pattern, keywords)));
        }
        if place == Place::Top {
            let undeclared = self.undeclared(id);
            declared.extend(undeclared.into_iter().map(|name| (name, Keywords::default())));
        }
        let others = match written.additional.as_ref().map(|additional| additional.value) {
            Some(Additional::Allowed(true)) => Some(Keywords::default()),
            Some(Additional::Allowed(false)) => Some(Keywords::never()),
            Some(Additional::Each(id)) => Some(self.member(id, place)),
            // `unevaluatedProperties` beside it says what the others are
            None if says_open(written) && beyond.unevaluated_properties.is_none() => {
                Some(Keywords::default())
            }
            None if place == Place::Top && is_closed_alone(written) => Some(Keywords::never()),
            None => None,
        };
        if !declared.is_empty() || !patterns.is_empty() || others.is_some() {
            all.push(Keyword::Properties { declared, patterns, others });
        }
        let properties: HashMap<&str, SchemaId> =
            written.properties.iter().flatten().map(|(name, id)| (&*name.value, *id)).collect();
        let hidden = |name: &str| {
            let property = properties.get(name);
            place != Place::Condition && property.is_some_and(|id| !self.is_member(*id))
        };
        let required = written.required.iter().filter(|name| !hidden(&name.value));
        let required: Vec<String> = required.map(|name| name.value.clone()).collect();
        if !required.is_empty() {
            all.push(Keyword::Required(required));
        }
        let dependent = beyond.dependent_required.iter().map(|(name, others)| {
            let others = others.iter().filter(|other| !hidden(other)).cloned().collect::<Vec<_>>();
            (name.clone(), others)
        });
        let dependent: Vec<_> = dependent.filter(|(_, others)| !others.is_empty()).collect();
        if let Some(names) = beyond.property_names {
            all.push(Keyword::PropertyNames(self.part(names, Place::Condition)));
        }
        if !dependent.is_empty() {
            all.push(Keyword::DependentRequired(dependent));
        }
        if let Some((min, max)) = range_of(written.min_properties.as_ref(), written.max_properties.as_ref()) {
            all.push(Keyword::MemberCount(min, max));
        }
    }

    /// A member or an item, unless the direction hides it.
    fn member(&mut self, id: SchemaId, place: Place) -> Keywords {
        let hidden = place != Place::Condition && !self.is_member(id);
        if hidden { Keywords::never() } else { self.part(id, place.below()) }
    }

    /// One of several alternatives, unless it is one that never goes this way.
    fn alternative(&mut self, id: SchemaId, beside: Place) -> Keywords {
        let hidden = beside != Place::Condition && !self.is_member(id);
        if hidden { Keywords::never() } else { self.part(id, beside) }
    }

    fn alternatives(&mut self, ids: &[SchemaId], beside: Place) -> Vec<Keywords> {
        ids.iter().map(|id| self.alternative(*id, beside)).collect()
    }

    fn composed(&mut self, written: &Written, place: Place, all: &mut Vec<Keyword>) {
        let (beyond, beside) = (&written.beyond, place.beside());
        if let Some(reference) = beyond.reference {
            all.push(Keyword::Ref(self.shape_of(reference, beside)));
        }
        if !beyond.dependent_schemas.is_empty() {
            let dependent = beyond.dependent_schemas.iter();
            let all_dependent = dependent.map(|(name, id)| (name.clone(), self.part(*id, beside))).collect();
            all.push(Keyword::DependentSchemas(all_dependent));
        }
        if !beyond.all_of.is_empty() {
            all.push(Keyword::AllOf(self.parts(&beyond.all_of, beside)));
        }
        let (one_of, any_of) = match self.tagged(written, beside) {
            Some(tagged) => {
                all.push(tagged);
                // the discriminator chooses among the first list there is
                (&[][..], if beyond.one_of.is_empty() { &[][..] } else { &*beyond.any_of })
            }
            None => (&*beyond.one_of, &*beyond.any_of),
        };
        if !any_of.is_empty() {
            all.push(Keyword::AnyOf(self.alternatives(any_of, beside)));
        }
        if !one_of.is_empty() {
            all.push(Keyword::OneOf(self.alternatives(one_of, beside)));
        }
        if let Some(not) = beyond.not {
            all.push(Keyword::Not(self.part(not, Place::Condition)));
        }
        if let Some(condition) = beyond.condition {
            let condition = self.part(condition, Place::Condition);
            let then = beyond.then.map(|then| self.part(then, beside));
            let otherwise = beyond.otherwise.map(|otherwise| self.part(otherwise, beside));
            all.push(Keyword::If(condition, then, otherwise));
        }
    }

    /// The alternatives of a discriminator by their words, when each of them has one.
    fn tagged(&mut self, written: &Written, beside: Place) -> Option<Keyword> {
        if beside == Place::Condition {
            return None;
        }
        let tags = super::discriminator::tags(self.document, written)?;
        let mut words: Vec<(String, Keywords)> = Vec::new();
        for (alternative, own) in tags.words {
            for word in own {
                words.push((word, self.alternative(alternative, beside)));
            }
        }
        let default = tags.default.map(|default| self.alternative(default, beside));
        let tagged = Keyword::Tagged(Tagged { member: tags.member.to_owned(), words, default });
        Some(if tags.takes_null { or_null(Keywords(vec![tagged])) } else { tagged })
    }
}

/// `x-palisade: { open: true }`
fn says_open(written: &Written) -> bool {
    written.rules.open.as_ref().is_some_and(|open| open.value)
}

/// `null`, or what the schema says.
fn or_null(keywords: Keywords) -> Keyword {
    Keyword::AnyOf(vec![Keywords(vec![Keyword::Types(vec![Kind::Null])]), keywords])
}

/// The types as stated, or as the keywords imply where nothing is read to the letter.
fn types(written: &Written, place: Place) -> Vec<Kind> {
    let mut types: Vec<Kind> = written.types.iter().map(|kind| Kind::of(kind.value)).collect();
    if types.is_empty() && !matches!(place, Place::Letter | Place::Open | Place::Condition) {
        types.extend(super::kind::implied(written).map(Kind::of));
    }
    // `null` alone is a type since 3.1; 3.0's `nullable` widens as a whole what states none
    if written.nullable && (!types.is_empty() || !written.widens) {
        types.push(Kind::Null);
    }
    types
}

fn values(written: &Written, all: &mut Vec<Keyword>) {
    if let Some(values) = &written.enumeration {
        all.push(Keyword::Enum(values.value.iter().map(Value::of).collect()));
    }
    all.extend(written.constant.as_ref().map(|constant| Keyword::Const(Value::of(constant))));
}

fn range_of(min: Option<&Spanned<u64>>, max: Option<&Spanned<u64>>) -> Option<(usize, Option<usize>)> {
    let counts = super::scalar::counts(min, max);
    (counts.min.is_some() || counts.max.is_some()).then(|| (counts.min.unwrap_or(0), counts.max))
}

impl Value {
    /// The value of a node, its numbers as they are written.
    pub(super) fn of(node: &Node) -> Self {
        match &node.value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(text) => Self::Number(text.to_string()),
            Json::String(text) => Self::Text(text.to_string()),
            Json::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Json::Object(object) => Self::Object(
                object
                    .members()
                    .iter()
                    .map(|member| (member.key.to_string(), Self::of(&member.node)))
                    .collect(),
            ),
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Boolean,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::String,
            Self::List(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
        }
    }
}

impl Kind {
    pub(super) fn of(kind: JsonType) -> Self {
        match kind {
            JsonType::Boolean => Self::Boolean,
            JsonType::Integer => Self::Integer,
            JsonType::Number => Self::Number,
            JsonType::String => Self::String,
            JsonType::Array => Self::Array,
            JsonType::Object => Self::Object,
        }
    }
}
