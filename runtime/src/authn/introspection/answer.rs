//! What an introspection endpoint answers (RFC 7662 section 2.2): whether the token is active at all.

use std::borrow::Cow;

use bytes::Bytes;
use serde::de::MapAccess;

use super::Verdict;
use crate::authn::jwt::json::{self, Members, Why, once, text};

/// Reads an answer: one JSON object, no member twice at any level, `active` a boolean. Else it is none. `word`: the type of
/// token that is asked about, as `Authorization` names it.
pub(super) fn read(body: Bytes, word: &str) -> Option<Verdict> {
    let status: Status<'_> = json::object(&body).ok()?;
    let active = status.active?;
    // RFC 6749 section 7.1: a token of a type that the client does not know must not be used; its case is free
    let known = status.token_type.is_none_or(|of| of.eq_ignore_ascii_case(word));
    Some(if active && known { Verdict::Active(body) } else { Verdict::Inactive })
}

#[derive(Default)]
struct Status<'a> {
    active: Option<bool>,
    token_type: Option<Cow<'a, str>>,
}

impl<'de> Members<'de> for Status<'de> {
    const WHAT: &'static str = "an answer about a token";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
        why: &Why,
    ) -> Result<bool, A::Error> {
        match name {
            "active" => once(&mut self.active, members.next_value()?, why)?,
            "token_type" => text(&mut self.token_type, members, why)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str) -> Option<bool> {
        read(Bytes::from_static(text.as_bytes()), "Bearer").map(|verdict| verdict != Verdict::Inactive)
    }

    #[test]
    fn only_the_boolean_true_is_active() {
        assert_eq!(of(r#"{"active":true}"#), Some(true));
        assert_eq!(of(r#"{"x":[{"y":1}],"active":true,"token_type":"bearer"}"#), Some(true));
        assert_eq!(of(r#"{"active":false}"#), Some(false));
        assert_eq!(of(r#"{"active":true,"token_type":"DPoP"}"#), Some(false));
        for none in [
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":null}"#,
            r#"{"Active":true}"#,
            r#"{"active":false,"active":true}"#,
            r#"{"active":true,"a":{"b":1,"b":2}}"#,
            r#"{"active":true,"token_type":7}"#,
            r#"[{"active":true}]"#,
            r#"{"active":true} x"#,
            "{}",
            "true",
            "",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    /// RFC 9449 section 6.2.
    #[test]
    fn a_token_is_of_the_type_that_it_comes_under() {
        let bound = Bytes::from_static(br#"{"active":true,"token_type":"DPoP"}"#);
        assert_eq!(read(bound.clone(), "DPoP"), Some(Verdict::Active(bound.clone())));
        assert_eq!(read(bound, "Bearer"), Some(Verdict::Inactive));
        let free = Bytes::from_static(br#"{"active":true,"token_type":"Bearer"}"#);
        assert_eq!(read(free, "DPoP"), Some(Verdict::Inactive));
    }
}
