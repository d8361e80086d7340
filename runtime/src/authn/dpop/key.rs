//! The key of a proof: in its header, and the one that the token is bound to.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};

use super::{ProofFault, is_for_proofs, object, text};
use crate::{
    authn::{
        Reason,
        jwt::{
            algorithm::from_name,
            header::is_type,
            jwk::{Origin, read_key},
            keys::Check,
        },
    },
    operation::Algorithm,
    secret::ct_eq,
};

/// What a header may not say: extensions that must be understood, encryption, and other places of a key.
const REFUSED: [&str; 9] = ["crit", "b64", "zip", "enc", "epk", "cty", "jku", "x5u", "x5c"];

/// A key of a proof.
pub(super) struct Chosen {
    pub(super) algorithm: Algorithm,
    pub(super) check: Check,
    pub(super) thumbprint: [u8; 32],
}

/// Rules 2 and 3: the key of a proof with this header, for a token that is bound to `bound_to`, if there is one.
pub(super) fn choose(header: &[u8], bound_to: Option<&[u8; 32]>) -> Result<Chosen, Reason> {
    let mut header = object(header)?;
    if REFUSED.iter().any(|name| header.contains_key(*name)) {
        return Err(ProofFault::Malformed.into());
    }
    if !is_type(text(&header, "typ")?, "dpop+jwt") {
        return Err(ProofFault::Type.into());
    }
    let name = header.get("alg").and_then(Value::as_str);
    let algorithm = name.and_then(from_name).filter(|algorithm| is_for_proofs(*algorithm));
    let algorithm = algorithm.ok_or(ProofFault::Algorithm)?;
    let Some(Value::Object(jwk)) = header.remove("jwk") else { return Err(ProofFault::Key.into()) };
    let thumbprint = thumbprint(&jwk).and_then(|digest| digest.as_ref().first_chunk().copied());
    let thumbprint = thumbprint.ok_or(ProofFault::Key)?;
    match bound_to.is_none_or(|bound_to| ct_eq(&thumbprint, bound_to)) {
        true => {}
        false => return Err(Reason::BindingMismatch),
    }
    // private and symmetric keys are refused as in a set that was fetched
    let key = read_key(Value::Object(jwk), Origin::Fetched).map_err(|_| ProofFault::Key)?;
    let check = key.checks.into_iter().find(|(fits, _)| *fits == algorithm);
    Ok(Chosen { algorithm, check: check.ok_or(ProofFault::Key)?.1, thumbprint })
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
    let mut members = Vec::with_capacity(names.len());
    for name in names {
        members.push(format!("\"{name}\":{}", Value::from(jwk.get(*name)?.as_str()?)));
    }
    Some(digest(&SHA256, format!("{{{}}}", members.join(",")).as_bytes()))
}
