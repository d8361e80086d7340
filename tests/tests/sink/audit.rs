//! What is audited is told of before it is done, and how it ended; or it is not done.

use std::time::Duration;

use palisade::{Readiness, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::waiting::until;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::desk::{AWAY, Desk, GOOD, HANGS, Service, WAITS, complete, keys, types};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

#[tokio::test]
async fn it_is_told_of_first_and_how_it_ended() {
    let desk = Desk::start().await;
    for (method, act, status, reason) in [
        ("POST", "", 204, None),
        ("POST", "?act=refuse", 409, Some("handler: too_poor")),
        ("POST", "?act=panic", 500, Some("panicked: secret-panic")),
        ("GET", "", 204, None),
        ("GET", "?act=refuse", 409, Some("handler: too_poor")),
        ("GET", "?act=panic", 500, Some("panicked: secret-panic")),
    ] {
        let reply = desk.call(method, &format!("/payments{act}")).send().await;
        let refused = usize::from(status >= 400); // which has its event as ever
        let told = desk.sink.of(reply.allowed(status).header("x-request-id"), 2 + refused).await;
        assert_eq!(types(&told)[..2], ["audit_begun", "audit_ended"]);
        let [begun, ended, ..] = told.as_slice() else { panic!("{told:?}") };
        assert!(begun.get("status").is_none());
        assert_eq!(ended["status"], status);
        assert_eq!(ended.get("failure_reason").and_then(|reason| reason.as_str()), reason);
        for event in [begun, ended] {
            assert!(event["principal"].as_str().unwrap().starts_with("urn:palisade:scheme:key#"), "{event}");
            assert_eq!(event["endpoint"], format!("{method} /payments"));
            assert_eq!(event["severity"], "Low");
        }
    }
    // who is refused before has the event of that
    let reply = desk.client.call("POST", "/payments").send().await;
    assert_eq!(types(&desk.sink.of(reply.allowed(401).header("x-request-id"), 1).await), ["authn_missing"]);
    // what is not audited has none
    let reply = desk.client.get("/status").send().await;
    assert!(desk.sink.of(reply.allowed(204).header("x-request-id"), 0).await.is_empty());
}

#[tokio::test]
async fn nothing_is_done_that_nobody_is_told_of() {
    let desk = Desk::start().await;
    for mode in [AWAY, HANGS] {
        desk.sink.is(mode);
        for (method, path) in [("POST", "/payments"), ("GET", "/payments")] {
            let before = desk.paid();
            let reply = desk.call(method, path).send().await;
            reply.refused(503, "unavailable");
            assert_eq!(reply.header("retry-after"), "1");
            assert_eq!(desk.paid(), before, "the handler did not run");
            desk.client.get("/status").send().await.allowed(204);
            desk.sink.is(GOOD);
            until(async || desk.call(method, path).send().await.status == 204).await;
            assert_eq!(desk.paid(), before + 1);
            // others that came before it was back as well
            let refused = desk.sink.of(reply.header("x-request-id"), 1).await;
            assert_eq!(types(&refused), ["sys_audit_unavailable"]);
            assert_eq!(refused[0]["failure_reason"], "audit_event_not_stored");
            desk.sink.is(mode);
        }
    }
}

#[tokio::test]
async fn nobody_waits_longer_than_the_operation_may_take() {
    let desk = Desk::start().await;
    desk.sink.is(HANGS);
    let late = desk.call("DELETE", "/payments").send().await;
    late.refused(504, "deadline_exceeded");
    let away = Readiness::new().events("events", &desk.events).degraded().await;
    assert!(away.is_empty(), "the sink has a second, and the operation less");
    assert_eq!(desk.paid(), 0);
    desk.sink.is(GOOD);
    let told = desk.sink.of(late.header("x-request-id"), 2).await;
    assert_eq!(types(&told), ["audit_ended", "sys_deadline"]);
    assert_eq!((&told[0]["failure_reason"], &told[1]["severity"]), (&"not_run".into(), &"Medium".into()));
}

/// A call of a client that can leave.
async fn call(desk: &Desk, method: &str, act: &str) -> TcpStream {
    let mut client = TcpStream::connect(desk.client.0).await.unwrap();
    let request = format!(
        "{method} /payments{act} HTTP/1.1\r\nhost: test\r\nx-api-key: {}\r\ncontent-length: 0\r\n\r\n",
        desk.key
    );
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

#[tokio::test]
async fn it_is_told_of_whose_end_nobody_sees() {
    let desk = Desk::start().await;
    for (method, status) in [("POST", Some(204)), ("GET", None)] {
        desk.service.handlers.stop();
        let (begun, told) = (desk.service.handlers.begun(), desk.sink.stored().len());
        let client = call(&desk, method, "?act=wait").await;
        desk.service.handlers.have_begun(begun + 1).await;
        drop(client);
        if method == "POST" {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(desk.sink.stored().len(), told + 1, "it has effects, and goes on");
            desk.service.handlers.go_on();
        }
        until(async || desk.sink.stored().len() == told + 2).await;
        let ended = desk.sink.stored().pop().unwrap();
        assert_eq!(ended["event_type"], "audit_ended");
        assert_eq!(ended.get("status").and_then(serde_json::Value::as_u64), status);
        assert_eq!(ended.get("failure_reason").is_some(), status.is_none());
    }
}

#[tokio::test]
async fn a_server_that_ends_tells_of_what_it_did_not_wait_for() {
    let desk = Desk::draining(Duration::ZERO).await;
    let client = call(&desk, "POST", "?act=wait").await;
    desk.service.handlers.have_begun(1).await;
    desk.stop.send(()).unwrap();
    desk.stopped.await.unwrap();
    let ends = || {
        let mut stored = desk.sink.stored();
        stored.retain(|event| event["event_type"] == "audit_ended");
        stored
    };
    let [unseen] = ends().try_into().unwrap();
    assert_eq!((&unseen["failure_reason"], unseen.get("status")), (&"not_seen".into(), None));
    // its process goes on
    desk.service.handlers.go_on();
    until(async || ends().len() == 2).await;
    assert_eq!((&ends()[1]["status"], &ends()[1]["request_id"]), (&204.into(), &unseen["request_id"]));
    drop(client);
}

#[tokio::test]
async fn what_begins_after_a_server_has_ended_has_its_end_told_before() {
    let desk = Desk::start().await;
    let another = async || {
        let (stop, told) = oneshot::channel::<()>();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        let serving = palisade::serve(desk.server.clone()).listener(listener);
        let serving = tokio::spawn(serving.shutdown(async { _ = told.await }).into_future());
        until(async || TcpStream::connect(client.0).await.is_ok()).await;
        (client, stop, serving)
    };
    let (_, stop, stopped) = another().await;
    stop.send(()).unwrap();
    stopped.await.unwrap().unwrap();
    // it is over for what cannot know whether its runtime goes on
    for method in ["POST", "GET", "PUT"] {
        desk.service.handlers.stop();
        let (begun, told) = (desk.service.handlers.begun(), desk.sink.stored().len());
        let call = desk.call(method, "/payments?act=wait").header("idempotency-key", KEY);
        let answered = tokio::spawn(async move { call.send().await });
        desk.service.handlers.have_begun(begun + 1).await;
        let before = desk.sink.stored().split_off(told);
        assert_eq!(types(&before), ["audit_begun", "audit_ended"], "stored before the handler began");
        assert_eq!((&before[1]["failure_reason"], before[1].get("status")), (&"not_seen".into(), None));
        desk.service.handlers.go_on();
        let reply = answered.await.unwrap();
        let told = desk.sink.of(reply.allowed(204).header("x-request-id"), 3).await;
        assert_eq!((types(&told)[2], &told[2]["status"]), ("audit_ended", &204.into()));
    }
    // one that begins to serve says nothing of its end
    let (client, _stop, _serving) = another().await;
    let reply = client.call("POST", "/payments").key(&desk.key).send().await;
    let told = desk.sink.of(reply.allowed(204).header("x-request-id"), 2).await;
    assert_eq!((types(&told)[1], &told[1]["status"]), ("audit_ended", &204.into()));
}

#[tokio::test]
async fn a_call_whose_client_leaves_before_it_is_done_is_told_of_as_that() {
    events::collect();
    let desk = Desk::start().await;
    for method in ["POST", "GET"] {
        let (begun, told) = (desk.sink.waiting(), desk.sink.stored().len());
        desk.sink.is(WAITS);
        let client = call(&desk, method, "").await;
        until(async || desk.sink.waiting() > begun).await;
        drop(client);
        until(async || !unrun(method).is_empty()).await;
        desk.sink.is(GOOD);
        until(async || desk.sink.stored().len() == told + 2).await;
        let stored = desk.sink.stored().split_off(told);
        assert_eq!(types(&stored), ["audit_begun", "audit_ended"]);
        assert_eq!(stored[0]["request_id"], stored[1]["request_id"]);
        assert_eq!(stored[1]["failure_reason"], "not_run");
        assert_eq!(desk.paid(), 0, "the handler did not run");
    }
}

/// What the log says of calls that did not run.
fn unrun(method: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut unrun = events::with("failure_reason", "not_run");
    unrun.retain(|event| event["endpoint"] == format!("{method} /payments"));
    unrun
}

/// What is left of the limit of its operation.
fn left(reply: &Reply) -> u32 {
    let (_, left) = reply.header("ratelimit").split_once("r=").unwrap();
    left.split(';').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_call_that_is_answered_again_is_told_of_as_that() {
    let desk = Desk::start().await;
    let call = || desk.call("PUT", "/payments").header("idempotency-key", KEY);
    desk.sink.is(AWAY);
    call().send().await.refused(503, "unavailable");
    assert_eq!(desk.paid(), 0);
    desk.sink.is(GOOD);
    until(async || call().send().await.status == 204).await; // the key was free
    assert_eq!(desk.paid(), 1);
    let begun = desk.sink.having("event_type", "audit_begun", 1).await;
    let told = desk.sink.of(begun[0]["request_id"].as_str().unwrap(), 2).await;
    assert_eq!(types(&told), ["audit_begun", "audit_ended"]);
    assert_eq!(told[1]["status"], 204);

    let again = call().send().await;
    let told = desk.sink.of(again.allowed(204).header("x-request-id"), 1).await;
    assert_eq!((types(&told), &told[0]["status"]), (vec!["audit_replayed"], &204.into()));
    assert_eq!(desk.paid(), 1);

    desk.sink.is(AWAY);
    let refused = call().send().await;
    refused.refused(503, "unavailable");
    assert_eq!(left(&refused), left(&again), "nothing was done, and its limit has it back");
    desk.sink.is(GOOD);
    until(async || call().send().await.status == 204).await;
    assert_eq!(desk.paid(), 1);
    // of a run that fails, too
    let panics = desk.call("PUT", "/payments?act=panic").header("idempotency-key", &KEY.replace('8', "7"));
    let panicked = panics.send().await;
    let told = desk.sink.of(panicked.allowed(500).header("x-request-id"), 3).await;
    assert_eq!(types(&told), ["audit_begun", "audit_ended", "sys_crash"]);
}

/// Of a principal who has room for one call, or for one answer of headers alone.
#[tokio::test]
async fn a_call_that_is_not_done_takes_nothing_of_what_may_be_kept() {
    for (calls, bytes) in [(1, 64 << 20), (1000, 4 << 10)] {
        let desk = Desk::keeping(calls, bytes).await;
        let call = || desk.call("PUT", "/payments").header("idempotency-key", KEY);
        desk.sink.is(AWAY);
        call().send().await.refused(503, "unavailable");
        desk.sink.is(GOOD);
        until(async || {
            let status = call().send().await.status;
            assert_ne!(status, 429, "{calls} calls of {bytes} bytes");
            status == 204
        })
        .await;
        assert_eq!(desk.paid(), 1);
    }
}

#[tokio::test]
async fn a_server_whose_audited_operations_are_told_to_nobody_is_not_built() {
    let missing = complete(Service::default(), keys().1, Settings::new()).unwrap_err();
    let expected: Vec<_> = ["listPayments", "pay", "payOnce", "hurry"]
        .map(|id| {
            format!("operation `{id}`: it is audited, and nothing stores its events (`Settings::events_to`)")
        })
        .into();
    assert_eq!(missing.faults().collect::<Vec<_>>(), expected);
}
