//! Attempts to authenticate that fail, wherever they do.

use std::time::Duration;

use palisade::{Settings, SharedLimits};
use palisade_tests::client::Client;
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::Signer;

use crate::bench::{Bench, run};

#[tokio::test]
async fn failures_are_shared_and_what_succeeds_is_taken_back() {
    let bench = Bench::start().await;
    for number in 0..9 {
        bench.log_in(number % 2, "right").await.allowed(204);
    }
    for number in 0..4 {
        bench.log_in(number % 2, "wrong").await.refused(401, "wrong");
    }
    for number in 0..2 {
        bench.log_in(number, "right").await.refused(429, "rate_limited");
    }
}

/// Who guesses at one after the other has no more guesses than who stays at one.
#[tokio::test]
async fn guesses_are_counted_together_and_in_an_outage_by_each_its_share() {
    let mut bench = Bench::start().await;
    let guesses = async |bench: &Bench, turns: &[usize]| {
        let mut guesses = 0;
        loop {
            let instance = bench.instances[turns[guesses % turns.len()]];
            let reply = instance.get("/few").token("a.b.c").send().await;
            if reply.status == 429 {
                reply.refused(429, "rate_limited");
                return guesses;
            }
            reply.refused(401, "unauthenticated");
            guesses += 1;
        }
    };
    let together = guesses(&bench, &[0, 1]).await;
    assert!((30..=31).contains(&together), "{together}");
    for instance in [0, 1] {
        bench.instances[instance].get("/few").token("a.b.d").send().await.refused(429, "rate_limited");
        bench.get(instance, "/few", "alice").await.allowed(204);
    }
    bench.redis.kill();
    for instance in [0, 1] {
        let share = guesses(&bench, &[instance]).await;
        assert!((15..=16).contains(&share), "{share}");
    }
}

/// Where an account was authenticated is known to whoever shares the counters, so no stranger locks it out there.
#[tokio::test]
async fn a_stranger_locks_nobody_out_at_another_instance() {
    const HOME: &str = "192.0.2.7";
    const ELSEWHERE: &str = "198.51.100.9";
    let (redis, signer) = (Server::durable().await, Signer::new("k1"));
    let start = async || {
        let shared = SharedLimits::redis(&redis.url(), 2).await.expect("Redis answers");
        let settings = Settings::new().limits_in(shared.patience(Duration::from_secs(1)));
        run(&signer, settings.trusted_proxies(["127.0.0.1"]).unwrap()).await
    };
    let log_in = async |instance: &Client, from: &str, secret: &str| {
        let call = instance.post("/login", &format!(r#"{{"username":"alice","secret":"{secret}"}}"#));
        call.header("x-forwarded-for", from).header("x-forwarded-proto", "https").send().await
    };
    let [first, second] = [start().await, start().await];
    log_in(&first, HOME, "right").await.allowed(204);
    while log_in(&first, ELSEWHERE, "wrong").await.status != 429 {}
    log_in(&second, ELSEWHERE, "right").await.refused(429, "rate_limited");
    log_in(&second, HOME, "right").await.allowed(204);
    log_in(&start().await, HOME, "right").await.allowed(204);
}
