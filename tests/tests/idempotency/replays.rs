//! The first answer, again; and what is another call.

use std::time::Duration;

use palisade_tests::client::Reply;

use crate::desk::{ALICE, KEY, OTHER_KEY, on_each_clock, on_each_engine, order};

fn is_replay(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == "true"
}

#[tokio::test]
async fn who_asks_again_gets_the_first_answer_byte_for_byte() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let first = desk.transfer(KEY, "pay").header("accept", "application/vnd.receipt+json").send().await;
        first.allowed(201);
        assert!(!first.headers.contains_key("idempotent-replayed"));
        // whatever it likes by now: it is the answer that was made
        let again = desk.transfer(KEY, "pay").header("accept", "application/json").send().await;
        again.allowed(201);
        assert!(is_replay(&again));
        assert_eq!(again.body, first.body);
        for name in ["content-type", "location"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
            assert!(!again.header(name).is_empty());
        }
        assert_eq!(again.header("content-type"), "application/vnd.receipt+json");
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        assert_eq!(again.header("x-content-type-options"), "nosniff");
        assert_eq!(desk.effects.count(), 1);
        let other = desk.transfer(OTHER_KEY, "pay").send().await;
        assert!(!is_replay(other.allowed(201)));
        assert_eq!(desk.effects.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_call_is_what_it_says_not_how_it_is_written() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        desk.transfer(KEY, "pay").send().await.allowed(201);
        let call = desk.client.post(ALICE, "{ \"amount\": 5.0,\n \"act\": \"\\u0070ay\" }");
        let call = call.header("idempotency-key", KEY).header("user-agent", "other/2").token(&desk.alice());
        let again = call.send().await;
        assert!(is_replay(again.allowed(201)));
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn another_call_under_the_key_is_refused() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        desk.transfer(KEY, "pay").send().await.allowed(201);
        let sent = |path: &str, body: String| {
            desk.client.post(path, &body).header("idempotency-key", KEY).token(&desk.alice()).send()
        };
        sent(ALICE, order("pay", 6)).await.refused(422, "idempotency_key_reused");
        sent(&format!("{ALICE}?urgent=true"), order("pay", 5)).await.refused(422, "idempotency_key_reused");
        sent("/accounts/alice-2/transfers", order("pay", 5)).await.refused(422, "idempotency_key_reused");
        sent(ALICE, r#"{"act":"pay","amount":5,"to":"bob"}"#.into())
            .await
            .refused(422, "idempotency_key_reused");
        assert_eq!(desk.effects.count(), 1);
        assert!(is_replay(sent(ALICE, order("pay", 5)).await.allowed(201)));
    })
    .await;
}

#[tokio::test]
async fn cookies_that_are_members_of_one_parameter_count() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let put = async |cookies: &str| {
            let call = desk.client.call("PUT", "/notes/n").header("content-type", "application/json");
            let call = call.header("idempotency-key", KEY).header("cookie", cookies);
            call.body(order("pay", 5)).token(&desk.alice()).send().await
        };
        put("colour=red").await.allowed(204);
        put("colour=blue").await.refused(422, "idempotency_key_reused");
        assert!(is_replay(put("colour=red; other=1").await.allowed(204)));
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn while_the_first_runs_the_others_wait() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let first = tokio::spawn(desk.transfer(KEY, "slow").send());
        tokio::time::sleep(Duration::from_millis(150)).await;
        let second = desk.transfer(KEY, "slow").send().await;
        second.refused(409, "idempotency_in_progress");
        assert_eq!(second.header("retry-after"), "1");
        // another call is another call, whether or not the first has ended
        desk.transfer(KEY, "pay").send().await.refused(422, "idempotency_key_reused");
        let first = first.await.unwrap();
        first.allowed(201);
        let third = desk.transfer(KEY, "slow").send().await;
        assert!(is_replay(third.allowed(201)));
        assert_eq!(third.body, first.body);
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_at_once_one_is_done() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let calls: Vec<_> = (0..100).map(|_| tokio::spawn(desk.transfer(KEY, "slow").send())).collect();
        let (mut done, mut waiting) = (0, 0);
        for call in calls {
            match call.await.unwrap() {
                reply if reply.status == 201 && !is_replay(&reply) => done += 1,
                reply if reply.status == 201 => {}
                reply => {
                    reply.refused(409, "idempotency_in_progress");
                    waiting += 1;
                }
            }
        }
        assert_eq!((done, desk.effects.count()), (1, 1));
        assert!(waiting > 0);
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_kept_for_as_long_as_the_document_says() {
    on_each_clock(async |store| {
        let desk = store.desk().await;
        desk.transfer(KEY, "pay").send().await.allowed(201);
        let again = async || desk.post(ALICE, KEY, "pay").token(&desk.alice_now()).send().await;
        desk.clock.advance(Duration::from_secs(3599));
        assert!(is_replay(again().await.allowed(201)));
        desk.clock.advance(Duration::from_secs(1));
        assert!(!is_replay(again().await.allowed(201)));
        assert_eq!(desk.effects.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_client_who_leaves_does_not_stop_its_call() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let leaving = desk.transfer(KEY, "slow").send();
        assert!(tokio::time::timeout(Duration::from_millis(150), leaving).await.is_err());
        desk.transfer(KEY, "slow").send().await.refused(409, "idempotency_in_progress");
        tokio::time::sleep(Duration::from_millis(500)).await;
        let again = desk.transfer(KEY, "slow").send().await;
        assert!(is_replay(again.allowed(201)));
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}
