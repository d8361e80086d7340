use std::{collections::BTreeSet, time::Duration};

use futures_util::FutureExt as _;

use super::*;
use crate::{
    authn::api_key::{
        ApiKeys,
        change::Change,
        kept::{
            steps::Steps,
            tests::{NOW, all, key, rotation},
        },
        record::KeyRecord,
        store::{KeyQuery, KeyStore as _},
    },
    state::State,
};

/// Whoever is first: a successor that comes to be while the keys of its owner are revoked is revoked, too.
#[tokio::test]
async fn no_key_slips_through_when_all_of_an_owner_are_revoked() {
    let mut ends = BTreeSet::new();
    for pace in 0..200 {
        let kept = Kept::new(State::new(Steps::of_pace(pace)), "partner");
        let old = key("acme");
        kept.change(&Change::Create(old.clone())).await.unwrap();
        let (rotate, revoke) = (rotation(&old), Change::RevokeOwner { owner: "acme".to_owned(), at: NOW });
        let (rotated, revoked) = tokio::join!(kept.change(&rotate), kept.change(&revoke));
        let listed = kept.list(&all()).await.unwrap();
        assert!(listed.iter().all(|key| key.revoked_at == Some(NOW)), "{listed:?}");
        ends.insert((rotated.is_ok(), revoked.unwrap()));
    }
    assert!(ends.len() > 1, "they met in one way only: {ends:?}");
}

fn revocation() -> Change {
    Change::RevokeOwner { owner: "acme".to_owned(), at: NOW }
}

async fn all_are_revoked(kept: &Kept) -> bool {
    kept.list(&all()).await.unwrap().iter().all(|key| key.revoked_at == Some(NOW))
}

/// Asks, and waits no more as soon as it would have to.
fn ask_and_leave(kept: &Kept, change: &Change) {
    assert!(kept.change(change).now_or_never().is_none());
}

#[tokio::test]
async fn the_keys_of_an_owner_are_revoked_also_when_nobody_waits_for_it() {
    let kept = Kept::new(State::new(Steps::of_pace(1)), "partner");
    for _ in 0..20 {
        kept.change(&Change::Create(key("acme"))).await.unwrap();
    }
    ask_and_leave(&kept, &revocation());
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert!(all_are_revoked(&kept).await);
    assert!(kept.sweeps.held().is_empty());
}

/// Its sweep goes on by itself, so who waits for it takes no place of what is done whole.
#[tokio::test]
async fn whoever_asks_for_one_owner_again_and_again_cuts_off_no_other_change() {
    let kept = Kept::new(State::new(Steps::of_pace(1)), "partner");
    kept.change(&Change::Create(key("acme"))).await.unwrap();
    for _ in 0..2000 {
        ask_and_leave(&kept, &revocation());
    }
    let new = key("another");
    ask_and_leave(&kept, &Change::Create(new.clone()));
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert!(kept.find(&new.id).await.unwrap().is_some());
}

/// Whenever it was made.
#[tokio::test]
async fn who_asks_while_keys_are_revoked_is_told_when_those_made_since_are_as_well() {
    for (pace, steps) in (1..6).flat_map(|pace| (0..80).map(move |steps| (pace, steps))) {
        let engine = Steps::of_pace(pace);
        let (kept, others) =
            (Kept::new(State::new(engine.clone()), "partner"), Kept::new(engine.memory, "partner"));
        kept.change(&Change::Create(key("acme"))).await.unwrap();
        ask_and_leave(&kept, &revocation());
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        // between two steps of ours
        others.add(&key("acme")).now_or_never().unwrap().unwrap();
        kept.change(&revocation()).await.unwrap();
        assert!(all_are_revoked(&kept).await, "pace {pace}, {steps} steps");
    }
}

#[tokio::test]
async fn those_made_since_are_revoked_beside_one_that_cannot_be() {
    for steps in 0..80 {
        let engine = Steps::of_pace(1);
        let (kept, others) =
            (Kept::new(State::new(engine.clone()), "partner"), Kept::new(engine.memory, "partner"));
        let [spoilt, since] = [key("acme"), key("acme")];
        others.change(&Change::Create(spoilt.clone())).await.unwrap();
        others.update(others.of_key(&spoilt.id), |_| Ok((Some("?".to_owned()), ()))).await.unwrap();
        ask_and_leave(&kept, &revocation());
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        others.add(&since).now_or_never().unwrap().unwrap();
        assert!(kept.change(&revocation()).await.is_err());
        let since = others.find(&since.id).await.unwrap().unwrap();
        assert_eq!(since.revoked_at, Some(NOW), "{steps} steps");
    }
}

#[tokio::test]
async fn the_keys_of_so_many_owners_are_revoked_at_a_time_and_one_that_failed_may_come_again() {
    let engine = Steps::of_pace(1);
    let kept = Kept::new(State::new(engine.clone()), "partner");
    let of = |owner: usize| Change::RevokeOwner { owner: owner.to_string(), at: NOW };
    for owner in 0..OWNERS {
        ask_and_leave(&kept, &of(owner));
    }
    assert!(matches!(kept.change(&of(OWNERS)).await, Err(KeyStoreError::Unavailable(_))));
    assert_eq!(kept.change(&of(OWNERS - 1)).await.unwrap(), 0);
    kept.change(&of(OWNERS)).await.unwrap();
    engine.fail_at(0);
    assert!(matches!(kept.change(&of(OWNERS)).await, Err(KeyStoreError::TimedOut)));
    assert!(!kept.sweeps.held().contains_key(&OWNERS.to_string()));
    kept.change(&of(OWNERS)).await.unwrap();
}

#[tokio::test]
async fn of_many_owners_at_once_all_are_done_and_the_state_is_asked_for_as_much_as_for_one() {
    let engine = Steps::of_pace(1);
    let (kept, others) =
        (Kept::new(State::new(engine.clone()), "partner"), Kept::new(engine.memory.clone(), "partner"));
    let owners: Vec<String> = (0..100).map(|owner| owner.to_string()).collect();
    for owner in owners.iter().flat_map(|owner| [owner; 3]) {
        others.change(&Change::Create(key(owner))).await.unwrap();
    }
    let swept = owners.iter().map(async |owner| kept.sweep(owner, NOW).await.unwrap());
    assert_eq!(futures_util::future::join_all(swept).await, [3; 100]);
    assert!(engine.most_at_once() > AT_ONCE / 2, "they did not meet: {}", engine.most_at_once());
    assert!(engine.most_at_once() <= AT_ONCE, "{}", engine.most_at_once());
}

/// And who asked is told why.
#[tokio::test]
async fn a_key_that_cannot_be_revoked_keeps_no_other_good() {
    let kept = Kept::new(State::memory(), "partner");
    let mut keys: Vec<KeyRecord> = (0..400).map(|_| key("acme")).collect();
    keys.sort_by(|one, other| one.id.cmp(&other.id));
    for key in &keys {
        kept.change(&Change::Create(key.clone())).await.unwrap();
    }
    let spoilt = keys.remove(0);
    kept.update(kept.of_key(&spoilt.id), |_| Ok((Some("?".to_owned()), ()))).await.unwrap();
    let failed = kept.change(&revocation()).await.unwrap_err();
    let why = "the keys cannot be had: the record of the key cannot be read: it is not all there";
    assert_eq!(failed.to_string(), why);
    assert!(kept.sweeps.held().is_empty());
    for key in keys {
        assert_eq!(kept.find(&key.id).await.unwrap().unwrap().revoked_at, Some(NOW));
    }
}

async fn many(memory: &State) -> Kept {
    let kept = Kept::new(memory.clone(), "partner");
    for _ in 0..2000 {
        kept.change(&Change::Create(key("acme"))).await.unwrap();
    }
    kept
}

async fn revoked(kept: &Kept) -> usize {
    let listed = kept.list(&KeyQuery { limit: 3000, ..all() }).await.unwrap();
    listed.iter().filter(|key| key.revoked_at == Some(NOW)).count()
}

#[tokio::test]
async fn each_key_takes_one_look_and_one_write() {
    let engine = Steps::of_pace(1);
    let (kept, others) = (Kept::new(State::new(engine.clone()), "partner"), many(&engine.memory).await);
    assert_eq!(kept.change(&revocation()).await.unwrap(), 2000);
    assert_eq!((revoked(&others).await, engine.swapped()), (2000, 2000));
    // beside the list, once a round, and what is tidied
    assert!(engine.taken() <= 4000 + 2 + 51, "{}", engine.taken());
    assert_eq!(kept.change(&revocation()).await.unwrap(), 0);
    assert_eq!(engine.swapped(), 2000);
}

/// Whoever asked is not told that it is done while keys are good, and each is revoked once, however often they ask.
#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_a_request_waits_goes_on_and_is_not_called_done_before_it_is() {
    let engine = Steps::changing_in(Duration::from_millis(250));
    let (keys, others) =
        (ApiKeys::kept_in(State::new(engine.clone()), "partner"), many(&engine.memory).await);
    let late = keys.engine.change(&revocation()).await;
    assert!(matches!(late, Err(KeyStoreError::TimedOut)), "{late:?}");
    let at_first = revoked(&others).await;
    assert!((1..2000).contains(&at_first), "{at_first}");
    while keys.engine.change(&revocation()).await.is_err() {}
    assert_eq!((revoked(&others).await, engine.swapped()), (2000, 2000));
}

#[test]
fn who_waits_is_told_that_the_state_is_full() {
    assert!(matches!(KeyStoreError::from(Fault::from(KeyStoreError::Full)), KeyStoreError::Full));
}

#[tokio::test]
async fn a_key_is_revoked_when_it_was_last_asked_for_and_never_before_it_was_made() {
    let kept = Kept::new(State::memory(), "partner");
    let (early, late) = (key("acme"), KeyRecord { created: Some(NOW + 20), ..key("acme") });
    for key in [&early, &late] {
        kept.change(&Change::Create(key.clone())).await.unwrap();
    }
    ask_and_leave(&kept, &revocation());
    kept.change(&Change::RevokeOwner { owner: "acme".to_owned(), at: NOW + 9 }).await.unwrap();
    for (key, at) in [(early, NOW + 9), (late, NOW + 20)] {
        assert_eq!(kept.find(&key.id).await.unwrap().unwrap().revoked_at, Some(at));
    }
}
