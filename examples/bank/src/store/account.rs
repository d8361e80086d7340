//! Accounts.

use sqlx::SqliteExecutor;
use uuid::Uuid;

use super::{Store, now};
use crate::api;
use crate::problem::Refusal;

/// A row of `accounts`.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow, palisade::Resource)]
#[resource(api::resource::Account)]
pub struct AccountRow {
    /// Names the account.
    pub id: Uuid,
    /// Subject of the owner's tokens.
    #[attribute]
    pub owner: String,
    /// What the owner calls it.
    pub name: String,
    /// Its currency.
    pub currency: Currency,
    /// In minor units.
    pub balance: i64,
    /// No money leaves it.
    #[attribute]
    pub frozen: bool,
    /// Microseconds since 1970.
    pub created_at: i64,
}

/// A currency, by its ISO 4217 code in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "ISO 4217")]
pub enum Currency {
    Eur,
    Usd,
    Gbp,
}

impl Store {
    /// One account.
    pub async fn account(&self, id: Uuid) -> Result<Option<AccountRow>, Refusal> {
        one(&self.readers, id).await
    }

    /// The accounts of `owner`, oldest first.
    pub async fn accounts_of(
        &self,
        owner: &str,
        currency: Option<Currency>,
    ) -> Result<Vec<AccountRow>, Refusal> {
        sqlx::query_as(
            "SELECT * FROM accounts WHERE owner = ?1 AND (?2 IS NULL OR currency = ?2)
             ORDER BY created_at, id LIMIT 100",
        )
        .bind(owner)
        .bind(currency)
        .fetch_all(&self.readers)
        .await
        .map_err(Refusal::from)
    }

    /// Opens an account.
    pub async fn open_account(
        &self,
        id: Uuid,
        owner: &str,
        name: &str,
        currency: Currency,
        balance: i64,
    ) -> Result<(), Refusal> {
        open(&self.writer, id, owner, name, currency, balance).await
    }

    /// Freezes or thaws an account and notes who decided it; `None` when there is no such account.
    pub async fn set_frozen(
        &self,
        id: Uuid,
        frozen: bool,
        reason: &str,
        decided_by: &str,
    ) -> Result<Option<AccountRow>, Refusal> {
        let mut work = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let changed = sqlx::query("UPDATE accounts SET frozen = ?2 WHERE id = ?1")
            .bind(id)
            .bind(frozen)
            .execute(&mut *work)
            .await?;
        if changed.rows_affected() == 0 {
            return Ok(None);
        }
        sqlx::query(
            "INSERT INTO freezes (account, frozen, reason, decided_by, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(id)
        .bind(frozen)
        .bind(reason)
        .bind(decided_by)
        .bind(now())
        .execute(&mut *work)
        .await?;
        let account = one(&mut *work, id).await?;
        work.commit().await?;
        Ok(account)
    }

    /// What all customers have together, by currency: transfers must not change it.
    pub async fn total(&self, currency: Currency) -> Result<i64, Refusal> {
        sqlx::query_scalar("SELECT coalesce(sum(balance), 0) FROM accounts WHERE currency = ?1")
            .bind(currency)
            .fetch_one(&self.readers)
            .await
            .map_err(Refusal::from)
    }
}

pub(super) async fn one(books: impl SqliteExecutor<'_>, id: Uuid) -> Result<Option<AccountRow>, Refusal> {
    Ok(sqlx::query_as("SELECT * FROM accounts WHERE id = ?1").bind(id).fetch_optional(books).await?)
}

pub(super) async fn open(
    books: impl SqliteExecutor<'_>,
    id: Uuid,
    owner: &str,
    name: &str,
    currency: Currency,
    balance: i64,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO accounts (id, owner, name, currency, balance, frozen, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
    )
    .bind(id)
    .bind(owner)
    .bind(name)
    .bind(currency)
    .bind(balance)
    .bind(now())
    .execute(books)
    .await?;
    Ok(())
}
