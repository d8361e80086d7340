//! One security event for every refusal, with the cause that the client does not see, and no secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_tests::events;
use palisade_tests::gate::{Gate, NOTE};
use serde_json::json;

#[tokio::test]
async fn every_refusal_is_one_event_with_its_cause() {
    events::collect();
    let gate = Gate::start().await;
    let (token, bob) = (gate.alice(), gate.bob());
    let expired = gate.signer.sign(
        &palisade_tests::tokens::header("k1"),
        &palisade_tests::tokens::claims_with("exp", json!(1_700_000_000)),
    );
    let note = format!("/notes/{NOTE}");
    let large = "a".repeat(5_000);
    let sent = |call: palisade_tests::client::Call| call.header("user-agent", "events/1").send();
    let client = &gate.client;
    let new = |body: &str| client.post("/notes", body).token(&token);
    let _ = client.get("/once").token(&token).send().await;
    for _ in 0..3 {
        let _ = client.get("/shared").send().await;
    }
    // (what is sent, status, event, part of its cause, endpoint, whether the principal is known)
    let cases = [
        (client.get("/token"), 401, "authn_missing", "missing_credential", "GET /token", false),
        (client.get("/token").token(&expired), 401, "authn_login_fail", "expired", "GET /token", false),
        (client.get("/key").key("gate_test_x"), 401, "authn_login_fail", "malformed", "GET /key", false),
        (client.call("POST", "/both").token(&token), 401, "authn_missing", "incomplete", "POST /both", false),
        (
            client.get("/token").token(&token).token(&token),
            400,
            "authn_malformed",
            "duplicate",
            "GET /token",
            false,
        ),
        (client.get("/key").key(&gate.writer_key), 403, "authz_fail", "notes:read", "GET /key", true),
        (client.get("/canary-path"), 404, "input_no_route", "no_route", "unmatched", false),
        (
            client.call("PUT", "/open"),
            405,
            "input_method_not_declared",
            "method_not_declared",
            "unmatched",
            false,
        ),
        (
            client.get("/once").token(&token),
            429,
            "excess_rate_limit_exceeded",
            "limit_exceeded: once",
            "GET /once",
            true,
        ),
        (
            client.get("/shared"),
            503,
            "excess_rate_limit_exceeded",
            "limit_exceeded: shared",
            "GET /shared",
            false,
        ),
        (
            client.get("/notes?limit=0").token(&token),
            400,
            "input_validation_fail",
            "/limit",
            "GET /notes",
            true,
        ),
        (new("{"), 400, "input_validation_fail", "syntax", "POST /notes", true),
        (new("{}"), 422, "input_validation_fail", "/title", "POST /notes", true),
        (new(&large), 413, "input_validation_fail", "large", "POST /notes", false),
        (
            client.call("POST", "/notes").header("content-type", "text/csv").body("a").token(&token),
            415,
            "input_validation_fail",
            "media_type",
            "POST /notes",
            true,
        ),
        (client.get(&note).token(&bob), 404, "authz_fail", "not_the_owner", "GET /notes/{noteId}", true),
        (
            client.get("/notes?after=AAAA").token(&token),
            400,
            "input_cursor_fail",
            "bad_cursor",
            "GET /notes",
            true,
        ),
        (client.get("/faults/slow"), 504, "sys_deadline", "deadline_exceeded", "GET /faults/slow", false),
        (client.get("/faults/panic"), 500, "sys_crash", "panicked", "GET /faults/panic", false),
        (
            client.get("/faults/unfit"),
            500,
            "sys_unfit_answer",
            "answer_violates_schema",
            "GET /faults/unfit",
            false,
        ),
        (
            client.get("/faults/undeclared"),
            500,
            "sys_undeclared_answer",
            "undeclared_problem 418",
            "GET /faults/undeclared",
            false,
        ),
    ];
    for (call, status, event_type, reason, endpoint, known) in cases {
        let reply = sent(call).await;
        assert_eq!(reply.status, status, "{reason}: {:?}", reply.body);
        let event = events::of(reply.header("x-request-id"));
        assert_eq!(event["event_type"], event_type, "{event:?}");
        assert!(event["failure_reason"].contains(reason), "{event:?}");
        assert_eq!((event["endpoint"].as_str(), event["source_ip"].as_str()), (endpoint, "127.0.0.1"));
        assert_eq!(
            (event["target"].as_str(), event["user_agent"].as_str()),
            ("palisade::security", "events/1")
        );
        assert_eq!(event["status"], status.to_string());
        event["timestamp"].parse::<palisade::types::Timestamp>().unwrap();
        let principal = &event["principal"];
        assert_eq!(principal != "-", known, "{event:?}");
        assert!(!principal.contains("alice") && !principal.contains("bob"), "{principal}");
    }

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
    keys_in_a_query(&gate, canary).await;
    let passwords =
        ["carol:correct horse battery staple", "carol:canary0canary", "canary0canary:a", "canary0canary"];
    let shown = passwords.map(|pair| STANDARD.encode(pair));
    for (basic, status) in shown.iter().zip([200, 401, 401, 401]) {
        let call = client.get("/password").header("authorization", &format!("Basic {basic}"));
        assert_eq!(call.send().await.status, status);
    }
    let log = events::everything();
    for secret in [canary, token.as_str(), gate.reader_key.as_str(), gate.writer_key.as_str(), "canary-path"]
    {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
    assert!(!log.contains("battery staple") && shown.iter().all(|basic| !log.contains(basic)));
}

/// Requests with a key in their query that are let in, refused for it and refused for something else: each refusal is an event,
/// and the caller looks for what was sent in all of them.
async fn keys_in_a_query(gate: &Gate, canary: &str) {
    let (reader, writer) = (&gate.reader_key, &gate.writer_key);
    for (query, status) in [
        (format!("api_key={reader}"), 200),
        (format!("api%5Fkey={reader}"), 200),
        (format!("api_key={reader}&since=much-too-long"), 400),
        (format!("api_key={reader}&unknown=1"), 400),
        (format!("api_key={reader}&api_key={reader}"), 400),
        (format!("api_key={writer}"), 403),
        (format!("api_key=gate_test_{canary}"), 401),
        (format!("api_key={canary}&since={canary}"), 401),
    ] {
        let reply = gate.client.get(&format!("/feed?{query}")).send().await;
        assert_eq!(reply.status, status, "{query}: {:?}", reply.body);
        if status != 200 {
            assert_eq!(events::of(reply.header("x-request-id"))["endpoint"], "GET /feed");
        }
    }
}

/// Else the tests beside it fail with it.
#[test]
fn a_test_that_finds_no_event_fails_alone() {
    events::collect();
    assert!(std::panic::catch_unwind(|| events::of("nobody's")).is_err());
    assert!(events::with("request_id", "nobody's").is_empty());
}
