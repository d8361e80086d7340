//! Places under a limit on what is under way, of a process that dies and of one that stands still: what is free is what
//! nobody holds, half a minute after it was last said.

use std::time::{Duration, Instant};

use palisade_tests::client::Client;
use palisade_tests::waiting::until;
use tokio::task::JoinHandle;

use crate::fleet::Fleet;

/// Of the limit `places`.
const PLACES: usize = 3;
/// For how long a place is held without a word, and how often there is one.
const LEASE: Duration = Duration::from_secs(30);
const PACE: Duration = Duration::from_secs(10);
/// Within which a busy machine refuses: who is not refused then has a place.
const REFUSED: Duration = Duration::from_secs(3);
/// What a busy machine may need.
const SLACK: Duration = Duration::from_secs(8);

/// A request that has its place until this is dropped.
struct Held(JoinHandle<()>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks for a place: `None` where there is none.
async fn place(client: Client, token: &str) -> Option<Held> {
    let call = client.get("/place").token(token);
    let mut asking = tokio::spawn(async move { call.send().await });
    match tokio::time::timeout(REFUSED, &mut asking).await {
        Ok(reply) => {
            reply.unwrap().refused(429, "rate_limited");
            None
        }
        Err(_) => Some(Held(tokio::spawn(async move {
            let abort = Abort(asking.abort_handle());
            let _ = asking.await;
            drop(abort);
        }))),
    }
}

/// Ends the request with the task that waits for it.
struct Abort(tokio::task::AbortHandle);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn all(client: Client, token: &str) -> Vec<Held> {
    let mut held = Vec::new();
    for _ in 0..PLACES {
        held.push(place(client, token).await.expect("a place"));
    }
    assert!(place(client, token).await.is_none());
    held
}

/// All places of one that says nothing any more, at another, and how long they were waited for.
async fn inherited(client: Client, token: &str, since: Instant) -> Vec<Held> {
    let first = loop {
        assert!(since.elapsed() < LEASE + SLACK, "no place is free");
        if let Some(held) = place(client, token).await {
            break held;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let waited = since.elapsed();
    // it was said up to ten seconds before
    assert!(waited >= LEASE - PACE - SLACK, "free after {waited:?}");
    let mut held = vec![first];
    for _ in 1..PLACES {
        held.push(place(client, token).await.expect("they end together"));
    }
    assert!(place(client, token).await.is_none(), "as many as there are, and no more");
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_of_a_process_that_was_killed_are_free_half_a_minute_later() {
    let mut fleet = Fleet::start().await;
    let token = fleet.signer.token("alice", "");
    let (one, other) = (fleet.client(0), fleet.client(1));
    let held = all(one, &token).await;
    assert!(place(other, &token).await.is_none());
    fleet.kill(0);
    let killed = Instant::now();
    drop(held);
    assert!(place(other, &token).await.is_none(), "nobody has said that they are free");
    let _held = inherited(other, &token, killed).await;
}

/// It comes back and says what it holds: as many are counted as there are, though that is more than the limit has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_of_a_process_that_stood_still_count_again_when_it_goes_on() {
    let fleet = Fleet::start().await;
    let token = fleet.signer.token("alice", "");
    let (one, other) = (fleet.client(0), fleet.client(1));
    let of_one = all(one, &token).await;
    fleet.signal(0, "STOP");
    let mut of_other = inherited(other, &token, Instant::now()).await;
    assert_eq!(fleet.places().await, PLACES as u64, "nobody knows of the others");
    fleet.signal(0, "CONT");
    until(async || fleet.places().await == 2 * PLACES as u64).await;
    assert!(place(other, &token).await.is_none() && place(one, &token).await.is_none());
    // the first to end make no room, for as many run as may
    drop(of_one);
    until(async || fleet.places().await == PLACES as u64).await;
    assert!(place(other, &token).await.is_none() && place(one, &token).await.is_none());
    of_other.pop();
    until(async || fleet.places().await == PLACES as u64 - 1).await;
    assert!(place(one, &token).await.is_some());
}
