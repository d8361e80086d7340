//! All keys of an owner end: in one change or in many.

use palisade::{KeyAdminError, KeyState, State};

use super::*;

const OWNER: &str = "acme";

/// The first of them is another's, and stays.
fn owner(number: usize) -> String {
    if number == 0 { "other" } else { OWNER }.to_owned()
}

fn admin(keys: &ApiKeys) -> KeyAdmin {
    KeyAdmin::new(keys, &desk::DOCUMENT, "partner").unwrap()
}

async fn made(keys: ApiKeys, count: usize) -> (KeyAdmin, usize) {
    let admin = admin(&keys);
    for number in 0..count {
        let request = KeyRequest { owner: owner(number), ..KeyRequest::default() };
        admin.create(&request, |_| true).await.unwrap();
    }
    (admin, count)
}

/// Of all keys, in the order of their ids.
async fn states(admin: &KeyAdmin) -> Vec<(String, KeyState)> {
    let (mut states, mut after) = (Vec::new(), None);
    loop {
        let page = admin.list(None, after.as_deref(), 100).await.unwrap();
        states.extend(page.keys.into_iter().map(|key| (key.owner, key.state)));
        after = page.next;
        if after.is_none() {
            return states;
        }
    }
}

/// Where that takes longer than a request may wait, who asks again is told when it is done.
#[tokio::test]
async fn all_keys_of_an_owner_end_and_nobody_is_told_so_before() {
    let (folder, file) = empty_file();
    let now = Clock::system().now().unwrap();
    let new = |number| NewKey::generate("desk_test", &owner(number), &[], now, None).unwrap().record;
    let records: Vec<KeyRecord> = (0..2001).map(new).collect();
    let lines: Vec<String> = records.iter().map(KeyRecord::to_line).collect();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    let embedded = State::open(folder.path().join("state")).unwrap();
    let redis = palisade_tests::redis_server::Server::durable().await;
    let shared = State::redis(&redis.url()).await.unwrap();
    for (admin, count) in [
        (admin(&ApiKeys::from_file(file.path()).unwrap()), 2001),
        (admin(&ApiKeys::new(records).unwrap()), 2001),
        made(ApiKeys::kept_in(embedded, "partner"), 301).await,
        made(ApiKeys::kept_in(shared, "partner"), 601).await,
    ] {
        while let Err(error) = admin.revoke_owner(OWNER).await {
            assert!(matches!(error, KeyAdminError::Store(KeyStoreError::TimedOut)), "{error}");
        }
        let mut states = states(&admin).await;
        assert_eq!(states.len(), count);
        states.retain(|(owner, state)| (owner == OWNER) != (*state == KeyState::Revoked));
        assert_eq!(states, []);
    }
}
