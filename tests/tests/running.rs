//! Limits on what is under way, over sockets: who comes in, who does not, and when a place is free again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use palisade::{Caller, Items, Jwt, Problem, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::tokens::Signer;
use palisade_tests::waiting::{Waiting, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/running.rs"));
}

use api::*;

#[derive(Clone, Default)]
struct Service(Waiting);

impl Running for Service {
    async fn get_waits(&self, _: Caller<GetWaits>, _: GetWaitsInput) -> Result<GetWaitsOutput, Problem> {
        self.0.wait().await;
        Ok(GetWaitsOutput::NoContent)
    }

    async fn get_others(&self, _: Caller<GetOthers>, _: GetOthersInput) -> Result<GetOthersOutput, Problem> {
        Ok(GetOthersOutput::NoContent)
    }

    async fn get_mine(&self, _: Caller<GetMine>, _: GetMineInput) -> Result<GetMineOutput, Problem> {
        self.0.wait().await;
        Ok(GetMineOutput::NoContent)
    }

    async fn get_heavy(&self, _: Caller<GetHeavy>, _: GetHeavyInput) -> Result<GetHeavyOutput, Problem> {
        Ok(GetHeavyOutput::NoContent)
    }

    async fn post_effect(
        &self,
        _: Caller<PostEffect>,
        _: PostEffectInput,
    ) -> Result<PostEffectOutput, Problem> {
        self.0.wait().await;
        Ok(PostEffectOutput::NoContent)
    }

    /// Every other time before there is a future at all.
    fn get_panic(
        &self,
        _: Caller<GetPanic>,
        _: GetPanicInput,
    ) -> impl Future<Output = Result<GetPanicOutput, Problem>> + Send {
        static TIMES: AtomicUsize = AtomicUsize::new(0);
        assert!(TIMES.fetch_add(1, Ordering::Relaxed).is_multiple_of(2), "as the test wants it");
        async { panic!("as the test wants it") }
    }

    async fn get_late(&self, _: Caller<GetLate>, _: GetLateInput) -> Result<GetLateOutput, Problem> {
        self.0.wait().await;
        Ok(GetLateOutput::NoContent)
    }

    async fn get_visit(&self, _: Caller<GetVisit>, _: GetVisitInput) -> Result<GetVisitOutput, Problem> {
        Ok(GetVisitOutput::NoContent)
    }

    async fn get_stream(&self, _: Caller<GetStream>, _: GetStreamInput) -> Result<GetStreamOutput, Problem> {
        let told = self.0.told();
        let numbers = futures_util::stream::unfold((0_i64, told), |(number, mut told)| async move {
            if number > 0 {
                told.wait_for(|go| *go).await.ok()?;
            }
            (number < 3).then_some((number, (number + 1, told)))
        });
        Ok(GetStreamOutput::Ok(Items::new(numbers)))
    }
}

struct Bench {
    client: Client,
    signer: Signer,
    service: Service,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::new()).await
    }

    async fn with(settings: Settings) -> Self {
        let signer = Signer::new("k1");
        let keys = palisade::JwkSet::from_json(signer.jwks()).expect("a key set");
        let service = Service::default();
        let server = server(service.clone()).token(Jwt::new(keys)).settings(settings);
        let server = server.build().expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        Self { client, signer, service }
    }

    async fn get(&self, path: &str, subject: &str) -> Reply {
        self.client.get(path).token(&self.signer.token(subject, "")).send().await
    }

    /// A request whose handler waits.
    async fn waiting(&self, path: &str, subject: &str) -> JoinHandle<Reply> {
        let begun = self.service.0.begun();
        let sent = tokio::spawn(self.client.get(path).token(&self.signer.token(subject, "")).send());
        self.service.0.have_begun(begun + 1).await;
        sent
    }

    /// The same over a connection that can be dropped.
    async fn leaving(&self, method: &str, path: &str) -> TcpStream {
        let begun = self.service.0.begun();
        let token = self.signer.token("alice", "");
        let mut stream = TcpStream::connect(self.client.0).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        self.service.0.have_begun(begun + 1).await;
        stream
    }

    /// Until alice has both of her places, soon.
    async fn both_are_free(&self) {
        until(async || self.get("/mine/heavy", "alice").await.status == 204).await;
    }

    async fn stream(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.client.0).await.unwrap();
        stream.write_all(b"GET /streams HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        let mut head = [0; 15];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        stream
    }

    fn go_on(&self) {
        self.service.0.go_on();
    }
}

#[tokio::test]
async fn a_full_operation_is_unavailable_before_it_is_asked_who_calls() {
    let bench = Bench::start().await;
    let waiting = [bench.waiting("/waits", "alice").await, bench.waiting("/waits", "bob").await];
    for _ in 0..9 {
        let reply = bench.client.get("/waits").token("none").send().await;
        let wait: u64 = reply.refused(503, "unavailable").header("retry-after").parse().unwrap();
        assert!((1..=3).contains(&wait), "{wait}");
    }
    bench.get("/others", "alice").await.allowed(204);
    bench.go_on();
    for reply in waiting {
        reply.await.unwrap().allowed(204);
    }
    bench.get("/waits", "carol").await.allowed(204);
    bench.client.get("/waits").token("none").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_principal_has_places_of_its_own() {
    let bench = Bench::start().await;
    let first = bench.waiting("/mine", "alice").await;
    let second = bench.waiting("/mine", "alice").await;
    bench.client.get("/mine").token("none").send().await.refused(401, "unauthenticated");
    for _ in 0..5 {
        let reply = bench.get("/mine", "alice").await;
        reply.refused(429, "rate_limited");
        assert_eq!(reply.json()["error"]["policy"], "each");
        assert_eq!(reply.policies().0, ["\"each\";q=2;qu=\"concurrent-requests\""]);
        assert_eq!(reply.header("ratelimit"), "\"each\";r=0");
        assert!(reply.headers.get("x-ratelimit-limit").is_none(), "there is no reset");
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=3).contains(&wait), "{wait}");
    }
    let third = bench.waiting("/mine", "bob").await;
    bench.go_on();
    for reply in [first, second, third] {
        let reply = reply.await.unwrap();
        assert!(reply.allowed(204).header("ratelimit").starts_with("\"each\";r="), "{:?}", reply.headers);
        assert_eq!(reply.header("x-ratelimit-limit"), "3");
    }
    bench.get("/mine", "alice").await.allowed(204); // the third that the budget has: refusals took none of it
    for _ in 0..5 {
        bench.get("/mine", "alice").await.refused(429, "rate_limited");
    }
    bench.get("/mine/heavy", "alice").await.allowed(204); // and who was over the budget holds no place
}

#[tokio::test]
async fn who_leaves_makes_room_and_a_handler_with_effects_does_when_it_has_ended() {
    let bench = Bench::start().await;
    let stream = bench.leaving("GET", "/mine").await;
    bench.get("/mine/heavy", "alice").await.refused(429, "rate_limited");
    drop(stream);
    bench.both_are_free().await;
    let stream = bench.leaving("POST", "/effects").await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(200)).await;
    bench.get("/mine/heavy", "alice").await.refused(429, "rate_limited");
    bench.go_on();
    bench.both_are_free().await;
}

#[tokio::test]
async fn a_panic_and_a_deadline_make_room() {
    let bench = Bench::start().await;
    for _ in 0..5 {
        bench.get("/panics", "alice").await.refused(500, "internal");
        bench.get("/late", "alice").await.refused(504, "deadline_exceeded");
    }
    bench.get("/mine/heavy", "alice").await.allowed(204);
}

#[tokio::test]
async fn an_answer_is_under_way_until_it_has_been_sent_or_nobody_takes_it() {
    let bench = Bench::start().await;
    let mut streams = vec![bench.stream().await, bench.stream().await, bench.stream().await];
    bench.client.get("/streams").send().await.refused(429, "rate_limited");
    streams.pop();
    let again = loop {
        let mut stream = TcpStream::connect(bench.client.0).await.unwrap();
        stream.write_all(b"GET /streams HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        let mut head = [0; 15];
        stream.read_exact(&mut head).await.unwrap();
        if &head == b"HTTP/1.1 200 OK" {
            break stream;
        }
    };
    bench.client.get("/streams").send().await.refused(429, "rate_limited");
    bench.go_on();
    until(async || bench.client.get("/streams").send().await.status == 200).await;
    drop((streams, again));
}

/// Who finds no place has visited nothing.
#[tokio::test]
async fn what_finds_no_place_another_limit_has_not_counted() {
    let bench = Bench::start().await;
    let sent = [bench.waiting("/mine", "alice").await, bench.waiting("/mine", "alice").await];
    for _ in 0..5 {
        let reply = bench.get("/visits", "alice").await;
        assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "each");
        assert!(reply.header("ratelimit").contains("\"visits\";r=3"), "{:?}", reply.headers);
        let told: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=3).contains(&told), "{told}");
    }
    bench.service.0.go_on();
    for sent in sent {
        sent.await.unwrap().allowed(204);
    }
}

/// Who is refused for another reason is not told to come while a limit has nothing for them.
#[tokio::test]
async fn nobody_is_told_to_come_while_a_limit_has_nothing_left() {
    let bench = Bench::with(Settings::new().max_requests(1)).await;
    let sent = bench.waiting("/mine", "alice").await; // whose handler is all that the server does at once
    for (left, wait) in [(2, 1), (1, 1), (0, 1_200)] {
        let reply = bench.get("/visits", "alice").await;
        reply.refused(503, "unavailable");
        assert!(
            reply.header("ratelimit").contains(&format!("\"visits\";r={left};t=")),
            "{:?}",
            reply.headers
        );
        assert_eq!(reply.header("retry-after"), wait.to_string(), "{left} left");
    }
    bench.service.0.go_on();
    sent.await.unwrap().allowed(204);
}
