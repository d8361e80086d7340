//! One Redis counts for all instances, exactly.

use std::time::Duration;

use palisade::{Settings, SharedLimits};
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::Signer;

use crate::bench::{Bench, instance, run};

/// One is made by hand, the other as its `palisade.toml` says.
#[tokio::test]
async fn a_configuration_says_where_limits_are_shared() {
    let (redis, signer) = (Server::durable().await, Signer::new("k1"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("palisade.toml");
    std::fs::write(&file, format!("limits_url = '{}'\nlimits_instances = 2", redis.url())).unwrap();
    let config = palisade::config::Config::load(file).expect("a good configuration");
    let configured = run(&signer, config.settings().await.expect("Redis answers")).await;
    let instances = [instance(&redis, &signer).await, configured];
    let bench = Bench { redis, instances, signer };
    let mut statuses = Vec::new();
    for number in 0..12 {
        statuses.push(bench.get(number % 2, "/sure", "alice").await.status);
    }
    assert_eq!(statuses, [[204; 6], [429; 6]].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_share_a_limit_to_the_last_request() {
    let bench = Bench::start().await;
    for (path, subject) in [("/sure", "alice"), ("/sure", "bob"), ("/door", "anybody")] {
        let all = (0..40).map(|number| bench.get(number % 2, path, subject));
        let replies = futures_util::future::join_all(all).await;
        let quota = if path == "/door" { 7 } else { 6 };
        let of = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
        assert!(of(204) <= quota, "{path} {subject}: {}", of(204));
        // whom a busy machine keeps waiting for too long is refused, whether or not it was counted
        assert!(of(204) + of(503) >= quota && of(429) + of(503) >= 40 - quota, "{} {}", of(204), of(503));
    }
}

#[tokio::test]
async fn what_is_left_is_told_wherever_one_asks() {
    let bench = Bench::start().await;
    for (number, left) in ["5", "4", "3", "2", "1", "0"].into_iter().enumerate() {
        let reply = bench.get(number % 2, "/few", "alice").await;
        assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left);
    }
    let reply = bench.get(0, "/few", "alice").await;
    reply.refused(429, "rate_limited");
    let (policies, counters) = reply.policies();
    assert_eq!(policies, ["\"few\";q=6;w=3600"]);
    assert_eq!(bench.get(1, "/few", "alice").await.policies().1, counters, "the same, wherever one asks");
    assert_ne!(bench.get(1, "/few", "bob").await.policies().1, counters);
    let later = instance(&bench.redis, &bench.signer).await;
    let there = later.get("/few").token(&bench.signer.token("alice", "")).send().await;
    assert_eq!(there.policies().1, counters, "at one that started since as well");
    let elsewhere = instance(&Server::durable().await, &bench.signer).await;
    let there = elsewhere.get("/few").token(&bench.signer.token("alice", "")).send().await;
    assert_ne!(there.policies().1, counters, "another Redis has another secret");
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((590..=660).contains(&wait), "a sixth of an hour, and up to a tenth more: {wait}");
}

#[tokio::test]
async fn windows_and_costs_are_shared_and_a_refusal_counts_nowhere() {
    let bench = Bench::start().await;
    for number in 0..5 {
        bench.get(number % 2, "/sliding", "alice").await.allowed(204);
    }
    for number in 0..5 {
        bench.get(number % 2, "/sliding", "alice").await.refused(429, "rate_limited");
    }
    bench.get(0, "/few", "alice").await.allowed(204); // the sixth, which the refusals have left
    bench.get(1, "/few", "alice").await.refused(429, "rate_limited");
    for number in 0..2 {
        bench.get(number % 2, "/fixed", "alice").await.allowed(204);
    }
    bench.get(0, "/fixed", "alice").await.refused(429, "rate_limited");
}

#[tokio::test]
async fn what_a_later_step_refuses_the_earlier_one_has_not_counted_anywhere() {
    let mut bench = Bench::start().await;
    for number in 0..6 {
        bench.get(number % 2, "/steps", "alice").await.allowed(204);
    }
    for number in 0..8 {
        let reply = bench.get(number % 2, "/steps", "alice").await;
        assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "few");
    }
    bench.get(0, "/steps", "bob").await.allowed(204); // the seventh of this address
    let reply = bench.get(1, "/steps", "bob").await;
    assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "door");
    bench.redis.kill();
    bench.get(0, "/steps", "carol").await.refused(503, "unavailable");
}

/// Of IPv6 a /48, of IPv4 an address; in an outage each instance counts its share of the same.
#[tokio::test]
async fn a_network_is_one_wherever_it_asks() {
    let (mut redis, signer) = (Server::durable().await, Signer::new("k1"));
    let start = async || {
        let shared = SharedLimits::redis(&redis.url(), 2).await.expect("Redis answers");
        let settings = Settings::new().limits_in(shared.patience(Duration::from_secs(1)));
        run(&signer, settings.trusted_proxies(["127.0.0.1"]).unwrap()).await
    };
    let instances = [start().await, start().await];
    let get = async |instance: usize, from: &str| {
        let call = instances[instance].get("/site").header("x-forwarded-for", from);
        call.header("x-forwarded-proto", "https").send().await.status
    };
    let mut statuses = Vec::new();
    for number in 0..6 {
        statuses.push(get(number % 2, &format!("2001:db8:1:{number}::1")).await);
    }
    assert_eq!(statuses, [204, 204, 204, 204, 429, 429]);
    for from in ["2001:db8:2::1", "192.0.2.1", "192.0.2.2"] {
        assert_eq!(get(0, from).await, 204, "{from}");
    }
    redis.kill();
    for instance in [0, 1] {
        let mut statuses = Vec::new();
        for number in 0..3 {
            statuses.push(get(instance, &format!("2001:db8:3:{number}::1")).await);
        }
        assert_eq!(statuses, [204, 204, 429], "a half of four");
    }
}

#[tokio::test]
async fn a_log_is_shared_and_in_an_outage_each_instance_has_its_share() {
    let mut bench = Bench::start().await;
    for (number, left) in ["3", "2", "1", "0"].into_iter().enumerate() {
        let reply = bench.get(number % 2, "/log", "alice").await;
        assert!(reply.allowed(204).header("ratelimit").starts_with(&format!("\"log\";r={left};t=")));
    }
    for instance in [0, 1] {
        let reply = bench.get(instance, "/log", "alice").await;
        reply.refused(429, "rate_limited");
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((3_500..=3_961).contains(&wait), "until the first ends: {wait}");
    }
    bench.get(0, "/few", "alice").await.allowed(204); // which the refusals have left
    bench.get(1, "/log", "bob").await.allowed(204);
    bench.redis.kill();
    for instance in [0, 1] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(bench.get(instance, "/log", "carol").await.status);
        }
        assert_eq!(statuses, [204, 204, 429], "a half of four");
    }
}
