//! A server that is killed at random while it moves money: no transfer is lost, none is done twice.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use palisade_tests::client::{Client, Reply};
use palisade_tests::dice::{Dice, key_of};
use palisade_tests::instance::Instance;
use palisade_tests::ledger::{Books, MONEY};
use palisade_tests::postgres_server::Server;
use palisade_tests::tokens::Signer;
use tokio::sync::watch;

/// Who transfers at the same time.
const CALLERS: usize = 4;

/// What happens.
struct Plan<'a> {
    state: &'static str,
    books: &'a str,
    /// The database, where it is a server that may crash as well.
    database: Option<&'a Server>,
    /// Of each caller.
    transfers: usize,
    kills: usize,
}

impl Plan<'_> {
    /// A server in a folder, started again as often as it is killed.
    fn start(&self, folder: &Path) -> Instance {
        let how = std::env::var("KILLED_HOW").unwrap_or_else(|_| "recorded".to_owned());
        let arguments: [&OsStr; 4] =
            [folder.as_ref(), self.state.as_ref(), how.as_ref(), self.books.as_ref()];
        Instance::start(env!("CARGO_BIN_EXE_ledger-server"), &arguments)
    }
}

/// A caller as it should be: it sends the same call under the same key until it has an answer.
///
/// `None`: the answer that is kept says that it failed.
async fn transfer(at: &watch::Receiver<Client>, token: &str, name: &str, amount: u64) -> Option<Bytes> {
    let body = format!(r#"{{"reference":"{name}","amount":{amount}}}"#);
    for _ in 0..600 {
        let client = *at.borrow();
        let call = client.post("/transfers", &body).header("idempotency-key", &key_of(name)).token(token);
        match tokio::time::timeout(Duration::from_secs(3), call.try_send()).await {
            Ok(Ok(Reply { status, body, .. })) if status == 201 => return Some(body),
            Ok(Ok(reply)) => {
                if reply.status == 500 && reply.header("idempotent-replayed") == "true" {
                    return None;
                }
                let code = reply.json()["error"]["code"].as_str().map(str::to_owned);
                let known = [
                    "idempotency_in_progress",
                    "deadline_exceeded",
                    "unavailable",
                    "rate_limited",
                    "internal",
                ];
                assert!(code.as_deref().is_some_and(|code| known.contains(&code)), "{code:?} for {name}");
            }
            Ok(Err(_)) | Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    panic!("{name} has no answer");
}

async fn run(folder: &Path, plan: Plan<'_>) {
    let mut dice = Dice::of("KILLED_SEED", Dice::now());
    let signer = Signer::new("k1");
    std::fs::write(folder.join("jwks"), signer.jwks()).unwrap();
    std::fs::write(folder.join("keys"), "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
    let mut server = plan.start(folder);
    let (moved, at) = watch::channel(server.client);
    let token = signer.token("alice", "");
    let (done, transfers) = (Arc::new(AtomicUsize::new(0)), plan.transfers);
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (at, token, done) = (at.clone(), token.clone(), Arc::clone(&done));
            let mut dice = dice.split();
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for number in 0..transfers {
                    let (name, amount) = (format!("{caller}-{number}"), dice.below(1000) + 1);
                    let answer = transfer(&at, &token, &name, amount).await;
                    answers.push((name, amount, answer));
                    done.fetch_add(1, Ordering::SeqCst);
                }
                answers
            })
        })
        .collect();
    for _ in 0..plan.kills {
        // a few of the transfers are done, and a few are under way
        let until = done.load(Ordering::SeqCst) + dice.below(5) as usize;
        while done.load(Ordering::SeqCst) < until.min(CALLERS * transfers) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_micros(dice.below(20_000))).await;
        match plan.database {
            Some(database) if dice.below(5) == 0 => database.crash(),
            _ => {
                server.kill();
                server = plan.start(folder);
                moved.send_replace(server.client);
            }
        }
    }
    let (mut sent, mut names) = (0, Vec::new());
    for caller in callers {
        for (name, amount, answer) in caller.await.unwrap() {
            let again = transfer(&at, &token, &name, amount).await;
            assert_eq!(again, answer, "{name} has one answer");
            if answer.is_some() {
                sent += i64::try_from(amount).unwrap();
                names.push(name);
            }
        }
    }
    drop(server);
    println!("{} of {} transfers were done", names.len(), CALLERS * transfers);
    if plan.database.is_none() {
        assert_eq!(names.len(), CALLERS * transfers);
    }
    names.sort();
    let books = Books::open(plan.books).await;
    assert_eq!(books.booked().await, names, "each transfer is booked once");
    assert_eq!(books.balances().await, (MONEY - sent, sent));
}

async fn run_in_sqlite(state: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let books = folder.path().join("books").display().to_string();
    run(folder.path(), Plan { state, books: &books, database: None, transfers: 12, kills: 8 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_with_a_state_that_lasts_it_moves_money_once() {
    run_in_sqlite("file").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_with_a_state_that_forgets_it_moves_money_once() {
    run_in_sqlite("memory").await;
}

async fn run_in_postgres(state: &'static str) {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let books = server.url();
    Books::new_in_postgres(&books).await;
    run(folder.path(), Plan { state, books: &books, database: Some(&server), transfers: 60, kills: 30 })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_beside_postgres_with_a_state_that_lasts_it_moves_money_once() {
    run_in_postgres("file").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_beside_postgres_with_a_state_that_forgets_it_moves_money_once() {
    run_in_postgres("memory").await;
}
