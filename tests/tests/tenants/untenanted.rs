//! A store of keys that knows no tenants.

use std::collections::BTreeMap;

use palisade::{Change, KeyQuery, KeyRecord, KeyStore, KeyStoreError, KeyUse, StoreFuture};

use super::*;

/// From before there were any.
struct Untenanted(Mutex<BTreeMap<String, KeyRecord>>);

impl KeyStore for Untenanted {
    fn find<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        let found = self.0.lock().unwrap().get(id).cloned();
        Box::pin(async { Ok(found) })
    }

    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        let records = self.0.lock().unwrap();
        let behind = records.values().filter(|key| query.after.as_ref().is_none_or(|after| key.id > *after));
        let page = behind.take(query.limit).cloned().collect();
        Box::pin(async { Ok(page) })
    }

    fn change<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        let touched = change.apply(&mut self.0.lock().unwrap());
        Box::pin(async { touched.map(|touched| touched.len()) })
    }

    fn used<'a>(&'a self, _: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_store_without_tenants_shows_who_manages_one_nothing_of_others() {
    let keys = ApiKeys::from_store(Untenanted(Mutex::default()));
    let admin = KeyAdmin::new(&keys, &DOCUMENT, "partner").unwrap();
    let make = async |tenant: Option<&str>| {
        let (owner, tenant) = ("acme".to_owned(), tenant.map(str::to_owned));
        let request = KeyRequest { owner, tenant, ..KeyRequest::default() };
        admin.create(&request, |_| true).await.unwrap().info.id
    };
    let (mut of_west, mut others) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        of_west.push(make(Some("west")).await);
        others.extend([make(Some("east")).await, make(None).await]);
    }
    of_west.sort();
    let west = admin.of_tenant("west").unwrap();
    let mut listed = Vec::new();
    loop {
        let page = west.list(None, listed.last().map(String::as_str), 2).await.unwrap();
        let last = page.keys.last().map(|key| key.id.clone());
        listed.extend(page.keys.into_iter().map(|key| key.id));
        let Some(next) = page.next else { break };
        assert_eq!(Some(next), last, "a page that is not the last is full, and ends with a key of it");
        assert_eq!(listed.len() % 2, 0);
    }
    assert_eq!(listed, of_west);

    let status = |error: KeyAdminError| Problem::from(error).status();
    for id in &others {
        assert_eq!(west.find(id).await.map(|_| ()).map_err(status), Err(404));
        assert_eq!(west.rotate(id, Duration::ZERO, |_| true).await.map(|_| ()).map_err(status), Err(404));
        assert_eq!(west.revoke(id).await.map_err(status), Err(404));
        assert_eq!(admin.find(id).await.unwrap().state, KeyState::Active);
    }
    // and is not asked for ever: nobody is told that there are none
    for _ in 0..40 {
        make(None).await;
    }
    let north = admin.of_tenant("north").unwrap();
    assert_eq!(north.list(None, None, 1).await.map(|_| ()).map_err(status), Err(503));
    assert!(north.list(None, None, 100).await.unwrap().keys.is_empty());
}
