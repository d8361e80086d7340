//! Clocks and the ledger: its lines end by that of the database, and not before the state has forgotten their calls.

use std::time::Duration;

use palisade::{AnswerKeys, Clock, KeptAnswers, Settings, State};
use palisade_tests::client::{Call, Client};
use palisade_tests::dice::key_of;
use palisade_tests::ledger::{Books, How, Service, books, build};
use palisade_tests::postgres_server::Server;
use palisade_tests::tokens::{Signer, claims, header, now};

use crate::states::Flaky;

const KEYS: &str = "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
const DAY: u64 = 24 * 3600;

/// A server of its own, by a clock of its own.
struct Desk {
    client: Client,
    signer: Signer,
    clock: Clock,
}

impl Desk {
    async fn of(books: &Books, state: State, clock: Clock) -> Self {
        let signer = Signer::new("k1");
        let service = Service { books: books.clone(), how: How::Recorded, pause: || Duration::ZERO };
        let answers = KeptAnswers::new(state, AnswerKeys::from_list(KEYS).unwrap());
        let answers = answers.margin(Duration::from_secs(1));
        let settings = Settings::new().clock(clock.clone());
        let server = build(service, signer.jwks(), answers, settings);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { client, signer, clock }
    }

    /// One that knows nothing of any call but what is in the books, and whose clock says this.
    async fn at(books: &Books, time: u64) -> Self {
        Self::of(books, State::memory(), Clock::fixed(time)).await
    }

    fn transfer(&self, path: &str, key: &str) -> Call {
        let mut claims = claims("alice", "");
        let now = self.clock.now().unwrap().unix();
        claims["iat"] = now.into();
        claims["exp"] = (now + 60).into();
        let call = self.client.post(path, r#"{"reference":"r","amount":7}"#);
        call.header("idempotency-key", &key_of(key)).token(&self.signer.sign(&header("k1"), &claims))
    }
}

/// So much time passes in the database.
async fn pass(books: &Books, time: Duration) {
    let (earlier, time) = ("UPDATE palisade_answers SET ends = ends - $1", time.as_secs().cast_signed());
    match books {
        Books::Sqlite(pool) => _ = sqlx::query(earlier).bind(time).execute(pool).await.unwrap(),
        Books::Postgres(pool) => _ = sqlx::query(earlier).bind(time).execute(pool).await.unwrap(),
    }
}

async fn does_nothing_twice(books: Books) {
    let right = Desk::at(&books, now()).await;
    let first = right.transfer("/transfers", "a").send().await;
    first.allowed(201);
    for wrong in [now() + DAY + 1, now() + 1000 * DAY, now() - DAY] {
        let wrong = Desk::at(&books, wrong).await;
        // another call, which removes lines that have ended
        let other = key_of(&wrong.clock.now().unwrap().unix().to_string());
        wrong.transfer("/transfers", &other).send().await.allowed(201);
        let again = wrong.transfer("/transfers", "a").send().await;
        assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
        assert_eq!(again.body, first.body);
        // nor does anybody, after that, of what it did
        let later = Desk::at(&books, now()).await;
        for key in ["a", &other] {
            let again = later.transfer("/transfers", key).send().await;
            assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
        }
    }
    assert_eq!(books.booked().await.len(), 4);
}

#[tokio::test]
async fn an_instance_whose_clock_is_wrong_does_nothing_twice_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    does_nothing_twice(Books::Sqlite(books(&folder.path().join("books")).await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_whose_clock_is_wrong_does_nothing_twice_in_postgres() {
    let server = Server::start();
    does_nothing_twice(Books::new_in_postgres(&server.url()).await).await;
}

/// The state knows of the call that it began, for the time that it may take, the margin and the `ttl`: then a second after that
/// the handler may run again, unless the ledger knows better.
#[tokio::test]
async fn a_line_does_not_end_before_the_state_has_forgotten_its_call() {
    let folder = tempfile::tempdir().unwrap();
    let books = Books::Sqlite(books(&folder.path().join("books")).await);
    let time = Clock::fixed(now());
    let state = Flaky::new(&time);
    let desk = Desk::of(&books, State::new(state.clone()), time.clone()).await;
    let call = async || desk.transfer("/transfers/brief", "a").send().await;
    state.fail_from(1); // the claim is made, and the answer not kept
    let first = call().await;
    first.allowed(201);
    state.fail_from(usize::MAX);
    call().await.refused(409, "idempotency_in_progress");
    let lease = Duration::from_millis(2500); // a second that it may take, and one of margin; it is kept for one more
    time.advance(lease);
    pass(&books, lease + Duration::from_millis(500)).await;
    let again = call().await;
    assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
    assert_eq!((again.body, books.booked().await.len()), (first.body, 1));
}
