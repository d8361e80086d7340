//! While Redis is away each limit does as it says, and afterwards it counts again; one that may forget is warned of.

use std::time::{Duration, Instant};

use palisade::SharedLimits;
use palisade_tests::events;
use palisade_tests::redis_server::Server;
use palisade_tests::waiting::until;

use crate::bench::{Bench, patient};

const FAILS: &str = "Redis fails: limits do as each says of an outage";

#[tokio::test]
async fn in_an_outage_each_limit_does_as_it_says_and_no_counter_is_filled() {
    events::collect();
    let mut bench = Bench::start().await;
    for path in ["/sure", "/open"] {
        for _ in 0..6 {
            bench.get(0, path, "alice").await.allowed(204);
        }
        bench.get(1, path, "alice").await.refused(429, "rate_limited");
    }
    bench.redis.kill();
    for instance in [0, 1] {
        for left in ["2", "1", "0"] {
            let reply = bench.get(instance, "/few", "alice").await;
            assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left, "a half of six");
        }
        bench.get(instance, "/few", "alice").await.refused(429, "rate_limited");
        let reply = bench.get(instance, "/sure", "bob").await;
        assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "1");
        let reply = bench.get(instance, "/sure", "bob").await; // five have failed, and it is left alone
        assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "2");
        for _ in 0..10 {
            let reply = bench.get(instance, "/open", "alice").await;
            assert!(reply.allowed(204).headers.get("ratelimit").is_none(), "nobody counts");
        }
        for _ in 0..2 {
            bench.log_in(instance, "wrong").await.refused(401, "wrong");
        }
        bench.log_in(instance, "right").await.refused(429, "rate_limited");
    }
    bench.redis.restart().await;
    bench.recovers().await;
    for instance in [0, 1] {
        bench.get(instance, "/sure", "alice").await.refused(429, "rate_limited");
        bench.get(instance, "/open", "alice").await.refused(429, "rate_limited");
    }
    bench.get(0, "/sure", "bob").await.allowed(204);
    bench.redis.kill();
    for instance in [0, 1] {
        bench.get(instance, "/few", "alice").await.refused(429, "rate_limited");
        bench.get(instance, "/few", "bob").await.allowed(204);
    }
    assert!(
        events::of_redis(&bench.redis, "message", FAILS) > 0
            && events::of_redis(&bench.redis, "message", "Redis answers again") > 0
    );
    for told in ["sys_limits_unavailable", "limit_not_counted: sure"] {
        assert!(events::everything().contains(told), "{told}: {}", events::everything());
    }
}

/// A failover in which it does not lead for a while: it reads, and takes no writes.
#[tokio::test]
async fn while_another_redis_leads_each_limit_does_as_it_says_and_afterwards_it_counts_again() {
    let bench = Bench::start().await;
    for path in ["/sure", "/few"] {
        bench.get(0, path, "alice").await.allowed(204);
    }
    for _ in 0..6 {
        bench.get(0, "/open", "bob").await.allowed(204);
    }
    bench.redis.follow().await;
    bench.get(1, "/open", "bob").await.refused(429, "rate_limited"); // it knows, and writes nothing for that
    for instance in [0, 1] {
        bench.get(instance, "/sure", "alice").await.refused(503, "unavailable");
        for left in ["2", "1", "0"] {
            let reply = bench.get(instance, "/few", "alice").await;
            assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left, "a half of six");
        }
        bench.get(instance, "/few", "alice").await.refused(429, "rate_limited");
        for _ in 0..10 {
            bench.get(instance, "/open", "alice").await.allowed(204);
        }
    }
    bench.get(1, "/open", "bob").await.allowed(204); // after five failures it is not asked whom it knows
    bench.redis.lead().await;
    bench.recovers().await;
    for path in ["/sure", "/few"] {
        for left in ["4", "3", "2", "1", "0"] {
            let reply = bench.get(1, path, "alice").await;
            assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left, "{path}: one was before");
        }
        bench.get(0, path, "alice").await.refused(429, "rate_limited");
    }
}

/// It answers all the time, and counts nobody.
#[tokio::test]
async fn a_redis_that_takes_nothing_is_away() {
    events::collect();
    for (setting, bad) in [("maxmemory", "1mb"), ("min-replicas-to-write", "1")] {
        let bench = Bench::start().await;
        let outages = || events::of_redis(&bench.redis, "message", FAILS);
        bench.redis.ask(&["CONFIG", "SET", setting, bad]).await.unwrap();
        for turn in 0..6 {
            let reply = bench.get(0, "/sure", "carol").await;
            reply.refused(503, "unavailable");
            assert_eq!(outages(), usize::from(turn >= 4), "five failures are an outage");
        }
        bench.redis.ask(&["CONFIG", "SET", setting, "0"]).await.unwrap();
        bench.recovers().await;
        bench.get(0, "/sure", "carol").await.allowed(204);
    }
}

/// It refuses whom it knows, which takes no write, and counts nobody else: by the one it answers again, by the other it fails.
#[tokio::test]
async fn an_outage_that_comes_and_goes_is_told_of_once() {
    events::collect();
    let bench = Bench::start().await;
    for _ in 0..6 {
        bench.get(0, "/open", "bob").await.allowed(204);
    }
    bench.redis.ask(&["CONFIG", "SET", "maxmemory", "1mb"]).await.unwrap();
    for _ in 0..3 {
        for _ in 0..5 {
            bench.get(0, "/sure", "carol").await.refused(503, "unavailable");
        }
        bench.get(0, "/open", "bob").await.allowed(204); // nobody is asked
        until(async || bench.get(0, "/open", "bob").await.status == 429).await;
    }
    for told in [FAILS, "Redis answers again"] {
        assert_eq!(events::of_redis(&bench.redis, "message", told), 1, "{told}");
    }
}

#[tokio::test]
async fn a_redis_that_hangs_costs_a_moment_and_then_none() {
    let mut bench = Bench::start().await;
    bench.instances[0] = patient(&bench.redis, &bench.signer, Duration::from_millis(50)).await;
    bench.get(0, "/open", "alice").await.allowed(204);
    bench.redis.signal("STOP");
    let began = Instant::now();
    for _ in 0..50 {
        bench.get(0, "/open", "alice").await.allowed(204);
    }
    assert!(began.elapsed() < Duration::from_millis(3_000), "five wait 50 ms each: {:?}", began.elapsed());
    bench.redis.signal("CONT");
    bench.recovers().await;
    bench.get(0, "/sure", "alice").await.allowed(204);
}

/// It may wait a second for Redis, and the operation may take less.
#[tokio::test]
async fn a_redis_that_hangs_is_waited_for_no_longer_than_the_operation_may_take() {
    let bench = Bench::start().await;
    bench.get(0, "/brief", "alice").await.allowed(204);
    bench.redis.signal("STOP");
    bench.get(0, "/brief", "alice").await.refused(504, "deadline_exceeded");
    bench.redis.signal("CONT");
    bench.recovers().await;
    bench.get(0, "/brief", "alice").await.allowed(204);
}

#[tokio::test]
async fn a_redis_that_may_forget_counters_is_warned_of() {
    events::collect();
    let connect =
        async |server: &Server| _ = SharedLimits::redis(&server.url(), 2).await.expect("Redis answers");
    let told = |server: &Server| {
        ["maxmemory-policy", "maxmemory", "appendonly", "appendfsync"]
            .map(|name| events::of_redis(server, "setting", name))
    };
    let durable = Server::durable().await;
    connect(&durable).await;
    assert_eq!(told(&durable), [0; 4]);
    let forgets =
        Server::start("--appendonly no --appendfsync everysec --maxmemory-policy allkeys-lru").await;
    connect(&forgets).await;
    assert_eq!(told(&forgets), [1, 1, 1, 0], "the last second is nothing that is relied on");
}
