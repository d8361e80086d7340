//! The order of the gate: each step refuses before the next one looks.

use palisade_tests::gate::{Gate, NOTE};

/// Who may not call learns nothing about the input, and not whether an object exists.
#[tokio::test]
async fn credentials_come_before_everything_about_the_input() {
    let gate = Gate::start().await;
    let (client, alice, bob) = (gate.client, gate.alice(), gate.bob());
    let poor = gate.signer.token("alice", "other:scope");

    // 401 for bad parameters, a body that is no JSON, an unknown media type, an object that is not there
    client.get("/notes?limit=many&nope=1").send().await.refused(401, "unauthenticated");
    client.post("/notes", "{").send().await.refused(401, "unauthenticated");
    client
        .call("POST", "/notes")
        .header("content-type", "text/csv")
        .body("a")
        .send()
        .await
        .refused(401, "unauthenticated");
    client.get("/notes/not-a-uuid").send().await.refused(401, "unauthenticated");
    client.get(&format!("/notes/{NOTE}")).send().await.refused(401, "unauthenticated");
    // 403 for the same
    client.get("/notes?limit=many&nope=1").token(&poor).send().await.refused(403, "forbidden");
    client.post("/notes", "{").token(&poor).send().await.refused(403, "forbidden");
    client.get("/notes/not-a-uuid").token(&poor).send().await.refused(403, "forbidden");
    // then parameters, then the body, then the object
    client.get("/notes/not-a-uuid").token(&bob).send().await.refused(400, "invalid_parameters");
    client.post("/notes", "{").token(&alice).send().await.refused(400, "invalid_body");
    client.get(&format!("/notes/{NOTE}")).token(&bob).send().await.refused(404, "not_found");
    client.get(&format!("/notes/{NOTE}")).token(&alice).send().await.allowed(200);
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_before_a_credential_is_looked_at() {
    let gate = Gate::start().await;
    let large = format!("{{\"title\":\"{}\"}}", "a".repeat(5_000));
    gate.client.post("/notes", &large).send().await.refused(413, "body_too_large");
    gate.client.post("/notes", &large).token(&gate.alice()).send().await.refused(413, "body_too_large");
    // sent in chunks it has no declared length: the credential is looked at, then the bytes are counted
    let chunked = |credential: &str| {
        format!(
            "POST /notes HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{credential}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1400\r\n{}\r\n0\r\n\r\n",
            "a".repeat(0x1400)
        )
    };
    let answer = gate.client.raw(chunked("").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let answer =
        gate.client.raw(chunked(&format!("authorization: Bearer {}\r\n", gate.alice())).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn only_declared_paths_and_methods() {
    let gate = Gate::start().await;
    gate.client.get("/nothing").send().await.refused(404, "not_found");
    gate.client.get("/open/").send().await.refused(404, "not_found");
    gate.client.get("/notes//").send().await.refused(404, "not_found");
    let reply = gate.client.call("DELETE", "/notes").send().await;
    assert_eq!(reply.refused(405, "method_not_allowed").header("allow"), "GET, POST");
    for method in ["HEAD", "OPTIONS", "TRACE", "PATCH", "BREW"] {
        assert_eq!(gate.client.call(method, "/open").send().await.status, 405, "{method}");
    }
    gate.client.get("/open").header("x-http-method-override", "DELETE").send().await.allowed(204);
}

/// RFC 9112 section 3.2.
#[tokio::test]
async fn a_method_by_its_name_is_spelt_as_the_document_does() {
    let gate = Gate::start().await;
    let call = |method| gate.client.call(method, "/feed").token(&gate.alice()).send();
    assert_eq!(call("PURGE").await.allowed(200).json()["subject"], "alice");
    gate.client.call("PURGE", "/feed").send().await.refused(401, "unauthenticated");
    let reply = call("purge").await;
    assert_eq!(reply.refused(405, "method_not_allowed").header("allow"), "GET, PURGE");
}

#[tokio::test]
async fn a_request_names_one_host() {
    let gate = Gate::start().await;
    for (head, status) in [
        ("GET /open HTTP/1.1\r\nhost: a\r\n", "204"),
        ("GET /open HTTP/1.1\r\n", "400"),
        ("GET /open HTTP/1.1\r\nhost: a\r\nhost: b\r\n", "400"),
        ("GET http://b/open HTTP/1.1\r\nhost: a\r\n", "400"),
        // a coding that is not understood: 400, as whatever a client sends is no fault of the server
        ("GET /open HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n", "400"),
        (&format!("GET /open?{} HTTP/1.1\r\nhost: a\r\n", "a".repeat(9_000)), "414"),
    ] {
        let answer = gate.client.raw(format!("{head}connection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
}

/// RFC 9112 section 6.3: nobody knows where such a request ends, so what follows it is none.
#[tokio::test]
async fn nothing_is_read_after_a_request_whose_framing_is_not_known() {
    let gate = Gate::start().await;
    for (host, coding) in [
        ("a", "gzip, chunked"),
        ("a", "chunked, chunked"),
        ("a", "chunked\r\ntransfer-encoding: chunked"),
        ("a b", "gzip, chunked"),
    ] {
        let two = format!(
            "GET /open HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: {coding}\r\n\r\n0\r\n\r\nGET /open HTTP/1.1\r\nhost: a\r\n\r\n"
        );
        let answer = gate.client.raw(two.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("\r\nconnection: close\r\n"),
            "{answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{coding}: {answer}");
    }
}

/// A principal over its limit is told so, and nothing about its input (step 9 before 10).
#[tokio::test]
async fn limits_of_the_principal_come_before_the_input() {
    let gate = Gate::start().await;
    let alice = gate.alice();
    gate.client.get("/once?size=many").token(&alice).send().await.refused(400, "invalid_parameters");
    gate.client.get("/once?size=many").token(&alice).send().await.refused(429, "rate_limited");
    gate.client.get("/once?size=many").token("bad").send().await.refused(401, "unauthenticated");
}

/// Step 11 before 12, and 12 before 13: with two things wrong, the earlier one is told.
#[tokio::test]
async fn the_body_comes_before_the_object_and_the_object_before_the_cursor() {
    let gate = Gate::start().await;
    let (alice, bob) = (gate.alice(), gate.bob());
    let good = r#"{"title":"milk","priority":3}"#;
    let (note, copies) = (format!("/notes/{NOTE}"), format!("/notes/{NOTE}/copies?after=AAAA"));
    let put = |token: &str, body: &str| {
        gate.client
            .call("PUT", &note)
            .header("content-type", "application/json")
            .token(token)
            .body(body)
            .send()
    };
    put(&alice, good).await.allowed(204);
    put(&bob, "{").await.refused(400, "invalid_body");
    put(&bob, r#"{"title":"milk"}"#).await.refused(422, "invalid_body");
    put(&bob, good).await.refused(404, "not_found");
    gate.client.get(&copies).token(&bob).send().await.refused(404, "not_found");
    gate.client.get(&copies).token(&alice).send().await.refused(400, "invalid_cursor");
    gate.client.get(&format!("/notes/{NOTE}/copies")).token(&alice).send().await.allowed(200);
}
