use std::collections::BTreeMap;

use tokio::time::timeout;

use super::{steps::Steps, *};
use crate::{authn::api_key::NewKey, clock::Clock, state::LONGEST};

pub(super) const NOW: u64 = 1_800_000_000;

pub(super) fn key(owner: &str) -> KeyRecord {
    let now = Clock::fixed(NOW).now().unwrap();
    NewKey::generate("bank_live", owner, &["a", "b"], now, Some(NOW + 1000)).unwrap().record
}

pub(super) fn key_of_north(owner: &str) -> KeyRecord {
    KeyRecord { tenant: Some("north".to_owned()), ..key(owner) }
}

pub(super) fn rotation(old: &KeyRecord) -> Change {
    let now = Clock::fixed(NOW).now().unwrap();
    let successor = NewKey::succeeding(old, "bank_live", now, None).unwrap().record;
    Change::Rotate { id: old.id.clone(), successor, at: NOW, until: NOW + 60 }
}

pub(super) fn all() -> KeyQuery {
    KeyQuery { limit: 100, ..KeyQuery::default() }
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
        ..KeyQuery::default()
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

/// Beside whichever others: their records cannot even be read.
#[tokio::test]
async fn a_key_is_found_with_one_look_whether_it_is_there_or_not() {
    let counted = Steps::default();
    let kept = Kept::new(State::new(counted.clone()), "partner");
    let (wanted, spoilt) = (key("acme"), key("acme"));
    for key in [&wanted, &spoilt] {
        kept.change(&Change::Create(key.clone())).await.unwrap();
    }
    kept.update(kept.of_key(&spoilt.id), |_| Ok((Some("?".to_owned()), ()))).await.unwrap();
    for (id, there) in [(&*wanted.id, true), ("AAAAAAAAAAAA", false)] {
        let before = counted.taken();
        assert_eq!(kept.find(id).await.unwrap().is_some(), there);
        assert_eq!(counted.taken() - before, 1);
    }
    assert!(matches!(kept.find(&spoilt.id).await, Err(KeyStoreError::Unreadable(_))));
}

#[test]
fn the_record_of_nobody_is_one_that_a_state_may_have() {
    assert_eq!(Kept::of_nobody().pepper.as_deref(), Some("nobody"), "it is read from its line");
}

/// Rule 7. The records of others cannot even be read.
#[tokio::test]
async fn a_page_looks_at_what_is_asked_for_and_at_no_other_key() {
    let counted = Steps::default();
    let kept = Kept::new(State::new(counted.clone()), "partner");
    let [mut of_acme, of_other] =
        [[(); 3].map(|()| key_of_north("acme")), [(); 3].map(|()| key_of_north("other"))];
    of_acme.sort_by(|one, other| one.id.cmp(&other.id));
    for key in of_acme.iter().chain(&of_other) {
        kept.change(&Change::Create(key.clone())).await.unwrap();
    }
    for number in 0..100 {
        let tenant = (number % 3 > 0).then(|| format!("south {}", number % 3));
        let spoilt = KeyRecord { tenant, ..key("acme") };
        kept.change(&Change::Create(spoilt.clone())).await.unwrap();
        kept.update(kept.of_key(&spoilt.id), |_| Ok((Some("?".to_owned()), ()))).await.unwrap();
    }
    let of = |owner: Option<&str>, tenant: &str| KeyQuery {
        owner: owner.map(str::to_owned),
        tenant: Some(tenant.to_owned()),
        ..all()
    };
    let behind = KeyQuery { after: Some(of_acme[0].id.clone()), limit: 1, ..of(Some("acme"), "north") };
    for (query, expected, looks) in [
        (of(None, "north"), 6, 7),
        (of(Some("acme"), "north"), 3, 5),
        (behind, 1, 3),
        (of(Some("nobody"), "north"), 0, 2),
        (of(None, "west"), 0, 1),
    ] {
        let before = counted.taken();
        let listed = kept.list(&query).await.unwrap();
        assert_eq!((listed.len(), counted.taken() - before), (expected, looks), "{query:?}");
        assert!(listed.iter().all(|key| query.is_of(key) && Some(&key.id) > query.after.as_ref()));
    }
}

/// In whichever list it fills up.
#[tokio::test]
async fn a_page_that_is_full_looks_no_further() {
    let counted = Steps::default();
    let kept = Kept::new(State::new(counted.clone()), "partner");
    for _ in 0..500 {
        kept.change(&Change::Create(KeyRecord { not_after: None, ..key("acme") })).await.unwrap();
    }
    let before = counted.taken();
    assert_eq!(kept.list(&KeyQuery { limit: 1, ..all() }).await.unwrap().len(), 1);
    let looks = counted.taken() - before;
    assert!(looks < 10, "{looks}");
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
async fn of_rotations_at_once_one_is_made() {
    for pace in 0..50 {
        let kept = Kept::new(State::new(Steps::of_pace(pace)), "partner");
        let old = key("acme");
        kept.change(&Change::Create(old.clone())).await.unwrap();
        let rotations: Vec<_> = (0..8).map(|_| rotation(&old)).collect();
        let made = futures_util::future::join_all(rotations.iter().map(|change| kept.change(change))).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
        let listed = kept.list(&all()).await.unwrap();
        assert_eq!(listed.len(), 2, "the others took theirs back");
        let successor = kept.find(&old.id).await.unwrap().unwrap().successor.unwrap();
        assert!(kept.find(&successor).await.unwrap().is_some());
    }
}

/// Whichever step fails, nothing is good that is in no list, and asking again makes the change.
#[tokio::test]
async fn what_is_interrupted_is_made_when_it_is_asked_for_again() {
    let mut interrupted = 0;
    for step in 0.. {
        let engine = Steps::default();
        let kept = Kept::new(State::new(engine.clone()), "partner");
        let (first, other) = (key_of_north("acme"), key_of_north("acme"));
        let second = rotation(&first);
        for change in [Change::Create(first.clone()), Change::Create(other), second.clone()] {
            kept.change(&change).await.unwrap();
        }
        let Change::Rotate { successor: second, .. } = second else { panic!() };
        let changes = [
            Change::Create(key_of_north("acme")),
            rotation(&second),
            Change::Revoke { id: second.id.clone(), at: NOW },
            Change::RevokeOwner { owner: "acme".to_owned(), at: NOW },
        ];
        let mut failed = 0;
        for change in changes {
            engine.fail_at(step);
            let outcome = kept.change(&change).await;
            engine.fail_at(usize::MAX);
            if outcome.is_err() {
                failed += 1;
                let again = match &change {
                    Change::Create(_) => Change::Create(key_of_north("acme")), // whoever asks again gets another key
                    Change::Rotate { .. } => rotation(&second),
                    other => other.clone(),
                };
                kept.change(&again).await.unwrap();
            }
            let listed = kept.list(&all()).await.unwrap();
            let owned = KeyQuery { owner: Some("acme".to_owned()), ..all() };
            let of_tenant = KeyQuery { tenant: Some("north".to_owned()), ..all() };
            for query in [owned, of_tenant] {
                assert_eq!(listed.len(), kept.list(&query).await.unwrap().len());
            }
            if let Change::RevokeOwner { .. } = change {
                assert!(listed.iter().all(|key| key.revoked_at.is_some()), "{listed:?}");
            }
            assert!(
                listed
                    .iter()
                    .filter(|key| key.successor.is_some())
                    .all(|key| { listed.iter().any(|other| Some(&other.id) == key.successor.as_ref()) })
            );
        }
        interrupted += failed;
        if failed == 0 {
            break;
        }
    }
    assert!(interrupted > 20, "{interrupted}");
}

/// Else whoever may rotate fills the lists by asking for what is refused.
#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let counted = Steps::default();
    let kept = Kept::new(State::new(counted.clone()), "partner");
    let old = key("acme");
    kept.change(&Change::Create(old.clone())).await.unwrap();
    kept.change(&Change::Revoke { id: old.id.clone(), at: NOW }).await.unwrap();
    let before = counted.swapped();
    for _ in 0..3 {
        assert!(matches!(kept.change(&rotation(&old)).await, Err(KeyStoreError::NotLive)));
        assert!(matches!(kept.change(&Change::Create(old.clone())).await, Err(KeyStoreError::Exists)));
    }
    assert_eq!(counted.swapped(), before);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_nobody_waits_for_is_made() {
    let slow = Steps::changing_in(Duration::from_millis(100));
    let kept = Kept::new(State::new(slow), "partner");
    let new = key_of_north("acme");
    let change = Change::Create(new.clone());
    assert!(timeout(Duration::from_millis(50), kept.change(&change)).await.is_err());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(kept.find(&new.id).await.unwrap().is_some());
    for list in kept.lists(&new) {
        assert_eq!(kept.ids(list).await.unwrap(), [&*new.id]);
    }
}

/// But for the two steps of which nobody knows whether they made the record.
#[tokio::test]
async fn a_key_that_was_not_made_is_in_no_list() {
    let mut left = 0;
    for step in 0.. {
        let engine = Steps::default();
        let kept = Kept::new(State::new(engine.clone()), "partner");
        let new = key_of_north("acme");
        engine.fail_at(step);
        let made = kept.change(&Change::Create(new.clone())).await;
        engine.fail_at(usize::MAX);
        if made.is_ok() {
            break;
        }
        assert!(kept.find(&new.id).await.unwrap().is_none());
        let mut is_listed = false;
        for list in kept.lists(&new) {
            is_listed |= !kept.ids(list).await.unwrap().is_empty();
        }
        left += usize::from(is_listed);
    }
    assert_eq!(left, 2);
}

/// A rotation that was made unheard names a successor, which is there.
#[tokio::test]
async fn no_key_is_left_without_the_successor_that_it_names() {
    let mut unheard = 0;
    for step in 0.. {
        let engine = Steps::unheard();
        let kept = Kept::new(State::new(engine.clone()), "partner");
        let old = key("acme");
        kept.change(&Change::Create(old.clone())).await.unwrap();
        engine.fail_at(step);
        let outcome = kept.change(&rotation(&old)).await;
        engine.fail_at(usize::MAX);
        if let Some(successor) = kept.find(&old.id).await.unwrap().unwrap().successor {
            assert!(kept.find(&successor).await.unwrap().is_some(), "step {step}");
            unheard += usize::from(outcome.is_err());
        }
        if outcome.is_ok() {
            break;
        }
    }
    assert_eq!(unheard, 1);
}

/// One id that nobody has, of the length that there is room for.
pub(super) async fn fill(kept: &Kept, list: Key) {
    kept.update(list, |text| {
        let filler = "z".repeat(LONGEST - text.len() - usize::from(!text.is_empty()));
        Ok((Some(text.lines().chain([&*filler]).collect::<Vec<_>>().join("\n")), ()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn where_a_list_has_no_room_no_other_keeps_the_id() {
    for place in 0..3 {
        let counted = Steps::default();
        let kept = Kept::new(State::new(counted.clone()), "partner");
        let new = key_of_north("acme");
        let lists = [kept.of_tenant("north"), kept.of_owner("acme"), kept.of_character(new.id.as_bytes()[0])];
        fill(&kept, lists[place]).await;
        let before = counted.swapped();
        let refused = kept.change(&Change::Create(new.clone())).await;
        assert!(matches!(refused, Err(KeyStoreError::Full)), "{refused:?}");
        assert!(kept.find(&new.id).await.unwrap().is_none());
        for list in lists {
            assert!(!kept.ids(list).await.unwrap().contains(&new.id), "{place}");
        }
        assert_eq!(counted.swapped() - before, 2 * place, "those before it, there and back");
    }
}
