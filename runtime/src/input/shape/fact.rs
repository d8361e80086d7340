//! [`Fact`]: a JSON value of the document, as a constant.

use std::cmp::Ordering;

use serde_json::Number;

use super::super::Json;
use super::super::decimal::Decimal;

/// A JSON value of the document.
#[derive(Debug)]
#[allow(missing_docs, reason = "the kinds of JSON")]
pub enum Fact {
    Null,
    Bool(bool),
    /// Its digits, as the document writes them.
    Number(&'static str),
    Text(&'static str),
    List(&'static [Self]),
    /// Each name once.
    Object(&'static [(&'static str, Self)]),
}

impl Fact {
    /// Equality of JSON values (JSON Schema 2020-12 section 4.2.2): numbers by value, members in any order.
    pub(super) fn is(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Null, Json::Null) => true,
            (Self::Bool(fact), Json::Bool(value)) => fact == value,
            (Self::Number(fact), Json::Number(value)) => {
                compare(value, fact).is_some_and(|order| order == Ordering::Equal)
            }
            (Self::Text(fact), Json::String(value)) => fact == value,
            (Self::List(facts), Json::Array(values)) => {
                facts.len() == values.len() && facts.iter().zip(values).all(|(fact, value)| fact.is(value))
            }
            (Self::Object(facts), Json::Object(values)) => {
                facts.len() == values.len()
                    && facts.iter().all(|(name, fact)| values.get(*name).is_some_and(|value| fact.is(value)))
            }
            _ => false,
        }
    }
}

/// How a number stands to one of the document. `None`: one of them has more digits than can be compared.
pub(super) fn compare(value: &Number, of: &str) -> Option<Ordering> {
    Some(decimal(value)?.compare(&Decimal::read(of)?))
}

/// A number as the decimal that it is written as.
pub(super) fn decimal(number: &Number) -> Option<Decimal> {
    if let Some(value) = number.as_u64() {
        return Decimal::of(value);
    }
    match number.as_i64() {
        Some(value) => Decimal::of(value),
        None => Decimal::of(number.as_f64()?),
    }
}
