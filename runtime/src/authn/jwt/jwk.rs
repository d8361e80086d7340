//! Reads key sets (RFC 7517) and PEM into a [`KeyRing`], and says of each key that it left out why.
//!
//! Rules:
//! 1. at most 512 KiB of text and 100 keys; no member twice at any level;
//! 2. a key is left out when its `use` is not `sig`, its `key_ops` lack `verify`, its type, curve or `alg` is not
//!    ours, `alg` does not fit the type, a coordinate has the wrong length, or its `kid` is over 256 bytes;
//! 3. an RSA key is one that [`rsa`] takes;
//! 4. private members: left out of a fetched set; a local set with one is refused, for the private key of a
//!    signer has no business on the server that verifies;
//! 5. `oct` keys only locally, at least as long as the hash (RFC 7518 section 3.2), and never beside asymmetric keys;
//! 6. two keys for signatures with the same `kid` and type or algorithm refuse the set, even where one of them is left
//!    out; so does a set without any usable key.

use std::collections::HashSet;
use std::fmt;

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, VerificationAlgorithm},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, jwk::Jwk};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    algorithm, json,
    keys::{Check, Key, KeyRing, MAX_KEYS},
    rsa,
};
use crate::operation::Algorithm;

/// Largest accepted text of a key set.
pub(crate) const MAX_TEXT: usize = 512 * 1024;

/// Where a set comes from decides what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Configured on this machine.
    Local,
    /// Fetched from an issuer.
    #[cfg_attr(not(feature = "outbound"), allow(dead_code, reason = "fetched sets need the feature"))]
    Fetched,
}

/// Why a key set, PEM text or secret cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    File(std::path::PathBuf, std::io::Error),
    /// Over 512 KiB, or over 100 keys.
    TooLarge,
    /// No JSON, a member named twice, or neither a key nor a set of keys.
    NotAKeySet,
    /// Not a PEM public key that we know.
    NotAPublicKey,
    /// A private key, where only public ones belong.
    PrivateKey,
    /// Symmetric and asymmetric keys in one set.
    Mixed,
    /// Two keys with the same `kid` for the same algorithm.
    Ambiguous,
    /// No key is left; of each that was left out, its `kid` and why.
    NoUsableKey(Vec<LeftOut>),
    /// A symmetric secret shorter than the hash (RFC 7518 section 3.2).
    ShortSecret,
    /// The address of a key set is not `https` (or `http` on loopback).
    #[cfg(feature = "outbound")]
    Address,
    /// The issuer whose keys are to be found is no such address, or has a query or a fragment.
    #[cfg(feature = "outbound")]
    Issuer,
    /// The key set could not be fetched.
    #[cfg(feature = "outbound")]
    Fetch(&'static str),
}

/// A key of a set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its `kid`, if it has one.
    pub kid: Option<String>,
    /// Why.
    pub why: &'static str,
}

/// A set that was read, and what it did not take.
pub(crate) struct Loaded {
    pub(crate) ring: KeyRing,
    pub(crate) left_out: Vec<LeftOut>,
}

/// Reads a JWK set, or one JWK.
pub(crate) fn read_set(text: &str, origin: Origin) -> Result<Loaded, KeyError> {
    if text.len() > MAX_TEXT {
        return Err(KeyError::TooLarge);
    }
    let entries = match json::value(text.as_bytes()).map_err(|_| KeyError::NotAKeySet)? {
        Value::Object(mut set) => match set.remove("keys") {
            Some(Value::Array(keys)) => keys,
            Some(_) => return Err(KeyError::NotAKeySet),
            None if set.contains_key("kty") => vec![Value::Object(set)],
            None => return Err(KeyError::NotAKeySet),
        },
        _ => return Err(KeyError::NotAKeySet),
    };
    if entries.len() > MAX_KEYS {
        return Err(KeyError::TooLarge);
    }
    collect(entries, origin)
}

fn collect(entries: Vec<Value>, origin: Origin) -> Result<Loaded, KeyError> {
    if has_twins(&entries) {
        return Err(KeyError::Ambiguous);
    }
    let (mut keys, mut left_out) = (Vec::new(), Vec::new());
    for entry in entries {
        let kid = entry.get("kid").and_then(Value::as_str).map(str::to_owned);
        if origin == Origin::Local && entry.as_object().is_some_and(is_private) {
            return Err(KeyError::PrivateKey);
        }
        match read_key(&entry, origin) {
            Ok(key) => keys.push(key),
            Err(why) => left_out.push(LeftOut { kid, why }),
        }
    }
    if keys.is_empty() {
        return Err(KeyError::NoUsableKey(left_out));
    }
    let symmetric = |key: &Key| key.checks.iter().any(|(alg, _)| algorithm::is_hmac(*alg));
    if keys.iter().any(symmetric) && !keys.iter().all(symmetric) {
        return Err(KeyError::Mixed);
    }
    let ring = KeyRing::new(keys).map_err(|_| KeyError::Ambiguous)?;
    Ok(Loaded { ring, left_out })
}

/// RFC 7517 section 4.5: one `kid` may stand for equivalent keys of different types, and for nothing else.
fn has_twins(entries: &[Value]) -> bool {
    let named = |entry: &Value| {
        let signs = entry.get("use").is_none_or(|purpose| purpose == "sig");
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        text("kid").zip(text("kty")).filter(|_| signs)
    };
    let mut seen = HashSet::new();
    !entries.iter().filter_map(named).all(|name| seen.insert(name))
}

/// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2: every private parameter of an asymmetric key.
fn is_private(jwk: &Map<String, Value>) -> bool {
    jwk.keys().any(|name| matches!(name.as_str(), "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth"))
}

/// One key, or why it is left out.
fn read_key(entry: &Value, origin: Origin) -> Result<Key, &'static str> {
    let jwk = entry.as_object().ok_or(NO_JWK)?;
    let stated = check_purpose(jwk)?;
    let kid = match jwk.get("kid").map(Value::as_str) {
        None => None,
        Some(Some(kid)) if kid.len() <= 256 => Some(kid.into()),
        Some(_) => return Err("its `kid` is no string of at most 256 bytes"),
    };
    Ok(Key { kid, checks: checks_of(jwk, origin, stated)? })
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
fn checks_of(
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

/// Reads PEM public keys (SPKI, or PKCS #1 for RSA), one or several in one text. They have no `kid`.
pub(crate) fn read_pem(text: &str) -> Result<Loaded, KeyError> {
    if text.len() > MAX_TEXT {
        return Err(KeyError::TooLarge);
    }
    if text.contains("PRIVATE KEY") {
        return Err(KeyError::PrivateKey);
    }
    let mut keys = Vec::new();
    for block in text.split_inclusive("-----END PUBLIC KEY-----").flat_map(|part| {
        part.split_inclusive("-----END RSA PUBLIC KEY-----").filter(|block| block.contains("-----BEGIN"))
    }) {
        if !block.contains("-----BEGIN PUBLIC KEY-----") && !block.contains("-----BEGIN RSA PUBLIC KEY-----")
        {
            return Err(KeyError::NotAPublicKey);
        }
        let bytes = block.trim_start().as_bytes();
        let key = DecodingKey::from_ec_pem(bytes)
            .or_else(|_| DecodingKey::from_ed_pem(bytes))
            .or_else(|_| DecodingKey::from_rsa_pem(bytes))
            .map_err(|_| KeyError::NotAPublicKey)?;
        let jwk = Jwk::from_decoding_key(&key, None).map_err(|_| KeyError::NotAPublicKey)?;
        let jwk = serde_json::to_value(jwk).map_err(|_| KeyError::NotAPublicKey)?;
        let jwk = jwk.as_object().ok_or(KeyError::NotAPublicKey)?;
        match checks_of(jwk, Origin::Local, None) {
            Ok(checks) => keys.push(Key { kid: None, checks }),
            Err(why) => return Err(KeyError::NoUsableKey(vec![LeftOut { kid: None, why }])),
        }
    }
    match keys.len() {
        0 => Err(KeyError::NotAPublicKey),
        1..=MAX_KEYS => {
            let ring = KeyRing::new(keys).map_err(|_| KeyError::Ambiguous)?;
            Ok(Loaded { ring, left_out: Vec::new() })
        }
        _ => Err(KeyError::TooLarge),
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, cause) => write!(f, "cannot read `{}`: {cause}", path.display()),
            Self::TooLarge => f.write_str("the key set is over 512 KiB or over 100 keys"),
            Self::NotAKeySet => f.write_str("not a JSON Web Key Set (or a member is named twice)"),
            Self::NotAPublicKey => f.write_str("not a PEM public key of RSA, P-256, P-384 or Ed25519"),
            Self::PrivateKey => f.write_str("holds a private key: a verifier is given public keys only"),
            Self::Mixed => f.write_str("symmetric and asymmetric keys in one set"),
            Self::Ambiguous => f.write_str("two keys have the same `kid` (or none) for the same algorithm"),
            Self::ShortSecret => f.write_str("the secret is shorter than 32 bytes"),
            Self::NoUsableKey(left_out) => {
                f.write_str("no usable key")?;
                for LeftOut { kid, why } in left_out.iter().take(5) {
                    write!(f, "; `{}`: {why}", kid.as_deref().unwrap_or("no kid"))?;
                }
                Ok(())
            }
            #[cfg(feature = "outbound")]
            Self::Address => f.write_str("the address of a key set must be `https`, or `http` on loopback"),
            #[cfg(feature = "outbound")]
            Self::Issuer => f.write_str(
                "an issuer is an `https` address (or `http` on loopback) without query and fragment",
            ),
            #[cfg(feature = "outbound")]
            Self::Fetch(why) => write!(f, "the key set could not be fetched: {why}"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, cause) => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ed(changes: Value) -> Value {
        merged(
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            changes,
        )
    }

    fn ec(changes: Value) -> Value {
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

    fn base64(bytes: &[u8]) -> String {
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
    }

    fn load(keys: &[Value], origin: Origin) -> Result<Loaded, KeyError> {
        read_set(&json!({ "keys": keys }).to_string(), origin)
    }

    /// Why the one key of a set is left out; `None` when it is used.
    fn why(key: Value) -> Option<&'static str> {
        match load(&[key], Origin::Fetched) {
            Ok(_) => None,
            Err(KeyError::NoUsableKey(left_out)) => Some(left_out[0].why),
            Err(error) => panic!("{error}"),
        }
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
            assert_eq!(why(key.clone()), wanted, "{key}");
        }
    }

    #[test]
    fn each_coordinate_has_the_size_of_the_field() {
        let decoded = |name| URL_SAFE_NO_PAD.decode(ec(json!({}))[name].as_str().unwrap()).unwrap();
        let point = [decoded("x"), decoded("y")].concat();
        for (at, wanted) in [(32, None), (31, Some("its coordinates have the wrong length"))] {
            let (x, y) = point.split_at(at);
            assert_eq!(why(ec(json!({"x": base64(x), "y": base64(y)}))), wanted, "{at}");
        }
    }

    #[test]
    fn one_bad_key_of_a_fetched_set_does_not_spoil_the_others() {
        let loaded =
            load(&[ed(json!({"kid": "a"})), ec(json!({"kid": "b", "use": "enc"}))], Origin::Fetched).unwrap();
        assert_eq!(loaded.ring.len(), 1);
        assert_eq!(loaded.left_out, [LeftOut { kid: Some("b".into()), why: "its `use` is not `sig`" }]);
    }

    #[test]
    fn a_local_secret_is_long_and_alone() {
        let oct = |length: usize| json!({"kty": "oct", "kid": "s", "k": base64(&vec![7; length])});
        assert!(load(&[oct(32)], Origin::Local).is_ok());
        assert!(matches!(load(&[oct(31)], Origin::Local), Err(KeyError::NoUsableKey(_))));
        assert!(matches!(load(&[oct(0)], Origin::Local), Err(KeyError::NoUsableKey(_))));
        assert!(matches!(load(&[oct(32), ed(json!({"kid": "e"}))], Origin::Local), Err(KeyError::Mixed)));
    }

    #[test]
    fn a_local_set_with_a_private_key_is_refused_whole() {
        let keys = [ed(json!({"kid": "a"})), ec(json!({"kid": "b", "d": "AAAA"}))];
        assert!(matches!(load(&keys, Origin::Local), Err(KeyError::PrivateKey)));
    }

    #[test]
    fn two_keys_of_one_kid_are_refused_unless_their_types_differ() {
        let (one, other) = (ed(json!({"kid": "a"})), ec(json!({"kid": "a"})));
        assert!(matches!(load(&[one.clone(), one.clone()], Origin::Local), Err(KeyError::Ambiguous)));
        assert!(load(&[one, other], Origin::Local).is_ok());
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[],"keys":[]}"#,
            r#"{"keys":[{"kty":"OKP","kty":"EC"}]}"#,
        ] {
            assert!(matches!(read_set(bad, Origin::Local), Err(KeyError::NotAKeySet)), "{bad}");
        }
        assert!(matches!(read_set(r#"{"keys":[]}"#, Origin::Local), Err(KeyError::NoUsableKey(_))));
        let many: Vec<_> = (0..101).map(|n| ed(json!({"kid": n.to_string()}))).collect();
        assert!(matches!(load(&many, Origin::Local), Err(KeyError::TooLarge)));
        assert!(load(&many[..100], Origin::Local).is_ok());
        let padded = format!("{{\"keys\":[]}}{}", " ".repeat(MAX_TEXT));
        assert!(matches!(read_set(&padded, Origin::Local), Err(KeyError::TooLarge)));
    }

    const EC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END PUBLIC KEY-----
";
    const ED_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
";

    #[test]
    fn pem_keys_are_read_alone_and_together() {
        assert!(read_pem(EC_PEM).unwrap().ring.does(Algorithm::ES256));
        assert!(read_pem(ED_PEM).unwrap().ring.does(Algorithm::EdDSA));
        let both = read_pem(&format!("{EC_PEM}\n{ED_PEM}")).unwrap();
        assert_eq!(both.ring.len(), 2);
        assert!(matches!(read_pem(&format!("{EC_PEM}{EC_PEM}")), Err(KeyError::Ambiguous)));
    }

    #[test]
    fn pem_that_is_no_public_key_is_refused() {
        let private = EC_PEM.replace("PUBLIC", "PRIVATE");
        assert!(matches!(read_pem(&private), Err(KeyError::PrivateKey)));
        for bad in
            ["", "-----BEGIN PUBLIC KEY-----", &EC_PEM[..100], &EC_PEM.replace("PUBLIC KEY", "CERTIFICATE")]
        {
            assert!(matches!(read_pem(bad), Err(KeyError::NotAPublicKey)), "{bad}");
        }
    }
}
