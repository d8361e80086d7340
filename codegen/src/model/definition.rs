//! Definitions: what has a name of its own, and what it is made of.

use super::{Docs, Keywords, Literal, Schema, ShapeId};

/// A type with a name of its own.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Where it comes from; its Rust name is decided from that.
    pub origin: Origin,
    /// What the document says about it.
    pub docs: Docs,
    /// What it is.
    pub shape: Shape,
    /// `const`, `example`, `examples`, `default` of the schema, in this order.
    pub examples: Vec<Literal>,
}

/// Where a definition comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// `components.schemas.<name>`.
    Component(String),
    /// Inline: the words on the way to it, from the outermost named thing, e.g. `["createTransfer", "body"]`,
    /// `["Account", "address"]`, `["listTransfers", "direction"]`, `["Orders", "item"]`.
    Inline(Vec<String>),
}

/// What a definition is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A struct.
    Object(Object),
    /// An enumeration of values.
    Words(Words),
    /// One of several types.
    Union(Union),
    /// JSON that is checked by the keywords of its schema: Rust has no word for it. It says itself whether it may be
    /// `null`.
    Checked(ShapeId),
    /// Another name for a type that needs none: a scalar, array, map, or a reference. Never on a cycle of aliases
    /// alone (`check` refuses one).
    Alias(Schema),
}

/// `object` with declared members.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// The members, in the order of the document.
    pub members: Vec<Member>,
    /// What members must be that are not declared; `None` where they are refused.
    pub others: Option<Schema>,
    /// What must hold beside the members, when they are not all that the schema says.
    pub shape: Option<ShapeId>,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its name on the wire.
    pub name: String,
    /// What it must be.
    pub schema: Schema,
    /// Whether an object without it is refused.
    pub required: bool,
    /// What it is where it is absent.
    pub default: Option<Literal>,
    /// What the document says about it.
    pub docs: Docs,
    /// `const`, `example`, `examples`, `default` of the schema, in this order.
    pub examples: Vec<Literal>,
}

/// A choice between types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Union {
    /// The alternatives, in the order of the document.
    pub variants: Vec<Variant>,
    /// The whole schema, which decides what is let through.
    pub shape: ShapeId,
}

/// An alternative of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// What to call it. Not unique.
    pub name: String,
    /// What it is; never `null`.
    pub schema: Schema,
    /// What holds for it, and for none of those behind it.
    pub guard: Keywords,
    /// What the document says about it.
    pub docs: Docs,
}

/// An enumeration of strings, of integers, or of truth values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Words {
    /// The values, in the order of the document, each once; all of one type.
    pub words: Vec<Word>,
}

/// A value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// The value.
    pub value: WordValue,
    /// What the document calls it.
    pub name: Option<String>,
    /// What the document says about it.
    pub docs: Docs,
}

/// The values that Rust has enumerations for. Integers are all within `i64`, or all within `u64`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the kinds of JSON")]
pub enum WordValue {
    Text(String),
    Integer(i128),
    Boolean(bool),
}

impl WordValue {
    /// The same value, as an example has it.
    #[must_use]
    pub fn to_literal(&self) -> Literal {
        match self {
            Self::Text(text) => Literal::from(text.as_str()),
            Self::Integer(value) => i64::try_from(*value)
                .map(Literal::from)
                .unwrap_or_else(|_| u64::try_from(*value).map_or(Literal::Null, Literal::from)),
            Self::Boolean(value) => Literal::from(*value),
        }
    }
}
