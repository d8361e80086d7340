//! A store of keys that cannot be asked: every key is refused, and the operator is told why, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test]
async fn a_file_that_cannot_be_read_refuses_every_key_with_503_until_it_can() {
    events::collect();
    let (_folder, file) = empty_file();
    let made = key("desk_test", "doors:open", 0);
    file.change(&Change::Create(made.record.clone())).unwrap();
    let server = Server::sharing(file.path()).await;
    server.door(made.key.expose()).await.allowed(204);
    let good = std::fs::read(file.path()).unwrap();
    std::fs::write(file.path(), "{ this is no record\n").unwrap();
    a_second().await;
    let refused = server.door(made.key.expose()).await;
    refused.refused(503, "unavailable");
    let event = events::of(refused.header("x-request-id"));
    assert_eq!(event["failure_reason"], "keys_unavailable (scheme `partner`)");
    server.door(key("desk_test", "doors:open", 0).key.expose()).await.refused(503, "unavailable");
    a_second().await; // it is looked at again, and told of once
    server.door(made.key.expose()).await.refused(503, "unavailable");
    let told = || events::with("file", &file.path().display().to_string());
    let [outage] = &told()[..] else { panic!("{:?}", told()) };
    assert_eq!((&*outage["event_type"], &*outage["severity"]), ("sys_key_store_unavailable", "High"));
    assert!(outage["failure_reason"].contains("line 1"), "{outage:?}");
    server.door("nonsense").await.refused(401, "unauthenticated");
    let reply = server.staff("GET", "/keys", None).await;
    assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "1");
    std::fs::write(file.path(), good).unwrap();
    a_second().await;
    server.door(made.key.expose()).await.allowed(204);
    let [_, again] = &told()[..] else { panic!("{:?}", told()) };
    assert_eq!(again["message"], "the file of API keys can be read again");
}

/// Does not answer.
struct Silent;

impl KeyStore for Silent {
    fn find<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        Box::pin(std::future::pending())
    }

    fn list<'a>(&'a self, _: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(async { Err(KeyStoreError::Unavailable("it is down".into())) })
    }

    fn change<'a>(&'a self, _: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        Box::pin(async { Err(KeyStoreError::Unavailable("it is down".into())) })
    }

    fn used<'a>(&'a self, _: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_refuses_and_makes_no_key() {
    let server = Server::start(ApiKeys::from_store(Silent)).await;
    server.door(key("desk_test", "doors:open", 0).key.expose()).await.refused(503, "unavailable");
    let asked = json!({ "owner": "acme", "scopes": [] });
    server.staff("POST", "/keys", Some(asked)).await.refused(503, "unavailable");
}

/// Has one key, as long as it can be asked, and takes no notes.
struct Moody {
    record: KeyRecord,
    is_away: Arc<AtomicBool>,
}

impl KeyStore for Moody {
    fn find<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        Box::pin(async move {
            match self.is_away.load(Ordering::SeqCst) {
                true => Err(KeyStoreError::Unavailable("it is in a mood".into())),
                false => Ok(Some(self.record.clone()).filter(|record| record.id == id)),
            }
        })
    }

    fn list<'a>(&'a self, _: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn change<'a>(&'a self, _: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        Box::pin(async { Ok(0) })
    }

    fn used<'a>(&'a self, _: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        Box::pin(async { Err(KeyStoreError::Unavailable("it takes no notes".into())) })
    }
}

#[tokio::test]
async fn why_a_store_cannot_be_asked_is_told_once_and_that_it_can_be_again() {
    events::collect();
    let (made, is_away) = (key("desk_test", "doors:open", 0), Arc::new(AtomicBool::new(false)));
    let store = Moody { record: made.record, is_away: Arc::clone(&is_away) };
    let server = Server::start(ApiKeys::from_store(store)).await;
    server.door(made.key.expose()).await.allowed(204);
    is_away.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let refused = server.door(made.key.expose()).await;
        refused.refused(503, "unavailable");
        let event = events::of(refused.header("x-request-id"));
        assert_eq!(event["failure_reason"], "keys_unavailable (scheme `partner`)");
    }
    let outages = events::with("failure_reason", "the keys cannot be had: it is in a mood");
    let [outage] = &outages[..] else { panic!("{outages:?}") };
    assert_eq!((&*outage["event_type"], &*outage["severity"]), ("sys_key_store_unavailable", "High"));
    is_away.store(false, Ordering::SeqCst);
    server.door(made.key.expose()).await.allowed(204);
    server.door(made.key.expose()).await.allowed(204);
    assert_eq!(events::with("message", "the store of API keys answers again").len(), 1);
    a_second().await;
    a_second().await;
    let [notes] = &events::with("error", "the keys cannot be had: it takes no notes")[..] else {
        panic!("{}", events::everything())
    };
    assert_eq!(notes["message"], "the last uses of API keys were not noted");
}
