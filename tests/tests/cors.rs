//! What scripts of other origins read of answers: over sockets, with a CORS layer around the server.

use std::collections::BTreeSet;

use palisade::cursor::CursorKeys;
use palisade::{Caller, JwkSet, Jwt, KeptAnswers, Position, Problem, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::dice::key_of;
use palisade_tests::tokens::{ISSUER, Signer};

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/cors.rs"));
}

use api::*;

mod page {
    use palisade::{EXPOSED_HEADERS, Guarded, Server};
    use tower_http::cors::CorsLayer;

    pub fn of_scripts(server: Server) -> Guarded {
        let cors = CorsLayer::new()
            .allow_origin(["https://app.example.com".parse().unwrap()])
            .allow_methods([http::Method::GET, http::Method::POST])
            .allow_headers([http::header::AUTHORIZATION, http::header::CONTENT_TYPE])
            .expose_headers(EXPOSED_HEADERS.map(http::HeaderName::from_static));
        server.behind(|router| router.layer(cors))
    }
}

const ORIGIN: &str = "https://app.example.com";

struct Service;

#[derive(Debug, Position)]
struct Row {
    number: i64,
}

impl Scripts for Service {
    async fn list_rows(
        &self,
        caller: Caller<ListRows>,
        input: ListRowsInput,
    ) -> Result<ListRowsOutput, Problem> {
        let after = caller.position::<Row>()?.map_or(0, |row| row.number);
        let page = caller.page(after + 1..10, input.limit, |&number| Row { number })?;
        Ok(ListRowsOutput::Ok(RowPage { data: page.items, next_cursor: page.next }))
    }

    async fn limited(&self, _: Caller<Limited>, _: LimitedInput) -> Result<LimitedOutput, Problem> {
        Ok(LimitedOutput::NoContent)
    }

    async fn order(&self, _: Caller<Order>, _: OrderInput) -> Result<OrderOutput, Problem> {
        Ok(OrderOutput::NoContent)
    }

    async fn proven(&self, _: Caller<Proven>, _: ProvenInput) -> Result<ProvenOutput, Problem> {
        Ok(ProvenOutput::NoContent)
    }

    async fn failing(&self, _: Caller<Failing>, _: FailingInput) -> Result<FailingOutput, Problem> {
        Err(Problem::new(503, "away", "the bank is away"))
    }
}

struct Bench {
    client: Client,
    signer: Signer,
}

impl Bench {
    async fn start() -> Self {
        let signer = Signer::new("k1");
        let jwt = || Jwt::new(JwkSet::from_json(signer.jwks()).unwrap()).issuer(ISSUER).audience("gate");
        let server = server(Service)
            .plain(jwt())
            .fresh(jwt())
            .cursor_keys(CursorKeys::generate().unwrap())
            .idempotency(KeptAnswers::in_memory().unwrap())
            .settings(Settings::new().public_origin("https://api.example.com").unwrap())
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        let serving = palisade::serve(page::of_scripts(server)).listener(listener);
        tokio::spawn(async move { serving.await.expect("it serves") });
        Self { client, signer }
    }

    /// One answer of each kind.
    async fn answers(&self) -> Vec<Reply> {
        let get = |path: &str| self.client.get(path).header("origin", ORIGIN).send();
        let token = self.signer.token("alice", "");
        let order = || self.client.call("POST", "/orders").header("origin", ORIGIN).token(&token);
        let keyed = || order().header("idempotency-key", &key_of("1")).send();
        vec![
            get("/rows").await,
            get("/limited").await,
            get("/limited").await,
            get("/limited").await,
            keyed().await,
            keyed().await,
            order().send().await,
            get("/orders").await,
            get("/proven").await,
            get("/failing").await,
            get("/nowhere").await,
        ]
    }
}

fn statuses(answers: &[Reply]) -> Vec<u16> {
    answers.iter().map(|reply| reply.status.as_u16()).collect()
}

/// Fetch standard, section 2.2.2: `CORS-safelisted response-header name`.
const SAFE: [&str; 7] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
];

/// For browsers, proxies and connections, not for scripts.
const NOT_FOR_SCRIPTS: [&str; 11] = [
    "connection",
    "content-security-policy",
    "cross-origin-resource-policy",
    "date",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
    "x-frame-options",
];

#[tokio::test]
async fn scripts_may_read_every_field_that_is_for_them() {
    let answers = Bench::start().await.answers().await;
    assert_eq!(statuses(&answers), [200, 204, 204, 429, 204, 204, 400, 405, 401, 503, 404]);
    let mut written = BTreeSet::new();
    for reply in &answers {
        let names = reply.headers.keys().map(http::HeaderName::as_str);
        written.extend(names.filter(|name| !name.starts_with("access-control-")).map(str::to_owned));
    }
    let known = |name: &str| SAFE.contains(&name) || NOT_FOR_SCRIPTS.contains(&name);
    let for_scripts: Vec<_> = written.iter().map(String::as_str).filter(|name| !known(name)).collect();
    assert_eq!(for_scripts, palisade::EXPOSED_HEADERS, "each is written, and no other");
}

/// Also of what the gate refuses, and the layer is asked before the gate: a preflight is no request of the document.
#[tokio::test]
async fn the_layer_tells_scripts_of_its_origins_of_these_fields_and_nobody_else() {
    let bench = Bench::start().await;
    for reply in bench.answers().await {
        assert_eq!(reply.header("access-control-allow-origin"), ORIGIN, "{}", reply.status);
        let exposed: BTreeSet<_> = reply.header("access-control-expose-headers").split(',').collect();
        assert_eq!(exposed, BTreeSet::from(palisade::EXPOSED_HEADERS), "{}", reply.status);
    }
    let preflight = |origin: &str| {
        let call = bench.client.call("OPTIONS", "/orders").header("origin", origin);
        call.header("access-control-request-method", "POST").send()
    };
    let told = preflight(ORIGIN).await;
    assert_eq!(told.allowed(200).header("access-control-allow-methods"), "GET,POST");
    let other = preflight("https://evil.example").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}

/// Whoever is believed about that could have a cache keep, or a script follow, a link to a server of theirs.
#[tokio::test]
async fn no_answer_names_the_host_that_its_request_does() {
    let bench = Bench::start().await;
    for path in ["/rows", "/limited", "/orders", "/proven", "/failing", "/nowhere"] {
        for method in ["GET", "POST"] {
            let call = bench.client.bare(method, path).header("host", "evil.example");
            let call = call.header("x-forwarded-host", "evil.example").header("x-forwarded-proto", "https");
            let reply = call.header("forwarded", "for=192.0.2.1;host=evil.example").send().await;
            let said = format!("{:?} {:?}", reply.headers, reply.body);
            assert!(reply.status != 500 && !said.contains("evil"), "{method} {path}: {said}");
        }
    }
    let page = bench.client.bare("GET", "/rows").header("host", "evil.example").send().await;
    assert!(page.allowed(200).header("link").starts_with("<?"), "{}", page.header("link"));
}
