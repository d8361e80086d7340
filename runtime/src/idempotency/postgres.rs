//! A ledger in Postgres: the database of the effect, through sqlx.
//!
//! Time is when the server got the statement (`statement_timestamp`): one that waits for another transaction does not see its
//! line end meanwhile.

use sqlx::{PgConnection, PgPool, Postgres};

use super::ledger::{Ledger, LedgerError, Line, Transaction};
use super::sql::{failed, seconds};
use crate::authn::StoreFuture;

/// The table of the ledger, for the migrations of the application.
pub const POSTGRES_TABLE: &str = "
CREATE TABLE IF NOT EXISTS palisade_answers (
    key    bytea  NOT NULL PRIMARY KEY,
    answer bytea  NOT NULL,
    ends   bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS palisade_answers_by_end ON palisade_answers (ends);
";

/// Finds what was committed in a Postgres database. Its pool must reach the primary: a replica may lag behind.
#[derive(Clone, Debug)]
pub struct PostgresLedger(PgPool);

impl PostgresLedger {
    /// Of this database, which has the table [`POSTGRES_TABLE`].
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }
}

impl Ledger for PostgresLedger {
    fn find(&self, key: [u8; 32]) -> StoreFuture<'_, Option<Vec<u8>>, LedgerError> {
        Box::pin(async move {
            sqlx::query_scalar(
                "SELECT answer FROM palisade_answers
                 WHERE key = $1 AND ends > floor(extract(epoch FROM statement_timestamp()))::bigint",
            )
            .bind(key.to_vec())
            .fetch_optional(&self.0)
            .await
            .map_err(failed)
        })
    }

    fn insert(&self, line: Line) -> StoreFuture<'_, (), LedgerError> {
        Box::pin(async move {
            let mut work = self.0.begin().await.map_err(failed)?;
            // a connection that waits when nobody does any more would be out of the pool
            sqlx::query("SET LOCAL lock_timeout = '2s'").execute(&mut *work).await.map_err(failed)?;
            Transaction::insert(&mut *work, line).await?;
            work.commit().await.map_err(failed)
        })
    }
}

impl Transaction for PgConnection {
    fn insert(&mut self, line: Line) -> StoreFuture<'_, (), LedgerError> {
        Box::pin(async move {
            // a few at a time, and none that another transaction holds: nobody waits for this
            sqlx::query(
                "DELETE FROM palisade_answers WHERE key IN (
                     SELECT key FROM palisade_answers
                     WHERE ends <= floor(extract(epoch FROM statement_timestamp()))::bigint
                     LIMIT 32 FOR UPDATE SKIP LOCKED)",
            )
            .execute(&mut *self)
            .await
            .map_err(failed)?;
            // one that has ended and was not removed yet is in nobody's way
            let written = sqlx::query(
                "INSERT INTO palisade_answers (key, answer, ends)
                 VALUES ($1, $2, floor(extract(epoch FROM statement_timestamp()))::bigint + $3)
                 ON CONFLICT (key) DO UPDATE SET answer = EXCLUDED.answer, ends = EXCLUDED.ends
                 WHERE palisade_answers.ends <= floor(extract(epoch FROM statement_timestamp()))::bigint",
            )
            .bind(line.key.to_vec())
            .bind(line.value)
            .bind(seconds(line.keep))
            .execute(&mut *self)
            .await
            .map_err(failed)?;
            if written.rows_affected() == 1 { Ok(()) } else { Err(LedgerError::Repeated) }
        })
    }
}

impl Transaction for sqlx::Transaction<'_, Postgres> {
    fn insert(&mut self, line: Line) -> StoreFuture<'_, (), LedgerError> {
        Transaction::insert(&mut **self, line)
    }
}
