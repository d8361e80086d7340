//! `errors: problem-json`: every refusal is one of RFC 9457, wherever it comes from.

use palisade::{Caller, Jwt, KeptAnswers, Problem};
use palisade_tests::client::{Client, Reply};
use palisade_tests::tokens::Signer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod api {
    include!(concat!(env!("OUT_DIR"), "/problems.rs"));
}

use api::*;

struct Service;

impl Problems for Service {
    async fn get_each(&self, _: Caller<GetEach>, _: GetEachInput) -> Result<GetEachOutput, Problem> {
        Ok(GetEachOutput::NoContent)
    }

    async fn get_whole(&self, _: Caller<GetWhole>, _: GetWholeInput) -> Result<GetWholeOutput, Problem> {
        Ok(GetWholeOutput::NoContent)
    }

    async fn post_name(&self, _: Caller<PostName>, input: PostNameInput) -> Result<PostNameOutput, Problem> {
        match input.body.name.as_deref() {
            Some("bug") => panic!("as the test wants it"),
            _ => Err(Problem::new(409, "taken", "somebody has this name")),
        }
    }
}

struct Bench {
    client: Client,
    signer: Signer,
}

impl Bench {
    async fn start() -> Self {
        let signer = Signer::new("k1");
        let keys = palisade::JwkSet::from_json(signer.jwks()).expect("a key set");
        let server = server(Service)
            .token(Jwt::new(keys))
            .idempotency(KeptAnswers::in_memory().unwrap())
            .build()
            .expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        Self { client, signer }
    }

    async fn get(&self, path: &str) -> Reply {
        self.client.get(path).token(&self.signer.token("alice", "")).send().await
    }

    async fn post(&self, name: &str, key: Option<&str>) -> Reply {
        let body = json!({ "name": name }).to_string();
        let call = self.client.post("/names", &body).token(&self.signer.token("alice", ""));
        match key {
            Some(key) => call.header("idempotency-key", key),
            None => call,
        }
        .send()
        .await
    }
}

/// What all of them say.
#[track_caller]
fn problem(reply: &Reply, status: u16, title: &str, code: &str) -> Value {
    let problem = reply.json();
    assert_eq!((reply.status.as_u16(), &problem["status"]), (status, &json!(status)), "{problem}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!((&problem["title"], &problem["code"]), (&json!(title), &json!(code)), "{problem}");
    let id = reply.header("x-request-id");
    assert_eq!(
        (&problem["request_id"], &problem["instance"]),
        (&json!(id), &json!(format!("urn:uuid:{id}")))
    );
    assert!(problem["detail"].is_string() && problem["timestamp"].is_string(), "{problem}");
    assert!(problem.get("error").is_none(), "{problem}");
    problem
}

#[tokio::test]
async fn every_step_refuses_in_this_form() {
    let bench = Bench::start().await;
    let blank = |problem: &Value| assert_eq!(problem["type"], "about:blank");
    blank(&problem(&bench.client.get("/each").send().await, 401, "Unauthorized", "unauthenticated"));
    blank(&problem(&bench.get("/nothing").await, 404, "Not Found", "not_found"));
    blank(&problem(&bench.post("bug", None).await, 500, "Internal Server Error", "internal"));
    blank(&problem(&bench.post("eve", None).await, 409, "Conflict", "taken"));
    let wrong = problem(&bench.get("/each?count=many").await, 400, "Bad Request", "invalid_parameters");
    assert!(wrong["details"][0]["rule"].is_string(), "{wrong}");
    let long = problem(&bench.post("mallory", None).await, 422, "Unprocessable Entity", "invalid_body");
    assert_eq!(long["details"][0]["pointer"], "/name", "{long}");
}

/// draft-ietf-httpapi-ratelimit-headers-10, section 5.
#[tokio::test]
async fn limits_have_types_of_their_own() {
    let bench = Bench::start().await;
    for _ in 0..2 {
        bench.get("/each").await.allowed(204);
    }
    let over = bench.get("/each").await;
    let told = problem(&over, 429, "The quota of this client is used up", "rate_limited");
    assert_eq!(told["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(told["violated-policies"], json!(["each"]));
    assert!(
        over.header("ratelimit-policy").starts_with("\"each\";") && !over.header("retry-after").is_empty()
    );

    bench.get("/whole").await.allowed(204);
    let told = problem(
        &bench.get("/whole").await,
        503,
        "The service takes fewer requests than usual",
        "unavailable",
    );
    assert_eq!(told["type"], "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity");
    assert!(told.get("violated-policies").is_none(), "what all have together is told nobody: {told}");
}

#[tokio::test]
async fn a_refusal_that_was_kept_comes_back_as_it_was() {
    let bench = Bench::start().await;
    let key = "a7c1e0f2-5b3d-4f86-9c2a-0d1e2f3a4b5c";
    let first = bench.post("eve", Some(key)).await;
    problem(&first, 409, "Conflict", "taken");
    let again = bench.post("eve", Some(key)).await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    assert_eq!(again.header("content-type"), "application/problem+json");
}

/// What the HTTP library answers by itself.
#[tokio::test]
async fn what_is_no_request_is_refused_in_this_form_too() {
    let bench = Bench::start().await;
    let mut stream = tokio::net::TcpStream::connect(bench.client.0).await.unwrap();
    stream.write_all(b"nonsense\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 400 ") && head.contains("content-type: application/problem+json"),
        "{head}"
    );
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["title"], &problem["code"]), (&json!("Bad Request"), &json!("invalid_request")));
}
