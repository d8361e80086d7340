//! `errors: problem-json`: every refusal is one of RFC 9457, wherever it comes from.

use palisade::{Caller, Jwt, KeptAnswers, Problem, Settings};
use palisade_tests::attacks::frames::{END_HEADERS, END_STREAM, HEADERS, exchange, fields, frame};
use palisade_tests::client::{Client, Reply};
use palisade_tests::tokens::Signer;
use palisade_tests::waiting::Waiting;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod api {
    include!(concat!(env!("OUT_DIR"), "/problems.rs"));
}

use api::*;

#[derive(Clone, Default)]
struct Service(Waiting);

impl Problems for Service {
    async fn get_each(&self, _: Caller<GetEach>, _: GetEachInput) -> Result<GetEachOutput, Problem> {
        Ok(GetEachOutput::NoContent)
    }

    async fn get_whole(&self, _: Caller<GetWhole>, _: GetWholeInput) -> Result<GetWholeOutput, Problem> {
        Ok(GetWholeOutput::NoContent)
    }

    async fn get_mine(&self, _: Caller<GetMine>, _: GetMineInput) -> Result<GetMineOutput, Problem> {
        self.0.wait().await;
        Ok(GetMineOutput::NoContent)
    }

    async fn get_together(
        &self,
        _: Caller<GetTogether>,
        _: GetTogetherInput,
    ) -> Result<GetTogetherOutput, Problem> {
        self.0.wait().await;
        Ok(GetTogetherOutput::NoContent)
    }

    async fn get_late(&self, _: Caller<GetLate>, _: GetLateInput) -> Result<GetLateOutput, Problem> {
        self.0.wait().await;
        Ok(GetLateOutput::NoContent)
    }

    async fn post_late(&self, _: Caller<PostLate>, _: PostLateInput) -> Result<PostLateOutput, Problem> {
        Ok(PostLateOutput::NoContent)
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
    handlers: Waiting,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::new()).await
    }

    async fn with(settings: Settings) -> Self {
        let service = Service::default();
        let signer = Signer::new("k1");
        let keys = palisade::JwkSet::from_json(signer.jwks()).expect("a key set");
        let server = server(service.clone())
            .token(Jwt::new(keys))
            .idempotency(KeptAnswers::in_memory().unwrap())
            .settings(settings)
            .build()
            .expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        Self { client, signer, handlers: service.0 }
    }

    /// What somebody else is answered by one path while a handler of another is at work.
    async fn meanwhile(&self, busy: &str, path: &str) -> Reply {
        let call = self.client.get(busy).token(&self.signer.token("alice", "")).send();
        let working = tokio::spawn(call);
        self.handlers.have_begun(1).await;
        let reply = self.get(path).await;
        self.handlers.go_on();
        working.await.unwrap().allowed(204);
        reply
    }

    /// The answer to what is written byte for byte; it ends when the server closes.
    async fn raw(&self, request: &str) -> Reply {
        let mut stream = tokio::net::TcpStream::connect(self.client.0).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let (status, lines) = head.split_once("\r\n").unwrap();
        let lines = lines.lines().filter_map(|line| line.split_once(": "));
        Reply {
            status: status.split(' ').nth(1).unwrap().parse().unwrap(),
            headers: lines.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
            body: body.to_owned().into(),
        }
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

#[tokio::test]
async fn what_takes_too_long_or_is_too_much_is_refused_in_this_form() {
    let bench = Bench::start().await;
    let token = bench.signer.token("alice", "");
    let plain = |reply: &Reply, status, title, code| {
        assert_eq!(problem(reply, status, title, code)["type"], "about:blank");
    };
    plain(&bench.get("/late").await, 504, "Gateway Timeout", "deadline_exceeded");
    let large = format!(r#"{{"name":"{}"}}"#, "a".repeat(1024));
    let reply = bench.client.post("/late", &large).token(&token).send().await;
    plain(&reply, 413, "Payload Too Large", "body_too_large");
    let head = format!(
        "POST /late HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
    );
    let reply =
        bench.raw(&format!("{head}transfer-encoding: chunked\r\n\r\n800\r\n{}", "a".repeat(0x800))).await;
    plain(&reply, 413, "Payload Too Large", "body_too_large");
    let reply = bench.raw(&format!("{head}content-length: 30\r\n\r\n{{")).await;
    plain(&reply, 408, "Request Timeout", "request_timeout");
}

/// Of a server that has enough to do, and of limits on what is under way.
#[tokio::test]
async fn what_is_shed_has_the_type_of_reduced_capacity_and_what_a_client_has_under_way_that_of_its_quota() {
    let reduced = |reply: &Reply| {
        let told = problem(reply, 503, "The service takes fewer requests than usual", "unavailable");
        assert_eq!(
            told["type"],
            "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
        );
        assert!(told.get("violated-policies").is_none(), "{told}");
        assert!(!reply.header("retry-after").is_empty());
    };
    let full = Bench::with(Settings::new().max_requests(1)).await;
    reduced(&full.meanwhile("/mine", "/each").await);
    full.get("/each").await.allowed(204);
    reduced(&Bench::start().await.meanwhile("/together", "/together").await);
    let over = Bench::start().await.meanwhile("/mine", "/mine").await;
    let told = problem(&over, 429, "The quota of this client is used up", "rate_limited");
    assert_eq!(told["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(told["violated-policies"], json!(["mine"]));
    assert!(!over.header("retry-after").is_empty());
}

/// What the HTTP library answers by itself.
#[tokio::test]
async fn what_is_no_request_is_refused_in_this_form_too() {
    let bench = Bench::start().await;
    let many: String = (0..100).map(|number| format!("h{number}: v\r\n")).collect();
    let long = "a".repeat(40 << 10);
    let (invalid, large) = ("invalid_request", "headers_too_large");
    for (request, status, title, code) in [
        ("nonsense\r\n\r\n".to_owned(), 400, "Bad Request", invalid),
        ("GET /each HTTP/1.1\r\nhost : a\r\n\r\n".to_owned(), 400, "Bad Request", invalid),
        (
            format!("GET /each HTTP/1.1\r\nhost: a\r\n{many}\r\n"),
            431,
            "Request Header Fields Too Large",
            large,
        ),
        (
            format!("GET /each HTTP/1.1\r\nhost: a\r\nh: {long}\r\n\r\n"),
            431,
            "Request Header Fields Too Large",
            large,
        ),
    ] {
        let refused = problem(&bench.raw(&request).await, status, title, code);
        assert_eq!(refused["type"], "about:blank");
    }
}

/// Over HTTP/2 the library leaves nobody a word: it answers a list of fields that is too long (RFC 9113 section 10.5.1) with the
/// status alone.
#[tokio::test]
async fn over_http_2_a_head_that_is_too_long_is_answered_by_the_status_alone() {
    let bench = Bench::start().await;
    let ask = async |more: usize| {
        let head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/nothing")];
        // 34 bytes each, as section 6.5.2 counts them
        let all: Vec<_> = head.into_iter().chain(std::iter::repeat_n(("h", "v"), more)).collect();
        exchange(bench.client.0, &frame(HEADERS, END_STREAM | END_HEADERS, 1, &fields(&all))).await
    };
    let said = ask(400).await;
    assert_eq!((said.status(1), said.bodies > 0), (Some(404), true), "{said:?}");
    let said = ask(600).await;
    assert_eq!((said.status(1), said.bodies), (Some(431), 0), "{said:?}");
}
