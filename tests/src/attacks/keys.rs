//! Key pairs of every algorithm that palisade takes, and signatures by them, made without the code under test.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The algorithms, by their registered names.
pub const ALGORITHMS: [&str; 6] = ["ES256", "ES384", "EdDSA", "RS256", "PS256", "HS256"];

/// A key that signs, and what verifies it.
#[derive(Debug)]
pub struct Signing {
    pub algorithm: &'static str,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Ecdsa(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    Secret(Vec<u8>),
}

impl Signing {
    /// A fresh key.
    pub fn new(algorithm: &str) -> Self {
        let algorithm = ALGORITHMS.into_iter().find(|known| *known == algorithm);
        let algorithm = algorithm.unwrap_or_else(|| panic!("no key for {algorithm:?}"));
        let key = match algorithm {
            "ES256" => Key::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "ES384" => Key::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
            "EdDSA" => Key::Ed(Ed25519KeyPair::generate().unwrap()),
            "HS256" => {
                let mut secret = vec![0; 32];
                SystemRandom::new().fill(&mut secret).unwrap();
                Key::Secret(secret)
            }
            _ => Key::Rsa(rsa::KeyPair::generate(KeySize::Rsa2048).unwrap()),
        };
        Self { algorithm, key }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Ecdsa(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Secret(secret) => mac("sha256", secret, message),
            Key::Rsa(pair) => {
                let padding =
                    if self.algorithm == "PS256" { &RSA_PSS_SHA256 as &_ } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The token of this header and these claims, whatever bytes they are.
    pub fn token(&self, header: &[u8], claims: &[u8]) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", text(header), text(claims));
        format!("{signed}.{}", text(&self.sign(signed.as_bytes())))
    }

    /// What verifies it, as a JWK: of a secret, that is the secret.
    pub fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.key {
            Key::Ecdsa(pair) => {
                let point = &pair.public_key().as_ref()[1..]; // after 0x04: x | y
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.algorithm == "ES256" { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
            }
            Key::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
            Key::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({
                    "kty": "RSA",
                    "n": text(n.big_endian_without_leading_zero()),
                    "e": text(e.big_endian_without_leading_zero()),
                })
            }
            Key::Secret(secret) => json!({ "kty": "oct", "k": text(secret) }),
        };
        for (name, value) in [("alg", self.algorithm), ("use", "sig"), ("kid", kid)] {
            jwk[name] = value.into();
        }
        jwk
    }

    /// The public key in the form of X.509 (SPKI). A secret has none.
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match &self.key {
            Key::Ecdsa(pair) => pair.public_key().as_der().unwrap(),
            Key::Ed(pair) => pair.public_key().as_der().unwrap(),
            Key::Rsa(pair) => pair.public_key().as_der().unwrap(),
            Key::Secret(_) => panic!("a secret has no public half"),
        };
        der.as_ref().to_vec()
    }

    pub fn public_pem(&self) -> String {
        let text = STANDARD.encode(self.public_der());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// The bytes of the public key as its primitive takes them (a point, a modulus), or of the secret.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.key {
            Key::Ecdsa(pair) => pair.public_key().as_ref().to_vec(),
            Key::Ed(pair) => pair.public_key().as_ref().to_vec(),
            Key::Rsa(pair) => pair.public_key().modulus().big_endian_without_leading_zero().to_vec(),
            Key::Secret(secret) => secret.clone(),
        }
    }
}

/// HMAC with any of the hashes of JWA.
pub fn mac(hash: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        other => panic!("no hash {other:?}"),
    };
    hmac::sign(&hmac::Key::new(algorithm, secret), message).as_ref().to_vec()
}
