//! Limits that outlast their process.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use palisade::state::{Engine, Expected, Key, Next, Record, StateError, Swapped};
use palisade::{AnswerKeys, Clock, KeptAnswers, KeptLimits, Settings, State, StoreFuture, serve};
use palisade_tests::client::Client;
use palisade_tests::instance::Instance;
use palisade_tests::ledger::{Books, How, Service, books, build};
use palisade_tests::tokens::{Signer, now};

fn start(folder: &Path) -> Instance {
    let books = folder.join("books");
    let arguments = [folder.as_os_str(), "file".as_ref(), "recorded".as_ref(), books.as_os_str()];
    Instance::start(env!("CARGO_BIN_EXE_ledger-server"), &arguments)
}

/// What is left of five hundred in a day after one more.
async fn left(client: Client, path: &str, token: &str) -> u64 {
    let reply = client.get(path).token(token).send().await;
    reply.allowed(204).header("x-ratelimit-remaining").parse().unwrap()
}

#[tokio::test]
async fn a_server_that_is_killed_begins_with_the_counters_of_all_but_its_last_second() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::new("k1");
    std::fs::write(folder.path().join("jwks"), signer.jwks()).unwrap();
    std::fs::write(folder.path().join("keys"), "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
    let [alice, bob] = ["alice", "bob"].map(|name| signer.token(name, ""));
    let mut server = start(folder.path());
    for path in ["/bucket", "/window"] {
        for count in 1..=20 {
            assert_eq!(left(server.client, path, &alice).await, 500 - count, "{path}");
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await; // one, and what a busy machine needs
    server.kill();
    let server = start(folder.path());
    for path in ["/bucket", "/window"] {
        assert_eq!(left(server.client, path, &alice).await, 479, "{path}");
        assert_eq!(left(server.client, path, &bob).await, 499, "{path}");
    }
}

/// What is told of a counter (`pk`) is a hash under a secret, and the secret lies where the counters are kept.
#[tokio::test]
async fn a_counter_is_told_of_as_the_same_after_a_restart_where_counters_are_kept() {
    let signer = Signer::new("k1");
    let tokens = ["alice", "bob"].map(|name| signer.token(name, ""));
    let told = async |state: Option<&State>| {
        let settings = match state {
            Some(state) => Settings::new().limits_kept(KeptLimits::load(state.clone()).await.unwrap()),
            None => Settings::new(),
        };
        let client = serving(&signer, settings).await;
        let mut counters = Vec::new();
        for token in &tokens {
            let reply = client.get("/bucket").token(token).send().await;
            counters.extend(reply.allowed(204).policies().1.into_iter().map(str::to_owned));
        }
        counters
    };
    let [state, other] = [State::memory(), State::memory()];
    let first = told(Some(&state)).await;
    assert_ne!(first[0], first[1], "each has one of their own");
    assert_eq!(told(Some(&state)).await, first);
    assert_ne!(told(Some(&other)).await, first);
    assert_ne!(told(None).await, told(None).await, "without a state it is of one process");
}

async fn serving(signer: &Signer, settings: Settings) -> Client {
    let books = Books::open(":memory:").await;
    let service = Service { books, how: How::Recorded, pause: || Duration::ZERO };
    let answers = KeptAnswers::in_memory().unwrap();
    let server = build(service, signer.jwks(), answers, settings);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(serve(server).listener(listener).into_future());
    client
}

/// Has no room for more, as long as it says so.
#[derive(Clone)]
struct Full {
    inner: State,
    is_full: Arc<AtomicBool>,
}

impl Engine for Full {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(self.inner.get(key))
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        match self.is_full.load(Ordering::SeqCst) {
            true => Box::pin(std::future::ready(Err(StateError::Full))),
            false => Box::pin(self.inner.swap(key, expected, next)),
        }
    }
}

/// They are decided by in memory: nobody is refused for it, and nobody is let through.
#[tokio::test]
async fn a_state_without_room_stops_no_counter_and_is_told_of() {
    palisade_tests::events::collect();
    let (signer, is_full) = (Signer::new("k1"), Arc::new(AtomicBool::new(false)));
    let state = State::new(Full { inner: State::memory(), is_full: Arc::clone(&is_full) });
    let load = async || Settings::new().limits_kept(KeptLimits::load(state.clone()).await.unwrap());
    let client = serving(&signer, load().await).await;
    let alice = signer.token("alice", "");
    let told = async |what: &str| {
        let began = std::time::Instant::now();
        while !palisade_tests::events::everything().contains(what) {
            assert!(began.elapsed() < Duration::from_secs(5), "{what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    is_full.store(true, Ordering::SeqCst);
    assert_eq!(left(client, "/bucket", &alice).await, 499);
    told("limits are not kept: a restart forgets their counters").await;
    for count in 2..=500 {
        assert_eq!(left(client, "/bucket", &alice).await, 500 - count);
    }
    client.get("/bucket").token(&alice).send().await.refused(429, "rate_limited");
    is_full.store(false, Ordering::SeqCst);
    told("limits are kept again").await;
    let next = serving(&signer, load().await).await;
    next.get("/bucket").token(&alice).send().await.refused(429, "rate_limited");
}

/// A minute lets thirty attempts of a network fail, an hour a hundred and twenty: who guesses at each process that comes
/// finds that hour used up, whichever of them it was used up at.
#[tokio::test]
async fn attempts_that_failed_are_counted_on_though_each_server_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::new("k1");
    std::fs::write(folder.path().join("jwks"), signer.jwks()).unwrap();
    std::fs::write(folder.path().join("keys"), "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
    let forged = Signer::new("k1").token("alice", ""); // of another key under the same id
    let (mut failed, mut last) = (0, 1);
    while last > 0 {
        let mut server = start(folder.path());
        last = 0;
        while server.client.get("/bucket").token(&forged).send().await.status == 401 {
            last += 1;
            assert!(failed + last < 240, "nobody counts on: {failed} and {last}");
        }
        failed += last;
        // its owner gets in all the same
        left(server.client, "/bucket", &signer.token("alice", "")).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await; // it is written once a second
        server.kill();
    }
    assert!((100..=130).contains(&failed), "{failed} of 120, and one more in half a minute");
}

#[tokio::test]
async fn a_server_that_stops_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (signer, clock) = (Signer::new("k1"), Clock::fixed(now()));
    let state = State::memory_of(1000, clock.clone());
    let alice = signer.token("alice", "");
    for round in 0..3 {
        let kept = KeptLimits::load(state.clone()).await.unwrap();
        let settings = Settings::new().clock(clock.clone()).limits_kept(kept);
        let keys = AnswerKeys::generate().unwrap();
        let books = books(&folder.path().join("books")).await;
        let service = Service { books: Books::Sqlite(books), how: How::Recorded, pause: || Duration::ZERO };
        let server = build(service, signer.jwks(), KeptAnswers::new(State::memory(), keys), settings);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = serve(server).listener(listener).shutdown(async { drop(stopped.await) });
        let served = tokio::spawn(served.into_future());
        for count in 1..=5 {
            assert_eq!(left(client, "/bucket", &alice).await, 500 - 5 * round - count);
        }
        stop.send(()).unwrap();
        served.await.unwrap().unwrap();
    }
}

/// Says how often it was written.
#[derive(Clone)]
struct Counting {
    inner: State,
    written: Arc<AtomicUsize>,
}

impl Engine for Counting {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(self.inner.get(key))
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        self.written.fetch_add(1, Ordering::SeqCst);
        Box::pin(self.inner.swap(key, expected, next))
    }
}

#[test]
fn counters_are_written_though_the_runtime_ends_in_which_the_server_was_made_ready() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (signer, written, lasting) = (Signer::new("k1"), Arc::new(AtomicUsize::new(0)), runtime());
    let server = lasting.block_on(async {
        let state = State::new(Counting { inner: State::memory(), written: Arc::clone(&written) });
        let settings = Settings::new().limits_kept(KeptLimits::load(state).await.unwrap());
        let books = Books::open(":memory:").await;
        let service = Service { books, how: How::Recorded, pause: || Duration::ZERO };
        build(service, signer.jwks(), KeptAnswers::in_memory().unwrap(), settings)
    });
    runtime().block_on(server.ready()).unwrap();
    lasting.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        let app = server.into_router().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let before = written.load(Ordering::SeqCst);
        assert_eq!(left(client, "/bucket", &signer.token("alice", "")).await, 499);
        let began = std::time::Instant::now();
        while written.load(Ordering::SeqCst) == before {
            assert!(began.elapsed() < Duration::from_secs(10), "nobody writes them");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}
