//! Reads one key (RFC 7517 section 4), with what it can check; or says why it is of no use.
//!
//! Rules:
//! 1. a key is left out when its `use` is not `sig`, its `key_ops` lack `verify`, its type, curve or `alg` is not
//!    ours, `alg` does not fit the type, a coordinate has the wrong length, or its `kid` is over 256 bytes;
//! 2. an RSA key is one that [`rsa`] takes;
//! 3. `oct` keys only locally, and at least as long as the hash (RFC 7518 section 3.2).

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, VerificationAlgorithm},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    algorithm,
    key_set::Origin,
    keys::{Check, Key},
    rsa,
};
use crate::operation::Algorithm;

/// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2: every private parameter of an asymmetric key.
pub(super) fn is_private(jwk: &Map<String, Value>) -> bool {
    jwk.keys().any(|name| matches!(name.as_str(), "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth"))
}

/// One key, or why it is left out.
pub(super) fn read_key(entry: &Value, origin: Origin) -> Result<Key, &'static str> {
    let jwk = entry.as_object().ok_or(NO_JWK)?;
    let stated = check_purpose(jwk)?;
    let kid = match jwk.get("kid").map(Value::as_str) {
        None => None,
        Some(Some(kid)) if kid.len() <= 256 => Some(kid.into()),
        Some(_) => return Err("its `kid` is no string of at most 256 bytes"),
    };
    Ok(Key::new(kid, checks_of(jwk, origin, stated)?))
}

/// The public key that stands in a proof, ready for its algorithm: judged as one of a set that was fetched.
pub(crate) fn read_shown(jwk: &Map<String, Value>, algorithm: Algorithm) -> Result<Check, &'static str> {
    match check_purpose(jwk)? {
        Some(stated) if stated != algorithm => return Err(OTHER_ALGORITHM),
        Some(_) | None => {}
    }
    let check = checks_of(jwk, Origin::Fetched, Some(algorithm))?.pop();
    check.map(|(_, check)| check).ok_or(OTHER_ALGORITHM)
}

const NO_JWK: &str = "its members are not those of a JWK";
const OTHER_ALGORITHM: &str = "its `alg` does not fit its type";

/// That a key is there to verify signatures; which algorithm it is for, if it says so.
fn check_purpose(jwk: &Map<String, Value>) -> Result<Option<Algorithm>, &'static str> {
    if is_private(jwk) {
        return Err("it is a private key");
    }
    match jwk.get("use").map(Value::as_str) {
        None | Some(Some("sig")) => {}
        Some(_) => return Err("its `use` is not `sig`"),
    }
    match jwk.get("key_ops").map(Value::as_array) {
        None => {}
        Some(Some(operations)) if operations.iter().any(|op| op == "verify") => {}
        Some(_) => return Err("its `key_ops` lack `verify`"),
    }
    match jwk.get("alg").map(Value::as_str) {
        None => Ok(None),
        Some(name) => name.and_then(algorithm::from_name).map(Some).ok_or("its `alg` is not supported"),
    }
}

/// The algorithms that a key of this type can do, of them the stated one alone, each with the key parsed for it.
pub(super) fn checks_of(
    jwk: &Map<String, Value>,
    origin: Origin,
    stated: Option<Algorithm>,
) -> Result<Vec<(Algorithm, Check)>, &'static str> {
    let is_wanted = |algorithm: &Algorithm| stated.is_none_or(|stated| stated == *algorithm);
    let one =
        |algorithm, check| Ok(if is_wanted(&algorithm) { vec![(algorithm, check)] } else { Vec::new() });
    let checks = match (text(jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
        ("EC", Some("P-256")) => one(Algorithm::ES256, point(jwk, 32, &signature::ECDSA_P256_SHA256_FIXED)?),
        ("EC", Some("P-384")) => one(Algorithm::ES384, point(jwk, 48, &signature::ECDSA_P384_SHA384_FIXED)?),
        ("OKP", Some("Ed25519")) => {
            one(Algorithm::EdDSA, parsed(&coordinate(jwk, "x", 32)?, &signature::ED25519)?)
        }
        ("EC", Some(_)) => Err("its `crv` is not supported"),
        ("RSA", _) => rsa::checks(&bytes(jwk, "n")?, &bytes(jwk, "e")?, is_wanted),
        ("oct", _) if origin == Origin::Fetched => Err("a symmetric key is no secret once it is published"),
        ("oct", _) => {
            let secret = Zeroizing::new(bytes(jwk, "k")?);
            one(Algorithm::HS256, mac(&secret).ok_or("its secret is shorter than 32 bytes")?)
        }
        _ => Err("its `kty` or `crv` is not supported"),
    }?;
    if checks.is_empty() { Err(OTHER_ALGORITHM) } else { Ok(checks) }
}

/// A point of a curve whose coordinates have this length, not compressed (SEC 1 section 2.3.3).
fn point(
    jwk: &Map<String, Value>,
    length: usize,
    verification: &'static dyn VerificationAlgorithm,
) -> Result<Check, &'static str> {
    let (x, y) = (coordinate(jwk, "x", length)?, coordinate(jwk, "y", length)?);
    parsed(&[&[4], &*x, &*y].concat(), verification)
}

/// RFC 7518 section 6.2.1.2: a coordinate has the full size of the field.
fn coordinate(jwk: &Map<String, Value>, name: &str, length: usize) -> Result<Vec<u8>, &'static str> {
    let bytes = bytes(jwk, name)?;
    if bytes.len() == length { Ok(bytes) } else { Err("its coordinates have the wrong length") }
}

fn parsed(point: &[u8], verification: &'static dyn VerificationAlgorithm) -> Result<Check, &'static str> {
    ParsedPublicKey::new(verification, point).map(Check::Public).map_err(|_| "it is no point of its curve")
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|_| "its members are not base64url")
}

fn text<'v>(jwk: &'v Map<String, Value>, name: &str) -> Result<&'v str, &'static str> {
    jwk.get(name).and_then(Value::as_str).ok_or(NO_JWK)
}

/// RFC 7518 section 3.2: an HMAC key is at least as long as the hash.
pub(crate) fn mac(secret: &[u8]) -> Option<Check> {
    (secret.len() >= 32).then(|| Check::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) fn ed(changes: Value) -> Value {
        merged(
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            changes,
        )
    }

    pub(in super::super) fn ec(changes: Value) -> Value {
        let key = json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        merged(key, changes)
    }

    fn merged(mut key: Value, changes: Value) -> Value {
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    /// An RSA key of this many bits whose modulus is no product of primes; nothing verifies with it, but it loads.
    fn rsa(bits: usize, exponent: &str) -> Value {
        let mut modulus = vec![0xff_u8; bits / 8];
        modulus[0] = 0x80;
        json!({"kty": "RSA", "n": base64(&modulus), "e": exponent})
    }

    pub(in super::super) fn base64(bytes: &[u8]) -> String {
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
    }

    /// Why a key that was fetched is left out; `None` when it is used.
    fn why(key: &Value) -> Option<&'static str> {
        read_key(key, Origin::Fetched).err()
    }

    #[test]
    fn keys_that_fit_are_used_and_others_are_left_out_with_a_reason() {
        for (key, wanted) in [
            (ed(json!({})), None),
            (ed(json!({"use": "sig", "key_ops": ["verify"], "alg": "Ed25519", "kid": "k"})), None),
            (ed(json!({"use": "enc"})), Some("its `use` is not `sig`")),
            (ed(json!({"use": 1})), Some("its `use` is not `sig`")),
            (ed(json!({"key_ops": ["encrypt"]})), Some("its `key_ops` lack `verify`")),
            (ed(json!({"key_ops": "verify"})), Some("its `key_ops` lack `verify`")),
            (ed(json!({"alg": "ES256"})), Some("its `alg` does not fit its type")),
            (ed(json!({"alg": "A256KW"})), Some("its `alg` is not supported")),
            (ed(json!({"kid": "k".repeat(257)})), Some("its `kid` is no string of at most 256 bytes")),
            (ed(json!({"x": "AAAA"})), Some("its coordinates have the wrong length")),
            (ed(json!({"d": "AAAA"})), Some("it is a private key")),
            (ec(json!({})), None),
            (ec(json!({"alg": "ES384"})), Some("its `alg` does not fit its type")),
            (ec(json!({"crv": "P-384"})), Some("its coordinates have the wrong length")),
            (ec(json!({"crv": "P-521"})), Some("its `crv` is not supported")),
            (
                ec(json!({"y": "AFxEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})),
                Some("it is no point of its curve"),
            ),
            (rsa(2048, "AQAB"), None),
            (rsa(2048, "Aw"), None),
            (rsa(2040, "AQAB"), Some("its modulus has not 2048 to 8192 bits")),
            (rsa(1024, "AQAB"), Some("its modulus has not 2048 to 8192 bits")),
            (rsa(8200, "AQAB"), Some("its modulus has not 2048 to 8192 bits")),
            (rsa(2048, "AQ"), Some("its exponent is not odd and at least 3")),
            (rsa(2048, "AQAA"), Some("its exponent is not odd and at least 3")),
            (rsa(2048, ""), Some("its exponent is not odd and at least 3")),
            (
                json!({"kty": "oct", "k": base64(&[7; 32])}),
                Some("a symmetric key is no secret once it is published"),
            ),
            (json!({"kty": "AKP", "pub": "x"}), Some("its `kty` or `crv` is not supported")),
            (json!("key"), Some("its members are not those of a JWK")),
        ] {
            assert_eq!(why(&key), wanted, "{key}");
        }
    }

    #[test]
    fn each_coordinate_has_the_size_of_the_field() {
        let decoded = |name| URL_SAFE_NO_PAD.decode(ec(json!({}))[name].as_str().unwrap()).unwrap();
        let point = [decoded("x"), decoded("y")].concat();
        for (at, wanted) in [(32, None), (31, Some("its coordinates have the wrong length"))] {
            let (x, y) = point.split_at(at);
            assert_eq!(why(&ec(json!({"x": base64(x), "y": base64(y)}))), wanted, "{at}");
        }
    }
}
