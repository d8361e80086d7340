//! [`Tree`]: JSON as it was written, for the careful pass.
//!
//! Members keep their order and may come twice (then they say so); numbers keep their digits.

use std::borrow::Cow;

use serde_json::Number;

use super::{At, Expected, Json, Upload, Violations};

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
    /// Text without a type, of a parameter or a form: what reads it says what it is.
    Plain(Cow<'t, str>),
    /// `name[a]=1` of a parameter or a form: an object, or a list when its names are `[]` or count from `[0]`.
    Brackets(Vec<Entry<'t>>),
    /// A file of a form.
    File(&'t Upload),
    /// What could not be read at all, and why.
    Wrong(Expected),
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
            Self::Text(text) | Self::Plain(text) => Some(text),
            _ => None,
        }
    }

    /// The text without a type, if it is that.
    pub(super) fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it can be read as a list. A text without a type is a list of one.
    pub(super) fn items(&self) -> Option<Vec<&Self>> {
        match self {
            Self::List(items) => Some(items.iter().collect()),
            Self::Plain(_) => Some(vec![self]),
            Self::Brackets(entries) if counts(entries) => {
                Some(entries.iter().map(|entry| &entry.value).collect())
            }
            _ => None,
        }
    }

    /// The members, if it can be read as an object.
    pub(super) fn entries(&self) -> Option<&[Entry<'_>]> {
        match self {
            Self::Object(entries) | Self::Brackets(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it comes from a parameter or a form, at least in part: there are texts in it that say nothing of types, or
    /// files.
    pub(super) fn is_untyped(&self) -> bool {
        match self {
            Self::Plain(_) | Self::Wrong(_) | Self::File(_) => true,
            Self::List(items) => items.iter().any(Self::is_untyped),
            Self::Object(entries) | Self::Brackets(entries) => {
                entries.iter().any(|entry| entry.value.is_untyped())
            }
            _ => false,
        }
    }

    /// Whether there is a file in it.
    pub(super) fn has_file(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::List(items) => items.iter().any(Self::has_file),
            Self::Object(entries) | Self::Brackets(entries) => {
                entries.iter().any(|entry| entry.value.has_file())
            }
            _ => false,
        }
    }

    /// How many values there are, itself among them.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::List(items) => items.iter().map(Self::size).sum::<usize>().saturating_add(1),
            Self::Object(entries) | Self::Brackets(entries) => {
                entries.iter().map(|entry| entry.value.size()).sum::<usize>().saturating_add(1)
            }
            _ => 1,
        }
    }

    /// Whether it is an object that would be a list, if its names stood in brackets.
    pub(crate) fn is_numbered(&self) -> bool {
        matches!(self, Self::Object(entries) if !entries.is_empty() && counts(entries))
    }

    /// Whether its names in brackets can be those of a list.
    pub(super) fn counts(&self) -> bool {
        matches!(self, Self::Brackets(entries) if counts(entries))
    }

    /// As JSON of any shape: nothing twice, no number rounded.
    pub(super) fn to_json(&self, at: &At<'_>, out: &mut Violations) -> Option<Json> {
        Some(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            // A text without a type is a string where every type is allowed.
            Self::Text(text) | Self::Plain(text) => Json::from(text.as_ref()),
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
            Self::Wrong(expected) => {
                expected.clone().push(at, out);
                return None;
            }
            Self::File(file) => {
                if file.text().is_none() {
                    out.push(at, "type", "must be a short text in UTF-8");
                }
                Json::from(file.text()?)
            }
            Self::Brackets(entries) if counts(entries) => {
                let values = entries.iter().enumerate();
                let items = values.map(|(index, entry)| entry.value.to_json(&at.index(index), out));
                Json::Array(items.collect::<Option<_>>()?)
            }
            Self::Object(entries) | Self::Brackets(entries) => {
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

/// Whether bracketed names are those of a list: all `[]`, or `[0]`, `[1]` and so on.
fn counts(entries: &[Entry<'_>]) -> bool {
    let numbered = |(index, entry): (usize, &Entry<'_>)| entry.name == index.to_string();
    entries.iter().all(|entry| entry.name.is_empty()) || entries.iter().enumerate().all(numbered)
}

/// An integer exactly, or a float to the nearest.
fn number(text: &str) -> Option<Number> {
    let is_integer = !text.contains(['.', 'e', 'E']);
    match is_integer && text != "-0" {
        true => text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from)).ok(),
        false => Number::from_f64(text.parse().ok()?),
    }
}
