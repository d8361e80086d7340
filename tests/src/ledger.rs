//! The server of `specs/ledger.yaml`: a transfer moves money in SQLite and commits the record of its call with it.

use std::path::Path;
use std::time::Duration;

use palisade::idempotency::{SQLITE_TABLE, SqliteLedger};
use palisade::{Caller, Jwt, KeptAnswers, Problem, Server};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

#[allow(missing_docs, dead_code, reason = "as it is generated")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/ledger.rs"));
}

use api::*;

/// What both accounts have together, always.
pub const MONEY: i64 = 1_000_000;

/// The books: two accounts, and what moved between them. Nothing in them makes a transfer unique.
const BOOKS: &str = "
CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0)) STRICT;
INSERT OR IGNORE INTO accounts VALUES ('alice', 1000000), ('bob', 0);
CREATE TABLE IF NOT EXISTS transfers (reference TEXT NOT NULL, amount INTEGER NOT NULL) STRICT;
";

pub async fn books(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    sqlx::raw_sql(BOOKS).execute(&pool).await.unwrap();
    sqlx::raw_sql(SQLITE_TABLE).execute(&pool).await.unwrap();
    pool
}

/// How a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its call is committed with it.
    Recorded,
    /// It is not: what the others must not be like.
    Bare,
    /// It fails, once the call is written into the transaction.
    Fails,
    /// It is committed, and then it fails.
    FailsLate,
}

pub struct Service {
    pub books: SqlitePool,
    pub how: How,
    /// Before and after the commit.
    pub pause: fn() -> Duration,
}

impl Service {
    async fn moved(&self, caller: &Caller<Transfer>, order: Order) -> Result<TransferOutput, Error> {
        let mut work = self.books.begin().await?;
        for (name, amount) in [("alice", -order.amount), ("bob", order.amount)] {
            let update = sqlx::query("UPDATE accounts SET balance = balance + ?2 WHERE name = ?1");
            update.bind(name).bind(amount).execute(&mut *work).await?;
        }
        let insert = sqlx::query("INSERT INTO transfers (reference, amount) VALUES (?1, ?2)");
        insert.bind(&order.reference).bind(order.amount).execute(&mut *work).await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM transfers").fetch_one(&mut *work).await?;
        let output = TransferOutput::Created(Receipt { number: count });
        if self.how != How::Bare {
            caller.idempotency().commit_with(&mut work, &output).await?;
        }
        tokio::time::sleep((self.pause)()).await;
        if self.how == How::Fails {
            return Err("it fails".into());
        }
        work.commit().await?;
        tokio::time::sleep((self.pause)()).await;
        if self.how == How::FailsLate { Err("it fails late".into()) } else { Ok(output) }
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Api for Service {
    async fn transfer(
        &self,
        caller: Caller<Transfer>,
        input: TransferInput,
    ) -> Result<TransferOutput, Problem> {
        self.moved(&caller, input.body).await.map_err(Problem::internal)
    }
}

/// The server, with the books as its ledger.
pub fn build(service: Service, jwks: &str, answers: KeptAnswers) -> Server {
    let jwt = Jwt::new(palisade::JwkSet::from_json(jwks).unwrap());
    let ledger = SqliteLedger::new(service.books.clone());
    server(service).token(jwt).idempotency(answers.ledger(ledger)).build().unwrap()
}
