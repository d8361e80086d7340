//! Limits on what is under way at once.

use std::time::Duration;

use palisade::{Settings, SharedLimits};
use palisade_tests::client::Reply;
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::Signer;
use palisade_tests::waiting::until;
use tokio::task::JoinHandle;

use crate::bench::{Bench, Service, run_with};

#[tokio::test]
async fn what_is_under_way_at_one_instance_counts_at_the_other() {
    let desks = Desks::start().await;
    let sent = desks.waiting("/waits", &[0, 0, 0, 1]).await;
    for instance in [0, 1, 1, 0] {
        let reply = desks.bench.get(instance, "/waits", "alice").await;
        reply.refused(429, "rate_limited");
        assert_eq!(reply.header("ratelimit"), "\"places\";r=0");
    }
    desks.all_pass(sent).await;
    let reply = desks.bench.get(0, "/waits", "bob").await;
    assert_eq!(reply.allowed(204).header("ratelimit"), "\"places\";r=3");
    for instance in [0, 1] {
        until(async || desks.bench.get(instance, "/waits", "alice").await.status == 204).await;
    }
}

#[tokio::test]
async fn in_an_outage_each_instance_lets_in_its_share_of_what_is_under_way() {
    let mut desks = Desks::start().await;
    let before = desks.waiting("/waits", &[0]).await;
    desks.bench.redis.kill();
    let mut sent = desks.waiting("/waits", &[0, 1, 1]).await; // with that of before, two at each
    for instance in [0, 1] {
        desks.bench.get(instance, "/waits", "alice").await.refused(429, "rate_limited");
        desks.bench.get(instance, "/waits/sure", "alice").await.refused(503, "unavailable");
    }
    sent.extend(desks.waiting("/waits/open", &[0, 0, 1]).await);
    sent.extend(before);
    desks.service.0.go_on();
    for reply in sent {
        let reply = reply.await.unwrap();
        assert_eq!(reply.status, 204);
    }
    desks.bench.redis.restart().await;
    desks.bench.recovers().await;
    for instance in [0, 1] {
        desks.bench.get(instance, "/waits/sure", "alice").await.allowed(204);
    }
}

/// Two instances whose handlers wait for one word.
struct Desks {
    bench: Bench,
    service: Service,
}

impl Desks {
    async fn start() -> Self {
        let (redis, signer, service) = (Server::durable().await, Signer::new("k1"), Service::default());
        let start = async || {
            let shared = SharedLimits::redis(&redis.url(), 2).await.expect("Redis answers");
            let settings = Settings::new().limits_in(shared.patience(Duration::from_secs(1)));
            run_with(service.clone(), &signer, settings).await
        };
        let instances = [start().await, start().await];
        Self { bench: Bench { redis, instances, signer }, service }
    }

    /// Requests whose handlers wait, at these instances.
    async fn waiting(&self, path: &str, at: &[usize]) -> Vec<JoinHandle<Reply>> {
        let mut sent = Vec::new();
        for instance in at {
            let begun = self.service.0.begun();
            let call = self.bench.instances[*instance].get(path);
            sent.push(tokio::spawn(call.token(&self.bench.signer.token("alice", "")).send()));
            self.service.0.have_begun(begun + 1).await;
        }
        sent
    }

    async fn all_pass(&self, sent: Vec<JoinHandle<Reply>>) {
        self.service.0.go_on();
        for reply in sent {
            reply.await.unwrap().allowed(204);
        }
    }
}
