//! What the ledgers of sqlx have in common.

use std::time::Duration;

use super::ledger::LedgerError;

/// As databases count it, and none too few. More than a century is one: it is added to another time.
pub(super) fn seconds(keep: Duration) -> i64 {
    u32::try_from(keep.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).into()
}

pub(super) fn failed(error: sqlx::Error) -> LedgerError {
    LedgerError::Store(error.into())
}
