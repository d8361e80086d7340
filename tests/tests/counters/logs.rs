//! Limits that keep a log: no more than so many in any window, whenever it begins.

use std::time::Duration;

use palisade::{Clock, Settings};
use palisade_tests::tokens::now;

use super::Bench;

#[tokio::test]
async fn each_request_ends_a_window_after_it_came_and_not_before() {
    let clock = Clock::fixed(now());
    let bench = Bench::with(Settings::new().clock(clock.clone())).await;
    for left in ["2", "1", "0"] {
        let reply = bench.get("/log", "alice").await;
        assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left);
        assert_eq!(reply.policies().0, ["\"log\";q=3;w=300"]);
        clock.advance(Duration::from_secs(100));
    }
    // the first ends now, and the others do not
    bench.get("/log", "alice").await.allowed(204);
    let reply = bench.get("/log", "alice").await;
    reply.refused(429, "rate_limited");
    assert_eq!(reply.header("ratelimit"), "\"log\";r=0;t=100");
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((100..=111).contains(&wait), "until the second ends, and a tenth of jitter: {wait}");
    clock.advance(Duration::from_secs(99));
    bench.get("/log", "alice").await.refused(429, "rate_limited");
    bench.get("/log", "bob").await.allowed(204);
    clock.advance(Duration::from_secs(1));
    bench.get("/log", "alice").await.allowed(204);
    bench.get("/log", "alice").await.refused(429, "rate_limited");
}

#[tokio::test]
async fn a_cost_takes_as_many_and_what_another_limit_refuses_none() {
    let bench = Bench::start().await;
    bench.get("/log/costly", "alice").await.allowed(204);
    let reply = bench.get("/log/costly", "alice").await;
    reply.refused(429, "rate_limited");
    assert_eq!(reply.json()["error"]["policy"], "log");
    assert!(reply.header("ratelimit").contains("\"log\";r=1"), "{:?}", reply.headers);
    assert!(reply.header("ratelimit").contains("\"budget\";r=5"), "{:?}", reply.headers);
    bench.get("/log", "alice").await.allowed(204);
    bench.get("/log", "alice").await.refused(429, "rate_limited");
    // and the other way round
    for _ in 0..6 {
        bench.get("/cheap", "bob").await.allowed(204);
    }
    let reply = bench.get("/log/costly", "bob").await;
    reply.refused(429, "rate_limited");
    assert!(reply.header("ratelimit").contains("\"log\";r=3"), "{:?}", reply.headers);
    for _ in 0..3 {
        bench.get("/log", "bob").await.allowed(204);
    }
}

#[tokio::test]
async fn of_failures_a_log_takes_back_what_succeeds() {
    let clock = Clock::fixed(now());
    let bench = Bench::with(Settings::new().clock(clock.clone())).await;
    for _ in 0..5 {
        bench.get("/tries", "alice").await.allowed(204);
    }
    for _ in 0..2 {
        bench.client.get("/tries").token("none").send().await.refused(401, "unauthenticated");
        bench.get("/tries", "alice").await; // which takes back no failure
    }
    bench.client.get("/tries").token("none").send().await.refused(429, "rate_limited");
    bench.get("/tries", "alice").await.refused(429, "rate_limited");
    clock.advance(Duration::from_secs(300));
    bench.get("/tries", "alice").await.allowed(204);
}
