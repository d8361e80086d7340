//! Three customers to begin with, so that the first `curl` has something to show.

use sqlx::SqlitePool;
use uuid::{Uuid, uuid};

use super::account::{self, Currency};
use super::transfer::{self, TransferOrder};
use crate::problem::Refusal;

/// Alice's account in euros.
pub const ALICE: Uuid = uuid!("a11ce000-0000-4000-8000-000000000001");
/// Alice's account in dollars.
pub const ALICE_USD: Uuid = uuid!("a11ce000-0000-4000-8000-000000000002");
/// Bob's account in euros.
pub const BOB: Uuid = uuid!("b0b00000-0000-4000-8000-000000000001");
/// Carol's account in euros.
pub const CAROL: Uuid = uuid!("ca201000-0000-4000-8000-000000000001");

/// Enough transfers that alice's list has a second page.
const HISTORY: i64 = 25;

/// Opens the first accounts and gives them a past, in one transaction; does nothing when there are accounts.
pub(super) async fn plant(writer: &SqlitePool) -> Result<(), Refusal> {
    let mut work = writer.begin_with("BEGIN IMMEDIATE").await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM accounts").fetch_one(&mut *work).await?;
    if known > 0 {
        return Ok(());
    }
    for (id, owner, name, currency, balance) in [
        (ALICE, "alice", "Everyday", Currency::Eur, 250_000),
        (ALICE_USD, "alice", "Travel", Currency::Usd, 80_000),
        (BOB, "bob", "Everyday", Currency::Eur, 120_000),
        (CAROL, "carol", "Everyday", Currency::Eur, 90_000),
    ] {
        account::open(&mut *work, id, owner, name, currency, balance).await?;
    }
    for day in 1..=HISTORY {
        let note = Some(format!("lunch, day {day}"));
        let order = TransferOrder { from: ALICE, to: BOB, amount: 1_000 + day, note, client_ref: None };
        transfer::post(&mut work, order).await?;
    }
    work.commit().await?;
    Ok(())
}
