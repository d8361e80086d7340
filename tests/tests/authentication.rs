//! Step 6 and 8: credentials and scopes, allowed and refused side by side.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use palisade::Settings;
use palisade_tests::gate::Gate;
use palisade_tests::tokens::{Signer, claims, claims_with, header, now};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_opens_what_its_scopes_name() {
    let gate = Gate::start().await;
    let reply = gate.client.get("/token").token(&gate.alice()).send().await;
    assert_eq!(reply.allowed(200).json(), json!({ "subject": "alice" }));

    let reply = gate.client.get("/token").send().await;
    reply.refused(401, "unauthenticated");
    assert!(reply.header("www-authenticate").starts_with("Bearer "), "{:?}", reply.headers);
    assert!(
        !reply.header("www-authenticate").contains("error"),
        "RFC 6750 section 3.1: no code without a token"
    );

    let reply = gate.client.get("/token").token("nonsense").send().await;
    reply.refused(401, "unauthenticated");
    assert!(reply.header("www-authenticate").contains("error=\"invalid_token\""));

    let poor = gate.signer.token("alice", "notes:write");
    let reply = gate.client.get("/token").token(&poor).send().await;
    reply.refused(403, "forbidden");
    let challenge = reply.header("www-authenticate");
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("scope=\"notes:read\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn every_bad_token_gets_the_same_answer() {
    let gate = Gate::start().await;
    let sign = |claims: &Value| gate.signer.sign(&header("k1"), claims);
    let good = gate.alice();
    let (body, signature) = good.rsplit_once('.').unwrap();
    let [head, payload] = body.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let with_header = |change: &dyn Fn(&mut jsonwebtoken::Header)| {
        let mut head = header("k1");
        change(&mut head);
        gate.signer.sign(&head, &claims("alice", "notes:read"))
    };
    let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "at+jwt" }).to_string());
    let flipped = format!("{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);

    let bad = [
        ("expired", sign(&claims_with("exp", json!(now() - 120)))),
        ("not yet valid", sign(&claims_with("nbf", json!(now() + 300)))),
        ("issued in the future", sign(&claims_with("iat", json!(now() + 300)))),
        ("older than max-lifetime", sign(&claims_with("iat", json!(now() - 7_200)))),
        ("no exp", sign(&claims_with("exp", Value::Null))),
        ("exp as text", sign(&claims_with("exp", json!("4102444800")))),
        ("another issuer", sign(&claims_with("iss", json!("https://id.example.com/")))),
        ("issuer list", sign(&claims_with("iss", json!(["https://id.example.com"])))),
        ("another audience", sign(&claims_with("aud", json!("Gate")))),
        ("no audience", sign(&claims_with("aud", Value::Null))),
        ("no subject", sign(&claims_with("sub", Value::Null))),
        ("scopes of a wrong type", sign(&claims_with("scope", json!(7)))),
        ("another key", Signer::new("k1").token("alice", "notes:read")),
        ("an unknown kid", gate.signer.sign(&header("k2"), &claims("alice", "notes:read"))),
        ("typ of an ID token", with_header(&|head| head.typ = Some("JWT".to_owned()))),
        ("a jku", with_header(&|head| head.jku = Some("https://evil.example".to_owned()))),
        ("alg none", format!("{none}.{payload}.")),
        ("alg none with the signature", format!("{none}.{payload}.{signature}")),
        ("no signature", format!("{head}.{payload}.")),
        ("two parts", format!("{head}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("a flipped bit", format!("{head}.{payload}.{flipped}")),
        ("padding", format!("{good}=")),
        ("9 KiB", format!("{good}{}", "A".repeat(9_000))),
    ];
    let mut bodies = Vec::new();
    for (what, token) in &bad {
        let reply = gate.client.get("/token").token(token).send().await;
        assert_eq!(reply.status, 401, "{what}");
        let mut body = reply.json();
        for own in ["timestamp", "request_id"] {
            body["error"][own] = Value::Null;
        }
        bodies.push(body);
        assert!(!String::from_utf8_lossy(&reply.body).contains(token.as_str()), "{what} is echoed");
    }
    assert!(bodies.windows(2).all(|two| two[0] == two[1]), "one body for every 401");
    // RFC 7519 section 4.1.4 with 30 s of leeway: just expired is still good
    gate.client.get("/token").token(&sign(&claims_with("exp", json!(now() - 5)))).send().await.allowed(200);
    gate.client
        .get("/token")
        .token(&sign(&claims_with("aud", json!(["other", "gate"]))))
        .send()
        .await
        .allowed(200);
    assert_eq!(Algorithm::ES256, header("k1").alg);
}

#[tokio::test]
async fn a_key_in_the_query_is_read_by_the_gate_alone() {
    let gate = Gate::start().await;
    let get = async |query: &str| gate.client.get(&format!("/feed{query}")).send().await;
    let key = &gate.reader_key;
    let reply = get(&format!("?api_key={key}&since=monday")).await;
    assert_eq!(reply.allowed(200).json(), json!({ "subject": "partner Some(\"monday\")" }));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    let escaped = key.replace('_', "%5F");
    let reply = get(&format!("?api%5Fkey={escaped}")).await;
    assert_eq!(reply.allowed(200).json(), json!({ "subject": "partner None" }));

    let reply = get("").await;
    reply.refused(401, "unauthenticated");
    assert!(reply.header("www-authenticate").contains("in=\"query\", name=\"api_key\""));
    get("?api_key=").await.refused(401, "unauthenticated");
    get("?api_key").await.refused(401, "unauthenticated");
    get(&format!("?API_KEY={key}")).await.refused(401, "unauthenticated");
    get(&format!("?api_key={key}&api%5fkey={key}")).await.refused(400, "invalid_request");
    get(&format!("?api_key={}", gate.writer_key)).await.refused(403, "forbidden");
    // with the key gone, the rest is judged as ever, and only where the document reads a key it is taken away
    get(&format!("?api_key={key}&other=1")).await.refused(400, "invalid_parameters");
    let elsewhere = gate.client.get(&format!("/token?api_key={key}")).token(&gate.alice());
    elsewhere.send().await.refused(400, "invalid_parameters");
    gate.client.get("/feed").key(key).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_key_in_authorization_and_the_schemes_with_a_word_there_are_each_passed_by_their_own() {
    let gate = Gate::start().await;
    let get = async |value: &str| gate.client.get("/bot").header("authorization", value).send().await;
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let reply = get(&format!("Bearer {}", gate.alice())).await;
    assert_eq!(reply.allowed(200).json(), json!({ "subject": "alice" }));
    assert_eq!(get(&gate.reader_key).await.allowed(200).json(), json!({ "subject": "partner" }));
    let reply = get(&basic("carol:correct horse battery staple")).await;
    assert_eq!(reply.allowed(200).json(), json!({ "subject": "carol" }));

    get(&gate.writer_key).await.refused(403, "forbidden");
    for bad in [
        "Bearer nonsense".to_owned(),
        "Bearer".to_owned(),
        basic("carol:wrong"),
        "Bot nonsense".to_owned(),
        gate.reader_key.replace("gate_test", "gate_live"),
        // each under the word of another, or of none
        gate.alice(),
        format!("Basic {}", gate.alice()),
        format!("Bearer {}", gate.reader_key),
        format!("Bot {}", gate.reader_key),
    ] {
        get(&bad).await.refused(401, "unauthenticated");
    }
    gate.client.get("/bot").send().await.refused(401, "unauthenticated");
    let twice = gate.client.get("/bot").header("authorization", &gate.reader_key).token(&gate.alice());
    twice.send().await.refused(400, "invalid_request");
    let twice = gate.client.get("/bot").header("authorization", &gate.reader_key);
    twice.header("authorization", &gate.reader_key).send().await.refused(400, "invalid_request");
}

#[tokio::test]
async fn keys_in_two_places_are_refused_unless_an_alternative_asks_for_both() {
    let gate = Gate::start().await;
    let (reader, writer) = (&gate.reader_key, &gate.writer_key);
    let in_query = |key: &str| format!("/keys?api_key={key}");
    gate.client.get("/keys").key(reader).send().await.allowed(200);
    gate.client.get(&in_query(reader)).send().await.allowed(200);
    for second in [reader.as_str(), writer, "nonsense", ""] {
        let reply = gate.client.get(&in_query(second)).key(reader).send().await;
        reply.refused(400, "invalid_request");
    }

    let put = |path: &str| gate.client.call("PUT", path);
    put(&in_query(writer)).key(reader).send().await.allowed(200);
    put(&in_query(reader)).key(reader).send().await.refused(403, "forbidden");
    put("/keys").key(reader).send().await.refused(401, "unauthenticated");
    put("/keys").token(&gate.alice()).send().await.allowed(200);
    // nor does the order of the document say who calls, of a key and a token
    for token in [gate.alice(), "nonsense".to_owned()] {
        let both = gate.client.get("/either").key(writer).token(&token).send();
        both.await.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn an_api_key_is_checked_whole() {
    let gate = Gate::start().await;
    let key = &gate.reader_key;
    assert!(key.starts_with("gate_test_"), "{key}");
    gate.client.get("/key").key(key).send().await.allowed(200);
    gate.client.get("/key").key(&gate.writer_key).send().await.refused(403, "forbidden");

    let mut letters: Vec<char> = key.chars().collect();
    let last = letters.len() - 10;
    letters[last] = if letters[last] == 'a' { 'b' } else { 'a' };
    let changed: String = letters.into_iter().collect();
    for bad in [changed.as_str(), "gate_test_", &key[..key.len() - 1], "nothing", ""] {
        let reply = gate.client.get("/key").key(bad).send().await;
        reply.refused(401, "unauthenticated");
        assert!(reply.header("www-authenticate").starts_with("ApiKey "), "{:?}", reply.headers);
    }
    gate.client.get("/key").key(key).key(key).send().await.refused(400, "invalid_request");
    gate.client.get("/key").token(&gate.alice()).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn basic_credentials() {
    let gate = Gate::start().await;
    let call = |text: &str| {
        gate.client
            .get("/password")
            .header("authorization", &format!("Basic {}", STANDARD.encode(text)))
            .send()
    };
    call("carol:correct horse battery staple").await.allowed(200);
    call("carol:wrong").await.refused(401, "unauthenticated");
    call("nobody:correct horse battery staple").await.refused(401, "unauthenticated");
    call("carol").await.refused(401, "unauthenticated");
    let reply = gate.client.get("/password").send().await;
    assert!(reply.header("www-authenticate").contains("charset=\"UTF-8\""), "RFC 7617 section 2.1");
}

#[tokio::test]
async fn alternatives_are_an_or_with_scopes_each() {
    let gate = Gate::start().await;
    // [{ token: [notes:read] }, { key: [notes:write] }]
    gate.client.get("/either").token(&gate.alice()).send().await.allowed(200);
    gate.client.get("/either").key(&gate.writer_key).send().await.allowed(200);
    gate.client.get("/either").key(&gate.reader_key).send().await.refused(403, "forbidden");
    let writer_token = gate.signer.token("alice", "notes:write");
    gate.client.get("/either").token(&writer_token).send().await.refused(403, "forbidden");
    // a right of one alternative does not mend another
    let both = gate.client.get("/either").token(&writer_token).key(&gate.reader_key);
    both.send().await.refused(400, "invalid_request");
    let reply = gate.client.get("/either").send().await;
    reply.refused(401, "unauthenticated");
    assert_eq!(reply.headers.get_all("www-authenticate").iter().count(), 2, "a challenge for each scheme");
}

#[tokio::test]
async fn a_combination_holds_only_whole() {
    let gate = Gate::start().await;
    // [{ token: [notes:write], key: [notes:read] }]
    let call = || gate.client.call("POST", "/both");
    call().token(&gate.alice()).key(&gate.reader_key).send().await.allowed(200);
    call().token(&gate.alice()).send().await.refused(401, "unauthenticated");
    call().key(&gate.reader_key).send().await.refused(401, "unauthenticated");
    call().token(&gate.alice()).key("bad").send().await.refused(401, "unauthenticated");
    call().token("bad").key(&gate.reader_key).send().await.refused(401, "unauthenticated");
    call().token(&gate.alice()).key(&gate.writer_key).send().await.refused(403, "forbidden");
    let reader_token = gate.signer.token("alice", "notes:read");
    call().token(&reader_token).key(&gate.reader_key).send().await.refused(403, "forbidden");
}

#[tokio::test]
async fn one_token_serves_for_two_schemes_if_both_find_it_good() {
    let gate = Gate::start().await;
    // [{ token: [notes:write], flow: [notes:read] }], of which the second takes no token that is older than ten minutes
    let call = async |token: &str| gate.client.call("POST", "/flows").token(token).send().await;
    assert_eq!(call(&gate.alice()).await.allowed(200).json(), json!({ "subject": "alice" }));
    for one_of_the_two in ["notes:read", "notes:write"] {
        call(&gate.signer.token("alice", one_of_the_two)).await.refused(403, "forbidden");
    }
    let aged = |minutes: i64| {
        let mut claims = claims_with("iat", json!(now() as i64 - minutes * 60));
        claims["scope"] = json!("notes:read notes:write");
        gate.signer.sign(&header("k1"), &claims)
    };
    call(&aged(9)).await.allowed(200);
    call(&aged(11)).await.refused(401, "unauthenticated");
    gate.client.get("/token").token(&aged(11)).send().await.allowed(200);
    call("bad").await.refused(401, "unauthenticated");
    gate.client.call("POST", "/flows").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_bad_credential_is_refused_even_where_none_is_needed() {
    let gate = Gate::start().await;
    let reply = gate.client.get("/optional").send().await;
    assert_eq!(reply.allowed(200).json(), json!({ "subject": "nobody" }));
    let reply = gate.client.get("/optional").token(&gate.alice()).send().await;
    assert_eq!(reply.allowed(200).json(), json!({ "subject": "alice" }));
    gate.client.get("/optional").token("bad").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_public_operation_asks_for_nothing() {
    let gate = Gate::start().await;
    gate.client.get("/open").send().await.allowed(204);
    gate.client.get("/open").token("ignored").send().await.allowed(204);
}

#[tokio::test]
async fn credentials_are_sent_once() {
    let gate = Gate::start().await;
    gate.client
        .get("/token")
        .token(&gate.alice())
        .token(&gate.alice())
        .send()
        .await
        .refused(400, "invalid_request");
    // RFC 9700 section 4.3.2: never in the query; beside a header it is a second place (RFC 6750 section 3.1)
    let path = format!("/token?access_token={}", gate.alice());
    assert!(gate.client.get(&path).send().await.status.is_client_error());
    gate.client.get(&path).token(&gate.alice()).send().await.refused(400, "invalid_request");
}

/// RFC 6750 section 2: one method a request.
#[tokio::test]
async fn a_token_in_a_form_beside_the_header_is_refused_unless_the_document_declares_it() {
    let gate = Gate::start().await;
    let send = |method: &str, form: &str| {
        let call = gate.client.call(method, "/token").token(&gate.alice());
        call.header("content-type", "application/x-www-form-urlencoded").body(form).send()
    };
    let token = gate.alice();
    for form in [&format!("a=1&access_token={token}"), "access%5Ftoken=x", "access_token=", "access_token"] {
        let reply = send("POST", form).await;
        reply.refused(400, "invalid_request");
        assert!(reply.header("www-authenticate").contains("error=\"invalid_request\""), "{form}");
    }
    send("PUT", &format!("a=1&access_token={token}")).await.allowed(204);
    for other in ["access=1", "access_tokens=1", "a=access_token", "access%255Ftoken=x"] {
        send("POST", other).await.allowed(204);
    }
}

#[tokio::test]
async fn a_key_that_expired_or_was_revoked_opens_nothing_at_once() {
    let gate = Gate::start().await;
    let get = || gate.client.get("/key").key(&gate.reader_key).send();
    get().await.allowed(200);
    let with = |change: &dyn Fn(&mut palisade::KeyRecord)| {
        let mut records = gate.records.clone();
        change(&mut records[0]);
        gate.keys.replace(records).unwrap();
    };
    with(&|record| record.revoked_at = Some(now() - 1));
    get().await.refused(401, "unauthenticated");
    with(&|record| record.not_after = Some(now() - 1));
    get().await.refused(401, "unauthenticated");
    with(&|record| record.not_after = Some(now() + 60));
    get().await.allowed(200);
    with(&|record| record.scopes = vec!["notes:write".to_owned()]);
    get().await.refused(403, "forbidden");
    gate.keys.replace([]).unwrap();
    get().await.refused(401, "unauthenticated");
}

/// RFC 8725 section 2.1: the public key of the server, taken for a shared secret, signs nothing.
#[tokio::test]
async fn a_token_of_another_algorithm_is_refused() {
    let gate = Gate::start().await;
    let secret = jsonwebtoken::EncodingKey::from_secret(gate.signer.jwks().as_bytes());
    let mut head = header("k1");
    head.alg = Algorithm::HS256;
    let token = jsonwebtoken::encode(&head, &claims("alice", "notes:read"), &secret).unwrap();
    gate.client.get("/token").token(&token).send().await.refused(401, "unauthenticated");
    gate.client.get("/token").token(&gate.alice()).send().await.allowed(200);
}

#[tokio::test]
async fn a_token_of_open_id_connect_opens_its_scheme_and_no_other() {
    let gate = Gate::start().await;
    let sso = gate.signer.sign(&header("k1"), &claims_with("iss", json!("https://login.example.com")));
    gate.client.get("/sso").token(&sso).send().await.allowed(200);
    gate.client.get("/sso").token(&gate.alice()).send().await.refused(401, "unauthenticated");
    gate.client.get("/token").token(&sso).send().await.refused(401, "unauthenticated");
}

/// A development key is good on this machine only, whoever forwards the request.
#[tokio::test]
async fn a_development_token_is_refused_from_elsewhere() {
    let gate = Gate::with(Settings::new().trusted_proxies(["127.0.0.1"]).unwrap()).await;
    let sso = gate.signer.sign(&header("k1"), &claims_with("iss", json!("https://login.example.com")));
    let from = |client: &str| {
        let call = gate.client.get("/sso").header("x-forwarded-proto", "https").token(&sso);
        call.header("x-forwarded-for", client).send()
    };
    from("198.51.100.7").await.refused(401, "unauthenticated");
    from("127.0.0.1").await.refused(401, "unauthenticated");
}
