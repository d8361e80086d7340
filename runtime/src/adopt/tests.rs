//! What holds without a generator: an operation written by hand, in a router that is called in process.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest};
use axum::routing::{any, get};
use http::StatusCode;
use tower_service::Service;

use super::*;
use crate::operation::{Access, Document, ErrorForm, Policy, Status};

static DOCUMENT: Document =
    Document { title: "T", version: "1", hash: "00", schemes: &[], limits: &[], errors: ErrorForm::Envelope };

const POLICY: Policy = Policy {
    id: "getStatus",
    method: "GET",
    path: "/status",
    access: Access::Public("a test"),
    step_up: None,
    limits: &[],
    parameters: &[],
    body: None,
    timeout: Duration::from_millis(50),
    priority: crate::operation::Priority::Normal,
    audit: false,
    ownership: None,
    pagination: None,
    idempotency: None,
    login: None,
    answers: &[Status::Exactly(204), Status::Exactly(409)],
};

struct GetStatus(Caller<Self>);
struct Nothing;

impl Operation for GetStatus {
    const POLICY: &'static Policy = &POLICY;
    const DOCUMENT: &'static Document = &DOCUMENT;
}

impl Input for Nothing {
    type Parameters = ();
    type Body = ();
    fn parameters(_: &mut crate::input::Parameters<'_>) -> Option<()> {
        Some(())
    }
    fn body(sent: Option<crate::input::Sent<'_>>) -> Result<(), crate::input::Refused> {
        crate::input::Sent::nothing(sent)
    }
    fn assemble((): (), (): ()) -> Self {
        Self
    }
}

impl Reads for GetStatus {
    type Input = Nothing;
}

impl Adopted for GetStatus {
    fn adopt(caller: Caller<Self>, _: Nothing) -> Self {
        Self(caller)
    }
}

impl<S: Send + Sync> FromRequest<S> for GetStatus
where
    Gate: FromRef<S>,
{
    type Rejection = Response;
    fn from_request(request: HttpRequest, state: &S) -> impl Future<Output = Result<Self, Response>> + Send {
        adopt::<Self, S>(request, state)
    }
}

fn gate() -> Gate {
    Gate::builder().operation::<GetStatus>().build().unwrap()
}

fn request(method: &str, path: &str) -> HttpRequest {
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 4000));
    let request =
        http::Request::builder().method(method).uri(path).header("host", "test").extension(ConnectInfo(peer));
    request.body(Body::empty()).unwrap()
}

async fn answer(app: &mut Router, method: &str, path: &str) -> StatusCode {
    let answer = app.call(request(method, path)).await.unwrap();
    if app_refused(&answer) {
        assert_eq!(answer.headers()[http::header::CONTENT_TYPE], "application/json", "an envelope");
    }
    assert!(answer.headers().contains_key("x-request-id"));
    answer.status()
}

fn app_refused(answer: &Response) -> bool {
    answer.status().is_client_error() || answer.status().is_server_error()
}

async fn status(op: GetStatus) -> StatusCode {
    assert!(op.0.identity().is_none());
    StatusCode::NO_CONTENT
}

#[tokio::test]
async fn with_its_layer_it_is_served() {
    let gate = gate();
    let mut app = Router::new().route("/status", any(status)).layer(gate.layer()).with_state(gate);
    assert_eq!(answer(&mut app, "GET", "/status").await, StatusCode::NO_CONTENT);
    for other in ["HEAD", "POST", "DELETE"] {
        assert_eq!(answer(&mut app, other, "/status").await, StatusCode::METHOD_NOT_ALLOWED, "{other}");
    }
    assert_eq!(answer(&mut app, "GET", "/status?more=1").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn without_its_layer_it_is_refused() {
    let (one, other) = (gate(), gate());
    let mut bare = Router::new().route("/status", get(status)).with_state(one.clone());
    assert_eq!(answer(&mut bare, "GET", "/status").await, StatusCode::INTERNAL_SERVER_ERROR);
    let mut foreign = Router::new().route("/status", get(status)).layer(other.layer()).with_state(one);
    assert_eq!(answer(&mut foreign, "GET", "/status").await, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn on_another_path_it_is_refused() {
    let gate = gate();
    let mut app = Router::new().route("/other", get(status)).layer(gate.layer()).with_state(gate);
    assert_eq!(answer(&mut app, "GET", "/other").await, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_nested_router_keeps_the_path_of_the_document() {
    let gate = gate();
    let inner = Router::new().route("/status", get(status)).layer(gate.layer());
    let mut app = Router::new().nest("/v1", inner).with_state(gate);
    assert_eq!(answer(&mut app, "GET", "/v1/status").await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_the_handler_answers_is_judged() {
    let gate = gate();
    let of = |answer: fn() -> Response| async move |_: GetStatus| answer();
    let declared = || axum::response::IntoResponse::into_response(Problem::new(409, "taken", "taken"));
    let undeclared = || axum::response::IntoResponse::into_response(Problem::new(418, "teapot", "a teapot"));
    let success = || axum::response::IntoResponse::into_response(StatusCode::OK);
    for (answers, expected) in [
        (declared as fn() -> Response, StatusCode::CONFLICT),
        (undeclared, StatusCode::INTERNAL_SERVER_ERROR),
        (success, StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let handler = of(answers);
        let mut app =
            Router::new().route("/status", get(handler)).layer(gate.layer()).with_state(gate.clone());
        assert_eq!(answer(&mut app, "GET", "/status").await, expected);
    }
}

#[tokio::test]
async fn a_deadline_and_a_panic_end_the_request_alone() {
    async fn slow(_: GetStatus) {
        std::future::pending::<()>().await;
    }
    async fn wild(_: GetStatus) {
        panic!("a handler that panics");
    }
    let gate = gate();
    let mut app = Router::new().route("/status", get(slow)).layer(gate.layer()).with_state(gate.clone());
    assert_eq!(answer(&mut app, "GET", "/status").await, StatusCode::GATEWAY_TIMEOUT);
    let mut app = Router::new().route("/status", get(wild)).layer(gate.layer()).with_state(gate);
    assert_eq!(answer(&mut app, "GET", "/status").await, StatusCode::INTERNAL_SERVER_ERROR);
}
