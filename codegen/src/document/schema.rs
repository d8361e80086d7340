//! Schemas: one form for 3.0 and 3.1, in a table, so that recursion is a matter of ids.

use std::cell::OnceCell;

use super::Spanned;
use super::beyond::Beyond;
use crate::annotation::SchemaRules;
use crate::model::Docs;
use crate::normalise::Bounds;
use crate::normalise::number::Decimal;
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Counts the schemas of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SchemaId(usize);

impl SchemaId {
    pub(super) const fn at(position: usize) -> Self {
        Self(position)
    }

    pub(crate) const fn position(self) -> usize {
        self.0
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "ids are made by the reader from the very table they are used with"
)]
pub(super) fn entry(schemas: &[Schema], id: SchemaId) -> &Schema {
    &schemas[id.0]
}

/// The types of JSON Schema, `null` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonType {
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// The keywords of a schema as they are written, 3.0's forms turned into those of 3.1.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) place: Place,
    /// Whether it is read to the letter of JSON Schema (`$schema` says so, or `open`): no type is implied by its keywords.
    pub(crate) literal: bool,
    /// Whether it was made of others, which have had their own findings.
    pub(crate) merged: bool,
    /// The schema `false`.
    pub(crate) never: bool,
    /// `$ref`; then only prose stands beside it.
    pub(crate) reference: Option<SchemaId>,
    pub(crate) reference_place: Place,
    pub(crate) types: Vec<Spanned<JsonType>>,
    /// `null` among the types.
    pub(crate) nullable: bool,
    /// `null` is allowed whatever is said here (3.0's `nullable`), where no type is stated.
    pub(crate) widens: bool,
    /// `null` is an alternative to everything that is said here.
    pub(crate) or_null: bool,
    /// `{ nullable: true }` (3.0), as an alternative beside others what `{ type: "null" }` is since.
    pub(crate) only_nullable: bool,
    pub(crate) enumeration: Option<Spanned<Vec<Node>>>,
    pub(crate) constant: Option<Node>,
    /// What is said of values that are listed.
    pub(crate) titles: Vec<(Node, Docs)>,
    pub(crate) default: Option<Node>,
    pub(crate) examples: Vec<Node>,
    pub(crate) docs: Docs,
    pub(crate) format: Option<Spanned<String>>,
    /// `contentEncoding`: whether a string of it is bytes in an encoding.
    pub(crate) encoded: bool,
    pub(crate) bounds: Bounds,
    pub(crate) min_length: Option<Spanned<u64>>,
    pub(crate) max_length: Option<Spanned<u64>>,
    pub(crate) pattern: Option<Spanned<String>>,
    pub(crate) items: Option<SchemaId>,
    pub(crate) min_items: Option<Spanned<u64>>,
    pub(crate) max_items: Option<Spanned<u64>>,
    pub(crate) unique_items: Option<Spanned<bool>>,
    /// `None`: not stated, which is not the same as `{}`.
    pub(crate) properties: Option<Vec<(Spanned<String>, SchemaId)>>,
    pub(crate) required: Vec<Spanned<String>>,
    pub(crate) additional: Option<Spanned<Additional>>,
    pub(crate) min_properties: Option<Spanned<u64>>,
    pub(crate) max_properties: Option<Spanned<u64>>,
    /// `readOnly`
    pub(crate) read_only: Option<Place>,
    /// `writeOnly`
    pub(crate) write_only: Option<Place>,
    pub(crate) beyond: Beyond,
    /// What it is as a type, if it is composed.
    pub(crate) view: Option<View>,
    pub(crate) rules: SchemaRules,
}

/// `additionalProperties`
#[derive(Clone, Copy, Debug)]
pub(crate) enum Additional {
    Allowed(bool),
    Each(SchemaId),
}

/// A composed schema as a type: whatever its keywords let through is described by it.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// One struct.
    One(SchemaId),
    /// One of several types.
    Choice(Choice),
}

/// A choice between schemas.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) alternatives: Vec<Alternative>,
    /// `oneOf`, not `anyOf`.
    pub(crate) exactly_one: bool,
    /// How many further alternatives are `null`.
    pub(crate) nulls: usize,
    /// Whether `null` is allowed beside the choice (3.0's `nullable`).
    pub(crate) widened: bool,
    /// Whether conditions beside it have a say about `null` as well.
    pub(crate) judged: bool,
    /// The schema whose `oneOf` or `anyOf` it is, with its discriminator; a list of types has none.
    pub(crate) holder: Option<SchemaId>,
    /// What was found out about it. Nothing is found out of one that leads to itself.
    pub(crate) said: OnceCell<Said>,
}

/// What is known of a choice once its alternatives are known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// Whether it is one between types that are worth having.
    pub(crate) expressible: bool,
    /// Whether `null` satisfies it.
    pub(crate) takes_null: bool,
}

/// An alternative of a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alternative {
    /// What a value of it is, with all that stands beside the choice.
    pub(crate) schema: SchemaId,
    /// As the document lists it.
    pub(crate) written: SchemaId,
}

impl Schema {
    /// A schema that says nothing yet.
    pub(crate) fn empty(place: Place) -> Self {
        Self {
            place,
            literal: false,
            merged: false,
            never: false,
            reference: None,
            reference_place: place,
            types: Vec::new(),
            nullable: false,
            widens: false,
            or_null: false,
            only_nullable: false,
            enumeration: None,
            constant: None,
            titles: Vec::new(),
            default: None,
            examples: Vec::new(),
            docs: Docs::default(),
            format: None,
            encoded: false,
            bounds: Bounds::default(),
            min_length: None,
            max_length: None,
            pattern: None,
            items: None,
            min_items: None,
            max_items: None,
            unique_items: None,
            properties: None,
            required: Vec::new(),
            additional: None,
            min_properties: None,
            max_properties: None,
            read_only: None,
            write_only: None,
            beyond: Beyond::default(),
            view: None,
            rules: SchemaRules::default(),
        }
    }
}

impl Schema {
    /// Whether those that extend it are its alternatives: its discriminator has no list to choose from.
    pub(crate) fn is_inherited(&self) -> bool {
        let beyond = &self.beyond;
        beyond.discriminator.is_some() && beyond.one_of.is_empty() && beyond.any_of.is_empty()
    }

    /// Whether it is `{ type: "null" }`.
    pub(crate) fn is_only_null(&self) -> bool {
        self.nullable
            && self.types.is_empty()
            && self.reference.is_none()
            && !self.constrains()
            && self.beyond.first.is_none()
    }

    /// Whether `null` is the one type it allows: `type: "null"`, whatever else it says.
    pub(crate) fn takes_only_null(&self) -> bool {
        self.nullable && self.types.is_empty() && !self.widens && self.reference.is_none()
    }

    /// Whether `null` satisfies it whatever else it says.
    pub(crate) fn lets_null_pass(&self) -> bool {
        match self.reference {
            Some(_) => self.nullable,
            None => self.is_widened(),
        }
    }

    /// The same of what is no reference.
    pub(crate) fn is_widened(&self) -> bool {
        self.or_null || (self.widens && self.types.is_empty())
    }

    /// Whether it is a constant that its type, if it states one, allows.
    pub(crate) fn is_only_constant(&self) -> bool {
        let bare = Self { constant: None, types: Vec::new(), ..self.clone() };
        let typed = match self.constant.as_ref().map(|constant| &constant.value) {
            Some(Value::String(_)) => self.types.iter().all(|kind| kind.value == JsonType::String),
            Some(Value::Bool(_)) => self.types.iter().all(|kind| kind.value == JsonType::Boolean),
            // an integer of the type `integer` or `number`; no type says more of it
            Some(Value::Number(text)) => match self.types.as_slice() {
                [] => true,
                [only] if only.value == JsonType::Integer => {
                    Decimal::parse(text).is_some_and(|value| value.is_whole())
                }
                [only] => only.value == JsonType::Number,
                _ => false,
            },
            _ => false,
        };
        typed
            && self.reference.is_none()
            && self.beyond.first.is_none()
            && !self.nullable
            && !bare.says_something()
    }

    /// Whether it asserts anything beside what it is composed of.
    pub(crate) fn says_something(&self) -> bool {
        !self.types.is_empty() || self.takes_only_null() || self.never || self.constrains()
    }

    /// Whether it narrows the texts and numbers of its types.
    pub(crate) fn narrows(&self) -> bool {
        self.min_length.is_some()
            || self.max_length.is_some()
            || self.pattern.is_some()
            || self.format.is_some()
            || self.bounds.any().is_some()
    }

    /// Whether it asserts anything beside types and what it is composed of.
    pub(crate) fn constrains(&self) -> bool {
        let counts = [
            &self.min_length,
            &self.max_length,
            &self.min_items,
            &self.max_items,
            &self.min_properties,
            &self.max_properties,
        ];
        counts.into_iter().any(Option::is_some)
            || self.enumeration.is_some()
            || self.constant.is_some()
            || self.bounds.any().is_some()
            || self.pattern.is_some()
            || self.format.is_some()
            || self.items.is_some()
            || self.unique_items.is_some()
            || self.properties.is_some()
            || self.additional.is_some()
            || self.rules.open.is_some()
            || !self.required.is_empty()
    }

    /// Whether it declares members, by name or by a pattern.
    pub(crate) fn declares_members(&self) -> bool {
        self.properties.as_ref().is_some_and(|properties| !properties.is_empty())
            || !self.beyond.pattern_properties.is_empty()
    }

    /// How much of it there is to copy.
    pub(crate) fn weight(&self) -> usize {
        let listed = self.enumeration.as_ref().map_or(0, |values| values.value.len());
        1 + self.properties.as_ref().map_or(0, Vec::len) + self.required.len() + listed + self.titles.len()
    }

    /// Whether members that it does not declare are refused or judged.
    pub(crate) fn restricts_others(&self) -> bool {
        matches!(
            self.additional.as_ref().map(|additional| additional.value),
            Some(Additional::Allowed(false) | Additional::Each(_))
        )
    }
}

impl JsonType {
    /// In the words of a message.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }

    /// As the standard writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}
