//! A store of keys that cannot be asked: every key is refused, and the operator is told why, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use palisade::state::{self, Engine, Expected, Next, StateError, Swapped};
use tokio::time::timeout;

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
    events::collect();
    let server = Server::start(ApiKeys::from_store(Silent)).await;
    let key = key("desk_test", "doors:open", 0);
    // the operator hears of it however short clients and operations wait
    let hatch = server.client.get("/hatch").key(key.key.expose()).send();
    let late = timeout(Duration::from_millis(1_500), hatch).await.expect("it ends after 600 ms");
    late.refused(504, "deadline_exceeded");
    let outages = || events::with("store", std::any::type_name::<Silent>());
    let told = async {
        while outages().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(1), told).await.expect("before the two seconds of a look");
    server.door(key.key.expose()).await.refused(503, "unavailable");
    let [outage] = &outages()[..] else { panic!("{}", events::everything()) };
    assert_eq!(outage["failure_reason"], "the store of the keys did not answer in time");
    let asked = json!({ "owner": "acme", "scopes": [] });
    server.staff("POST", "/keys", Some(asked)).await.refused(503, "unavailable");
}

/// Answers with the one key that it has, whichever it is asked for.
struct Muddled(KeyRecord);

impl KeyStore for Muddled {
    fn find<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        Box::pin(async { Ok(Some(self.0.clone())) })
    }

    fn list<'a>(&'a self, _: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn change<'a>(&'a self, _: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        Box::pin(async { Ok(0) })
    }

    fn used<'a>(&'a self, _: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn one_record_that_cannot_be_used_is_no_outage_of_all_keys() {
    events::collect();
    let [made, other] = [(); 2].map(|()| key("desk_test", "doors:open", 0));
    let server = Server::start(ApiKeys::from_store(Muddled(made.record))).await;
    for _ in 0..3 {
        server.door(other.key.expose()).await.refused(503, "unavailable");
        server.door(made.key.expose()).await.allowed(204);
    }
    let told = events::with("store", std::any::type_name::<Muddled>());
    let [told] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&*told["target"], &told["key"]), ("palisade::keys", &other.record.id));
}

/// A state that cannot be asked.
struct Away;

impl Engine for Away {
    fn get(&self, _: state::Key) -> StoreFuture<'_, Option<state::Record>, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn swap(&self, _: state::Key, _: Expected, _: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }
}

#[tokio::test]
async fn an_outage_says_which_keys_of_a_state_cannot_be_had() {
    events::collect();
    let keys = ApiKeys::kept_in(palisade::State::new(Away), "partners of the state");
    let server = Server::start(keys).await;
    server.door(key("desk_test", "doors:open", 0).key.expose()).await.refused(503, "unavailable");
    let told = events::with("store", "partners of the state");
    let [outage] = &told[..] else { panic!("{told:?}") };
    assert_eq!(outage["event_type"], "sys_key_store_unavailable");
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
    assert!(outage["store"].ends_with("::Moody"), "{outage:?}");
    for mood in [false, false, true, false, true, false] {
        is_away.store(mood, Ordering::SeqCst);
        server.door(made.key.expose()).await.allowed(if mood { 503 } else { 204 });
    }
    // one that comes and goes does not fill the log
    let [_, again] = &events::with("store", &outage["store"])[..] else { panic!("{}", events::everything()) };
    assert_eq!(again["message"], "the store of API keys answers again");
    a_second().await;
    a_second().await;
    let [notes] = &events::with("error", "the keys cannot be had: it takes no notes")[..] else {
        panic!("{}", events::everything())
    };
    assert_eq!(notes["message"], "the last uses of API keys were not noted");
}

/// A store that never tells when a key was used, asked by many at once.
#[tokio::test]
async fn a_key_of_a_store_that_is_nearly_over_is_one_event_a_minute() {
    events::collect();
    let mut made = key("desk_test", "doors:open", 100);
    (made.record.rotated_at, made.record.not_after) = (Some(now() - 95), Some(now() + 5));
    let server = Server::start(ApiKeys::from_store(Muddled(made.record.clone()))).await;
    let opened = (0..20).map(|_| server.door(made.key.expose()));
    for reply in futures_util::future::join_all(opened).await {
        reply.allowed(204);
    }
    let told = events::with("key", &made.record.id);
    let told: Vec<_> = told.iter().map(|event| &*event["event_type"]).collect();
    assert_eq!(told, ["authn_key_retiring"]);
}
