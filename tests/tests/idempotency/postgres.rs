//! The ledger in Postgres.

use std::time::{Duration, Instant};

use palisade::idempotency::{Ledger, LedgerError, Line, POSTGRES_TABLE, PostgresLedger, Transaction};
use palisade::{AnswerKeys, KeptAnswers, Settings, State};
use palisade_tests::client::Client;
use palisade_tests::dice::key_of;
use palisade_tests::ledger::{Books, How, Service, build};
use palisade_tests::postgres_server::Server;
use palisade_tests::tokens::Signer;
use palisade_tests::waiting::until;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const MINUTE: Duration = Duration::from_secs(60);

fn line(key: u8, value: &str) -> Line {
    Line::new([key; 32], value.into(), MINUTE)
}

/// The same database, whose clock is so far ahead for those who ask through this.
async fn ahead(server: &Server, by: Duration) -> PgPool {
    let name = format!("ahead_{}", by.as_secs());
    let clock = format!(
        "CREATE SCHEMA {name}; CREATE FUNCTION {name}.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
         AS $$ SELECT pg_catalog.statement_timestamp() + interval '{} seconds' $$",
        by.as_secs()
    );
    let options: PgConnectOptions = server.url().parse().unwrap();
    let pool = PgPool::connect_with(options.clone()).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(clock)).execute(&pool).await.unwrap();
    let path = format!("{name},public,pg_catalog");
    PgPool::connect_with(options.options([("search_path", path)])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_there_when_it_was_committed_and_once() {
    let server = Server::start();
    let pool = PgPool::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(POSTGRES_TABLE).execute(&pool).await.unwrap();
    let ledger = PostgresLedger::new(pool.clone());
    let found = async |key: u8| ledger.find([key; 32]).await.unwrap();

    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "first")).await.unwrap();
    assert_eq!(found(1).await, None, "it is not committed");
    work.rollback().await.unwrap();
    assert_eq!(found(1).await, None);

    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "first")).await.unwrap();
    // another run waits for this one, and then is too late
    let (other, rest) = (pool.clone(), Duration::from_millis(200));
    let late = tokio::spawn(async move {
        let mut work = other.begin().await.unwrap();
        work.insert(line(1, "second")).await
    });
    tokio::time::sleep(rest).await;
    work.commit().await.unwrap();
    assert!(matches!(late.await.unwrap(), Err(LedgerError::Repeated)));
    let later = ahead(&server, MINUTE / 2).await;
    let found_later = async |pool: &PgPool| PostgresLedger::new(pool.clone()).find([1; 32]).await.unwrap();
    assert_eq!(found_later(&later).await.as_deref(), Some(&b"first"[..]));
    let again = PostgresLedger::new(later).insert(line(1, "second")).await;
    assert!(matches!(again, Err(LedgerError::Repeated)), "{again:?}");
    let later = ahead(&server, MINUTE + Duration::from_secs(1)).await; // of the first second a part was over
    assert_eq!(found_later(&later).await, None, "it has ended");
    assert_eq!(found(2).await, None);

    // and is in nobody's way from then on
    let mut work = later.begin().await.unwrap();
    work.insert(line(1, "third")).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(found_later(&later).await.as_deref(), Some(&b"third"[..]));

    // one in a transaction of its own
    ledger.insert(line(200, "fourth")).await.unwrap();
    assert_eq!(found(200).await.as_deref(), Some(&b"fourth"[..]));
    let again = ledger.insert(line(200, "fifth")).await;
    assert!(matches!(again, Err(LedgerError::Repeated)), "{again:?}");
    pool.close().await;
}

/// The ledger's two seconds, and what a busy machine needs; a pool waits for thirty.
const IN_TIME: Duration = Duration::from_millis(3500);

/// A server whose pool has two connections, and waits for one as long as pools do that nobody told otherwise.
async fn of_a_small_pool(server: &Server, how: How) -> (Books, PgPool, Client, Signer) {
    let (books, signer) = (Books::new_in_postgres(&server.url()).await, Signer::new("k1"));
    let pool = PgPoolOptions::new().max_connections(2).connect(&server.url()).await.unwrap();
    let pause = || Duration::from_millis(300);
    let service = Service { books: Books::Postgres(pool.clone()), how, pause };
    let keys = AnswerKeys::from_list("k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
    let served = build(service, signer.jwks(), KeptAnswers::new(State::memory(), keys), Settings::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(served).listener(listener).await });
    (books, pool, client, signer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_has_no_connection_is_not_waited_for_and_nothing_is_done() {
    let server = Server::start();
    let (books, pool, client, signer) = of_a_small_pool(&server, How::Recorded).await;
    let call = |key: &str| {
        let call = client.post("/transfers", r#"{"reference":"r","amount":7}"#);
        call.header("idempotency-key", &key_of(key)).token(&signer.token("alice", "")).send()
    };
    call("a").await.allowed(201);
    let held = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    for key in ["b", "c"] {
        let began = Instant::now();
        call(key).await.refused(503, "unavailable");
        assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
    }
    assert_eq!(books.booked().await.len(), 1);
    drop(held);
    for key in ["b", "b", "c", "a"] {
        call(key).await.allowed(201);
    }
    assert_eq!(books.booked().await.len(), 3, "each once");
}

/// The effect is there, and its line cannot be written: nobody knows of the one by the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_cannot_be_written_leaves_a_call_that_is_not_done_again() {
    let server = Server::start();
    let (books, pool, client, signer) = of_a_small_pool(&server, How::Bare).await;
    let call = move || {
        let call = client.post("/transfers/once", r#"{"reference":"r","amount":7}"#);
        call.header("idempotency-key", &key_of("a")).token(&signer.token("alice", "")).send()
    };
    let mut held = pool.acquire().await.unwrap();
    let (began, called) = (Instant::now(), tokio::spawn(call()));
    // the handler has the other one, in its pause before it commits; whoever asks now is next
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'";
    while sqlx::query_scalar::<_, i64>(busy).fetch_one(&mut *held).await.unwrap() == 0 {
        assert!(began.elapsed() < IN_TIME);
    }
    let other = pool.acquire().await.unwrap();
    called.await.unwrap().refused(503, "unavailable");
    assert!(began.elapsed() < IN_TIME + Duration::from_millis(600), "{:?}", began.elapsed());
    assert_eq!(books.booked().await.len(), 1);
    drop((held, other));
    until(async || call().await.status == 409).await;
    call().await.refused(409, "outcome_unknown");
    assert_eq!(books.booked().await.len(), 1, "once");
}
