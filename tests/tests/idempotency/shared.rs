//! The state in a Redis that instances share: a call is done once by all of them together.

use std::time::{Duration, Instant};

use palisade::{AnswerKeys, Clock, KeptAnswers, State};
use palisade_tests::client::Call;
use palisade_tests::events;
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::{Signer, now};

use crate::desk::{ALICE, Desk, Effects, KEY, OTHER_KEY, answers, order};

const KEYS: &str = "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

/// How long after its deadline a call counts as running here: time that goes by.
const MARGIN: Duration = Duration::from_secs(10);

/// Two instances with connections of their own, whose effects are counted together.
struct Desks {
    redis: Server,
    desks: [Desk; 2],
    effects: Effects,
}

impl Desks {
    async fn start() -> Self {
        let (redis, signer, clock) = (Server::durable().await, Signer::new("k1"), Clock::fixed(now()));
        let effects = Effects::default();
        let desk = async || {
            let state = State::redis(&redis.url()).await.unwrap();
            let answers = KeptAnswers::new(state, AnswerKeys::from_list(KEYS).unwrap()).margin(MARGIN);
            Desk::with(signer.clone(), effects.clone(), clock.clone(), answers).await
        };
        let desks = [desk().await, desk().await];
        Self { redis, desks, effects }
    }

    fn call(&self, instance: usize, path: &str, act: &str) -> Call {
        let desk = &self.desks[instance];
        desk.post(path, KEY, act).token(&desk.alice())
    }

    /// Until both instances have found it again.
    async fn recovers(&self) {
        let began = Instant::now();
        for desk in &self.desks {
            while desk.post("/repeatable", OTHER_KEY, "pay").token(&desk.alice()).send().await.status == 503 {
                assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_to_two_instances_one_is_done() {
    let desks = Desks::start().await;
    let calls: Vec<_> =
        (0..40).map(|number| tokio::spawn(desks.call(number % 2, ALICE, "slow").send())).collect();
    let (bodies, waiting) = answers(calls).await;
    assert_eq!((bodies.len(), desks.effects.count()), (1, 1));
    assert!(waiting > 0);
}

#[tokio::test]
async fn another_instance_answers_byte_for_byte_and_refuses_another_call() {
    let desks = Desks::start().await;
    let first = desks.call(0, ALICE, "pay").header("accept", "application/vnd.receipt+json").send().await;
    first.allowed(201);
    let again = desks.call(1, ALICE, "pay").send().await;
    assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
    assert_eq!(again.body, first.body);
    for name in ["content-type", "location"] {
        assert!(!again.header(name).is_empty());
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    let desk = &desks.desks[1];
    let other = desk.client.post(ALICE, &order("pay", 6)).header("idempotency-key", KEY);
    other.token(&desk.alice()).send().await.refused(422, "idempotency_key_reused");
    assert_eq!(desks.effects.count(), 1);
    desk.transfer(OTHER_KEY, "pay").send().await.allowed(201);
    assert_eq!(desks.effects.count(), 2);
}

#[tokio::test]
async fn an_answer_ends_by_the_clock_of_redis() {
    let desks = Desks::start().await;
    let first = desks.call(0, "/brief", "pay").send().await;
    assert!(!first.allowed(200).headers.contains_key("idempotent-replayed"));
    let again = desks.call(1, "/brief", "pay").send().await;
    assert_eq!(again.allowed(200).header("idempotent-replayed"), "true");
    tokio::time::sleep(Duration::from_millis(3_100)).await; // its time, and a tenth of a second
    assert!(
        !desks.call(1, "/brief", "pay").send().await.allowed(200).headers.contains_key("idempotent-replayed")
    );
    assert_eq!(desks.effects.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_no_handler_runs_and_with_it_nothing_is_forgotten() {
    events::collect();
    let mut desks = Desks::start().await;
    let first = desks.call(0, ALICE, "pay").send().await;
    first.allowed(201);
    desks.redis.kill();
    let mut waits = Vec::new();
    for number in 0..12 {
        let reply = desks.call(number % 2, ALICE, "pay").send().await;
        waits.push(reply.refused(503, "unavailable").header("retry-after").to_owned());
        let event = events::of(reply.header("x-request-id"));
        assert_eq!(
            (event["event_type"].as_str(), event["severity"].as_str()),
            ("sys_idempotency_unavailable", "High")
        );
        assert!(event["failure_reason"].contains("idempotency_state"), "{event:?}");
    }
    assert_eq!(waits[..2], ["1", "1"]);
    assert!(
        waits.contains(&"2".to_owned()),
        "what is left of the time for which it is left alone: {waits:?}"
    );
    assert_eq!(desks.effects.count(), 1);
    // what needs no state goes on
    desks.call(0, "/plain", "pay").send().await.allowed(204);
    assert_eq!(desks.effects.count(), 2);
    desks.redis.restart().await;
    desks.recovers().await;
    assert_eq!(desks.effects.count(), 3);
    for instance in [0, 1] {
        let again = desks.call(instance, ALICE, "pay").send().await;
        assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
        assert_eq!(again.body, first.body);
    }
    assert_eq!(desks.effects.count(), 3);
    for told in ["Redis fails: requests that need it are refused", "Redis answers again"] {
        assert!(events::of_redis(&desks.redis, "message", told) > 0, "{told}");
    }
}

/// A failover in which it does not lead for a while: it shows what it has, and takes no claim.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_redis_leads_no_handler_runs_and_afterwards_nothing_is_forgotten() {
    let desks = Desks::start().await;
    let first = desks.call(0, ALICE, "pay").send().await;
    first.allowed(201);
    desks.redis.follow().await;
    for number in 0..8 {
        let desk = &desks.desks[number % 2];
        for key in [KEY, OTHER_KEY] {
            let call = desk.post(ALICE, key, "pay").token(&desk.alice());
            assert_ne!(call.send().await.refused(503, "unavailable").header("retry-after"), "");
        }
    }
    assert_eq!(desks.effects.count(), 1);
    desks.redis.lead().await;
    desks.recovers().await; // which is a call
    for instance in [0, 1] {
        let again = desks.call(instance, ALICE, "pay").send().await;
        assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
        assert_eq!(again.body, first.body);
    }
    assert_eq!(desks.effects.count(), 2);
}

/// The handler ran, and Redis died before it had its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_did_not_hear_of_is_sent_once_or_may_run_again() {
    let mut desks = Desks::start().await;
    let calls = [ALICE, "/repeatable"].map(|path| tokio::spawn(desks.call(0, path, "slow").send()));
    let began = Instant::now();
    while desks.effects.count() < 2 {
        assert!(began.elapsed() < Duration::from_secs(5), "they do not run");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    desks.redis.kill();
    let [sent, refused] = calls;
    sent.await.unwrap().allowed(201);
    refused.await.unwrap().refused(503, "unavailable");
    desks.redis.restart().await;
    desks.recovers().await;
    for path in [ALICE, "/repeatable"] {
        desks.call(1, path, "slow").send().await.refused(409, "idempotency_in_progress");
    }
    tokio::time::sleep(Duration::from_secs(2) + MARGIN).await; // the operation's time as well
    let done = desks.effects.count();
    desks.call(1, ALICE, "slow").send().await.refused(409, "outcome_unknown");
    assert_eq!(desks.effects.count(), done);
    let again = desks.call(1, "/repeatable", "slow").send().await;
    assert!(!again.allowed(200).headers.contains_key("idempotent-replayed"));
    assert_eq!(desks.effects.count(), done + 1);
}
