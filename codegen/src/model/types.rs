//! Types: what a value must be.
//!
//! A [`Schema`] stands at a place of use. What has a name of its own (a component; an inline object or enumeration)
//! is a [`Definition`](super::Definition) in the table, and a schema refers to it by id, so recursion is a matter of ids.

use std::hash::{Hash, Hasher};

use super::TypeId;

/// What a value must be in one place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Integer {
    /// How large.
    pub format: IntegerFormat,
    /// Its bounds. Each fits the format.
    pub bounds: Bounds<i128>,
}

/// How large an integer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names of Rust and OpenAPI")]
pub enum IntegerFormat {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl IntegerFormat {
    /// Every one, smallest first.
    const ALL: [Self; 8] =
        [Self::I8, Self::U8, Self::I16, Self::U16, Self::I32, Self::U32, Self::I64, Self::U64];

    /// The format that a document calls this.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }

    /// What documents call it (OpenAPI's registry of formats).
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
        }
    }

    /// Its type in Rust.
    #[must_use]
    pub const fn rust(self) -> &'static str {
        match self {
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
        }
    }

    /// Its smallest and its largest value.
    #[must_use]
    pub const fn range(self) -> (i128, i128) {
        match self {
            Self::I8 => (i8::MIN as i128, i8::MAX as i128),
            Self::I16 => (i16::MIN as i128, i16::MAX as i128),
            Self::I32 => (i32::MIN as i128, i32::MAX as i128),
            Self::I64 => (i64::MIN as i128, i64::MAX as i128),
            Self::U8 => (0, u8::MAX as i128),
            Self::U16 => (0, u16::MAX as i128),
            Self::U32 => (0, u32::MAX as i128),
            Self::U64 => (0, u64::MAX as i128),
        }
    }
}

/// `number`
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// How precise.
    pub format: NumberFormat,
    /// Its bounds. All are finite, so that each equals itself.
    pub bounds: Bounds<f64>,
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.format.hash(state);
    }
}

/// How precise a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberFormat {
    /// `float`
    F32,
    /// `double`, and when the document says nothing.
    F64,
    /// `decimal`: exactly as it is written.
    Decimal,
}

/// Bounds of a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Text {
    /// Its format.
    pub format: TextFormat,
    /// `minLength` and `maxLength`, in characters.
    pub length: Counts,
    /// `pattern`
    pub pattern: Option<Pattern>,
    /// `contentEncoding`: whether it is bytes in an encoding, which is not checked.
    pub encoded: bool,
}

/// The formats that the runtime decodes or checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grammar {
    /// `byte`: base64 (RFC 4648 section 4).
    Byte,
    /// `base64url`: RFC 4648 section 5.
    Base64Url,
    /// `decimal` of a string; that of a number is a type.
    Decimal,
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

    /// How short and how long the values of a format are, where nothing but the format says so.
    pub(crate) const fn lengths(self) -> (u64, u64) {
        match self {
            Self::Uuid => (36, 36),
            Self::Date => (10, 10),
            Self::Ipv4 => (7, 15),
            Self::Ipv6 => (2, 45),
            // RFC 3339 section 5.6, without a fraction and in UTC
            Self::DateTime => (20, u64::MAX),
            Self::Checked(Grammar::Time) => (9, u64::MAX),
            // RFC 3339 appendix A: `P1D`; RFC 5321 section 4.1.2: `a@b`
            Self::Checked(Grammar::Duration | Grammar::Email) => (3, u64::MAX),
            _ => (0, u64::MAX),
        }
    }

    /// Whether no text is of both formats. They are told apart by a letter that each value of one has and none of the other,
    /// or by how long they are.
    pub(crate) fn excludes(self, other: Self) -> bool {
        let is_apart = |format: &Self| {
            matches!(
                format,
                Self::Uuid
                    | Self::DateTime
                    | Self::Date
                    | Self::Ipv4
                    | Self::Ipv6
                    | Self::Checked(Grammar::Time | Grammar::Duration | Grammar::Email)
            )
        };
        self != other && [self, other].iter().all(is_apart)
    }
}

impl Grammar {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "byte" => Self::Byte,
            "base64url" => Self::Base64Url,
            "decimal" => Self::Decimal,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Counts {
    /// At least.
    pub min: Option<usize>,
    /// At most.
    pub max: Option<usize>,
}

/// `array`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Array {
    /// What each item must be.
    pub items: Schema,
    /// `minItems` and `maxItems`.
    pub counts: Counts,
    /// `uniqueItems`
    pub unique: bool,
}

/// `object` with `additionalProperties` and no `properties`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map {
    /// What each value must be.
    pub values: Schema,
    /// `minProperties` and `maxProperties`.
    pub counts: Counts,
}
