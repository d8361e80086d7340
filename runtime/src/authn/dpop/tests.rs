use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;
use crate::authn::testing::Signer;

/// RFC 9449 section 4.2, made for a token endpoint.
const AT_THE_TOKEN_ENDPOINT: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
/// RFC 9449 section 7.1, made for a protected resource, with its token.
const AT_THE_RESOURCE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const TOKEN: &[u8] = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// RFC 9449 section 6.1.
const KEY: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn bits(text: &str) -> [u8; 32] {
    URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
}

#[test]
fn the_examples_of_the_standard() {
    let key = bits(KEY);
    let target = PublicOrigin::parse("https://resource.example.org").unwrap().target("/protectedresource");
    let resource = Expected { method: "GET", target: &target, token: TOKEN, key: &key, nonces: None };
    for now in [1_562_262_618.0, 1_562_262_613.0, 1_562_262_678.0] {
        assert!(check(AT_THE_RESOURCE.as_bytes(), &resource, now).is_ok(), "{now}");
    }
    for now in [1_562_262_612.9, 1_562_262_678.1] {
        let late = check(AT_THE_RESOURCE.as_bytes(), &resource, now);
        assert_eq!(late, Err(ProofFault::Time.into()), "{now}");
    }
    let endpoint = Expected { method: "POST", target: "https://server.example.com/token", ..resource };
    let without_token = check(AT_THE_TOKEN_ENDPOINT.as_bytes(), &endpoint, 1_562_262_616.0);
    assert_eq!(
        without_token,
        Err(ProofFault::Malformed.into()),
        "it has no `ath`, and all before that is good"
    );
    let elsewhere = check(AT_THE_RESOURCE.as_bytes(), &endpoint, 1_562_262_618.0);
    assert_eq!(elsewhere, Err(ProofFault::Method.into()));
}

const NOW: u64 = 1_800_000_000;
const TARGET: &str = "https://api.example.com/notes";

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::new);

/// The public key of the signer, as a proof has it.
fn jwk() -> Value {
    let mut jwk = SIGNER.jwk("k");
    for extra in ["kid", "use", "alg"] {
        jwk.as_object_mut().unwrap().remove(extra);
    }
    jwk
}

fn header() -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk()})
}

fn claims() -> Value {
    let ath = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"token"));
    json!({"htm": "GET", "htu": TARGET, "iat": NOW, "jti": "one", "ath": ath})
}

fn judged(proof: &str, nonces: Option<&Nonces>) -> Result<Use, Reason> {
    let thumbprint = key::thumbprint(jwk().as_object().unwrap()).unwrap();
    let key = thumbprint.as_ref().try_into().unwrap();
    let expected = Expected { method: "GET", target: TARGET, token: b"token", key: &key, nonces };
    check(proof.as_bytes(), &expected, NOW as f64)
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => _ = object.as_object_mut().unwrap().remove(name),
        value => object[name] = value,
    }
    object
}

#[test]
fn each_rule_about_the_claims_broken_alone() {
    assert!(judged(&SIGNER.sign(&header(), &claims()), None).is_ok());
    let long = "j".repeat(257);
    for (name, value, fault) in [
        ("htm", json!("get"), ProofFault::Method),
        ("htm", json!("POST"), ProofFault::Method),
        ("htm", Value::Null, ProofFault::Malformed),
        ("htm", json!(["GET"]), ProofFault::Malformed),
        ("htu", json!("https://api.example.com/note"), ProofFault::Target),
        ("htu", json!("https://other.example.com/notes"), ProofFault::Target),
        ("htu", json!("http://api.example.com/notes"), ProofFault::Target),
        ("htu", json!("/notes"), ProofFault::Target),
        ("htu", Value::Null, ProofFault::Malformed),
        ("iat", json!(NOW - 61), ProofFault::Time),
        ("iat", json!(NOW + 6), ProofFault::Time),
        ("iat", json!(NOW.to_string()), ProofFault::Malformed),
        ("iat", Value::Null, ProofFault::Malformed),
        ("ath", json!("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"), ProofFault::Token),
        ("ath", json!(""), ProofFault::Token),
        ("ath", Value::Null, ProofFault::Malformed),
        ("jti", json!(""), ProofFault::Malformed),
        ("jti", json!(long), ProofFault::Malformed),
        ("jti", json!(7), ProofFault::Malformed),
        ("jti", Value::Null, ProofFault::Malformed),
    ] {
        let proof = SIGNER.sign(&header(), &with(claims(), name, value.clone()));
        assert_eq!(judged(&proof, None), Err(fault.into()), "{name} {value}");
    }
    for (name, value) in [
        ("htu", json!("HTTPS://api.example.com:443/%6eotes?page=2#top")),
        ("iat", json!(NOW as f64 - 59.5)),
        ("jti", json!("j".repeat(256))),
        ("nonce", json!("of somebody else, and not asked for")),
    ] {
        let proof = SIGNER.sign(&header(), &with(claims(), name, value.clone()));
        assert!(judged(&proof, None).is_ok(), "{name} {value}");
    }
}

#[test]
fn each_rule_about_the_header_broken_alone() {
    for (name, value, reason) in [
        ("typ", json!("JWT"), ProofFault::Type.into()),
        ("typ", json!("at+jwt"), ProofFault::Type.into()),
        ("typ", Value::Null, ProofFault::Malformed.into()),
        ("alg", json!("none"), ProofFault::Algorithm.into()),
        ("alg", json!("HS256"), ProofFault::Algorithm.into()),
        ("alg", json!("es256"), ProofFault::Algorithm.into()),
        ("alg", Value::Null, ProofFault::Algorithm.into()),
        ("alg", json!("ES384"), ProofFault::Key.into()),
        ("alg", json!("RS256"), ProofFault::Key.into()),
        ("jwk", Value::Null, ProofFault::Key.into()),
        ("jwk", json!("key"), ProofFault::Key.into()),
        (
            "jwk",
            json!({"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}),
            ProofFault::Key.into(),
        ),
        ("jwk", with(jwk(), "d", json!("AAAA")), ProofFault::Key.into()),
        ("jwk", with(jwk(), "use", json!("enc")), ProofFault::Key.into()),
        ("jwk", with(jwk(), "x", Value::Null), ProofFault::Key.into()),
        ("jwk", Signer::new().jwk("k"), Reason::BindingMismatch),
        ("crit", json!(["b64"]), ProofFault::Malformed.into()),
        ("b64", json!(false), ProofFault::Malformed.into()),
        ("jku", json!("https://x"), ProofFault::Malformed.into()),
        ("x5c", json!([]), ProofFault::Malformed.into()),
    ] {
        let proof = SIGNER.sign(&with(header(), name, value.clone()), &claims());
        assert_eq!(judged(&proof, None), Err(reason), "{name} {value}");
    }
    for typ in ["DPoP+JWT", "application/dpop+jwt"] {
        assert!(judged(&SIGNER.sign(&with(header(), "typ", json!(typ)), &claims()), None).is_ok(), "{typ}");
    }
}

#[test]
fn a_proof_is_signed_by_the_key_that_it_names_and_in_one_form() {
    let good = SIGNER.sign(&header(), &claims());
    let by_another = Signer::new().sign(&header(), &claims());
    assert_eq!(judged(&by_another, None), Err(ProofFault::Signature.into()));
    let twice = header().to_string().replacen('{', r#"{"typ":"dpop+jwt","#, 1);
    let members = claims().to_string().replacen('{', r#"{"htm":"GET","#, 1);
    for malformed in [
        String::new(),
        "a.b.c".to_owned(),
        format!("{good}="),
        format!("{good}, {good}"),
        format!("{good}.x"),
        good.replace('.', ":"),
        SIGNER.sign_text(twice.as_bytes(), claims().to_string().as_bytes()),
        SIGNER.sign_text(header().to_string().as_bytes(), members.as_bytes()),
        SIGNER.sign_text(header().to_string().as_bytes(), b"[]"),
        SIGNER.sign(&header(), &with(claims(), "more", json!("x".repeat(8 * 1024)))),
    ] {
        assert_eq!(judged(&malformed, None), Err(ProofFault::Malformed.into()), "{malformed:.80}");
    }
}

#[test]
fn where_nonces_are_asked_for_one_of_this_server_is_needed() {
    let nonces = Nonces::new().unwrap();
    let proof = |nonce: Value| SIGNER.sign(&header(), &with(claims(), "nonce", nonce));
    let now = json!(nonces.current(NOW));
    assert!(judged(&proof(now), Some(&nonces)).is_ok());
    assert!(judged(&proof(json!(nonces.current(NOW - 60))), Some(&nonces)).is_ok());
    for bad in [Value::Null, json!(""), json!(7), json!("guess"), json!(nonces.current(NOW - 120))] {
        assert_eq!(judged(&proof(bad.clone()), Some(&nonces)), Err(ProofFault::Nonce.into()), "{bad}");
    }
}

#[test]
fn a_request_has_one_proof() {
    let headers = |proofs: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for proof in proofs {
            headers.append("DPoP", HeaderValue::from_static(proof));
        }
        headers
    };
    assert_eq!(only(&headers(&["a"])), Ok(b"a".as_slice()));
    assert_eq!(only(&headers(&[])), Err(ProofFault::Missing));
    assert_eq!(only(&headers(&["a", "a"])), Err(ProofFault::Repeated));
}

/// RFC 7638 section 3.1, and RFC 8037 appendix A.3.
#[test]
fn the_thumbprints_of_the_standards() {
    let of = |jwk: Value| URL_SAFE_NO_PAD.encode(key::thumbprint(jwk.as_object().unwrap()).unwrap());
    let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = json!({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    assert_eq!(of(rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(of(ed), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}
