//! The check of a token: ours against `jsonwebtoken` into typed claims, the same token and the same key.

use std::io;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{error::Unspecified, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, Validation, decode};
use palisade::measure::Tokens;
use palisade::operation::{Algorithm, Binding, TokenRules};
use palisade::{Clock, JwkSet, Jwt};
use serde_json::{Value, json};

use crate::hand::{self, Claims};
use crate::{credentials, table, timing};

/// A token with its key: the public half as a JWK.
struct Signed {
    name: &'static str,
    jwk: Value,
    token: String,
    /// The primitive is nearly all of the others; the budget is about what stands around it.
    budget: Option<f64>,
}

pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    for signed in [hs256(), rs256(), es256(), eddsa()] {
        let signed = signed.map_err(io::Error::other)?;
        // A signature by a public key takes some twenty times as long as a MAC.
        let calls = if signed.name == "HS256" { calls } else { calls / 20 };
        let (ours, theirs) = (ours(&signed)?, theirs(&signed)?);
        let mut ratios = timing::compare(rounds, calls, theirs, ours)?;
        let what = format!("token check, {} / jsonwebtoken", signed.name);
        table::ratio(&what, &mut ratios, signed.budget);
    }
    Ok(())
}

fn ours(signed: &Signed) -> io::Result<impl FnMut()> {
    let keys = JwkSet::from_json(&signed.jwk.to_string()).map_err(io::Error::other)?;
    let tokens = Tokens::new(rules(signed.name), Jwt::new(keys));
    let tokens = tokens.ok_or_else(|| io::Error::other("the rules contradict each other"))?;
    let token = signed.token.clone();
    let clock = Clock::system();
    let accepted = move || clock.now().is_ok_and(|now| tokens.accept(token.as_bytes(), now));
    timing::holds(accepted)
}

fn theirs(signed: &Signed) -> io::Result<impl FnMut()> {
    let jwk = serde_json::from_value(signed.jwk.clone())?;
    let key = DecodingKey::from_jwk(&jwk).map_err(io::Error::other)?;
    let algorithm = signed.name.parse().map_err(io::Error::other)?;
    let (validation, token) =
        (Validation { algorithms: vec![algorithm], ..hand::validation() }, signed.token.clone());
    timing::holds(move || decode::<Claims>(&token, &key, &validation).is_ok())
}

fn rules(name: &str) -> &'static TokenRules {
    const fn rules(algorithms: &'static [Algorithm]) -> TokenRules {
        TokenRules {
            issuer: Some("https://id.example.com"),
            audience: Some("bench"),
            algorithms,
            typ: Some("at+jwt"),
            leeway: Duration::from_secs(30),
            max_lifetime: None,
            scopes_claim: &["scope"],
            binding: Binding::None,
        }
    }
    static HS256: TokenRules = rules(&[Algorithm::HS256]);
    static RS256: TokenRules = rules(&[Algorithm::RS256]);
    static ES256: TokenRules = rules(&[Algorithm::ES256]);
    static EDDSA: TokenRules = rules(&[Algorithm::EdDSA]);
    match name {
        "HS256" => &HS256,
        "RS256" => &RS256,
        "ES256" => &ES256,
        _ => &EDDSA,
    }
}

fn hs256() -> Result<Signed, Unspecified> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, credentials::SECRET);
    let token = signed("HS256", |text| Ok(hmac::sign(&key, text).as_ref().to_vec()))?;
    let jwk = json!({ "kty": "oct", "k": base64(credentials::SECRET) });
    Ok(Signed { name: "HS256", jwk: of(jwk, "HS256"), token, budget: Some(0.45) })
}

fn rs256() -> Result<Signed, Unspecified> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let token = signed("RS256", |text| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)?;
        Ok(signature)
    })?;
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    let [n, e] = [n, e].map(|number| base64(number.big_endian_without_leading_zero()));
    Ok(Signed {
        name: "RS256",
        jwk: of(json!({ "kty": "RSA", "n": n, "e": e }), "RS256"),
        token,
        budget: None,
    })
}

fn es256() -> Result<Signed, Unspecified> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let token = signed("ES256", |text| Ok(pair.sign(&SystemRandom::new(), text)?.as_ref().to_vec()))?;
    let point = pair.public_key().as_ref().split_first_chunk::<1>().ok_or(Unspecified)?.1; // behind 0x04: x, y
    let (x, y) = point.split_first_chunk::<32>().ok_or(Unspecified)?;
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y) });
    Ok(Signed { name: "ES256", jwk: of(jwk, "ES256"), token, budget: None })
}

fn eddsa() -> Result<Signed, Unspecified> {
    let pair = Ed25519KeyPair::generate()?;
    let token = signed("EdDSA", |text| Ok(pair.sign(text).as_ref().to_vec()))?;
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref()) });
    Ok(Signed { name: "EdDSA", jwk: of(jwk, "EdDSA"), token, budget: None })
}

fn of(mut jwk: Value, algorithm: &str) -> Value {
    if let Some(members) = jwk.as_object_mut() {
        members.extend([("alg".to_owned(), algorithm.into()), ("kid".to_owned(), "bench".into())]);
    }
    jwk
}

fn signed(
    algorithm: &str,
    sign: impl Fn(&[u8]) -> Result<Vec<u8>, Unspecified>,
) -> Result<String, Unspecified> {
    let header = json!({ "typ": "at+jwt", "alg": algorithm, "kid": "bench" });
    let text = format!("{}.{}", base64(header.to_string()), base64(credentials::claims().to_string()));
    let signature = base64(sign(text.as_bytes())?);
    Ok(format!("{text}.{signature}"))
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
