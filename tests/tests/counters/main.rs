//! Limits over sockets: what a request counts as, by what it is counted, and how.

mod logs;
mod networks;
mod steps;
mod told;

use palisade::{Caller, Clock, Jwt, Problem, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::tokens::Signer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/counters.rs"));
}

use api::*;

struct Service;

impl Counted for Service {
    async fn get_costly(&self, _: Caller<GetCostly>, _: GetCostlyInput) -> Result<GetCostlyOutput, Problem> {
        Ok(GetCostlyOutput::NoContent)
    }

    async fn get_cheap(&self, _: Caller<GetCheap>, _: GetCheapInput) -> Result<GetCheapOutput, Problem> {
        Ok(GetCheapOutput::NoContent)
    }

    async fn get_sliding(
        &self,
        _: Caller<GetSliding>,
        _: GetSlidingInput,
    ) -> Result<GetSlidingOutput, Problem> {
        Ok(GetSlidingOutput::NoContent)
    }

    async fn post_name(&self, _: Caller<PostName>, _: PostNameInput) -> Result<PostNameOutput, Problem> {
        Ok(PostNameOutput::NoContent)
    }

    async fn log_in(&self, _: Caller<LogIn>, input: LogInInput) -> Result<LogInOutput, Problem> {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await; // as long as a password takes
        match input.body.secret.as_deref() {
            Some("right") => Ok(LogInOutput::NoContent),
            _ => Err(Problem::new(401, "wrong", "wrong name or password")),
        }
    }

    async fn get_guess(&self, _: Caller<GetGuess>, _: GetGuessInput) -> Result<GetGuessOutput, Problem> {
        Ok(GetGuessOutput::NoContent)
    }

    async fn post_step(&self, _: Caller<PostStep>, _: PostStepInput) -> Result<PostStepOutput, Problem> {
        Ok(PostStepOutput::NoContent)
    }

    async fn get_thing(&self, _: Caller<GetThing>, _: GetThingInput) -> Result<GetThingOutput, Problem> {
        Ok(GetThingOutput::NoContent)
    }

    async fn get_one(&self, _: Caller<GetOne>, _: GetOneInput) -> Result<GetOneOutput, Problem> {
        Ok(GetOneOutput::NoContent)
    }

    async fn get_several(
        &self,
        _: Caller<GetSeveral>,
        _: GetSeveralInput,
    ) -> Result<GetSeveralOutput, Problem> {
        Ok(GetSeveralOutput::NoContent)
    }

    async fn get_other(&self, _: Caller<GetOther>, _: GetOtherInput) -> Result<GetOtherOutput, Problem> {
        Ok(GetOtherOutput::NoContent)
    }

    async fn get_log(&self, _: Caller<GetLog>, _: GetLogInput) -> Result<GetLogOutput, Problem> {
        Ok(GetLogOutput::NoContent)
    }

    async fn get_costly_log(
        &self,
        _: Caller<GetCostlyLog>,
        _: GetCostlyLogInput,
    ) -> Result<GetCostlyLogOutput, Problem> {
        Ok(GetCostlyLogOutput::NoContent)
    }

    async fn get_try(&self, _: Caller<GetTry>, _: GetTryInput) -> Result<GetTryOutput, Problem> {
        Ok(GetTryOutput::NoContent)
    }

    async fn get_site(&self, _: Caller<GetSite>, _: GetSiteInput) -> Result<GetSiteOutput, Problem> {
        Ok(GetSiteOutput::NoContent)
    }

    async fn tell_anybody(
        &self,
        _: Caller<TellAnybody>,
        _: TellAnybodyInput,
    ) -> Result<TellAnybodyOutput, Problem> {
        Ok(TellAnybodyOutput::NoContent)
    }

    async fn tell_known(&self, _: Caller<TellKnown>, _: TellKnownInput) -> Result<TellKnownOutput, Problem> {
        Ok(TellKnownOutput::NoContent)
    }

    async fn post_guess(&self, _: Caller<PostGuess>, _: PostGuessInput) -> Result<PostGuessOutput, Problem> {
        Ok(PostGuessOutput::NoContent)
    }

    async fn get_fixed(&self, _: Caller<GetFixed>, _: GetFixedInput) -> Result<GetFixedOutput, Problem> {
        Ok(GetFixedOutput::NoContent)
    }
}

/// A running server, and who signs the tokens that it takes.
struct Bench {
    client: Client,
    signer: Signer,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::new()).await
    }

    async fn with(settings: Settings) -> Self {
        let signer = Signer::new("k1");
        let keys = palisade::JwkSet::from_json(signer.jwks()).expect("a key set");
        let server =
            server(Service).token(Jwt::new(keys)).settings(settings).build().expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        Self { client, signer }
    }

    async fn get(&self, path: &str, subject: &str) -> Reply {
        self.client.get(path).token(&self.signer.token(subject, "")).send().await
    }
}

#[tokio::test]
async fn a_request_counts_as_what_its_operation_costs() {
    let bench = Bench::start().await;
    for left in ["4", "1"] {
        let reply = bench.get("/costly", "alice").await;
        assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left);
    }
    let reply = bench.get("/costly", "alice").await;
    reply.refused(429, "rate_limited");
    assert!(reply.header("ratelimit").contains("\"budget\";r=1"), "the one that is left does not suffice");
    bench.get("/cheap", "alice").await.allowed(204);
    bench.get("/cheap", "alice").await.refused(429, "rate_limited");
    bench.get("/costly", "bob").await.allowed(204);
}

#[tokio::test]
async fn a_member_of_the_body_is_counted_once_it_has_been_validated() {
    let bench = Bench::start().await;
    let post = async |body: &str| bench.client.post("/names", body).send().await;
    post(r#"{"username":"alice"}"#).await.allowed(204);
    for _ in 0..5 {
        post(r#"{"username":"alice","unknown":1}"#).await.refused(422, "invalid_body");
    }
    let reply = post(r#"{"username":" \u0041lice"}"#).await;
    assert!(
        reply.allowed(204).headers.get("ratelimit").is_none(),
        "what others did with the name is not told"
    );
    post(r#"{"username":"ALICE"}"#).await.refused(429, "rate_limited");
    post(r#"{"username":"bob"}"#).await.allowed(204);
}

/// A client decides when its body comes; when its head came says nothing of that.
#[tokio::test]
async fn bodies_that_come_together_are_counted_together_whenever_their_heads_came() {
    let clock = Clock::fixed(palisade_tests::tokens::now());
    let bench = Bench::with(Settings::new().clock(clock.clone())).await;
    let body = r#"{"username":"alice"}"#;
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = tokio::net::TcpStream::connect(bench.client.0).await.unwrap();
        let head = "POST /names HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length:";
        stream.write_all(format!("{head} {}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
        streams.push(stream);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await; // its head is read
        clock.advance(std::time::Duration::from_secs(1_800)); // in which one comes back
    }
    let mut statuses = Vec::new();
    for mut stream in streams {
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        statuses.push(answer.get(9..12).unwrap_or_default().to_owned());
    }
    assert_eq!(statuses, ["204", "204", "429", "429"]);
}

#[tokio::test]
async fn several_parts_make_one_counter_together() {
    let bench = Bench::start().await;
    for _ in 0..2 {
        bench.get("/things/a", "alice").await.allowed(204);
    }
    bench.get("/things/a", "alice").await.refused(429, "rate_limited");
    bench.get("/things/%61", "alice").await.refused(429, "rate_limited");
    bench.get("/things/b", "alice").await.allowed(204);
    bench.get("/things/a", "bob").await.allowed(204);
    bench.get("/one", "alice").await.allowed(204);
    bench.get("/other", "alice").await.allowed(204);
    bench.get("/one", "alice").await.refused(429, "rate_limited");
}

/// One decision: who is refused by several waits for the last of them, and is charged by none.
#[tokio::test]
async fn of_limits_that_refuse_together_the_longest_wait_is_told_and_none_counts() {
    let clock = Clock::fixed(palisade_tests::tokens::now());
    let bench = Bench::with(Settings::new().clock(clock.clone())).await;
    let token = bench.signer.token("alice", "");
    let ask = || bench.client.get("/several").token(&token).send();
    let left = |reply: &Reply| {
        ["quick", "slow", "roomy"].map(|name| {
            let (_, rest) = reply.header("ratelimit").split_once(&format!("\"{name}\";r=")).expect(name);
            rest.split([';', ',']).next().unwrap().parse::<u32>().unwrap()
        })
    };
    let refused = |reply: &Reply, seconds: u64| {
        reply.refused(429, "rate_limited");
        assert_eq!(reply.json()["error"]["policy"], "slow");
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((seconds..=seconds * 11 / 10 + 1).contains(&wait), "{wait}, and a tenth of jitter");
    };
    assert_eq!(left(ask().await.allowed(204)), [0, 0, 19]);
    for _ in 0..5 {
        let reply = ask().await;
        refused(&reply, 3600);
        assert_eq!(left(&reply), [0, 0, 19]);
    }
    // one of them would let it through by now, and is not charged for what the other refuses
    clock.advance(std::time::Duration::from_secs(60));
    for _ in 0..5 {
        let reply = ask().await;
        refused(&reply, 3540);
        assert_eq!(left(&reply), [1, 0, 19]);
    }
    clock.advance(std::time::Duration::from_secs(240)); // the token is good for five minutes more
    refused(&ask().await, 3300);
}

#[tokio::test]
async fn windows_count_what_passes_and_tell_their_quota_and_length() {
    let bench = Bench::start().await;
    for (path, name) in [("/sliding", "sliding"), ("/fixed", "fixed")] {
        for left in ["2", "1", "0"] {
            let reply = bench.get(path, "alice").await;
            assert_eq!(reply.allowed(204).header("x-ratelimit-remaining"), left);
            assert_eq!(reply.policies().0, [format!("\"{name}\";q=3;w=3600")]);
        }
        let reply = bench.get(path, "alice").await;
        reply.refused(429, "rate_limited");
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=2 * 3960).contains(&wait), "two windows at most, and a tenth of jitter: {wait}");
        bench.get(path, "bob").await.allowed(204);
    }
}

#[tokio::test]
async fn a_limit_on_failures_lets_all_that_succeeds_through() {
    let bench = Bench::start().await;
    let log_in = |name: &str, secret: &str| {
        bench.client.post("/login", &format!(r#"{{"username":"{name}","secret":"{secret}"}}"#))
    };
    for _ in 0..8 {
        let reply = log_in("alice", "right").send().await;
        assert!(reply.allowed(204).headers.get("ratelimit").is_none(), "how often may one guess?");
    }
    for _ in 0..3 {
        log_in("alice", "right").send().await.allowed(204); // which takes back no failure
        log_in("alice", "wrong").send().await.refused(401, "wrong");
    }
    log_in("alice", "wrong").send().await.refused(429, "rate_limited");
    log_in("alice", "right").send().await.refused(429, "rate_limited");
    log_in("bob", "right").send().await.allowed(204);
}

#[tokio::test]
async fn guesses_at_once_are_no_more_than_guesses_in_turn() {
    let bench = Bench::start().await;
    let guess = |n: u32| {
        bench.client.post("/login", &format!(r#"{{"username":"alice","secret":"guess {n}"}}"#)).send()
    };
    let replies = futures_util::future::join_all((0..20).map(guess)).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 3);
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 17);
}

#[tokio::test]
async fn tokens_that_are_refused_are_failures_of_their_address() {
    let bench = Bench::start().await;
    for _ in 0..6 {
        bench.get("/guess", "alice").await.allowed(204);
    }
    for _ in 0..4 {
        bench.client.get("/guess").token("none").send().await.refused(401, "unauthenticated");
    }
    bench.client.get("/guess").token("none").send().await.refused(429, "rate_limited");
    bench.get("/guess", "alice").await.refused(429, "rate_limited");
}

#[tokio::test]
async fn who_does_not_wait_for_the_answer_has_used_the_attempt() {
    let bench = Bench::start().await;
    let body = r#"{"username":"alice","secret":"right"}"#;
    for _ in 0..3 {
        let mut stream = tokio::net::TcpStream::connect(bench.client.0).await.unwrap();
        let head = "POST /login HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length:";
        stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(25)).await; // the handler takes longer
        drop(stream);
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await; // and is done, too late for who has left
    bench.client.post("/login", body).send().await.refused(429, "rate_limited");
}
