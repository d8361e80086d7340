//! One security event for every refusal, with the cause that the client does not see, and no secret.

use palisade_tests::events;
use palisade_tests::gate::{Gate, NOTE};
use serde_json::json;

#[tokio::test]
async fn every_refusal_is_one_event_with_its_cause() {
    events::collect();
    let gate = Gate::start().await;
    let token = gate.alice();
    let expired = gate.signer.sign(
        &palisade_tests::tokens::header("k1"),
        &palisade_tests::tokens::claims_with("exp", json!(1_700_000_000)),
    );
    let cases = [
        ("missing_credential", "GET /token", gate.client.get("/token").send().await),
        ("expired", "GET /token", gate.client.get("/token").token(&expired).send().await),
        ("no_route", "unmatched", gate.client.get("/canary-path").send().await),
        ("method_not_declared", "unmatched", gate.client.call("PUT", "/open").send().await),
        (
            "not_the_owner",
            "GET /notes/{noteId}",
            gate.client.get(&format!("/notes/{NOTE}")).token(&gate.bob()).send().await,
        ),
        ("panicked", "GET /faults/panic", gate.client.get("/faults/panic").send().await),
        ("answer_violates_schema", "GET /faults/unfit", gate.client.get("/faults/unfit").send().await),
    ];
    for (reason, endpoint, reply) in &cases {
        let event = events::of(reply.header("x-request-id"));
        assert!(event["failure_reason"].contains(reason), "{event:?}");
        assert_eq!(event["endpoint"], *endpoint);
        assert_eq!(event["source_ip"], "127.0.0.1");
        assert_eq!(event["target"], "palisade::security");
        for field in ["event_type", "timestamp", "user_agent", "principal"] {
            assert!(event.contains_key(field), "{field} is missing: {event:?}");
        }
    }
    let owner = events::of(cases[4].2.header("x-request-id"));
    assert!(owner["principal"].starts_with("https://id.example.com#") && !owner["principal"].contains("bob"));

    // nothing that was submitted stands in the log
    let canary = "canary0canary";
    gate.client.get(&format!("/notes?limit={canary}&{canary}=1&after={canary}")).token(&token).send().await;
    gate.client.get("/token").token(canary).send().await;
    gate.client.get("/key").key(&format!("gate_test_{canary}")).send().await;
    gate.client
        .post("/notes", &json!({ "title": canary, canary: canary }).to_string())
        .token(&token)
        .send()
        .await;
    let log = events::everything();
    for secret in [canary, token.as_str(), gate.reader_key.as_str(), "canary-path"] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
}
