//! The checks of a value, as the generated closure runs them. Names of types are looked through: a constraint of an
//! alias is checked wherever the alias is used. Structs and enumerations check themselves.

use proc_macro2::Ident;

use super::plan::Patterns;
use crate::model::{Api, Bounds, Counts, Grammar, NumberFormat, Schema, Shape, Text, TextFormat, Type};

/// One check, or checks of a part.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// A bound of a number: the runtime's function, and the bound.
    Bound(&'static str, Bound),
    /// `minLength`, `maxLength`.
    Length(Counts),
    /// `minLength`, `maxLength` of bytes.
    Size(Counts),
    /// `pattern`: the static that holds it.
    Pattern(Ident),
    /// A format that the Rust type does not assure: the runtime's function.
    Format(&'static str),
    /// `minItems`, `maxItems`.
    Items(Counts),
    /// `uniqueItems`.
    UniqueItems,
    /// `minProperties`, `maxProperties`.
    Members(Counts),
    /// Of each item of a list.
    EachItem(Vec<Self>),
    /// Of each value of a map.
    EachValue(Vec<Self>),
    /// Of the text of a password.
    Exposed(Vec<Self>),
    /// Of the text that a value of a Rust type is written as, e.g. a pattern on a `uuid`.
    Written(Vec<Self>),
    /// Of the value, when it is not `null`.
    Present(Vec<Self>),
}

/// A bound, of the type of what it bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    Integer(i128),
    Number(NumberFormat, f64),
}

impl Check {
    /// Whether it needs the pattern in the static `name`.
    pub(crate) fn needs_pattern(&self, name: &Ident) -> bool {
        match self {
            Self::Pattern(pattern) => pattern == name,
            Self::EachItem(inner)
            | Self::EachValue(inner)
            | Self::Exposed(inner)
            | Self::Written(inner)
            | Self::Present(inner) => inner.iter().any(|check| check.needs_pattern(name)),
            Self::Bound(..)
            | Self::Length(_)
            | Self::Size(_)
            | Self::Format(_)
            | Self::Items(_)
            | Self::UniqueItems
            | Self::Members(_) => false,
        }
    }
}

/// The checks of a value of `schema`, and the patterns they need.
pub(crate) fn checks(api: &Api, patterns: &mut Patterns, schema: &Schema) -> Vec<Check> {
    let inner = of_type(api, patterns, &schema.ty);
    if schema.nullable && !inner.is_empty() && !matches!(schema.ty, Type::Any) {
        return vec![Check::Present(inner)];
    }
    inner
}

/// The checks of a value that is there.
pub(crate) fn of_type(api: &Api, patterns: &mut Patterns, ty: &Type) -> Vec<Check> {
    match ty {
        Type::Any | Type::Boolean => Vec::new(),
        Type::Integer(integer) => bounds(&integer.bounds, Bound::Integer),
        Type::Number(number) => bounds(&number.bounds, |bound| Bound::Number(number.format, bound)),
        Type::Text(text) => of_text(patterns, text),
        Type::Array(array) => {
            let mut all = Vec::new();
            all.extend(stated(array.counts).map(Check::Items));
            all.extend(array.unique.then_some(Check::UniqueItems));
            all.extend(each(checks(api, patterns, &array.items)).map(Check::EachItem));
            all
        }
        Type::Map(map) => {
            let mut all = Vec::new();
            all.extend(stated(map.counts).map(Check::Members));
            all.extend(each(checks(api, patterns, &map.values)).map(Check::EachValue));
            all
        }
        Type::Named(id) => match &api.types.get(*id).shape {
            Shape::Alias(schema) => of_type(api, patterns, &schema.ty),
            Shape::Object(_) | Shape::Words(_) | Shape::Union(_) | Shape::Checked(_) => Vec::new(),
        },
    }
}

fn of_text(patterns: &mut Patterns, text: &Text) -> Vec<Check> {
    let mut all = Vec::new();
    if text.format == TextFormat::Binary {
        // `build` refuses a pattern of bytes
        return stated(text.length).map(Check::Size).into_iter().collect();
    }
    all.extend(stated(text.length).map(Check::Length));
    all.extend(checked_format(text.format).map(Check::Format));
    all.extend(text.pattern.as_ref().map(|pattern| Check::Pattern(patterns.name(pattern))));
    match text.format {
        _ if all.is_empty() => all,
        TextFormat::Password => vec![Check::Exposed(all)],
        TextFormat::Uuid | TextFormat::DateTime | TextFormat::Date | TextFormat::Ipv4 | TextFormat::Ipv6 => {
            vec![Check::Written(all)]
        }
        TextFormat::Plain | TextFormat::Checked(_) | TextFormat::Binary => all,
    }
}

/// The runtime's function for a format that the Rust type does not assure already.
pub(super) const fn checked_format(format: TextFormat) -> Option<&'static str> {
    match format {
        TextFormat::Checked(grammar) => Some(function(grammar)),
        TextFormat::Plain
        | TextFormat::Binary
        | TextFormat::Password
        | TextFormat::Uuid
        | TextFormat::DateTime
        | TextFormat::Date
        | TextFormat::Ipv4
        | TextFormat::Ipv6 => None,
    }
}

const fn function(grammar: Grammar) -> &'static str {
    match grammar {
        Grammar::Byte => "byte",
        Grammar::Base64Url => "base64url",
        Grammar::Decimal => "decimal_text",
        Grammar::Duration => "duration",
        Grammar::Email => "email",
        Grammar::Hostname => "hostname",
        Grammar::IdnEmail => "idn_email",
        Grammar::IdnHostname => "idn_hostname",
        Grammar::Iri => "iri",
        Grammar::IriReference => "iri_reference",
        Grammar::JsonPointer => "json_pointer",
        Grammar::Regex => "regex",
        Grammar::RelativeJsonPointer => "relative_json_pointer",
        Grammar::Time => "time",
        Grammar::Uri => "uri",
        Grammar::UriReference => "uri_reference",
        Grammar::UriTemplate => "uri_template",
    }
}

fn bounds<N: Copy>(bounds: &Bounds<N>, bound: impl Fn(N) -> Bound) -> Vec<Check> {
    [
        ("minimum", bounds.minimum),
        ("maximum", bounds.maximum),
        ("exclusive_minimum", bounds.exclusive_minimum),
        ("exclusive_maximum", bounds.exclusive_maximum),
        ("multiple_of", bounds.multiple_of),
    ]
    .into_iter()
    .filter_map(|(function, value)| Some(Check::Bound(function, bound(value?))))
    .collect()
}

fn stated(counts: Counts) -> Option<Counts> {
    (counts != Counts::default()).then_some(counts)
}

fn each(checks: Vec<Check>) -> Option<Vec<Check>> {
    (!checks.is_empty()).then_some(checks)
}
