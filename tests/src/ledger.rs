//! The server of `specs/ledger.yaml`: a transfer moves money in SQLite and commits the record of its call with it; a gift
//! is given without one.

use std::path::Path;
use std::time::Duration;

use palisade::idempotency::{SQLITE_TABLE, SqliteLedger};
use palisade::{Caller, Jwt, KeptAnswers, Problem, Server, Settings};
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
CREATE TABLE IF NOT EXISTS gifts (reference TEXT NOT NULL) STRICT;
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
    /// It begins after a pause, in which others may be committed.
    Late,
}

pub struct Service {
    pub books: SqlitePool,
    pub how: How,
    /// Before and after the effect.
    pub pause: fn() -> Duration,
}

impl Service {
    async fn moved(&self, caller: &Caller<Transfer>, order: Order) -> Result<TransferOutput, Error> {
        if self.how == How::Late {
            tokio::time::sleep((self.pause)()).await;
        }
        let mut work = self.books.begin().await?;
        let payer_is_alice = order.payer == OrderPayer::Alice;
        let (payer, payee) = if payer_is_alice { ("alice", "bob") } else { ("bob", "alice") };
        for (name, amount) in [(payer, -order.amount), (payee, order.amount)] {
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

    async fn given(&self, gift: Gift) -> Result<GiveOutput, Error> {
        tokio::time::sleep((self.pause)()).await;
        let insert = sqlx::query("INSERT INTO gifts (reference) VALUES (?1)").bind(&gift.reference);
        let number = insert.execute(&self.books).await?.last_insert_rowid();
        tokio::time::sleep((self.pause)()).await;
        Ok(GiveOutput::Created(Receipt { number }))
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Api for Service {
    async fn transfer(
        &self,
        caller: Caller<Transfer>,
        input: TransferInput,
    ) -> Result<TransferOutput, Problem> {
        self.moved(&caller, input.body).await.map_err(problem)
    }

    async fn give(&self, _: Caller<Give>, input: GiveInput) -> Result<GiveOutput, Problem> {
        self.given(input.body).await.map_err(problem)
    }

    async fn get_bucket(&self, _: Caller<GetBucket>, _: GetBucketInput) -> Result<GetBucketOutput, Problem> {
        Ok(GetBucketOutput::NoContent)
    }

    async fn get_window(&self, _: Caller<GetWindow>, _: GetWindowInput) -> Result<GetWindowOutput, Problem> {
        Ok(GetWindowOutput::NoContent)
    }
}

fn problem(error: Error) -> Problem {
    let of_books = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    match of_books.is_some_and(sqlx::error::DatabaseError::is_check_violation) {
        true => Problem::new(409, "too_poor", "there is not enough"),
        false => Problem::internal(error),
    }
}

/// The server, with the books as its ledger.
pub fn build(service: Service, jwks: &str, answers: KeptAnswers, settings: Settings) -> Server {
    let jwt = Jwt::new(palisade::JwkSet::from_json(jwks).unwrap());
    let ledger = SqliteLedger::new(service.books.clone());
    server(service).token(jwt).idempotency(answers.ledger(ledger)).settings(settings).build().unwrap()
}
