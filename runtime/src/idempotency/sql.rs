//! What the ledgers of sqlx have in common.

use std::time::Duration;

use super::ledger::LedgerError;

/// As databases count it, and none too few: of the second to which it is added a part is over. More than a century is one.
pub(super) fn seconds(keep: Duration) -> i64 {
    u32::try_from(keep.as_millis().div_ceil(1000).saturating_add(1)).unwrap_or(u32::MAX).into()
}

pub(super) fn failed(error: sqlx::Error) -> LedgerError {
    LedgerError::Store(error.into())
}
