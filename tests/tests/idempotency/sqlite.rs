//! The ledger in SQLite.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade::idempotency::{Ledger, LedgerError, Line, SQLITE_TABLE, SqliteLedger, Transaction};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

const MINUTE: Duration = Duration::from_secs(60);
/// Of what a database counts in, the first is over in part.
const SECOND: Duration = Duration::from_secs(1);

fn line(key: u8, value: &str) -> Line {
    Line::new([key; 32], value.into(), MINUTE)
}

#[tokio::test]
async fn a_line_is_there_once_and_what_has_ended_goes_a_few_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("books")).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(SQLITE_TABLE).execute(&pool).await.unwrap();
    let ledger = SqliteLedger::new(pool.clone());
    let found = async |key: u8| ledger.find([key; 32]).await.unwrap();
    // a minute of the database is over when its lines end a minute earlier
    let pass = async |time: Duration| {
        let earlier = sqlx::query("UPDATE palisade_answers SET ends = ends - $1");
        earlier.bind(time.as_secs().cast_signed()).execute(&pool).await.unwrap();
    };
    let count = async || {
        let lines: i64 =
            sqlx::query_scalar("SELECT count(*) FROM palisade_answers").fetch_one(&pool).await.unwrap();
        lines
    };

    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut work = pool.begin().await.unwrap();
    for key in 0..100 {
        work.insert(line(key, "first")).await.unwrap();
    }
    work.commit().await.unwrap();
    let first: i64 =
        sqlx::query_scalar("SELECT min(ends) FROM palisade_answers").fetch_one(&pool).await.unwrap();
    assert!(Duration::from_secs(first.cast_unsigned()) >= before + MINUTE, "{first}, from {before:?} on");
    pass(MINUTE / 2).await;
    assert_eq!(found(99).await.as_deref(), Some(&b"first"[..]));

    let mut work = pool.begin().await.unwrap();
    let again = work.insert(line(99, "second")).await;
    assert!(matches!(again, Err(LedgerError::Repeated)), "{again:?}");
    work.rollback().await.unwrap();
    assert_eq!(count().await, 100);

    // of those that have ended none is in the way
    pass(MINUTE / 2 + SECOND).await;
    assert_eq!(found(99).await, None, "it has ended");
    let mut work = pool.begin().await.unwrap();
    work.insert(line(99, "third")).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(found(99).await.as_deref(), Some(&b"third"[..]));
    assert_eq!(count().await, 100 - 32);

    // one in a transaction of its own
    ledger.insert(line(200, "fourth")).await.unwrap();
    assert_eq!(found(200).await.as_deref(), Some(&b"fourth"[..]));
    let again = ledger.insert(line(200, "fifth")).await;
    assert!(matches!(again, Err(LedgerError::Repeated)), "{again:?}");
    pool.close().await;
}
