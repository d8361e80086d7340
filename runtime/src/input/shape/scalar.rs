//! The keywords of every type, and those of numbers and strings.

use std::cmp::Ordering;

use serde_json::Number;

use super::super::decimal::Decimal;
use super::super::{At, Json, length, pattern};
use super::fact::{compare, decimal};
use super::told::Told;
use super::{Fact, JsonType, Keyword, stand_in};

/// A keyword over a value. One of another type says nothing about it.
pub(super) fn check(keyword: &'static Keyword, value: &Json, at: &At<'_>, told: &mut Told<'_>) {
    match (keyword, value) {
        (Keyword::Types(types), _) if !types.iter().any(|kind| kind.has(value)) => {
            told.broken_with(at, "type", || expected(types));
        }
        (Keyword::Enum(facts), _) if !facts.iter().any(|fact| fact.is(value)) => {
            told.broken_with(at, "enum", || one_of(facts, written));
        }
        (Keyword::Words(words), _) if !value.as_str().is_some_and(|value| words.contains(&value)) => {
            told.broken_with(at, "enum", || one_of(words, |word| format!("`{word}`")));
        }
        (Keyword::Const(fact), _) if !fact.is(value) => {
            told.broken_with(at, "const", || format!("must be {}", written(fact)));
        }
        (_, Json::Number(number)) => self::number(keyword, number, at, told),
        (_, Json::String(text)) => self::text(keyword, text, at, told),
        _ => {}
    }
}

fn number(keyword: &'static Keyword, value: &Number, at: &At<'_>, told: &mut Told<'_>) {
    let (holds, rule, relation, bound) = match keyword {
        Keyword::Minimum(bound) => {
            (compare(value, bound).is_some_and(Ordering::is_ge), "minimum", "at least", bound)
        }
        Keyword::Maximum(bound) => {
            (compare(value, bound).is_some_and(Ordering::is_le), "maximum", "at most", bound)
        }
        Keyword::ExclusiveMinimum(bound) => {
            (compare(value, bound).is_some_and(Ordering::is_gt), "exclusiveMinimum", "more than", bound)
        }
        Keyword::ExclusiveMaximum(bound) => {
            (compare(value, bound).is_some_and(Ordering::is_lt), "exclusiveMaximum", "less than", bound)
        }
        Keyword::MultipleOf(of) => (is_multiple(value, of), "multipleOf", "a multiple of", of),
        Keyword::Range(low, high) => {
            let whole = decimal(value).filter(|value| value.is_whole()).and_then(Decimal::to_integer);
            if !whole.is_some_and(|value| (*low..=*high).contains(&value)) {
                told.broken(at, "format", "must be an integer within the range of its format");
            }
            return;
        }
        _ => return,
    };
    if !holds {
        told.broken_with(at, rule, || format!("must be {relation} {bound}"));
    }
}

fn is_multiple(value: &Number, of: &str) -> bool {
    match (decimal(value), Decimal::read(of)) {
        (Some(value), Some(of)) => value.is_multiple_of(&of),
        _ => false,
    }
}

fn text(keyword: &'static Keyword, text: &str, at: &At<'_>, told: &mut Told<'_>) {
    if let Some(bytes) = stand_in::stands_for(text) {
        return stand_in::check(keyword, bytes, at, told);
    }
    match keyword {
        Keyword::Length(min, max) => told.run(|out| length(text, *min..=*max, at, out)),
        Keyword::Pattern(expression) => told.run(|out| pattern(text, expression, at, out)),
        Keyword::Format(check) => told.run(|out| check(text, at, out)),
        _ => {}
    }
}

impl JsonType {
    /// Whether the value is of the type. `1.0` is an integer (JSON Schema 2020-12 section 6.1.1).
    fn has(self, value: &Json) -> bool {
        match (self, value) {
            (Self::Null, Json::Null)
            | (Self::Boolean, Json::Bool(_))
            | (Self::Number, Json::Number(_))
            | (Self::String, Json::String(_))
            | (Self::Array, Json::Array(_))
            | (Self::Object, Json::Object(_)) => true,
            (Self::Integer, Json::Number(number)) => decimal(number).is_some_and(Decimal::is_whole),
            _ => false,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Null => "`null`",
            Self::Boolean => "`true` or `false`",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

fn expected(types: &[JsonType]) -> String {
    let words: Vec<&str> = types.iter().map(|kind| kind.words()).collect();
    format!("must be {}", words.join(" or "))
}

fn one_of<T>(values: &[T], written: impl Fn(&T) -> String) -> String {
    /// More values than these are not listed: the document has them.
    const LISTED: usize = 16;
    let listed: Vec<String> = values.iter().take(LISTED).map(written).collect();
    let more = if values.len() > LISTED { ", .." } else { "" };
    format!("must be one of {}{more}", listed.join(", "))
}

/// A value of the document, for a message. Large ones are only named.
fn written(fact: &Fact) -> String {
    match fact {
        Fact::Null => "`null`".to_owned(),
        Fact::Bool(value) => format!("`{value}`"),
        Fact::Number(digits) => format!("`{digits}`"),
        Fact::Text(text) => format!("`{text}`"),
        Fact::List(_) => "a certain array".to_owned(),
        Fact::Object(_) => "a certain object".to_owned(),
    }
}
