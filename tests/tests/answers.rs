//! Steps 1, 15 and 16: what leaves, whatever happens.

use std::sync::atomic::Ordering;
use std::time::Duration;

use palisade_tests::client::Reply;
use palisade_tests::events;
use palisade_tests::gate::api::{Note, Webhooks};
use palisade_tests::gate::{Gate, NOTE_OF_NO_ANSWER};
use tokio::io::AsyncWriteExt;

fn secured(reply: &Reply) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(reply.header(name), value, "{name} on {}", reply.status);
    }
    assert!(reply.header("content-security-policy").contains("default-src 'none'"));
    assert!(!reply.header("x-request-id").is_empty());
    for name in ["server", "x-powered-by"] {
        assert!(reply.headers.get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let large = "a".repeat(5_000);
    let replies = [
        (204, gate.client.get("/open").send().await),
        (200, gate.client.get("/token").token(&token).send().await),
        (201, gate.client.post("/notes", r#"{"title":"milk","priority":1}"#).token(&token).send().await),
        (400, gate.client.get("/notes?limit=x").token(&token).send().await),
        (401, gate.client.get("/token").send().await),
        (403, gate.client.get("/key").key(&gate.writer_key).send().await),
        (404, gate.client.get("/nothing").send().await),
        (405, gate.client.call("PUT", "/open").send().await),
        (413, gate.client.post("/notes", &large).token(&token).send().await),
        (415, gate.client.call("POST", "/notes").body("{}").token(&token).send().await),
        (422, gate.client.post("/notes", "{}").token(&token).send().await),
        (500, gate.client.get("/faults/panic").send().await),
        (504, gate.client.get("/faults/slow").send().await),
    ];
    for (status, reply) in &replies {
        assert_eq!(reply.status.as_u16(), *status);
        secured(reply);
    }
    let ids: std::collections::BTreeSet<_> =
        replies.iter().map(|(_, reply)| reply.header("x-request-id")).collect();
    assert_eq!(ids.len(), replies.len(), "one id a request");
}

#[tokio::test]
async fn an_inbound_request_id_is_not_believed() {
    let gate = Gate::start().await;
    let reply = gate.client.get("/open").header("x-request-id", "chosen-by-the-client").send().await;
    assert_ne!(reply.header("x-request-id"), "chosen-by-the-client");
}

#[tokio::test]
async fn a_panic_ends_one_request_alone_and_says_nothing() {
    let gate = Gate::start().await;
    for method in ["GET", "POST"] {
        let reply = gate.client.call(method, "/faults/panic").send().await;
        reply.refused(500, "internal");
        assert!(!String::from_utf8_lossy(&reply.body).contains("secret-panic"));
        gate.client.get("/open").send().await.allowed(204);
    }
}

#[tokio::test]
async fn a_deadline_ends_a_slow_handler() {
    let gate = Gate::start().await;
    let started = std::time::Instant::now();
    gate.client.get("/faults/slow").send().await.refused(504, "deadline_exceeded");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_deadline_ends_the_search_for_an_owner() {
    let gate = Gate::start().await;
    let note = format!("/notes/{NOTE_OF_NO_ANSWER}");
    let put = gate.client.call("PUT", &note).header("content-type", "application/json");
    let reply = put.body(r#"{"title":"t","priority":1}"#).token(&gate.alice()).send();
    let reply = tokio::time::timeout(Duration::from_secs(5), reply).await.expect("it ends after 400 ms");
    reply.refused(504, "deadline_exceeded");
}

#[tokio::test]
async fn a_client_who_leaves_does_not_cancel_an_effect() {
    let gate = Gate::start().await;
    let mut stream = tokio::net::TcpStream::connect(gate.client.0).await.unwrap();
    stream.write_all(b"POST /faults/slow HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(gate.effects.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_effect_that_fails_when_its_client_has_left_is_an_event() {
    events::collect();
    let gate = Gate::start().await;
    let mut stream = tokio::net::TcpStream::connect(gate.client.0).await.unwrap();
    stream.write_all(b"POST /faults/slow?fail=true HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(events::everything().contains("it failed when nobody was waiting"));
}

#[tokio::test]
async fn a_server_that_stops_waits_for_effects_whose_clients_have_left() {
    let gate = Gate::start().await;
    let mut stream = tokio::net::TcpStream::connect(gate.client.0).await.unwrap();
    stream.write_all(b"POST /faults/slow HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    gate.stop.send(()).unwrap();
    gate.stopped.await.unwrap();
    assert_eq!(gate.effects.load(Ordering::SeqCst), 1, "cut off half way");
}

#[tokio::test]
async fn only_declared_and_conforming_answers_leave() {
    let gate = Gate::start().await;
    let reply = gate.client.get("/faults/unfit").send().await;
    reply.refused(500, "internal");
    assert!(!String::from_utf8_lossy(&reply.body).contains("twenty"));
    let reply = gate.client.get("/faults/undeclared").send().await;
    reply.refused(500, "internal");
    assert!(!String::from_utf8_lossy(&reply.body).contains("teapot"));
    let token = gate.alice();
    let reply = gate.client.post("/notes", r#"{"title":"taken","priority":1}"#).token(&token).send().await;
    assert_eq!(reply.allowed(409).body.len(), 0, "declared without a body");
}

#[test]
fn what_the_server_sends_of_its_own_accord_fits_the_document() {
    let mut note = Note { id: palisade::types::Uuid::from_u128(1), title: "mine".to_owned() };
    let notice = Webhooks::note_kept(&note).unwrap();
    assert_eq!((notice.method, notice.content_type.as_deref()), ("POST", Some("application/json")));
    let sent: serde_json::Value = serde_json::from_slice(&notice.body).unwrap();
    assert_eq!(sent, serde_json::json!({ "id": "00000000-0000-0000-0000-000000000001", "title": "mine" }));
    note.title = "longer than twenty characters".to_owned();
    let refused = Webhooks::note_kept(&note).unwrap_err();
    assert_eq!(refused.to_string(), "answer_violates_schema /title:maxLength");
}
