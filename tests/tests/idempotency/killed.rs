//! A server that is killed at random while it moves money: no transfer is lost, none is done twice.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use palisade_tests::client::{Client, Reply};
use palisade_tests::ledger::{MONEY, books};
use palisade_tests::tokens::Signer;
use tokio::sync::watch;

/// Who transfers at the same time, and how often each.
const CALLERS: usize = 4;
const TRANSFERS: usize = 12;
const KILLS: usize = 8;

/// A server in a folder, started again as often as it is killed.
struct Server {
    folder: PathBuf,
    state: &'static str,
    child: Child,
}

impl Server {
    fn start(folder: &Path, state: &'static str) -> (Self, Client) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ledger-server"))
            .args([folder.as_os_str(), state.as_ref(), "recorded".as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let client = Client(line.trim().parse().unwrap_or_else(|error| panic!("{error}: {line:?}")));
        (Self { folder: folder.to_owned(), state, child }, client)
    }

    /// SIGKILL, and another one in its folder.
    fn replace(&mut self) -> Client {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (server, client) = Self::start(&self.folder.clone(), self.state);
        *self = server;
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// What comes next of a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// A caller as it should be: it sends the same call under the same key until it has an answer.
async fn transfer(at: &watch::Receiver<Client>, token: &str, name: &str, amount: u64) -> Bytes {
    let body = format!(r#"{{"reference":"{name}","amount":{amount}}}"#);
    for _ in 0..600 {
        let client = *at.borrow();
        let call = client.post("/transfers", &body).header("idempotency-key", &key(name)).token(token);
        // a connection that breaks panics in `send`
        let sent = tokio::spawn(tokio::time::timeout(Duration::from_secs(3), call.send()));
        match sent.await {
            Ok(Ok(Reply { status, body, .. })) if status == 201 => return body,
            Ok(Ok(reply)) => {
                let code = reply.json()["error"]["code"].as_str().map(str::to_owned);
                let known = ["idempotency_in_progress", "deadline_exceeded", "unavailable", "internal"];
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
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    println!("seed {seed} with the state in {state}");
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::new("k1");
    std::fs::write(folder.path().join("jwks"), signer.jwks()).unwrap();
    std::fs::write(folder.path().join("keys"), "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
    let (mut server, client) = Server::start(folder.path(), state);
    let (moved, at) = watch::channel(client);
    let token = signer.token("alice", "");
    let done = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (at, token, done) = (at.clone(), token.clone(), Arc::clone(&done));
            let mut dice = Dice(seed ^ caller as u64);
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for number in 0..TRANSFERS {
                    let (name, amount) = (format!("{caller}-{number}"), dice.roll(1000) + 1);
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
        let until = done.load(Ordering::SeqCst) + dice.roll(5) as usize;
        while done.load(Ordering::SeqCst) < until.min(CALLERS * TRANSFERS) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_micros(dice.roll(20_000))).await;
        moved.send_replace(server.replace());
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
    assert_eq!(booked, names, "seed {seed}: each transfer is booked once");
    assert_eq!(balances, (MONEY - sent, sent), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_with_a_state_that_lasts_it_moves_money_once() {
    run("file").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_with_a_state_that_forgets_it_moves_money_once() {
    run("memory").await;
}
