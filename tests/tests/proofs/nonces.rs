//! Nonces, where the document asks for them (RFC 9449 section 9).

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::Duration;

use palisade::{Settings, State};
use palisade_tests::faulty::{Faulty, HOLDS_ONE};
use serde_json::{Value, json};

use crate::bench::{Bench, Proves, challenge, challenges, instance, proof_claims, shown};

#[tokio::test]
async fn where_a_nonce_is_required_the_server_gives_it() {
    let bench = Bench::start().await;
    let token = bench.bound();
    let proof = |nonce: Value| bench.key.proof_with(proof_claims("GET", "/fresh", &token), "nonce", nonce);
    let reply = bench.get("/fresh", &token, &[&proof(Value::Null)]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("use_dpop_nonce")]);
    let nonce = reply.header("dpop-nonce").to_owned();
    let reply = bench.get("/fresh", &token, &[&proof(json!(nonce))]).await;
    assert!(!reply.allowed(200).header("dpop-nonce").is_empty(), "for the next request");
    let reply = bench.get("/fresh", &token, &[&proof(json!("of my own"))]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("use_dpop_nonce")]);
    // a nonce makes nothing else good, and a replayed proof is one
    let replayed = proof(json!(nonce));
    bench.get("/fresh", &token, &[&replayed]).await.allowed(200);
    let reply = bench.get("/fresh", &token, &[&replayed]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("invalid_dpop_proof")]);
    let elsewhere = Bench::start().await;
    let token = elsewhere.bound();
    let stranger = elsewhere.key.proof_with(proof_claims("GET", "/fresh", &token), "nonce", json!(nonce));
    elsewhere.get("/fresh", &token, &[&stranger]).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_nonce_is_good_at_all_instances_that_share_a_state() {
    let state = State::memory_of(100, palisade::Clock::system());
    let bench = Bench::with(Settings::new().proofs_in(state.clone())).await;
    let other = instance(&bench.issuer, Settings::new().proofs_in(state)).await;
    let alone = instance(&bench.issuer, Settings::new()).await;
    let token = bench.bound();
    let asked = bench.get("/fresh", &token, &[&bench.key.proof("GET", "/fresh", &token)]).await;
    let nonce = json!(asked.refused(401, "unauthenticated").header("dpop-nonce"));
    let proof = || bench.key.proof_with(proof_claims("GET", "/fresh", &token), "nonce", nonce.clone());
    for client in [&bench.client, &other] {
        shown(client.get("/fresh"), &token, &[&proof()]).send().await.allowed(200);
    }
    let reply = shown(alone.get("/fresh"), &token, &[&proof()]).send().await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("use_dpop_nonce")]);

    // where the state fails, nobody knows which are good
    let full = State::memory_of(0, palisade::Clock::system());
    let away = instance(&bench.issuer, Settings::new().proofs_in(full)).await;
    shown(away.get("/fresh"), &token, &[&proof()]).send().await.refused(503, "unavailable");
}

#[tokio::test]
async fn a_nonce_is_waited_for_as_long_as_the_operation_may_take() {
    let fault = Arc::new(AtomicU8::new(HOLDS_ONE));
    let state = State::new(Faulty::new(State::memory(), &fault));
    let bench = Bench::with(Settings::new().proofs_in(state)).await;
    let token = bench.bound();
    let asked = async || bench.get("/fresh", &token, &[&bench.key.proof("GET", "/fresh", &token)]).await;
    let reply = tokio::time::timeout(Duration::from_secs(10), asked()).await.expect("it ends");
    reply.refused(504, "deadline_exceeded");
}
