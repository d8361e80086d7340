//! The keys of a server in memory, as requests need them.
//!
//! A look-up is the same work whether the id is one of them or not: it takes as many steps, and ends at a record. That is
//! the next one in an order that nobody outside knows, and whose id it has is for the caller to compare. So time does not
//! tell which ids there are, neither by the steps nor by memory that was last touched.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ipnet::IpNet;

use super::{
    change::Records,
    noted::NOTE_EVERY,
    record::{KeyRecord, MAX_RECORDS, RecordError},
    store::KeyQuery,
};
use crate::{
    authn::{Reason, present::Occasion},
    clock::Now,
    settings::network,
};

/// Records in the order of their ids, to be listed, and of the hashes of those, to be found.
pub(super) struct Index {
    by_id: Vec<Arc<Accepted>>,
    by_hash: Vec<Arc<Accepted>>,
    /// Of each of `by_hash`. No two are alike.
    hashes: Vec<u64>,
    hasher: RandomState,
}

/// A record as requests need it.
pub(super) struct Accepted {
    pub(super) record: KeyRecord,
    /// Separated by single spaces (RFC 6749 section 3.3).
    pub(super) scopes: Box<str>,
    /// Of the record's `addresses`.
    networks: Box<[IpNet]>,
    /// In seconds since 1970; 0 when it is not known.
    last_used: AtomicU64,
}

impl Index {
    pub(super) fn new(records: impl IntoIterator<Item = KeyRecord>) -> Result<Self, RecordError> {
        let mut by_id = Vec::new();
        for record in records {
            record.check().map_err(RecordError::Fields)?;
            if by_id.len() >= MAX_RECORDS {
                return Err(RecordError::TooLarge);
            }
            by_id.push(Arc::new(Accepted::from(record)));
        }
        by_id.sort_unstable_by(|one, other| one.record.id.cmp(&other.record.id));
        let mut pairs = by_id.iter().zip(by_id.iter().skip(1));
        if let Some((twice, _)) = pairs.find(|(one, next)| one.record.id == next.record.id) {
            return Err(RecordError::Twice(twice.record.id.clone()));
        }
        let (hasher, hashed) = hashed(&by_id);
        let (hashes, by_hash) = hashed.into_iter().unzip();
        Ok(Self { by_id, by_hash, hashes, hasher })
    }

    /// What is known of the last uses of keys, taken over from before.
    pub(super) fn used_like(self, before: &Self) -> Self {
        for accepted in &self.by_id {
            let known = before.nearest(&accepted.record.id);
            if let Some(known) = known.filter(|known| known.record.id == accepted.record.id) {
                accepted.last_used.fetch_max(known.last_used.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        self
    }

    /// The record of this id, or of another one where there is none; nothing only where there is nothing.
    pub(super) fn nearest(&self, id: &str) -> Option<&Arc<Accepted>> {
        let hash = self.hasher.hash_one(id);
        let at = self.hashes.partition_point(|other| *other < hash);
        self.by_hash.get(at.min(self.hashes.len().saturating_sub(1)))
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Everything, to change it.
    pub(super) fn records(&self) -> Records {
        self.by_id.iter().map(|accepted| (accepted.record.id.clone(), accepted.snapshot())).collect()
    }

    pub(super) fn page(&self, query: &KeyQuery) -> Vec<KeyRecord> {
        let start = query
            .after
            .as_deref()
            .map_or(0, |after| self.by_id.partition_point(|key| key.record.id.as_str() <= after));
        let behind = self.by_id.iter().skip(start);
        let asked = behind.filter(|key| query.is_of(&key.record));
        asked.take(query.limit).map(|key| key.snapshot()).collect()
    }
}

/// The records in the order of their hashes, by a key under which no two are alike: nearly always the first.
fn hashed(records: &[Arc<Accepted>]) -> (RandomState, Vec<(u64, Arc<Accepted>)>) {
    loop {
        let hasher = RandomState::new();
        let hash = |accepted: &Arc<Accepted>| (hasher.hash_one(&*accepted.record.id), Arc::clone(accepted));
        let mut hashed: Vec<_> = records.iter().map(hash).collect();
        hashed.sort_unstable_by_key(|(hash, _)| *hash);
        if hashed.iter().zip(hashed.iter().skip(1)).all(|((one, _), (next, _))| one != next) {
            return (hasher, hashed);
        }
    }
}

impl Accepted {
    /// Whether the last use that is known of is so long ago that this one is to be noted.
    pub(super) fn is_to_be_noted(&self, now: Now) -> bool {
        now.unix() >= self.last_used.load(Ordering::Relaxed).saturating_add(NOTE_EVERY)
    }

    pub(super) fn used(&self, now: Now) {
        self.last_used.fetch_max(now.unix(), Ordering::Relaxed);
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

impl Accepted {
    /// Why it is not good on this occasion, if it is bounded to others.
    pub(super) fn out_of_bounds(&self, on: &Occasion<'_>) -> Option<Reason> {
        let from = on.from.to_canonical();
        let KeyRecord { addresses, operations, .. } = &self.record;
        if !addresses.is_empty() && !self.networks.iter().any(|network| network.contains(&from)) {
            return Some(Reason::KeyFromElsewhere);
        }
        if !operations.is_empty() && !operations.iter().any(|id| id == on.operation) {
            return Some(Reason::KeyOfOtherOperations);
        }
        None
    }
}

impl From<KeyRecord> for Accepted {
    fn from(record: KeyRecord) -> Self {
        Self {
            scopes: record.scopes.join(" ").into(),
            networks: record.addresses.iter().filter_map(|text| network(text)).collect(),
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
            index.page(&KeyQuery { owner: owner.map(str::to_owned), after, limit: 3, ..KeyQuery::default() })
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
    fn every_id_is_found_and_every_other_meets_a_record() {
        assert!(Index::new([]).unwrap().nearest("AAAAAAAAAAAA").is_none());
        for count in [1, 2, 3, 1_000] {
            let known = records(count);
            let index = Index::new(known.clone()).unwrap();
            assert!(known.iter().all(|record| index.nearest(&record.id).unwrap().record.id == record.id));
            for stranger in records(100) {
                let met = &index.nearest(&stranger.id).unwrap().record.id;
                assert!(*met != stranger.id && known.iter().any(|record| record.id == *met));
            }
        }
    }

    #[test]
    fn a_use_is_noted_once_a_minute_and_outlives_a_reading() {
        let records = records(1);
        let index = Index::new(records.clone()).unwrap();
        let noted = |index: &Index, at| {
            let (key, now) = (index.nearest(&records[0].id).unwrap(), Clock::fixed(at).now().unwrap());
            let due = key.is_to_be_noted(now);
            if due {
                key.used(now);
            }
            due
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
