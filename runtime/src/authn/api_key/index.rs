//! The keys of a server in memory, as requests need them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    change::Records,
    record::{KeyRecord, MAX_RECORDS, RecordError},
    store::KeyQuery,
};
use crate::clock::Now;

/// Uses of a key are noted once in so many seconds.
const NOTE_EVERY: u64 = 60;

/// Records by their id: found in constant time, listed in order.
#[derive(Default)]
pub(super) struct Index {
    by_id: HashMap<Arc<str>, Arc<Accepted>>,
    order: Vec<Arc<str>>,
}

/// A record as requests need it. What principals hold of it is shared with them, not copied for each.
pub(super) struct Accepted {
    pub(super) record: KeyRecord,
    pub(super) id: Arc<str>,
    pub(super) owner: Arc<str>,
    pub(super) scopes: Arc<str>,
    /// In seconds since 1970; 0 when it is not known.
    last_used: AtomicU64,
}

impl Index {
    pub(super) fn new(records: impl IntoIterator<Item = KeyRecord>) -> Result<Self, RecordError> {
        let mut index = Self::default();
        for record in records {
            record.check().map_err(RecordError::Fields)?;
            if index.order.len() >= MAX_RECORDS {
                return Err(RecordError::TooLarge);
            }
            let accepted = Accepted::from(record);
            index.order.push(Arc::clone(&accepted.id));
            if let Some(twice) = index.by_id.insert(Arc::clone(&accepted.id), Arc::new(accepted)) {
                return Err(RecordError::Twice(twice.id.as_ref().to_owned()));
            }
        }
        index.order.sort_unstable();
        Ok(index)
    }

    /// What is known of the last uses of keys, taken over from before.
    pub(super) fn used_like(self, before: &Self) -> Self {
        for (id, accepted) in &self.by_id {
            if let Some(known) = before.by_id.get(id) {
                accepted.last_used.fetch_max(known.last_used.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        self
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<Accepted>> {
        self.by_id.get(id)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Everything, to change it.
    pub(super) fn records(&self) -> Records {
        self.by_id.values().map(|accepted| (accepted.record.id.clone(), accepted.snapshot())).collect()
    }

    pub(super) fn page(&self, query: &KeyQuery) -> Vec<KeyRecord> {
        let start = query.after.as_deref().map_or(0, |after| self.order.partition_point(|id| **id <= *after));
        let behind = self.order.iter().skip(start).filter_map(|id| self.by_id.get(id));
        let asked = behind.filter(|key| query.owner.as_deref().is_none_or(|owner| owner == key.record.owner));
        asked.take(query.limit).map(|key| key.snapshot()).collect()
    }
}

impl Accepted {
    /// Whether this use is to be noted: it is the first in a minute.
    pub(super) fn is_to_be_noted(&self, now: Now) -> bool {
        let known = self.last_used.load(Ordering::Relaxed);
        now.unix() >= known.saturating_add(NOTE_EVERY)
            && self
                .last_used
                .compare_exchange(known, now.unix(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// The record with what is known of its last use.
    pub(super) fn snapshot(&self) -> KeyRecord {
        let last_used = match self.last_used.load(Ordering::Relaxed) {
            0 => None,
            at => Some(at),
        };
        KeyRecord { last_used, ..self.record.clone() }
    }
}

impl From<KeyRecord> for Accepted {
    fn from(record: KeyRecord) -> Self {
        Self {
            id: record.id.as_str().into(),
            owner: record.owner.as_str().into(),
            scopes: record.scopes.join(" ").into(),
            last_used: AtomicU64::new(record.last_used.unwrap_or(0)),
            record,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authn::api_key::NewKey, clock::Clock};

    fn records(count: usize) -> Vec<KeyRecord> {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        let owner = |number: usize| if number.is_multiple_of(2) { "even" } else { "odd" };
        let make = |number| NewKey::generate("a", owner(number), &[], now, None).unwrap().record;
        (0..count).map(make).collect()
    }

    #[test]
    fn pages_follow_each_other_until_nothing_is_left() {
        let index = Index::new(records(7)).unwrap();
        let page = |owner: Option<&str>, after: Option<String>| {
            index.page(&KeyQuery { owner: owner.map(str::to_owned), after, limit: 3 })
        };
        let mut seen = Vec::new();
        loop {
            let next = page(None, seen.last().map(|record: &KeyRecord| record.id.clone()));
            if next.is_empty() {
                break;
            }
            seen.extend(next);
        }
        assert_eq!(seen.len(), 7);
        assert!(seen.windows(2).all(|two| two[0].id < two[1].id));
        let odd = page(Some("odd"), None);
        assert!(odd.len() == 3 && odd.iter().all(|record| record.owner == "odd"));
        assert!(page(Some("nobody"), None).is_empty());
    }

    #[test]
    fn a_use_is_noted_once_a_minute_and_outlives_a_reading() {
        let records = records(1);
        let index = Index::new(records.clone()).unwrap();
        let noted = |index: &Index, at| {
            index.get(&records[0].id).unwrap().is_to_be_noted(Clock::fixed(at).now().unwrap())
        };
        assert!(noted(&index, 1_800_000_000) && !noted(&index, 1_800_000_059));
        let again = Index::new(records.clone()).unwrap().used_like(&index);
        assert!(!noted(&again, 1_800_000_059) && noted(&again, 1_800_000_060));
        assert_eq!(
            again.page(&KeyQuery { limit: 1, ..KeyQuery::default() })[0].last_used,
            Some(1_800_000_060)
        );
    }
}
