//! What the tests of this folder share: a document, its verifiers, and credentials that can be bent.

use std::{sync::LazyLock, time::Duration};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::request::Parts;
use serde_json::{Value, json};

use super::{
    ApiKeys, Authenticated, Denied, JwkSet, Jwt, NewKey, Prepared, Verifiers,
    attempts::{Attempts, Failures, Most},
    authenticate,
};
use crate::{
    clock::Clock,
    operation::{
        Access, Algorithm, Binding, Document, ErrorForm, KeyLocation, KeyRules, Revocation, Scheme,
        SchemeKind, Token, TokenRules,
    },
};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "bank-api";

pub(crate) const RULES: TokenRules = TokenRules {
    token: Token::Jwt { algorithms: &[Algorithm::ES256], typ: Some("at+jwt") },
    issuer: Some(ISSUER),
    audience: Some(AUDIENCE),
    leeway: Duration::from_secs(30),
    max_lifetime: Some(Duration::from_secs(3600)),
    scopes_claim: &["scope"],
    tenant_claim: &[],
    binding: Binding::None,
    revocation: Revocation::None,
};

pub(crate) const PARTNER: SchemeKind = SchemeKind::ApiKey(KeyRules {
    location: KeyLocation::Header("X-API-Key"),
    prefix: Some("bank_live"),
    rotate_within: None,
});

pub(crate) static DOCUMENT: Document = Document {
    title: "Test Bank",
    version: "1",
    hash: "",
    schemes: &[
        Scheme { name: "oauth", kind: SchemeKind::Bearer(RULES) },
        Scheme { name: "partner", kind: PARTNER },
        Scheme { name: "other", kind: SchemeKind::Bearer(RULES) },
        Scheme { name: "dev", kind: SchemeKind::Bearer(RULES) },
        Scheme {
            name: "open",
            kind: SchemeKind::Bearer(TokenRules { issuer: None, audience: None, ..RULES }),
        },
    ],
    limits: &[],
    errors: ErrorForm::Envelope,
};

/// A signer of ES256 tokens whose header and claims can be anything.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let point = self.pair.public_key().as_ref();
        let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256", "x": part(1..33), "y": part(33..65)})
    }

    pub(crate) fn sign_text(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

pub(crate) fn plain_header() -> Value {
    json!({"typ": "at+jwt", "alg": "ES256", "kid": "k1"})
}

pub(crate) fn plain_claims(subject: &str, scopes: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "client_id": "app", "jti": "t1", "scope": scopes,
        "iat": NOW, "nbf": NOW - 1, "exp": NOW + 600,
    })
}

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::new);
static OTHER: LazyLock<Signer> = LazyLock::new(Signer::new);
static KEY: LazyLock<NewKey> = LazyLock::new(new_key);

pub(crate) fn new_key() -> NewKey {
    let now = Clock::fixed(NOW).now().unwrap();
    NewKey::generate("bank_live", "acme", &["transfers:write"], now, None).unwrap()
}

/// The document's verifiers and good credentials for each.
pub(crate) struct Bench;

impl Bench {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn keys(&self) -> JwkSet {
        JwkSet::from_json(&json!({"keys": [SIGNER.jwk("k1")]}).to_string()).unwrap()
    }

    pub(crate) fn prepare(&self, access: &'static Access) -> Prepared {
        let mut verifiers = Verifiers::new(&DOCUMENT);
        verifiers.bearer("oauth", Jwt::new(self.keys()));
        verifiers.api_key("partner", ApiKeys::new([KEY.record.clone()]).unwrap());
        verifiers.bearer("other", Jwt::new(JwkSet::from_json(&OTHER.jwk("k1").to_string()).unwrap()));
        verifiers.bearer("dev", Jwt::new(self.keys()).accept_from_loopback_only());
        verifiers.finish(&crate::Settings::new()).unwrap().prepare("x", access).unwrap()
    }

    pub(crate) async fn authenticate<'p>(
        &self,
        prepared: &'p Prepared,
        headers: &[(&str, String)],
    ) -> Result<Authenticated<'p>, Denied> {
        let now = Clock::fixed(NOW).now().unwrap();
        authenticate(prepared, &parts(headers), false, now, &attempts()).await
    }

    pub(crate) fn bearer(&self, subject: &str, scopes: &str) -> (&'static str, String) {
        let token = SIGNER.sign(&plain_header(), &plain_claims(subject, scopes));
        ("authorization", format!("Bearer {token}"))
    }

    /// One whose claim `org` names this tenant.
    pub(crate) fn bearer_in(&self, subject: &str, tenant: &str) -> (&'static str, String) {
        let mut claims = plain_claims(subject, "");
        claims["org"] = tenant.into();
        ("authorization", format!("Bearer {}", SIGNER.sign(&plain_header(), &claims)))
    }

    pub(crate) fn bearer_of_other(&self, subject: &str) -> (&'static str, String) {
        let token = OTHER.sign(&plain_header(), &plain_claims(subject, ""));
        ("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn key(&self) -> (&'static str, String) {
        ("x-api-key", KEY.key.expose().clone())
    }
}

/// Nothing has failed before.
pub(crate) fn attempts() -> Attempts<'static> {
    let failures: &'static Failures =
        Box::leak(Box::new(Failures::new(Most::DEFAULT, true, None, |_| None, None)));
    failures.of(std::net::Ipv4Addr::LOCALHOST.into(), Clock::fixed(NOW).now().unwrap(), "request")
}

pub(crate) fn header(name: &'static str, value: &str) -> (&'static str, String) {
    (name, value.to_owned())
}

pub(crate) fn parts(headers: &[(&str, String)]) -> Parts {
    let mut request = http::Request::builder().uri("/x");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(()).unwrap().into_parts().0
}
