//! JSON and YAML as one tree that remembers where each node stands.

use std::fmt;

use super::span::Place;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// The JSON data model. Numbers stay text: `f64` would change limits beyond 2^53.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// In the grammar of RFC 8259 section 6, whatever the file's notation was.
    Number(Box<str>),
    String(Box<str>),
    Array(Vec<Node>),
    Object(Object),
}

/// Members in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    members: Vec<Member>,
    /// Positions sorted by key; only for objects so large that a scan would show.
    index: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: Box<str>,
    pub(crate) key_place: Place,
    pub(crate) node: Node,
}

const INDEX_FROM: usize = 16;

impl Object {
    /// Builds the object; members whose key stood before are left out and returned, each with the place of the first.
    pub(crate) fn new(mut members: Vec<Member>) -> (Self, Vec<(Member, Place)>) {
        let mut order: Vec<u32> = (0..u32::try_from(members.len()).unwrap_or(u32::MAX)).collect();
        let key = |at: &u32| members.get(*at as usize).map(|member| &member.key);
        order.sort_by(|one, other| key(one).cmp(&key(other)).then(one.cmp(other)));
        let twice: Vec<(u32, u32)> = order
            .windows(2)
            .filter_map(|pair| match pair {
                [first, second] if key(first) == key(second) => Some((*first, *second)),
                _ => None,
            })
            .collect();
        if twice.is_empty() {
            let index = if members.len() > INDEX_FROM { order } else { Vec::new() };
            return (Self { members, index }, Vec::new());
        }
        let mut repeated = Vec::new();
        let mut later: Vec<(u32, Place)> = twice
            .iter()
            .filter_map(|(first, second)| Some((*second, members.get(*first as usize)?.key_place)))
            .collect();
        later.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        for (at, first) in later {
            repeated.push((members.remove(at as usize), first));
        }
        repeated.reverse();
        (Self::new(members).0, repeated)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Member> {
        self.members.get(self.position(key)?)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let at = self.position(key)?;
        self.members.get_mut(at).map(|member| &mut member.node)
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            return self.members.iter().position(|member| &*member.key == key);
        }
        let at = self
            .index
            .binary_search_by(|at| self.members.get(*at as usize).map(|member| &*member.key).cmp(&Some(key)))
            .ok()?;
        self.index.get(at).map(|at| *at as usize)
    }

    /// Changes the members. Keys stay different from each other: whoever adds one looks first.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Vec<Member>)) {
        let mut members = std::mem::take(&mut self.members);
        change(&mut members);
        *self = Self::new(members).0;
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }
}

impl Node {
    pub(crate) fn as_object(&self) -> Option<&Object> {
        match &self.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The member `key`, when this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_object()?.get(key).map(|member| &member.node)
    }

    /// How many values it is, itself among them.
    pub(crate) fn count(&self) -> usize {
        1 + match &self.value {
            Value::Array(items) => items.iter().map(Self::count).sum::<usize>(),
            Value::Object(object) => object.members.iter().map(|member| member.node.count()).sum(),
            _ => 0,
        }
    }

    /// In the words of JSON, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The value as a text that every node of the same value has, and no other.
    pub(crate) fn canonical(&self) -> String {
        match &self.value {
            Value::Number(text) => crate::normalise::number::canonical(text),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::canonical).collect();
                format!("[{}]", items.join(","))
            }
            Value::Object(object) => {
                let mut members: Vec<&Member> = object.members.iter().collect();
                members.sort_by(|one, other| one.key.cmp(&other.key));
                let members: Vec<String> = members
                    .iter()
                    .map(|member| format!("{:?}:{}", member.key, member.node.canonical()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
            Value::String(text) => format!("{text:?}"),
            Value::Null | Value::Bool(_) => self.to_string(),
        }
    }

    /// Equality of JSON values (RFC 8259 has no order of members): places do not count, numbers by value.
    pub(crate) fn same_value(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(one), Value::Bool(other)) => one == other,
            (Value::Number(one), Value::Number(other)) => crate::normalise::number::same(one, other),
            (Value::String(one), Value::String(other)) => one == other,
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same_value(other))
            }
            (Value::Object(one), Value::Object(other)) => {
                one.members.len() == other.members.len()
                    && one.members.iter().all(|member| {
                        other.get(&member.key).is_some_and(|found| found.node.same_value(&member.node))
                    })
            }
            _ => false,
        }
    }
}

/// As JSON text.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match &self.value {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(text) => f.write_str(text),
            Value::String(text) => f.write_str(&quoted(text)),
            Value::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Value::Object(object) => {
                f.write_str("{")?;
                for (at, member) in object.members.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{}", quoted(&member.key), member.node)?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::testing::json;

    #[test]
    fn large_objects_find_every_member_and_no_other() {
        let text: Vec<String> = (0..100).map(|n| format!("\"k{n}\": {n}")).collect();
        let node = json(&format!("{{{}}}", text.join(",")));
        for n in 0..100 {
            assert_eq!(node.get(&format!("k{n}")).unwrap().to_string(), n.to_string());
        }
        assert!(node.get("k100").is_none());
    }

    #[test]
    fn equality_ignores_order_and_notation() {
        assert!(json(r#"{"a":1,"b":[2.0]}"#).same_value(&json(r#"{"b":[2],"a":1e0}"#)));
        assert!(!json(r#"{"a":1}"#).same_value(&json(r#"{"a":1,"b":2}"#)));
        assert!(!json("9007199254740993").same_value(&json("9007199254740992")));
        let values =
            ["1", "1.0", "10e-1", "0", "-0", "\"1\"", "[1,2]", "[1.0,2]", "[12]", "null", "1e999999999999"];
        let more = [r#"{"a":1,"b":[2.0]}"#, r#"{"b":[2],"a":1e0}"#, r#"{"a":1}"#, r#"{"a:1,\"b":1}"#];
        let nodes: Vec<_> = values.iter().chain(&more).map(|text| json(text)).collect();
        for (one, other) in nodes.iter().flat_map(|one| nodes.iter().map(move |other| (one, other))) {
            assert_eq!(one.same_value(other), one.canonical() == other.canonical(), "{one} {other}");
        }
    }
}
