//! Configurations that would make a server weak: the generator refuses the document, or the library the keys.

use palisade::{JwkSet, Secret, Settings};
use palisade_codegen::{Options, Source};
use palisade_tests::attacks::keys::{ALGORITHMS, Signing};
use palisade_tests::attacks::{build, jwt, session};
use serde_json::{Value, json};

/// Whether the configuration of this name is refused; if not, what became of it.
pub fn is_refused(name: &str) -> Result<(), String> {
    let taken = match name {
        "alg_none" => {
            document_is_taken(json!({ "issuer": "urn:i", "audience": "a", "algorithms": ["none"] }))
        }
        "alg_mixed" => {
            document_is_taken(json!({ "issuer": "urn:i", "audience": "a", "algorithms": ["HS256", "RS256"] }))
        }
        "alg_empty" => document_is_taken(json!({ "issuer": "urn:i", "audience": "a", "algorithms": [] })),
        "no_iss" => server_is_built(None, Some("attacks")),
        "no_aud" => server_is_built(Some("urn:i"), None),
        "jwk_enc" => keys_are_taken(&[changed("use", json!("enc"))]),
        "jwk_key_ops" => keys_are_taken(&[changed("key_ops", json!(["encrypt"]))]),
        "jwk_private" => keys_are_taken(&[changed("d", json!("AAAA"))]),
        "jwks_dup_kid" => keys_are_taken(&[changed("kid", json!("same")), changed("kid", json!("same"))]),
        "jwks_empty" => keys_are_taken(&[]),
        "rsa1024" => keys_are_taken(&[rsa(1024)]),
        "hmac4" => {
            JwkSet::from_secret(&Secret::new(b"abcd".to_vec())).is_ok()
                || keys_are_taken(&[json!({ "kty": "oct", "k": "YWJjZA" })])
        }
        other => panic!("what is the configuration {other:?}?"),
    };
    if taken { Err("it is taken".to_owned()) } else { Ok(()) }
}

/// A good key with another member.
fn changed(name: &str, value: Value) -> Value {
    let mut key = Signing::new("ES256").jwk("k");
    key[name] = value;
    key
}

/// An RSA key of so many bits. Its modulus is no product of primes, which no verifier can tell.
fn rsa(bits: usize) -> Value {
    use base64::Engine;
    let modulus = [vec![0x80], vec![0xff; bits / 8 - 1]].concat();
    json!({ "kty": "RSA", "n": base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" })
}

fn keys_are_taken(keys: &[Value]) -> bool {
    JwkSet::from_json(&json!({ "keys": keys }).to_string()).is_ok()
}

fn document(rules: Value) -> Source {
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Weak", "version": "1" },
        "security": [{ "token": [] }],
        "paths": { "/": { "get": { "operationId": "nothing", "responses": { "204": { "description": "Done" } } } } },
        "components": { "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer", "x-palisade": rules },
        } },
    });
    Source::text("weak.json", document.to_string())
}

fn document_is_taken(rules: Value) -> bool {
    let good = json!({ "issuer": "urn:i", "audience": "a", "algorithms": ["ES256"] });
    assert!(
        palisade_codegen::generate(&document(good), &Options::default()).is_ok(),
        "nothing else is wrong"
    );
    palisade_codegen::generate(&document(rules), &Options::default()).is_ok()
}

/// Whether a server is built when neither the document nor the configuration says this.
fn server_is_built(issuer: Option<&str>, audience: Option<&str>) -> bool {
    let keys: Vec<_> = ALGORITHMS.into_iter().map(Signing::new).collect();
    let built = |issuer: Option<&str>, audience: Option<&str>| {
        let jwt = jwt(&keys, "ES256");
        let jwt = match issuer {
            Some(issuer) => jwt.issuer(issuer),
            None => jwt,
        };
        let jwt = match audience {
            Some(audience) => jwt.audience(audience),
            None => jwt,
        };
        build(&keys, jwt, session().record, Settings::default()).is_ok()
    };
    assert!(built(Some("urn:i"), Some("attacks")), "nothing else is wrong");
    built(issuer, audience)
}
