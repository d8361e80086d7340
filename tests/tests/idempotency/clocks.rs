//! Clocks that are set while calls run: a call that runs is not taken for dead, and its answer is not forgotten.

use std::time::Duration;

use palisade::{AnswerKeys, Clock, KeptAnswers, State};
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::now;

use crate::desk::{ALICE, Desk, KEY, OTHER_KEY};
use crate::states::Flaky;

const HOUR: u64 = 3600;

/// A server on this state whose clock is set ahead while a call runs.
async fn is_not_taken_for_dead(clock: Clock, state: State) {
    let desk = Desk::of(clock.clone(), KeptAnswers::new(state, AnswerKeys::generate().unwrap())).await;
    let call = |act| desk.post("/repeatable", KEY, act).token(&desk.alice_now()).send();
    let first = tokio::spawn(call("slow"));
    tokio::time::sleep(Duration::from_millis(150)).await;
    clock.set(now() + HOUR);
    call("slow").await.refused(409, "idempotency_in_progress");
    let first = first.await.unwrap();
    first.allowed(200);
    clock.set(now() + 48 * HOUR); // answers of this operation are kept for a day
    let again = call("slow").await;
    assert_eq!(again.allowed(200).header("idempotent-replayed"), "true");
    assert_eq!((again.body, desk.effects.count()), (first.body, 1));
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_makes_no_call_seem_dead_and_no_answer_old() {
    let clock = || Clock::fixed(now());
    let in_memory = clock();
    is_not_taken_for_dead(in_memory.clone(), State::memory_of(100, in_memory)).await;
    let (in_file, folder) = (clock(), tempfile::tempdir().unwrap());
    let state = State::open_of(folder.path().join("state"), 100, in_file.clone()).unwrap();
    is_not_taken_for_dead(in_file, state).await;
    let redis = Server::durable().await;
    is_not_taken_for_dead(clock(), State::redis(&redis.url()).await.unwrap()).await;
}

/// Of two whose clocks differ by an hour, neither waits for it.
#[tokio::test]
async fn a_lease_ends_by_the_clock_of_the_state_whatever_the_instances_say() {
    for (claims_at, asks_at) in [(now() + HOUR, now()), (now(), now() + HOUR)] {
        let (time, ring) = (Clock::fixed(now()), "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=");
        let state = Flaky::new(&time);
        let answers = || KeptAnswers::new(State::new(state.clone()), AnswerKeys::from_list(ring).unwrap());
        let first = Desk::of(Clock::fixed(claims_at), answers()).await;
        let call = |desk: &Desk, key| desk.post(ALICE, key, "pay").token(&desk.alice_now()).send();
        state.fail_from(1); // the claim is made, and the answer not kept
        call(&first, KEY).await.allowed(201);
        state.fail_from(usize::MAX);
        let signer = first.signer.clone();
        let second = Desk::with(signer, first.effects.clone(), Clock::fixed(asks_at), answers()).await;
        for desk in [&first, &second] {
            call(desk, KEY).await.refused(409, "idempotency_in_progress");
        }
        time.advance(Duration::from_secs(2 + 30)); // the operation's time, and the margin
        for desk in [&first, &second] {
            call(desk, KEY).await.refused(409, "outcome_unknown");
        }
        call(&second, OTHER_KEY).await.allowed(201);
        assert_eq!(second.effects.count(), 2);
    }
}
