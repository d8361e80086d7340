//! The published vectors for JSON Web Signatures (C2SP Wycheproof), when `shared/suites/jws` lies beside the checkout.
//!
//! Every token that the suite calls invalid is refused, whatever its algorithm. Every valid one is accepted, if its key
//! is for an algorithm that we take. What is of other algorithms, or encrypted, is counted apart: all of it is refused, valid or not,
//! by good keys and every algorithm that we take. Key sets that the suite calls bad do not load at all. How many of each there are is stated, so that a suite that is
//! read wrongly does not pass for one that was passed.

use std::path::Path;

use serde_json::{Value, json};

use super::algorithm;
use super::jws::verify_text;
use super::key_set::{self, Origin};
use crate::authn::testing::Signer;
use crate::operation::Algorithm;

/// What the suite takes and we refuse: a `?` inside a part. RFC 7515 section 5.2 has the decoding fail on any character
/// outside the alphabet (RFC 4648 section 3.3).
const STRICTER: [&str; 2] = ["InvalidCharacterInsertedInHeader", "InvalidCharacterInsertedInPayload"];

/// The files, and what a run of each sees.
const FILES: [(&str, Seen); 3] = [
    (
        "json_web_signature_test.json",
        Seen { accepted: 10, refused: 170, of_other_algorithms: 17, encrypted: 0 },
    ),
    ("json_web_key_test.json", Seen { accepted: 3, refused: 6, of_other_algorithms: 4, encrypted: 0 }),
    ("json_web_crypto_test.json", Seen { accepted: 3, refused: 24, of_other_algorithms: 0, encrypted: 16 }),
];

fn suite(name: &str) -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/suites/jws");
    let text = std::fs::read_to_string(folder.join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The algorithms that a configuration for this key (or set) would allow.
fn allowed(key: &Value) -> Vec<Algorithm> {
    let keys = key["keys"].as_array().map_or_else(|| vec![key], |keys| keys.iter().collect());
    let mut named: Vec<_> = keys.iter().filter_map(|key| key["alg"].as_str()).collect();
    if named.is_empty() {
        named.push("ES256");
    }
    let mut found: Vec<_> = named.into_iter().filter_map(algorithm::from_name).collect();
    found.dedup();
    found
}

/// What a run of one file saw.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    accepted: usize,
    refused: usize,
    /// Their keys, or they themselves, are of algorithms that we do not take.
    of_other_algorithms: usize,
    /// JWE, which has five parts.
    encrypted: usize,
}

fn run(suite: &Value) -> Seen {
    let (mut seen, mut wrong) = (Seen::default(), Vec::new());
    for group in suite["testGroups"].as_array().unwrap() {
        let key = group.get("public").unwrap_or(&group["private"]);
        let allowed = allowed(key);
        for test in group["tests"].as_array().unwrap() {
            let comment = test["comment"].as_str().unwrap();
            if let Some(token) = test["jwe"].as_str() {
                refused_by_good_keys(token, key, comment);
                seen.encrypted += 1;
                continue;
            }
            // one is an object: the serialization as JSON, which we refuse
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            if allowed.is_empty() {
                refused_by_good_keys(&token, key, comment);
                seen.of_other_algorithms += 1;
                continue;
            }
            match (test["result"].as_str().unwrap(), verify_text(&token, &key.to_string(), &allowed)) {
                ("valid", Err(_)) if STRICTER.contains(&comment) => seen.refused += 1,
                ("valid", Ok(_)) => seen.accepted += 1,
                ("invalid", Err(_)) => seen.refused += 1,
                ("valid", Err(_)) if !ours(&token) => seen.of_other_algorithms += 1,
                (expected, verdict) => {
                    wrong.push(format!("{} {comment}: {expected}, {verdict:?}", test["tcId"]))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    seen
}

/// For tokens that no key of theirs is asked about: their own key as one of each other algorithm that it could be for, and keys of
/// ours under its name, refuse them.
fn refused_by_good_keys(token: &str, own: &Value, comment: &str) {
    const ASYMMETRIC: [Algorithm; 5] =
        [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];
    let secret = json!({ "kty": "oct", "alg": "HS256", "k": "c".repeat(43) });
    let mut keys = vec![(Signer::new().jwk("ours"), &ASYMMETRIC[..]), (secret, &[Algorithm::HS256])];
    let others = own_as(own).into_iter().filter(|key| key["alg"].as_str() != alg(token).as_deref());
    keys.extend(others.map(|key| (key, &ASYMMETRIC[..])));
    for (mut key, algorithms) in keys {
        if let Some(kid) = own.get("kid") {
            key["kid"] = kid.clone();
        }
        let key = key.to_string();
        assert!(key_set::read(&key, Origin::Local).is_ok(), "{comment}: a good key: {key}");
        let verdict = verify_text(token, &key, algorithms);
        assert!(verdict.is_err(), "{comment}: {verdict:?} by {key}");
    }
}

/// A public key of the suite, for each algorithm of ours that it could be for.
fn own_as(key: &Value) -> Vec<Value> {
    let algorithms: &[&str] = match key["kty"].as_str() {
        Some("RSA") => &["RS256", "PS256"],
        Some("EC") if key["crv"] == "P-256" => &["ES256"],
        _ => &[],
    };
    let as_one = |algorithm: &&str| {
        let mut made = json!({ "alg": algorithm });
        for name in ["kty", "crv", "x", "y", "n", "e"] {
            if let Some(value) = key.get(name) {
                made[name] = value.clone();
            }
        }
        made
    };
    algorithms.iter().map(as_one).collect()
}

/// Whether the token's `alg` is one that we take.
fn ours(token: &str) -> bool {
    algorithm::from_name(&alg(token).unwrap()).is_some()
}

/// The token's `alg`, if it can be read.
fn alg(token: &str) -> Option<String> {
    use base64::Engine;
    let header = token.split('.').next()?;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    header["alg"].as_str().map(str::to_owned)
}

#[test]
fn wycheproof() {
    for (name, expected) in FILES {
        match suite(name) {
            Some(suite) => assert_eq!(run(&suite), expected, "{name}"),
            None => println!("{name}: not beside the checkout, not run"),
        }
    }
}

/// What is wrong with a key set is found when it is loaded, not when the first token comes. A group without a valid token is
/// about its keys: a `kid` twice, a short or empty secret, an exponent of 1, a point on another curve, a key for encryption.
#[test]
fn bad_key_sets_do_not_load() {
    let Some(suite) = suite("json_web_key_test.json") else {
        println!("json_web_key_test.json: not beside the checkout, not run");
        return;
    };
    let (mut good, mut bad) = (0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        let keys = group.get("public").unwrap_or(&group["private"]).to_string();
        let is_good = group["tests"].as_array().unwrap().iter().any(|test| test["result"] == "valid");
        let loaded = key_set::read(&keys, Origin::Local).map(|_| ());
        assert_eq!(loaded.is_ok(), is_good, "{}: {loaded:?}", group["comment"]);
        if !is_good {
            assert!(key_set::read(&keys, Origin::Fetched).is_err(), "{}: fetched", group["comment"]);
        }
        *(if is_good { &mut good } else { &mut bad }) += 1;
    }
    assert_eq!((good, bad), (3, 9), "key sets that load, and that do not");
}

/// The private halves that the suite has beside the public ones are refused from a file of this machine, and left out of
/// what is fetched.
#[test]
fn private_keys_do_not_load() {
    let mut seen = 0;
    for (name, _) in FILES {
        let Some(suite) = suite(name) else {
            println!("{name}: not beside the checkout, not run");
            return;
        };
        for group in suite["testGroups"].as_array().into_iter().flatten() {
            let (Some(private), Some(_)) = (group.get("private"), group.get("public")) else { continue };
            for origin in [Origin::Local, Origin::Fetched] {
                assert!(
                    key_set::read(&private.to_string(), origin).is_err(),
                    "{name} {} {origin:?}",
                    group["comment"]
                );
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 19);
}
