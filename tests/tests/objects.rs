//! Step 12: no right and no object look the same.

use std::time::Duration;

use palisade_tests::gate::{Gate, NOTE};
use serde_json::Value;
use tokio::time::timeout;

#[tokio::test]
async fn only_the_owner_or_the_override_scope() {
    let gate = Gate::start().await;
    let path = format!("/notes/{NOTE}");
    gate.client.get(&path).token(&gate.alice()).send().await.allowed(200);
    let admin = gate.signer.token("carol", "notes:read notes:admin");
    gate.client.get(&path).token(&admin).send().await.allowed(200);

    let others = gate.client.get(&path).token(&gate.bob()).send().await;
    let missing =
        gate.client.get("/notes/00000000-0000-0000-0000-000000000000").token(&gate.bob()).send().await;
    let same = |reply: &palisade_tests::client::Reply| {
        let mut body = reply.refused(404, "not_found").json();
        for own in ["timestamp", "request_id"] {
            body["error"][own] = Value::Null;
        }
        let mut names: Vec<_> = reply.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (body, names)
    };
    assert_eq!(same(&others), same(&missing), "the answer does not tell whether the object exists");
}

#[tokio::test]
async fn a_resolver_that_fails_refuses() {
    let gate = Gate::start().await;
    let reply =
        gate.client.get("/notes/00000000-0000-0000-0000-00000000dead").token(&gate.alice()).send().await;
    reply.refused(500, "internal");
    assert!(!String::from_utf8_lossy(&reply.body).contains("secret-path"));
}

#[tokio::test]
async fn a_resolver_that_hangs_is_waited_for_as_long_as_the_operation_may_take() {
    let gate = Gate::start().await;
    let call = gate.client.call("PUT", "/notes/00000000-0000-0000-0000-00000000aced").token(&gate.alice());
    let call = call.header("content-type", "application/json").body(r#"{"title":"a","priority":1}"#);
    let reply = timeout(Duration::from_secs(10), call.send()).await.expect("it ends");
    reply.refused(504, "deadline_exceeded");
}
