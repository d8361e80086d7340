//! What a state costs more than the store in it: the same bytes, waited for one after the other.

use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use palisade::measure::Limits;
use palisade::state::{Expected, Key, Kind, Next, Swapped};
use palisade::{SharedLimits, State};
use redb::{Database, ReadableDatabase, TableDefinition};
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;

use crate::parts::{LIMITS, UNDER_WAY};
use crate::{table, timing};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
/// As long as an answer of a few lines, sealed.
const VALUE: [u8; 256] = [0xa5; 256];
const KEEP: Duration = Duration::from_secs(600);

/// In a thread of its own, for it waits within a runtime of its own.
pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    let measuring = std::thread::spawn(move || {
        table::note("waited for, one after the other:");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        in_a_file(&runtime, rounds * 3, calls)?;
        in_redis(&runtime, rounds * 3, calls / 100)
    });
    measuring.join().map_err(|_| io::Error::other("the measuring thread died"))?
}

fn in_a_file(runtime: &Runtime, rounds: usize, calls: usize) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let bare = Arc::new(Database::create(folder.path().join("bare")).map_err(io::Error::other)?);
    let state = State::open(folder.path().join("state")).map_err(io::Error::other)?;
    let numbers = Cell::new(0_u64);
    let commit = timing::holds(|| put(&bare, next(&numbers)).is_ok())?;
    let ours = timing::holds(|| runtime.block_on(swap(&state, next(&numbers))))?;
    let what = "state in a file, a change / a commit of redb";
    table::ratio(what, &mut timing::compare_waits(rounds, (calls / 2000).max(1), commit, ours), None);
    // the first record of each
    let read = timing::holds(|| find(&bare, 0).is_some())?;
    let ours = timing::holds(|| runtime.block_on(state.get(key(1))).is_ok_and(|found| found.is_some()))?;
    let what = "state in a file, a record / a read of redb on this thread";
    table::ratio(what, &mut timing::compare_waits(rounds, calls / 20, read, ours), None);
    Ok(())
}

fn put(file: &Database, number: u64) -> Result<(), redb::Error> {
    let writing = file.begin_write()?;
    writing.open_table(TABLE)?.insert(key(number).as_bytes().as_slice(), VALUE.as_slice())?;
    writing.commit()?;
    Ok(())
}

fn find(file: &Database, number: u64) -> Option<usize> {
    let table = file.begin_read().ok()?.open_table(TABLE).ok()?;
    Some(table.get(key(number).as_bytes().as_slice()).ok()??.value().len())
}

fn in_redis(runtime: &Runtime, rounds: usize, calls: usize) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let Ok(server) = Server::start(folder.path()) else {
        table::note("    not measured: there is no redis-server on the PATH");
        return Ok(());
    };
    let (state, bare) = runtime.block_on(server.connect())?;
    let numbers = Cell::new(0_u64);
    let ping = || timing::holds(|| ask(runtime, &bare, &["PING"]));
    let first = next(&numbers);
    let swapped = runtime.block_on(swap(&state, first));
    let get = timing::holds(|| {
        swapped && runtime.block_on(state.get(key(first))).is_ok_and(|found| found.is_some())
    })?;
    let what = "state in Redis, a record / PING";
    table::ratio(what, &mut timing::compare_waits(rounds, calls, ping()?, get), None);
    let ours = timing::holds(|| runtime.block_on(swap(&state, next(&numbers))))?;
    let what = "state in Redis, a change / PING";
    table::ratio(what, &mut timing::compare_waits(rounds, calls, ping()?, ours), None);
    let shared = runtime.block_on(SharedLimits::redis(&server.url, 1)).map_err(io::Error::other)?;
    let limits = Limits::new(1, &LIMITS).shared(shared.clone());
    let caller = (Ipv4Addr::LOCALHOST.into(), ("https://id.example.com", "alice"));
    let ours = timing::holds(|| runtime.block_on(limits.ask(0, caller.0, caller.1)))?;
    let what = "two limits decided in Redis / PING";
    table::ratio(what, &mut timing::compare_waits(rounds, calls, ping()?, ours), None);
    let places = Limits::new(1, &UNDER_WAY).shared(shared);
    let ours = timing::holds(|| runtime.block_on(places.pass(caller.0, caller.1)))?;
    let what = "places under two limits taken and left in Redis / PING";
    table::ratio(what, &mut timing::compare_waits(rounds, calls, ping()?, ours), None);
    Ok(())
}

fn ask(runtime: &Runtime, connection: &MultiplexedConnection, words: &[&str]) -> bool {
    let mut connection = connection.clone();
    let mut command = redis::Cmd::new();
    command.arg(words);
    runtime.block_on(command.query_async::<redis::Value>(&mut connection)).is_ok()
}

fn next(numbers: &Cell<u64>) -> u64 {
    numbers.replace(numbers.get() + 1)
}

fn key(number: u64) -> Key {
    Key::new(Kind::Application, &[&number.to_be_bytes()])
}

async fn swap(state: &State, number: u64) -> bool {
    let next = Next::Record { value: VALUE.to_vec(), keep: KEEP };
    matches!(state.swap(key(number), Expected::Nothing, next).await, Ok(Swapped::Made(_)))
}

/// A Redis that keeps all in memory, so that no disk is measured.
pub(crate) struct Server {
    process: Child,
    url: String,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--maxmemory-policy", "noeviction"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { process, url: format!("redis://127.0.0.1:{port}") })
    }

    pub(crate) async fn connect(&self) -> io::Result<(State, MultiplexedConnection)> {
        for _ in 0..100 {
            if let Ok(state) = State::redis(&self.url).await {
                let client = redis::Client::open(self.url.as_str()).map_err(io::Error::other)?;
                let bare = client.get_multiplexed_async_connection().await.map_err(io::Error::other)?;
                return Ok((state, bare));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(io::Error::other("redis-server does not answer"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
