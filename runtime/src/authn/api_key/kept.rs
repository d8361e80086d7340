//! Keys in a [`State`], shared by all instances that share it.
//!
//! | record | has |
//! |---|---|
//! | of an owner | the lines of all keys of the owner, in the order of their ids |
//! | of a key | when it was last used, and whose it is |
//! | the index | the ids of all keys in order, each with its owner |
//!
//! Rules:
//! 1. a change is about the keys of one owner, so one record holds all of it: it is made whole or not at all;
//! 2. the index has a key first, then its own record is made, then it is in that of its owner: what is interrupted leaves an
//!    id behind that nobody has the key of, and no key that a list does not show. What is refused is refused before;
//! 3. a key that is not there costs as many looks as one that is;
//! 4. of the keys of an owner only the one that is looked up is read, however many there are: its line is found by halves
//!    ([`record_of`]);
//! 5. keys that are over for long go with a change to the keys of their owner, as [`Change`] says: from the index first, then their
//!    own records, then from that of their owner. What is interrupted is done by the next change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{
    change::Change,
    line::{lines, read_line, record_of},
    record::KeyRecord,
    store::{KeyQuery, KeyStore, KeyStoreError, KeyUse},
};
use crate::{
    authn::StoreFuture,
    state::{Expected, Key, Kind, LONGEST, Next, State, StateError, Swapped},
};

/// How often a change is tried when others change the same record. One of them is made each time.
const TRIES: usize = 16;
/// A record that never ends, as far as an engine is concerned.
const FOR_EVER: Duration = Duration::from_secs(100 * 366 * 86_400);

pub(super) struct Kept {
    state: State,
    /// Which keys of the state.
    name: Box<str>,
}

/// A record as text, and its version.
type Found = Option<(String, u64)>;

impl Kept {
    pub(super) fn new(state: State, name: &str) -> Self {
        Self { state, name: name.into() }
    }

    fn of_owner(&self, owner: &str) -> Key {
        Key::new(Kind::ApiKey, &[b"owner", self.name.as_bytes(), owner.as_bytes()])
    }

    fn of_key(&self, id: &str) -> Key {
        Key::new(Kind::ApiKey, &[b"key", self.name.as_bytes(), id.as_bytes()])
    }

    fn index(&self) -> Key {
        Key::new(Kind::ApiKey, &[b"index", self.name.as_bytes()])
    }

    async fn read(&self, key: Key) -> Result<Found, KeyStoreError> {
        let Some(record) = self.state.get(key).await? else { return Ok(None) };
        let text = String::from_utf8(record.value).map_err(KeyStoreError::unavailable)?;
        Ok(Some((text, record.version)))
    }

    /// Changes a record until nobody else did meanwhile. `None` from `change`: it stays as it is.
    async fn update<T>(
        &self,
        key: Key,
        mut change: impl FnMut(&str) -> Result<(Option<String>, T), KeyStoreError>,
    ) -> Result<T, KeyStoreError> {
        for _ in 0..TRIES {
            let found = self.read(key).await?;
            let (text, version) = found.map_or((String::new(), None), |(text, at)| (text, Some(at)));
            let (next, outcome) = change(&text)?;
            let Some(next) = next else { return Ok(outcome) };
            let expected = version.map_or(Expected::Nothing, Expected::Version);
            let next = Next::Record { value: next.into_bytes(), keep: FOR_EVER };
            if let Swapped::Made(_) = self.state.swap(key, expected, next).await? {
                return Ok(outcome);
            }
        }
        Err(KeyStoreError::unavailable("others change the same keys all the time"))
    }

    /// When a key was last used, and whose it is.
    async fn whose(&self, id: &str) -> Result<Option<(u64, String)>, KeyStoreError> {
        let Some((text, _)) = self.read(self.of_key(id)).await? else { return Ok(None) };
        let (used, owner) = text.split_once(' ').ok_or_else(unreadable)?;
        Ok(Some((used.parse().map_err(KeyStoreError::unavailable)?, owner.to_owned())))
    }

    async fn keys_of(&self, owner: &str) -> Result<BTreeMap<String, KeyRecord>, KeyStoreError> {
        let found = self.read(self.of_owner(owner)).await?;
        records(&found.map_or_else(String::new, |(text, _)| text))
    }

    async fn record(&self, id: &str) -> Result<Option<KeyRecord>, KeyStoreError> {
        let whose = self.whose(id).await?;
        let (used, owner) = whose.unwrap_or_default(); // nobody's keys are looked at, too
        let keys = self.state.get(self.of_owner(&owner)).await?.map_or_else(Vec::new, |keys| keys.value);
        let found = record_of(&keys, id).map_err(KeyStoreError::unavailable)?;
        Ok(found.map(|record| KeyRecord { last_used: (used > 0).then_some(used), ..record }))
    }

    async fn page(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, KeyStoreError> {
        let index = self.read(self.index()).await?.map_or_else(String::new, |(text, _)| text);
        let asked = index.lines().filter_map(|line| line.split_once(' ')).filter(|(id, owner)| {
            query.after.as_deref().is_none_or(|after| *id > after)
                && query.owner.as_deref().is_none_or(|asked| asked == *owner)
        });
        let mut page = Vec::new();
        for (id, _) in asked {
            if page.len() >= query.limit {
                break;
            }
            page.extend(self.record(id).await?);
        }
        Ok(page)
    }

    async fn make(&self, change: &Change) -> Result<usize, KeyStoreError> {
        let owner = match change {
            Change::Create(record) => record.owner.clone(),
            Change::Rotate { id, .. } | Change::Revoke { id, .. } => {
                self.whose(id).await?.ok_or(KeyStoreError::NotFound)?.1
            }
            Change::RevokeOwner { owner, .. } => owner.clone(),
        };
        if let Change::Create(new) | Change::Rotate { successor: new, .. } = change
            && new.owner != owner
        {
            return Err(KeyStoreError::unavailable("a key does not change hands"));
        }
        let mut keys = self.keys_of(&owner).await?;
        let over = change.over(&keys);
        changed(change, &over, &mut keys)?; // what is refused leaves nothing behind, however often it is tried
        self.forget(&over, &owner).await?;
        if let Change::Create(new) | Change::Rotate { successor: new, .. } = change {
            self.announce(new).await?;
        }
        self.update(self.of_owner(&owner), |text| {
            let (text, touched) = changed(change, &over, &mut records(text)?)?;
            Ok(((touched > 0).then_some(text), touched))
        })
        .await
    }

    /// Rule 5, the first two.
    async fn forget(&self, over: &[String], owner: &str) -> Result<(), KeyStoreError> {
        if over.is_empty() {
            return Ok(());
        }
        let gone: BTreeSet<String> = over.iter().map(|id| format!("{id} {owner}")).collect();
        self.update(self.index(), |text| {
            let left: Vec<&str> = text.lines().filter(|line| !gone.contains(*line)).collect();
            Ok((Some(left.join("\n")), ()))
        })
        .await?;
        for id in over {
            let key = self.of_key(id);
            if let Some(record) = self.state.get(key).await? {
                self.state.swap(key, Expected::Version(record.version), Next::Nothing).await?;
            }
        }
        Ok(())
    }

    /// Rule 2, the first two.
    async fn announce(&self, new: &KeyRecord) -> Result<(), KeyStoreError> {
        self.update(self.index(), |text| {
            let mut ids: Vec<&str> = text.lines().collect();
            let line = format!("{} {}", new.id, new.owner);
            let Err(place) = ids.binary_search(&line.as_str()) else { return Ok((None, ())) };
            ids.insert(place, &line);
            Ok((Some(ids.join("\n")), ()))
        })
        .await?;
        self.update(self.of_key(&new.id), |text| match text {
            "" => Ok((Some(format!("0 {}", new.owner)), ())),
            _ => Err(KeyStoreError::Exists),
        })
        .await
    }

    async fn note(&self, KeyUse { id, at }: &KeyUse) -> Result<(), KeyStoreError> {
        self.update(self.of_key(id), |text| {
            let known =
                text.split_once(' ').and_then(|(used, owner)| Some((used.parse::<u64>().ok()?, owner)));
            let later = known.filter(|(used, _)| used < at);
            Ok((later.map(|(_, owner)| format!("{at} {owner}")), ()))
        })
        .await
    }
}

impl KeyStore for Kept {
    fn find<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        Box::pin(self.record(id))
    }

    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(self.page(query))
    }

    fn change<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        Box::pin(self.make(change))
    }

    fn used<'a>(&'a self, uses: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        Box::pin(async move {
            for one in uses {
                self.note(one).await?;
            }
            Ok(())
        })
    }
}

fn records(text: &str) -> Result<BTreeMap<String, KeyRecord>, KeyStoreError> {
    let read = lines(text).map(|(_, line)| read_line(line).map(|record| (record.id.clone(), record)));
    read.collect::<Result<_, _>>().map_err(KeyStoreError::unavailable)
}

fn text_of(keys: &BTreeMap<String, KeyRecord>) -> String {
    keys.values().map(KeyRecord::to_line).collect::<Vec<_>>().join("\n")
}

/// The record of an owner after a change, and how many keys it touched.
fn changed(
    change: &Change,
    over: &[String],
    keys: &mut BTreeMap<String, KeyRecord>,
) -> Result<(String, usize), KeyStoreError> {
    let touched = change.make(keys, over)?.len();
    let text = text_of(keys);
    if text.len() > LONGEST { Err(KeyStoreError::Full) } else { Ok((text, touched)) }
}

fn unreadable() -> KeyStoreError {
    KeyStoreError::unavailable("the record of a key cannot be read")
}

impl From<StateError> for KeyStoreError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Full | StateError::TooLong => Self::Full,
            StateError::Late => Self::TimedOut,
            error => Self::unavailable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authn::api_key::NewKey, clock::Clock};

    const NOW: u64 = 1_800_000_000;

    fn key(owner: &str) -> KeyRecord {
        let now = Clock::fixed(NOW).now().unwrap();
        NewKey::generate("bank_live", owner, &["a", "b"], now, Some(NOW + 1000)).unwrap().record
    }

    fn rotation(old: &KeyRecord) -> Change {
        let now = Clock::fixed(NOW).now().unwrap();
        let successor = NewKey::succeeding(old, "bank_live", now, None).unwrap().record;
        Change::Rotate { id: old.id.clone(), successor, at: NOW, until: NOW + 60 }
    }

    fn all() -> KeyQuery {
        KeyQuery { owner: None, after: None, limit: 100 }
    }

    /// The same changes to the keys in memory and to those in a state leave the same keys.
    #[tokio::test]
    async fn a_state_does_as_the_rules_of_changes_say() {
        let kept = Kept::new(State::memory(), "partner");
        let mut model = BTreeMap::new();
        let (first, other) = (key("acme"), key("other"));
        let mut changes = vec![Change::Create(first.clone()), Change::Create(other.clone())];
        changes.push(rotation(&first));
        let Some(Change::Rotate { successor: second, .. }) = changes.last().cloned() else { panic!() };
        changes.extend([
            rotation(&first),
            rotation(&second),
            Change::Create(other.clone()),
            Change::Revoke { id: other.id.clone(), at: NOW + 1 },
            Change::Revoke { id: other.id.clone(), at: NOW + 2 },
            Change::Revoke { id: "AAAAAAAAAAAA".to_owned(), at: NOW },
            Change::RevokeOwner { owner: "acme".to_owned(), at: NOW + 3 },
            Change::RevokeOwner { owner: "nobody".to_owned(), at: NOW + 3 },
            rotation(&second),
        ]);
        for change in changes {
            let expected = change.apply(&mut model).map(|touched| touched.len());
            let made = kept.change(&change).await;
            assert_eq!(format!("{made:?}"), format!("{expected:?}"), "{change:?}");
            let listed = kept.list(&all()).await.unwrap();
            let lines = |keys: Vec<&KeyRecord>| keys.into_iter().map(KeyRecord::to_line).collect::<Vec<_>>();
            assert_eq!(lines(listed.iter().collect()), lines(model.values().collect()), "{change:?}");
        }
        let page = |owner: &str, after: &str, limit| KeyQuery {
            owner: Some(owner.to_owned()),
            after: Some(after.to_owned()),
            limit,
        };
        assert_eq!(kept.list(&page("acme", "", 2)).await.unwrap().len(), 2);
        let found = kept.list(&page("other", "", 2)).await.unwrap();
        assert_eq!(found.iter().map(|key| &*key.id).collect::<Vec<_>>(), [&*other.id]);
        assert!(kept.list(&page("other", &other.id, 2)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_use_is_noted_and_never_an_earlier_one() {
        let kept = Kept::new(State::memory(), "partner");
        let record = key("acme with a space");
        kept.change(&Change::Create(record.clone())).await.unwrap();
        for (at, noted) in [(NOW, NOW), (NOW + 60, NOW + 60), (NOW + 1, NOW + 60)] {
            let uses = [KeyUse { id: record.id.clone(), at }, KeyUse { id: "AAAAAAAAAAAA".to_owned(), at }];
            kept.used(&uses).await.unwrap();
            assert_eq!(kept.find(&record.id).await.unwrap().unwrap().last_used, Some(noted));
        }
        assert!(kept.find("AAAAAAAAAAAA").await.unwrap().is_none(), "no use makes a key");
    }

    /// Counted in what is read: the lines of the others say nothing behind their ids.
    #[tokio::test]
    async fn of_an_owner_with_many_keys_the_one_that_is_looked_up_is_read() {
        let kept = Kept::new(State::memory(), "partner");
        let wanted = key("acme");
        let unreadable = key("acme");
        for key in [&wanted, &unreadable] {
            kept.change(&Change::Create(key.clone())).await.unwrap();
        }
        let mut lines: Vec<_> = (0..1000).map(|_| key("acme").to_line()).collect();
        lines.push(unreadable.to_line());
        lines.iter_mut().for_each(|line| line.truncate(line.find(',').unwrap()));
        lines.push(wanted.to_line());
        lines.sort_unstable();
        kept.update(kept.of_owner("acme"), |_| Ok((Some(lines.join("\n")), ()))).await.unwrap();
        assert_eq!(kept.find(&wanted.id).await.unwrap().unwrap().to_line(), wanted.to_line());
        let error = kept.find(&unreadable.id).await;
        assert!(matches!(error, Err(KeyStoreError::Unavailable(_))), "and no key that is not there");
    }

    #[tokio::test]
    async fn keys_of_another_name_are_others() {
        let state = State::memory();
        let (one, other) = (Kept::new(state.clone(), "partner"), Kept::new(state, "staff"));
        let record = key("acme");
        one.change(&Change::Create(record.clone())).await.unwrap();
        assert!(other.find(&record.id).await.unwrap().is_none());
        assert!(other.list(&all()).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn of_two_rotations_at_once_one_is_made() {
        let kept = Kept::new(State::memory(), "partner");
        let old = key("acme");
        kept.change(&Change::Create(old.clone())).await.unwrap();
        let rotations: Vec<_> = (0..8).map(|_| rotation(&old)).collect();
        let made = futures_util::future::join_all(rotations.iter().map(|change| kept.change(change))).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
        let listed = kept.list(&all()).await.unwrap();
        assert_eq!(listed.len(), 2, "the others left ids behind, and no keys");
    }

    /// Else whoever may rotate fills the index by asking for what is refused.
    #[tokio::test]
    async fn what_is_refused_leaves_nothing_behind() {
        let kept = Kept::new(State::memory(), "partner");
        let old = key("acme");
        kept.change(&Change::Create(old.clone())).await.unwrap();
        kept.change(&Change::Revoke { id: old.id.clone(), at: NOW }).await.unwrap();
        let before = kept.read(kept.index()).await.unwrap();
        for _ in 0..3 {
            assert!(matches!(kept.change(&rotation(&old)).await, Err(KeyStoreError::NotLive)));
            assert!(matches!(kept.change(&Change::Create(old.clone())).await, Err(KeyStoreError::Exists)));
        }
        assert_eq!(kept.read(kept.index()).await.unwrap(), before);
    }

    #[tokio::test]
    async fn keys_that_ended_long_ago_leave_nothing_behind() {
        let kept = Kept::new(State::memory(), "partner");
        let (old, good) = (key("acme"), KeyRecord { not_after: None, ..key("acme") });
        for key in [&old, &good] {
            kept.change(&Change::Create(key.clone())).await.unwrap();
        }
        let end = old.not_after.unwrap();
        let later =
            |days: u64| KeyRecord { created: Some(end + days * 86_400), not_after: None, ..key("acme") };
        kept.change(&Change::Create(later(89))).await.unwrap();
        assert_eq!(kept.list(&all()).await.unwrap().len(), 3);
        kept.change(&Change::Create(later(90))).await.unwrap();
        assert_eq!(kept.list(&all()).await.unwrap().len(), 3, "one came and one went");
        assert!(kept.find(&old.id).await.unwrap().is_none());
        assert!(kept.find(&good.id).await.unwrap().is_some());
        assert!(kept.state.get(kept.of_key(&old.id)).await.unwrap().is_none());
        let (index, _) = kept.read(kept.index()).await.unwrap().unwrap();
        assert!(!index.contains(&old.id) && index.lines().count() == 3);
    }

    #[tokio::test]
    async fn an_owner_with_too_many_keys_gets_no_more() {
        let kept = Kept::new(State::memory(), "partner");
        let mut keys = BTreeMap::new();
        for _ in 0..6000 {
            let record = key("acme");
            keys.insert(record.id.clone(), record);
        }
        let text = text_of(&keys);
        let bound = text.floor_char_boundary(1 << 20);
        let whole = text.get(..bound).and_then(|text| text.rsplit_once('\n')).unwrap().0.to_owned();
        assert!(whole.lines().count() > 3000);
        kept.update(kept.of_owner("acme"), |_| Ok((Some(whole.clone()), ()))).await.unwrap();
        let refused = kept.change(&Change::Create(key("acme"))).await;
        assert!(matches!(refused, Err(KeyStoreError::Full)), "{refused:?}");
        assert_eq!(kept.read(kept.index()).await.unwrap(), None);
    }
}
