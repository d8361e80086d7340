//! Types: what a value must be.
//!
//! A [`Schema`] stands at a place of use. What has a name of its own (a component; an inline object or enumeration)
//! is a [`Definition`] in the table, and a schema refers to it by id, so recursion is a matter of ids.

use super::{Docs, Literal, ShapeId, TypeId};

/// What a value must be in one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Its type and constraints.
    pub ty: Type,
    /// Whether `null` is allowed as well. Nullability belongs to the use: a component that allows `null` makes every
    /// use of it nullable, and its own definition says nothing about it.
    pub nullable: bool,
}

impl Schema {
    /// A value of `ty`, not `null`.
    #[must_use]
    pub const fn of(ty: Type) -> Self {
        Self { ty, nullable: false }
    }
}

/// The types.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Every JSON value, `null` among them.
    Any,
    /// `boolean`
    Boolean,
    /// `integer`
    Integer(Integer),
    /// `number`
    Number(Number),
    /// `string`
    Text(Text),
    /// `array`
    Array(Box<Array>),
    /// `object` whose members are not declared by name.
    Map(Box<Map>),
    /// What the table holds under this id.
    Named(TypeId),
}

/// `integer`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integer {
    /// How large.
    pub format: IntegerFormat,
    /// Its bounds. Each fits the format.
    pub bounds: Bounds<i128>,
}

/// How large an integer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of Rust and OpenAPI")]
pub enum IntegerFormat {
    I32,
    I64,
    U32,
    U64,
}

/// `number`
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// How precise.
    pub format: NumberFormat,
    /// Its bounds. All are finite.
    pub bounds: Bounds<f64>,
}

/// How precise a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFormat {
    /// `float`
    F32,
    /// `double`, and when the document says nothing.
    F64,
}

/// Bounds of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds<N> {
    /// `minimum`
    pub minimum: Option<N>,
    /// `maximum`
    pub maximum: Option<N>,
    /// `exclusiveMinimum`, as a number (3.0's boolean is resolved).
    pub exclusive_minimum: Option<N>,
    /// `exclusiveMaximum`, as a number.
    pub exclusive_maximum: Option<N>,
    /// `multipleOf`, positive.
    pub multiple_of: Option<N>,
}

impl<N> Default for Bounds<N> {
    fn default() -> Self {
        Self {
            minimum: None,
            maximum: None,
            exclusive_minimum: None,
            exclusive_maximum: None,
            multiple_of: None,
        }
    }
}

/// `string`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Text {
    /// Its format.
    pub format: TextFormat,
    /// `minLength` and `maxLength`, in characters.
    pub length: Counts,
    /// `pattern`
    pub pattern: Option<Pattern>,
}

/// The formats that the runtime decodes or checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TextFormat {
    /// No format, or one that only annotates.
    #[default]
    Plain,
    /// `uuid`
    Uuid,
    /// `date-time`
    DateTime,
    /// `date`
    Date,
    /// `ipv4`
    Ipv4,
    /// `ipv6`
    Ipv6,
    /// One whose values stay text.
    Checked(Grammar),
    /// `binary`: bytes as they are, of a file or a whole body.
    Binary,
    /// `password`: comes in and never goes out; `check` refuses it in answers and parameters of path and query.
    Password,
}

/// The formats whose values stay text and are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `byte`: base64 (RFC 4648 section 4).
    Byte,
    /// `duration`
    Duration,
    /// `email`
    Email,
    /// `hostname`
    Hostname,
    /// `idn-email`
    IdnEmail,
    /// `idn-hostname`
    IdnHostname,
    /// `iri`
    Iri,
    /// `iri-reference`
    IriReference,
    /// `json-pointer`
    JsonPointer,
    /// `regex`
    Regex,
    /// `relative-json-pointer`
    RelativeJsonPointer,
    /// `time`
    Time,
    /// `uri`
    Uri,
    /// `uri-reference`
    UriReference,
    /// `uri-template`
    UriTemplate,
}

impl TextFormat {
    /// The format that a document calls so, if it is checked.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "password" => Self::Password,
            "binary" => Self::Binary,
            "uuid" => Self::Uuid,
            "date-time" => Self::DateTime,
            "date" => Self::Date,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            _ => Self::Checked(Grammar::named(word)?),
        })
    }
}

impl Grammar {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "byte" => Self::Byte,
            "duration" => Self::Duration,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "idn-email" => Self::IdnEmail,
            "idn-hostname" => Self::IdnHostname,
            "iri" => Self::Iri,
            "iri-reference" => Self::IriReference,
            "json-pointer" => Self::JsonPointer,
            "regex" => Self::Regex,
            "relative-json-pointer" => Self::RelativeJsonPointer,
            "time" => Self::Time,
            "uri" => Self::Uri,
            "uri-reference" => Self::UriReference,
            "uri-template" => Self::UriTemplate,
            _ => return None,
        })
    }
}

/// A pattern, already known to translate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    /// As the document writes it (ECMA-262).
    pub source: String,
    /// The same language for the linear-time engine, without the look-around.
    pub translated: String,
    /// Its look-around: each is asked of the whole text.
    pub around: Vec<Around>,
}

/// Look-around of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Around {
    /// For the linear-time engine.
    pub translated: String,
    /// Whether it must match, or must not.
    pub holds: bool,
}

/// How many: `minLength`/`maxLength`, `minItems`/`maxItems`, `minProperties`/`maxProperties`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// At least.
    pub min: Option<usize>,
    /// At most.
    pub max: Option<usize>,
}

/// `array`
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// What each item must be.
    pub items: Schema,
    /// `minItems` and `maxItems`.
    pub counts: Counts,
    /// `uniqueItems`
    pub unique: bool,
}

/// `object` with `additionalProperties` and no `properties`.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// What each value must be.
    pub values: Schema,
    /// `minProperties` and `maxProperties`.
    pub counts: Counts,
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `components.schemas.<name>`.
    Component(String),
    /// Inline: the words on the way to it, from the outermost named thing, e.g. `["createTransfer", "body"]`,
    /// `["Account", "address"]`, `["listTransfers", "direction"]`, `["Orders", "item"]`.
    Inline(Vec<String>),
}

/// What a definition is.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A struct.
    Object(Object),
    /// An enumeration of strings.
    Words(Words),
    /// JSON that is checked by the keywords of its schema: Rust has no word for it. It says itself whether it may be
    /// `null`.
    Checked(ShapeId),
    /// Another name for a type that needs none: a scalar, array, map, or a reference. Never on a cycle of aliases
    /// alone (`check` refuses one).
    Alias(Schema),
}

/// `object` with declared members.
#[derive(Clone, Debug)]
pub struct Object {
    /// The members, in the order of the document.
    pub members: Vec<Member>,
    /// Whether members that are not declared are let through (and dropped) rather than refused.
    pub open: bool,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name on the wire.
    pub name: String,
    /// What it must be.
    pub schema: Schema,
    /// Whether an object without it is refused.
    pub required: bool,
    /// What the document says about it.
    pub docs: Docs,
    /// `const`, `example`, `examples`, `default` of the schema, in this order.
    pub examples: Vec<Literal>,
}

/// An enumeration of strings.
#[derive(Clone, Debug)]
pub struct Words {
    /// The words, in the order of the document, each once.
    pub words: Vec<String>,
}
