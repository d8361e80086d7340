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

/// More than twice of what may wait, by callers who give up.
#[tokio::test]
async fn a_flood_for_a_disk_that_hangs_is_refused_in_time_and_held_in_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Embedded::open(&folder.path().join("state"), 10_000, Clock::fixed(1_800_000_000)).unwrap();
    let hangs = engine.file.begin_write().unwrap();
    for round in 0..10 {
        let swap = |number: usize| {
            let key = key(&format!("{round}.{number}"));
            timeout(Duration::from_millis(50), engine.swap(key, Expected::Nothing, record(vec![7; VALUE])))
        };
        let answers = join_all((0..CALLERS).map(swap)).await;
        assert!(answers.iter().all(Result::is_err), "somebody was answered");
    }
    let changes = engine.changes.as_ref().unwrap();
    let waiting = changes.max_capacity() - changes.capacity();
    let held = waiting * VALUE;
    assert!((32 << 20..=64 << 20).contains(&held), "{waiting} changes of {held} bytes");
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
    let engine = Embedded::open(&folder.path().join("state"), 10_000, Clock::fixed(1_800_000_000)).unwrap();
    let hangs = engine.file.begin_write().unwrap();
    let changes = engine.changes.as_ref().unwrap();
    for round in 0..10 {
        let swap = |number: usize| {
            let key = key(&format!("{round}.{number}"));
            timeout(Duration::from_millis(50), engine.swap(key, Expected::Nothing, Next::Nothing))
        };
        let answers = join_all((0..WAITING).map(swap)).await;
        assert!(answers.iter().all(Result::is_err));
    }
    assert_eq!((changes.max_capacity(), changes.capacity()), (1024, 0));
    hangs.abort().unwrap();
    assert_eq!(engine.swap(key("0"), Expected::Nothing, Next::Nothing).await.unwrap(), Swapped::Made(0));
}
