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
        let (signer, books) = (Signer::new("k1"), books(path).await);
        let pause: fn() -> _ =
            if how == How::Late { || Duration::from_millis(200) } else { || Duration::ZERO };
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
    // which without the record would not be so
    let bare = Desk::start(&folder.path().join("bare"), State::memory(), How::Bare).await;
    bare.transfer(7).send().await.allowed(201);
    let later = Desk::start(&folder.path().join("bare"), State::memory(), How::Bare).await;
    later.transfer(7).send().await.allowed(201);
    assert_eq!(later.done().await, 2);
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

/// The handler may run again, but no other answer can come after what was committed.
#[tokio::test]
async fn what_was_committed_is_answered_though_the_state_cannot_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    for (how, status) in [(How::Recorded, 201), (How::Bare, 503)] {
        let path = folder.path().join(format!("{how:?}"));
        let state = Flaky::new(&palisade::Clock::system());
        let desk = Desk::start(&path, State::new(state.clone()), how).await;
        state.fail_from(1);
        let first = desk.transfer(7).send().await;
        assert_eq!(first.status, status, "{how:?}");
        assert_eq!(desk.done().await, 1);
        let later = Desk::start(&path, State::memory(), how).await;
        let again = later.transfer(7).send().await;
        again.allowed(201);
        if how == How::Recorded {
            assert_eq!((again.body, later.done().await), (first.body, 1));
        }
    }
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
