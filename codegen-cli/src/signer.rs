//! Development tokens: signed with a key of the project by what the document demands of a token.
//!
//! `palisade::dev` has the key of the examples, which is ES256. A document may ask for any algorithm, `typ` and scopes
//! claim, and a project made from it must work as it is.

use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use palisade_codegen::model::{Algorithm, Token, TokenRules};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::store;

/// What signs the tokens of one scheme.
pub(crate) struct Signer {
    algorithm: Algorithm,
    secret: Secret,
    /// The key as a verifier gets it. For HS256 that is the secret itself.
    jwk: Value,
    kid: String,
}

enum Secret {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Hmac(Box<hmac::Key>),
}

/// What a token says, beside what the document demands.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) subject: &'a str,
    /// There where the document has a claim for it.
    pub(crate) tenant: Option<&'a str>,
    pub(crate) scopes: &'a [String],
    /// The thumbprint of the certificate that it is bound to.
    pub(crate) certificate: Option<&'a str>,
    /// The thumbprint of the key that it is bound to.
    pub(crate) key: Option<&'a str>,
    pub(crate) issued: u64,
    pub(crate) expires: u64,
}

/// A request that a proof is made for.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) token: &'a str,
    /// The nonce that the server gave.
    pub(crate) nonce: Option<&'a str>,
    pub(crate) issued: u64,
}

/// The algorithm that development tokens of a scheme are signed with: one that the document accepts.
pub(crate) fn algorithm(rules: &TokenRules) -> Option<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, HS256, PS256, RS256};
    let Token::Jwt { algorithms, .. } = &rules.token else { return None };
    [ES256, EdDSA, ES384, PS256, RS256, HS256].into_iter().find(|one| algorithms.contains(one))
}

/// The file of a scheme's signing key under `folder`.
pub(crate) fn key_file(folder: &Path, scheme_file: &str, algorithm: Algorithm) -> PathBuf {
    let ending = if algorithm == Algorithm::HS256 { "secret" } else { "pem" };
    folder.join(format!("{scheme_file}.{ending}"))
}

impl Signer {
    /// Makes a key and stores it at `path`, for the eyes of its owner only.
    pub(crate) fn create(algorithm: Algorithm, path: &Path) -> Result<Self, Failure> {
        let text = new_key(algorithm)
            .map_err(|_| Failure::system("no signing key was made: the system's random source failed"))?;
        store::replace(path, &text)?;
        Self::read(algorithm, &text, path)
    }

    /// The key that is stored at `path`.
    pub(crate) fn open(algorithm: Algorithm, path: &Path) -> Result<Self, Failure> {
        match store::read(path)?.map(Zeroizing::new) {
            Some(text) => Self::read(algorithm, &text, path),
            None => Err(Failure::usage(format!("there is no development key `{}`", path.display()))
                .help("tokens of this scheme come from its issuer; `--key` names another development key")),
        }
    }

    /// The key of a client, for proofs. It is made when it is not there.
    pub(crate) fn of_client(path: &Path) -> Result<Self, Failure> {
        match store::read(path)?.map(Zeroizing::new) {
            Some(text) => Self::read(Algorithm::ES256, &text, path),
            None => Self::create(Algorithm::ES256, path),
        }
    }

    /// What a token is bound to (RFC 9449 section 6.1).
    pub(crate) fn thumbprint(&self) -> &str {
        &self.kid
    }

    fn read(algorithm: Algorithm, text: &str, path: &Path) -> Result<Self, Failure> {
        let lines: Zeroizing<String> =
            Zeroizing::new(text.lines().filter(|line| !line.starts_with("-----")).collect());
        let bytes = STANDARD.decode(lines.trim()).map(Zeroizing::new);
        let parts =
            bytes.map_err(|_| KeyRejected::from(Unspecified)).and_then(|bytes| parts(algorithm, &bytes));
        let (secret, jwk, kid) = parts.map_err(|_| {
            let name = algorithm.as_str();
            Failure::usage(format!(
                "`{}` holds no key for {name}, which the document asks for",
                path.display()
            ))
        })?;
        Ok(Self { algorithm, secret, jwk, kid })
    }

    /// The key set of a verifier (RFC 7517 section 5).
    pub(crate) fn key_set(&self) -> String {
        json!({ "keys": [self.jwk] }).to_string()
    }

    /// A token that satisfies `rules` and says `grant`.
    pub(crate) fn token(&self, rules: &TokenRules, grant: &Grant<'_>) -> Result<String, Failure> {
        // Where the document opted out of a `typ`, plain tokens pass.
        let typ = match &rules.token {
            Token::Jwt { typ: Some(typ), .. } => typ,
            Token::Jwt { typ: None, .. } | Token::Introspected { .. } => "JWT",
        };
        let header = json!({ "typ": typ, "alg": self.algorithm.as_str(), "kid": self.kid });
        // RFC 9068 section 2.2: the claims that an access token must have.
        let mut claims = json!({
            "iss": grant.issuer,
            "aud": grant.audience,
            "sub": grant.subject,
            "client_id": "development",
            "jti": fresh_id()?,
            "iat": grant.issued,
            "exp": grant.expires,
        });
        if let Some(thumbprint) = grant.certificate {
            put(&mut claims, &["cnf".to_owned(), "x5t#S256".to_owned()], Value::from(thumbprint));
        }
        if let Some(thumbprint) = grant.key {
            put(&mut claims, &["cnf".to_owned(), "jkt".to_owned()], Value::from(thumbprint));
        }
        put(&mut claims, &rules.scopes_claim, Value::from(grant.scopes.join(" ")));
        if let Some(tenant) = grant.tenant {
            put(&mut claims, &rules.tenant_claim, Value::from(tenant));
        }
        self.signed(&header, &claims)
    }

    /// A proof that this key is in the hands of who sends `request` (RFC 9449 section 4.2).
    pub(crate) fn proof(&self, request: &Request<'_>) -> Result<String, Failure> {
        let header = json!({ "typ": "dpop+jwt", "alg": self.algorithm.as_str(), "jwk": self.jwk });
        let target = request.url.split(['?', '#']).next().unwrap_or_default();
        let mut claims = json!({
            "htm": request.method,
            "htu": target,
            "iat": request.issued,
            "jti": fresh_id()?,
            "ath": URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, request.token.as_bytes())),
        });
        if let Some(nonce) = request.nonce {
            put(&mut claims, &["nonce".to_owned()], Value::from(nonce));
        }
        self.signed(&header, &claims)
    }

    fn signed(&self, header: &Value, claims: &Value) -> Result<String, Failure> {
        // RFC 7515 section 5.1
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature =
            self.sign(input.as_bytes()).map_err(|_| Failure::system("the token could not be signed"))?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.secret {
            Secret::Ec(pair) => Ok(pair.sign(&random, input)?.as_ref().to_vec()),
            Secret::Ed(pair) => Ok(pair.sign(input).as_ref().to_vec()),
            Secret::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, input, &mut signature)?;
                Ok(signature)
            }
            Secret::Hmac(key) => Ok(hmac::sign(key, input).as_ref().to_vec()),
        }
    }
}

/// An id that no other token or proof has.
fn fresh_id() -> Result<String, Failure> {
    let mut id = [0; 16];
    rand::fill(&mut id).map_err(|_| Failure::system("the system gave no random bytes"))?;
    Ok(URL_SAFE_NO_PAD.encode(id))
}

/// A new key as its file holds it: PEM of PKCS #8 (RFC 7468 section 10), or base64 of a shared secret.
fn new_key(algorithm: Algorithm) -> Result<Zeroizing<String>, Unspecified> {
    let pkcs8 = |der: &[u8]| {
        let body = Zeroizing::new(STANDARD.encode(der));
        let mut text = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
        for line in body.as_bytes().chunks(64) {
            text.extend(line.iter().map(|byte| char::from(*byte)));
            text.push('\n');
        }
        text.push_str("-----END PRIVATE KEY-----\n");
        text
    };
    Ok(match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => {
            pkcs8(EcdsaKeyPair::generate(curve(algorithm))?.to_pkcs8v1()?.as_ref())
        }
        Algorithm::EdDSA => pkcs8(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())?.as_ref()),
        Algorithm::RS256 | Algorithm::PS256 => {
            let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
            pkcs8(der.as_ref())
        }
        Algorithm::HS256 => {
            let mut secret = Zeroizing::new([0; 32]);
            rand::fill(&mut *secret)?;
            Zeroizing::new(format!("{}\n", *Zeroizing::new(STANDARD.encode(*secret))))
        }
    })
}

fn curve(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
    }
}

/// The key, what a verifier gets of it, and its name.
fn parts(algorithm: Algorithm, bytes: &[u8]) -> Result<(Secret, Value, String), KeyRejected> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    // RFC 7638 section 3.2: the members of a thumbprint, and no others yet.
    let (secret, members) = match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => {
            let pair = EcdsaKeyPair::from_pkcs8(curve(algorithm), bytes)?;
            // SEC 1 section 2.3.3: an uncompressed point is 0x04, x, y.
            let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
            let (x, y) = point.split_at_checked(point.len() / 2).unwrap_or_default();
            let crv = if algorithm == Algorithm::ES384 { "P-384" } else { "P-256" };
            let members = json!({ "crv": crv, "kty": "EC", "x": text(x), "y": text(y) });
            (Secret::Ec(pair), members)
        }
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::from_pkcs8(bytes)?;
            let members = json!({ "crv": "Ed25519", "kty": "OKP", "x": text(pair.public_key().as_ref()) });
            (Secret::Ed(pair), members)
        }
        Algorithm::RS256 | Algorithm::PS256 => {
            let pair = RsaKeyPair::from_pkcs8(bytes)?;
            let (modulus, exponent) = (pair.public_key().modulus(), pair.public_key().exponent());
            let (n, e) =
                (modulus.big_endian_without_leading_zero(), exponent.big_endian_without_leading_zero());
            let members = json!({ "e": text(e), "kty": "RSA", "n": text(n) });
            let encoding: &'static dyn RsaEncoding =
                if algorithm == Algorithm::PS256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
            (Secret::Rsa(Box::new(pair), encoding), members)
        }
        Algorithm::HS256 if bytes.len() < 32 => return Err(KeyRejected::from(Unspecified)),
        Algorithm::HS256 => (
            Secret::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes))),
            json!({ "k": text(bytes), "kty": "oct" }),
        ),
    };
    let kid = thumbprint(&members);
    let mut jwk = members;
    for (name, value) in [("alg", algorithm.as_str()), ("use", "sig"), ("kid", &kid)] {
        put(&mut jwk, &[name.to_owned()], Value::from(value));
    }
    Ok((secret, jwk, kid))
}

/// RFC 7638 section 3: the members in the order of their names, without white space.
fn thumbprint(members: &Value) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.to_string().as_bytes()))
}

/// Puts a value at a path of members.
fn put(object: &mut Value, path: &[String], value: Value) {
    let Some(members) = object.as_object_mut() else { return };
    match path {
        [] => {}
        [last] => _ = members.insert(last.clone(), value),
        [first, rest @ ..] => {
            let inner = members.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            put(inner, rest, value);
        }
    }
}

#[cfg(test)]
mod tests;
