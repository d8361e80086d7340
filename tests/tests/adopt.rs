//! Operations adopted by an axum application: the same gate, and no way around it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Extension, FromRef};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use palisade::{Caller, Gate, Holds, JwkSet, Jwt, Problem, Settings};
use palisade_tests::client::Client;
use palisade_tests::gate::{NOTE, api};
use palisade_tests::tokens::Signer;
use serde_json::{Value, json};

#[derive(palisade::Operation)]
#[operation(spec = "specs/gate.yaml", id = "getNote", types = api)]
struct GetNote {
    note_id: palisade::types::Uuid,
    caller: Caller<Self>,
}

#[derive(palisade::Operation)]
#[operation(spec = "specs/gate.yaml", id = "createNote", types = api)]
struct CreateNote {
    body: api::NewNote,
    caller: Caller<Self>,
}

#[derive(palisade::Operation)]
#[operation(spec = "specs/gate.yaml", id = "getFew")]
struct GetFew {
    caller: Caller<Self>,
}

#[derive(palisade::Operation)]
#[operation(spec = "specs/gate.yaml", id = "getOpen")]
struct GetOpen {
    caller: Caller<Self>,
}

#[derive(palisade::Operation)]
#[operation(spec = "specs/gate.yaml", id = "getSlow")]
struct GetSlow {
    #[allow(dead_code, reason = "the proof is there, and nobody asks it")]
    caller: Caller<Self>,
}

async fn get_note(op: GetNote) -> Json<Value> {
    read(&op.caller);
    Json(json!({ "id": op.note_id, "title": "mine" }))
}

/// An effect that asks for the right to it.
fn read(_: &impl Holds<api::scope::NotesRead>) {}

async fn create_note(op: CreateNote) -> Result<(axum::http::StatusCode, Json<Value>), Problem> {
    match op.body.title.as_str() {
        "taken" => {
            Err(Problem::new(409, "title_taken", "there is one of that title").because("row 7 of notes"))
        }
        "teapot" => Err(Problem::new(418, "teapot", "the document does not declare this")),
        "found" => Ok((axum::http::StatusCode::OK, Json(json!({})))),
        title => {
            assert!(op.caller.identity().is_some());
            Ok((axum::http::StatusCode::CREATED, Json(json!({ "title": title }))))
        }
    }
}

/// It says when there is more to see.
async fn get_few(op: GetFew) -> (StatusCode, [(HeaderName, &'static str); 1]) {
    let _ = op.caller.request_id();
    (StatusCode::NO_CONTENT, [(RETRY_AFTER, "5")])
}

async fn get_open(op: GetOpen) -> axum::http::StatusCode {
    assert!(op.caller.identity().is_none());
    axum::http::StatusCode::NO_CONTENT
}

async fn get_slow(_: GetSlow) -> axum::http::StatusCode {
    tokio::time::sleep(Duration::from_secs(30)).await;
    axum::http::StatusCode::NO_CONTENT
}

async fn own() -> &'static str {
    "the application's own"
}

async fn own_panic() -> &'static str {
    panic!("secret-panic")
}

#[derive(Clone)]
struct App {
    gate: Gate,
}

impl FromRef<App> for Gate {
    fn from_ref(app: &App) -> Self {
        app.gate.clone()
    }
}

fn gate(signer: &Signer) -> Gate {
    Gate::builder()
        .bearer("token", Jwt::new(JwkSet::from_json(signer.jwks()).unwrap()))
        .resolver("Note", |id| async move {
            let owner = |id: &str| (id == NOTE).then_some("alice");
            Ok(owner(&id).map(|owner| palisade::Attributes::new().with("owner", owner)))
        })
        .operation::<GetNote>()
        .operation::<CreateNote>()
        .operation::<GetFew>()
        .operation::<GetSlow>()
        .operation::<GetOpen>()
        .build()
        .unwrap()
}

fn routes() -> Router<App> {
    Router::new()
        .route(GetNote::PATH, get(get_note))
        .route(CreateNote::PATH, post(create_note))
        .route(GetFew::PATH, get(get_few))
        .route(GetSlow::PATH, get(get_slow))
        .route(GetOpen::PATH, get(get_open))
        .route("/own", get(own))
        .route("/own/panic", get(own_panic))
}

async fn start(app: Router) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Client(address)
}

async fn adopted() -> (Client, Signer) {
    let signer = Signer::new("k1");
    let gate = gate(&signer);
    (start(routes().layer(gate.layer()).with_state(App { gate })).await, signer)
}

#[tokio::test]
async fn the_same_gate_stands_before_an_adopted_route() {
    let (client, signer) = adopted().await;
    let (alice, bob) = (signer.token("alice", "notes:read notes:write"), signer.token("bob", "notes:read"));
    let path = format!("/notes/{NOTE}");
    let reply = client.get(&path).token(&alice).send().await;
    assert_eq!(reply.allowed(200).json()["id"], NOTE);
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(!reply.header("x-request-id").is_empty());
    client.get(&path).send().await.refused(401, "unauthenticated");
    client.get(&path).token(&bob).send().await.refused(404, "not_found");
    client.get("/notes/7").token(&alice).send().await.refused(400, "invalid_parameters");
    client.get(&format!("{path}?extra=1")).token(&alice).send().await.refused(400, "invalid_parameters");
    let poor = client.post("/notes", r#"{"title":"a","priority":1}"#).token(&bob).send().await;
    poor.refused(403, "forbidden");
}

#[tokio::test]
async fn a_body_is_decoded_and_validated() {
    let (client, signer) = adopted().await;
    let alice = signer.token("alice", "notes:write");
    let post = |body: &str| client.post("/notes", body).token(&alice).send();
    assert_eq!(post(r#"{"title":"fresh","priority":1}"#).await.allowed(201).json()["title"], "fresh");
    let reply = post(r#"{"title":"fresh","priority":9,"more":1}"#).await;
    assert_eq!(reply.status, 422, "{:?}", reply.body);
    assert_eq!(reply.violations().len(), 2);
}

#[tokio::test]
async fn only_declared_answers_leave() {
    let (client, signer) = adopted().await;
    let alice = signer.token("alice", "notes:write");
    let post = async |title: &str| {
        client
            .post("/notes", &json!({ "title": title, "priority": 1 }).to_string())
            .token(&alice)
            .send()
            .await
    };
    let reply = post("taken").await;
    reply.refused(409, "title_taken");
    assert!(!String::from_utf8_lossy(&reply.body).contains("row 7"));
    post("teapot").await.refused(500, "internal");
    post("found").await.refused(500, "internal");
}

#[tokio::test]
async fn limits_count_and_are_told() {
    let (client, signer) = adopted().await;
    let alice = signer.token("alice", "");
    for left in ["2", "1", "0"] {
        let reply = client.get("/few").token(&alice).send().await;
        assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left);
        assert_eq!(reply.header("retry-after"), "5", "what a handler says of what it did stays");
    }
    client.get("/few").token(&alice).send().await.refused(429, "rate_limited");
}

/// What the gate keeps is written when the server stops, and there before the next one answers.
#[tokio::test]
async fn an_application_is_served_with_its_gate() {
    let (signer, state) = (Signer::new("k1"), palisade::State::memory());
    let served = async || {
        let kept = palisade::KeptLimits::load(state.clone()).await.unwrap();
        let jwt = Jwt::new(JwkSet::from_json(signer.jwks()).unwrap());
        let settings = Settings::new().limits_kept(kept);
        let gate =
            Gate::builder().settings(settings).bearer("token", jwt).operation::<GetFew>().build().unwrap();
        let app = Router::new().route(GetFew::PATH, get(get_few)).layer(gate.layer());
        let app = gate.guards(app.with_state(App { gate: gate.clone() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        let (stop, told) = tokio::sync::oneshot::channel::<()>();
        let serving = palisade::serve(app).listener(listener).shutdown(async { _ = told.await });
        (client, stop, tokio::spawn(async move { serving.await.unwrap() }))
    };
    let alice = signer.token("alice", "");
    for left in ["2", "1"] {
        let (client, stop, stopped) = served().await;
        let reply = client.get("/few").token(&alice).send().await;
        assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left);
        stop.send(()).unwrap();
        stopped.await.unwrap();
    }
}

#[tokio::test]
async fn the_deadline_ends_a_handler() {
    let (client, _) = adopted().await;
    client.get("/faults/slow").send().await.refused(504, "deadline_exceeded");
}

#[tokio::test]
async fn methods_that_axum_adds_are_not_the_documents() {
    let (client, _) = adopted().await;
    client.get("/open").send().await.allowed(204);
    let reply = client.call("HEAD", "/open").send().await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), "GET");
}

#[tokio::test]
async fn routes_of_the_application_itself_get_the_outer_steps() {
    let (client, _) = adopted().await;
    let reply = client.get("/own").send().await;
    assert_eq!(reply.allowed(200).body, "the application's own");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let reply = client.get("/own/panic").send().await;
    reply.refused(500, "internal");
    assert!(!String::from_utf8_lossy(&reply.body).contains("secret"));
}

/// What handlers of an application are shown of the head of a request.
type Shown = Arc<Mutex<HeaderMap>>;

async fn keep_head(Extension(shown): Extension<Shown>, headers: HeaderMap, _: GetOpen) -> StatusCode {
    *shown.lock().unwrap() = headers;
    StatusCode::NO_CONTENT
}

async fn keep_own_head(Extension(shown): Extension<Shown>, headers: HeaderMap) -> StatusCode {
    *shown.lock().unwrap() = headers;
    StatusCode::NO_CONTENT
}

/// Whoever is the peer: what a proxy that is trusted has said, the gate has read.
#[tokio::test]
async fn no_handler_sees_who_claims_to_speak_for_others() {
    for settings in [Settings::new(), Settings::new().trusted_proxies(["127.0.0.1"]).unwrap()] {
        let gate = Gate::builder().settings(settings).operation::<GetOpen>().build().unwrap();
        let shown = Shown::default();
        let routes = Router::new().route(GetOpen::PATH, get(keep_head)).route("/own", get(keep_own_head));
        let routes = routes.layer(Extension(Arc::clone(&shown))).layer(gate.layer());
        let client = start(routes.with_state(App { gate })).await;
        for path in ["/open", "/own"] {
            let mut call =
                client.get(path).header("accept-language", "la").header("x-forwarded-proto", "https");
            for name in SPEAK_FOR_OTHERS {
                call = call.header(name, "192.0.2.1").header(name, "for=192.0.2.2;host=evil.example");
            }
            call.send().await.allowed(204);
            let shown = std::mem::take(&mut *shown.lock().unwrap());
            assert_eq!(shown["accept-language"], "la", "{path}");
            for name in ["x-forwarded-proto"].iter().chain(&SPEAK_FOR_OTHERS) {
                assert!(!shown.contains_key(*name), "{path}: {name}");
            }
        }
    }
}

const SPEAK_FOR_OTHERS: [&str; 10] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-real-ip",
    "client-cert",
    "client-cert-chain",
];

#[tokio::test]
async fn what_is_not_wired_refuses() {
    let signer = Signer::new("k1");
    let built = gate(&signer);
    let without_layer = start(routes().with_state(App { gate: built.clone() })).await;
    without_layer.get("/open").send().await.refused(500, "internal");

    let others_layer =
        start(routes().layer(gate(&signer).layer()).with_state(App { gate: built.clone() })).await;
    others_layer.get("/open").send().await.refused(500, "internal");

    let elsewhere: Router<App> =
        Router::new().route("/elsewhere", get(get_open)).route("/open", any(get_open));
    let elsewhere = start(elsewhere.layer(built.layer()).with_state(App { gate: built })).await;
    elsewhere.get("/elsewhere").send().await.refused(500, "internal");
    elsewhere.post("/open", "").send().await.refused(405, "method_not_allowed");
    elsewhere.get("/open").send().await.allowed(204);

    let unknown = Gate::builder().operation::<GetSlow>().build().unwrap();
    let unknown = start(routes().layer(unknown.layer()).with_state(App { gate: unknown })).await;
    unknown.get("/open").send().await.refused(500, "internal");
}

#[derive(palisade::Operation)]
#[operation(spec = "specs/gate.yaml", id = "listShelf", types = api)]
#[expect(dead_code, reason = "it is built and not asked")]
struct ListShelf {
    limit: i32,
    caller: Caller<Self>,
}

#[test]
fn a_list_without_keys_of_cursors_is_no_gate() {
    let jwt = || Jwt::new(JwkSet::from_json(Signer::new("k1").jwks()).unwrap());
    let gate = || Gate::builder().bearer("token", jwt()).operation::<ListShelf>();
    let missing = gate().build().unwrap_err().to_string();
    assert!(missing.contains("`listShelf`") && missing.contains("`cursor_keys`"), "{missing}");
    gate().cursor_keys(palisade::cursor::CursorKeys::generate().unwrap()).build().unwrap();
}

#[test]
fn every_missing_part_is_named_at_once() {
    let missing = Gate::builder().operation::<GetNote>().build().unwrap_err().to_string();
    assert!(missing.contains("`token`") && missing.contains("`Note`"), "{missing}");
}
