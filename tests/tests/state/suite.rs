//! The rules that every engine keeps, as one suite over `State`.

use std::{collections::HashSet, time::Duration};

use palisade::{
    Clock, State,
    state::{Expected, Key, Kind, Next, Record, StateError, Swapped},
};

use crate::model;

/// What is tried.
pub struct Subject {
    pub state: State,
    pub time: Time,
}

/// The time of an engine.
pub enum Time {
    /// This clock, which the suite moves.
    Moved(Clock),
    /// That of the machine, for engines with a clock of their own.
    Real,
}

impl Time {
    /// Lets so much time go by.
    pub async fn pass(&self, time: Duration) {
        match self {
            Self::Moved(clock) => clock.advance(time),
            Self::Real => tokio::time::sleep(time).await,
        }
    }
}

const HOUR: Duration = Duration::from_secs(3600);
/// Longer than one step of the suite takes on a machine that is busy.
const SHORT: Duration = Duration::from_secs(2);

pub fn key(name: &str) -> Key {
    Key::new(Kind::Application, &[name.as_bytes()])
}

pub fn record(value: impl AsRef<[u8]>, keep: Duration) -> Next {
    Next::Record { value: value.as_ref().to_vec(), keep }
}

/// The version of a change that was made.
pub fn made(swapped: Result<Swapped, StateError>) -> u64 {
    match swapped {
        Ok(Swapped::Made(version)) => version,
        other => panic!("it should have been made: {other:?}"),
    }
}

/// What a record says, and not for how long it is kept.
pub fn told(record: Option<Record>) -> Option<(Vec<u8>, u64)> {
    record.map(|record| (record.value, record.version))
}

/// All rules but the one about a full engine, which takes another bound.
pub async fn keeps_the_rules(subject: &Subject) {
    values_come_back_as_they_were_put(&subject.state).await;
    a_change_needs_what_it_expects(&subject.state).await;
    one_of_many_wins(&subject.state).await;
    a_counter_ends_exact(&subject.state).await;
    versions_only_grow(subject).await;
    records_end_on_time(subject).await;
    how_long_is_left_is_told(subject).await;
    values_are_a_mebibyte_at_most(subject).await;
    model::agrees(subject).await;
}

async fn values_come_back_as_they_were_put(state: &State) {
    let values =
        [Vec::new(), vec![0], b"\0\xff\r\n$-1\r\n".to_vec(), (0..=255).cycle().take(100_000).collect()];
    for (number, value) in values.into_iter().enumerate() {
        let key = key(&format!("value {number}"));
        let version = made(state.swap(key, Expected::Nothing, record(&value, HOUR)).await);
        let kept = state.get(key).await.unwrap();
        assert!(told(kept) == Some((value, version)), "value {number}");
    }
}

async fn a_change_needs_what_it_expects(state: &State) {
    let name = key("expected");
    let absent = state.swap(name, Expected::Version(1), record("x", HOUR)).await.unwrap();
    assert_eq!(absent, Swapped::Not(None));
    assert_eq!(state.swap(name, Expected::Version(1), Next::Nothing).await.unwrap(), Swapped::Not(None));
    assert_eq!(made(state.swap(name, Expected::Nothing, Next::Nothing).await), 0, "nothing was removed");
    let first = made(state.swap(name, Expected::Nothing, record("1", HOUR)).await);
    let there = Some((b"1".to_vec(), first));
    for (expected, next) in [
        (Expected::Nothing, record("2", HOUR)),
        (Expected::Nothing, Next::Nothing),
        (Expected::Version(first + 1), record("2", HOUR)),
        (Expected::Version(first - 1), Next::Nothing),
        (Expected::Version(0), Next::Nothing),
        (Expected::Version(u64::MAX), record("2", HOUR)),
    ] {
        let Swapped::Not(found) = state.swap(name, expected, next).await.unwrap() else {
            panic!("{expected:?}")
        };
        assert_eq!(told(found), there, "{expected:?}");
    }
    let second = made(state.swap(name, Expected::Version(first), record("2", HOUR)).await);
    assert_eq!(made(state.swap(name, Expected::Version(second), Next::Nothing).await), second);
    assert_eq!(state.get(name).await.unwrap(), None);
}

async fn one_of_many_wins(state: &State) {
    for round in 0..20 {
        let name = key(&format!("race {round}"));
        let all = (0..16).map(|one| {
            let state = state.clone();
            tokio::spawn(async move { state.swap(name, Expected::Nothing, record([one], HOUR)).await })
        });
        let (mut won, mut shown) = (Vec::new(), HashSet::new());
        for (one, task) in all.collect::<Vec<_>>().into_iter().enumerate() {
            match task.await.unwrap().unwrap() {
                Swapped::Made(version) => won.push((vec![one as u8], version)),
                Swapped::Not(found) => {
                    shown.insert(told(found));
                }
            }
        }
        assert_eq!(won.len(), 1, "round {round}");
        let winner = won.remove(0);
        assert_eq!(shown, HashSet::from([Some(winner.clone())]), "round {round}");
        assert_eq!(told(state.get(name).await.unwrap()), Some(winner));
    }
}

async fn a_counter_ends_exact(state: &State) {
    const TASKS: u64 = 8;
    const EACH: u64 = 25;
    let name = key("counter");
    let all = (0..TASKS).map(|_| {
        let state = state.clone();
        tokio::spawn(async move {
            for _ in 0..EACH {
                increment(&state, name).await;
            }
        })
    });
    for task in all.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(count(&state.get(name).await.unwrap().unwrap()), TASKS * EACH);
}

async fn increment(state: &State, name: Key) {
    let mut found = state.get(name).await.unwrap();
    loop {
        let (expected, next) = match &found {
            None => (Expected::Nothing, 1),
            Some(record) => (Expected::Version(record.version), count(record) + 1),
        };
        match state.swap(name, expected, record(next.to_be_bytes(), HOUR)).await.unwrap() {
            Swapped::Made(_) => return,
            Swapped::Not(now) => found = now,
        }
    }
}

fn count(record: &Record) -> u64 {
    u64::from_be_bytes(record.value.as_slice().try_into().unwrap())
}

async fn versions_only_grow(Subject { state, time }: &Subject) {
    let name = key("versions");
    let mut last = 0;
    let mut grew = |version| {
        assert!(version > last, "{version} after {last}");
        last = version;
        version
    };
    let first = grew(made(state.swap(name, Expected::Nothing, record("1", HOUR)).await));
    let second = grew(made(state.swap(name, Expected::Version(first), record("2", HOUR)).await));
    state.swap(name, Expected::Version(second), Next::Nothing).await.unwrap();
    grew(made(state.swap(name, Expected::Nothing, record("3", SHORT)).await));
    time.pass(SHORT).await;
    let fourth = grew(made(state.swap(name, Expected::Nothing, record("4", HOUR)).await));
    // a record that ended as it was put has a version all the same
    grew(made(state.swap(name, Expected::Version(fourth), record("5", Duration::ZERO)).await));
    grew(made(state.swap(name, Expected::Nothing, record("6", HOUR)).await));
}

async fn records_end_on_time(Subject { state, time }: &Subject) {
    let [short, long, renewed, never] = ["short", "long", "renewed", "never"].map(key);
    state.swap(short, Expected::Nothing, record("s", SHORT)).await.unwrap();
    state.swap(long, Expected::Nothing, record("l", HOUR)).await.unwrap();
    state.swap(never, Expected::Nothing, record("n", Duration::MAX)).await.unwrap();
    let version = made(state.swap(renewed, Expected::Nothing, record("r", SHORT)).await);
    made(state.swap(renewed, Expected::Version(version), record("r", HOUR)).await);
    time.pass(SHORT / 2).await;
    assert!(state.get(short).await.unwrap().is_some(), "its time is not over");
    time.pass(SHORT / 2).await;
    assert_eq!(state.get(short).await.unwrap(), None, "its time is over");
    for kept in [long, renewed, never] {
        assert!(state.get(kept).await.unwrap().is_some());
    }
    let short_of = Swapped::Not(None);
    assert_eq!(state.swap(short, Expected::Version(1), Next::Nothing).await.unwrap(), short_of);
    made(state.swap(short, Expected::Nothing, record("again", Duration::ZERO)).await);
    assert_eq!(state.get(short).await.unwrap(), None, "kept for no time at all");
}

/// By who reads, and by who is refused a change.
async fn how_long_is_left_is_told(Subject { state, time }: &Subject) {
    let name = key("left");
    made(state.swap(name, Expected::Nothing, record("x", HOUR)).await);
    time.pass(SHORT / 2).await;
    let read = state.get(name).await.unwrap().unwrap().left;
    let Swapped::Not(Some(found)) = state.swap(name, Expected::Nothing, Next::Nothing).await.unwrap() else {
        panic!("it is there")
    };
    for left in [read, found.left] {
        let went_by = HOUR - left;
        // an engine with a clock of its own, on a machine that is busy
        assert!((SHORT / 2..SHORT * 5).contains(&went_by), "{went_by:?}");
    }
}

async fn values_are_a_mebibyte_at_most(Subject { state, .. }: &Subject) {
    let of = |length| Next::Record { value: vec![b'x'; length], keep: HOUR };
    let name = key("mebibyte");
    let version = made(state.swap(name, Expected::Nothing, of(1 << 20)).await);
    let longer = state.swap(name, Expected::Version(version), of((1 << 20) + 1)).await;
    assert!(matches!(longer, Err(StateError::TooLong)));
    let kept = state.get(name).await.unwrap().map(|record| (record.version, record.value.len()));
    assert_eq!(kept, Some((version, 1 << 20)), "nothing was changed");
}

/// An engine with room for `capacity` records, and none in it.
pub async fn refuses_when_it_is_full(Subject { state, time }: &Subject, capacity: usize) {
    let name = |number: usize| key(&format!("full {number}"));
    let mut versions = Vec::new();
    for number in 0..capacity {
        let keep = if number == 0 { SHORT } else { HOUR };
        versions.push(made(state.swap(name(number), Expected::Nothing, record("x", keep)).await));
    }
    let one_more = || state.swap(key("more"), Expected::Nothing, record("x", HOUR));
    for _ in 0..3 {
        assert!(matches!(one_more().await, Err(StateError::Full)));
    }
    for (number, version) in versions.iter().enumerate() {
        let kept = state.get(name(number)).await.unwrap().map(|record| record.version);
        assert_eq!(kept, Some(*version), "nothing was forgotten for the newcomer");
    }
    // what is there may still change, and go
    let last = capacity - 1;
    let next = made(state.swap(name(last), Expected::Version(versions[last]), record("y", HOUR)).await);
    time.pass(SHORT).await;
    made(one_more().await);
    assert!(matches!(state.swap(name(0), Expected::Nothing, record("x", HOUR)).await, Err(StateError::Full)));
    made(state.swap(name(last), Expected::Version(next), Next::Nothing).await);
    made(state.swap(name(0), Expected::Nothing, record("x", HOUR)).await);
}

/// Of an engine that has room for many more, and some sixteen mebibytes.
pub async fn refuses_when_its_bytes_are_full(Subject { state, time }: &Subject) {
    let long = |keep| record(vec![7; 1 << 20], keep);
    let name = |number: usize| key(&format!("long {number}"));
    let (mut versions, mut keep) = (Vec::new(), SHORT);
    loop {
        match state.swap(name(versions.len()), Expected::Nothing, long(keep)).await {
            Ok(Swapped::Made(version)) => versions.push(version),
            Err(StateError::Full) => break,
            other => panic!("{other:?}"),
        }
        keep = HOUR;
    }
    assert!((12..16).contains(&versions.len()), "{}", versions.len());
    for (number, version) in versions.iter().enumerate() {
        let kept = state.get(name(number)).await.unwrap().map(|record| record.version);
        assert_eq!(kept, Some(*version), "nothing was forgotten for the newcomer");
    }
    // what is there may change, and a short one has become a long one
    let last = versions.len() - 1;
    let next = made(state.swap(name(last), Expected::Version(versions[last]), record("y", HOUR)).await);
    made(state.swap(name(last), Expected::Version(next), long(HOUR)).await);
    assert!(matches!(state.swap(key("more"), Expected::Nothing, long(HOUR)).await, Err(StateError::Full)));
    time.pass(SHORT).await;
    made(state.swap(key("more"), Expected::Nothing, long(HOUR)).await);
}
