//! Limits of several instances over sockets: one Redis counts for all, and each limit does as it says while it is away.

use std::time::{Duration, Instant};

use palisade::{Caller, Jwt, Problem, Settings, SharedLimits};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::Signer;
use palisade_tests::waiting::{Waiting, until};
use tokio::task::JoinHandle;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/shared.rs"));
}

use api::*;

#[derive(Clone, Default)]
struct Service(Waiting);

impl Shared for Service {
    async fn get_waits(&self, _: Caller<GetWaits>, _: GetWaitsInput) -> Result<GetWaitsOutput, Problem> {
        self.0.wait().await;
        Ok(GetWaitsOutput::NoContent)
    }

    async fn get_waits_sure(
        &self,
        _: Caller<GetWaitsSure>,
        _: GetWaitsSureInput,
    ) -> Result<GetWaitsSureOutput, Problem> {
        self.0.wait().await;
        Ok(GetWaitsSureOutput::NoContent)
    }

    async fn get_waits_open(
        &self,
        _: Caller<GetWaitsOpen>,
        _: GetWaitsOpenInput,
    ) -> Result<GetWaitsOpenOutput, Problem> {
        self.0.wait().await;
        Ok(GetWaitsOpenOutput::NoContent)
    }

    async fn get_few(&self, _: Caller<GetFew>, _: GetFewInput) -> Result<GetFewOutput, Problem> {
        Ok(GetFewOutput::NoContent)
    }

    async fn get_sure(&self, _: Caller<GetSure>, _: GetSureInput) -> Result<GetSureOutput, Problem> {
        Ok(GetSureOutput::NoContent)
    }

    async fn get_open(&self, _: Caller<GetOpen>, _: GetOpenInput) -> Result<GetOpenOutput, Problem> {
        Ok(GetOpenOutput::NoContent)
    }

    async fn get_sliding(
        &self,
        _: Caller<GetSliding>,
        _: GetSlidingInput,
    ) -> Result<GetSlidingOutput, Problem> {
        Ok(GetSlidingOutput::NoContent)
    }

    async fn get_fixed(&self, _: Caller<GetFixed>, _: GetFixedInput) -> Result<GetFixedOutput, Problem> {
        Ok(GetFixedOutput::NoContent)
    }

    async fn get_door(&self, _: Caller<GetDoor>, _: GetDoorInput) -> Result<GetDoorOutput, Problem> {
        Ok(GetDoorOutput::NoContent)
    }

    async fn log_in(&self, _: Caller<LogIn>, input: LogInInput) -> Result<LogInOutput, Problem> {
        match input.body.secret.as_deref() {
            Some("right") => Ok(LogInOutput::NoContent),
            _ => Err(Problem::new(401, "wrong", "wrong name or password")),
        }
    }
}

/// Two instances, each with connections of its own to one Redis.
struct Bench {
    redis: Server,
    instances: [Client; 2],
    signer: Signer,
}

impl Bench {
    async fn start() -> Self {
        let (redis, signer) = (Server::durable().await, Signer::new("k1"));
        let instances = [instance(&redis, &signer).await, instance(&redis, &signer).await];
        Self { redis, instances, signer }
    }

    async fn get(&self, instance: usize, path: &str, subject: &str) -> Reply {
        self.instances[instance].get(path).token(&self.signer.token(subject, "")).send().await
    }

    async fn log_in(&self, instance: usize, secret: &str) -> Reply {
        let body = format!(r#"{{"username":"alice","secret":"{secret}"}}"#);
        self.instances[instance].post("/login", &body).send().await
    }

    /// Until both instances have found it again.
    async fn recovers(&self) {
        let began = Instant::now();
        for instance in [0, 1] {
            while self.get(instance, "/sure", "somebody").await.status == 503 {
                assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One that waits as long as a busy machine may need.
async fn instance(redis: &Server, signer: &Signer) -> Client {
    patient(redis, signer, Duration::from_secs(1)).await
}

async fn patient(redis: &Server, signer: &Signer, patience: Duration) -> Client {
    let shared = SharedLimits::redis(&redis.url(), 2).await.expect("Redis answers").patience(patience);
    run(signer, Settings::new().limits_in(shared)).await
}

async fn run(signer: &Signer, settings: Settings) -> Client {
    run_with(Service::default(), signer, settings).await
}

async fn run_with(service: Service, signer: &Signer, settings: Settings) -> Client {
    let keys = palisade::JwkSet::from_json(signer.jwks()).expect("a key set");
    let server = server(service).token(Jwt::new(keys)).settings(settings).build().expect("a complete server");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
    client
}

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
    for told in [
        "Redis fails: limits do as each says of an outage",
        "Redis answers again",
        "sys_limits_unavailable",
        "limit_not_counted: sure",
    ] {
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

/// It answers all the time, and counts nobody.
#[tokio::test]
async fn a_redis_that_takes_nothing_is_away() {
    events::collect();
    let bench = Bench::start().await;
    for (setting, bad) in [("maxmemory", "1mb"), ("min-replicas-to-write", "1")] {
        let outages = || events::everything().matches("Redis fails: limits do as each says").count();
        let before = outages();
        bench.redis.ask(&["CONFIG", "SET", setting, bad]).await.unwrap();
        for turn in 0..6 {
            let reply = bench.get(0, "/sure", "carol").await;
            reply.refused(503, "unavailable");
            assert_eq!(outages() - before, usize::from(turn >= 4), "five failures are an outage");
        }
        bench.redis.ask(&["CONFIG", "SET", setting, "0"]).await.unwrap();
        bench.recovers().await;
        bench.get(0, "/sure", "carol").await.allowed(204);
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
