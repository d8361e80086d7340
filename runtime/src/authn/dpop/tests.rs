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

fn used(proof: &[u8], expected: &Expected<'_>, now: f64) -> Result<Use, Reason> {
    check(proof, expected, now).map(|proven| proven.used)
}

#[test]
fn the_examples_of_the_standard() {
    let key = bits(KEY);
    let target = PublicOrigin::parse("https://resource.example.org").unwrap().target("/protectedresource");
    let resource = Expected {
        method: "GET",
        target: &target,
        token: Some(TOKEN),
        key: Some(&key),
        nonces: None,
        heads: None,
    };
    for now in [1_562_262_618.0, 1_562_262_613.0, 1_562_262_678.0] {
        assert!(check(AT_THE_RESOURCE.as_bytes(), &resource, now).is_ok(), "{now}");
    }
    for now in [1_562_262_612.9, 1_562_262_678.1] {
        let late = used(AT_THE_RESOURCE.as_bytes(), &resource, now);
        assert_eq!(late, Err(ProofFault::Time.into()), "{now}");
    }
    let endpoint = Expected { method: "POST", target: "https://server.example.com/token", ..resource };
    let without_token = used(AT_THE_TOKEN_ENDPOINT.as_bytes(), &endpoint, 1_562_262_616.0);
    assert_eq!(
        without_token,
        Err(ProofFault::Malformed.into()),
        "it has no `ath`, and all before that is good"
    );
    // section 5: the same proof for who asks for a token
    let asking = Expected { token: None, key: None, ..endpoint };
    let proven = check(AT_THE_TOKEN_ENDPOINT.as_bytes(), &asking, 1_562_262_616.0).unwrap();
    assert_eq!(proven.thumbprint, key);
    let elsewhere = used(AT_THE_RESOURCE.as_bytes(), &endpoint, 1_562_262_618.0);
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

/// The key of the signer, as a token is bound to it.
fn thumbprint() -> [u8; 32] {
    key::thumbprint(jwk().as_object().unwrap()).unwrap().as_ref().try_into().unwrap()
}

/// The same comes of it whether or not its header was good before.
fn judged(proof: &str, nonces: Option<&Nonces>) -> Result<Use, Reason> {
    let (key, heads) = (thumbprint(), Heads::new());
    let by = |heads, key: &[u8; 32], proof: &str| {
        let (method, target, token) = ("GET", TARGET, Some(&b"token"[..]));
        let expected = Expected { method, target, token, key: Some(key), nonces, heads };
        check(proof.as_bytes(), &expected, NOW as f64).map(|proven| proven.used)
    };
    let read = by(None, &key, proof);
    assert_eq!(by(Some(&heads), &key, proof), read);
    let head = proof.split('.').next().unwrap_or_default();
    assert_eq!(heads.find(head.as_bytes()).is_some(), read.is_ok(), "kept where it was good");
    let good = || SIGNER.sign(&header(), &claims());
    if nonces.is_none() {
        assert!(by(Some(&heads), &key, &good()).is_ok());
        assert_eq!(by(Some(&heads), &[0; 32], &good()), Err(Reason::BindingMismatch));
        assert_eq!(by(Some(&heads), &key, proof), read);
    }
    read
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

#[tokio::test]
async fn where_nonces_are_asked_for_one_of_this_server_is_needed() {
    let nonces = Nonces::new(None);
    let proof = |nonce: Value| SIGNER.sign(&header(), &with(claims(), "nonce", nonce));
    assert_eq!(judged(&proof(Value::Null), Some(&nonces)), Err(ProofFault::Unknown.into()));
    let [old, before, now] = [NOW - 120, NOW - 60, NOW].map(|at| nonces.current(at));
    let [old, before, now] = [old.await, before.await, now.await].map(|nonce| json!(nonce.unwrap()));
    assert!(judged(&proof(now), Some(&nonces)).is_ok());
    assert!(judged(&proof(before), Some(&nonces)).is_ok());
    for bad in [Value::Null, json!(""), json!(7), json!("guess"), old] {
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

/// A proof with this header whose token is bound to `jwk`.
fn judged_by(algorithm: &str, jwk: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<Use, Reason> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"typ": "dpop+jwt", "alg": algorithm, "jwk": jwk});
    let signed = format!("{}.{}", part(&header), part(&claims()));
    let proof = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(sign(signed.as_bytes())));
    let thumbprint = key::thumbprint(jwk.as_object().unwrap()).unwrap();
    let key = thumbprint.as_ref().try_into().unwrap();
    let expected = Expected {
        method: "GET",
        target: TARGET,
        token: Some(b"token"),
        key: Some(&key),
        nonces: None,
        heads: None,
    };
    check(proof.as_bytes(), &expected, NOW as f64).map(|proven| proven.used)
}

#[test]
fn every_algorithm_that_challenges_name_verifies_and_no_other() {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::KeySize,
        signature::{
            ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
            RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
        },
    };
    let random = SystemRandom::new();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);

    let ec = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let point = ec.public_key().as_ref();
    let p384 = json!({"kty": "EC", "crv": "P-384", "x": text(&point[1..49]), "y": text(&point[49..])});
    let ed = Ed25519KeyPair::generate().unwrap();
    let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": text(ed.public_key().as_ref())});
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let modulus = rsa.public_key().modulus().big_endian_without_leading_zero();
    let n_e = json!({"kty": "RSA", "n": text(modulus), "e": "AQAB"});
    let by_rsa = |encoding: &'static dyn RsaEncoding, message: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(encoding, &random, message, &mut signature).unwrap();
        signature
    };
    let by_ec = |message: &[u8]| ec.sign(&random, message).unwrap().as_ref().to_vec();
    let by_ed = |message: &[u8]| ed.sign(message).as_ref().to_vec();
    let mut named = vec!["ES256"]; // the other tests have it
    let mut good = |algorithm: &'static str, judged: Result<Use, Reason>| {
        assert!(judged.is_ok(), "{algorithm}: {judged:?}");
        named.push(algorithm);
    };
    good("ES384", judged_by("ES384", &p384, by_ec));
    good("EdDSA", judged_by("EdDSA", &okp, by_ed));
    good("RS256", judged_by("RS256", &n_e, |message| by_rsa(&RSA_PKCS1_SHA256, message)));
    good("PS256", judged_by("PS256", &n_e, |message| by_rsa(&RSA_PSS_SHA256, message)));
    assert_eq!(named.join(" "), ALGORITHMS);

    // RFC 9864 gives EdDSA over Ed25519 a name of its own
    assert!(judged_by("Ed25519", &okp, by_ed).is_ok());
    for (algorithm, jwk) in [("ES256", &p384), ("EdDSA", &n_e), ("PS256", &okp)] {
        assert_eq!(judged_by(algorithm, jwk, by_ed), Err(ProofFault::Key.into()), "{algorithm}");
    }
    for none in ["RS512", "ES512", "HS256", "none"] {
        assert_eq!(judged_by(none, &n_e, by_ed), Err(ProofFault::Algorithm.into()), "{none}");
    }
    let short = json!({"kty": "RSA", "n": text(&[0xff; 128]), "e": "AQAB"});
    assert_eq!(judged_by("RS256", &short, by_ed), Err(ProofFault::Key.into()), "1024 bits");
}
