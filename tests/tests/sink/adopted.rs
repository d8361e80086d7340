//! The same for operations that an axum application adopts.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use palisade::{Caller, Gate, Problem, Settings};
use palisade_tests::client::Client;
use palisade_tests::waiting::{Waiting, until};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::desk::{AWAY, GOOD, Sink, api, keys, types};

#[derive(palisade::Operation)]
#[operation(spec = "specs/audit.yaml", id = "pay", types = api)]
struct Pay {
    act: Option<api::ListPaymentsAct>,
    #[allow(dead_code, reason = "the proof is there, and nobody asks it")]
    caller: Caller<Self>,
}

#[derive(Clone)]
struct App {
    gate: Gate,
    handlers: Waiting,
}

impl axum::extract::FromRef<App> for Gate {
    fn from_ref(app: &App) -> Self {
        app.gate.clone()
    }
}

async fn pay(State(app): State<App>, op: Pay) -> Result<StatusCode, Problem> {
    match op.act {
        None => Ok(StatusCode::NO_CONTENT),
        Some(api::ListPaymentsAct::Refuse) => Ok(StatusCode::CONFLICT),
        Some(api::ListPaymentsAct::Panic) => panic!("secret-panic"),
        Some(api::ListPaymentsAct::Wait) => {
            app.handlers.wait().await;
            Ok(StatusCode::NO_CONTENT)
        }
    }
}

#[tokio::test]
async fn an_adopted_operation_is_told_of() {
    let (sink, (key, keys), handlers) = (Sink::default(), keys(), Waiting::default());
    let settings = Settings::new().events_to(sink.clone());
    let gate = Gate::builder().api_key("key", keys).settings(settings).operation::<Pay>().build().unwrap();
    let app = App { gate: gate.clone(), handlers: handlers.clone() };
    let app = Router::new().route(Pay::PATH, post(pay)).layer(gate.layer()).with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(gate.guards(app)).listener(listener).await.unwrap() });
    let call = |act: &str| client.call("POST", &format!("/payments{act}")).key(&key).send();

    for (act, status) in [("", 204), ("?act=refuse", 409), ("?act=panic", 500)] {
        let reply = call(act).await;
        let count = if status == 500 { 3 } else { 2 };
        let told = sink.of(reply.allowed(status).header("x-request-id"), count).await;
        assert_eq!(types(&told)[..2], ["audit_begun", "audit_ended"]);
        assert_eq!(told[1]["status"], status);
    }

    sink.is(AWAY);
    let begun = handlers.begun();
    let refused = call("?act=wait").await;
    refused.refused(503, "unavailable");
    assert_eq!(handlers.begun(), begun, "the handler did not run");
    sink.is(GOOD);
    assert_eq!(types(&sink.of(refused.header("x-request-id"), 1).await), ["sys_audit_unavailable"]);

    let told = sink.stored().len();
    let mut leaves = TcpStream::connect(client.0).await.unwrap();
    let request = format!(
        "POST /payments?act=wait HTTP/1.1\r\nhost: test\r\nx-api-key: {key}\r\ncontent-length: 0\r\n\r\n"
    );
    leaves.write_all(request.as_bytes()).await.unwrap();
    handlers.have_begun(begun + 1).await;
    drop(leaves);
    until(async || sink.stored().len() == told + 2).await;
    let ended = sink.stored().pop().unwrap();
    assert_eq!((&ended["event_type"], &ended["failure_reason"]), (&"audit_ended".into(), &"not_seen".into()));
}

#[test]
fn a_gate_with_an_audited_operation_and_no_sink_is_not_built() {
    let missing = Gate::builder().api_key("key", keys().1).operation::<Pay>().build().unwrap_err();
    let expected = "operation `pay`: it is audited, and nothing stores its events (`Settings::events_to`)";
    assert_eq!(missing.faults().collect::<Vec<_>>(), [expected]);
}
