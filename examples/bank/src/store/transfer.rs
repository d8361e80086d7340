//! Transfers between accounts of the bank.

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::account::{self, AccountRow, Currency};
use super::{Store, now};
use crate::problem::Refusal;

/// What to move.
#[derive(Debug, Clone)]
pub struct TransferOrder {
    /// The account that sends.
    pub from: Uuid,
    /// The account that receives.
    pub to: Uuid,
    /// In minor units.
    pub amount: i64,
    /// Shown to both sides.
    pub note: Option<String>,
    /// The sender's own reference.
    pub client_ref: Option<String>,
}

/// A row of `transfers`.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct TransferRow {
    /// Names the transfer.
    pub id: Uuid,
    /// The account that sent.
    pub sender: Uuid,
    /// The account that received.
    pub receiver: Uuid,
    /// In minor units.
    pub amount: i64,
    /// Of both accounts.
    pub currency: Currency,
    /// Shown to both sides.
    pub note: Option<String>,
    /// The sender's own reference.
    pub client_ref: Option<String>,
    /// Microseconds since 1970.
    pub created_at: i64,
}

/// Which transfers of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the document")]
pub enum Side {
    Both,
    In,
    Out,
}

/// A place in a list that is ordered by time, then id: the pair is unique, so no row is shown twice or skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, palisade::Position)]
pub struct Place {
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Tells rows of the same microsecond apart.
    pub id: Uuid,
}

impl TransferRow {
    /// Where it stands in the list.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { created_at: self.created_at, id: self.id }
    }
}

impl Store {
    /// Moves money: both accounts change, or neither.
    pub async fn transfer(&self, order: TransferOrder) -> Result<TransferRow, Refusal> {
        let mut work = self.begin().await?;
        let row = post(&mut work, order).await?;
        work.commit().await?;
        Ok(row)
    }

    /// At most `limit` transfers of `account` that are older than `after`, newest first.
    pub async fn transfers(
        &self,
        account: Uuid,
        side: Side,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<TransferRow>, Refusal> {
        // Each half walks its own index and stops after `limit` rows. The comparison of pairs starts where the last
        // page ended, however many rows came or went since.
        let after = after.unwrap_or(Place { created_at: i64::MAX, id: Uuid::max() });
        sqlx::query_as(
            "SELECT * FROM (
                 SELECT * FROM transfers WHERE ?2 AND sender = ?1 AND (created_at, id) < (?4, ?5)
                 ORDER BY created_at DESC, id DESC LIMIT ?6)
             UNION ALL
             SELECT * FROM (
                 SELECT * FROM transfers WHERE ?3 AND receiver = ?1 AND (created_at, id) < (?4, ?5)
                 ORDER BY created_at DESC, id DESC LIMIT ?6)
             ORDER BY created_at DESC, id DESC LIMIT ?6",
        )
        .bind(account)
        .bind(side != Side::In)
        .bind(side != Side::Out)
        .bind(after.created_at)
        .bind(after.id)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(Refusal::from)
    }
}

/// Moves money within a transaction that the caller commits; without the commit nothing has happened.
pub async fn post(work: &mut SqliteConnection, order: TransferOrder) -> Result<TransferRow, Refusal> {
    if order.from == order.to {
        return Err(Refusal::SameAccount);
    }
    let sender = debit(work, order.from, order.amount).await?;
    let receiver = account::one(&mut *work, order.to).await?.ok_or(Refusal::UnknownReceiver)?;
    if receiver.currency != sender.currency {
        return Err(Refusal::CurrencyMismatch);
    }
    let balance = receiver.balance.checked_add(order.amount).ok_or(Refusal::ReceiverFull)?;
    sqlx::query("UPDATE accounts SET balance = ?2 WHERE id = ?1")
        .bind(order.to)
        .bind(balance)
        .execute(&mut *work)
        .await?;
    record(work, order, sender.currency).await
}

/// Takes `amount` from `id` if it may be taken, and returns the account as it was.
pub(super) async fn debit(work: &mut SqliteConnection, id: Uuid, amount: i64) -> Result<AccountRow, Refusal> {
    let account = account::one(&mut *work, id).await?.ok_or(Refusal::NoSuchAccount)?;
    if account.frozen {
        return Err(Refusal::AccountFrozen);
    }
    if account.balance < amount {
        return Err(Refusal::InsufficientFunds);
    }
    sqlx::query("UPDATE accounts SET balance = balance - ?2 WHERE id = ?1")
        .bind(id)
        .bind(amount)
        .execute(work)
        .await?;
    Ok(account)
}

async fn record(
    work: &mut SqliteConnection,
    order: TransferOrder,
    currency: Currency,
) -> Result<TransferRow, Refusal> {
    sqlx::query_as(
        "INSERT INTO transfers (id, sender, receiver, amount, currency, note, client_ref, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING *",
    )
    .bind(Uuid::now_v7())
    .bind(order.from)
    .bind(order.to)
    .bind(order.amount)
    .bind(currency)
    .bind(order.note)
    .bind(order.client_ref)
    .bind(now())
    .fetch_one(work)
    .await
    .map_err(Refusal::from)
}
