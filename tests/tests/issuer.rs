//! Tokens that we issue, over sockets: the doors that they open, the endpoints that renew and revoke them, and a clock that the
//! tests move.
#![deny(warnings)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use palisade::issuer::{Client as OurClient, Clients, IssuerBuilder, IssuerKeys, SignIn, Tokens};
use palisade::state::{self, Engine, Expected, Key, Next, Record, StateError, Swapped};
use palisade::{
    Caller, Clock, Denylist, Issuer, JwkSet, Jwks, Jwt, Problem, Secret, Settings, State, StoreFuture,
};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/issuer.rs"));
}

use api::*;

/// What the page on issuing shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    mod opening {
        use palisade::issuer::{IssuerError, IssuerKeys};
        use palisade::{Denylist, Issuer, State};

        async fn issuer(state: State, keys: IssuerKeys, denylist: Denylist) -> Result<Issuer, IssuerError> {
            Issuer::builder("https://id.example.com", "bank-api", state, keys).denylist(denylist).open().await
        }
    }

    mod signing_in {
        use palisade::Issuer;
        use palisade::issuer::{IssuerError, SignIn, Tokens};

        async fn tokens(issuer: &Issuer, subject: &str) -> Result<Tokens, IssuerError> {
            issuer.sign_in(&SignIn::new(subject, "app").scopes(["accounts:read"])).await
        }
    }

    mod mounting {
        use palisade::issuer::{Client, ClientError, Clients};

        fn endpoints(issuer: &palisade::Issuer, hash: [u8; 32]) -> Result<axum::Router, ClientError> {
            let app = Client::public("app");
            let reports = Client::confidential("reports", hash).for_itself(["accounts:read"]);
            Ok(issuer.router(Clients::new([app, reports])?))
        }
    }
}

const START: u64 = 1_800_000_000;

/// The doors, which know the issuer to sign people out.
struct Service {
    issuer: Issuer,
}

fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> String {
    caller.identity().map(|principal| principal.subject().to_owned()).unwrap()
}

impl Doors for Service {
    async fn get_me(&self, caller: Caller<GetMe>, _: GetMeInput) -> Result<GetMeOutput, Problem> {
        Ok(GetMeOutput::Ok(who(&caller)))
    }

    async fn put_me(&self, caller: Caller<PutMe>, _: PutMeInput) -> Result<PutMeOutput, Problem> {
        Ok(PutMeOutput::Ok(who(&caller)))
    }

    async fn log_out(&self, caller: Caller<LogOut>, input: LogOutInput) -> Result<LogOutOutput, Problem> {
        let principal = caller.principal();
        let ended = match (input.everywhere, self.issuer.family_of(principal)) {
            (true, _) => self.issuer.revoke_all(principal.subject()).await,
            (false, Some(family)) => self.issuer.sign_out(family).await,
            (false, None) => Ok(()),
        };
        ended.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(LogOutOutput::NoContent)
    }

    async fn get_strong(
        &self,
        caller: Caller<GetStrong>,
        _: GetStrongInput,
    ) -> Result<GetStrongOutput, Problem> {
        Ok(GetStrongOutput::Ok(who(&caller)))
    }

    async fn get_elsewhere(
        &self,
        caller: Caller<GetElsewhere>,
        _: GetElsewhereInput,
    ) -> Result<GetElsewhereOutput, Problem> {
        Ok(GetElsewhereOutput::Ok(who(&caller)))
    }
}

/// A state that fails when it is told to.
struct Faulty {
    inner: State,
    fault: Arc<AtomicU8>,
}

const WELL: u8 = 0;
/// Nothing is done.
const DOWN: u8 = 1;
/// A change is made, and its answer is lost.
const LOSES_ANSWERS: u8 = 2;

impl Engine for Faulty {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(async move {
            match self.fault.load(Ordering::SeqCst) {
                DOWN => Err(StateError::Late),
                _ => self.inner.get(key).await,
            }
        })
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            match self.fault.load(Ordering::SeqCst) {
                DOWN => Err(StateError::Late),
                LOSES_ANSWERS => {
                    self.inner.swap(key, expected, next).await?;
                    Err(StateError::Late)
                }
                _ => self.inner.swap(key, expected, next).await,
            }
        })
    }
}

const KEYS: &str = "a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

/// An issuer, its endpoints, and a server that takes its tokens.
struct Bench {
    doors: Client,
    desk: Client,
    issuer: Issuer,
    clock: Clock,
    state: State,
    fault: Arc<AtomicU8>,
    denylist: Denylist,
    base: String,
    secret: String,
    /// The keys of the scheme `discovered`.
    elsewhere: Jwks,
}

impl Bench {
    async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(change: impl FnOnce(IssuerBuilder) -> IssuerBuilder) -> Self {
        events::collect();
        let clock = Clock::fixed(START);
        let fault = Arc::new(AtomicU8::new(WELL));
        let inner = State::memory_of(10_000, clock.clone());
        let state = State::new(Faulty { inner, fault: Arc::clone(&fault) });
        let denylist = Denylist::in_memory().clock(clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let desk = listener.local_addr().unwrap();
        let base = format!("http://{desk}");
        let builder = builder(&base, &state, &clock).denylist(denylist.clone());
        let issuer = change(builder).open().await.unwrap();
        let (secret, hash) = OurClient::new_secret().unwrap();
        let clients = Clients::new([
            OurClient::public("app"),
            OurClient::public("other"),
            OurClient::confidential("back", hash).for_itself(["notes:read", "notes:write"]),
        ]);
        let router = issuer.router(clients.unwrap());
        tokio::spawn(async move { palisade::serve(router).listener(listener).await.unwrap() });
        let elsewhere = Jwks::discover_oauth(&base).unwrap();
        let doors = doors(&issuer, &base, &denylist, &clock, elsewhere.clone()).await;
        let secret = secret.expose().clone();
        Self { doors, desk: Client(desk), issuer, clock, state, fault, denylist, base, secret, elsewhere }
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn sign_in(&self, subject: &str) -> Tokens {
        let sign_in = SignIn::new(subject, "app").scopes(["notes:read", "notes:write"]);
        self.issuer.sign_in(&sign_in).await.unwrap()
    }

    async fn me(&self, token: &str) -> u16 {
        self.doors.get("/me").token(token).send().await.status.as_u16()
    }

    async fn post(&self, path: &str, form: &str) -> Reply {
        let call = self.desk.call("POST", path).header("content-type", "application/x-www-form-urlencoded");
        call.body(form).send().await
    }

    async fn refresh(&self, token: &str) -> Reply {
        self.post("/token", &format!("grant_type=refresh_token&client_id=app&refresh_token={token}")).await
    }
}

fn builder(base: &str, state: &State, clock: &Clock) -> IssuerBuilder {
    let keys = IssuerKeys::from_list(KEYS).unwrap();
    Issuer::builder(base, "gate", state.clone(), keys).clock(clock.clone())
}

async fn doors(issuer: &Issuer, base: &str, denylist: &Denylist, clock: &Clock, elsewhere: Jwks) -> Client {
    let server = server(Service { issuer: issuer.clone() })
        .issued(Jwt::new(issuer.keys()).issuer(base))
        .discovered(Jwt::new(elsewhere).issuer(base))
        .denylist(denylist.clone())
        .settings(Settings::new().clock(clock.clone()))
        .build()
        .unwrap();
    server.ready().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(server).listener(listener).await.unwrap() });
    client
}

fn shown(token: &Secret<String>) -> &str {
    token.expose()
}

fn renewing(tokens: &Tokens) -> String {
    tokens.refresh.as_ref().map(|token| token.expose().clone()).unwrap()
}

/// The two tokens of an answer.
fn pair(reply: &Reply) -> (String, String) {
    let body = reply.allowed(200).json();
    let text = |member: &str| body[member].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status.as_u16(), status, "{:?}", reply.body);
    assert_eq!(reply.json(), json!({ "error": code }));
    assert_eq!(reply.header("cache-control"), "no-store");
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_sign_in_opens_doors_until_it_expires_and_is_renewed() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    let access = shown(&tokens.access);
    assert_eq!(bench.doors.get("/me").token(access).send().await.allowed(200).json(), "alice");
    let elsewhere = bench.doors.get("/elsewhere").token(access).send().await;
    assert_eq!(elsewhere.allowed(200).json(), "alice", "by the keys that the metadata name");
    assert_eq!(bench.me(&renewing(&tokens)).await, 401, "a refresh token is no access token");

    assert_eq!((&part(access, 0)["typ"], &part(access, 0)["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let mut claims = part(access, 1);
    assert_eq!(claims["jti"].take(), format!("{}.1", tokens.family.as_deref().unwrap()));
    let wanted = json!({
        "iss": bench.base, "aud": "gate", "sub": "alice", "client_id": "app", "jti": null,
        "iat": START, "exp": START + 600, "auth_time": START, "scope": "notes:read notes:write",
    });
    assert_eq!(claims, wanted);

    bench.advance(500);
    let reply = bench.refresh(&renewing(&tokens)).await;
    let (second, renewing) = pair(&reply);
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    let body = reply.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(part(&second, 1)["auth_time"], START, "the login was then");
    assert_eq!((bench.me(access).await, bench.me(&second).await), (200, 200));
    bench.advance(200);
    assert_eq!((bench.me(access).await, bench.me(&second).await), (401, 200));
    pair(&bench.refresh(&renewing).await);
}

#[tokio::test]
async fn a_refresh_token_that_was_used_before_ends_its_family_and_no_other() {
    let bench = Bench::start().await;
    let (first, neighbour) = (bench.sign_in("alice").await, bench.sign_in("alice").await);
    let family = first.family.clone().unwrap();
    let mut all = vec![(shown(&first.access).to_owned(), renewing(&first))];
    for _ in 0..5 {
        bench.advance(10);
        let reply = bench.refresh(&all.last().unwrap().1).await;
        all.push(pair(&reply));
    }
    for (access, _) in &all {
        assert_eq!(bench.me(access).await, 200);
    }
    // whoever knows the family, from the access token, cannot end it
    let forged = URL_SAFE_NO_PAD.encode([7; 32]);
    for generation in [0, 1, 5, 6] {
        let text = format!("rt.{family}.{generation}.{forged}");
        refused(&bench.refresh(&text).await, 400, "invalid_grant");
    }
    all.push(pair(&bench.refresh(&all.last().unwrap().1).await));

    refused(&bench.refresh(&all[1].1).await, 400, "invalid_grant");
    let events = events::with("family", &family);
    let event = events.iter().find(|event| event["event_type"] == "authn_token_reuse").unwrap();
    assert_eq!((event["severity"].as_str(), event["client"].as_str()), ("High", "app"));
    assert_eq!(event["target"], "palisade::security");
    assert!(!events::everything().contains(&all[1].1), "no token stands in the log");
    for (access, renewing) in &all {
        refused(&bench.refresh(renewing).await, 400, "invalid_grant");
        assert_eq!(bench.me(access).await, 401);
    }
    assert_eq!(bench.me(shown(&neighbour.access)).await, 200);
    pair(&bench.refresh(&renewing(&neighbour)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_show_one_token_at_once_one_gets_tokens_and_they_are_dead() {
    let bench = Bench::start().await;
    for _ in 0..20 {
        let token = renewing(&bench.sign_in("alice").await);
        let replies = join_all((0..8).map(|_| bench.refresh(&token))).await;
        let (given, others): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.is_success());
        assert_eq!(given.len(), 1);
        others.iter().for_each(|reply| refused(reply, 400, "invalid_grant"));
        let (access, renewing) = pair(given[0]);
        assert_eq!(bench.me(&access).await, 401);
        refused(&bench.refresh(&renewing).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn within_the_grace_the_lost_answer_is_given_again_and_after_it_the_family_ends() {
    let bench = Bench::with(|builder| builder.grace(Duration::from_secs(5))).await;
    let first = renewing(&bench.sign_in("alice").await);
    let (one, second) = pair(&bench.refresh(&first).await);
    bench.advance(4);
    let (other, again) = pair(&bench.refresh(&first).await);
    assert_eq!(second, again, "the same refresh token");
    assert_ne!(part(&one, 1)["jti"], part(&other, 1)["jti"]);
    let as_other = format!("grant_type=refresh_token&client_id=other&refresh_token={first}");
    refused(&bench.post("/token", &as_other).await, 400, "invalid_grant");
    assert_eq!((bench.me(&one).await, bench.me(&other).await), (200, 200));
    bench.advance(1);
    refused(&bench.refresh(&first).await, 400, "invalid_grant");
    refused(&bench.refresh(&second).await, 400, "invalid_grant");
    assert_eq!((bench.me(&one).await, bench.me(&other).await), (401, 401));
}

#[tokio::test]
async fn a_renewal_may_ask_for_less_and_never_for_more() {
    let bench = Bench::start().await;
    let sign_in = SignIn::new("alice", "app").scopes(["notes:read"]);
    let poor = renewing(&bench.issuer.sign_in(&sign_in).await.unwrap());
    let asks = |token: &str, scope: &str| {
        format!("grant_type=refresh_token&client_id=app&refresh_token={token}&scope={scope}")
    };
    for more in ["notes:write", "notes:read+notes:write", "notes:read++x", "%22"] {
        refused(&bench.post("/token", &asks(&poor, more)).await, 400, "invalid_scope");
    }
    pair(&bench.refresh(&poor).await);

    let rich = renewing(&bench.sign_in("alice").await);
    let reply = bench.post("/token", &asks(&rich, "notes:read")).await;
    assert_eq!(reply.json()["scope"], "notes:read");
    let (access, next) = pair(&reply);
    let put = |token: String| async move {
        let call = Client(bench.doors.0).call("PUT", "/me").token(&token);
        call.send().await.status.as_u16()
    };
    assert_eq!(put(access).await, 403);
    let bench = Client(bench.desk.0);
    let form = format!("grant_type=refresh_token&client_id=app&refresh_token={next}");
    let call = bench.call("POST", "/token").header("content-type", "application/x-www-form-urlencoded");
    let (access, _) = pair(&call.body(form).send().await);
    assert_eq!(put(access).await, 200, "the family keeps what was granted");
}

#[tokio::test]
async fn a_family_ends_when_it_is_idle_and_when_its_time_is_over() {
    const HOUR: u64 = 3600;
    let hours = |hours: u64| Duration::from_secs(hours * HOUR);
    let bench = Bench::with(|builder| builder.family_lifetimes(hours(10), hours(2))).await;
    let idle = renewing(&bench.sign_in("alice").await);
    bench.advance(2 * HOUR - 1);
    let (_, idle) = pair(&bench.refresh(&idle).await);
    bench.advance(2 * HOUR);
    refused(&bench.refresh(&idle).await, 400, "invalid_grant");

    let mut busy = renewing(&bench.sign_in("alice").await);
    for _ in 0..9 {
        bench.advance(HOUR);
        busy = pair(&bench.refresh(&busy).await).1;
    }
    bench.advance(HOUR - 1);
    let reply = bench.refresh(&busy).await;
    assert_eq!(reply.allowed(200).json()["expires_in"], 1, "no access token outlives its family");
    bench.advance(1);
    refused(&bench.refresh(&pair(&reply).1).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_client_revokes_its_own_tokens_and_no_others() {
    let bench = Bench::start().await;
    let (one, other) = (bench.sign_in("alice").await, bench.sign_in("alice").await);
    let revoke = |client: &str, token: &str| format!("client_id={client}&token={token}");
    let (access, renews) = (shown(&one.access), renewing(&one));
    for token in [access, &renews] {
        refused(&bench.post("/revoke", &revoke("other", token)).await, 400, "invalid_grant");
        refused(&bench.post("/revoke", &revoke("nobody", token)).await, 401, "invalid_client");
        refused(&bench.post("/revoke", &format!("token={token}")).await, 401, "invalid_client");
        refused(&bench.post("/revoke", &revoke("back", token)).await, 401, "invalid_client");
    }
    assert_eq!(bench.me(access).await, 200);
    let forged = renews.rsplit_once('.').map(|(rest, _)| format!("{rest}.{}", "A".repeat(43))).unwrap();
    for unknown in ["x", "a.b.c", "rt.a.0.b", &forged] {
        bench.post("/revoke", &revoke("app", unknown)).await.allowed(200);
    }
    assert_eq!(bench.me(access).await, 200);

    let (second, renews) = pair(&bench.refresh(&renews).await);
    let reply = bench.post("/revoke", &revoke("app", access)).await;
    assert!(reply.allowed(200).body.is_empty() && reply.header("cache-control") == "no-store");
    assert_eq!((bench.me(access).await, bench.me(&second).await), (401, 200), "this token and no other");
    bench
        .post("/revoke", &format!("{}&token_type_hint=access_token", revoke("app", &renews)))
        .await
        .allowed(200);
    assert_eq!(bench.me(&second).await, 401);
    refused(&bench.refresh(&renews).await, 400, "invalid_grant");
    assert_eq!(bench.me(shown(&other.access)).await, 200);
    pair(&bench.refresh(&renewing(&other)).await);
}

#[tokio::test]
async fn a_logout_ends_one_family_or_all() {
    let bench = Bench::start().await;
    let (one, other, bob) =
        (bench.sign_in("alice").await, bench.sign_in("alice").await, bench.sign_in("bob").await);
    let logout =
        |path: &'static str, token: &Secret<String>| bench.doors.post(path, "").token(token.expose());
    let call = |path, token| logout(path, token).send();
    call("/logout", &one.access).await.allowed(204);
    assert_eq!((bench.me(shown(&one.access)).await, bench.me(shown(&other.access)).await), (401, 200));
    refused(&bench.refresh(&renewing(&one)).await, 400, "invalid_grant");

    call("/logout?everywhere=true", &other.access).await.allowed(204);
    assert_eq!((bench.me(shown(&other.access)).await, bench.me(shown(&bob.access)).await), (401, 200));
    refused(&bench.refresh(&renewing(&other)).await, 400, "invalid_grant");
    pair(&bench.refresh(&renewing(&bob)).await);
    let same_second = bench.sign_in("alice").await;
    assert_eq!(bench.me(shown(&same_second.access)).await, 401, "nobody knows which came first");
    refused(&bench.refresh(&renewing(&same_second)).await, 400, "invalid_grant");
    bench.advance(1);
    let later = bench.sign_in("alice").await;
    assert_eq!(bench.me(shown(&later.access)).await, 200);
    pair(&bench.refresh(&renewing(&later)).await);
}

#[tokio::test]
async fn the_class_and_the_time_of_a_login_are_those_of_the_sign_in() {
    let bench = Bench::start().await;
    let weak = bench.sign_in("alice").await;
    let strong = SignIn::new("alice", "app").class("urn:bank:strong");
    let strong = bench.issuer.sign_in(&strong).await.unwrap();
    let at = |token: String| bench.doors.get("/strong").token(&token);
    at(shown(&weak.access).to_owned()).send().await.refused(401, "insufficient_user_authentication");
    bench.advance(200);
    let (access, next) = pair(&bench.refresh(&renewing(&strong)).await);
    at(access).send().await.allowed(200);
    bench.advance(200);
    let (access, _) = pair(&bench.refresh(&next).await);
    at(access).send().await.refused(401, "insufficient_user_authentication");
}

#[tokio::test]
async fn while_keys_are_rotated_no_good_token_is_refused() {
    const STEP: u64 = 300;
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let rotated = |builder: IssuerBuilder| builder.rotation(hours(3), hours(1));
    let bench = Bench::with(rotated).await;
    // another instance, and a verifier that reads the published keys once an hour
    let second = rotated(builder(&bench.base, &bench.state, &bench.clock)).open().await.unwrap();
    let hourly = Jwks::from(JwkSet::from_json(&bench.issuer.jwks().await).unwrap());
    let doors = doors(&bench.issuer, &bench.base, &bench.denylist, &bench.clock, hourly.clone()).await;
    let (mut live, mut kids) = (VecDeque::new(), Vec::new());
    for step in 0..150 {
        if step % 12 == 11 {
            let published = bench.desk.get("/jwks").send().await;
            assert_eq!(published.header("content-type"), "application/jwk-set+json");
            assert!(published.allowed(200).json()["keys"].as_array().unwrap().len() <= 2);
            hourly.replace(JwkSet::from_json(std::str::from_utf8(&published.body).unwrap()).unwrap());
        }
        let issuer = if step % 2 == 0 { &bench.issuer } else { &second };
        let sign_in = SignIn::new("alice", "app").scopes(["notes:read"]);
        let token = shown(&issuer.sign_in(&sign_in).await.unwrap().access).to_owned();
        let kid = part(&token, 0)["kid"].as_str().unwrap().to_owned();
        if kids.last() != Some(&kid) {
            kids.push(kid);
        }
        live.push_back(token);
        if live.len() > 2 {
            live.pop_front();
        }
        let calls =
            live.iter().flat_map(|token| ["/me", "/elsewhere"].map(|path| doors.get(path).token(token)));
        for reply in join_all(calls.map(|call| call.send())).await {
            reply.allowed(200);
        }
        bench.advance(STEP);
    }
    assert_eq!(kids.len(), 5, "the first key and four after it signed: {kids:?}");
    let published = bench.issuer.jwks().await;
    assert!(!published.contains(&kids[0]) && published.contains(&kids[4]));
}

#[tokio::test]
async fn while_the_state_fails_nothing_is_issued_and_a_lost_answer_means_signing_in_again() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    bench.fault.store(DOWN, Ordering::SeqCst);
    let reply = bench.refresh(&renewing(&tokens)).await;
    refused(&reply, 503, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), "1");
    let form = format!("client_id=app&token={}", renewing(&tokens));
    refused(&bench.post("/revoke", &form).await, 503, "temporarily_unavailable");
    assert!(bench.issuer.sign_in(&SignIn::new("alice", "app")).await.is_err());
    assert!(bench.issuer.revoke_all("alice").await.is_err());
    bench.desk.get("/jwks").send().await.allowed(200);
    assert_eq!(bench.me(shown(&tokens.access)).await, 200);
    bench.advance(31);
    assert!(bench.issuer.client_token("back", "").await.is_err(), "nobody signs by keys that are old");
    bench.fault.store(WELL, Ordering::SeqCst);
    let (_, next) = pair(&bench.refresh(&renewing(&tokens)).await);

    bench.fault.store(LOSES_ANSWERS, Ordering::SeqCst);
    refused(&bench.refresh(&next).await, 503, "temporarily_unavailable");
    bench.fault.store(WELL, Ordering::SeqCst);
    refused(&bench.refresh(&next).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_client_with_a_secret_asks_for_itself_and_a_public_one_does_not() {
    let bench = Bench::start().await;
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("back:{secret}")));
    let call = |authorization: String, form: &str| {
        let call = bench.desk.call("POST", "/token").header("authorization", &authorization);
        call.header("content-type", "application/x-www-form-urlencoded").body(form).send()
    };
    let reply = call(basic(&bench.secret), "grant_type=client_credentials&scope=notes:read").await;
    let body = reply.allowed(200).json();
    assert_eq!(body["refresh_token"], Value::Null);
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        (part(token, 1)["sub"].as_str(), part(token, 1)["client_id"].as_str()),
        (Some("back"), Some("back"))
    );
    assert_eq!(bench.doors.get("/me").token(token).send().await.allowed(200).json(), "back");
    let reply = call(basic(&bench.secret), "grant_type=client_credentials&scope=notes:admin").await;
    refused(&reply, 400, "invalid_scope");
    let reply = call(basic("wrong"), "grant_type=client_credentials").await;
    refused(&reply, 401, "invalid_client");
    assert!(reply.header("www-authenticate").starts_with("Basic "));
    let both = format!("grant_type=client_credentials&client_id=back&client_secret={}", bench.secret);
    bench.post("/token", &both).await.allowed(200);
    refused(&call(basic(&bench.secret), &both).await, 400, "invalid_request");
    let other = call(basic(&bench.secret), "grant_type=client_credentials&client_id=app").await;
    refused(&other, 400, "invalid_request");
    let public = bench.post("/token", "grant_type=client_credentials&client_id=app").await;
    refused(&public, 400, "unauthorized_client");
    let public = bench.post("/token", "grant_type=client_credentials&client_id=app&client_secret=x").await;
    refused(&public, 401, "invalid_client");
    let named = bench.post("/token", "grant_type=client_credentials&client_id=back").await;
    refused(&named, 401, "invalid_client");
}

#[tokio::test]
async fn what_is_posted_is_a_form_and_says_each_thing_once() {
    let bench = Bench::start().await;
    let token = renewing(&bench.sign_in("alice").await);
    let good = format!("grant_type=refresh_token&client_id=app&refresh_token={token}");
    for bad in [
        String::new(),
        format!("{good}&client_id=app"),
        format!("{good}&x=1&x=1"),
        format!("{good}&%63lient_id=other"),
        format!("{good}&pad={}", "x".repeat(16 * 1024)),
        format!("{good}&x=%ff"),
        "grant_type=refresh_token&client_id=app".to_owned(),
        format!("client_id=app&refresh_token={token}"),
    ] {
        let reply = bench.post("/token", &bad).await;
        let unnamed = bad.is_empty();
        refused(
            &reply,
            if unnamed { 401 } else { 400 },
            if unnamed { "invalid_client" } else { "invalid_request" },
        );
    }
    let json = bench.desk.post("/token", &good).send().await;
    refused(&json, 400, "invalid_request");
    let password = bench.post("/token", "grant_type=password&client_id=app").await;
    refused(&password, 400, "unsupported_grant_type");
    assert_eq!(bench.desk.get(&format!("/token?{good}")).send().await.status, 405);
    let in_query = bench.post(&format!("/token?{good}"), "client_id=app&grant_type=refresh_token").await;
    refused(&in_query, 400, "invalid_request");
    pair(&bench.post("/token", &format!("{good}&unknown=1&scope=")).await);
}

#[tokio::test]
async fn the_metadata_say_where_everything_is() {
    let bench = Bench::start().await;
    let reply = bench.desk.get("/.well-known/oauth-authorization-server").send().await;
    let metadata = reply.allowed(200).json();
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(metadata["issuer"], bench.base);
    for (member, path) in
        [("token_endpoint", "/token"), ("revocation_endpoint", "/revoke"), ("jwks_uri", "/jwks")]
    {
        assert_eq!(metadata[member], format!("{}{path}", bench.base));
    }
    let keys = bench.desk.get("/jwks").send().await.json();
    let key = &keys["keys"][0];
    assert!(key["x"].is_string() && key.get("d").is_none() && key["use"] == "sig");
    drop(bench.elsewhere);
    // an issuer with a path has its metadata before it (RFC 8414 section 3.1)
    let keys = IssuerKeys::generate().unwrap();
    let tenant = Issuer::builder("https://id.example.com/tenant", "api", State::memory(), keys);
    let router = tenant.open().await.unwrap().router(Clients::new([]).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(router).listener(listener).await.unwrap() });
    client.get("/.well-known/oauth-authorization-server/tenant").send().await.allowed(200);
    client.get("/tenant/jwks").send().await.allowed(200);
    assert_eq!(client.get("/jwks").send().await.status, 404);
}

#[tokio::test]
async fn what_is_kept_shows_no_token_and_opens_nothing_when_it_is_changed() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    let (family, token) = (tokens.family.clone().unwrap(), renewing(&tokens));
    let key = Key::new(state::Kind::Family, &[b"family", bench.base.as_bytes(), family.as_bytes()]);
    let record = bench.state.get(key).await.unwrap().unwrap();
    let text = String::from_utf8(record.value).unwrap();
    assert!(text.contains("notes:read notes:write") && !text.contains(token.rsplit('.').next().unwrap()));
    let change = |text: String, version| {
        let next = Next::Record { value: text.into_bytes(), keep: Duration::from_secs(900) };
        bench.state.swap(key, Expected::Version(version), next)
    };
    for (from, to) in [("\"alice\"", "\"admin\""), ("notes:read notes", "notes:read admin notes")] {
        let version = bench.state.get(key).await.unwrap().unwrap().version;
        assert!(text.contains(from));
        change(text.replacen(from, to, 1), version).await.unwrap();
        refused(&bench.refresh(&token).await, 400, "invalid_grant");
    }
    let version = bench.state.get(key).await.unwrap().unwrap().version;
    change(text, version).await.unwrap();
    pair(&bench.refresh(&token).await);
}
