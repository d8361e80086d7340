//! The ledger in Postgres.

use std::time::Duration;

use palisade::idempotency::{Ledger, LedgerError, Line, POSTGRES_TABLE, PostgresLedger, Transaction};
use palisade_tests::postgres_server::Server;
use sqlx::PgPool;

const NOW: u64 = 1_800_000_000;

fn line(key: u8, value: &str, now: u64, ends: u64) -> Line {
    Line::new([key; 32], value.into(), now, ends)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_there_when_it_was_committed_and_once() {
    let server = Server::start();
    let pool = PgPool::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(POSTGRES_TABLE).execute(&pool).await.unwrap();
    let ledger = PostgresLedger::new(pool.clone());
    let found = async |key: u8, now: u64| ledger.find([key; 32], now).await.unwrap();

    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "first", NOW, NOW + 60)).await.unwrap();
    assert_eq!(found(1, NOW).await, None, "it is not committed");
    work.rollback().await.unwrap();
    assert_eq!(found(1, NOW).await, None);

    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "first", NOW, NOW + 60)).await.unwrap();
    // another run waits for this one, and then is too late
    let (other, rest) = (pool.clone(), Duration::from_millis(200));
    let late = tokio::spawn(async move {
        let mut work = other.begin().await.unwrap();
        work.insert(line(1, "second", NOW, NOW + 60)).await
    });
    tokio::time::sleep(rest).await;
    work.commit().await.unwrap();
    assert!(matches!(late.await.unwrap(), Err(LedgerError::Repeated)));
    assert_eq!(found(1, NOW + 59).await.as_deref(), Some(&b"first"[..]));
    assert_eq!(found(1, NOW + 60).await, None, "it has ended");
    assert_eq!(found(2, NOW).await, None);

    // and is in nobody's way from then on
    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "third", NOW + 60, NOW + 120)).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(found(1, NOW + 60).await.as_deref(), Some(&b"third"[..]));

    // one in a transaction of its own
    ledger.insert(line(200, "fourth", NOW, NOW + 60)).await.unwrap();
    assert_eq!(found(200, NOW).await.as_deref(), Some(&b"fourth"[..]));
    let again = ledger.insert(line(200, "fifth", NOW, NOW + 60)).await;
    assert!(matches!(again, Err(LedgerError::Repeated)), "{again:?}");
    pool.close().await;
}
