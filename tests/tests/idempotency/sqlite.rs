//! The ledger in SQLite.

use palisade::idempotency::{Ledger, LedgerError, Line, SQLITE_TABLE, SqliteLedger, Transaction};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

const NOW: u64 = 1_800_000_000;

fn line(key: u8, value: &str, now: u64, ends: u64) -> Line {
    Line::new([key; 32], value.into(), now, ends)
}

#[tokio::test]
async fn a_line_is_there_once_and_what_has_ended_goes_a_few_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("books")).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(SQLITE_TABLE).execute(&pool).await.unwrap();
    let ledger = SqliteLedger::new(pool.clone());
    let found = async |key: u8, now: u64| ledger.find([key; 32], now).await.unwrap();
    let count = async || {
        let lines: i64 =
            sqlx::query_scalar("SELECT count(*) FROM palisade_answers").fetch_one(&pool).await.unwrap();
        lines
    };

    let mut work = pool.begin().await.unwrap();
    for key in 0..100 {
        work.insert(line(key, "first", NOW, NOW + 60)).await.unwrap();
    }
    work.commit().await.unwrap();
    assert_eq!(found(99, NOW + 59).await.as_deref(), Some(&b"first"[..]));
    assert_eq!(found(99, NOW + 60).await, None, "it has ended");

    let mut work = pool.begin().await.unwrap();
    let again = work.insert(line(99, "second", NOW + 59, NOW + 120)).await;
    assert!(matches!(again, Err(LedgerError::Repeated)), "{again:?}");
    work.rollback().await.unwrap();
    assert_eq!(count().await, 100);

    // of those that have ended none is in the way
    let mut work = pool.begin().await.unwrap();
    work.insert(line(99, "third", NOW + 60, NOW + 120)).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(found(99, NOW + 60).await.as_deref(), Some(&b"third"[..]));
    assert_eq!(count().await, 100 - 32);

    // one in a transaction of its own
    ledger.insert(line(200, "fourth", NOW, NOW + 60)).await.unwrap();
    assert_eq!(found(200, NOW).await.as_deref(), Some(&b"fourth"[..]));
    let again = ledger.insert(line(200, "fifth", NOW, NOW + 60)).await;
    assert!(matches!(again, Err(LedgerError::Repeated)), "{again:?}");
    pool.close().await;
}
