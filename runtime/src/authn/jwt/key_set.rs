//! Reads sets of keys (RFC 7517 section 5), and says of each key that it left out why.
//!
//! Rules:
//! 1. at most 512 KiB of text and 100 keys; no member twice at any level;
//! 2. each key is one that [`jwk`] takes, or is left out;
//! 3. private members: left out of a fetched set; a local set with one is refused, for the private key of a
//!    signer has no business on the server that verifies;
//! 4. `oct` keys never stand beside asymmetric ones;
//! 5. two keys for signatures with the same `kid` and type or algorithm refuse the set, even where one of them is left
//!    out; so does a set without any usable key.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    algorithm, json, jwk,
    key_error::KeyError,
    keys::{Key, KeyRing, MAX_KEYS},
};

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

/// A key of a set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its `kid`, if it has one: 256 letters of it at most.
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
pub(crate) fn read(text: &str, origin: Origin) -> Result<Loaded, KeyError> {
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
        let kid = entry.get("kid").and_then(Value::as_str).map(|kid| kid.chars().take(256).collect());
        if origin == Origin::Local && entry.as_object().is_some_and(jwk::is_private) {
            return Err(KeyError::PrivateKey);
        }
        match jwk::read_key(&entry, origin) {
            Ok(key) => keys.push(key),
            Err(why) => left_out.push(LeftOut { kid, why }),
        }
    }
    if keys.is_empty() {
        return Err(KeyError::NoUsableKey(left_out));
    }
    let symmetric = |key: &Key| key.does_any(algorithm::is_hmac);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::jwk::tests::{base64, ec, ed};
    use super::*;

    fn load(keys: &[Value], origin: Origin) -> Result<Loaded, KeyError> {
        read(&json!({ "keys": keys }).to_string(), origin)
    }

    #[test]
    fn one_bad_key_of_a_fetched_set_does_not_spoil_the_others() {
        let loaded =
            load(&[ed(json!({"kid": "a"})), ec(json!({"kid": "b", "use": "enc"}))], Origin::Fetched).unwrap();
        assert_eq!(loaded.ring.len(), 1);
        assert_eq!(loaded.left_out, [LeftOut { kid: Some("b".into()), why: "its `use` is not `sig`" }]);
    }

    #[test]
    fn of_a_set_without_a_usable_key_each_is_told_with_the_reason_and_not_at_any_length() {
        let keys = [ed(json!({"kid": "a", "use": "enc"})), ec(json!({"kid": "b".repeat(100_000)}))];
        let why = load(&keys, Origin::Fetched).err().unwrap().to_string();
        assert!(why.starts_with("no usable key; `a`: its `use` is not `sig`; `bbb"), "{why:.99}");
        assert!(why.ends_with("b`: its `kid` is no string of at most 256 bytes") && why.len() < 400);
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

    /// RFC 7518 sections 6.2.2 and 6.3.2: `d` need not be among them.
    #[test]
    fn each_private_member_makes_a_key_private() {
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
            let key = ec(json!({ member: "AAAA" }));
            assert!(
                matches!(load(std::slice::from_ref(&key), Origin::Local), Err(KeyError::PrivateKey)),
                "{member}"
            );
            let left_out = load(&[key, ed(json!({}))], Origin::Fetched).unwrap().left_out;
            assert_eq!(left_out, [LeftOut { kid: None, why: "it is a private key" }], "{member}");
        }
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
            assert!(matches!(read(bad, Origin::Local), Err(KeyError::NotAKeySet)), "{bad}");
        }
        assert!(matches!(read(r#"{"keys":[]}"#, Origin::Local), Err(KeyError::NoUsableKey(_))));
        let many: Vec<_> = (0..101).map(|n| ed(json!({"kid": n.to_string()}))).collect();
        assert!(matches!(load(&many, Origin::Local), Err(KeyError::TooLarge)));
        assert!(load(&many[..100], Origin::Local).is_ok());
        let padded = format!("{{\"keys\":[]}}{}", " ".repeat(MAX_TEXT));
        assert!(matches!(read(&padded, Origin::Local), Err(KeyError::TooLarge)));
    }
}
