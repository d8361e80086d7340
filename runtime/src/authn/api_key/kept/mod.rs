//! Keys in a [`State`], shared by all instances that share it.
//!
//! | record | has |
//! |---|---|
//! | of a key | when it was last used, and its line |
//! | of an owner | the ids of the owner's keys in order |
//! | of a tenant | the ids of the tenant's keys in order |
//! | of a character | the ids of all keys that begin with it in order |
//!
//! Rules:
//! 1. what a key is stands in its own record and nowhere else: one look finds it, however many there are, and what changes
//!    it holds at once;
//! 2. the id of a new key is in all its lists before its record is made: what is interrupted leaves an id behind that nobody
//!    has the key of, and no key that a list does not show. What is refused is refused before; where a list cannot be changed, those
//!    before it lose the id again. A list without ids is none. What was begun goes on when whoever asked for it
//!    waits no more. First come the lists that fill first, so who has no more room writes to none that others share;
//! 3. a key that is not there costs one look as well, and a line is read ([`Kept::of_nobody`]);
//! 4. a rotation makes the successor, retires the key in whose place the rotated one was made, and then ends the rotated
//!    one. Of two at once, the later one takes its successor back; one that is interrupted leaves a successor that nobody
//!    was told the secret of, and the key can be rotated again;
//! 5. the keys of an owner are revoked until none is found that is not, so those whose record others make meanwhile are, too; not
//!    one whose id is in the lists only, for most of those are never made. It goes on when whoever asked waits no more ([`sweep`]). What fails has revoked some,
//!    and who asked was not told that it was done;
//! 6. keys that are over for long go with a change to the keys of their owner or tenant, and with a key that finds no room: fifty
//!    are looked at, those behind the changed one in the lists of both. Ids are drawn, so in time all are. They go from the lists
//!    first, last from those where they are looked for: what is interrupted before that is done by a later change. One change at
//!    a time does that, and waits for it a moment only ([`tidy`]): it is made, and whoever asked for it must learn that;
//! 7. a page looks at the keys that are asked for, however many others there are: those of an owner in a tenant are in the lists of
//!    both.

mod sweep;
mod tidy;

use std::{hint::black_box, sync::Arc, time::Duration};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::Mutex;

use self::sweep::Sweeps;
use crate::{
    authn::{
        StoreFuture,
        api_key::{
            change::{Change, revoke, succeed},
            line::read_line,
            record::KeyRecord,
            store::{KeyQuery, KeyStore, KeyStoreError, KeyUse},
            text::BASE62,
        },
    },
    event::whole,
    state::{Expected, Key, Kind, Next, State, StateError, Swapped},
};

/// How often a change is tried when others change the same record. One of them is made each time.
const TRIES: usize = 16;
/// Records that are asked for at once.
const LOOKS: usize = 32;
/// A record that never ends, as far as an engine is concerned.
const FOR_EVER: Duration = Duration::from_secs(100 * 366 * 86_400);
/// Rule 3: what is read where there is nothing.
const NOBODYS: &str = concat!(
    r#"1800000000 {"id":"4hTz0QkW9aBx","hmac_sha256":""#,
    "5f0c9a3be1d24768b09cf3527ad81e6436c5e90f1b8a2d7749fe03d6a5b81c2e",
    r#"","pepper":"nobody","owner":"nobody","scopes":["nothing:read"],"created":"2026-11-23T10:00:00Z"}"#
);

#[derive(Clone)]
pub(super) struct Kept {
    state: State,
    /// Which keys of the state.
    name: Arc<str>,
    sweeps: Sweeps,
    /// Held by the change that looks for keys that are over.
    tidying: Arc<Mutex<()>>,
}

impl Kept {
    pub(super) fn new(state: State, name: &str) -> Self {
        Self { state, name: name.into(), sweeps: Sweeps::default(), tidying: Arc::default() }
    }

    /// As a record that is there comes to be.
    pub(super) fn of_nobody() -> KeyRecord {
        read(black_box(NOBODYS.as_bytes())).unwrap_or_else(|_| KeyRecord::of_nobody())
    }

    fn of_key(&self, id: &str) -> Key {
        Key::new(Kind::ApiKey, &[b"record", self.name.as_bytes(), id.as_bytes()])
    }

    fn of_owner(&self, owner: &str) -> Key {
        Key::new(Kind::ApiKey, &[b"owned", self.name.as_bytes(), owner.as_bytes()])
    }

    fn of_tenant(&self, tenant: &str) -> Key {
        Key::new(Kind::ApiKey, &[b"of tenant", self.name.as_bytes(), tenant.as_bytes()])
    }

    fn of_character(&self, character: u8) -> Key {
        Key::new(Kind::ApiKey, &[b"ids", self.name.as_bytes(), &[character]])
    }

    /// The lists of those whose key it is.
    fn circles(&self, KeyRecord { owner, tenant, .. }: &KeyRecord) -> Vec<Key> {
        let tenant = tenant.as_deref().map(|tenant| self.of_tenant(tenant));
        tenant.into_iter().chain([self.of_owner(owner)]).collect()
    }

    /// All lists that have this key, in the order of rule 2.
    fn lists(&self, key: &KeyRecord) -> impl DoubleEndedIterator<Item = Key> {
        let first = key.id.as_bytes().first().copied().unwrap_or_default();
        self.circles(key).into_iter().chain([self.of_character(first)])
    }

    async fn text(&self, key: Key) -> Result<(String, Option<u64>), KeyStoreError> {
        let Some(record) = self.state.get(key).await? else { return Ok((String::new(), None)) };
        let text = String::from_utf8(record.value).map_err(KeyStoreError::unavailable)?;
        Ok((text, Some(record.version)))
    }

    /// Changes a record until nobody else did meanwhile. `None` from `change`: it stays as it is.
    async fn update<T>(
        &self,
        key: Key,
        mut change: impl FnMut(&str) -> Result<(Option<String>, T), KeyStoreError>,
    ) -> Result<T, KeyStoreError> {
        for _ in 0..TRIES {
            let (text, version) = self.text(key).await?;
            let (next, outcome) = change(&text)?;
            let Some(next) = next else { return Ok(outcome) };
            let expected = version.map_or(Expected::Nothing, Expected::Version);
            let next = match next.is_empty() {
                true => Next::Nothing,
                false => Next::Record { value: next.into_bytes(), keep: FOR_EVER },
            };
            if let Swapped::Made(_) = self.state.swap(key, expected, next).await? {
                return Ok(outcome);
            }
        }
        Err(KeyStoreError::unavailable("others change the same keys all the time"))
    }

    async fn record(&self, id: &str) -> Result<Option<KeyRecord>, KeyStoreError> {
        let Some(found) = self.state.get_alike(self.of_key(id)).await? else { return Ok(None) };
        Ok(Some(read(&found.value)?))
    }

    async fn records(&self, ids: Vec<String>) -> Result<Vec<KeyRecord>, KeyStoreError> {
        let looks = stream::iter(ids).map(async |id| self.record(&id).await).buffered(LOOKS);
        looks.try_filter_map(|found| std::future::ready(Ok(found))).try_collect().await
    }

    /// Changes the record of a key; `None` where there is no such key.
    async fn change_record<T>(
        &self,
        id: &str,
        mut change: impl FnMut(&mut KeyRecord) -> Result<T, KeyStoreError>,
    ) -> Result<Option<T>, KeyStoreError> {
        self.update(self.of_key(id), |text| {
            if text.is_empty() {
                return Ok((None, None));
            }
            let mut record = read(text.as_bytes())?;
            let outcome = change(&mut record)?;
            let next = written(&record);
            Ok(((next != text).then_some(next), Some(outcome)))
        })
        .await
    }

    async fn ids(&self, list: Key) -> Result<Vec<String>, KeyStoreError> {
        Ok(self.text(list).await?.0.lines().map(str::to_owned).collect())
    }

    /// Rule 7: where to look, in one place after the other. What all lists of a place have is what is asked for.
    fn places(&self, KeyQuery { owner, tenant, after, .. }: &KeyQuery) -> Vec<Vec<Key>> {
        let owner = owner.as_deref().map(|owner| self.of_owner(owner));
        let tenant = tenant.as_deref().map(|tenant| self.of_tenant(tenant));
        let of_both: Vec<Key> = owner.into_iter().chain(tenant).collect();
        if !of_both.is_empty() {
            return vec![of_both];
        }
        let first = after.as_deref().and_then(|after| after.bytes().next()).unwrap_or_default();
        let characters = BASE62.iter().filter(|each| **each >= first);
        characters.map(|each| vec![self.of_character(*each)]).collect()
    }

    /// Behind the id `after`.
    async fn ids_in(&self, place: Vec<Key>, after: &str) -> Result<Vec<String>, KeyStoreError> {
        let mut ids: Option<Vec<String>> = None;
        for list in place {
            let mut of_list = self.ids(list).await?;
            of_list.retain(|id| ids.as_ref().map_or(&**id > after, |ids| ids.binary_search(id).is_ok()));
            ids = Some(of_list);
        }
        Ok(ids.unwrap_or_default())
    }

    async fn page(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, KeyStoreError> {
        let after = query.after.as_deref().unwrap_or_default();
        let mut page = Vec::new();
        for place in self.places(query) {
            if page.len() >= query.limit {
                break;
            }
            let ids = self.ids_in(place, after).await?;
            for ids in ids.chunks(query.limit.max(1)) {
                if page.len() >= query.limit {
                    break;
                }
                let records = self.records(ids.to_vec()).await?;
                page.extend(records.into_iter().filter(|record| query.is_of(record)));
            }
        }
        page.truncate(query.limit);
        Ok(page)
    }

    async fn make(&self, change: &Change) -> Result<usize, KeyStoreError> {
        let (circles, id, touched) = match change {
            Change::Create(new) => {
                self.add(new).await?;
                (self.circles(new), &*new.id, 1)
            }
            Change::Rotate { id, successor, at, until } => {
                (self.circles(successor), &**id, self.rotate(id, successor, *at, *until).await?)
            }
            Change::Revoke { id, at } => {
                let revoked =
                    self.change_record(id, |record| Ok((self.circles(record), revoke(record, *at))));
                let (circles, revoked) = revoked.await?.ok_or(KeyStoreError::NotFound)?;
                (circles, &**id, usize::from(revoked.is_some()))
            }
            Change::RevokeOwner { owner, at } => {
                (vec![self.of_owner(owner)], "", self.sweep(owner, *at).await?)
            }
        };
        self.tidy_beside(circles, id, change.at()).await;
        Ok(touched)
    }

    /// Rule 2. Who asks again may find room.
    async fn add(&self, new: &KeyRecord) -> Result<(), KeyStoreError> {
        if self.record(&new.id).await?.is_some() {
            return Err(KeyStoreError::Exists);
        }
        let listed = self.list_id(new).await;
        let is_listed = listed.is_ok();
        let added = if is_listed { self.put(new).await } else { listed };
        let is_full = matches!(added, Err(KeyStoreError::Full));
        if !is_listed || is_full {
            let _ = self.forget(&[new]).await; // it has no record
        }
        if is_full {
            self.tidy_beside(self.circles(new), &new.id, new.created.unwrap_or(0)).await;
        }
        added
    }

    async fn list_id(&self, new: &KeyRecord) -> Result<(), KeyStoreError> {
        for list in self.lists(new) {
            self.update(list, |text| {
                let mut ids: Vec<&str> = text.lines().collect();
                let Err(place) = ids.binary_search(&&*new.id) else { return Ok((None, ())) };
                ids.insert(place, &new.id);
                Ok((Some(ids.join("\n")), ()))
            })
            .await?;
        }
        Ok(())
    }

    async fn put(&self, new: &KeyRecord) -> Result<(), KeyStoreError> {
        self.update(self.of_key(&new.id), |text| match text {
            "" => Ok((Some(written(new)), ())),
            _ => Err(KeyStoreError::Exists),
        })
        .await
    }

    /// Rule 4.
    async fn rotate(&self, id: &str, new: &KeyRecord, at: u64, until: u64) -> Result<usize, KeyStoreError> {
        let mut old = self.record(id).await?.ok_or(KeyStoreError::NotFound)?;
        if (&new.owner, &new.tenant) != (&old.owner, &old.tenant) {
            return Err(KeyStoreError::unavailable("a key does not change hands"));
        }
        succeed(&mut old, new, at, until)?;
        self.add(new).await?;
        let retired = match &old.replaces {
            Some(first) => self.change_record(first, |first| Ok(revoke(first, at).is_some())).await?,
            None => None,
        };
        let rotated = self.change_record(id, |old| succeed(old, new, at, until)).await;
        if let Err(refused) = rotated.and_then(|done| done.ok_or(KeyStoreError::NotFound)) {
            // where nobody knows whether the key was rotated, the successor that it may name stays
            if !matches!(
                refused,
                KeyStoreError::TimedOut | KeyStoreError::Unavailable(_) | KeyStoreError::Unreadable(_)
            ) {
                self.forget(&[new]).await?;
            }
            return Err(refused);
        }
        Ok(2 + usize::from(retired == Some(true)))
    }

    async fn note(&self, KeyUse { id, at }: &KeyUse) -> Result<(), KeyStoreError> {
        let noted = self.change_record(id, |record| {
            record.last_used = record.last_used.max(Some(*at));
            Ok(())
        });
        noted.await.map(drop)
    }
}

/// The record of a key: seconds, and behind a blank a line.
fn read(record: &[u8]) -> Result<KeyRecord, KeyStoreError> {
    let text = std::str::from_utf8(record).map_err(KeyStoreError::unreadable)?;
    let (used, line) =
        text.split_once(' ').ok_or_else(|| KeyStoreError::unreadable("it is not all there"))?;
    let used: u64 = used.parse().map_err(KeyStoreError::unreadable)?;
    let record = read_line(line).map_err(KeyStoreError::unreadable)?;
    Ok(KeyRecord { last_used: (used > 0).then_some(used), ..record })
}

fn written(record: &KeyRecord) -> String {
    format!("{} {}", record.last_used.unwrap_or(0), record.to_line())
}

impl KeyStore for Kept {
    fn find<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        Box::pin(self.record(id))
    }

    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(self.page(query))
    }

    fn change<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        if let Change::RevokeOwner { .. } = change {
            return Box::pin(self.make(change)); // its sweep goes on by itself
        }
        let (kept, change) = (self.clone(), change.clone());
        Box::pin(async move {
            let made = whole(async move { kept.make(&change).await }).await;
            made.unwrap_or_else(|| Err(KeyStoreError::unavailable("the change was given up")))
        })
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
mod steps;
#[cfg(test)]
mod tests;
