//! Reads the claims of a token in one pass, borrowing from its payload.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::{
    super::json::{Members, Object, Text, Why, once, text},
    Expected,
    named::{Named, Wanted},
};
use crate::authn::binding::Confirmation;

#[derive(Default)]
pub(super) struct Claims<'a> {
    pub(super) issuer: Option<Cow<'a, str>>,
    pub(super) audience_is_ours: Option<bool>,
    pub(super) sub: Option<Cow<'a, str>>,
    pub(super) client: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) scopes: Option<Cow<'a, str>>,
    pub(super) tenant: Option<Cow<'a, str>>,
    pub(super) exp: Option<f64>,
    pub(super) nbf: Option<f64>,
    pub(super) iat: Option<f64>,
    pub(super) id_token: bool,
    pub(super) acr: Option<Cow<'a, str>>,
    pub(super) auth_time: Option<f64>,
    pub(super) confirmation: Option<Confirmation<'a>>,
    pub(super) active: Option<bool>,
    pub(super) token_type: Option<Cow<'a, str>>,
}

pub(super) struct Reader<'a, 'de> {
    pub(super) claims: Claims<'de>,
    expected: &'a Expected<'a>,
    wanted: Wanted<'a>,
    /// Whether the claim that scopes are in was there.
    scoped: Option<()>,
    /// Whether that was which the tenant is in.
    tenanted: Option<()>,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn new(expected: &'a Expected<'a>) -> Self {
        let wanted = Wanted::of(expected);
        Self { claims: Claims::default(), expected, wanted, scoped: None, tenanted: None }
    }
}

impl<'de> Members<'de> for Reader<'_, 'de> {
    const WHAT: &'static str = "a claims set";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
        why: &Why,
    ) -> Result<bool, A::Error> {
        let Self { claims, expected, wanted, scoped, tenanted } = self;
        match name {
            "iss" => text(&mut claims.issuer, members, why)?,
            "aud" => {
                let ours = members.next_value_seed(Contains(expected.audience.unwrap_or_default()))?;
                once(&mut claims.audience_is_ours, ours, why)?;
            }
            "exp" => once(&mut claims.exp, members.next_value_seed(Time)?, why)?,
            "nbf" => once(&mut claims.nbf, members.next_value_seed(Time)?, why)?,
            "iat" => once(&mut claims.iat, members.next_value_seed(Time)?, why)?,
            // RFC 9470 section 6.1
            "acr" => text(&mut claims.acr, members, why)?,
            "auth_time" => once(&mut claims.auth_time, members.next_value_seed(Time)?, why)?,
            "sub" => text(&mut claims.sub, members, why)?,
            "jti" => text(&mut claims.id, members, why)?,
            // RFC 7800 section 3: the token is good only in the hands of who holds this key
            "cnf" => {
                let mut confirmation = Confirmation::default();
                members.next_value_seed(Object(&mut confirmation, why))?;
                once(&mut claims.confirmation, confirmation, why)?;
            }
            "client_id" => text(&mut claims.client, members, why)?,
            "active" if expected.profile.is_told() => once(&mut claims.active, members.next_value()?, why)?,
            "token_type" if expected.profile.is_told() => text(&mut claims.token_type, members, why)?,
            other => {
                claims.id_token |= matches!(other, "nonce" | "at_hash");
                let Some(wanted) = wanted.below(other) else { return Ok(false) };
                let found = members.next_value_seed(Named { wanted, why })?;
                if wanted.scopes.is_some() {
                    once(scoped, (), why)?;
                    claims.scopes = found.scopes;
                }
                if wanted.tenant.is_some() {
                    once(tenanted, (), why)?;
                    claims.tenant = found.tenant;
                }
            }
        }
        Ok(true)
    }
}

/// A NumericDate (RFC 7519 section 2): a finite number, never a string.
struct Time;

impl<'de> DeserializeSeed<'de> for Time {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Time {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<f64, E> {
        Ok(seconds as f64)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<f64, E> {
        Ok(seconds as f64)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<f64, E> {
        if seconds.is_finite() { Ok(seconds) } else { Err(E::custom("not finite")) }
    }
}

/// Whether a string is the text, or an array of strings contains it (RFC 7519 section 4.1.3).
struct Contains<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Contains<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Contains<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        Ok(text == self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Text(item)) = items.next_element()? {
            found |= item == self.0;
        }
        Ok(found)
    }
}

/// `cnf`: what the token is bound to.
impl<'de> Members<'de> for Confirmation<'de> {
    const WHAT: &'static str = "an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
        why: &Why,
    ) -> Result<bool, A::Error> {
        match name {
            "x5t#S256" => text(&mut self.certificate, members, why)?,
            "jkt" => text(&mut self.key, members, why)?,
            _ => {
                self.others = true;
                return Ok(false);
            }
        }
        Ok(true)
    }
}
