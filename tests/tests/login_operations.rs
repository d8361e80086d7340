//! Operations that are logins: what their handlers find wrong is counted by account and by network, as it is for passwords.

use std::time::Duration;

use axum::http::StatusCode;
use futures_util::future::join_all;
use palisade::{Caller, Clock, Gate, JwkSet, Jwt, Problem, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::tokens::{Signer, now};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/login_operations.rs"));
}

use api::*;

const HOME: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.9";

/// The account `alice` exists, and her secret is `right`. Others say what becomes of the handler.
struct Service;

fn wrong() -> Problem {
    Problem::new(401, "wrong", "wrong name or password")
}

impl Logins for Service {
    async fn log_in(&self, _: Caller<LogIn>, input: LogInInput) -> Result<LogInOutput, Problem> {
        match &*input.body.secret {
            "right" => Ok(LogInOutput::NoContent),
            "elsewhere" => Ok(LogInOutput::SeeOther),
            "declared" => Ok(LogInOutput::Unauthorized),
            "closed" => Ok(LogInOutput::Forbidden),
            "down" => Err(Problem::internal("the directory is down")),
            "crash" => panic!("a crash of the handler"),
            "slow" => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok(LogInOutput::NoContent)
            }
            "thoughtful" => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                Ok(LogInOutput::NoContent)
            }
            _ => Err(wrong()),
        }
    }

    async fn log_in_elsewhere(
        &self,
        _: Caller<LogInElsewhere>,
        input: LogInElsewhereInput,
    ) -> Result<LogInElsewhereOutput, Problem> {
        match &*input.body.secret {
            "right" => Ok(LogInElsewhereOutput::NoContent),
            _ => Err(wrong()),
        }
    }

    async fn log_in_by_form(
        &self,
        _: Caller<LogInByForm>,
        input: LogInByFormInput,
    ) -> Result<LogInByFormOutput, Problem> {
        match (&*input.body.username, &*input.body.secret) {
            (_, "right") => Ok(LogInByFormOutput::NoContent),
            _ => Err(wrong()),
        }
    }

    async fn enter_code(
        &self,
        _: Caller<EnterCode>,
        input: EnterCodeInput,
    ) -> Result<EnterCodeOutput, Problem> {
        match &*input.body.code {
            "right" => Ok(EnterCodeOutput::NoContent),
            _ => Err(wrong()),
        }
    }

    async fn confirm_secret(
        &self,
        _: Caller<ConfirmSecret>,
        input: ConfirmSecretInput,
    ) -> Result<ConfirmSecretOutput, Problem> {
        match &*input.body.secret {
            "right" => Ok(ConfirmSecretOutput::NoContent),
            _ => Err(wrong()),
        }
    }
}

/// A login that an axum application adopts.
#[derive(palisade::Operation)]
#[operation(spec = "specs/login_operations.yaml", id = "logInElsewhere", types = api)]
struct AdoptedLogin {
    body: api::Login,
    #[allow(dead_code, reason = "the proof is there, and nobody asks it")]
    caller: Caller<Self>,
}

async fn adopted_login(login: AdoptedLogin) -> Result<StatusCode, Problem> {
    match &*login.body.secret {
        "right" => Ok(StatusCode::NO_CONTENT),
        _ => Err(wrong()),
    }
}

/// A server whose requests come from where a proxy says, and the hands of its clock.
struct Bench {
    client: Client,
    clock: Clock,
    signer: Signer,
}

impl Bench {
    async fn start() -> Self {
        Self::with(5, 30).await
    }

    async fn with(of_account: u32, of_network: u32) -> Self {
        let clock = Clock::fixed(now());
        let settings = Settings::new().clock(clock.clone()).failed_attempts(of_account, of_network);
        let settings = settings.trusted_proxies(["127.0.0.1"]).unwrap();
        let signer = Signer::new("k1");
        let keys = JwkSet::from_json(signer.jwks()).expect("a key set");
        let server =
            server(Service).token(Jwt::new(keys)).settings(settings).build().expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        Self { client, clock, signer }
    }

    async fn post(&self, path: &str, from: &str, body: &str) -> Reply {
        let call = self.client.post(path, body);
        call.header("x-forwarded-for", from).header("x-forwarded-proto", "https").send().await
    }

    async fn log_in(&self, from: &str, username: &str, secret: &str) -> Reply {
        self.post("/login", from, &format!(r#"{{"username":"{username}","secret":"{secret}"}}"#)).await
    }
}

fn wait(reply: &Reply) -> u64 {
    reply.refused(429, "rate_limited").header("retry-after").parse().unwrap()
}

#[tokio::test]
async fn guesses_wait_longer_and_longer() {
    let bench = Bench::start().await;
    for _ in 0..5 {
        bench.log_in(ELSEWHERE, "alice", "wrong").await.refused(401, "wrong");
    }
    let first = wait(&bench.log_in(ELSEWHERE, "alice", "wrong").await);
    assert!((12..=14).contains(&first), "{first}");
    wait(&bench.log_in(ELSEWHERE, "alice", "right").await);
    bench.clock.advance(Duration::from_secs(first));
    bench.log_in(ELSEWHERE, "alice", "wrong").await.refused(401, "wrong");
    // those who wait as they are told come to the bucket of the hour, and to that of the day
    let mut longest = first;
    for _ in 0..120 {
        let reply = bench.log_in(ELSEWHERE, "alice", "wrong").await;
        if reply.status == 429 {
            longest = longest.max(wait(&reply));
            bench.clock.advance(Duration::from_secs(wait(&reply)));
        }
    }
    assert!((1700..=1901).contains(&longest), "{longest}");
    bench.clock.advance(Duration::from_secs(longest));
    bench.log_in(ELSEWHERE, "alice", "right").await.allowed(204);
}

#[tokio::test]
async fn a_name_that_nobody_has_is_answered_alike() {
    let bench = Bench::with(2, 100).await;
    let mut answers = Vec::new();
    for name in ["alice", "nobody"] {
        let mut of_name = Vec::new();
        for _ in 0..4 {
            let reply = bench.log_in(ELSEWHERE, name, "wrong").await;
            of_name.push((reply.status, reply.json()["error"]["message"].clone(), reply.headers.len()));
        }
        answers.push(of_name);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].iter().filter(|(status, ..)| *status == 429).count(), 2);
}

#[tokio::test]
async fn an_account_is_counted_across_networks_and_a_network_across_accounts() {
    let bench = Bench::with(2, 4).await;
    for network in 1..=2 {
        bench.log_in(&format!("203.0.113.{network}"), "alice", "wrong").await.refused(401, "wrong");
    }
    wait(&bench.log_in("203.0.113.3", "alice", "right").await);
    bench.log_in("203.0.113.3", "bob", "right").await.allowed(204);
    for name in ["carol", "dave", "erin", "frank"] {
        bench.log_in(ELSEWHERE, name, "wrong").await.refused(401, "wrong");
    }
    wait(&bench.log_in(ELSEWHERE, "grace", "right").await);
    bench.log_in(HOME, "grace", "right").await.allowed(204);
}

#[tokio::test]
async fn strangers_do_not_lock_out_whose_account_it_is() {
    let bench = Bench::with(2, 4).await;
    bench.log_in(HOME, "alice", "right").await.allowed(204);
    for _ in 0..2 {
        bench.log_in(ELSEWHERE, "alice", "wrong").await.refused(401, "wrong");
    }
    wait(&bench.log_in(ELSEWHERE, "alice", "right").await);
    wait(&bench.log_in("203.0.113.1", "alice", "right").await);
    for _ in 0..9 {
        bench.log_in(HOME, "alice", "right").await.allowed(204);
    }
    // nor does who sits in the same network, and guesses at others
    for name in ["carol", "dave", "erin", "frank"] {
        bench.log_in(HOME, name, "wrong").await.refused(401, "wrong");
    }
    wait(&bench.log_in(HOME, "grace", "wrong").await);
    bench.log_in(HOME, "alice", "right").await.allowed(204);
    // who guesses at her there finds a door of its own
    for _ in 0..2 {
        bench.log_in(HOME, "alice", "wrong").await.refused(401, "wrong");
    }
    wait(&bench.log_in(HOME, "alice", "wrong").await);
}

#[tokio::test]
async fn every_spelling_of_a_name_is_one_account_and_a_network_is_known_for_one_alone() {
    let bench = Bench::with(2, 100).await;
    bench.log_in(HOME, "ALICE", "right").await.allowed(204);
    bench.log_in(ELSEWHERE, "alice", "wrong").await.refused(401, "wrong");
    bench.log_in(ELSEWHERE, " \\u0041lice\\t", "wrong").await.refused(401, "wrong");
    wait(&bench.log_in(ELSEWHERE, "aLICE", "wrong").await);
    // whose account `ALICE` is may be another
    wait(&bench.log_in(HOME, "alice", "wrong").await);
    bench.log_in(HOME, "ALICE", "right").await.allowed(204);
}

#[tokio::test]
async fn what_succeeds_is_given_back_and_all_else_stays_charged() {
    for good in ["right", "elsewhere"] {
        let bench = Bench::with(1, 1).await;
        for _ in 0..4 {
            assert!(bench.log_in(HOME, "alice", good).await.status.as_u16() < 400, "{good}");
        }
    }
    for (bad, status) in
        [("wrong", 401), ("declared", 401), ("closed", 403), ("down", 500), ("crash", 500), ("slow", 504)]
    {
        let bench = Bench::with(1, 9).await;
        bench.log_in(HOME, "alice", bad).await.allowed(status);
        wait(&bench.log_in(HOME, "alice", "right").await);
    }
    // what no handler saw is no attempt
    let bench = Bench::with(1, 1).await;
    for body in ["{", r#"{"username":"alice"}"#, r#"{"username":7,"secret":"right"}"#] {
        let reply = bench.post("/login", HOME, body).await;
        assert!(matches!(reply.status.as_u16(), 400 | 422), "{body}");
    }
    bench.log_in(HOME, "alice", "right").await.allowed(204);
}

#[tokio::test]
async fn who_does_not_wait_for_the_answer_has_used_the_attempt() {
    let bench = Bench::with(1, 9).await;
    let leaving = bench.log_in(HOME, "alice", "thoughtful");
    assert!(tokio::time::timeout(Duration::from_millis(150), leaving).await.is_err());
    tokio::time::sleep(Duration::from_millis(400)).await; // the handler is done, too late for who has left
    wait(&bench.log_in(HOME, "alice", "right").await);
    let bench = Bench::with(1, 9).await;
    bench.log_in(HOME, "alice", "thoughtful").await.allowed(204);
    bench.log_in(HOME, "alice", "right").await.allowed(204);
}

#[tokio::test]
async fn guesses_at_once_are_as_many_as_guesses_in_turn() {
    let bench = Bench::start().await;
    let replies = join_all((0..20).map(|_| bench.log_in(ELSEWHERE, "alice", "wrong"))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 5);
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 15);
}

#[tokio::test]
async fn a_limit_on_failures_may_stand_beside_it_and_each_refuses_for_itself() {
    for (of_account, passed) in [(9, 3), (2, 2)] {
        let bench = Bench::with(of_account, 30).await;
        let body = |secret: &str| format!(r#"{{"username":"alice","secret":"{secret}"}}"#);
        for _ in 0..5 {
            bench.post("/other-door", HOME, &body("right")).await.allowed(204);
        }
        for _ in 0..passed {
            bench.post("/other-door", HOME, &body("wrong")).await.refused(401, "wrong");
        }
        wait(&bench.post("/other-door", HOME, &body("right")).await);
    }
}

/// A client decides when its body comes; when its head came says nothing of that.
#[tokio::test]
async fn guesses_are_counted_when_their_bodies_come() {
    let bench = Bench::start().await;
    let body = r#"{"username":"alice","secret":"wrong"}"#;
    let head = "POST /login HTTP/1.1\r\nhost: test\r\nconnection: close\r\nx-forwarded-proto: https\r\n\
                x-forwarded-for: 198.51.100.9\r\ncontent-type: application/json\r\ncontent-length:";
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = tokio::net::TcpStream::connect(bench.client.0).await.unwrap();
        stream.write_all(format!("{head} {}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
        streams.push(stream);
        tokio::time::sleep(Duration::from_millis(25)).await; // its head is read
        bench.clock.advance(Duration::from_secs(12)); // in which one comes back
    }
    let mut statuses = Vec::new();
    for mut stream in streams {
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        statuses.push(answer.get(9..12).unwrap_or_default().to_owned());
    }
    assert_eq!(statuses.iter().filter(|status| *status == "401").count(), 5, "{statuses:?}");
}

#[tokio::test]
async fn all_logins_of_a_document_count_together() {
    let bench = Bench::with(2, 100).await;
    let body = |secret: &str| format!(r#"{{"username":"alice","secret":"{secret}"}}"#);
    bench.post("/login", ELSEWHERE, &body("wrong")).await.refused(401, "wrong");
    bench.post("/other-door", ELSEWHERE, &body("wrong")).await.refused(401, "wrong");
    wait(&bench.post("/other-door", ELSEWHERE, &body("right")).await);
    wait(&bench.post("/login", ELSEWHERE, &body("right")).await);
    // as does one behind a credential, which is asked for first
    bench.post("/confirm", ELSEWHERE, &body("right")).await.refused(401, "unauthenticated");
    let confirm = |name: &str| {
        let body = format!(r#"{{"username":"{name}","secret":"right"}}"#);
        let call = bench.client.post("/confirm", &body).token(&bench.signer.token("alice", ""));
        call.header("x-forwarded-for", ELSEWHERE).header("x-forwarded-proto", "https").send()
    };
    let refused = confirm("alice").await;
    wait(&refused);
    assert!(refused.headers.get("www-authenticate").is_none(), "the token is good");
    confirm("bob").await.allowed(204);
}

#[tokio::test]
async fn a_login_that_is_adopted_counts_alike() {
    let keys = JwkSet::from_json(Signer::new("k1").jwks()).expect("a key set");
    let gate = Gate::builder().bearer("token", Jwt::new(keys)).operation::<AdoptedLogin>();
    let gate = gate.settings(Settings::new().failed_attempts(2, 9)).build().expect("a whole gate");
    let route = axum::routing::post(adopted_login);
    let app = axum::Router::new().route(AdoptedLogin::PATH, route).layer(gate.layer()).with_state(gate);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let log_in = |name: &str, secret: &str| {
        client.post("/other-door", &format!(r#"{{"username":"{name}","secret":"{secret}"}}"#)).send()
    };
    for _ in 0..4 {
        log_in("bob", "right").await.allowed(204);
    }
    for _ in 0..2 {
        log_in("alice", "wrong").await.refused(401, "wrong");
    }
    wait(&log_in("alice", "right").await);
    log_in("bob", "right").await.allowed(204);
}

#[tokio::test]
async fn a_login_by_a_form_counts_alike() {
    let log_in = async |bench: &Bench, body: &str| {
        let call =
            bench.client.call("POST", "/form").header("content-type", "application/x-www-form-urlencoded");
        let call = call.header("x-forwarded-for", ELSEWHERE).header("x-forwarded-proto", "https");
        call.body(body).send().await
    };
    let bench = Bench::with(2, 100).await;
    for _ in 0..4 {
        log_in(&bench, "username=bob&secret=right").await.allowed(204);
    }
    log_in(&bench, "username=alice&secret=wrong").await.refused(401, "wrong");
    log_in(&bench, "secret=wrong&user%6Eame=+%41lice").await.refused(401, "wrong");
    wait(&log_in(&bench, "username=alice&secret=right").await);
    wait(&bench.log_in(ELSEWHERE, "alice", "right").await);
    log_in(&bench, "username=bob&secret=right").await.allowed(204);
    // who is two is refused before anybody counts
    for body in ["username=carol&username=alice&secret=right", "username=%ff&secret=right", "secret=right"] {
        let reply = log_in(&bench, body).await;
        assert!(matches!(reply.status.as_u16(), 400 | 422), "{body}: {}", reply.status);
    }
    // and so does a limit that counts by a member of it
    let bench = Bench::with(9, 100).await;
    for _ in 0..3 {
        log_in(&bench, "username=alice&secret=wrong").await.refused(401, "wrong");
    }
    wait(&log_in(&bench, "username=alice&secret=right").await);
    log_in(&bench, "username=bob&secret=right").await.allowed(204);
}

#[tokio::test]
async fn who_names_no_account_counts_for_the_network() {
    let bench = Bench::with(1, 3).await;
    for _ in 0..3 {
        bench.post("/code", ELSEWHERE, r#"{"code":"wrong"}"#).await.refused(401, "wrong");
    }
    wait(&bench.post("/code", ELSEWHERE, r#"{"code":"right"}"#).await);
    bench.post("/code", HOME, r#"{"code":"right"}"#).await.allowed(204);
    bench.post("/code", HOME, r#"{"code":"wrong","username":"alice"}"#).await.refused(401, "wrong");
    wait(&bench.post("/code", HOME, r#"{"code":"right","username":"alice"}"#).await);
    bench.post("/code", HOME, r#"{"code":"right"}"#).await.allowed(204);
}

#[tokio::test]
async fn events_tell_of_the_account_that_fails_closes_and_is_refused() {
    events::collect();
    let bench = Bench::with(2, 100).await;
    let from = "203.0.113.77";
    let told = |event_type: &str| {
        let of_here = events::with("source_ip", from).into_iter();
        of_here.filter(|event| event["event_type"] == event_type).collect::<Vec<_>>()
    };
    bench.log_in(from, "alice", "right").await.allowed(204);
    assert!(told("authn_login_fail").is_empty());
    bench.log_in("203.0.113.78", "alice", "declared").await.allowed(401);
    bench.log_in(from, "bob", "wrong").await;
    assert_eq!(told("authn_login_fail_max").len(), 0);
    bench.log_in(from, " Bob", "declared").await;
    let failed = told("authn_login_fail");
    assert_eq!(failed.len(), 2);
    assert!(
        told("business_refused").is_empty(),
        "one event, whether the handler answers or returns a problem"
    );
    for event in &failed {
        assert_eq!((&*event["operation_id"], &*event["status"]), ("logIn", "401"), "{event:?}");
        assert_eq!((&*event["severity"], &*event["endpoint"]), ("Medium", "POST /login"));
    }
    assert!(failed.iter().all(|event| event["account"] == failed[0]["account"]), "one account");
    assert!(failed[0]["account"].starts_with("urn:palisade:login#"), "{failed:?}");
    let closed = told("authn_login_fail_max").pop().expect("it has closed");
    assert_eq!((&*closed["severity"], &*closed["limit"]), ("High", "failed attempts of an account (minute)"));
    assert_eq!(closed["account"], failed[0]["account"]);
    let refused = bench.log_in(from, "bob", "right").await;
    let event = events::of(refused.header("x-request-id"));
    assert_eq!((&*event["event_type"], &*event["severity"]), ("authn_login_fail_max", "Medium"));
    assert_eq!(event["operation_id"], "logIn");
}
