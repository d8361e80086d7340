//! Steps 10 and 11: parameters and bodies, allowed and refused side by side.

use palisade_tests::gate::Gate;
use serde_json::{Value, json};

const GOOD: &str = r#"{"title":"milk","priority":3}"#;

#[tokio::test]
async fn parameters_are_decoded_once_and_checked_all_together() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let get = |query: &str| gate.client.get(&format!("/notes{query}")).token(&token);
    get("").send().await.allowed(200);
    get("?limit=5&colour=green&tag=a&tag=b")
        .header("x-trace", "abc")
        .header("cookie", "mood=fine")
        .send()
        .await
        .allowed(200);
    get("?%6Cimit=%35").send().await.allowed(200);

    let reply = get("?limit=9&colour=pink&tag=01234567890&nope=1").header("x-trace", "ABC").send().await;
    reply.refused(400, "invalid_parameters");
    let mut violations = reply.violations();
    violations.sort();
    assert_eq!(violations.len(), 5, "{violations:?}");
    for (violation, expected) in violations.iter().zip([
        "header /X-Trace",
        "query  undeclared", // a name that the client made up is not echoed
        "query /colour",
        "query /limit",
        "query /tag/0",
    ]) {
        assert!(violation.starts_with(expected), "{violation} is not at {expected}");
    }
    for bad in [
        "?limit=0",
        "?limit=+1",
        "?limit=01",
        "?limit=1.5",
        "?limit=0x1",
        "?limit=1e0",
        "?limit=",
        "?limit=2&limit=2",
        "?limit=99999999999",
        "?limit=%32%",
        "?limit=%zz",
        "?colour=%00",
        "?colour=%ff",
        "?tag=a&tag=b&tag=c&tag=d",
        "?colour=Red",
        "?colour=%2572ed",
        "?limit=%2B1",
    ] {
        get(bad).send().await.refused(400, "invalid_parameters");
    }
    get("").header("x-trace", "a").header("x-trace", "b").send().await.refused(400, "invalid_parameters");
    get("").header("cookie", "mood=a; mood=b").send().await.refused(400, "invalid_parameters");
    get("").header("cookie", "mood=much-too-long").send().await.refused(400, "invalid_parameters");
}

#[tokio::test]
async fn a_path_parameter_is_one_strict_uuid() {
    let gate = Gate::start().await;
    let token = gate.alice();
    for bad in
        ["0193a1b2c3d47e5f8a9b0c1d2e3f4a5b", "%7B0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b%7D", "..%2F", "%00"]
    {
        let reply = gate.client.get(&format!("/notes/{bad}")).token(&token).send().await;
        reply.refused(400, "invalid_parameters");
        assert!(!String::from_utf8_lossy(&reply.body).contains(bad), "echoed: {bad}");
    }
}

#[tokio::test]
async fn a_body_is_decoded_strictly() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let post = |body: &str| gate.client.post("/notes", body).token(&token).send();
    post(GOOD).await.allowed(201);
    post(r#"{"title":"milk","priority":3.0}"#).await.allowed(201); // an integer, for JSON Schema
    post(r#"{"title":"milk","priority":3,"remind":null,"lines":[{"text":"a","done":true}],"labels":{"a":"b"}}"#)
        .await
        .allowed(201);

    let deep = format!(r#"{{"title":"milk","priority":3,"lines":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    let stack = "[".repeat(4_000);
    for bad in [
        "",
        "{",
        "null garbage",
        "{\"title\":\"milk\",\"priority\":3} x",
        "\u{feff}{}",
        "{'a':1}",
        "{\"title\":\"\\ud800\"}",
        &deep,
        &stack,
        "NaN",
    ] {
        post(bad).await.refused(400, "invalid_body");
    }
    let raw = [b"POST /notes HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 13\r\nauthorization: Bearer ".as_slice(),
        token.as_bytes(), b"\r\n\r\n{\"title\":\"\xff\"}"].concat();
    assert!(gate.client.raw(&raw).await.starts_with("HTTP/1.1 400 "), "invalid UTF-8");
}

#[tokio::test]
async fn every_violation_of_a_body_comes_with_its_place() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let violations = async |body: Value| {
        let reply = gate.client.post("/notes", &body.to_string()).token(&token).send().await;
        reply.refused(422, "invalid_body");
        let mut found: Vec<_> =
            reply.violations().iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
        found.sort();
        found
    };
    assert_eq!(violations(json!({})).await, ["body /priority", "body /title"]);
    assert_eq!(violations(json!([])).await, ["body "]);
    assert_eq!(violations(json!(["milk", 3])).await, ["body "], "an array is no object");
    assert_eq!(
        violations(json!({ "title": "far too long a title, really", "priority": 9, "colour": "pink", "nope": 1,
            "remind": "tomorrow", "lines": [{ "text": 5 }, {}], "labels": { "a": "b", "c": "d", "e/~": "toolong" } }))
        .await,
        [
            "body ", "body /colour", "body /labels", "body /labels", "body /lines/0/text", "body /lines/1/text",
            "body /priority", "body /remind", "body /title", "body /title"
        ],
        "missing, unknown, mistyped and out of bounds, all at once; a name that the client chose is not echoed"
    );
    for priority in [json!("3"), json!(3.5), json!(1e40), json!(null), json!(true)] {
        assert_eq!(violations(json!({ "title": "milk", "priority": priority })).await, ["body /priority"]);
    }
    let twice = gate
        .client
        .post("/notes", r#"{"title":"milk","titl\u0065":"beer","priority":3}"#)
        .token(&token)
        .send()
        .await;
    assert!(twice.status.is_client_error(), "a member given twice: {}", twice.status);
    let twice = gate
        .client
        .post("/notes", r#"{"title":"milk","priority":3,"labels":{"a":"b","a":"c"}}"#)
        .token(&token)
        .send()
        .await;
    assert!(twice.status.is_client_error(), "a map's member given twice: {}", twice.status);
}

#[tokio::test]
async fn only_the_declared_media_type() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let post = |content_type: &str| {
        gate.client.call("POST", "/notes").header("content-type", content_type).body(GOOD).token(&token)
    };
    for good in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""]
    {
        post(good).send().await.allowed(201);
    }
    for bad in [
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
        "application/jsonp",
        "*/*",
        "json",
    ] {
        post(bad).send().await.refused(415, "unsupported_media_type");
    }
    gate.client
        .call("POST", "/notes")
        .body(GOOD)
        .token(&token)
        .send()
        .await
        .refused(415, "unsupported_media_type");
    post("application/json")
        .header("content-encoding", "gzip")
        .send()
        .await
        .refused(415, "unsupported_media_type");
    // a body where none is declared
    let reply = gate.client.call("GET", "/token").body(GOOD).token(&token).send().await;
    assert!(matches!(reply.status.as_u16(), 400 | 413 | 415), "{}", reply.status);
}

/// Step 11: a body that is announced and does not come is waited for as long as the operation may take.
#[tokio::test]
async fn a_slow_body_is_given_up() {
    let gate = Gate::start().await;
    let head = format!(
        "PUT /notes/{} HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 30\r\nauthorization: Bearer {}\r\n\r\n",
        palisade_tests::gate::NOTE,
        gate.alice()
    );
    let answer = gate.client.raw(format!("{head}{{").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
    let answer = gate.client.raw(format!("{head}{GOOD} ").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
}
