//! Tokens as an identity provider would sign them, made without the code under test.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://id.example.com";

/// A signer with one ES256 key.
pub struct Signer {
    key: EncodingKey,
    jwks: String,
}

impl Signer {
    pub fn new(kid: &str) -> Self {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let point = pair.public_key().as_ref(); // 0x04 | x | y
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": x, "y": y });
        Self { key: EncodingKey::from_ec_der(pkcs8.as_ref()), jwks: json!({ "keys": [jwk] }).to_string() }
    }

    /// The public half, as a JWK set.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }

    /// A good token for the document of the gate's tests.
    pub fn token(&self, subject: &str, scope: &str) -> String {
        self.sign(&header("k1"), &claims(subject, scope))
    }
}

pub fn header(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(kid.to_owned());
    header
}

pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub fn claims(subject: &str, scope: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": "gate", "sub": subject, "client_id": "test", "jti": "t1",
        "iat": now(), "exp": now() + 600, "scope": scope,
    })
}

/// The claims with one of them replaced, or taken out by `null`.
pub fn claims_with(member: &str, value: Value) -> Value {
    let mut claims = claims("alice", "notes:read notes:write");
    match value {
        Value::Null => _ = claims.as_object_mut().unwrap().remove(member),
        value => claims[member] = value,
    }
    claims
}
