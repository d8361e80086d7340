//! The bank's books: SQLite, bound parameters only, one writer.

mod account;
mod payout;
mod seed;
mod transfer;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use palisade::idempotency::{SQLITE_TABLE, SqliteLedger};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::problem::Refusal;

pub use account::{AccountRow, Currency};
pub use payout::{PayoutOrder, PayoutRow};
pub use seed::{ALICE, ALICE_USD, BOB, CAROL};
pub use transfer::{Place, Side, TransferOrder, TransferRow, post};

/// The tables. `STRICT` keeps a number a number, and the checks hold even if the code above them is wrong.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS accounts (
    id         BLOB    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    balance    INTEGER NOT NULL CHECK (balance >= 0),
    frozen     INTEGER NOT NULL CHECK (frozen IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS accounts_by_owner ON accounts (owner, created_at, id);

CREATE TABLE IF NOT EXISTS transfers (
    id         BLOB    NOT NULL PRIMARY KEY,
    sender     BLOB    NOT NULL REFERENCES accounts (id),
    receiver   BLOB    NOT NULL REFERENCES accounts (id),
    amount     INTEGER NOT NULL CHECK (amount > 0),
    currency   TEXT    NOT NULL,
    note       TEXT,
    client_ref TEXT,
    created_at INTEGER NOT NULL,
    CHECK (sender <> receiver)
) STRICT;
CREATE INDEX IF NOT EXISTS transfers_out ON transfers (sender, created_at, id);
CREATE INDEX IF NOT EXISTS transfers_in ON transfers (receiver, created_at, id);

CREATE TABLE IF NOT EXISTS payouts (
    id         BLOB    NOT NULL PRIMARY KEY,
    account    BLOB    NOT NULL REFERENCES accounts (id),
    partner    TEXT    NOT NULL,
    iban       TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    currency   TEXT    NOT NULL,
    purposes   TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS freezes (
    account    BLOB    NOT NULL REFERENCES accounts (id),
    frozen     INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    decided_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
";

/// The books.
///
/// SQLite admits one writer at a time, so writes queue for the one connection of `writer` instead of failing as busy;
/// in WAL mode readers are not held up by it.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Opens the books at `path`; makes them, with three customers, when there are none.
    pub async fn open(path: &Path) -> Result<Self, Refusal> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options.clone().create_if_missing(true))
            .await?;
        sqlx::raw_sql(SCHEMA).execute(&writer).await?;
        sqlx::raw_sql(SQLITE_TABLE).execute(&writer).await?;
        seed::plant(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { writer, readers })
    }

    /// A transaction: what is not committed has not happened.
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Refusal> {
        // IMMEDIATE takes the write lock before the balance is read, so that what was checked is what is changed.
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// The calls that were committed together with what they did.
    #[must_use]
    pub fn ledger(&self) -> SqliteLedger {
        SqliteLedger::new(self.readers.clone())
    }

    /// Waits for running statements and closes the books.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Microseconds since 1970.
fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    async fn books() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bank.sqlite")).await.unwrap();
        (folder, store)
    }

    fn order(from: Uuid, to: Uuid, amount: i64) -> TransferOrder {
        TransferOrder { from, to, amount, note: None, client_ref: None }
    }

    async fn balance(store: &Store, id: Uuid) -> i64 {
        store.account(id).await.unwrap().unwrap().balance
    }

    #[tokio::test]
    async fn a_second_opening_finds_the_books_as_they_were() {
        let (folder, store) = books().await;
        store.transfer(order(ALICE, BOB, 5)).await.unwrap();
        let before = balance(&store, ALICE).await;
        store.close().await;
        let again = Store::open(&folder.path().join("bank.sqlite")).await.unwrap();
        assert_eq!(balance(&again, ALICE).await, before);
        assert_eq!(again.accounts_of("alice", None).await.unwrap().len(), 2);
        assert_eq!(again.accounts_of("alice", Some(Currency::Usd)).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_transfer_changes_both_accounts_or_neither() {
        let (_folder, store) = books().await;
        let (alice, bob) = (balance(&store, ALICE).await, balance(&store, BOB).await);
        store.transfer(order(ALICE, BOB, 100)).await.unwrap();
        assert_eq!((balance(&store, ALICE).await, balance(&store, BOB).await), (alice - 100, bob + 100));

        let refused = store.transfer(order(ALICE, BOB, alice)).await;
        assert!(matches!(refused, Err(Refusal::InsufficientFunds)), "{refused:?}");
        // The sender was debited before the receiver was looked up: only the rollback puts it right.
        let refused = store.transfer(order(ALICE, Uuid::nil(), 100)).await;
        assert!(matches!(refused, Err(Refusal::UnknownReceiver)), "{refused:?}");
        let refused = store.transfer(order(ALICE, ALICE_USD, 100)).await;
        assert!(matches!(refused, Err(Refusal::CurrencyMismatch)), "{refused:?}");
        let refused = store.transfer(order(ALICE, ALICE, 100)).await;
        assert!(matches!(refused, Err(Refusal::SameAccount)), "{refused:?}");
        assert_eq!((balance(&store, ALICE).await, balance(&store, BOB).await), (alice - 100, bob + 100));
    }

    #[tokio::test]
    async fn nothing_leaves_a_frozen_account_until_it_is_thawed() {
        let (_folder, store) = books().await;
        store.set_frozen(CAROL, true, "lost card", "root").await.unwrap().unwrap();
        let refused = store.transfer(order(CAROL, BOB, 1)).await;
        assert!(matches!(refused, Err(Refusal::AccountFrozen)), "{refused:?}");
        store.transfer(order(BOB, CAROL, 1)).await.unwrap();
        store.set_frozen(CAROL, false, "found it", "root").await.unwrap().unwrap();
        store.transfer(order(CAROL, BOB, 1)).await.unwrap();
        assert!(store.set_frozen(Uuid::nil(), true, "nobody", "root").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_payout_takes_what_it_books() {
        let (_folder, store) = books().await;
        let before = balance(&store, BOB).await;
        let payout = |amount| PayoutOrder {
            account: BOB,
            partner: "acme".into(),
            iban: "DE02120300000000202051".into(),
            amount,
            purposes: vec!["rent".into(), "june".into()],
        };
        let row = store.pay_out(payout(700)).await.unwrap();
        assert_eq!((row.amount, row.currency, row.purposes.as_str()), (700, Currency::Eur, "rent\njune"));
        assert_eq!(balance(&store, BOB).await, before - 700);
        let refused = store.pay_out(payout(before)).await;
        assert!(matches!(refused, Err(Refusal::InsufficientFunds)), "{refused:?}");
        assert_eq!(balance(&store, BOB).await, before - 700);
    }

    #[tokio::test]
    async fn pages_show_every_transfer_once_while_new_ones_arrive() {
        let (_folder, store) = books().await;
        let there: Vec<Uuid> =
            store.transfers(ALICE, Side::Both, None, 100).await.unwrap().iter().map(|row| row.id).collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.transfers(ALICE, Side::Both, after, 7).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place());
            seen.extend(page.iter().map(|row| row.id));
            store.transfer(order(BOB, ALICE, 1)).await.unwrap();
        }
        assert_eq!(seen, there);
        assert_eq!(store.transfers(ALICE, Side::In, None, 100).await.unwrap().len(), 4);
        assert_eq!(store.transfers(ALICE, Side::Out, None, 100).await.unwrap().len(), there.len());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn concurrent_transfers_neither_make_nor_lose_money() {
        let (_folder, store) = books().await;
        let before = store.total(Currency::Eur).await.unwrap();
        let ring = [ALICE, BOB, CAROL, ALICE];
        let running: Vec<_> = (0..60_usize)
            .map(|turn| {
                let (store, from, to) = (store.clone(), ring[turn % 3], ring[turn % 3 + 1]);
                tokio::spawn(async move { store.transfer(order(from, to, 60_000)).await.is_ok() })
            })
            .collect();
        let mut done = 0;
        for one in running {
            done += usize::from(one.await.unwrap());
        }
        assert!(done > 0);
        assert_eq!(store.total(Currency::Eur).await.unwrap(), before);
    }
}
