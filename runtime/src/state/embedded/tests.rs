//! What waits for a writer that does not get on.

use futures_util::future::join_all;
use redb::ReadableTableMetadata;
use tokio::time::timeout;

use super::*;
use crate::state::Kind;

const VALUE: usize = 200 << 10;
const CALLERS: usize = 100;

fn key(name: &str) -> Key {
    Key::new(Kind::Answer, &[name.as_bytes()])
}

fn record(value: Vec<u8>) -> Next {
    Next::Record { value, keep: Duration::from_secs(60) }
}

fn open(folder: &tempfile::TempDir) -> Embedded {
    Embedded::open(&folder.path().join("state"), 10_000, Clock::fixed(1_800_000_000)).unwrap()
}

/// How many changes wait.
fn waiting(engine: &Embedded) -> usize {
    let changes = engine.changes.as_ref().unwrap();
    changes.max_capacity() - changes.capacity()
}

/// Callers, again and again, who give up, until so many changes wait: before the writer hangs with some, it passes over those of who has
/// gone.
async fn flood(engine: &Embedded, callers: usize, next: impl Fn() -> Next, until: impl Fn(usize) -> bool) {
    let began = std::time::Instant::now();
    for round in 0.. {
        let swap = |number: usize| {
            let key = key(&format!("{round}.{number}"));
            timeout(Duration::from_millis(50), engine.swap(key, Expected::Nothing, next()))
        };
        let answers = join_all((0..callers).map(swap)).await;
        assert!(answers.iter().all(Result::is_err), "somebody was answered");
        if until(waiting(engine)) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{} wait", waiting(engine));
    }
}

/// More than what may wait, by callers who give up.
#[tokio::test]
async fn a_flood_for_a_disk_that_hangs_is_refused_in_time_and_held_in_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder);
    let hangs = engine.file.begin_write().unwrap();
    let next = || record(vec![7; VALUE]);
    flood(&engine, CALLERS, next, |waiting| (32 << 20..).contains(&(waiting * VALUE))).await;
    // and no more, however many come
    flood(&engine, 4 * CALLERS, next, |_| true).await;
    let held = waiting(&engine) * VALUE;
    assert!((32 << 20..=64 << 20).contains(&held), "{held} bytes");
    hangs.abort().unwrap();
    // of those whom nobody waits for, the ones that were in the hands of the writer are made
    let swapped = engine.swap(key("after"), Expected::Nothing, record(Vec::new())).await.unwrap();
    assert!(matches!(swapped, Swapped::Made(_)));
    let records = redb::TableDefinition::<&[u8], &[u8]>::new("records");
    let kept = engine.file.begin_read().unwrap().open_table(records).unwrap().len().unwrap();
    assert!((1..=257).contains(&kept), "{kept}");
    assert_eq!(engine.waiting.available_permits(), 64 << 10, "every place is free again");
}

#[tokio::test]
async fn small_changes_are_bounded_by_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder);
    let hangs = engine.file.begin_write().unwrap();
    flood(&engine, WAITING, || record(vec![7; 1023]), |waiting| waiting == 1024).await;
    assert_eq!(engine.waiting.available_permits(), 64 << 10, "they need no place");
    hangs.abort().unwrap();
    assert_eq!(engine.swap(key("0"), Expected::Nothing, Next::Nothing).await.unwrap(), Swapped::Made(0));
}

/// A revocation is short.
#[tokio::test]
async fn a_short_change_does_not_stand_behind_long_ones_that_wait_for_room() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder);
    let hangs = engine.file.begin_write().unwrap();
    let enough = engine.waiting.available_permits().try_into().unwrap();
    let all = engine.waiting.acquire_many(enough).await.unwrap();
    let mut long = engine.swap(key("long"), Expected::Nothing, record(vec![7; 1024]));
    timeout(Duration::from_millis(50), &mut long).await.unwrap_err();
    let mut short = engine.swap(key("short"), Expected::Nothing, record(vec![7; 1023]));
    timeout(Duration::from_millis(50), &mut short).await.unwrap_err();
    hangs.abort().unwrap();
    let made = timeout(Duration::from_secs(10), short).await.expect("it waits for room");
    assert!(matches!(made, Ok(Swapped::Made(_))));
    timeout(Duration::from_millis(50), &mut long).await.expect_err("it has no place");
    drop(all);
    assert!(matches!(long.await, Ok(Swapped::Made(_))));
}

#[test]
fn places_are_kibibytes_rounded_up() {
    let places = |length: usize| kibibytes(&record(vec![0; length]));
    assert_eq!([0, 1023, 1024, 1025, 2048, 1 << 20].map(places), [0, 0, 1, 2, 2, 1024]);
    assert_eq!(kibibytes(&Next::Nothing), 0);
}

#[tokio::test]
async fn a_writer_that_ended_refuses_and_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open(&folder);
    let (nobody, _) = mpsc::channel(1);
    engine.changes = Some(nobody);
    assert!(!engine.outage.is_told());
    let swapped = engine.swap(key("a"), Expected::Nothing, record(Vec::new())).await;
    assert!(matches!(swapped, Err(StateError::Engine(_))), "{swapped:?}");
    assert!(engine.outage.is_told());
}
