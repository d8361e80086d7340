//! A client with a key, and a token that is bound to it (RFC 9449).

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::keys::Signing;
use super::{ORIGIN, claims, kid};
use crate::tokens::now;

/// The client.
#[derive(Debug)]
pub struct Prover {
    pub key: Signing,
    /// The header of its proofs.
    pub header: String,
    pub token: String,
}

impl Prover {
    /// With a token of `issuer`, which signs by ES256.
    pub fn new(issuer: &Signing, scope: &str) -> Self {
        let key = Signing::new("ES256");
        let jwk = key.jwk("client");
        let jwk = json!({ "crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"] });
        let mut payload = claims("alice", scope, now());
        payload["cnf"] = json!({ "jkt": sha256(&jwk.to_string()) }); // RFC 7638 section 3: members by name, no spaces
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid("ES256") }).to_string();
        let token = issuer.token(header.as_bytes(), payload.to_string().as_bytes());
        Self { key, header: json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk }).to_string(), token }
    }

    /// What a good proof says of `GET path`.
    pub fn claims(&self, path: &str, id: &str) -> String {
        let htu = format!("{ORIGIN}{path}");
        let claims: Value =
            json!({ "htm": "GET", "htu": htu, "iat": now(), "jti": id, "ath": sha256(&self.token) });
        claims.to_string()
    }

    /// A good proof of `GET path`.
    pub fn proof(&self, path: &str, id: &str) -> String {
        self.key.token(self.header.as_bytes(), self.claims(path, id).as_bytes())
    }
}

fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}
