//! The application over a real socket: the adopted routes are guarded, the others are as they were.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../http_client.rs"]
mod http_client;

use std::net::SocketAddr;
use std::time::Duration;

use palisade::dev::{Grant, SigningKey};
use palisade::{ApiKeys, Clock, JwkSet, Jwt, NewKey};
use serde_json::json;
use tokio::net::TcpListener;

use http_client::Request;

struct Running {
    address: SocketAddr,
    signer: SigningKey,
    reporting: String,
    auditing: String,
}

impl Running {
    async fn start() -> Self {
        let signer = SigningKey::generate().unwrap();
        let tokens = Jwt::new(JwkSet::from_json(&signer.jwks()).unwrap());
        let now = Clock::system().now().unwrap();
        let reporting = NewKey::generate("tasks", "reporting", &["tasks:search"], now, None).unwrap();
        let auditing = NewKey::generate("tasks", "auditing", &["tasks:audit"], now, None).unwrap();
        let app = adopt::app(tokens, ApiKeys::new([reporting.record, auditing.record]).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { palisade::serve(app).listener(listener).await.unwrap() });
        let text = |key: palisade::Secret<String>| key.expose().clone();
        Self { address, signer, reporting: text(reporting.key), auditing: text(auditing.key) }
    }

    fn call(&self, line: &str) -> Request {
        Request::new(self.address, line)
    }

    fn token(&self, subject: &str, scopes: &[&str]) -> String {
        let (issuer, audience) = ("https://id.tasks.example", "tasks");
        let grant = Grant { issuer, audience, subject, scopes, lifetime: Duration::from_secs(60) };
        self.signer.token(&grant, Clock::system().now().unwrap().unix()).unwrap()
    }
}

#[tokio::test]
async fn routes_that_were_not_adopted_are_as_they_were() {
    let app = Running::start().await;
    let answer = app.call("GET /").send().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "3 tasks\n"));
    assert_eq!(app.call("POST /ping").send().await.status, 204);
}

#[tokio::test]
async fn a_task_is_shown_to_whom_it_is_assigned() {
    let app = Running::start().await;
    let alice = app.token("alice", &["tasks:read"]);
    let answer = app.call("GET /tasks/1").token(&alice).send().await;
    assert_eq!((answer.status, &answer.json()["title"]), (200, &json!("water the plants")), "{answer:?}");
    let admin = app.token("root", &["tasks:read", "tasks:admin"]);
    assert_eq!(app.call("GET /tasks/2").token(&admin).send().await.status, 200);

    for (line, status, code) in [
        ("GET /tasks/2", 404, "not_found"),
        ("GET /tasks/99", 404, "not_found"),
        ("GET /tasks/0", 400, "invalid_parameters"),
        ("GET /tasks/one", 400, "invalid_parameters"),
        ("GET /tasks/1?verbose=1", 400, "invalid_parameters"),
    ] {
        let answer = app.call(line).token(&alice).send().await;
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{line}");
    }
    assert_eq!(app.call("GET /tasks/1").send().await.refusal().0, 401);
    let narrow = app.token("alice", &["tasks:search"]);
    assert_eq!(app.call("GET /tasks/1").token(&narrow).send().await.refusal().0, 403);
    assert_eq!(app.call("HEAD /tasks/1").token(&alice).send().await.status, 405);
}

#[tokio::test]
async fn the_reporting_job_searches_by_its_key() {
    let app = Running::start().await;
    let found = async |query: &str| {
        let answer = app.call(&format!("GET /search?{query}")).key(&app.reporting).send().await;
        (answer.status, answer.json().as_array().map(Vec::len))
    };
    assert_eq!(found("words=water").await, (200, Some(2)));
    assert_eq!(found("words=water&done=true").await, (200, Some(1)));
    assert_eq!(found("words=water&limit=1").await, (200, Some(1)));
    for query in ["", "words=w", "words=water&limit=51", "words=water&done=yes", "words=water&words=lawn"] {
        assert_eq!(found(query).await, (400, None), "{query}");
    }
    assert_eq!(app.call("GET /search?words=water").key(&app.auditing).send().await.refusal().0, 403);
    assert_eq!(app.call("GET /search?words=water").send().await.refusal().0, 401);
    let alice = app.token("alice", &["tasks:search"]);
    assert_eq!(app.call("GET /search?words=water").token(&alice).send().await.refusal().0, 401);
}
