//! The server of `specs/ledger.yaml`: a transfer moves money in SQLite or Postgres and commits the record of its call with
//! it; a gift is given without one.

use std::path::Path;
use std::time::Duration;

use palisade::idempotency::{POSTGRES_TABLE, PostgresLedger, SQLITE_TABLE, SqliteLedger};
use palisade::operation::Idempotent;
use palisade::{Caller, Jwt, KeptAnswers, Problem, Server, Settings};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

#[allow(missing_docs, dead_code, reason = "as it is generated")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/ledger.rs"));
}

use api::*;

/// What both accounts have together, always.
pub const MONEY: i64 = 1_000_000;

/// Two accounts, and what moved between them. Nothing in them makes a transfer unique.
const IN_SQLITE: &str = "
CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0)) STRICT;
INSERT INTO accounts VALUES ('alice', 1000000), ('bob', 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS transfers (reference TEXT NOT NULL, amount INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS gifts (number INTEGER PRIMARY KEY, reference TEXT NOT NULL) STRICT;
";
/// The same.
const IN_POSTGRES: &str = "
CREATE TABLE IF NOT EXISTS accounts (name text PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
INSERT INTO accounts VALUES ('alice', 1000000), ('bob', 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS transfers (reference text NOT NULL, amount bigint NOT NULL);
CREATE TABLE IF NOT EXISTS gifts (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text NOT NULL);
";

/// Where the money is.
#[derive(Clone)]
pub enum Books {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The same words in both databases.
macro_rules! in_either {
    ($books:expr, $pool:ident => $words:expr) => {
        match $books {
            Books::Sqlite($pool) => $words,
            Books::Postgres($pool) => $words,
        }
    };
}

impl Books {
    /// Of an address that begins with `postgres:`, where the tables are, or else of a file.
    pub async fn open(at: &str) -> Self {
        match at.strip_prefix("postgres:") {
            None => Self::Sqlite(books(Path::new(at)).await),
            Some(_) => Self::Postgres(pool(at.parse().unwrap())),
        }
    }

    /// Of a Postgres, with new tables.
    pub async fn new_in_postgres(at: &str) -> Self {
        let pool = pool(at.parse().unwrap());
        sqlx::raw_sql(IN_POSTGRES).execute(&pool).await.unwrap();
        sqlx::raw_sql(POSTGRES_TABLE).execute(&pool).await.unwrap();
        Self::Postgres(pool)
    }

    /// What was booked, in order.
    pub async fn booked(&self) -> Vec<String> {
        let query = "SELECT reference FROM transfers";
        let mut booked: Vec<String> =
            in_either!(self, pool => sqlx::query_scalar(query).fetch_all(pool).await.unwrap());
        booked.sort();
        booked
    }

    /// What Alice has, and Bob.
    pub async fn balances(&self) -> (i64, i64) {
        let query = "SELECT (SELECT balance FROM accounts WHERE name = 'alice'), (SELECT balance FROM accounts WHERE name = 'bob')";
        in_either!(self, pool => sqlx::query_as(query).fetch_one(pool).await.unwrap())
    }
}

/// One that waits for nobody: a server that cannot be reached says so.
fn pool(options: PgConnectOptions) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_millis(500));
    pool.connect_lazy_with(options)
}

pub async fn books(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    sqlx::raw_sql(IN_SQLITE).execute(&pool).await.unwrap();
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
    /// It fails before it comes to the books.
    FailsEarly,
    /// It is refused, once the call is written into the transaction.
    Refuses,
    /// It is committed, and then it is refused.
    RefusesLate,
}

pub struct Service {
    pub books: Books,
    pub how: How,
    /// Before and after the effect.
    pub pause: fn() -> Duration,
}

impl Service {
    async fn moved<Op: Idempotent>(
        &self,
        caller: &Caller<Op>,
        order: Order,
        created: fn(Receipt) -> Op::Output,
    ) -> Result<Op::Output, Error> {
        match self.how {
            How::Late => tokio::time::sleep((self.pause)()).await,
            How::FailsEarly => return Err("it fails early".into()),
            _ => {}
        }
        in_either!(&self.books, pool => {
            let mut work = pool.begin().await?;
            // in one order, whoever pays: two transfers do not wait for each other
            let sign = if order.payer == OrderPayer::Alice { -1 } else { 1 };
            for (name, sign) in [("alice", sign), ("bob", -sign)] {
                let update = sqlx::query("UPDATE accounts SET balance = balance + $2 WHERE name = $1");
                update.bind(name).bind(sign * order.amount).execute(&mut *work).await?;
            }
            let insert = sqlx::query("INSERT INTO transfers (reference, amount) VALUES ($1, $2)");
            insert.bind(&order.reference).bind(order.amount).execute(&mut *work).await?;
            let count = sqlx::query_scalar("SELECT count(*) FROM transfers").fetch_one(&mut *work).await?;
            let output = created(Receipt { number: count });
            if self.how != How::Bare {
                caller.idempotency().commit_with(&mut work, &output).await?;
            }
            tokio::time::sleep((self.pause)()).await;
            match self.how {
                How::Fails => return Err("it fails".into()),
                How::Refuses => return Err(Refused.into()),
                _ => {}
            }
            work.commit().await?;
            tokio::time::sleep((self.pause)()).await;
            match self.how {
                How::FailsLate => Err("it fails late".into()),
                How::RefusesLate => Err(Refused.into()),
                _ => Ok(output),
            }
        })
    }

    async fn given(&self, gift: Gift) -> Result<GiveOutput, Error> {
        tokio::time::sleep((self.pause)()).await;
        let insert = "INSERT INTO gifts (reference) VALUES ($1) RETURNING number";
        let number = in_either!(&self.books, pool => {
            sqlx::query_scalar(insert).bind(&gift.reference).fetch_one(pool).await?
        });
        tokio::time::sleep((self.pause)()).await;
        Ok(GiveOutput::Created(Receipt { number }))
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl Api for Service {
    async fn transfer(
        &self,
        caller: Caller<Transfer>,
        input: TransferInput,
    ) -> Result<TransferOutput, Problem> {
        self.moved(&caller, input.body, TransferOutput::Created).await.map_err(problem)
    }

    async fn transfer_once(
        &self,
        caller: Caller<TransferOnce>,
        input: TransferOnceInput,
    ) -> Result<TransferOnceOutput, Problem> {
        self.moved(&caller, input.body, TransferOnceOutput::Created).await.map_err(problem)
    }

    async fn transfer_briefly(
        &self,
        caller: Caller<TransferBriefly>,
        input: TransferBrieflyInput,
    ) -> Result<TransferBrieflyOutput, Problem> {
        self.moved(&caller, input.body, TransferBrieflyOutput::Created).await.map_err(problem)
    }

    async fn give(&self, _: Caller<Give>, input: GiveInput) -> Result<GiveOutput, Problem> {
        self.given(input.body).await.map_err(problem)
    }

    async fn get_bucket(&self, _: Caller<GetBucket>, _: GetBucketInput) -> Result<GetBucketOutput, Problem> {
        Ok(GetBucketOutput::NoContent)
    }

    async fn hold_place(&self, _: Caller<HoldPlace>, _: HoldPlaceInput) -> Result<HoldPlaceOutput, Problem> {
        std::future::pending().await
    }

    async fn get_window(&self, _: Caller<GetWindow>, _: GetWindowInput) -> Result<GetWindowOutput, Problem> {
        Ok(GetWindowOutput::NoContent)
    }
}

fn problem(error: Error) -> Problem {
    if error.is::<Refused>() {
        return Problem::new(409, "refused", "it is refused");
    }
    let of_books = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    match of_books.is_some_and(sqlx::error::DatabaseError::is_check_violation) {
        true => Problem::new(409, "too_poor", "there is not enough"),
        false => Problem::internal(error),
    }
}

/// The server, with the books as its ledger.
pub fn build(service: Service, jwks: &str, answers: KeptAnswers, settings: Settings) -> Server {
    let jwt = Jwt::new(palisade::JwkSet::from_json(jwks).unwrap());
    let answers = match service.books.clone() {
        Books::Sqlite(pool) => answers.ledger(SqliteLedger::new(pool)),
        Books::Postgres(pool) => answers.ledger(PostgresLedger::new(pool)),
    };
    server(service).token(jwt).idempotency(answers).settings(settings).build().unwrap()
}
