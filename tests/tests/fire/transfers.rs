//! Money that moves while processes are killed, and Redis with them: each call is done once, and has one answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use palisade_tests::client::{Client, Reply};
use palisade_tests::dice::{Dice, key_of};
use palisade_tests::ledger::{MONEY, books};
use tokio::sync::watch;

use crate::fleet::Fleet;
use crate::limits::QUOTA;

/// Calls, unless `FIRE_CALLS` says otherwise.
const CALLS: u64 = 2400;
/// Seconds in which they must be done, unless `FIRE_SECONDS` says otherwise: several times what a slow machine takes.
const SECONDS: u64 = 300;
/// Who calls at the same time.
const CALLERS: u64 = 24;
/// How long a caller tries.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a caller wants, which follows from the seed and its number.
#[derive(Clone)]
struct Call {
    name: String,
    /// A transfer of so much by `payer`; a gift, when nothing.
    amount: i64,
    payer: &'static str,
    /// Somebody sends the same at the same time.
    twice: bool,
}

/// What a client takes for the end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    code: String,
    body: Bytes,
}

impl Call {
    fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed ^ number);
        let is_gift = dice.below(5) == 0;
        let amount = if is_gift { 0 } else { i64::try_from(dice.below(1000)).unwrap() + 1 };
        // Bob wants to pay more than he gets: again and again there is too little
        let payer = if dice.below(100) < 55 { "bob" } else { "alice" };
        Self { name: format!("call {number} of {seed}"), amount, payer, twice: dice.below(6) == 0 }
    }

    const fn is_gift(&self) -> bool {
        self.amount == 0
    }

    async fn send(&self, to: Client, token: &str) -> Option<Reply> {
        let Self { name, amount, payer, .. } = self;
        let call = match self.is_gift() {
            true => to.post("/gifts", &format!(r#"{{"reference":"{name}"}}"#)),
            false => to.post(
                "/transfers",
                &format!(r#"{{"reference":"{name}","amount":{amount},"payer":"{payer}"}}"#),
            ),
        };
        let call = call.header("idempotency-key", &key_of(name)).token(token).try_send();
        tokio::time::timeout(Duration::from_secs(3), call).await.ok()?.ok()
    }
}

/// Callers as they should be: each sends its call under its key, to whoever listens, until it has an answer.
#[derive(Clone)]
struct Callers {
    at: watch::Receiver<Vec<Client>>,
    token: String,
    retries: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Callers {
    fn somebody(&self, dice: &mut Dice) -> Client {
        let clients = self.at.borrow();
        clients[dice.below(clients.len() as u64) as usize]
    }

    async fn settle(&self, call: &Call, mut dice: Dice) -> Answer {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let retried = match call.send(self.somebody(&mut dice), &self.token).await {
                None => "no answer".to_owned(),
                Some(reply) => match judged(call, &reply) {
                    Ok(answer) => return answer,
                    Err(code) => code,
                },
            };
            *self.retries.lock().unwrap().entry(retried).or_default() += 1;
            tokio::time::sleep(Duration::from_millis(10 + dice.below(60))).await;
        }
        panic!("{} has no answer; all: {:?}", call.name, self.retries.lock().unwrap());
    }
}

/// An answer that is definite, or why to try again.
fn judged(call: &Call, reply: &Reply) -> Result<Answer, String> {
    let status = reply.status.as_u16();
    let is_replay = reply.header("idempotent-replayed") == "true";
    let code = match status {
        201 => String::new(),
        _ => reply.json()["error"]["code"].as_str().unwrap().to_owned(),
    };
    match (status, code.as_str()) {
        (201, _) | (409, "too_poor") => {}
        (409, "outcome_unknown") if call.is_gift() => {}
        // it is kept, so it is the answer
        (500, "internal") if is_replay => {}
        (409, "idempotency_in_progress") | (429, "rate_limited") | (503, "unavailable") => {
            assert!(!reply.header("retry-after").is_empty(), "{code}");
            return Err(code);
        }
        (500, "internal") | (504, "deadline_exceeded") => return Err(code),
        _ => panic!("{status} {code} for {}", call.name),
    }
    Ok(Answer { status, code, body: reply.body.clone() })
}

/// Who asks all the time for what is limited to so many in a day: how often they were let in, and refused.
async fn knock(callers: Callers, token: String, mut dice: Dice, over: Arc<AtomicBool>) -> (u64, u64) {
    let (mut admitted, mut refused) = (0, 0);
    while !over.load(Ordering::SeqCst) {
        let call = callers.somebody(&mut dice).get("/window").token(&token).try_send();
        if let Ok(Ok(reply)) = tokio::time::timeout(Duration::from_secs(3), call).await {
            match reply.status.as_u16() {
                204 => admitted += 1,
                429 => refused += 1,
                _ => _ = reply.refused(503, "unavailable"),
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.below(25))).await;
    }
    (admitted, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_money_moves_once_and_each_call_has_one_answer() {
    let began = Instant::now();
    let mut dice = Dice::of("FIRE_SEED", Dice::now());
    let number = |name, otherwise| std::env::var(name).map_or(otherwise, |number| number.parse().unwrap());
    let calls = number("FIRE_CALLS", CALLS);
    let most = Duration::from_secs(number("FIRE_SECONDS", SECONDS));
    let mut fleet = Fleet::start().await;
    let (seed, next, over) = (dice.below(1 << 32), Arc::new(AtomicU64::new(0)), Arc::<AtomicBool>::default());
    let token = fleet.signer.token("alice", "");
    let callers = Callers { at: fleet.at(), token, retries: Arc::default() };
    let knocking: Vec<_> = (0..2)
        .map(|_| {
            let token = fleet.signer.token("knocker", "");
            tokio::spawn(knock(callers.clone(), token, dice.split(), Arc::clone(&over)))
        })
        .collect();
    let calling: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(work(callers.clone(), seed, Arc::clone(&next), calls, dice.split())))
        .collect();
    while !calling.iter().all(tokio::task::JoinHandle::is_finished) {
        assert!(began.elapsed() < most, "{next:?} of {calls} calls began in {most:?}");
        tokio::time::sleep(Duration::from_millis(dice.below(1500))).await;
        fleet.suffer(&mut dice).await;
    }
    let mut answered = Vec::new();
    for caller in calling {
        answered.extend(caller.await.unwrap());
    }
    let took = began.elapsed();
    assert_eq!(answered.len() as u64, calls);
    over.store(true, Ordering::SeqCst);
    let (mut admitted, mut refused) = (0, 0);
    for knocker in knocking {
        let (in_, out) = knocker.await.unwrap();
        (admitted, refused) = (admitted + in_, refused + out);
    }
    println!(
        "{} calls in {took:.1?}: {} kills, {} restarts of Redis; again because of {:?}; {admitted} of {QUOTA} let in",
        answered.len(),
        fleet.kills,
        fleet.outages,
        callers.retries.lock().unwrap()
    );
    assert!(admitted <= QUOTA && refused > 0, "{admitted} were let in, {refused} were not");
    let counted: u64 =
        fleet.counters().await.iter().map(|[_, current, previous, _]| current + previous).sum();
    assert_eq!(counted, QUOTA, "what Redis has counted");
    replay(&callers, &answered, &mut dice).await;
    balance(&fleet, &answered).await;
    assert!(fleet.kills > 0 && fleet.outages > 0, "nothing happened to them");
}

/// Takes one call after the other.
async fn work(
    callers: Callers,
    seed: u64,
    next: Arc<AtomicU64>,
    calls: u64,
    mut dice: Dice,
) -> Vec<(Call, Answer)> {
    let mut answered = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= calls {
            return answered;
        }
        let call = Call::new(seed, number);
        let answer = callers.settle(&call, dice.split());
        let answer = match call.twice {
            false => answer.await,
            true => {
                let (one, other) = tokio::join!(answer, callers.settle(&call, dice.split()));
                agree(&call, &one, &other);
                one
            }
        };
        answered.push((call, answer));
    }
}

/// Two answers to one call. Of a gift, one may have come too early to be known.
#[track_caller]
fn agree(call: &Call, one: &Answer, other: &Answer) {
    let is_unknown = |answer: &Answer| answer.code == "outcome_unknown";
    if !is_unknown(one) && !is_unknown(other) {
        assert_eq!(one, other, "{} has one answer", call.name);
    }
}

/// Everybody asks again, and gets what they got.
async fn replay(callers: &Callers, answered: &[(Call, Answer)], dice: &mut Dice) {
    let asked = answered.iter().map(|asked| (asked, dice.split()));
    futures_util::stream::iter(asked)
        .for_each_concurrent(16, async |((call, answer), dice)| {
            agree(call, answer, &callers.settle(call, dice).await);
        })
        .await;
}

/// What the books say is what the answers say.
async fn balance(fleet: &Fleet, answered: &[(Call, Answer)]) {
    let books = books(&fleet.books()).await;
    let booked = async |count: &'static str| -> BTreeMap<String, i64> {
        let counts: Vec<(String, i64)> = sqlx::query_as(count).fetch_all(&books).await.unwrap();
        counts.into_iter().collect()
    };
    let transfers = booked("SELECT reference, count(*) FROM transfers GROUP BY reference").await;
    let gifts = booked("SELECT reference, count(*) FROM gifts GROUP BY reference").await;
    let (mut bob, mut kinds) = (0, BTreeMap::<_, usize>::new());
    for (call, answer) in answered {
        let of = if call.is_gift() { &gifts } else { &transfers };
        let times = of.get(&call.name).copied().unwrap_or_default();
        let is_right = match answer.code.as_str() {
            "" => times == 1,
            "outcome_unknown" => times <= 1,
            _ => times == 0,
        };
        assert!(is_right, "{} was answered with {answer:?} and done {times} times", call.name);
        if times == 1 && !call.is_gift() {
            bob += if call.payer == "bob" { -call.amount } else { call.amount };
        }
        let what = if call.is_gift() { "gift" } else { "transfer" };
        *kinds.entry((what, answer.status, answer.code.as_str())).or_default() += 1;
    }
    println!("{kinds:?}");
    assert_eq!(transfers.values().sum::<i64>(), transfers.len() as i64, "no transfer is doubled");
    let balance = "SELECT balance FROM accounts WHERE name = ?1";
    let alice: i64 = sqlx::query_scalar(balance).bind("alice").fetch_one(&books).await.unwrap();
    let has: i64 = sqlx::query_scalar(balance).bind("bob").fetch_one(&books).await.unwrap();
    assert_eq!((alice, has), (MONEY - bob, bob), "the sum of the money is right");
}
