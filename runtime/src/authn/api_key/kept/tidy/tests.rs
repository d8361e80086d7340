use super::super::{
    steps::Steps,
    tests::{NOW, all, fill, key, key_of_north},
};
use super::*;
use crate::{
    authn::api_key::{
        change::Change,
        store::{KeyQuery, KeyStore as _, in_time},
    },
    state::State,
};

#[tokio::test]
async fn keys_that_ended_long_ago_leave_nothing_behind() {
    let kept = Kept::new(State::memory(), "partner");
    let (old, good) = (key_of_north("other"), KeyRecord { not_after: None, ..key_of_north("acme") });
    for key in [&old, &good] {
        kept.change(&Change::Create(key.clone())).await.unwrap();
    }
    let end = old.not_after.unwrap();
    let later =
        |days: u64| KeyRecord { created: Some(end + days * 86_400), not_after: None, ..key_of_north("acme") };
    kept.change(&Change::Create(later(89))).await.unwrap();
    assert_eq!(kept.list(&all()).await.unwrap().len(), 3);
    kept.change(&Change::Create(later(90))).await.unwrap();
    assert_eq!(kept.list(&all()).await.unwrap().len(), 3, "one came and one went");
    assert!(kept.find(&old.id).await.unwrap().is_none());
    assert!(kept.find(&good.id).await.unwrap().is_some());
    assert!(kept.state.get(kept.of_key(&old.id)).await.unwrap().is_none());
    for list in kept.lists(&old) {
        assert!(!kept.ids(list).await.unwrap().contains(&old.id));
    }
    assert!(kept.state.get(kept.of_owner("other")).await.unwrap().is_none(), "a list of nothing");
}

/// Fifty at a change, and in the end all: whichever key is changed, those behind it are looked at.
#[tokio::test]
async fn however_many_ended_long_ago_all_go() {
    let kept = Kept::new(State::memory(), "partner");
    let ended = |_| key("acme");
    for key in (0..200).map(ended) {
        kept.change(&Change::Create(key)).await.unwrap();
    }
    for _ in 0..100 {
        let new = KeyRecord { created: Some(NOW + 100 * 86_400), not_after: None, ..key("acme") };
        kept.change(&Change::Create(new)).await.unwrap();
    }
    let listed = kept.list(&KeyQuery { limit: 1000, ..all() }).await.unwrap();
    assert_eq!(listed.len(), 100, "those that are good");
}

#[tokio::test]
async fn whichever_step_of_it_fails_a_later_change_takes_them_from_all_lists() {
    let mut interrupted = 0;
    for step in 0.. {
        let engine = Steps::default();
        let kept = Kept::new(State::new(engine.clone()), "partner");
        let (old, end) = (key_of_north("acme"), NOW + 1000 + 90 * 86_400);
        kept.change(&Change::Create(old.clone())).await.unwrap();
        let later =
            || Change::Create(KeyRecord { created: Some(end), not_after: None, ..key_of_north("acme") });
        engine.fail_at(step);
        let made = kept.change(&later()).await;
        engine.fail_at(usize::MAX);
        if made.is_ok() && kept.find(&old.id).await.unwrap().is_none() {
            break;
        }
        interrupted += usize::from(made.is_ok());
        kept.change(&later()).await.unwrap();
        for list in kept.lists(&old) {
            assert!(!kept.ids(list).await.unwrap().contains(&old.id), "step {step}");
        }
    }
    assert!(interrupted > 5, "{interrupted}");
}

/// Of as many owners, in one tenant.
#[tokio::test]
async fn keys_of_a_tenant_that_ended_long_ago_go_whosever_they_were() {
    let kept = Kept::new(State::memory(), "partner");
    for number in 0..100 {
        kept.change(&Change::Create(key_of_north(&number.to_string()))).await.unwrap();
    }
    for number in 100..200 {
        let new = KeyRecord {
            created: Some(NOW + 100 * 86_400),
            not_after: None,
            ..key_of_north(&number.to_string())
        };
        kept.change(&Change::Create(new)).await.unwrap();
    }
    let listed = kept.list(&KeyQuery { limit: 1000, ..all() }).await.unwrap();
    assert_eq!(listed.len(), 100, "those that are good");
    assert_eq!(kept.ids(kept.of_tenant("north")).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_tenant_that_is_full_of_keys_that_ended_long_ago_has_room_soon() {
    let kept = Kept::new(State::memory(), "partner");
    for number in 0..10 {
        kept.change(&Change::Create(key_of_north(&number.to_string()))).await.unwrap();
    }
    fill(&kept, kept.of_tenant("north")).await;
    let new = || KeyRecord { created: Some(NOW + 100 * 86_400), not_after: None, ..key_of_north("acme") };
    let refused = kept.change(&Change::Create(new())).await;
    assert!(matches!(refused, Err(KeyStoreError::Full)), "{refused:?}");
    kept.change(&Change::Create(new())).await.unwrap();
}

/// Else whoever made the key would think that it was not made, and nobody would have its text.
#[tokio::test(start_paused = true)]
async fn a_change_does_not_wait_for_those_that_ended_long_ago() {
    let quick = Steps::default();
    let kept = Kept::new(State::new(quick.clone()), "partner");
    for _ in 0..50 {
        kept.change(&Change::Create(key("acme"))).await.unwrap();
    }
    let slow = Steps::changing_in(Duration::from_millis(100)).beside(&quick);
    let kept = Kept::new(State::new(slow), "partner");
    let new = KeyRecord { created: Some(NOW + 100 * 86_400), not_after: None, ..key("acme") };
    in_time(kept.change(&Change::Create(new.clone()))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let listed = kept.list(&all()).await.unwrap();
    assert_eq!(listed.iter().map(|key| &key.id).collect::<Vec<_>>(), [&new.id], "they go all the same");
}
