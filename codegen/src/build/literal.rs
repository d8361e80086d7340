//! Values of the document as `serde_json` values: for examples and defaults, never for limits.

use crate::model::Literal;
use crate::source::tree::{Node, Value};

/// The value of a node. Integers that fit 64 bits are exact; others become the nearest `f64`.
pub(crate) fn literal(node: &Node) -> Literal {
    match &node.value {
        Value::Null => Literal::Null,
        Value::Bool(value) => Literal::Bool(*value),
        Value::Number(text) => serde_json::from_str(text).unwrap_or(Literal::Null),
        Value::String(text) => Literal::from(&**text),
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(object) => Literal::Object(
            object.members().iter().map(|member| (member.key.to_string(), literal(&member.node))).collect(),
        ),
    }
}
