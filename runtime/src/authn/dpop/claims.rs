//! The claims of a proof (RFC 9449 section 4.2), read in one pass, borrowing from its payload.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};
use serde_json::Value;

use super::ProofFault;
use crate::authn::{
    Reason,
    jwt::json::{self, Names, Skip, Text, Whole, Why, once},
};

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

impl<'a> Claims<'a> {
    /// Reads the decoded payload: a JSON object that names no member twice, at any level, with claims of their types.
    pub(super) fn parse(payload: &'a [u8]) -> Result<Self, ProofFault> {
        let why = Why::default();
        json::parse(payload, Reader(&why), &why).map_err(|_| ProofFault::Malformed)
    }
}

struct Reader<'w>(&'w Why);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Claims<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Claims<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of a proof")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let why = self.0;
        let (mut claims, mut others) = (Claims::default(), Names::default());
        while let Some(Text(name)) = members.next_key()? {
            match &*name {
                "htm" => once(&mut claims.method, members.next_value::<Text<'de>>()?.0, why)?,
                "htu" => once(&mut claims.target, members.next_value::<Text<'de>>()?.0, why)?,
                "jti" => once(&mut claims.id, members.next_value::<Text<'de>>()?.0, why)?,
                "ath" => once(&mut claims.token, members.next_value::<Text<'de>>()?.0, why)?,
                "iat" => once(&mut claims.issued, members.next_value()?, why)?,
                "nonce" => once(&mut claims.nonce, members.next_value_seed(Whole(why))?, why)?,
                _ => {
                    if !others.add(name) {
                        return Err(why.fail(Reason::DuplicateMember));
                    }
                    members.next_value_seed(Skip(why))?;
                }
            }
        }
        Ok(claims)
    }
}
