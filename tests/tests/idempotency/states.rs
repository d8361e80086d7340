//! The state behind it: what it holds, and what happens when it fails.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use palisade::state::{Engine, Expected, Key, Next, Record, StateError, Swapped};
use palisade::{AnswerKeys, Clock, KeptAnswers, State, StoreFuture};
use palisade_tests::events;
use palisade_tests::tokens::now;

use crate::desk::{Desk, KEY, OTHER_KEY, on_each_engine};

/// A state that fails from its nth change on, and shows what it was given.
#[derive(Clone)]
pub struct Flaky {
    inner: State,
    swaps: Arc<AtomicUsize>,
    fails_from: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Flaky {
    pub fn new(clock: &Clock) -> Self {
        Self {
            inner: State::memory_of(100, clock.clone()),
            swaps: Arc::default(),
            fails_from: Arc::new(AtomicUsize::new(usize::MAX)),
            seen: Arc::default(),
        }
    }

    pub fn fail_from(&self, swap: usize) {
        self.swaps.store(0, Ordering::SeqCst);
        self.fails_from.store(swap, Ordering::SeqCst);
    }

    async fn desk(&self, clock: Clock) -> Desk {
        let answers = KeptAnswers::new(State::new(self.clone()), AnswerKeys::generate().unwrap());
        Desk::of(clock, answers).await
    }
}

impl Engine for Flaky {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(self.inner.get(key))
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        let number = self.swaps.fetch_add(1, Ordering::SeqCst);
        if number >= self.fails_from.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Err(StateError::Engine("the disk is gone".into()))));
        }
        if let Next::Record { value, .. } = &next {
            self.seen.lock().unwrap().extend_from_slice(value);
        }
        Box::pin(self.inner.swap(key, expected, next))
    }
}

#[tokio::test]
async fn without_its_state_no_handler_runs() {
    let clock = Clock::fixed(now());
    let state = Flaky::new(&clock);
    let desk = state.desk(clock).await;
    desk.transfer(KEY, "pay").send().await.allowed(201);
    state.fail_from(0);
    let reply = desk.transfer(OTHER_KEY, "pay").send().await;
    reply.refused(503, "unavailable");
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(desk.effects.count(), 1);
    // what needs no state goes on
    desk.post("/plain", KEY, "pay").token(&desk.alice()).send().await.allowed(204);
    state.fail_from(usize::MAX);
    desk.transfer(OTHER_KEY, "pay").send().await.allowed(201);
}

/// Makes the first change that it is asked for without saying so, and answers nothing until it is well again.
#[derive(Clone)]
struct Silent {
    inner: State,
    changed: Arc<AtomicUsize>,
    well: Arc<AtomicBool>,
}

impl Engine for Silent {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        match self.well.load(Ordering::SeqCst) {
            true => Box::pin(self.inner.get(key)),
            false => Box::pin(std::future::ready(Err(StateError::Late))),
        }
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            if self.well.load(Ordering::SeqCst) {
                return self.inner.swap(key, expected, next).await;
            }
            if self.changed.fetch_add(1, Ordering::SeqCst) == 0 {
                self.inner.swap(key, expected, next).await?;
            }
            Err(StateError::Late)
        })
    }
}

/// No handler ran, so nobody may hear that its outcome is unknown.
#[tokio::test]
async fn a_claim_that_was_made_unheard_is_taken_back_when_the_state_answers_again() {
    let clock = Clock::fixed(now());
    let inner = State::memory_of(100, clock.clone());
    let silent = Silent { inner, changed: Arc::default(), well: Arc::default() };
    let answers = KeptAnswers::new(State::new(silent.clone()), AnswerKeys::generate().unwrap());
    let desk = Desk::of(clock, answers).await;
    desk.transfer(KEY, "pay").send().await.refused(503, "unavailable");
    assert_eq!(silent.changed.load(Ordering::SeqCst), 1);
    silent.well.store(true, Ordering::SeqCst);
    desk.transfer(KEY, "pay").send().await.refused(409, "idempotency_in_progress");
    let began = std::time::Instant::now();
    let answer = loop {
        let answer = desk.transfer(KEY, "pay").send().await;
        if answer.status != 409 {
            break answer;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "it is never taken back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    answer.allowed(201);
    assert_eq!(desk.effects.count(), 1);
}

/// Answers each change late, and each time that another came before.
struct Contended;

impl Engine for Contended {
    fn get(&self, _: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(async { Ok(None) })
    }

    fn swap(&self, _: Key, _: Expected, _: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async {
            tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
            Ok(Swapped::Not(None))
        })
    }
}

/// The deadline of an operation, two seconds here, is that of its claim as well.
#[tokio::test]
async fn a_slow_state_makes_nobody_wait_beyond_the_deadline() {
    let answers = KeptAnswers::new(State::new(Contended), AnswerKeys::generate().unwrap());
    let desk = Desk::of(Clock::fixed(now()), answers).await;
    let began = std::time::Instant::now();
    desk.transfer(KEY, "pay").send().await.refused(503, "unavailable");
    assert!(began.elapsed() < std::time::Duration::from_millis(2_900), "{:?}", began.elapsed());
    assert_eq!(desk.effects.count(), 0);
}

/// It ran, so the client gets its answer; that it is not kept is known, so it is not done again.
#[tokio::test]
async fn an_answer_that_cannot_be_kept_is_sent_and_not_made_again() {
    let clock = Clock::fixed(now());
    let state = Flaky::new(&clock);
    let desk = state.desk(clock).await;
    state.fail_from(1);
    desk.transfer(KEY, "pay").send().await.allowed(201);
    state.fail_from(usize::MAX);
    desk.transfer(KEY, "pay").send().await.refused(409, "idempotency_in_progress");
    desk.clock.advance(std::time::Duration::from_secs(40));
    desk.transfer(KEY, "pay").send().await.refused(409, "outcome_unknown");
    assert_eq!(desk.effects.count(), 1);
}

/// The client has its answer; the operator is told that nobody gets it again.
#[tokio::test]
async fn that_an_answer_is_not_kept_is_told_to_the_operator() {
    events::collect();
    let clock = Clock::fixed(now());
    let state = Flaky::new(&clock);
    let desk = state.desk(clock).await;
    let told = || events::with("operation", "brief"); // which no other test has fail
    let call = || desk.post("/brief", KEY, "pay").token(&desk.alice_now()).send();
    call().await.allowed(200);
    desk.clock.advance(std::time::Duration::from_secs(4)); // for which it is kept
    assert_eq!(told(), []);
    state.fail_from(1);
    call().await.allowed(200);
    let [event] = &told()[..] else { panic!("{:?}", told()) };
    assert_eq!(event["target"], "palisade::idempotency");
    assert_eq!(event["message"], "what became of a call could not be kept");
    assert!(event["error"].contains("the disk is gone"), "{event:?}");
}

/// Nothing bounds what stands beside a body. It was done, and nobody gets the answer a second time.
#[tokio::test]
async fn an_answer_that_is_more_than_is_kept_is_sent_once_and_told_of() {
    events::collect();
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let token = desk.alice();
        let head = format!(
            "POST /wordy HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {token}\r\n"
        );
        let call = format!("{head}idempotency-key: {KEY}\r\ncontent-length: 0\r\n\r\n");
        let first = desk.client.raw(call.as_bytes()).await; // no client of HTTP reads so long a field
        assert!(first.starts_with("HTTP/1.1 204") && first.len() > 1 << 20, "{:.200}", first);
        for _ in 0..2 {
            let again =
                desk.client.call("POST", "/wordy").token(&token).header("idempotency-key", KEY).send().await;
            again.refused(409, "answer_not_kept");
            let event = events::of(again.header("x-request-id"));
            assert_eq!(event["event_type"], "sys_answer_not_kept");
            assert_eq!(event["failure_reason"], "idempotency_answer_not_kept");
        }
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

/// Where the handler may run again, another answer may come: one that is not kept is not sent.
#[tokio::test]
async fn an_answer_that_cannot_be_kept_is_not_sent_when_another_may_come() {
    for (act, status) in [("pay", 200), ("refuse", 409), ("fail", 500)] {
        let clock = Clock::fixed(now());
        let state = Flaky::new(&clock);
        let desk = state.desk(clock).await;
        let call = || desk.post("/repeatable", KEY, act).token(&desk.alice()).send();
        state.fail_from(1);
        call().await.refused(503, "unavailable");
        state.fail_from(usize::MAX);
        call().await.refused(409, "idempotency_in_progress");
        desk.clock.advance(std::time::Duration::from_secs(40));
        let answer = call().await;
        let again = call().await;
        assert_eq!((answer.status.as_u16(), again.header("idempotent-replayed")), (status, "true"), "{act}");
        assert_eq!((again.body, desk.effects.count()), (answer.body, 2), "{act}");
    }
}

#[tokio::test]
async fn what_is_kept_is_sealed() {
    let clock = Clock::fixed(now());
    let state = Flaky::new(&clock);
    let desk = state.desk(clock).await;
    let reply = desk.transfer(KEY, "pay").send().await;
    let seen = state.seen.lock().unwrap().clone();
    let has = |text: &[u8]| seen.windows(text.len()).any(|window| window == text);
    assert!(seen.len() > 100 && has(b"\x01"));
    for secret in [&reply.body[..], b"alice", KEY.as_bytes(), b"/transfers/1", b"application/json"] {
        assert!(!has(secret), "{secret:?}");
    }
}

#[tokio::test]
async fn another_ring_of_keys_opens_nothing_and_does_nothing_twice() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        desk.transfer(KEY, "pay").send().await.allowed(201);
        let desk = Desk::with(desk.signer, desk.effects, desk.clock, store.answers()).await; // under keys of its own
        desk.transfer(KEY, "pay").send().await.refused(503, "unavailable");
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_full_state_refuses_what_is_new() {
    let clock = Clock::fixed(now());
    let state = State::memory_of(1, clock.clone());
    let desk = Desk::of(clock, KeptAnswers::new(state, AnswerKeys::generate().unwrap())).await;
    desk.transfer(KEY, "pay").send().await.allowed(201);
    desk.transfer(OTHER_KEY, "pay").send().await.refused(503, "unavailable");
    assert_eq!(desk.transfer(KEY, "pay").send().await.allowed(201).header("idempotent-replayed"), "true");
    assert_eq!(desk.effects.count(), 1);
}

/// Whoever calls under new keys fills a state, and keeps nobody from revoking a token there.
#[tokio::test]
async fn answers_leave_room_for_revocations() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(now());
    for state in [
        State::memory_of(8, clock.clone()),
        State::open_of(folder.path().join("state"), 8, clock.clone()).unwrap(),
    ] {
        let answers = KeptAnswers::new(state.clone(), AnswerKeys::generate().unwrap());
        let desk = Desk::of(clock.clone(), answers).await;
        for number in 0..6 {
            desk.transfer(&format!("{number}{KEY}"), "pay").send().await.allowed(201);
        }
        for number in 6..20 {
            desk.transfer(&format!("{number}{KEY}"), "pay").send().await.refused(503, "unavailable");
        }
        let denylist = palisade::Denylist::kept_in(state).clock(clock.clone());
        denylist.revoke_token("https://id.example.com", "t1", now() + 60).await.expect("there is room");
        denylist.revoke_token("https://id.example.com", "t2", now() + 60).await.expect("there is room");
        denylist.revoke_token("https://id.example.com", "t3", now() + 60).await.expect_err("it is full");
    }
}
