//! A proof is good once, wherever it is shown.

use palisade::{Settings, State};
use palisade_tests::client::Client;
use palisade_tests::events;
use palisade_tests::tokens::ClientKey;
use serde_json::json;

use crate::bench::{
    ALGORITHMS, Bench, MACHINE, Proves, challenge, challenges, instance, machine, proof_claims, shown,
};

#[tokio::test]
async fn a_proof_is_good_once_for_one_uri() {
    events::collect();
    let bench = Bench::start().await;
    let token = bench.bound();
    let proof = bench.key.proof("GET", "/proven/a", &token);
    bench.get("/proven/a", &token, &[&proof]).await.allowed(200);
    let reply = bench.get("/proven/a", &token, &[&proof]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("invalid_dpop_proof")]);
    let event = events::of(reply.header("x-request-id"));
    assert_eq!((&*event["event_type"], &*event["severity"]), ("authn_token_reuse", "High"), "{event:?}");

    let id = |path: &str| bench.key.proof_with(proof_claims("GET", path, &token), "jti", json!("chosen"));
    bench.get("/proven/a", &token, &[&id("/proven/a")]).await.allowed(200);
    bench.get("/proven/a", &token, &[&id("/proven/a")]).await.refused(401, "unauthenticated");
    bench.get("/proven/b", &token, &[&id("/proven/b")]).await.allowed(200);

    // it counts as used although the request was refused for something else
    let poor = bench.token(&[("cnf", json!({ "jkt": bench.key.thumbprint() })), ("scope", json!(""))]);
    let proof = bench.key.proof("GET", "/proven/a", &poor);
    let reply = bench.get("/proven/a", &poor, &[&proof]).await;
    let scope =
        format!(r#"DPoP realm="Proven doors", error="insufficient_scope", scope="doors:open", {ALGORITHMS}"#);
    assert_eq!(challenges(reply.refused(403, "forbidden")), [scope]);
    bench.get("/proven/a", &poor, &[&proof]).await.refused(401, "unauthenticated");
}

/// RFC 9449 section 11.1: also where something else that was shown, or not shown, refused the request.
#[tokio::test]
async fn a_proof_that_was_good_beside_a_bad_credential_is_not_good_again() {
    events::collect();
    let bench = Bench::start().await;
    let token = bench.bound();
    let (good, other) = (MACHINE.key.expose(), machine().key);
    let call = |proof: &str, key: Option<&str>| {
        let call = shown(bench.client.get("/both"), &token, &[proof]);
        key.into_iter().fold(call, |call, key| call.header("x-machine-key", key)).send()
    };
    let proof = || bench.key.proof("GET", "/both", &token);
    call(&proof(), Some(good)).await.allowed(200);
    for bad in [Some(other.expose().as_str()), None] {
        let proof = proof();
        let first = call(&proof, bad).await;
        let event = events::of(first.refused(401, "unauthenticated").header("x-request-id"));
        assert_ne!(event["event_type"], "authn_token_reuse");
        let again = call(&proof, Some(good)).await;
        let event = events::of(again.refused(401, "unauthenticated").header("x-request-id"));
        assert_eq!((&*event["event_type"], &*event["severity"]), ("authn_token_reuse", "High"));
    }
    // one beside a token that is none opened nothing, and may come again
    let proof = proof();
    shown(bench.client.get("/both"), &format!("{token}x"), &[&proof])
        .send()
        .await
        .refused(401, "unauthenticated");
    call(&proof, Some(good)).await.allowed(200);
}

#[tokio::test]
async fn of_equal_proofs_at_once_one_wins() {
    let bench = Bench::start().await;
    let token = bench.bound();
    let proof = bench.key.proof("POST", "/proven/a", &token);
    let calls =
        (0..8).map(|_| tokio::spawn(shown(bench.client.call("POST", "/proven/a"), &token, &[&proof]).send()));
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
}

#[tokio::test]
async fn a_full_store_refuses_and_one_client_cannot_fill_it() {
    let bench = Bench::with(Settings::new().proof_capacity(64)).await;
    let token = bench.bound();
    for _ in 0..2 {
        bench.get("/proven/a", &token, &[&bench.key.proof("GET", "/proven/a", &token)]).await.allowed(200);
    }
    let reply = bench.get("/proven/a", &token, &[&bench.key.proof("GET", "/proven/a", &token)]).await;
    assert_eq!(reply.refused(429, "rate_limited").header("retry-after"), "1");
    let other = ClientKey::default();
    let others = bench.token(&[("cnf", json!({ "jkt": other.thumbprint() }))]);
    bench.get("/proven/a", &others, &[&other.proof("GET", "/proven/a", &others)]).await.allowed(200);

    let none = Bench::with(Settings::new().proof_capacity(0)).await;
    let token = none.bound();
    let reply = none.get("/proven/a", &token, &[&none.key.proof("GET", "/proven/a", &token)]).await;
    assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "1");
}

#[tokio::test]
async fn a_proof_is_good_once_at_all_instances_that_share_a_state() {
    let state = State::memory_of(2, palisade::Clock::system());
    let settings = || Settings::new().proofs_in(state.clone());
    let bench = Bench::with(settings()).await;
    let other = instance(&bench.issuer, settings()).await;
    let alone = instance(&bench.issuer, Settings::new()).await;
    let token = bench.bound();
    let proof = bench.key.proof("GET", "/proven/a", &token);
    let at = |client: &Client, proof: &str| shown(client.get("/proven/a"), &token, &[proof]).send();
    at(&bench.client, &proof).await.allowed(200);
    for client in [&bench.client, &other] {
        at(client, &proof).await.refused(401, "unauthenticated");
    }
    at(&alone, &proof).await.allowed(200);
    at(&other, &bench.key.proof("GET", "/proven/a", &token)).await.allowed(200);
    // two records are there, and no room for a third
    at(&other, &bench.key.proof("GET", "/proven/a", &token)).await.refused(503, "unavailable");
}
