//! Payouts that leave the bank.

use uuid::Uuid;

use super::account::Currency;
use super::{Store, now, transfer};
use crate::problem::Refusal;

/// What to pay out.
#[derive(Debug, Clone)]
pub struct PayoutOrder {
    /// The account that pays.
    pub account: Uuid,
    /// The partner that asked for it.
    pub partner: String,
    /// Where it goes.
    pub iban: String,
    /// In minor units.
    pub amount: i64,
    /// Words for the statement.
    pub purposes: Vec<String>,
}

/// A row of `payouts`.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PayoutRow {
    /// Names the payout.
    pub id: Uuid,
    /// The account that paid.
    pub account: Uuid,
    /// The partner that asked for it.
    pub partner: String,
    /// Where it goes.
    pub iban: String,
    /// In minor units.
    pub amount: i64,
    /// Of the account.
    pub currency: Currency,
    /// Words for the statement, one a line.
    pub purposes: String,
    /// Microseconds since 1970.
    pub created_at: i64,
}

impl Store {
    /// Takes the money from the account and books the payout.
    pub async fn pay_out(&self, order: PayoutOrder) -> Result<PayoutRow, Refusal> {
        let mut work = self.begin().await?;
        let payer = transfer::debit(&mut work, order.account, order.amount).await?;
        let row = sqlx::query_as(
            "INSERT INTO payouts (id, account, partner, iban, amount, currency, purposes, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING *",
        )
        .bind(Uuid::now_v7())
        .bind(order.account)
        .bind(order.partner)
        .bind(order.iban)
        .bind(order.amount)
        .bind(payer.currency)
        .bind(order.purposes.join("\n"))
        .bind(now())
        .fetch_one(&mut *work)
        .await?;
        work.commit().await?;
        Ok(row)
    }
}
