//! [`Shape`]: a JSON Schema as facts, and the one evaluator of all of its keywords.
//!
//! A schema that Rust has a good word for is a type of its own and never comes here. The others (`oneOf`, `not`, `if`,
//! `patternProperties`, ...) stay JSON, and generated code states their keywords as a static. What this module does
//! with them is JSON Schema 2020-12 to the letter, with two additions: formats are asserted, and work is bounded.
//!
//! | file | what |
//! |---|---|
//! | `evaluate` | the walk, its bounds, and the keywords that apply schemas in place (`allOf`, `oneOf`, `if`, ...) |
//! | `scalar`, `array`, `object` | the keywords of each type |
//! | `fact` | values of the document: `enum` and `const` |
//! | `told` | whether it holds, and what is told to the client when it does not |
//! | `seen` | which members and items were evaluated, for `unevaluatedProperties` and `unevaluatedItems` |
//! | `stand_in` | what stands for a file of a form |
//! | `untyped` | JSON from text without a type, of a parameter or a form |
//! | `shaped` | JSON that has been checked, as a type |
//! | `typed` | types behind a schema that says more than they do |

mod array;
mod evaluate;
mod fact;
mod object;
mod scalar;
mod seen;
mod shaped;
mod stand_in;
mod told;
mod typed;
mod untyped;

#[cfg(test)]
mod tests;

pub use self::evaluate::shape;
pub use self::fact::Fact;
pub(super) use self::typed::collect_shaped;
pub use self::typed::{
    Take, Union, check_shaped, collect_union, decode_union, read_shaped, union, union_from_text,
    union_is_null,
};
pub use self::untyped::{shaped_from_text, shaped_from_tree};
use super::{At, FromText, Pattern, Violations};
pub use crate::__shaped as shaped;

/// A schema: everything that it says must hold. `unevaluated*` stand last, because they look back at the others.
#[derive(Debug)]
pub struct Shape(pub &'static [Keyword]);

impl Shape {
    /// The schema `true`.
    pub const ANY: Self = Self(&[]);
    /// The schema `false`.
    pub const NEVER: Self = Self(&[Keyword::Never]);
    /// Of this type, and no more is said.
    pub const BOOLEAN: Self = Self(&[Keyword::Types(&[JsonType::Boolean])]);
    /// Of this type, and no more is said.
    pub const INTEGER: Self = Self(&[Keyword::Types(&[JsonType::Integer])]);
    /// Of this type, and no more is said.
    pub const NULL: Self = Self(&[Keyword::Types(&[JsonType::Null])]);
    /// Of this type, and no more is said.
    pub const NUMBER: Self = Self(&[Keyword::Types(&[JsonType::Number])]);
    /// Of this type, and no more is said.
    pub const STRING: Self = Self(&[Keyword::Types(&[JsonType::String])]);
}

/// The types of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of JSON Schema")]
pub enum JsonType {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// A keyword of a schema. Numbers are texts, because a float is not what the document wrote.
#[derive(Debug)]
pub enum Keyword {
    /// The schema `false`.
    Never,
    /// `$ref`
    Ref(&'static Shape),
    /// `type`
    Types(&'static [JsonType]),
    /// `enum`
    Enum(&'static [Fact]),
    /// `enum` of texts alone.
    Words(&'static [&'static str]),
    /// `const`
    Const(Fact),
    /// `minimum`
    Minimum(&'static str),
    /// `maximum`
    Maximum(&'static str),
    /// `exclusiveMinimum`
    ExclusiveMinimum(&'static str),
    /// `exclusiveMaximum`
    ExclusiveMaximum(&'static str),
    /// `multipleOf`
    MultipleOf(&'static str),
    /// The range of an integer's format.
    Range(i128, i128),
    /// `minLength` and `maxLength`
    Length(usize, usize),
    /// `pattern`
    Pattern(&'static Pattern),
    /// `format` of a string.
    Format(fn(&str, &At<'_>, &mut Violations)),
    /// `prefixItems` and `items`
    Items(&'static [&'static Shape], Option<&'static Shape>),
    /// `contains` with `minContains` and `maxContains`
    Contains(&'static Shape, usize, usize),
    /// `minItems` and `maxItems`
    ItemCount(usize, usize),
    /// `uniqueItems`
    UniqueItems,
    /// `unevaluatedItems`
    UnevaluatedItems(&'static Shape),
    /// `properties`, `patternProperties` and `additionalProperties`
    Properties {
        /// `properties`
        declared: &'static [(&'static str, &'static Shape)],
        /// `patternProperties`
        patterns: &'static [(&'static Pattern, &'static Shape)],
        /// `additionalProperties`
        others: Option<&'static Shape>,
    },
    /// `propertyNames`
    PropertyNames(&'static Shape),
    /// `required`
    Required(&'static [&'static str]),
    /// `dependentRequired`
    DependentRequired(&'static [(&'static str, &'static [&'static str])]),
    /// `dependentSchemas`
    DependentSchemas(&'static [(&'static str, &'static Shape)]),
    /// `minProperties` and `maxProperties`
    MemberCount(usize, usize),
    /// `unevaluatedProperties`; also what closes an object that is composed and says nothing of other members.
    UnevaluatedProperties(&'static Shape),
    /// `allOf`
    AllOf(&'static [&'static Shape]),
    /// `anyOf`
    AnyOf(&'static [&'static Shape]),
    /// `oneOf`
    OneOf(&'static [&'static Shape]),
    /// `oneOf` or `anyOf` with a `discriminator`.
    Tagged(Tagged),
    /// `not`
    Not(&'static Shape),
    /// `if`, `then` and `else`
    If(&'static Shape, Option<&'static Shape>, Option<&'static Shape>),
}

/// A format that is a Rust type, as a check of a string.
pub fn of_text<T: FromText>(text: &str, at: &At<'_>, out: &mut Violations) {
    if let Err(expected) = T::from_text(text) {
        expected.push(at, out);
    }
}

/// A choice by the word of a member.
#[derive(Debug)]
pub struct Tagged {
    /// The member.
    pub member: &'static str,
    /// The alternative that each of its words means.
    pub words: &'static [(&'static str, &'static Shape)],
    /// The one that is meant where the member is absent, or has none of these words (`defaultMapping`).
    pub default: Option<&'static Shape>,
}

impl Tagged {
    /// The alternative that is meant. `None`: nothing says.
    fn meant(&self, word: Option<&str>) -> Option<&'static Shape> {
        let known = self.words.iter().find(|(known, _)| word == Some(known));
        known.map(|(_, shape)| *shape).or(self.default)
    }
}
