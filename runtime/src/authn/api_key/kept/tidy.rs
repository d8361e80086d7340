//! Keys that are over for long: rule 6 of [`kept`](super).

use std::{collections::BTreeSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;

use super::Kept;
use crate::{
    authn::{
        api_key::{
            change::{AT_ONCE, is_over},
            record::KeyRecord,
            store::KeyStoreError,
        },
        store::in_time,
    },
    event::whole,
    state::{Expected, Key, Next},
};

/// How long a change waits for it.
const TIDYING: Duration = Duration::from_millis(300);

impl Kept {
    /// Rule 6. What it does not do, a later change does.
    pub(super) async fn tidy_beside(&self, circles: Vec<Key>, changed: &str, at: u64) {
        let Ok(alone) = Arc::clone(&self.tidying).try_lock_owned() else { return };
        let (kept, changed) = (self.clone(), changed.to_owned());
        let tidying = whole(async move {
            let _ = kept.tidy(circles, &changed, at).await;
            drop(alone);
        });
        // the change is made, whatever becomes of this
        let _ = in_time(Box::pin(AssertUnwindSafe(tidying).catch_unwind()), TIDYING).await;
    }

    async fn tidy(&self, circles: Vec<Key>, changed: &str, at: u64) -> Result<(), KeyStoreError> {
        let of_each = AT_ONCE / circles.len().max(1);
        let mut looked_at = BTreeSet::new();
        for list in circles {
            let mut ids = self.ids(list).await?;
            let behind = ids.partition_point(|id| &**id <= changed);
            ids.rotate_left(behind);
            looked_at.extend(ids.into_iter().take(of_each));
        }
        let looked_at = self.records(looked_at.into_iter().collect()).await?;
        let over: Vec<&KeyRecord> = looked_at.iter().filter(|record| is_over(record, at)).collect();
        self.forget(&over).await
    }

    /// Each list is changed once, however many of its keys go.
    pub(super) async fn forget(&self, records: &[&KeyRecord]) -> Result<(), KeyStoreError> {
        let gone: BTreeSet<&str> = records.iter().map(|record| &*record.id).collect();
        let lists: BTreeSet<_> =
            records.iter().flat_map(|record| self.lists(record).rev().enumerate()).collect();
        for (_, list) in lists {
            self.update(list, |text| {
                let left: Vec<&str> = text.lines().filter(|id| !gone.contains(id)).collect();
                let left = left.join("\n");
                Ok(((left != text).then_some(left), ()))
            })
            .await?;
        }
        for id in gone {
            let key = self.of_key(id);
            if let Some(record) = self.state.get(key).await? {
                self.state.swap(key, Expected::Version(record.version), Next::Nothing).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
