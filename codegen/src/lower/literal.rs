//! Defaults of parameters and members, as Rust expressions.

use proc_macro2::Ident;

use super::table::Table;
use crate::model::{Literal, NumberFormat, Schema, Shape, TextFormat, Type, WordValue};

/// A value to write down as an expression.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i128),
    Number(NumberFormat, f64),
    Text(String),
    /// Text of a format that is a Rust type: decoded as a request's would be.
    Parsed(String),
    /// A variant of an enumeration.
    Word(Ident, Ident),
    List(Vec<Self>),
    /// A map without entries.
    EmptyMap,
    /// What may be `null` and is not.
    Some(Box<Self>),
    Null,
}

/// How a value comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// As text, which knows no `null`.
    Text,
    Json,
}

impl Value {
    /// The value that `literal` is under `schema`. `None` when it is none; `check` refuses such a default.
    pub(super) fn of(table: &Table<'_>, schema: &Schema, literal: &Literal, medium: Medium) -> Option<Self> {
        if !schema.nullable || medium == Medium::Text {
            return Self::of_type(table, &schema.ty, literal, medium);
        }
        match literal {
            Literal::Null => Some(Self::Null),
            _ => Some(Self::Some(Box::new(Self::of_type(table, &schema.ty, literal, medium)?))),
        }
    }

    fn of_type(table: &Table<'_>, ty: &Type, literal: &Literal, medium: Medium) -> Option<Self> {
        match ty {
            Type::Boolean => literal.as_bool().map(Self::Bool),
            Type::Integer(_) => whole(literal).map(Self::Integer),
            Type::Number(number) => literal.as_f64().map(|value| Self::Number(number.format, value)),
            Type::Text(text) => literal.as_str().map(|value| match text.format {
                TextFormat::Plain | TextFormat::Checked(_) => Self::Text(value.to_owned()),
                TextFormat::Password
                | TextFormat::Binary
                | TextFormat::Uuid
                | TextFormat::DateTime
                | TextFormat::Date
                | TextFormat::Ipv4
                | TextFormat::Ipv6 => Self::Parsed(value.to_owned()),
            }),
            Type::Array(array) => {
                let items = literal.as_array()?.iter();
                let items = items.map(|item| Self::of(table, &array.items, item, medium));
                items.collect::<Option<Vec<_>>>().map(Self::List)
            }
            Type::Named(id) => match &table.api().types.get(*id).shape {
                Shape::Words(_) => {
                    let same = |known: &WordValue| match known {
                        WordValue::Integer(value) => whole(literal) == Some(*value),
                        other => other.to_literal() == *literal,
                    };
                    let (variant, _) = table.words(*id).iter().find(|(_, known)| same(&known.value))?;
                    Some(Self::Word(table.name(*id), variant.clone()))
                }
                Shape::Alias(schema) => Self::of(table, schema, literal, medium),
                Shape::Object(_) => None,
                Shape::Union(_) | Shape::Checked(_) if medium == Medium::Json => None,
                // read as a request's would be
                Shape::Union(_) | Shape::Checked(_) => scalar(literal).map(Self::Parsed),
            },
            Type::Map(_) if literal.as_object().is_some_and(serde_json::Map::is_empty) => {
                Some(Self::EmptyMap)
            }
            Type::Any | Type::Map(_) => None,
        }
    }
}

/// A scalar as the text of a parameter.
fn scalar(literal: &Literal) -> Option<String> {
    match literal {
        Literal::String(text) => Some(text.clone()),
        Literal::Number(number) => Some(number.to_string()),
        Literal::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// JSON writes whole numbers as `20`, and JSON Schema takes `20.0` for one as well.
fn whole(literal: &Literal) -> Option<i128> {
    if let Some(value) = literal.as_i64() {
        return Some(value.into());
    }
    if let Some(value) = literal.as_u64() {
        return Some(value.into());
    }
    let value = literal.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53: exact")]
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i128)
}
