//! What the ledgers of sqlx have in common.

use super::ledger::LedgerError;

/// A time as databases keep it.
pub(super) fn seconds(unix: u64) -> i64 {
    i64::try_from(unix).unwrap_or(i64::MAX)
}

pub(super) fn failed(error: sqlx::Error) -> LedgerError {
    LedgerError::Store(error.into())
}
