//! [`Tree`]: JSON as it was written, for the careful pass.
//!
//! Members keep their order and may come twice (then they say so); numbers keep their digits.

use std::borrow::Cow;

use serde_json::Number;

use super::{At, Json, Violations};

/// A JSON value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The digits of a number, whose grammar is checked.
    Number(&'t str),
    /// A string, unescaped.
    Text(Cow<'t, str>),
    /// An array.
    List(Vec<Self>),
    /// An object, in the order it was written.
    Object(Vec<Entry<'t>>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'t> {
    /// Its name, unescaped.
    pub name: Cow<'t, str>,
    /// Its value.
    pub value: Tree<'t>,
    /// Whether a member of the same name came before.
    pub repeated: bool,
}

impl Tree<'_> {
    /// The string, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON of any shape: nothing twice, no number rounded.
    pub(super) fn to_json(&self, at: &At<'_>, out: &mut Violations) -> Option<Json> {
        Some(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Text(text) => Json::from(text.as_ref()),
            Self::Number(text) => {
                let number = number(text);
                if number.is_none() {
                    out.push(at, "type", "must be a number that can be held exactly, or a finite float");
                }
                Json::Number(number?)
            }
            Self::List(items) => {
                let values = items.iter().enumerate();
                Json::Array(
                    values.map(|(index, item)| item.to_json(&at.index(index), out)).collect::<Option<_>>()?,
                )
            }
            Self::Object(entries) => {
                let at = at.entry();
                let mut map = serde_json::Map::new();
                for entry in entries {
                    if entry.repeated {
                        out.push(&at, "duplicate", "must not have a member twice");
                        return None;
                    }
                    map.insert(entry.name.as_ref().to_owned(), entry.value.to_json(&at, out)?);
                }
                Json::Object(map)
            }
        })
    }
}

/// An integer exactly, or a float to the nearest.
fn number(text: &str) -> Option<Number> {
    let is_integer = !text.contains(['.', 'e', 'E']);
    match is_integer && text != "-0" {
        true => text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from)).ok(),
        false => Number::from_f64(text.parse().ok()?),
    }
}
