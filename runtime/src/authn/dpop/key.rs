//! The key of a proof: in its header, and the one that the token is bound to.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde::de::MapAccess;
use serde_json::{Map, Value};

use super::{ProofFault, is_for_proofs};
use crate::{
    authn::{
        Reason,
        jwt::{
            algorithm::from_name,
            header::is_type,
            json::{self, Members, Whole, Why, once, text},
            jwk::read_shown,
            keys::Check,
        },
    },
    secret::ct_eq,
};

/// A key of a proof.
pub(super) struct Chosen {
    pub(super) check: Check,
    pub(super) thumbprint: [u8; 32],
}

/// Rules 2 and 3: the key of a proof with this header, for a token that is bound to `bound_to`, if there is one.
pub(super) fn choose(header: &[u8], bound_to: Option<&[u8; 32]>) -> Result<Chosen, Reason> {
    let header: Header<'_> = json::object(header).map_err(|_| ProofFault::Malformed)?;
    if !is_type(&header.typ.ok_or(ProofFault::Malformed)?, "dpop+jwt") {
        return Err(ProofFault::Type.into());
    }
    let algorithm = header.alg.as_deref().and_then(from_name);
    let algorithm = algorithm.filter(|algorithm| is_for_proofs(*algorithm)).ok_or(ProofFault::Algorithm)?;
    let Some(Value::Object(jwk)) = header.jwk else { return Err(ProofFault::Key.into()) };
    let thumbprint = thumbprint(&jwk).and_then(|digest| digest.as_ref().first_chunk().copied());
    let thumbprint = thumbprint.ok_or(ProofFault::Key)?;
    is_bound(&thumbprint, bound_to)?;
    // private and symmetric keys are refused as in a set that was fetched
    let check = read_shown(&jwk, algorithm).map_err(|_| ProofFault::Key)?;
    Ok(Chosen { check, thumbprint })
}

impl Chosen {
    /// This one, where the token is bound to it.
    pub(super) fn bound_to(self: Arc<Self>, bound_to: Option<&[u8; 32]>) -> Result<Arc<Self>, Reason> {
        is_bound(&self.thumbprint, bound_to)?;
        Ok(self)
    }
}

fn is_bound(thumbprint: &[u8; 32], to: Option<&[u8; 32]>) -> Result<(), Reason> {
    match to.is_none_or(|to| ct_eq(thumbprint, to)) {
        true => Ok(()),
        false => Err(Reason::BindingMismatch),
    }
}

/// RFC 7638 section 3: SHA-256 over the members that make the key, by name, without white space. `None` for a symmetric
/// key and for what is no key.
pub(super) fn thumbprint(jwk: &Map<String, Value>) -> Option<aws_lc_rs::digest::Digest> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut text = Vec::with_capacity(256);
    for name in names {
        text.extend_from_slice(if text.is_empty() { b"{\"" } else { b",\"" });
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\":");
        serde_json::to_writer(&mut text, jwk.get(*name)?.as_str()?).ok()?;
    }
    text.push(b'}');
    Some(digest(&SHA256, &text))
}

/// What is read of a header: a JSON object that names no member twice, at any level, and none that a proof may not have.
#[derive(Default)]
struct Header<'a> {
    typ: Option<Cow<'a, str>>,
    alg: Option<Cow<'a, str>>,
    jwk: Option<Value>,
}

impl<'de> Members<'de> for Header<'de> {
    const WHAT: &'static str = "the header of a proof";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
        why: &Why,
    ) -> Result<bool, A::Error> {
        match name {
            "typ" => text(&mut self.typ, members, why)?,
            "alg" => text(&mut self.alg, members, why)?,
            "jwk" => once(&mut self.jwk, members.next_value_seed(Whole(why))?, why)?,
            // extensions that must be understood, encryption, and other places of a key
            "crit" | "b64" | "zip" | "enc" | "epk" | "cty" | "jku" | "x5u" | "x5c" => {
                return Err(why.fail(Reason::UnsupportedHeader));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
