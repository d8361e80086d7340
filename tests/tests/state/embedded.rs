//! The engine in a file: it lasts, also when its process is killed.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use palisade::{
    Clock, State,
    state::{Expected, Key, Next, StateError},
};
use palisade_tests::{events, waiting::until};
use redb::{ReadableDatabase, ReadableTableMetadata};
use tempfile::TempDir;

use crate::suite::{self, Subject, Time, key, made, record};

const HOUR: Duration = Duration::from_secs(3600);

fn open(folder: &TempDir, records: usize, clock: &Clock) -> State {
    State::open_of(folder.path().join("state"), records, clock.clone()).unwrap()
}

fn subject(folder: &TempDir, records: usize) -> Subject {
    let clock = Clock::fixed(1_800_000_000);
    Subject { state: open(folder, records, &clock), time: Time::Moved(clock) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    suite::keeps_the_rules(&subject(&folder, 1000)).await;
    let folder = tempfile::tempdir().unwrap();
    suite::refuses_when_it_is_full(&subject(&folder, 4), 4).await;
    let folder = tempfile::tempdir().unwrap();
    suite::refuses_when_its_bytes_are_full(&subject(&folder, 20)).await;
}

#[tokio::test]
async fn records_and_versions_outlast_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(1_800_000_000);
    let state = open(&folder, 10, &clock);
    let kept = made(state.swap(key("kept"), Expected::Nothing, record("k", HOUR)).await);
    let gone = made(state.swap(key("gone"), Expected::Nothing, record("g", HOUR)).await);
    made(state.swap(key("gone"), Expected::Version(gone), Next::Nothing).await);
    made(state.swap(key("short"), Expected::Nothing, record("s", Duration::from_secs(10))).await);
    drop(state);
    clock.advance(Duration::from_secs(10));
    let state = open(&folder, 10, &clock);
    let found = state.get(key("kept")).await.unwrap().unwrap();
    assert_eq!((found.value.as_slice(), found.version), (b"k".as_slice(), kept));
    assert_eq!(state.get(key("gone")).await.unwrap(), None);
    assert_eq!(state.get(key("short")).await.unwrap(), None, "its time went by while nobody was there");
    let again = made(state.swap(key("gone"), Expected::Nothing, record("g", HOUR)).await);
    assert!(again > gone + 1, "no version is used twice");
}

#[tokio::test]
async fn a_clock_that_was_set_back_is_refused_until_it_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(1_800_000_000);
    let state = open(&folder, 10, &clock);
    made(state.swap(key("a"), Expected::Nothing, record("a", HOUR)).await);
    clock.set(1_799_999_999);
    assert!(state.get(key("a")).await.unwrap().is_some(), "who has it open knows how much time went by");
    drop(state);
    let state = open(&folder, 10, &clock);
    assert!(matches!(state.get(key("a")).await, Err(StateError::Clock)), "who opens it then does not");
    let swapped = state.swap(key("b"), Expected::Nothing, record("b", HOUR)).await;
    assert!(matches!(swapped, Err(StateError::Clock)));
    clock.set(1_800_000_000);
    assert!(state.get(key("a")).await.unwrap().is_some());
    assert_eq!(state.get(key("b")).await.unwrap(), None, "what was refused was not made");
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_ends_no_record_of_a_file_that_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(1_800_000_000);
    let state = open(&folder, 10, &clock);
    made(state.swap(key("a"), Expected::Nothing, record("a", HOUR)).await);
    clock.set(1_800_090_000);
    made(state.swap(key("b"), Expected::Nothing, record("b", HOUR)).await);
    assert!(state.get(key("a")).await.unwrap().is_some());
    clock.advance(Duration::from_secs(3600));
    assert_eq!(state.get(key("a")).await.unwrap(), None, "its time went by");
}

#[tokio::test]
async fn records_that_ended_are_swept_though_nobody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let clock = Clock::fixed(1_800_000_000);
    let state = open(&folder, 10_000, &clock);
    // so many at once that each is answered in time, also on a machine that does much else
    for hundred in 0..20 {
        let puts = (0..100).map(|number: u32| {
            let (state, name) = (state.clone(), format!("{hundred}.{number}"));
            let next = record([0xa5; 1000], Duration::from_secs(10));
            tokio::spawn(async move { made(state.swap(key(&name), Expected::Nothing, next).await) })
        });
        for put in puts.collect::<Vec<_>>() {
            put.await.unwrap();
        }
    }
    drop(state);
    assert_eq!(lengths(&path), [2000, 2000]);
    clock.advance(Duration::from_secs(10));
    for _ in 0..20 {
        let state = open(&folder, 10_000, &clock);
        tokio::time::sleep(Duration::from_secs(2)).await;
        drop(state);
        if lengths(&path) == [0, 0] {
            return;
        }
    }
    panic!("they are still there: {:?}", lengths(&path));
}

#[tokio::test]
async fn that_nothing_is_swept_is_told_once_as_long_as_it_is_so() {
    events::collect();
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(1_800_000_000);
    let state = open(&folder, 10, &clock);
    made(state.swap(key("a"), Expected::Nothing, record("a", HOUR)).await);
    drop(state);
    clock.set(1_799_999_999);
    let state = open(&folder, 10, &clock);
    until(async || told(&folder) > 0).await;
    tokio::time::sleep(Duration::from_millis(1200)).await; // it looks once a second
    assert_eq!(told(&folder), 1);
    drop(state);
}

/// How often something was told of the file.
fn told(folder: &TempDir) -> usize {
    events::with("file", &folder.path().join("state").display().to_string()).len()
}

#[tokio::test]
async fn a_file_that_fails_while_it_is_read_is_told_of_once_and_a_record_that_nobody_wrote_is_not() {
    events::collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let clock = Clock::fixed(1_800_000_000);
    drop(open(&folder, 10, &clock));
    // twice what is kept in memory: all of it is read when the file is opened
    let names: Vec<_> = (0..60).map(|number| number.to_string()).collect();
    let end = (1_800_000_000_000_u64 + 3_600_000).to_be_bytes();
    let long = [&1_u64.to_be_bytes(), &end, vec![7; 1 << 20].as_slice()].concat();
    let records = names.iter().map(|name| (key(name), long.as_slice()));
    put(&path, records.chain([(key("bad"), b"short".as_slice())]));
    let state = open(&folder, 1000, &clock);
    for name in &names {
        assert!(state.get(key(name)).await.unwrap().is_some());
    }
    let read = state.get(key("bad")).await;
    assert!(matches!(read, Err(StateError::Engine(_))), "{read:?}");
    let swapped = state.swap(key("bad"), Expected::Nothing, record("1", HOUR)).await;
    assert!(matches!(swapped, Err(StateError::Engine(_))), "{swapped:?}");
    made(state.swap(key("good"), Expected::Nothing, record("1", HOUR)).await);
    assert_eq!(told(&folder), 0, "all others are as they were");
    // what is not in memory is not there any more
    std::fs::File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
    let mut failed = 0;
    for name in &names {
        failed += u32::from(state.get(key(name)).await.is_err());
    }
    assert!(failed > 0);
    assert_eq!(told(&folder), 1);
    state.swap(key("good"), Expected::Nothing, record("1", HOUR)).await.unwrap_err();
    assert_eq!(told(&folder), 1);
}

/// Puts these into a file that nobody has open, whatever they say.
fn put<'a>(path: &Path, records: impl IntoIterator<Item = (Key, &'a [u8])>) {
    let file = redb::Database::open(path).unwrap();
    let writing = file.begin_write().unwrap();
    {
        let mut table = writing.open_table(table("records")).unwrap();
        for (key, bytes) in records {
            table.insert(key.as_bytes().as_slice(), bytes).unwrap();
        }
    }
    writing.commit().unwrap();
}

/// How many records a file holds that nobody has open, and how many ends.
fn lengths(path: &Path) -> [u64; 2] {
    let file = redb::Database::open(path).unwrap();
    let seen = file.begin_read().unwrap();
    ["records", "ends"].map(|name| seen.open_table(table(name)).unwrap().len().unwrap())
}

fn table(name: &str) -> redb::TableDefinition<'_, &'static [u8], &'static [u8]> {
    redb::TableDefinition::new(name)
}

/// Changes a fact of a file that nobody has open. `None`: takes it away.
fn set_fact(path: &Path, name: &str, number: Option<u64>) {
    let file = redb::Database::open(path).unwrap();
    let writing = file.begin_write().unwrap();
    {
        let mut facts = writing.open_table(table("facts")).unwrap();
        let before = match number {
            Some(number) => facts.insert(name.as_bytes(), number.to_be_bytes().as_slice()).unwrap(),
            None => facts.remove(name.as_bytes()).unwrap(),
        };
        assert!(before.is_some(), "it has a fact `{name}`");
    }
    writing.commit().unwrap();
}

/// Builds that bounded records alone did not count what they cost.
#[tokio::test]
async fn a_file_that_does_not_say_what_it_holds_is_counted_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(1_800_000_000);
    let put = async |state: &State, name: &str| {
        state.swap(key(name), Expected::Nothing, record(vec![7; 1 << 20], HOUR)).await
    };
    let state = open(&folder, 20, &clock);
    let mut kept = 0;
    while put(&state, &kept.to_string()).await.is_ok() {
        kept += 1;
    }
    drop(state);
    set_fact(&folder.path().join("state"), "cost", None);
    let state = open(&folder, 20, &clock);
    assert!(matches!(put(&state, "more").await, Err(StateError::Full)), "{kept} are there");
    let last = state.get(key("0")).await.unwrap().unwrap();
    made(state.swap(key("0"), Expected::Version(last.version), Next::Nothing).await);
    made(put(&state, "more").await);
}

#[tokio::test]
async fn a_file_of_another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(State::open(&path).unwrap());
    set_fact(&path, "format", Some(2));
    let refused = State::open(&path).unwrap_err().to_string();
    assert!(refused.contains("the file has format 2, not 1"), "{refused}");
}

#[tokio::test]
async fn one_file_is_for_one_process_and_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let state = State::open(&path).unwrap();
    let refused = State::open(&path).unwrap_err().to_string();
    assert!(refused.contains("is open already") && refused.contains("Redis"), "{refused}");
    let output = child(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("is open already"), "{said}");
    // the first goes on
    let version = made(state.swap(key("a"), Expected::Nothing, record("a", HOUR)).await);
    assert_eq!(state.get(key("a")).await.unwrap().map(|record| record.version), Some(version));
    drop(state);
    State::open(&path).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(State::open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_such_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    std::fs::write(&path, b"something else that somebody keeps here").unwrap();
    let refused = State::open(&path).unwrap_err().to_string();
    assert!(refused.contains(&path.display().to_string()), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"something else that somebody keeps here");
    assert!(State::open(folder.path().join("no/folder")).is_err());
}

#[test]
fn the_file_is_free_when_the_last_state_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path().join("state")).unwrap();
    let clone = state.clone();
    drop(state);
    assert!(State::open(folder.path().join("state")).is_err(), "a clone is left");
    drop(clone);
    State::open(folder.path().join("state")).unwrap();
}

/// What was acknowledged before a process was killed is there, whenever that is.
#[tokio::test]
async fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut acknowledged = HashMap::new();
    for round in 0..8_u64 {
        let before = acknowledged.len();
        let mut child = child(&path).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = 40 + std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() as usize % 200;
        for line in lines.map(Result::unwrap) {
            if let Some((name, version)) = line.strip_prefix("kept ").and_then(|rest| rest.split_once(' ')) {
                acknowledged.insert(name.to_owned(), version.parse::<u64>().unwrap());
            }
            if acknowledged.len() == before + enough {
                child.kill().unwrap(); // SIGKILL; what it said until then is still read
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(acknowledged.len() >= before + enough, "round {round}");
        let state = State::open(&path).unwrap();
        for (name, version) in &acknowledged {
            let found = state.get(key(name)).await.unwrap().map(|record| (record.value, record.version));
            assert_eq!(found, Some((name.as_bytes().to_vec(), *version)), "round {round}");
        }
        let next =
            made(state.swap(key(&format!("after {round}")), Expected::Nothing, record("x", HOUR)).await);
        assert!(acknowledged.values().all(|version| *version < next), "round {round}");
    }
}

/// A process that writes to the file until it is killed.
fn child(path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_state-writer"));
    command.arg(path);
    command
}
