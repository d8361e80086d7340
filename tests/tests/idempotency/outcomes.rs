//! What became of the first call, and what the next one gets of it.

use std::time::Duration;

use palisade::idempotency::Recovered;

use crate::desk::{Desk, KEY, OTHER_KEY, Store, on_each_clock, on_each_engine};

#[tokio::test]
async fn a_refusal_and_a_failure_are_answers_too() {
    for (act, status, code) in
        [("refuse", 409, "too_poor"), ("fail", 500, "internal"), ("undeclared", 500, "internal")]
    {
        on_each_engine(async |store| {
            let desk = store.desk().await;
            let first = desk.transfer(KEY, act).send().await;
            first.refused(status, code);
            let again = desk.transfer(KEY, act).send().await;
            assert_eq!(
                (again.status.as_u16(), again.header("idempotent-replayed")),
                (status, "true"),
                "{act}"
            );
            assert_eq!(again.body, first.body, "{act}");
            assert_eq!(desk.effects.count(), 1, "{act}");
            desk.transfer(OTHER_KEY, act).send().await.refused(status, code);
            assert_eq!(desk.effects.count(), 2, "{act}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_about_the_caller_is_not_kept() {
    for (act, status, code) in
        [("doubt", 401, "who_are_you"), ("forbid", 403, "closed"), ("throttle", 429, "busy")]
    {
        on_each_engine(async |store| {
            let desk = store.desk().await;
            for times in 1..=2 {
                let reply = desk.transfer(KEY, act).send().await;
                reply.refused(status, code);
                assert!(!reply.headers.contains_key("idempotent-replayed"), "{act}");
                assert_eq!(desk.effects.count(), times, "{act}");
            }
            desk.transfer(KEY, "pay").send().await.allowed(201); // the key is free, also for another call
        })
        .await;
    }
}

#[tokio::test]
async fn of_a_panic_and_of_what_took_too_long_nobody_knows() {
    for (act, status, code) in [("panic", 500, "internal"), ("hang", 504, "deadline_exceeded")] {
        on_each_engine(async |store| {
            let desk = store.desk().await;
            desk.transfer(KEY, act).send().await.refused(status, code);
            for _ in 0..2 {
                desk.transfer(KEY, act).send().await.refused(409, "outcome_unknown");
            }
            assert_eq!(desk.effects.count(), 1, "{act}");
            // where it is safe to, the handler runs again
            desk.post("/repeatable", KEY, act).token(&desk.alice()).send().await.refused(status, code);
            desk.post("/repeatable", KEY, act).token(&desk.alice()).send().await.refused(status, code);
            assert_eq!(desk.effects.count(), 3, "{act}");
        })
        .await;
    }
}

#[tokio::test]
async fn the_application_may_know_that_it_was_not_done() {
    for (said, status) in [(Recovered::NotDone, 500), (Recovered::Unknown, 409)] {
        on_each_engine(async |store| {
            let answers = store.answers().recover(move |call| async move {
                assert_eq!(
                    (call.operation, call.subject.as_str(), call.key.as_str()),
                    ("createTransfer", "alice", KEY)
                );
                Ok(said)
            });
            let desk = store.keeping(answers).await;
            desk.transfer(KEY, "panic").send().await.refused(500, "internal");
            assert_eq!(desk.transfer(KEY, "panic").send().await.status, status);
            assert_eq!(desk.effects.count(), if status == 500 { 2 } else { 1 });
        })
        .await;
    }
    on_each_engine(async |store| {
        let answers = store.answers().recover(async |_| Err(palisade::Problem::internal("away")));
        let desk = store.keeping(answers).await;
        desk.transfer(KEY, "panic").send().await.refused(500, "internal");
        desk.transfer(KEY, "panic").send().await.refused(503, "unavailable");
    })
    .await;
}

/// A server that ends in the middle: its runtime is dropped, with the handler in it.
#[test]
fn a_call_whose_server_ended_is_unknown_once_its_time_is_over() {
    for store in Store::of_its_clock() {
        let (clock, answers) = (store.clock.clone(), store.answers());
        let first = tokio::runtime::Runtime::new().unwrap();
        let (signer, effects) = first.block_on(async {
            let desk = Desk::of(clock.clone(), answers.clone()).await;
            let call = desk.transfer(KEY, "slow").send();
            assert!(tokio::time::timeout(Duration::from_millis(150), call).await.is_err());
            (desk.signer, desk.effects)
        });
        first.shutdown_background();
        let second = tokio::runtime::Runtime::new().unwrap();
        second.block_on(async {
            let desk = Desk::with(signer, effects, clock, answers).await;
            desk.transfer(KEY, "slow").send().await.refused(409, "idempotency_in_progress");
            desk.clock.advance(Duration::from_secs(2 + 30 + 1)); // the operation's time, and the margin
            desk.transfer(KEY, "slow").send().await.refused(409, "outcome_unknown");
            assert_eq!(desk.effects.count(), 1);
            desk.transfer(OTHER_KEY, "pay").send().await.allowed(201);
        });
    }
}

#[tokio::test]
async fn who_ends_late_changes_nothing_and_has_no_answer_of_its_own() {
    on_each_clock(async |store| {
        let desk = store.desk().await;
        let call = |act: &str| desk.post("/repeatable", KEY, act).token(&desk.alice()).send();
        let late = tokio::spawn(call("slow"));
        tokio::time::sleep(Duration::from_millis(100)).await;
        desk.clock.advance(Duration::from_secs(40)); // its lease is over, and it runs all the same
        let second = call("slow").await;
        assert_eq!(second.allowed(200).json()["number"], 2);
        // it ended while the second ran
        late.await.unwrap().refused(409, "idempotency_in_progress");
        let again = call("slow").await;
        assert_eq!(again.allowed(200).header("idempotent-replayed"), "true");
        assert_eq!(again.body, second.body, "the one that claimed the key anew");
        assert_eq!(desk.effects.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn who_ends_later_than_the_run_that_claimed_the_key_anew_gets_its_answer() {
    on_each_clock(async |store| {
        let desk = store.desk().await;
        let call = |act: &str| desk.post("/repeatable", KEY, act).token(&desk.alice()).send();
        let late = tokio::spawn(call("slower_at_first"));
        tokio::time::sleep(Duration::from_millis(100)).await;
        desk.clock.advance(Duration::from_secs(40));
        let second = call("slower_at_first").await;
        let late = late.await.unwrap();
        assert_eq!(late.allowed(200).header("idempotent-replayed"), "true");
        assert_eq!(late.body, second.body);
        assert_eq!(desk.effects.count(), 2);
    })
    .await;
}

/// Also where the handler runs again because the application said that the call was not done.
#[tokio::test]
async fn who_ends_later_than_a_run_that_the_application_asked_for_gets_its_answer() {
    on_each_clock(async |store| {
        let desk = store.keeping(store.answers().recover(async |_| Ok(Recovered::NotDone))).await;
        let late = tokio::spawn(desk.transfer(KEY, "slower_at_first").send());
        tokio::time::sleep(Duration::from_millis(100)).await;
        desk.clock.advance(Duration::from_secs(40));
        let second = desk.transfer(KEY, "slower_at_first").send().await;
        assert_eq!(second.allowed(201).json()["number"], 2);
        let late = late.await.unwrap();
        assert_eq!(late.allowed(201).header("idempotent-replayed"), "true");
        assert_eq!(late.body, second.body);
    })
    .await;
}

#[tokio::test]
async fn a_call_runs_as_long_as_it_may_whenever_in_a_second_it_began() {
    on_each_clock(async |store| {
        let (clock, desk) = (&store.clock, store.keeping(store.answers().margin(Duration::ZERO)).await);
        clock.advance(Duration::from_millis(900));
        let call = || desk.post("/repeatable", KEY, "slow").token(&desk.alice()).send();
        let first = tokio::spawn(call());
        tokio::time::sleep(Duration::from_millis(100)).await;
        clock.advance(Duration::from_millis(1_900)); // of its two seconds
        call().await.refused(409, "idempotency_in_progress");
        first.await.unwrap().allowed(200);
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}
