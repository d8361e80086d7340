//! Whose key it is, and that who asks again passes every step again.

use std::time::Duration;

use palisade::{Clock, KeptAnswers, Settings, SharedLimits};
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::{Signer, now};

use crate::desk::{ALICE, BOB, Desk, Effects, KEY, OTHER_KEY, in_memory, on_each_engine};

#[tokio::test]
async fn the_key_of_another_caller_is_another_key() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
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
    })
    .await;
}

#[tokio::test]
async fn who_may_not_call_any_more_gets_no_answer_of_before() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        desk.transfer(KEY, "pay").send().await.allowed(201);
        desk.post(ALICE, KEY, "pay").send().await.refused(401, "unauthenticated");
        let poor = desk.signer.token("alice", "other:scope");
        desk.post(ALICE, KEY, "pay").token(&poor).send().await.refused(403, "forbidden");
        assert_eq!(desk.transfer(KEY, "pay").send().await.allowed(201).header("idempotent-replayed"), "true");
    })
    .await;
}

/// The answer is about an object: who may not see that any more does not see it there.
#[tokio::test]
async fn an_answer_about_what_is_gone_or_anothers_by_now_is_nobodys() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let ask = |key: &str, token: String| desk.post(ALICE, key, "pay").token(&token).send();
        let first = ask(KEY, desk.alice()).await;
        first.allowed(201);
        desk.accounts.give("alice-1", "bob");
        ask(KEY, desk.alice()).await.refused(404, "not_found");
        let bobs = ask(KEY, desk.bob()).await; // whose key is another
        assert!(!bobs.allowed(201).headers.contains_key("idempotent-replayed"));
        assert_ne!(bobs.body, first.body);
        desk.accounts.close("alice-1");
        for token in [desk.alice(), desk.bob()] {
            ask(KEY, token).await.refused(404, "not_found");
        }
        desk.accounts.give("alice-1", "alice");
        let again = ask(KEY, desk.alice()).await;
        assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
        assert_eq!((again.body, desk.effects.count()), (first.body, 2));
    })
    .await;
}

/// Two for each principal, seven from each address. Whatever instance is asked.
async fn who_asks_again_is_counted_by_address(instances: [&Desk; 2]) {
    let [here, there] = instances;
    let call = |desk: &Desk, key, token: &str| {
        desk.client.call("POST", "/rare").header("idempotency-key", key).token(token).send()
    };
    let (alice, bob) = (here.alice(), here.bob());
    call(here, KEY, &alice).await.allowed(204);
    for desk in [there, here] {
        assert_eq!(call(desk, KEY, &alice).await.allowed(204).header("idempotent-replayed"), "true");
    }
    assert!(!call(there, OTHER_KEY, &alice).await.allowed(204).headers.contains_key("idempotent-replayed"));
    // what her limit refuses her address has not counted
    call(here, "a-third-key-of-today", &alice).await.refused(429, "rate_limited");
    call(there, KEY, &bob).await.allowed(204); // the fifth from here
    for desk in [here, there] {
        assert_eq!(call(desk, KEY, &bob).await.allowed(204).header("idempotent-replayed"), "true");
    }
    call(there, KEY, &bob).await.refused(429, "rate_limited"); // the eighth from here
    assert_eq!(here.effects.count(), 3);
}

#[tokio::test]
async fn who_asks_again_is_counted_by_address_and_not_by_principal() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        who_asks_again_is_counted_by_address([&desk, &desk]).await;
    })
    .await;
}

/// `replays: counted`: two for each principal, whether they are done or not.
async fn what_comes_again_is_counted_by_principal(instances: [&Desk; 2]) {
    let [here, there] = instances;
    let call = |desk: &Desk, path, key, token: &str| {
        desk.client.call("POST", path).header("idempotency-key", key).token(token).send()
    };
    let (alice, bob) = (here.alice(), here.bob());
    call(here, "/counted", KEY, &alice).await.allowed(204);
    let again = call(there, "/counted", KEY, &alice).await;
    assert_eq!(again.allowed(204).header("idempotent-replayed"), "true");
    for (desk, key) in [(here, KEY), (there, OTHER_KEY)] {
        let reply = call(desk, "/counted", key, &alice).await;
        reply.refused(429, "rate_limited");
        assert_eq!(reply.json()["error"]["policy"], "twice");
    }
    call(here, "/counted", KEY, &bob).await.allowed(204);
    assert_eq!(here.effects.count(), 2);
    // beside it, as long as replays are free
    for _ in 0..3 {
        call(here, "/rare", KEY, &alice).await.allowed(204);
    }
    assert_eq!(here.effects.count(), 3);
}

#[tokio::test]
async fn where_replays_count_who_asks_again_is_counted_by_principal() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        what_comes_again_is_counted_by_principal([&desk, &desk]).await;
    })
    .await;
}

#[tokio::test]
async fn nor_is_who_asks_another_instance_again_where_redis_counts() {
    let redis = redis().await;
    let (clock, signer, effects) = (Clock::fixed(now()), Signer::new("k1"), Effects::default());
    let answers = in_memory(&clock);
    let instance = async || {
        let settings = Settings::new().clock(clock.clone()).limits_in(shared(&redis).await);
        let (signer, effects, clock) = (signer.clone(), effects.clone(), clock.clone());
        Desk::counting(signer, effects, clock, answers.clone(), settings).await
    };
    who_asks_again_is_counted_by_address([&instance().await, &instance().await]).await;
}

#[tokio::test]
async fn and_at_whichever_instance_where_redis_counts() {
    let redis = redis().await;
    let (clock, signer, effects) = (Clock::fixed(now()), Signer::new("k1"), Effects::default());
    let answers = in_memory(&clock);
    let instance = async || {
        let settings = Settings::new().clock(clock.clone()).limits_in(shared(&redis).await);
        let (signer, effects, clock) = (signer.clone(), effects.clone(), clock.clone());
        Desk::counting(signer, effects, clock, answers.clone(), settings).await
    };
    what_comes_again_is_counted_by_principal([&instance().await, &instance().await]).await;
}

async fn redis() -> Server {
    Server::start("--maxmemory-policy noeviction --maxmemory 1gb").await
}

/// Counters that wait as long as a busy machine may need.
async fn shared(redis: &Server) -> SharedLimits {
    SharedLimits::redis(&redis.url(), 2).await.unwrap().patience(Duration::from_secs(1))
}

#[tokio::test]
async fn what_was_refused_before_the_handler_leaves_the_key_free() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let sent = |body: &str| {
            desk.client.post(ALICE, body).header("idempotency-key", KEY).token(&desk.alice()).send()
        };
        sent(r#"{"act":"pay","amount":0}"#).await.refused(422, "invalid_body");
        sent("{").await.refused(400, "invalid_body");
        let call = desk.client.post(ALICE, r#"{"act":"pay","amount":5}"#).header("accept", "text/csv");
        let call = call.header("idempotency-key", KEY).token(&desk.alice());
        call.send().await.refused(406, "not_acceptable");
        sent(r#"{"act":"pay","amount":7}"#).await.allowed(201);
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_principal_has_so_many_keys_in_a_day() {
    on_each_engine(async |store| {
        let desk = store.keeping(store.answers().calls_per_day(2)).await;
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
    })
    .await;
}

/// Whose answers take 8 KiB a day, of which a call may take five and takes one.
async fn small(shared: Option<SharedLimits>) -> Desk {
    let clock = Clock::fixed(now());
    let settings = Settings::new().clock(clock.clone());
    let settings = shared.into_iter().fold(settings, Settings::limits_in);
    let answers = in_memory(&clock).bytes_per_day(8 << 10);
    Desk::counting(Signer::new("k1"), Effects::default(), clock, answers, settings).await
}

fn key(number: usize) -> String {
    format!("{number}{KEY}")
}

async fn a_principal_has_so_many_bytes(desk: &Desk) {
    for number in 0..4 {
        desk.transfer(&key(number), "pay").send().await.allowed(201);
    }
    let over = desk.transfer(&key(4), "pay").send().await;
    over.refused(429, "rate_limited");
    assert!(!over.header("retry-after").is_empty());
    assert_eq!(desk.effects.count(), 4, "it is refused before its handler runs");
    let again = desk.transfer(&key(0), "pay").send().await;
    assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
    desk.post(BOB, KEY, "pay").token(&desk.bob()).send().await.allowed(201);
}

#[tokio::test]
async fn a_principal_has_so_many_bytes_in_a_day_alone_and_in_all_instances() {
    a_principal_has_so_many_bytes(&small(None).await).await;
    let redis = redis().await;
    let first = small(Some(shared(&redis).await)).await;
    a_principal_has_so_many_bytes(&first).await;
    let second = small(Some(shared(&redis).await)).await;
    second.transfer(&key(9), "pay").send().await.refused(429, "rate_limited");
    assert_eq!(second.effects.count(), 0);
}

#[tokio::test]
async fn calls_at_once_have_no_more_bytes_than_there_are_and_get_back_what_they_did_not_take() {
    let desk = small(None).await;
    let first = tokio::spawn(desk.transfer(&key(0), "slow").send());
    tokio::time::sleep(Duration::from_millis(150)).await;
    desk.transfer(&key(1), "pay").send().await.refused(429, "rate_limited");
    first.await.unwrap().allowed(201);
    desk.transfer(&key(1), "pay").send().await.allowed(201);
    // what leaves its key free takes nothing
    for number in 0..10 {
        desk.transfer(&key(number + 2), "forbid").send().await.refused(403, "closed");
    }
    desk.transfer(&key(2), "pay").send().await.allowed(201);
}

#[tokio::test]
async fn without_room_for_one_answer_there_is_no_server() {
    let answers = KeptAnswers::in_memory().unwrap();
    let fault = crate::desk::refused(answers.bytes_per_day(4 << 10));
    assert!(fault.contains("createTransfer") && fault.contains("4 KiB a day"), "{fault}");
}
