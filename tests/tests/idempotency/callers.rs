//! Whose key it is, and that who asks again passes every step again.

use palisade::KeptAnswers;

use crate::desk::{ALICE, BOB, Desk, KEY, OTHER_KEY, in_memory};

#[tokio::test]
async fn the_key_of_another_caller_is_another_key() {
    let desk = Desk::start().await;
    let alice = desk.transfer(KEY, "pay").send().await;
    alice.allowed(201);
    let bob = desk.post(BOB, KEY, "pay").token(&desk.bob()).send().await;
    bob.allowed(201);
    assert!(!bob.headers.contains_key("idempotent-replayed"));
    assert_ne!(alice.body, bob.body);
    // nor is that of another operation
    let call = desk.post("/repeatable", KEY, "pay").token(&desk.alice());
    assert!(!call.send().await.allowed(200).headers.contains_key("idempotent-replayed"));
    // and who may not touch the object gets the answer of nobody
    desk.post(ALICE, KEY, "pay").token(&desk.bob()).send().await.refused(404, "not_found");
    assert_eq!(desk.effects.count(), 3);
}

#[tokio::test]
async fn who_may_not_call_any_more_gets_no_answer_of_before() {
    let desk = Desk::start().await;
    desk.transfer(KEY, "pay").send().await.allowed(201);
    desk.post(ALICE, KEY, "pay").send().await.refused(401, "unauthenticated");
    let poor = desk.signer.token("alice", "other:scope");
    desk.post(ALICE, KEY, "pay").token(&poor).send().await.refused(403, "forbidden");
    assert_eq!(desk.transfer(KEY, "pay").send().await.allowed(201).header("idempotent-replayed"), "true");
}

/// Two for each principal, seven from each address.
#[tokio::test]
async fn who_asks_again_is_counted_by_address_and_not_by_principal() {
    let desk = Desk::start().await;
    let call = |key, token: &str| {
        desk.client.call("POST", "/rare").header("idempotency-key", key).token(token).send()
    };
    let (alice, bob) = (desk.alice(), desk.bob());
    call(KEY, &alice).await.allowed(204);
    for _ in 0..2 {
        assert_eq!(call(KEY, &alice).await.allowed(204).header("idempotent-replayed"), "true");
    }
    assert!(!call(OTHER_KEY, &alice).await.allowed(204).headers.contains_key("idempotent-replayed"));
    call("a-third-key-of-today", &alice).await.refused(429, "rate_limited"); // the fifth from here
    call(KEY, &bob).await.allowed(204);
    assert_eq!(call(KEY, &bob).await.allowed(204).header("idempotent-replayed"), "true");
    call(KEY, &bob).await.refused(429, "rate_limited"); // the eighth from here
    assert_eq!(desk.effects.count(), 3);
}

#[tokio::test]
async fn what_was_refused_before_the_handler_leaves_the_key_free() {
    let desk = Desk::start().await;
    let sent =
        |body: &str| desk.client.post(ALICE, body).header("idempotency-key", KEY).token(&desk.alice()).send();
    sent(r#"{"act":"pay","amount":0}"#).await.refused(422, "invalid_body");
    sent("{").await.refused(400, "invalid_body");
    let call = desk.client.post(ALICE, r#"{"act":"pay","amount":5}"#).header("accept", "text/csv");
    let call = call.header("idempotency-key", KEY).token(&desk.alice());
    call.send().await.refused(406, "not_acceptable");
    sent(r#"{"act":"pay","amount":7}"#).await.allowed(201);
    assert_eq!(desk.effects.count(), 1);
}

#[tokio::test]
async fn a_principal_has_so_many_keys_in_a_day() {
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let answers: KeptAnswers = in_memory(&clock).calls_per_day(2);
    let desk = Desk::of(clock, answers).await;
    for key in [KEY, OTHER_KEY, KEY] {
        desk.transfer(key, "pay").send().await.allowed(201);
    }
    let over = desk.transfer("c1d3a0b7-3f43-4a52-9a94-2e6f8d0b7c15", "pay").send().await;
    over.refused(429, "rate_limited");
    assert!(!over.header("retry-after").is_empty());
    // what was done is answered, and others have keys of their own
    assert_eq!(desk.transfer(KEY, "pay").send().await.allowed(201).header("idempotent-replayed"), "true");
    desk.post(BOB, KEY, "pay").token(&desk.bob()).send().await.allowed(201);
    assert_eq!(desk.effects.count(), 3);
}
