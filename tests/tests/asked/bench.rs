//! A server, and the issuer that it asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::HeaderMap;
use palisade::{Caller, Denylist, Introspection, JwkSet, Jwks, Jwt, Problem, Readiness, Secret, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::tokens::{ISSUER, Signer, claims, header, now};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::api::*;

/// The service, which keeps a handle of the denylist.
pub struct Service {
    pub denylist: Denylist,
}

fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> String {
    caller.identity().map(|principal| format!("{} of {}", principal.subject(), principal.issuer())).unwrap()
}

impl Doors for Service {
    async fn by_opaque(&self, caller: Caller<ByOpaque>, _: ByOpaqueInput) -> Result<ByOpaqueOutput, Problem> {
        Ok(ByOpaqueOutput::Ok(who(&caller)))
    }

    async fn by_cached(&self, caller: Caller<ByCached>, _: ByCachedInput) -> Result<ByCachedOutput, Problem> {
        Ok(ByCachedOutput::Ok(who(&caller)))
    }

    async fn by_revocable(
        &self,
        caller: Caller<ByRevocable>,
        _: ByRevocableInput,
    ) -> Result<ByRevocableOutput, Problem> {
        Ok(ByRevocableOutput::Ok(who(&caller)))
    }

    async fn by_signed(&self, caller: Caller<BySigned>, _: BySignedInput) -> Result<BySignedOutput, Problem> {
        Ok(BySignedOutput::Ok(who(&caller)))
    }

    async fn by_either(&self, caller: Caller<ByEither>, _: ByEitherInput) -> Result<ByEitherOutput, Problem> {
        Ok(ByEitherOutput::Ok(who(&caller)))
    }

    async fn log_out(&self, caller: Caller<LogOut>, input: LogOutInput) -> Result<LogOutOutput, Problem> {
        let principal = caller.principal();
        let revoked = match input.everywhere {
            true => self.denylist.revoke_all(principal.identity()).await,
            false => self.denylist.revoke(principal).await,
        };
        revoked.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(LogOutOutput::NoContent)
    }
}

/// What the issuer answers about a token.
#[derive(Clone)]
pub enum Answer {
    Says(Value),
    /// Status, media type, body.
    Sends(u16, &'static str, String),
    Hangs,
}

/// An issuer: what it says of tokens and of itself, and what it was asked.
#[derive(Default)]
pub struct Issuer {
    pub answers: Mutex<HashMap<String, Answer>>,
    pub metadata: Mutex<String>,
    pub keys: Mutex<String>,
    pub asked: AtomicUsize,
    pub at_once: AtomicUsize,
    pub most_at_once: AtomicUsize,
    pub last: Mutex<Option<(HeaderMap, String)>>,
    pub metadata_asked: AtomicUsize,
    pub keys_asked: AtomicUsize,
}

impl Issuer {
    pub fn says(&self, token: &str, answer: Value) {
        self.answers.lock().unwrap().insert(token.to_owned(), Answer::Says(answer));
    }

    pub fn sends(&self, token: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(token.to_owned(), answer);
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub async fn introspect(State(issuer): State<Arc<Self>>, headers: HeaderMap, body: Bytes) -> Response {
        issuer.asked.fetch_add(1, Ordering::SeqCst);
        let at_once = issuer.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        issuer.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        let body = String::from_utf8(body.to_vec()).unwrap();
        let token =
            body.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default().to_owned();
        *issuer.last.lock().unwrap() = Some((headers, body));
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = issuer.answers.lock().unwrap().get(&token).cloned();
        issuer.at_once.fetch_sub(1, Ordering::SeqCst);
        match answer.unwrap_or(Answer::Says(json!({ "active": false }))) {
            Answer::Says(value) => reply(200, "application/json", value.to_string()),
            Answer::Sends(status, of, body) => reply(status, of, body),
            Answer::Hangs => std::future::pending().await,
        }
    }

    pub async fn metadata(State(issuer): State<Arc<Self>>) -> Response {
        issuer.metadata_asked.fetch_add(1, Ordering::SeqCst);
        reply(200, "application/json", issuer.metadata.lock().unwrap().clone())
    }

    pub async fn keys(State(issuer): State<Arc<Self>>) -> Response {
        issuer.keys_asked.fetch_add(1, Ordering::SeqCst);
        reply(200, "application/json", issuer.keys.lock().unwrap().clone())
    }
}

fn reply(status: u16, of: &str, body: String) -> Response {
    let answer = Response::builder().status(status).header("location", "/elsewhere");
    answer.header("content-type", of).body(Body::from(body)).unwrap()
}

/// A server, its issuer and a signer whose keys that publishes.
pub struct Bench {
    pub client: Client,
    /// Where the server says whether it is ready.
    pub itself: Client,
    pub issuer: Arc<Issuer>,
    /// Where the issuer is.
    pub base: String,
    pub signer: Signer,
    pub denylist: Denylist,
}

pub async fn issuer() -> (Arc<Issuer>, String) {
    let issuer = Arc::new(Issuer::default());
    let router = Router::new()
        .route("/introspect", post(Issuer::introspect))
        .route("/elsewhere", get(Issuer::keys))
        .route("/.well-known/openid-configuration", get(Issuer::metadata))
        .route("/.well-known/oauth-authorization-server/tenant", get(Issuer::metadata))
        .route("/keys", get(Issuer::keys))
        .with_state(Arc::clone(&issuer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (issuer, base)
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(Denylist::in_memory()).await
    }

    pub async fn with(denylist: Denylist) -> Self {
        Self::by(denylist, Settings::new().failed_attempts(5, u32::MAX)).await
    }

    pub async fn by(denylist: Denylist, settings: Settings) -> Self {
        let (issuer, base) = issuer().await;
        let signer = Signer::new("k1");
        *issuer.metadata.lock().unwrap() =
            json!({ "issuer": base, "jwks_uri": format!("{base}/keys") }).to_string();
        *issuer.keys.lock().unwrap() = signer.jwks().to_owned();
        let keys = JwkSet::from_json(signer.jwks()).unwrap();
        let far = || {
            let secret = Secret::new("s%cret &".to_owned());
            Introspection::new(&format!("{base}/introspect"), "gate:1", &secret).unwrap()
        };
        let server = server(Service { denylist: denylist.clone() })
            .opaque(far())
            .cached(far())
            .revocable(Jwt::new(keys).issuer(ISSUER))
            .signed(Jwt::new(Jwks::discover(&base).unwrap()))
            .denylist(denylist.clone())
            .settings(settings)
            .build()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        server.ready().await.unwrap();
        let readiness = Readiness::new();
        let itself = Client(readiness.listen("127.0.0.1:0").await.unwrap());
        let serving = palisade::serve(server).listener(listener).readiness(&readiness);
        tokio::spawn(async move { serving.await.unwrap() });
        Self { client, itself, issuer, base, signer, denylist }
    }

    pub async fn get(&self, path: &str, token: &str) -> Reply {
        self.client.get(path).token(token).send().await
    }

    /// A token of Alice with this `jti`.
    pub fn token(&self, id: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = claims("alice", "");
        claims["jti"] = json!(id);
        change(&mut claims);
        self.signer.sign(&header("k1"), &claims)
    }
}

pub fn alice() -> Value {
    json!({ "active": true, "iss": ISSUER, "sub": "alice", "scope": "doors:open", "exp": now() + 60 })
}
