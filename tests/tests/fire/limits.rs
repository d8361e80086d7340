//! A limit that processes share is exact to the last request, also when those die that were let in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use palisade_tests::client::Client;
use palisade_tests::dice::Dice;
use tokio::sync::watch;

use crate::fleet::Fleet;

/// Of the limits `bucket` and `window`, in a day.
pub const QUOTA: u64 = 500;
/// One token of `bucket` comes back after this, in microseconds: longer than any of these tests takes.
const INTERVAL: u64 = 86_400_000_000 / QUOTA;
/// Who asks at the same time.
const CALLERS: usize = 8;
/// Refusals until a caller believes that nothing is left.
const ENOUGH: usize = 10;

/// What came of all requests.
#[derive(Debug, Default)]
struct Tally {
    admitted: AtomicUsize,
    refused: AtomicUsize,
    /// Refused because Redis did not answer in time, whether or not it counted them.
    uncounted: AtomicUsize,
    /// Nobody knows whether they were admitted.
    unanswered: AtomicUsize,
}

impl Tally {
    async fn ask(&self, client: Client, path: &str, token: &str) {
        let sent =
            tokio::time::timeout(Duration::from_secs(3), client.get(path).token(token).try_send()).await;
        let count = match sent {
            Err(_) | Ok(Err(_)) => &self.unanswered,
            Ok(Ok(reply)) => match reply.status.as_u16() {
                204 => &self.admitted,
                429 => {
                    reply.refused(429, "rate_limited");
                    &self.refused
                }
                _ => {
                    reply.refused(503, "unavailable");
                    &self.uncounted
                }
            },
        };
        count.fetch_add(1, Ordering::SeqCst);
    }

    fn counts(&self) -> [usize; 4] {
        [&self.admitted, &self.refused, &self.uncounted, &self.unanswered]
            .map(|count| count.load(Ordering::SeqCst))
    }
}

/// Asks at random until nothing is left, or nobody asks any more.
async fn ask(at: watch::Receiver<Vec<Client>>, path: &str, token: &str, tally: Arc<Tally>, mut dice: Dice) {
    for _ in 0..10_000 {
        let client = {
            let clients = at.borrow();
            clients[dice.below(clients.len() as u64) as usize]
        };
        tally.ask(client, path, token).await;
        if tally.refused.load(Ordering::SeqCst) >= CALLERS * ENOUGH {
            return;
        }
        tokio::time::sleep(Duration::from_millis(dice.below(30))).await;
    }
    panic!("there is no end of it: {tally:?}");
}

async fn run(path: &'static str, killed: bool) {
    let mut dice = Dice::of("FIRE_SEED", Dice::now());
    let mut fleet = Fleet::start().await;
    let (tally, token) = (Arc::<Tally>::default(), fleet.signer.token("alice", ""));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (at, token, tally, dice) = (fleet.at(), token.clone(), Arc::clone(&tally), dice.split());
            tokio::spawn(async move { ask(at, path, &token, tally, dice).await })
        })
        .collect();
    while killed && !callers.iter().all(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(dice.below(200))).await;
        fleet.kill_one(&mut dice);
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let counters = fleet.counters().await;
    let [admitted, refused, uncounted, unanswered] = tally.counts();
    println!(
        "{path}: {admitted} admitted, {refused} refused, {uncounted} not counted, {unanswered} not answered, \
         {} kills",
        fleet.kills
    );
    let spent = match counters.as_slice() {
        [[fresh, 0, 0, now]] => (fresh - now).div_ceil(INTERVAL),
        [[_, current, previous, _]] => current + previous,
        _ => panic!("{counters:?}"),
    };
    assert_eq!(spent, QUOTA, "what Redis has counted");
    let quota = QUOTA as usize;
    assert!(admitted <= quota, "{admitted} were let in");
    assert!(admitted + uncounted + unanswered >= quota, "{admitted} were let in, and nobody else");
    if killed {
        assert!(fleet.kills >= 3, "{} kills", fleet.kills);
    } else {
        assert_eq!(unanswered, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_a_bucket_to_the_last_request() {
    run("/bucket", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_a_window_to_the_last_request() {
    run("/window", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_let_in_by_a_process_that_died_counts_in_a_bucket() {
    run("/bucket", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_let_in_by_a_process_that_died_counts_in_a_window() {
    run("/window", true).await;
}
