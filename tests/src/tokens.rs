//! Tokens as an identity provider would sign them, made without the code under test.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://id.example.com";

/// A signer with one ES256 key.
#[derive(Clone)]
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

/// The key of a client, which signs its proofs of possession (RFC 9449).
pub struct ClientKey {
    signer: Signer,
    pub jwk: Value,
}

impl Default for ClientKey {
    fn default() -> Self {
        let signer = Signer::new("client");
        let set: Value = serde_json::from_str(signer.jwks()).unwrap();
        let known = &set["keys"][0];
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": known["x"], "y": known["y"] });
        Self { signer, jwk }
    }
}

impl ClientKey {
    /// RFC 7638 section 3.
    pub fn thumbprint(&self) -> String {
        let text = |name: &str| self.jwk[name].as_str().unwrap();
        sha256(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text("x"), text("y")))
    }

    /// A proof, or what is none for its type or its key.
    pub fn sign(&self, typ: &str, jwk: &Value, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(typ.to_owned());
        header.jwk = Some(serde_json::from_value(jwk.clone()).unwrap());
        self.signer.sign(&header, claims)
    }
}

/// Its digest, as JOSE writes it.
pub fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
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
