//! Keys that sign tokens (RFC 7515), for [`issuer`](crate::issuer) and [`dev`](crate::dev): one minting code.
//!
//! 1. ES256, EdDSA and RS256, which every verifier has; RSA keys have 2048 bits;
//! 2. a key is named by its thumbprint (RFC 7638), so that no two keys have one name;
//! 3. `alg` of a token is that of the key, and `typ` is `at+jwt` (RFC 9068 section 2.1).

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::authn::jwt::algorithm;
use crate::operation::Algorithm;

/// A key that signs.
pub(crate) struct Signer {
    pair: Pair,
    algorithm: Algorithm,
    kid: String,
    jwk: Value,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// A new key in PKCS #8.
pub(crate) fn new_pkcs8(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    Ok(Zeroizing::new(match algorithm {
        Algorithm::ES256 => {
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
        }
        Algorithm::EdDSA => Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())?.as_ref().to_vec(),
        Algorithm::RS256 => {
            let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
            der.as_ref().to_vec()
        }
        Algorithm::HS256 | Algorithm::PS256 | Algorithm::ES384 => return Err(Unspecified),
    }))
}

impl Signer {
    /// The key of this PKCS #8.
    pub(crate) fn read(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // RFC 7638 section 3.2: the members of a thumbprint in the order of their names, and no others yet
        let (pair, members) = match algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?;
                // SEC 1 section 2.3.3: an uncompressed point is 0x04, x, y
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at_checked(32).ok_or_else(|| KeyRejected::from(Unspecified))?;
                let members = json!({ "crv": "P-256", "kty": "EC", "x": text(x), "y": text(y) });
                (Pair::Ec(pair), members)
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8)?;
                let members =
                    json!({ "crv": "Ed25519", "kty": "OKP", "x": text(pair.public_key().as_ref()) });
                (Pair::Ed(pair), members)
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8)?;
                let (modulus, exponent) = (pair.public_key().modulus(), pair.public_key().exponent());
                let members = json!({
                    "e": text(exponent.big_endian_without_leading_zero()),
                    "kty": "RSA",
                    "n": text(modulus.big_endian_without_leading_zero()),
                });
                (Pair::Rsa(Box::new(pair)), members)
            }
            Algorithm::HS256 | Algorithm::PS256 | Algorithm::ES384 => {
                return Err(KeyRejected::from(Unspecified));
            }
        };
        let kid = text(digest::digest(&digest::SHA256, members.to_string().as_bytes()).as_ref());
        let mut jwk = members;
        if let Some(members) = jwk.as_object_mut() {
            for (name, value) in [("alg", algorithm::name(algorithm)), ("use", "sig"), ("kid", &kid)] {
                members.insert(name.to_owned(), value.into());
            }
        }
        Ok(Self { pair, algorithm, kid, jwk })
    }

    /// Its name.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public half (RFC 7517 section 4).
    pub(crate) const fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// An access token that says `claims` (RFC 7515 section 5.1).
    pub(crate) fn token(&self, claims: &Value) -> Result<String, Unspecified> {
        let header = json!({ "typ": "at+jwt", "alg": algorithm::name(self.algorithm), "kid": self.kid });
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", part(&header), part(claims));
        let signature = self.sign(input.as_bytes())?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => Ok(pair.sign(&random, input)?.as_ref().to_vec()),
            Pair::Ed(pair) => Ok(pair.sign(input).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

/// The public halves, as a JWK set (RFC 7517 section 5).
pub(crate) fn key_set<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> String {
    let keys: Vec<_> = signers.into_iter().map(Signer::jwk).collect();
    json!({ "keys": keys }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_are_taken_by_the_verifier_but_not_for_another_algorithm() {
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
            let pkcs8 = new_pkcs8(algorithm).unwrap();
            let (one, again) =
                (Signer::read(algorithm, &pkcs8).unwrap(), Signer::read(algorithm, &pkcs8).unwrap());
            assert_eq!(one.kid(), again.kid());
            let set = crate::JwkSet::from_json(&key_set([&one])).unwrap();
            let token = again.token(&json!({ "sub": "alice" })).unwrap();
            let parts = crate::authn::jwt::jws::Parts::split(token.as_bytes()).unwrap();
            let mut room = crate::authn::jwt::jws::Room::for_token(token.as_bytes());
            let allowed = crate::authn::jwt::algorithm::Allowed::new(&[algorithm]).unwrap();
            let verified =
                crate::authn::jwt::jws::verify(&parts, &mut room, allowed, &set.ring, |_| Ok(())).unwrap();
            assert_eq!(verified.payload, br#"{"sub":"alice"}"#);
            let other = if algorithm == Algorithm::ES256 { Algorithm::EdDSA } else { Algorithm::ES256 };
            assert!(Signer::read(other, &pkcs8).is_err());
        }
        assert!(new_pkcs8(Algorithm::HS256).is_err());
    }

    /// RFC 8037 appendix A.3.
    #[test]
    fn the_thumbprint_of_the_standard() {
        let members =
            json!({ "crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let digest = digest::digest(&digest::SHA256, members.to_string().as_bytes());
        assert_eq!(URL_SAFE_NO_PAD.encode(digest), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
