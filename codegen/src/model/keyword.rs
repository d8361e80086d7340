//! Schemas that stay JSON: what Rust has no word for is kept as the keywords of JSON Schema, references as ids.

use super::{Literal, Pattern, TextFormat};

/// Counts [`Api::shapes`](super::Api::shapes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeId(usize);

impl ShapeId {
    /// The id of the entry at `position`.
    #[must_use]
    pub const fn at(position: usize) -> Self {
        Self(position)
    }

    /// The position of the entry.
    #[must_use]
    pub const fn position(self) -> usize {
        self.0
    }
}

/// A schema: everything that it says must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Keywords(pub Vec<Keyword>);

impl Keywords {
    /// The schema `false`.
    #[must_use]
    pub fn never() -> Self {
        Self(vec![Keyword::Never])
    }
}

/// The types of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the words of JSON Schema")]
pub enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// A keyword with what it says. Numbers keep the digits of the document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the words of JSON Schema")]
pub enum Keyword {
    /// The schema `false`.
    Never,
    /// `$ref`
    Ref(ShapeId),
    Types(Vec<Kind>),
    Enum(Vec<Value>),
    Const(Value),
    Minimum(String),
    Maximum(String),
    ExclusiveMinimum(String),
    ExclusiveMaximum(String),
    MultipleOf(String),
    /// The range of an integer's format.
    Range(i128, i128),
    /// `minLength` and `maxLength`
    Length(usize, Option<usize>),
    Pattern(Pattern),
    Format(TextFormat),
    /// `prefixItems` and `items`
    Items(Vec<Keywords>, Option<Keywords>),
    /// `contains`, `minContains`, `maxContains`
    Contains(Keywords, usize, Option<usize>),
    /// `minItems` and `maxItems`
    ItemCount(usize, Option<usize>),
    UniqueItems,
    UnevaluatedItems(Keywords),
    /// `properties`, `patternProperties`, `additionalProperties`
    Properties {
        declared: Vec<(String, Keywords)>,
        patterns: Vec<(Pattern, Keywords)>,
        others: Option<Keywords>,
    },
    PropertyNames(Keywords),
    Required(Vec<String>),
    DependentRequired(Vec<(String, Vec<String>)>),
    DependentSchemas(Vec<(String, Keywords)>),
    /// `minProperties` and `maxProperties`
    MemberCount(usize, Option<usize>),
    UnevaluatedProperties(Keywords),
    AllOf(Vec<Keywords>),
    AnyOf(Vec<Keywords>),
    OneOf(Vec<Keywords>),
    /// `oneOf` or `anyOf` with a `discriminator`.
    Tagged(Tagged),
    Not(Keywords),
    /// `if`, `then`, `else`
    If(Keywords, Option<Keywords>, Option<Keywords>),
}

/// A choice by the word of a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tagged {
    /// The member.
    pub member: String,
    /// What each of its words means.
    pub words: Vec<(String, Keywords)>,
    /// What is meant where it is absent, or has none of these words.
    pub default: Option<Keywords>,
}

impl Tagged {
    /// Every alternative.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Keywords> {
        self.words.iter().map(|(_, shape)| shape).chain(&self.default)
    }
}

/// A value of the document, its numbers as they are written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the kinds of JSON")]
pub enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Value {
    /// As an example; a number to the nearest.
    #[must_use]
    pub fn to_literal(&self) -> Literal {
        match self {
            Self::Null => Literal::Null,
            Self::Bool(value) => Literal::Bool(*value),
            Self::Number(text) => serde_json::from_str(text).unwrap_or(Literal::Null),
            Self::Text(text) => Literal::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::to_literal).collect(),
            Self::Object(members) => Literal::Object(
                members.iter().map(|(name, value)| (name.clone(), value.to_literal())).collect(),
            ),
        }
    }
}
