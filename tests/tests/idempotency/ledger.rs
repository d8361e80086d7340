//! A call that is committed together with its effect: neither lost nor done twice, whatever happens in between.

use std::path::Path;
use std::time::Duration;

use palisade::{AnswerKeys, KeptAnswers, State};
use palisade_tests::client::{Call, Client};
use palisade_tests::dice::key_of;
use palisade_tests::ledger::{Books, How, MONEY, Service, books, build};
use palisade_tests::tokens::Signer;
use sqlx::SqlitePool;

use crate::desk::answers;
use crate::states::Flaky;

const KEY: &str = "2b7c1f60-71a5-4f43-9d50-1f3f6d1b8a77";
const KEYS: &str = "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

struct Desk {
    client: Client,
    signer: Signer,
    books: SqlitePool,
}

impl Desk {
    async fn start(path: &Path, state: State, how: How) -> Self {
        let pause: fn() -> _ =
            if how == How::Late { || Duration::from_millis(200) } else { || Duration::ZERO };
        Self::start_with(path, state, how, pause).await
    }

    async fn start_with(path: &Path, state: State, how: How, pause: fn() -> Duration) -> Self {
        let (signer, books) = (Signer::new("k1"), books(path).await);
        let service = Service { books: Books::Sqlite(books.clone()), how, pause };
        let answers = KeptAnswers::new(state, AnswerKeys::from_list(KEYS).unwrap());
        let server = build(service, signer.jwks(), answers, palisade::Settings::new());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { client, signer, books }
    }

    fn transfer(&self, amount: i64) -> Call {
        let body = format!(r#"{{"reference":"r","amount":{amount}}}"#);
        let token = self.signer.token("alice", "");
        self.client.post("/transfers", &body).header("idempotency-key", KEY).token(&token)
    }

    async fn done(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM transfers").fetch_one(&self.books).await.unwrap()
    }
}

#[tokio::test]
async fn a_state_that_forgot_everything_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    let desk = Desk::start(&path, State::memory(), How::Recorded).await;
    let first = desk.transfer(7).send().await;
    first.allowed(201);
    let later = Desk::start(&path, State::memory(), How::Recorded).await;
    let again = later.transfer(7).send().await;
    assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
    assert_eq!((again.body, later.done().await), (first.body, 1));
    // also as another call
    let later = Desk::start(&path, State::memory(), How::Recorded).await;
    later.transfer(8).send().await.refused(422, "idempotency_key_reused");
    // and without the record what was answered
    let bare = Desk::start(&folder.path().join("bare"), State::memory(), How::Bare).await;
    bare.transfer(7).send().await.allowed(201);
    let later = Desk::start(&folder.path().join("bare"), State::memory(), How::Bare).await;
    later.transfer(7).send().await.allowed(201);
    assert_eq!(later.done().await, 1);
}

/// The deadline comes between the effect and the answer.
#[tokio::test]
async fn what_was_done_and_not_answered_is_done_again_only_without_the_record() {
    let folder = tempfile::tempdir().unwrap();
    for (how, times) in [(How::Recorded, 1), (How::Bare, 2)] {
        let path = folder.path().join(format!("{how:?}"));
        let slow = Desk::start_with(&path, State::memory(), how, || Duration::from_millis(600)).await;
        slow.transfer(7).send().await;
        let later = Desk::start(&path, State::memory(), how).await;
        later.transfer(7).send().await.allowed(201);
        assert_eq!(later.done().await, times, "{how:?}");
    }
}

#[tokio::test]
async fn what_was_rolled_back_is_not_in_the_ledger_and_what_was_committed_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    let state = State::memory();
    let failing = Desk::start(&path, state.clone(), How::Fails).await;
    failing.transfer(7).send().await.refused(500, "internal");
    assert_eq!(failing.done().await, 0);
    // it said 500 once the call was written: whether it was done is for the ledger to say
    let late = Desk::start(&path, state.clone(), How::FailsLate).await;
    late.transfer(7).send().await.refused(500, "internal");
    assert_eq!(late.done().await, 1);
    let desk = Desk::start(&path, state, How::Recorded).await;
    let again = desk.transfer(7).send().await;
    assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
    assert_eq!(desk.done().await, 1);
}

/// It finds too little, because another run of the same call has moved the money: that is no refusal.
#[tokio::test]
async fn who_is_refused_because_of_another_run_gets_the_answer_of_that_run() {
    refused_because_of_another("/transfers").await;
    refused_because_of_another("/transfers/once").await;
}

async fn refused_because_of_another(path_of: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    let late = Desk::start(&path, State::memory(), How::Late).await;
    let other = Desk::start(&path, State::memory(), How::Recorded).await;
    let pay = |desk: &Desk, key: &str, body: &str| {
        let call = desk.client.post(path_of, body).header("idempotency-key", key);
        tokio::spawn(call.token(&desk.signer.token("alice", "")).send())
    };
    let body = r#"{"reference":"r","amount":7,"payer":"bob"}"#;
    other.transfer(7).send().await.allowed(201); // that Bob has something
    let key = &key_of("what Bob pays");
    let overtaken = pay(&late, key, body);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let first = pay(&other, key, body).await.unwrap();
    first.allowed(201);
    let overtaken = overtaken.await.unwrap();
    assert_eq!(overtaken.allowed(201).body, first.body);
    assert_eq!(late.done().await, 2);
    // under a key of its own it is refused
    pay(&late, &key_of("the same again"), body).await.unwrap().refused(409, "too_poor");
}

/// A process that was killed may leave a commit under way. A run elsewhere that fails before it meets any of that has no
/// answer of its own: it waits for the other's.
#[tokio::test]
async fn who_fails_while_another_run_is_being_committed_gets_the_answer_of_that_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    let slow = Desk::start_with(&path, State::memory(), How::Recorded, || Duration::from_millis(400)).await;
    let failing = Desk::start(&path, State::memory(), How::FailsEarly).await;
    let first = tokio::spawn(slow.transfer(7).send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let again = failing.transfer(7).send().await;
    assert_eq!(again.allowed(201).body, first.await.unwrap().allowed(201).body);
    assert_eq!(slow.done().await, 1);
}

/// What was answered without an effect is an answer as well: no run comes after it.
#[tokio::test]
async fn a_failure_that_was_answered_stays_one_wherever_the_call_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    let late = Desk::start(&path, State::memory(), How::Late).await;
    let failing = Desk::start(&path, State::memory(), How::FailsEarly).await;
    let under_way = tokio::spawn(late.transfer(7).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let first = failing.transfer(7).send().await;
    first.refused(500, "internal");
    for again in [under_way.await.unwrap(), late.transfer(7).send().await] {
        assert_eq!((again.status, again.body), (first.status, first.body.clone()));
    }
    assert_eq!(late.done().await, 0);
}

/// What it wrote into its transaction is gone with it: its answer is entered as that of one that wrote nothing.
#[tokio::test]
async fn who_rolls_back_and_is_refused_stays_refused_wherever_the_call_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    let late = Desk::start(&path, State::memory(), How::Late).await;
    let refusing = Desk::start(&path, State::memory(), How::Refuses).await;
    let under_way = tokio::spawn(late.transfer(7).send());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let first = refusing.transfer(7).send().await;
    first.refused(409, "refused");
    for again in [under_way.await.unwrap(), late.transfer(7).send().await] {
        assert_eq!((again.status, again.body), (first.status, first.body.clone()));
    }
    assert_eq!(late.done().await, 0);
}

/// What was committed is the answer, whatever its handler makes of it.
#[tokio::test]
async fn who_commits_and_is_refused_gets_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    let refusing = Desk::start(&path, State::memory(), How::RefusesLate).await;
    let first = refusing.transfer(7).send().await;
    first.allowed(201);
    let later = Desk::start(&path, State::memory(), How::Recorded).await;
    assert_eq!(later.transfer(7).send().await.allowed(201).body, first.body);
    assert_eq!(later.done().await, 1);
}

/// The handler may run again, but no other answer can come after what the ledger has.
#[tokio::test]
async fn what_is_in_the_ledger_is_answered_though_the_state_cannot_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    for how in [How::Recorded, How::Bare] {
        let path = folder.path().join(format!("{how:?}"));
        let state = Flaky::new(&palisade::Clock::system());
        let desk = Desk::start(&path, State::new(state.clone()), how).await;
        state.fail_from(1);
        let first = desk.transfer(7).send().await;
        let later = Desk::start(&path, State::memory(), how).await;
        let again = later.transfer(7).send().await;
        assert_eq!(again.allowed(201).body, first.allowed(201).body, "{how:?}");
        assert_eq!(later.done().await, 1);
    }
}

/// What cannot be written into the ledger is not said: another run may come to something else.
#[tokio::test]
async fn what_the_ledger_does_not_take_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::start(&folder.path().join("books"), State::memory(), How::FailsEarly).await;
    let lock = "CREATE TRIGGER full BEFORE INSERT ON palisade_answers BEGIN SELECT RAISE(ABORT, 'full'); END";
    sqlx::raw_sql(lock).execute(&desk.books).await.unwrap();
    desk.transfer(7).send().await.refused(503, "unavailable");
    sqlx::raw_sql("DROP TRIGGER full").execute(&desk.books).await.unwrap();
    desk.transfer(7).send().await.refused(500, "internal");
}

#[tokio::test]
async fn of_two_runs_one_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books");
    // two servers that know nothing of each other but the books
    let one = Desk::start(&path, State::memory(), How::Recorded).await;
    let other = Desk::start(&path, State::memory(), How::Recorded).await;
    let mut calls = Vec::new();
    for turn in 0..20 {
        let call = if turn % 2 == 0 { one.transfer(7) } else { other.transfer(7) };
        calls.push(tokio::spawn(call.send()));
    }
    let (bodies, _) = answers(calls).await;
    assert_eq!((bodies.len(), one.done().await), (1, 1));
    let balance: i64 =
        sqlx::query_scalar("SELECT sum(balance) FROM accounts").fetch_one(&one.books).await.unwrap();
    assert_eq!(balance, MONEY);
}
