//! Attempts to authenticate that fail: counted by account and by network, refused when they are too many.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade::{Clock, KeptLimits, Settings, State};
use palisade_tests::client::Reply;
use palisade_tests::events;
use palisade_tests::gate::Gate;
use palisade_tests::tokens::{Signer, claims_with, header, now};
use serde_json::json;

const RIGHT: &str = "correct horse battery staple";
const HOME: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.9";

/// A gate whose requests come from where a proxy says, and the hands of its clock.
async fn start() -> (Gate, Clock) {
    with(Settings::new()).await
}

/// The same with smaller numbers: without optimisation a password takes long to verify.
async fn start_with(of_account: u32, of_network: u32) -> (Gate, Clock) {
    with(Settings::new().failed_attempts(of_account, of_network)).await
}

/// One test at a time verifies passwords: a machine that is busy with all of them takes longer than an operation may.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn with(settings: Settings) -> (Gate, Clock) {
    let clock = Clock::fixed(now());
    let settings = settings.clock(clock.clone()).trusted_proxies(["127.0.0.1"]).unwrap();
    (Gate::with(settings).await, clock)
}

async fn call(gate: &Gate, path: &str, from: &str, credential: (&str, &str)) -> Reply {
    let call = gate.client.get(path).header("x-forwarded-for", from).header("x-forwarded-proto", "https");
    call.header(credential.0, credential.1).send().await
}

async fn log_in(gate: &Gate, from: &str, user: &str, password: &str) -> Reply {
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    call(gate, "/password", from, ("authorization", &basic)).await
}

async fn show(gate: &Gate, from: &str, token: &str) -> Reply {
    call(gate, "/token", from, ("authorization", &format!("Bearer {token}"))).await
}

fn wait(reply: &Reply) -> u64 {
    reply.refused(429, "rate_limited").header("retry-after").parse().unwrap()
}

/// They claim no account, and are guesses of their network.
#[tokio::test]
async fn passwords_that_are_malformed_count_as_well() {
    let _turn = TURN.lock().await;
    let (gate, _) = start_with(5, 2).await;
    let malformed = async |text: &str| {
        call(&gate, "/password", ELSEWHERE, ("authorization", &format!("Basic {text}"))).await
    };
    malformed("!!").await.refused(401, "unauthenticated");
    malformed(&STANDARD.encode("carol")).await.refused(401, "unauthenticated");
    wait(&malformed(&STANDARD.encode("carol:a\tb")).await);
    log_in(&gate, HOME, "carol", RIGHT).await.allowed(200);
}

#[tokio::test]
async fn guesses_at_a_password_wait_longer_and_longer() {
    let _turn = TURN.lock().await;
    let (gate, clock) = start_with(2, 100).await;
    for _ in 0..2 {
        log_in(&gate, ELSEWHERE, "carol", "wrong").await.refused(401, "unauthenticated");
    }
    let first = wait(&log_in(&gate, ELSEWHERE, "carol", "wrong").await);
    assert!((29..=33).contains(&first), "{first}");
    wait(&log_in(&gate, ELSEWHERE, "carol", RIGHT).await);
    clock.advance(Duration::from_secs(first));
    log_in(&gate, ELSEWHERE, "carol", "wrong").await.refused(401, "unauthenticated");
    // those who wait as they are told come to the bucket of the hour
    let mut last = first;
    while last < 10 * first {
        let reply = log_in(&gate, ELSEWHERE, "carol", "wrong").await;
        if reply.status == 429 {
            last = wait(&reply);
            clock.advance(Duration::from_secs(last));
        }
    }
    log_in(&gate, ELSEWHERE, "carol", RIGHT).await.allowed(200);
}

#[tokio::test]
async fn who_is_known_and_who_is_not_are_answered_alike() {
    let _turn = TURN.lock().await;
    let (gate, _) = start_with(2, 100).await;
    let mut answers = Vec::new();
    for user in ["carol", "nobody"] {
        let mut of_user = Vec::new();
        for _ in 0..4 {
            let reply = log_in(&gate, ELSEWHERE, user, "wrong").await;
            of_user.push((reply.status, reply.json()["error"]["message"].clone()));
        }
        answers.push(of_user);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].iter().filter(|(status, _)| *status == 429).count(), 2);
}

#[tokio::test]
async fn strangers_do_not_lock_out_whose_account_it_is() {
    let _turn = TURN.lock().await;
    let (gate, _) = start_with(2, 4).await;
    log_in(&gate, HOME, "carol", RIGHT).await.allowed(200);
    for _ in 0..3 {
        log_in(&gate, ELSEWHERE, "carol", "wrong").await;
    }
    wait(&log_in(&gate, "203.0.113.1", "carol", RIGHT).await);
    for _ in 0..3 {
        log_in(&gate, HOME, "carol", RIGHT).await.allowed(200);
    }
    // nor does who sits in the same network, and guesses at others
    for user in 0..4 {
        log_in(&gate, HOME, &format!("user-{user}"), "wrong").await;
    }
    wait(&log_in(&gate, HOME, "user-99", "wrong").await);
    // who guesses there is not told who has logged in from there
    wait(&log_in(&gate, HOME, "carol", "wrong").await);
    log_in(&gate, HOME, "carol", RIGHT).await.allowed(200);
}

#[tokio::test]
async fn nor_do_they_after_a_restart() {
    let _turn = TURN.lock().await;
    let state = State::memory();
    let start = async || {
        let kept = KeptLimits::load(state.clone()).await.unwrap();
        with(Settings::new().failed_attempts(2, 4).limits_kept(kept)).await.0
    };
    log_in(&start().await, HOME, "carol", RIGHT).await.allowed(200);
    let gate = start().await;
    for _ in 0..3 {
        log_in(&gate, ELSEWHERE, "carol", "wrong").await;
    }
    wait(&log_in(&gate, "203.0.113.1", "carol", RIGHT).await);
    log_in(&gate, HOME, "carol", RIGHT).await.allowed(200);
}

#[tokio::test]
async fn who_has_a_password_of_their_own_has_no_more_guesses_for_it() {
    let _turn = TURN.lock().await;
    let (gate, _) = start_with(2, 3).await;
    for user in 0..3 {
        log_in(&gate, ELSEWHERE, &format!("user-{user}"), "wrong").await.refused(401, "unauthenticated");
        log_in(&gate, ELSEWHERE, "carol", RIGHT).await.allowed(200);
    }
    wait(&log_in(&gate, ELSEWHERE, "user-99", "wrong").await);
}

#[tokio::test]
async fn guesses_at_once_are_as_many_as_guesses_in_turn() {
    let _turn = TURN.lock().await;
    let (gate, _) = start_with(2, 100).await;
    let guess = |number: u32| {
        let (gate, password) = (&gate, format!("guess {number}"));
        async move { log_in(gate, ELSEWHERE, "carol", &password).await }
    };
    let replies = futures_util::future::join_all((0..8).map(guess)).await;
    assert!(replies.iter().all(|reply| reply.status != 200));
    // the two that were verified may have taken too long for a busy machine
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 6);
}

#[tokio::test]
async fn many_requests_at_once_with_one_password_are_one_attempt() {
    let _turn = TURN.lock().await;
    let (gate, _) = start_with(1, 1).await;
    let replies = futures_util::future::join_all((0..4).map(|_| log_in(&gate, HOME, "carol", RIGHT))).await;
    assert!(replies.iter().all(|reply| reply.status != 429), "they come from one client");
    assert!(replies.iter().any(|reply| reply.status == 200));
}

#[tokio::test]
async fn forged_tokens_count_for_their_network_and_good_ones_get_in_all_the_same() {
    let (gate, _) = start().await;
    let forger = Signer::new("k1");
    let expired = gate.signer.sign(&header("k1"), &claims_with("exp", json!(now() - 600)));
    for _ in 0..40 {
        show(&gate, ELSEWHERE, &expired).await.refused(401, "unauthenticated");
    }
    let forged = forger.token("alice", "notes:read");
    for _ in 0..30 {
        show(&gate, ELSEWHERE, &forged).await.refused(401, "unauthenticated");
        // who has a token of their own has no more guesses for it
        show(&gate, ELSEWHERE, &gate.alice()).await.allowed(200);
    }
    assert!(wait(&show(&gate, ELSEWHERE, &forged).await) <= 3);
    // what is bad is answered alike, so that nobody learns which was good before
    wait(&show(&gate, ELSEWHERE, &expired).await);
    show(&gate, HOME, &expired).await.refused(401, "unauthenticated");
    show(&gate, ELSEWHERE, &gate.alice()).await.allowed(200);
    show(&gate, HOME, &forged).await.refused(401, "unauthenticated");
    // the whole /64 of an address is one network
    for host in 0..30 {
        show(&gate, &format!("2001:db8::{host:x}"), &forged).await.refused(401, "unauthenticated");
    }
    wait(&show(&gate, "2001:db8::ffff", &forged).await);
}

#[tokio::test]
async fn guesses_at_a_key_count_for_its_id_and_the_key_itself_gets_in() {
    let (gate, _) = start().await;
    let stranger = palisade::NewKey::generate("gate_test", "x", &[], Clock::system().now().unwrap(), None);
    let nobodys = stranger.unwrap().key.expose().clone();
    for from in [ELSEWHERE, HOME, "203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        call(&gate, "/key", from, ("x-api-key", &nobodys)).await.refused(401, "unauthenticated");
    }
    wait(&call(&gate, "/key", "203.0.113.4", ("x-api-key", &nobodys)).await);
    call(&gate, "/key", ELSEWHERE, ("x-api-key", &gate.reader_key)).await.allowed(200);
    // what is no key at all claims to be none, and counts for its network
    for _ in 0..29 {
        call(&gate, "/key", ELSEWHERE, ("x-api-key", "nonsense")).await.refused(401, "unauthenticated");
    }
    wait(&call(&gate, "/key", ELSEWHERE, ("x-api-key", "nonsense")).await);
    call(&gate, "/key", ELSEWHERE, ("x-api-key", &gate.reader_key)).await.allowed(200);
}

#[tokio::test]
async fn an_event_says_when_it_closes_and_each_refusal_is_one() {
    events::collect();
    let _turn = TURN.lock().await;
    let (gate, _) = start_with(2, 100).await;
    let from = "203.0.113.77";
    for _ in 0..2 {
        log_in(&gate, from, "carol", "wrong").await;
    }
    let closed = || {
        let of_here = events::with("source_ip", from).into_iter();
        of_here.filter(|event| event["event_type"] == "authn_login_fail_max").collect::<Vec<_>>()
    };
    let event = closed().pop().expect("it has closed");
    assert_eq!((&*event["severity"], &*event["limit"]), ("High", "failed attempts of an account (minute)"));
    assert!(event["account"].starts_with("urn:palisade:scheme:password#"), "{event:?}");
    let refused = log_in(&gate, from, "carol", "wrong").await;
    let event = events::of(refused.header("x-request-id"));
    assert_eq!((&*event["event_type"], &*event["severity"]), ("authn_login_fail_max", "Medium"));
    assert_eq!(closed().len(), 2);
}
