//! Tokens that an issuer is asked about (RFC 7662), issuers that are asked for their keys (OpenID Connect Discovery,
//! RFC 8414), and tokens that were revoked: over sockets, with an issuer that counts what it is asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use http::{HeaderMap, StatusCode};
use palisade::{
    Caller, Denylist, DenylistError, DenylistStore, Entry, Introspection, JwkSet, Jwks, Jwt, Mark, Problem,
    Secret, Settings, StoreFuture, Tls,
};
use palisade_tests::authority::Authority;
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::tokens::{ISSUER, Signer, claims, header, now};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/asked.rs"));
}

use api::*;

/// What the page on authentication shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    mod introspection {
        use palisade::{Introspection, IntrospectionError, Secret};

        fn issuer(secret: &Secret<String>) -> Result<Introspection, IntrospectionError> {
            Introspection::new("https://id.example.com/introspect", "bank-api", secret)
        }
    }

    mod discovery {
        use palisade::{Jwks, Jwt, KeyError};

        fn tokens() -> Result<Jwt, KeyError> {
            Ok(Jwt::new(Jwks::discover("https://id.example.com")?).audience("bank-api"))
        }
    }

    mod revocation {
        use palisade::{Denylist, DenylistError, Principal};

        async fn log_out(denylist: &Denylist, caller: &Principal) -> Result<(), DenylistError> {
            denylist.revoke(caller).await?; // this token
            denylist.revoke_all(caller.identity()).await // every token until now
        }
    }
}

/// The service, which keeps a handle of the denylist.
struct Service {
    denylist: Denylist,
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
enum Answer {
    Says(Value),
    /// Status, media type, body.
    Sends(u16, &'static str, String),
    Hangs,
}

/// An issuer: what it says of tokens and of itself, and what it was asked.
#[derive(Default)]
struct Issuer {
    answers: Mutex<HashMap<String, Answer>>,
    metadata: Mutex<String>,
    keys: Mutex<String>,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    last: Mutex<Option<(HeaderMap, String)>>,
    metadata_asked: AtomicUsize,
    keys_asked: AtomicUsize,
}

impl Issuer {
    fn says(&self, token: &str, answer: Value) {
        self.answers.lock().unwrap().insert(token.to_owned(), Answer::Says(answer));
    }

    fn sends(&self, token: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(token.to_owned(), answer);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn introspect(State(issuer): State<Arc<Self>>, headers: HeaderMap, body: Bytes) -> Response {
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

    async fn metadata(State(issuer): State<Arc<Self>>) -> Response {
        issuer.metadata_asked.fetch_add(1, Ordering::SeqCst);
        reply(200, "application/json", issuer.metadata.lock().unwrap().clone())
    }

    async fn keys(State(issuer): State<Arc<Self>>) -> Response {
        issuer.keys_asked.fetch_add(1, Ordering::SeqCst);
        reply(200, "application/json", issuer.keys.lock().unwrap().clone())
    }
}

fn reply(status: u16, of: &str, body: String) -> Response {
    let answer = Response::builder().status(status).header("location", "/elsewhere");
    answer.header("content-type", of).body(Body::from(body)).unwrap()
}

/// A server, its issuer and a signer whose keys that publishes.
struct Bench {
    client: Client,
    issuer: Arc<Issuer>,
    /// Where the issuer is.
    base: String,
    signer: Signer,
    denylist: Denylist,
}

async fn issuer() -> (Arc<Issuer>, String) {
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
    async fn start() -> Self {
        Self::with(Denylist::in_memory()).await
    }

    async fn with(denylist: Denylist) -> Self {
        Self::by(denylist, Settings::new().failed_attempts(5, u32::MAX)).await
    }

    async fn by(denylist: Denylist, settings: Settings) -> Self {
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
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.unwrap() });
        Self { client, issuer, base, signer, denylist }
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        self.client.get(path).token(token).send().await
    }

    /// A token of Alice with this `jti`.
    fn token(&self, id: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = claims("alice", "");
        claims["jti"] = json!(id);
        change(&mut claims);
        self.signer.sign(&header("k1"), &claims)
    }
}

fn alice() -> Value {
    json!({ "active": true, "iss": ISSUER, "sub": "alice", "scope": "doors:open", "exp": now() + 60 })
}

#[tokio::test]
async fn an_issuer_is_asked_about_each_token_each_time() {
    let bench = Bench::start().await;
    bench.issuer.says("abc", alice());
    for times in 1..=3 {
        let reply = bench.get("/opaque", "abc").await;
        assert_eq!(reply.allowed(200).json(), format!("alice of {ISSUER}"));
        assert_eq!(bench.issuer.asked(), times);
    }
    let (headers, body) = bench.issuer.last.lock().unwrap().take().unwrap();
    assert_eq!(body, "token=abc&token_type_hint=access_token");
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let basic = format!("Basic {}", STANDARD.encode("gate%3A1:s%25cret+%26"));
    assert_eq!(headers["authorization"], basic.as_str());

    let reply = bench.get("/opaque", "unknown").await;
    reply.refused(401, "unauthenticated");
    assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="Asked doors", error="invalid_token""#);
    bench.issuer.says("poor", json!({ "active": true, "iss": ISSUER, "sub": "alice", "scope": "doors" }));
    bench.get("/opaque", "poor").await.refused(403, "forbidden");
    bench.issuer.says("other", json!({ "active": true, "iss": "https://other", "sub": "alice" }));
    bench.get("/opaque", "other").await.refused(401, "unauthenticated");
    let before = bench.issuer.asked();
    for bad in ["a b", "a&token=abc", "=", "a\"b"] {
        bench.get("/opaque", bad).await.refused(401, "unauthenticated");
    }
    bench.client.get("/opaque").send().await.refused(401, "unauthenticated");
    assert_eq!(bench.issuer.asked(), before, "nobody is asked about what is no token");
}

#[tokio::test]
async fn an_issuer_is_asked_about_no_token_that_another_has_signed() {
    let bench = Bench::start().await;
    let of_the_base = bench.token("t1", |claims| claims["iss"] = json!(bench.base));
    let of_our_own = bench.token("t2", |_| {});
    for (token, issuer) in [(&of_the_base, &*bench.base), (&of_our_own, ISSUER)] {
        bench.issuer.sends(token, Answer::Hangs);
        let reply = bench.get("/either", token).await;
        assert_eq!(reply.allowed(200).json(), format!("alice of {issuer}"));
    }
    assert_eq!(bench.issuer.asked(), 0);

    bench.issuer.says("abc", alice());
    assert_eq!(bench.get("/either", "abc").await.allowed(200).json(), format!("alice of {ISSUER}"));
    assert_eq!(bench.issuer.asked(), 1);
    let stranger = Signer::new("k1").sign(&header("k1"), &claims("alice", ""));
    for bad in [bench.token("t3", |claims| claims["iss"] = json!("https://other")), stranger] {
        bench.get("/either", &bad).await.refused(401, "unauthenticated");
    }
    assert_eq!(bench.issuer.asked(), 3, "nobody vouches for them, so they may be any issuer's");
}

#[tokio::test]
async fn an_issuer_that_gives_no_answer_is_503_and_never_401_or_200() {
    events::collect();
    let bench = Bench::start().await;
    let text = |status, of, body: &str| Answer::Sends(status, of, body.to_owned());
    let good = alice().to_string();
    for (token, answer) in [
        ("failing", text(500, "application/json", &good)),
        ("redirecting", text(302, "application/json", &good)),
        ("redirecting-post", text(307, "application/json", &good)),
        ("denying", text(401, "application/json", "{}")),
        ("unready", text(503, "application/json", "{}")),
        ("created", text(201, "application/json", &good)),
        ("page", text(200, "text/html", &good)),
        ("signed", text(200, "application/token-introspection+jwt", &good)),
        ("word", text(200, "application/json", r#"{"active":"true"}"#)),
        ("twice", text(200, "application/json", r#"{"active":false,"active":true,"sub":"alice"}"#)),
        ("empty", text(200, "application/json", "{}")),
        ("nothing", text(200, "application/json", "")),
        ("claim", text(200, "application/json", r#"{"active":true,"sub":7}"#)),
        ("large", text(200, "application/json", &format!("{good}{}", " ".repeat(64 * 1024)))),
        ("slow", Answer::Hangs),
    ] {
        bench.issuer.sends(token, answer);
        for path in ["/opaque", "/cached"] {
            let reply = bench.get(path, token).await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{token}: {:?}", reply.body);
            reply.refused(503, "unavailable");
            assert_eq!(reply.header("retry-after"), "1");
            assert!(!reply.header("www-authenticate").contains("error"), "{token}");
            let event = events::of(reply.header("x-request-id"));
            let why = format!("introspection_unavailable (scheme `{}`)", &path[1..]);
            assert_eq!(event["failure_reason"], why, "{token}");
        }
    }
    assert!(!events::everything().contains("s%cret"));
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_left_alone_for_a_moment() {
    let bench = Bench::start().await;
    bench.issuer.says("good", alice());
    // what it says of one token closes it for no other
    bench.issuer.sends("odd", Answer::Sends(500, "application/json", "{}".to_owned()));
    for _ in 0..10 {
        bench.get("/opaque", "odd").await.refused(503, "unavailable");
    }
    bench.get("/opaque", "good").await.allowed(200);

    bench.issuer.sends("slow", Answer::Hangs);
    for reply in join_all((0..5).map(|_| bench.get("/opaque", "slow"))).await {
        reply.refused(503, "unavailable");
    }
    let asked = bench.issuer.asked();
    for _ in 0..20 {
        bench.get("/opaque", "good").await.refused(503, "unavailable");
    }
    assert_eq!(bench.issuer.asked(), asked, "nobody asks it");
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for _ in 0..3 {
        bench.get("/opaque", "good").await.allowed(200);
    }
}

#[tokio::test]
async fn answers_are_used_again_only_where_the_document_says_so_and_for_so_long() {
    let bench = Bench::start().await;
    bench.issuer.says("kept", json!({ "active": true, "sub": "alice" }));
    let together = join_all((0..50).map(|_| bench.get("/cached", "kept"))).await;
    for reply in together {
        assert_eq!(reply.allowed(200).json(), "alice of urn:palisade:scheme:cached");
    }
    bench.get("/cached", "kept").await.allowed(200);
    assert_eq!(bench.issuer.asked(), 1, "who comes at once shares one call, who comes later its answer");

    for reply in join_all((0..50).map(|_| bench.get("/cached", "unknown"))).await {
        reply.refused(401, "unauthenticated");
    }
    assert_eq!(bench.issuer.asked(), 2);

    // good for the leeway longer, but nobody relies on an old answer for that
    bench.issuer.says("short", json!({ "active": true, "sub": "alice", "exp": now() + 1 }));
    bench.get("/cached", "short").await.allowed(200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    bench.issuer.says("short", json!({ "active": false }));
    bench.get("/cached", "short").await.refused(401, "unauthenticated");
    assert_eq!(bench.issuer.asked(), 4);
    bench.get("/cached", "kept").await.allowed(200);
    assert_eq!(bench.issuer.asked(), 4);
}

#[tokio::test]
async fn a_flood_of_tokens_makes_a_bounded_number_of_calls_at_once() {
    let bench = Bench::start().await;
    let tokens: Vec<String> = (0..1000).map(|number| format!("random-{number}")).collect();
    for some in tokens.chunks(250) {
        for reply in join_all(some.iter().map(|token| bench.get("/opaque", token))).await {
            assert!([401, 503].contains(&reply.status.as_u16()), "{}", reply.status);
        }
    }
    assert!(bench.issuer.asked() <= 1000);
    assert!(bench.issuer.most_at_once.load(Ordering::SeqCst) <= 64);
}

#[tokio::test]
async fn tokens_that_are_not_active_count_once_each_and_good_ones_get_in_all_the_same() {
    let bench = Bench::by(Denylist::in_memory(), Settings::new().failed_attempts(5, 2)).await;
    bench.issuer.says("good", alice());
    for _ in 0..30 {
        bench.get("/opaque", "over").await.refused(401, "unauthenticated");
    }
    for number in 0..19 {
        bench.get("/opaque", &format!("random-{number}")).await.refused(401, "unauthenticated");
    }
    for bad in ["random-99", "over"] {
        assert_ne!(bench.get("/opaque", bad).await.refused(429, "rate_limited").header("retry-after"), "");
    }
    bench.get("/opaque", "good").await.allowed(200);
}

#[tokio::test]
async fn a_token_is_good_until_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let state = palisade::State::open(folder.path().join("state")).unwrap();
    for denylist in [Denylist::in_memory(), Denylist::kept_in(state)] {
        is_good_until_it_is_revoked(denylist).await;
    }
}

async fn is_good_until_it_is_revoked(denylist: Denylist) {
    events::collect();
    let bench = Bench::with(denylist).await;
    let (one, other) = (bench.token("1", |_| {}), bench.token("2", |_| {}));
    for token in [&one, &other] {
        bench.get("/revocable", token).await.allowed(200);
    }
    bench.client.post("/logout", "").token(&one).send().await.allowed(204);
    let reply = bench.get("/revocable", &one).await;
    reply.refused(401, "unauthenticated");
    assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="Asked doors", error="invalid_token""#);
    assert_eq!(events::of(reply.header("x-request-id"))["failure_reason"], "revoked (scheme `revocable`)");
    bench.get("/revocable", &other).await.allowed(200);

    bench.client.post("/logout?everywhere=true", "").token(&other).send().await.allowed(204);
    bench.get("/revocable", &other).await.refused(401, "unauthenticated");
    let later = bench.token("3", |claims| claims["iat"] = json!(now() + 5));
    bench.get("/revocable", &later).await.allowed(200);
    let bob = bench.token("4", |claims| claims["sub"] = json!("bob"));
    bench.get("/revocable", &bob).await.allowed(200);

    bench.denylist.revoke_token(ISSUER, "4", now() + 600).await.unwrap();
    bench.get("/revocable", &bob).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_that_could_not_be_revoked_is_refused() {
    let bench = Bench::start().await;
    let nameless = bench.token("", |claims| _ = claims.as_object_mut().unwrap().remove("jti"));
    bench.get("/revocable", &nameless).await.refused(401, "unauthenticated");
    let day = 24 * 3600;
    let long = bench.token("1", |claims| claims["exp"] = json!(now() + day + 60));
    bench.get("/revocable", &long).await.refused(401, "unauthenticated");
    let shorter = bench.token("1", |claims| claims["exp"] = json!(now() + day - 60));
    bench.get("/revocable", &shorter).await.allowed(200);
}

/// A store that is away.
struct Away;

impl DenylistStore for Away {
    fn put(&self, _: Mark, _: Entry, _: u64) -> StoreFuture<'_, (), DenylistError> {
        Box::pin(async { Err(DenylistError::Store("no route to host".into())) })
    }

    fn get(&self, _: [Mark; 2], _: u64) -> StoreFuture<'_, [Option<Entry>; 2], DenylistError> {
        Box::pin(async { Err(DenylistError::Store("no route to host".into())) })
    }
}

#[tokio::test]
async fn a_denylist_that_cannot_be_asked_is_503() {
    events::collect();
    let bench = Bench::with(Denylist::new(Away)).await;
    let reply = bench.get("/revocable", &bench.token("1", |_| {})).await;
    reply.refused(503, "unavailable");
    assert_eq!(
        events::of(reply.header("x-request-id"))["failure_reason"],
        "revocation_unknown (scheme `revocable`)"
    );
    bench.get("/revocable", "a.b.c").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn the_keys_of_an_issuer_are_where_it_says_and_verify_its_own_tokens_only() {
    let bench = Bench::start().await;
    let own = bench.token("1", |claims| claims["iss"] = json!(bench.base));
    assert_eq!(bench.get("/signed", &own).await.allowed(200).json(), format!("alice of {}", bench.base));
    bench.get("/signed", &bench.token("1", |_| {})).await.refused(401, "unauthenticated");
    let asked = || {
        let counts = [&bench.issuer.metadata_asked, &bench.issuer.keys_asked];
        counts.map(|count| count.load(Ordering::SeqCst))
    };
    assert_eq!(asked(), [1, 1]);
    let claims = claims("alice", "");
    let strange: Vec<_> =
        (0..1000).map(|number| bench.signer.sign(&header(&format!("random-{number}")), &claims)).collect();
    for some in strange.chunks(100) {
        for reply in join_all(some.iter().map(|token| bench.get("/signed", token))).await {
            reply.refused(401, "unauthenticated");
        }
    }
    assert!(asked().iter().all(|count| *count <= 4), "{:?}", asked());
}

/// While nobody can be asked, what is known is good, and of what is not nobody says that it is bad.
#[tokio::test]
async fn an_outage_of_the_keys_is_503_for_new_ones_and_nothing_for_known_ones() {
    let bench = Bench::start().await;
    let signed = |signer: &Signer, kid: &str| {
        let mut claims = claims("alice", "");
        claims["iss"] = json!(bench.base);
        signer.sign(&header(kid), &claims)
    };
    let (known, new) = (signed(&bench.signer, "k1"), Signer::new("k2"));
    bench.get("/signed", &known).await.allowed(200);
    *bench.issuer.keys.lock().unwrap() = "the disk is full".to_owned();
    let reply = bench.get("/signed", &signed(&new, "k2")).await;
    assert!(!reply.refused(503, "unavailable").header("retry-after").is_empty());
    bench.get("/signed", &known).await.allowed(200);
    let mut keys: Value = serde_json::from_str(new.jwks()).unwrap();
    let old: Value = serde_json::from_str(bench.signer.jwks()).unwrap();
    keys["keys"].as_array_mut().unwrap().extend(old["keys"].as_array().unwrap().clone());
    *bench.issuer.keys.lock().unwrap() = keys.to_string();
    bench.get("/signed", &signed(&new, "k2")).await.allowed(200);
    bench.get("/signed", &known).await.allowed(200);
}

#[tokio::test]
async fn an_issuer_that_is_another_one_or_names_no_keys_is_said_before_the_server_is_ready() {
    let (issuer, base) = issuer().await;
    let signer = Signer::new("k1");
    *issuer.keys.lock().unwrap() = signer.jwks().to_owned();
    let ready = |keys: Jwks| async {
        let far =
            Introspection::new(&format!("{base}/introspect"), "a", &Secret::new("b".to_owned())).unwrap();
        let denylist = Denylist::in_memory();
        let server = server(Service { denylist: denylist.clone() })
            .opaque(far.clone())
            .cached(far)
            .revocable(Jwt::new(JwkSet::from_json(signer.jwks()).unwrap()).issuer(ISSUER))
            .signed(Jwt::new(keys))
            .denylist(denylist)
            .build()
            .unwrap();
        server.ready().await
    };
    let tenant = format!("{base}/tenant");
    let says = |issuer_said: &str| {
        *issuer.metadata.lock().unwrap() =
            json!({ "issuer": issuer_said, "jwks_uri": format!("{base}/keys") }).to_string();
    };
    says(&base);
    assert!(ready(Jwks::discover(&base).unwrap()).await.is_ok());
    assert!(ready(Jwks::discover_oauth(&tenant).unwrap()).await.is_err(), "it is another issuer");
    says(&tenant);
    assert!(ready(Jwks::discover_oauth(&tenant).unwrap()).await.is_ok());
    assert!(ready(Jwks::discover(&base).unwrap()).await.is_err(), "it is another issuer");
    *issuer.metadata.lock().unwrap() = json!({ "issuer": base }).to_string();
    assert!(ready(Jwks::discover(&base).unwrap()).await.is_err(), "it names no keys");
}

#[test]
fn keys_of_one_issuer_are_no_keys_of_another() {
    let keys = || JwkSet::from_json(Signer::new("k1").jwks()).unwrap();
    let far = Introspection::new("http://127.0.0.1:1/i", "a", &Secret::new("b".to_owned())).unwrap();
    let faults = |signed: Jwt| {
        let denylist = Denylist::in_memory();
        let built = server(Service { denylist: denylist.clone() })
            .opaque(far.clone().issuer("https://other"))
            .cached(far.clone())
            .revocable(Jwt::new(keys()).issuer(ISSUER))
            .signed(signed)
            .denylist(denylist)
            .build();
        built.unwrap_err().to_string()
    };
    let jwks = Jwks::discover("https://id.example.com").unwrap();
    assert!(faults(Jwt::new(jwks.clone()).issuer("https://other")).contains("scheme `signed`"));
    let text = faults(Jwt::new(jwks));
    assert!(text.contains("scheme `opaque`") && !text.contains("scheme `signed`"), "{text}");
}

/// An issuer over TLS, who shows `chain`.
async fn issuer_over_tls(chain: &str, key: &Secret<String>) -> String {
    let (issuer, signer) = (Arc::new(Issuer::default()), Signer::new("k1"));
    *issuer.keys.lock().unwrap() = signer.jwks().to_owned();
    issuer.says("good", json!({ "active": true, "sub": "alice", "scope": "doors:open", "iss": ISSUER }));
    let router = Router::new()
        .route("/keys", get(Issuer::keys))
        .route("/introspect", post(Issuer::introspect))
        .with_state(issuer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let serve = palisade::serve(router).listener(listener).tls(Tls::from_pem(chain, key).unwrap());
    tokio::spawn(async move { serve.await.unwrap() });
    base
}

/// Whether keys are fetched from there, and what a token gets that is asked about there.
async fn asks(base: &str) -> (bool, StatusCode) {
    let denylist = Denylist::in_memory();
    let far = || {
        let secret = Secret::new("secret".to_owned());
        Introspection::new(&format!("{base}/introspect"), "gate", &secret).unwrap()
    };
    let build = |keys: Jwks| {
        server(Service { denylist: denylist.clone() })
            .opaque(far())
            .cached(far())
            .revocable(Jwt::new(JwkSet::from_json(Signer::new("k1").jwks()).unwrap()).issuer(ISSUER))
            .signed(Jwt::new(keys).issuer(ISSUER))
            .denylist(denylist.clone())
            .settings(Settings::new())
            .build()
            .unwrap()
    };
    let fetches = build(Jwks::url(&format!("{base}/keys")).unwrap()).ready().await.is_ok();
    let at_hand = JwkSet::from_json(Signer::new("k1").jwks()).unwrap();
    let server = build(at_hand.into());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(server).listener(listener).await.unwrap() });
    (fetches, client.get("/opaque").token("good").send().await.status)
}

/// Run by the test below, in a process whose roots are those of the file that `SSL_CERT_FILE` names.
#[tokio::test]
#[ignore = "run by the test below"]
async fn child_that_trusts_one_authority() {
    let trusted = Authority::default();
    std::fs::write(std::env::var("SSL_CERT_FILE").unwrap(), &trusted.pem).unwrap();
    let good = trusted.server("localhost");
    let (misnamed, stranger) = (trusted.server("other.example"), Authority::default().server("localhost"));
    let of = async |(chain, key): &(String, Secret<String>)| asks(&issuer_over_tls(chain, key).await).await;
    assert_eq!(of(&good).await, (true, StatusCode::OK));
    assert_eq!(
        of(&misnamed).await,
        (false, StatusCode::SERVICE_UNAVAILABLE),
        "a certificate of another name"
    );
    assert_eq!(of(&stranger).await, (false, StatusCode::SERVICE_UNAVAILABLE), "of nobody who is trusted");
}

/// Keys and verdicts come from whom the roots of the machine vouch for, under the name that was called.
#[test]
fn issuers_are_who_their_certificates_say() {
    let folder = tempfile::tempdir().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_trusts_one_authority", "--ignored"])
        .env("SSL_CERT_FILE", folder.path().join("roots.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && told.contains("1 passed"), "{told}");
}
