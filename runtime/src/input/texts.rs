//! Strings of a JSON object, read beside its decoding: for the limits that count by them, and the accounts of logins.

use std::fmt;

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

/// The strings that stand at these members, the first of each. Where the text is no JSON object, or a member is no string,
/// there are none: such a body is refused by what decodes it.
pub(super) fn texts(json: &[u8], members: &[&'static str]) -> Vec<(&'static str, String)> {
    let mut from = serde_json::Deserializer::from_slice(json);
    from.deserialize_map(Texts(members)).unwrap_or_default()
}

struct Texts<'m>(&'m [&'static str]);

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = Vec<(&'static str, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Self::Value = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match self.0.iter().find(|member| **member == name) {
                Some(member) if !found.iter().any(|(known, _)| known == member) => {
                    found.push((member, map.next_value()?));
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_by_name_and_nothing_else() {
        let found = |json: &str| texts(json.as_bytes(), &["user", "realm"]);
        assert_eq!(
            found(r#"{"realm":"r","x":{"user":"no"},"\u0075ser":"\u0061lice"}"#),
            [("realm", "r".to_owned()), ("user", "alice".to_owned())]
        );
        for none in ["", "[]", "{", r#"{"user":7}"#, r#"{"user":null}"#, r#""user""#] {
            assert_eq!(found(none), [], "{none}");
        }
    }
}
