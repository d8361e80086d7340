//! A value for a schema that stays JSON: a guess along its keywords. The runtime checks it before it is sent.

use serde_json::{Map, Value};

use super::bounds;
use crate::model::{Api, Bounds, Integer, IntegerFormat, Keyword, Keywords, Kind, ShapeId};

/// Schemas inside each other, beyond which nothing is guessed.
const DEEP: usize = 12;

/// A value that may fit the shape.
pub(super) fn sample(api: &Api, shape: ShapeId, turn: usize) -> Option<Value> {
    guess(api, api.shapes.get(shape.position())?, turn, DEEP)
}

fn guess(api: &Api, shape: &Keywords, turn: usize, deep: usize) -> Option<Value> {
    let deep = deep.checked_sub(1)?;
    let mut object: Option<Map<String, Value>> = None;
    let mut found = None;
    for keyword in &shape.0 {
        let part = match keyword {
            Keyword::Never => return None,
            Keyword::Const(value) => return Some(value.to_literal()),
            Keyword::Enum(values) => return values.get(turn).map(crate::model::Value::to_literal),
            Keyword::Ref(id) => guess(api, api.shapes.get(id.position())?, turn, deep),
            Keyword::AllOf(parts) => {
                let parts: Vec<Value> =
                    parts.iter().filter_map(|part| guess(api, part, turn, deep)).collect();
                parts.into_iter().reduce(united)
            }
            Keyword::AnyOf(parts) | Keyword::OneOf(parts) => {
                parts.iter().find_map(|part| guess(api, part, turn, deep))
            }
            Keyword::Tagged(tagged) => tagged.words.iter().find_map(|(word, part)| {
                let mut value = guess(api, part, turn, deep)?;
                value.as_object_mut()?.insert(tagged.member.clone(), Value::from(word.as_str()));
                Some(value)
            }),
            Keyword::Properties { declared, .. } => {
                let mut members = Map::new();
                for (name, part) in declared.iter().filter(|(name, _)| is_required(shape, name)) {
                    members.insert(name.clone(), guess(api, part, turn, deep)?);
                }
                Some(Value::Object(members))
            }
            _ => None,
        };
        match part {
            Some(Value::Object(members)) => object.get_or_insert_default().extend(members),
            Some(other) => found = found.or(Some(other)),
            None => {}
        }
    }
    object.map(Value::Object).or(found).or_else(|| of_type(shape, turn))
}

fn is_required(shape: &Keywords, name: &str) -> bool {
    shape
        .0
        .iter()
        .any(|keyword| matches!(keyword, Keyword::Required(names) if names.iter().any(|one| one == name)))
}

fn united(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut members), Value::Object(more)) => {
            members.extend(more);
            Value::Object(members)
        }
        (one, _) => one,
    }
}

fn of_type(shape: &Keywords, turn: usize) -> Option<Value> {
    let kind = shape.0.iter().find_map(|keyword| match keyword {
        Keyword::Types(types) => types.first().copied(),
        _ => None,
    });
    Some(match kind {
        None | Some(Kind::String) => Value::from(format!("value {turn}")),
        Some(Kind::Null) => Value::Null,
        Some(Kind::Boolean) => Value::Bool(turn == 0),
        Some(Kind::Integer | Kind::Number) => {
            let plain = Integer { format: IntegerFormat::I64, bounds: Bounds::default() };
            Value::from(i64::try_from(bounds::integer(&plain, turn)?).ok()?)
        }
        Some(Kind::Array) => Value::Array(Vec::new()),
        Some(Kind::Object) => Value::Object(Map::new()),
    })
}
