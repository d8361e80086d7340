//! Limits that outlast their process.

use std::future::IntoFuture;
use std::path::Path;
use std::time::Duration;

use palisade::{AnswerKeys, Clock, KeptAnswers, KeptLimits, Settings, State, serve};
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
