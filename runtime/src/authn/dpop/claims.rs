//! The claims of a proof (RFC 9449 section 4.2), read in one pass, borrowing from its payload.

use std::borrow::Cow;

use serde::de::MapAccess;
use serde_json::Value;

use crate::authn::jwt::json::{Members, Whole, Why, once, text};

/// A JSON object that names no member twice, at any level, with claims of their types.
#[derive(Default)]
pub(super) struct Claims<'a> {
    pub(super) method: Option<Cow<'a, str>>,
    pub(super) target: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    /// `ath`
    pub(super) token: Option<Cow<'a, str>>,
    pub(super) issued: Option<f64>,
    /// Where nobody asks for one it may be anything.
    pub(super) nonce: Option<Value>,
}

impl<'de> Members<'de> for Claims<'de> {
    const WHAT: &'static str = "the claims of a proof";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
        why: &Why,
    ) -> Result<bool, A::Error> {
        match name {
            "htm" => text(&mut self.method, members, why)?,
            "htu" => text(&mut self.target, members, why)?,
            "jti" => text(&mut self.id, members, why)?,
            "ath" => text(&mut self.token, members, why)?,
            "iat" => once(&mut self.issued, members.next_value()?, why)?,
            "nonce" => once(&mut self.nonce, members.next_value_seed(Whole(why))?, why)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
