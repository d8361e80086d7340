//! Keys of each algorithm, the tokens that they sign, and the bare verification of a signature.

use std::io;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::credentials;

/// A key and its algorithm.
pub(crate) struct Key {
    /// As `alg` has it.
    pub(crate) name: &'static str,
    /// The members that make the public half (RFC 7638 section 3.2), or the secret.
    jwk: Value,
    half: Half,
}

enum Half {
    Mac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding, &'static dyn VerificationAlgorithm),
    Ecdsa(EcdsaKeyPair, &'static dyn VerificationAlgorithm),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub(crate) fn hs256() -> Self {
        let jwk = json!({ "kty": "oct", "k": base64(credentials::SECRET) });
        Self {
            name: "HS256",
            jwk,
            half: Half::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, credentials::SECRET))),
        }
    }

    pub(crate) fn rs256() -> io::Result<Self> {
        Self::rsa("RS256", &RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256)
    }

    pub(crate) fn ps256() -> io::Result<Self> {
        Self::rsa("PS256", &RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256)
    }

    fn rsa(
        name: &'static str,
        signs: &'static dyn RsaEncoding,
        verifies: &'static dyn VerificationAlgorithm,
    ) -> io::Result<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
        let [n, e] = [n, e].map(|number| base64(number.big_endian_without_leading_zero()));
        let jwk = json!({ "kty": "RSA", "n": n, "e": e });
        Ok(Self { name, jwk, half: Half::Rsa(pair, signs, verifies) })
    }

    pub(crate) fn es256() -> io::Result<Self> {
        Self::ecdsa("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P256_SHA256_FIXED)
    }

    pub(crate) fn es384() -> io::Result<Self> {
        Self::ecdsa("ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED)
    }

    fn ecdsa(
        name: &'static str,
        curve: &str,
        signs: &'static EcdsaSigningAlgorithm,
        verifies: &'static dyn VerificationAlgorithm,
    ) -> io::Result<Self> {
        let pair = EcdsaKeyPair::generate(signs).map_err(io::Error::other)?;
        let coordinates = pair.public_key().as_ref().get(1..).unwrap_or_default(); // behind 0x04: x, y
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "x": base64(x), "y": base64(y) });
        Ok(Self { name, jwk, half: Half::Ecdsa(pair, verifies) })
    }

    pub(crate) fn eddsa() -> io::Result<Self> {
        let pair = Ed25519KeyPair::generate().map_err(io::Error::other)?;
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref()) });
        Ok(Self { name: "EdDSA", jwk, half: Half::Ed25519(pair) })
    }

    /// For a set: with its `kid` and `alg`.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.jwk.clone();
        if let Some(members) = jwk.as_object_mut() {
            members.extend([("alg".to_owned(), self.name.into()), ("kid".to_owned(), "bench".into())]);
        }
        jwk
    }

    /// For the header of a proof, which names nothing else of it.
    pub(crate) const fn public(&self) -> &Value {
        &self.jwk
    }

    /// An access token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> io::Result<String> {
        self.sign(&json!({ "typ": "at+jwt", "alg": self.name, "kid": "bench" }), claims)
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> io::Result<String> {
        let text = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
        let signature = self.signature(text.as_bytes())?;
        Ok(format!("{text}.{}", base64(signature)))
    }

    fn signature(&self, text: &[u8]) -> io::Result<Vec<u8>> {
        match &self.half {
            Half::Mac(key) => Ok(hmac::sign(key, text).as_ref().to_vec()),
            Half::Rsa(pair, encoding, _) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(*encoding, &random, text, &mut signature).map_err(io::Error::other)?;
                Ok(signature)
            }
            Half::Ecdsa(pair, _) => {
                Ok(pair.sign(&SystemRandom::new(), text).map_err(io::Error::other)?.as_ref().to_vec())
            }
            Half::Ed25519(pair) => Ok(pair.sign(text).as_ref().to_vec()),
        }
    }

    /// The verification of the signature of `token` and nothing else: nothing of it is decoded then.
    pub(crate) fn bare(&self, token: &str) -> io::Result<Box<dyn Fn() -> bool>> {
        let (text, signature) = taken_apart(token)?;
        if let Half::Mac(key) = &self.half {
            let key = key.clone();
            return Ok(Box::new(move || hmac::verify(&key, &text, &signature).is_ok()));
        }
        let key = self.parsed().map_err(io::Error::other)?;
        Ok(Box::new(move || key.verify_sig(&text, &signature).is_ok()))
    }

    /// The same of one token after the other, and again from the first.
    pub(crate) fn bare_in_turn(&self, tokens: &[String]) -> io::Result<impl FnMut() -> bool + use<>> {
        let taken = tokens.iter().map(|token| taken_apart(token)).collect::<io::Result<Vec<_>>>()?;
        let key = self.parsed().map_err(io::Error::other)?;
        let mut next = 0;
        Ok(move || {
            next = (next + 1) % taken.len();
            taken.get(next).is_some_and(|(text, signature)| key.verify_sig(text, signature).is_ok())
        })
    }

    /// What it takes to read the public half, of which nothing is kept from one proof to the next.
    pub(crate) fn read(&self) -> impl Fn() -> bool + use<> {
        let (point, verifies) = match &self.half {
            Half::Ecdsa(pair, verifies) => (pair.public_key().as_ref().to_vec(), *verifies),
            Half::Mac(_) | Half::Rsa(..) | Half::Ed25519(_) => (Vec::new(), &ED25519 as &_),
        };
        move || ParsedPublicKey::new(verifies, &point).is_ok()
    }

    fn parsed(&self) -> Result<ParsedPublicKey, aws_lc_rs::error::KeyRejected> {
        match &self.half {
            Half::Rsa(pair, _, verifies) => ParsedPublicKey::new(*verifies, pair.public_key().as_ref()),
            Half::Ecdsa(pair, verifies) => ParsedPublicKey::new(*verifies, pair.public_key().as_ref()),
            Half::Ed25519(pair) => ParsedPublicKey::new(&ED25519, pair.public_key().as_ref()),
            Half::Mac(_) => ParsedPublicKey::new(&ED25519, []),
        }
    }
}

/// What is signed of a token, and the signature.
fn taken_apart(token: &str) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (text, signature) = token.rsplit_once('.').ok_or_else(|| io::Error::other("no token"))?;
    Ok((text.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(signature).map_err(io::Error::other)?))
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
