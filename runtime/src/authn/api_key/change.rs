//! What happens to the keys of a store: made, rotated, revoked. One pure function over its records; an engine brings
//! the records, and makes the change whole or not at all.
//!
//! Rules:
//! 1. an id is given once, and a store in memory or in a file has at most 50,000 keys;
//! 2. only a key that is neither revoked nor over, and has no successor, is rotated; also one that is overdue. Its successor is good at once; it is itself until the
//!    end of the overlap, and never beyond its own `not_after`;
//! 3. rotating twice retires the first: the key in whose place a rotated key was made is revoked;
//! 4. a key that is revoked stays so, with its first time;
//! 5. a key that ended ninety days before a change goes with it, fifty of them at once: dead keys take no room for ever, and who
//!    looks into an incident still finds them in lists.

use std::collections::BTreeMap;

use super::{
    record::{KeyRecord, MAX_RECORDS},
    store::KeyStoreError,
};

/// Rule 5, in seconds.
const KEPT: u64 = 90 * 86_400;
pub(super) const AT_ONCE: usize = 50;

/// The records of a store, by id.
pub(super) type Records = BTreeMap<String, KeyRecord>;

/// A change to the keys of a store. Times are in seconds since 1970.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// A key is made.
    Create(KeyRecord),
    /// `successor` takes the place of the key `id`, which is good until `until`.
    Rotate {
        /// The key that is rotated.
        id: String,
        /// The record of the key that takes its place.
        successor: KeyRecord,
        /// When it happens.
        at: u64,
        /// The end of the overlap.
        until: u64,
    },
    /// The key `id` is good no more.
    Revoke {
        /// The key.
        id: String,
        /// When it happens.
        at: u64,
    },
    /// No key of `owner` is good any more.
    RevokeOwner {
        /// Whose keys.
        owner: String,
        /// When it happens.
        at: u64,
    },
}

impl Change {
    /// Makes the change in these records, and answers the ids of those that are new or other than before. When it is
    /// refused, they are as they were.
    ///
    /// # Errors
    /// When the rules of this module do not let it happen.
    pub fn apply(&self, records: &mut BTreeMap<String, KeyRecord>) -> Result<Vec<String>, KeyStoreError> {
        let over = records.values().filter(|record| is_over(record, self.at())).take(AT_ONCE);
        let over: Vec<String> = over.map(|record| record.id.clone()).collect();
        let gone: Vec<_> = over.iter().filter_map(|id| records.remove_entry(id)).collect();
        let touched = self.made(records);
        if touched.is_err() {
            records.extend(gone);
        }
        touched
    }

    /// When it happens.
    pub(super) fn at(&self) -> u64 {
        match self {
            Self::Create(record) => record.created.unwrap_or(0),
            Self::Rotate { at, .. } | Self::Revoke { at, .. } | Self::RevokeOwner { at, .. } => *at,
        }
    }

    fn made(&self, records: &mut Records) -> Result<Vec<String>, KeyStoreError> {
        match self {
            Self::Create(record) => create(records, record),
            Self::Rotate { id, successor, at, until } => rotate(records, id, successor, *at, *until),
            Self::Revoke { id, at } => {
                let record = records.get_mut(id).ok_or(KeyStoreError::NotFound)?;
                Ok(revoke(record, *at).into_iter().collect())
            }
            Self::RevokeOwner { owner, at } => {
                let owned = records.values_mut().filter(|record| record.owner == *owner);
                Ok(owned.filter_map(|record| revoke(record, *at)).collect())
            }
        }
    }
}

fn create(records: &mut Records, record: &KeyRecord) -> Result<Vec<String>, KeyStoreError> {
    if records.contains_key(&record.id) {
        return Err(KeyStoreError::Exists);
    }
    if records.len() >= MAX_RECORDS {
        return Err(KeyStoreError::Full);
    }
    records.insert(record.id.clone(), record.clone());
    Ok(vec![record.id.clone()])
}

fn rotate(
    records: &mut Records,
    id: &str,
    successor: &KeyRecord,
    at: u64,
    until: u64,
) -> Result<Vec<String>, KeyStoreError> {
    let mut old = records.get(id).ok_or(KeyStoreError::NotFound)?.clone();
    succeed(&mut old, successor, at, until)?;
    let mut touched = create(records, successor)?;
    let first = old.replaces.clone();
    records.insert(id.to_owned(), old);
    touched.push(id.to_owned());
    touched.extend(first.and_then(|first| revoke(records.get_mut(&first)?, at)));
    Ok(touched)
}

/// Rule 2, for the key that is rotated.
pub(super) fn succeed(
    old: &mut KeyRecord,
    successor: &KeyRecord,
    at: u64,
    until: u64,
) -> Result<(), KeyStoreError> {
    if old.revoked_at.is_some() || old.not_after.is_some_and(|end| at >= end) {
        return Err(KeyStoreError::NotLive);
    }
    if let Some(successor) = &old.successor {
        return Err(KeyStoreError::Rotated(successor.clone()));
    }
    old.not_after = Some(old.not_after.map_or(until, |end| end.min(until)));
    old.rotated_at = Some(at);
    old.successor = Some(successor.id.clone());
    Ok(())
}

/// Rule 5.
pub(super) fn is_over(record: &KeyRecord, at: u64) -> bool {
    record.ended().is_some_and(|end| at >= end.saturating_add(KEPT))
}

/// The id, if it was not revoked before.
pub(super) fn revoke(record: &mut KeyRecord, at: u64) -> Option<String> {
    if record.revoked_at.is_some() {
        return None;
    }
    record.revoked_at = Some(at);
    Some(record.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authn::api_key::NewKey, clock::Clock};

    const NOW: u64 = 1_800_000_000;

    fn key(owner: &str, not_after: Option<u64>) -> KeyRecord {
        let now = Clock::fixed(NOW).now().unwrap();
        NewKey::generate("bank_live", owner, &[], now, not_after).unwrap().record
    }

    fn rotation(old: &KeyRecord, at: u64, until: u64) -> (Change, String) {
        let now = Clock::fixed(at).now().unwrap();
        let successor = NewKey::succeeding(old, "bank_live", now, None).unwrap().record;
        let id = successor.id.clone();
        (Change::Rotate { id: old.id.clone(), successor, at, until }, id)
    }

    #[test]
    fn an_overlap_ends_no_later_than_the_key() {
        for (not_after, until) in [(None, NOW + 60), (Some(NOW + 10), NOW + 10), (Some(NOW + 90), NOW + 60)] {
            let old = key("acme", not_after);
            let mut records = Records::from([(old.id.clone(), old.clone())]);
            let (change, new) = rotation(&old, NOW, NOW + 60);
            assert_eq!(change.apply(&mut records).unwrap(), [new.clone(), old.id.clone()]);
            let old = &records[&old.id];
            assert_eq!((old.not_after, old.rotated_at), (Some(until), Some(NOW)));
            assert_eq!(
                (&old.successor, &records[&new].replaces),
                (&Some(new.clone()), &Some(old.id.clone()))
            );
        }
    }

    #[test]
    fn rotating_twice_retires_the_first_and_the_same_key_is_rotated_once() {
        let first = key("acme", None);
        let mut records = Records::from([(first.id.clone(), first.clone())]);
        let (change, second) = rotation(&first, NOW, NOW + 60);
        change.apply(&mut records).unwrap();
        let again = rotation(&first, NOW, NOW + 60).0.apply(&mut records);
        assert!(matches!(again, Err(KeyStoreError::Rotated(id)) if id == second));
        assert_eq!(records[&first.id].revoked_at, None);
        let (change, third) = rotation(&records[&second].clone(), NOW + 1, NOW + 61);
        change.apply(&mut records).unwrap();
        let revoked = [&first.id, &second, &third].map(|id| records[id].revoked_at);
        assert_eq!(revoked, [Some(NOW + 1), None, None]);
    }

    #[test]
    fn what_is_not_good_is_not_rotated_and_nothing_changes() {
        let mut revoked = key("acme", None);
        revoked.revoked_at = Some(NOW);
        let expired = key("acme", Some(NOW));
        for old in [revoked, expired] {
            let mut records = Records::from([(old.id.clone(), old.clone())]);
            let refused = rotation(&old, NOW, NOW + 60).0.apply(&mut records);
            assert!(matches!(refused, Err(KeyStoreError::NotLive)));
            assert_eq!(records.len(), 1);
        }
        let unknown = rotation(&key("acme", None), NOW, NOW + 60).0.apply(&mut Records::new());
        assert!(matches!(unknown, Err(KeyStoreError::NotFound)));
    }

    #[test]
    fn the_keys_of_an_owner_are_revoked_together_and_once() {
        let mut records: Records =
            ["acme", "acme", "other"].map(|owner| key(owner, None)).map(|key| (key.id.clone(), key)).into();
        let revoke = |at| Change::RevokeOwner { owner: "acme".to_owned(), at };
        assert_eq!(revoke(NOW).apply(&mut records).unwrap().len(), 2);
        assert_eq!(revoke(NOW + 1).apply(&mut records).unwrap().len(), 0);
        for record in records.values() {
            assert_eq!(record.revoked_at, (record.owner == "acme").then_some(NOW));
        }
        let unknown = Change::Revoke { id: "x".to_owned(), at: NOW };
        assert!(matches!(unknown.apply(&mut records), Err(KeyStoreError::NotFound)));
    }

    #[test]
    fn keys_that_ended_long_ago_go_with_a_change_and_not_with_one_that_is_refused() {
        let [mut revoked, expired, lately, good] =
            [None, Some(NOW), Some(NOW + 1), None].map(|end| key("acme", end));
        revoked.revoked_at = Some(NOW);
        let all = [&revoked, &expired, &lately, &good].map(|key| (key.id.clone(), key.clone()));
        let mut records = Records::from(all);
        let at = NOW + KEPT;
        let refused = Change::Revoke { id: "x".to_owned(), at }.apply(&mut records);
        assert!(refused.is_err() && records.len() == 4);
        Change::Revoke { id: good.id.clone(), at: at - 1 }.apply(&mut records).unwrap();
        assert_eq!(records.len(), 4);
        assert_eq!(Change::Revoke { id: lately.id.clone(), at }.apply(&mut records).unwrap(), [&*lately.id]);
        assert_eq!(records.keys().collect::<Vec<_>>(), {
            let mut left = [&lately.id, &good.id];
            left.sort();
            left
        });
    }

    #[test]
    fn an_id_is_given_once() {
        let one = key("acme", None);
        let mut records = Records::from([(one.id.clone(), one.clone())]);
        assert!(matches!(Change::Create(one).apply(&mut records), Err(KeyStoreError::Exists)));
    }
}
