//! An OpenID Connect provider of our own, on a socket: strict where the standards are, and made to lie by its tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::tokens::{Signer, header};

pub const CLIENT: &str = "notes-web";
pub const SECRET: &str = "a secret: with + and %";

/// The provider. Clones share it.
#[derive(Clone)]
pub struct Provider {
    pub base: String,
    shared: Arc<Shared>,
}

struct Shared {
    signer: Signer,
    lies: Mutex<Lies>,
    codes: Mutex<HashMap<String, Asked>>,
    refresh: Mutex<Option<String>>,
    counted: Mutex<Counted>,
}

/// How it does not do as it should, or as its tests want it.
#[derive(Clone)]
pub struct Lies {
    /// Claims of ID tokens that are other, or `null` where they are missing.
    pub claims: Value,
    /// The ID token as a whole.
    pub id_token: Option<String>,
    /// The `typ` of ID tokens.
    pub typ: &'static str,
    /// Parameters of its answer to the browser: `None` leaves one out.
    pub iss: Option<String>,
    pub error: Option<&'static str>,
    /// Of the token endpoint, instead of its own.
    pub answer: Option<(u16, String)>,
    pub expires_in: u64,
    pub scope: Option<&'static str>,
    pub delay: Duration,
    /// Of its metadata, instead of its own.
    pub metadata: Value,
    pub without_refresh: bool,
    /// It does not give its keys, which others sign for it as well.
    pub without_keys: bool,
    pub token_type: &'static str,
}

/// What it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub codes: usize,
    pub renewals: usize,
    /// Refresh tokens that had been used before: what a provider takes for theft.
    pub reused: usize,
}

#[derive(Clone)]
struct Asked {
    challenge: String,
    nonce: String,
    redirect: String,
}

type Parameters = HashMap<String, String>;

impl Provider {
    /// Listens, and knows nobody but [`CLIENT`].
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let lies = Lies {
            claims: json!({}),
            id_token: None,
            typ: "JWT",
            iss: Some(base.clone()),
            error: None,
            answer: None,
            expires_in: 300,
            scope: None,
            delay: Duration::ZERO,
            metadata: json!({}),
            without_refresh: false,
            without_keys: false,
            token_type: "Bearer",
        };
        let shared = Arc::new(Shared {
            signer: Signer::new("p1"),
            lies: Mutex::new(lies),
            codes: Mutex::default(),
            refresh: Mutex::default(),
            counted: Mutex::default(),
        });
        let provider = Self { base, shared };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    /// From now on it does as `change` says.
    pub fn lie(&self, change: impl FnOnce(&mut Lies)) {
        change(&mut self.shared.lies.lock().unwrap());
    }

    pub fn counted(&self) -> Counted {
        *self.shared.counted.lock().unwrap()
    }

    /// An ID token with these claims, signed by its key.
    pub fn sign(&self, claims: &Value) -> String {
        let mut head = header("p1");
        head.typ = Some(self.lies().typ.to_owned());
        self.shared.signer.sign(&head, claims)
    }

    /// The claims of an ID token as they should be.
    pub fn claims(&self, nonce: &str) -> Value {
        let now = crate::tokens::now();
        json!({
            "iss": self.base, "aud": CLIENT, "sub": "alice", "nonce": nonce,
            "iat": now, "exp": now + 86_400, "auth_time": now,
        })
    }

    fn lies(&self) -> Lies {
        self.shared.lies.lock().unwrap().clone()
    }
}

async fn metadata(State(provider): State<Provider>) -> Response {
    let base = &provider.base;
    let mut said = json!({
        "issuer": base,
        "jwks_uri": format!("{base}/jwks"),
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "end_session_endpoint": format!("{base}/end?tenant=a%26b"),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    replace(&mut said, &provider.lies().metadata);
    Json(said).into_response()
}

async fn jwks(State(provider): State<Provider>) -> Response {
    if provider.lies().without_keys {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let keys: Value = serde_json::from_str(provider.shared.signer.jwks()).unwrap();
    Json(keys).into_response()
}

/// Logs everybody in as alice, at once.
async fn authorize(State(provider): State<Provider>, RawQuery(query): RawQuery) -> Response {
    let asked = parameters(&query.unwrap_or_default());
    let said = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let good = said("response_type") == "code"
        && said("client_id") == CLIENT
        && said("code_challenge_method") == "S256"
        && said("code_challenge").len() == 43
        && said("scope").split(' ').any(|scope| scope == "openid");
    if !good {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let lies = provider.lies();
    let mut codes = provider.shared.codes.lock().unwrap();
    let code = format!("c/{}+", codes.len());
    let (challenge, nonce) = (said("code_challenge"), said("nonce"));
    codes.insert(code.clone(), Asked { challenge, nonce, redirect: said("redirect_uri") });
    let mut back = vec![("state", said("state"))];
    match lies.error {
        Some(error) => back.push(("error", error.to_owned())),
        None => back.push(("code", code)),
    }
    back.extend(lies.iss.map(|iss| ("iss", iss)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&back).finish();
    Redirect::to(&format!("{}?{query}", said("redirect_uri"))).into_response()
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: String) -> Response {
    let asked = parameters(&body);
    let lies = provider.lies();
    tokio::time::sleep(lies.delay).await;
    if let Some((status, body)) = lies.answer {
        let status = StatusCode::from_u16(status).unwrap();
        return (status, [("content-type", "application/json")], body).into_response();
    }
    // RFC 6749 section 2.3.1: both are form-encoded before they are put together
    let encoded = "a+secret%3A+with+%2B+and+%25";
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{encoded}")));
    if headers.get("authorization").is_none_or(|sent| sent.to_str().unwrap() != basic) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let said = |name: &str| asked.get(name).cloned().unwrap_or_default();
    match &*said("grant_type") {
        "authorization_code" => {
            provider.shared.counted.lock().unwrap().codes += 1;
            let found = provider.shared.codes.lock().unwrap().remove(&said("code"));
            let Some(found) = found else { return refused(StatusCode::BAD_REQUEST, "invalid_grant") };
            let digest =
                aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, said("code_verifier").as_bytes());
            if URL_SAFE_NO_PAD.encode(digest) != found.challenge || said("redirect_uri") != found.redirect {
                return refused(StatusCode::BAD_REQUEST, "invalid_grant");
            }
            let mut claims = provider.claims(&found.nonce);
            replace(&mut claims, &provider.lies().claims);
            let id_token = provider.lies().id_token.unwrap_or_else(|| provider.sign(&claims));
            provider.answer(Some(id_token))
        }
        "refresh_token" => {
            let mut counted = provider.shared.counted.lock().unwrap();
            counted.renewals += 1;
            if provider.shared.refresh.lock().unwrap().as_deref() != Some(&*said("refresh_token")) {
                counted.reused += 1;
                return refused(StatusCode::BAD_REQUEST, "invalid_grant");
            }
            drop(counted);
            provider.answer(None)
        }
        _ => refused(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    }
}

impl Provider {
    /// New tokens: the refresh token is another each time.
    fn answer(&self, id_token: Option<String>) -> Response {
        let lies = self.lies();
        let mut refresh = self.shared.refresh.lock().unwrap();
        let next = refresh.as_ref().map_or(0, |token| token[1..].parse::<usize>().unwrap() + 1);
        *refresh = Some(format!("r{next}"));
        let mut said = json!({
            "access_token": format!("access-{next}"), "token_type": lies.token_type, "expires_in": lies.expires_in,
            "refresh_token": *refresh, "id_token": id_token, "scope": lies.scope,
        });
        said.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        if lies.without_refresh {
            said.as_object_mut().unwrap().remove("refresh_token");
        }
        Json(said).into_response()
    }
}

fn parameters(form: &str) -> Parameters {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// Members of `by` in the place of those of `what`; `null` takes one out.
fn replace(what: &mut Value, by: &Value) {
    let members = what.as_object_mut().unwrap();
    for (name, value) in by.as_object().unwrap() {
        match value {
            Value::Null => _ = members.remove(name),
            value => _ = members.insert(name.clone(), value.clone()),
        }
    }
}
