//! A server that is killed at random while it moves money: no transfer is lost, none is done twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use palisade_tests::client::{Client, Reply};
use palisade_tests::dice::Dice;
use palisade_tests::instance::Instance;
use palisade_tests::ledger::{MONEY, books};
use palisade_tests::tokens::Signer;
use tokio::sync::watch;

/// Who transfers at the same time, and how often each.
const CALLERS: usize = 4;
const TRANSFERS: usize = 12;
const KILLS: usize = 8;

/// A server in a folder, started again as often as it is killed.
fn start(folder: &Path, state: &'static str) -> Instance {
    let arguments = [folder.as_os_str(), state.as_ref(), "recorded".as_ref()];
    Instance::start(env!("CARGO_BIN_EXE_ledger-server"), &arguments)
}

/// A caller as it should be: it sends the same call under the same key until it has an answer.
async fn transfer(at: &watch::Receiver<Client>, token: &str, name: &str, amount: u64) -> Bytes {
    let body = format!(r#"{{"reference":"{name}","amount":{amount}}}"#);
    for _ in 0..600 {
        let client = *at.borrow();
        let call = client.post("/transfers", &body).header("idempotency-key", &key(name)).token(token);
        match tokio::time::timeout(Duration::from_secs(3), call.try_send()).await {
            Ok(Ok(Reply { status, body, .. })) if status == 201 => return body,
            Ok(Ok(reply)) => {
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

fn key(name: &str) -> String {
    format!("\"transfer {name} of this run\"")
}

async fn run(state: &'static str) {
    let mut dice = Dice::of("KILLED_SEED", Dice::now());
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::new("k1");
    std::fs::write(folder.path().join("jwks"), signer.jwks()).unwrap();
    std::fs::write(folder.path().join("keys"), "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
    let mut server = start(folder.path(), state);
    let (moved, at) = watch::channel(server.client);
    let token = signer.token("alice", "");
    let done = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (at, token, done) = (at.clone(), token.clone(), Arc::clone(&done));
            let mut dice = dice.split();
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for number in 0..TRANSFERS {
                    let (name, amount) = (format!("{caller}-{number}"), dice.below(1000) + 1);
                    let answer = transfer(&at, &token, &name, amount).await;
                    answers.push((name, amount, answer));
                    done.fetch_add(1, Ordering::SeqCst);
                }
                answers
            })
        })
        .collect();
    for _ in 0..KILLS {
        // a few of the transfers are done, and a few are under way
        let until = done.load(Ordering::SeqCst) + dice.below(5) as usize;
        while done.load(Ordering::SeqCst) < until.min(CALLERS * TRANSFERS) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_micros(dice.below(20_000))).await;
        server.kill();
        server = start(folder.path(), state);
        moved.send_replace(server.client);
    }
    let (mut sent, mut names) = (0, Vec::new());
    for caller in callers {
        for (name, amount, answer) in caller.await.unwrap() {
            let again = transfer(&at, &token, &name, amount).await;
            assert_eq!(again, answer, "{name} has one answer");
            sent += i64::try_from(amount).unwrap();
            names.push(name);
        }
    }
    drop(server);
    let books = books(&folder.path().join("books")).await;
    let mut booked: Vec<String> =
        sqlx::query_scalar("SELECT reference FROM transfers").fetch_all(&books).await.unwrap();
    let balances: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT balance FROM accounts WHERE name = 'alice'), (SELECT balance FROM accounts WHERE name = 'bob')",
    )
    .fetch_one(&books)
    .await
    .unwrap();
    booked.sort();
    names.sort();
    assert_eq!(booked, names, "each transfer is booked once");
    assert_eq!(balances, (MONEY - sent, sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_with_a_state_that_lasts_it_moves_money_once() {
    run("file").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_with_a_state_that_forgets_it_moves_money_once() {
    run("memory").await;
}
