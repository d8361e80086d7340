//! A ledger in SQLite: the database of the effect, through sqlx.
//!
//! Time is that of the machine, which all who open the file share.

use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use super::ledger::{Ledger, LedgerError, Line, Transaction};
use super::sql::{failed, seconds};
use crate::authn::StoreFuture;

/// The table of the ledger, for the migrations of the application.
pub const SQLITE_TABLE: &str = "
CREATE TABLE IF NOT EXISTS palisade_answers (
    key    BLOB    NOT NULL PRIMARY KEY,
    answer BLOB    NOT NULL,
    ends   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS palisade_answers_by_end ON palisade_answers (ends);
";

/// Finds what was committed in a SQLite database. Its pool must see the last commit: it is of the same file.
#[derive(Clone, Debug)]
pub struct SqliteLedger(SqlitePool);

impl SqliteLedger {
    /// Of this database, which has the table [`SQLITE_TABLE`].
    #[must_use]
    pub const fn new(pool: SqlitePool) -> Self {
        Self(pool)
    }
}

impl Ledger for SqliteLedger {
    fn find(&self, key: [u8; 32]) -> StoreFuture<'_, Option<Vec<u8>>, LedgerError> {
        Box::pin(async move {
            sqlx::query_scalar("SELECT answer FROM palisade_answers WHERE key = ?1 AND ends > unixepoch()")
                .bind(key.to_vec())
                .fetch_optional(&self.0)
                .await
                .map_err(failed)
        })
    }

    fn insert(&self, line: Line) -> StoreFuture<'_, (), LedgerError> {
        Box::pin(async move {
            let mut work = self.0.begin().await.map_err(failed)?;
            Transaction::insert(&mut *work, line).await?;
            work.commit().await.map_err(failed)
        })
    }
}

impl Transaction for SqliteConnection {
    fn insert(&mut self, line: Line) -> StoreFuture<'_, (), LedgerError> {
        Box::pin(async move {
            // a few at a time: the effect does not wait for what a long pause has left
            sqlx::query(
                "DELETE FROM palisade_answers WHERE key IN (
                     SELECT key FROM palisade_answers WHERE ends <= unixepoch() LIMIT 32)",
            )
            .execute(&mut *self)
            .await
            .map_err(failed)?;
            // one that has ended and was not removed yet is in nobody's way
            let written = sqlx::query(
                "INSERT INTO palisade_answers (key, answer, ends) VALUES (?1, ?2, unixepoch() + ?3)
                 ON CONFLICT (key) DO UPDATE SET answer = excluded.answer, ends = excluded.ends
                 WHERE palisade_answers.ends <= unixepoch()",
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

impl Transaction for sqlx::Transaction<'_, Sqlite> {
    fn insert(&mut self, line: Line) -> StoreFuture<'_, (), LedgerError> {
        Transaction::insert(&mut **self, line)
    }
}
