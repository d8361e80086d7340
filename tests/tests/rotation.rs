//! An issuer that changes its keys again and again under a server that is called all the time: over sockets, in a time that stands
//! still but for what the test moves it by, so that hours of it take seconds.
//!
//! The issuer keeps the bound that the page on authentication states: a key is published for its `max-age`, an outage and a
//! minute before it signs. Its key source is away whenever a key begins to sign, so that nobody learns of it then.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use palisade::{Caller, Clock, Jwks, Jwt, Problem, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::tokens::{Signer, claims, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

mod api {
    include!(concat!(env!("OUT_DIR"), "/rotation.rs"));
}

use api::*;

/// All in seconds. Verifiers keep what they fetched for nine tenths of it.
const MAX_AGE: u64 = 100;
const OUTAGE: u64 = 40;
/// How long a key is published before it signs.
const AHEAD: u64 = MAX_AGE + OUTAGE + 60;
/// How long each key signs.
const TURN: u64 = 150;
/// How long a token is good, and the leeway of its verifier. After both its key is withdrawn.
const TOKEN: u64 = 60;
const LEEWAY: u64 = 30;
const TURNS: u64 = 8;
const STEP: u64 = 4;
/// When the first key begins to sign.
const START: u64 = 1_800_000_000;

/// What the key source answers while it is away.
const FAULTS: [&str; 5] = ["", "hang", "{\"keys\":[]}", "no JSON", "{\"keys\":"];

struct Service;

impl Doors for Service {
    async fn who_am_i(&self, caller: Caller<WhoAmI>, _: WhoAmIInput) -> Result<WhoAmIOutput, Problem> {
        Ok(WhoAmIOutput::Ok(caller.principal().subject().to_owned()))
    }
}

/// An issuer whose keys have their times, by a clock that the test moves.
struct Issuer {
    clock: Clock,
    /// Of each turn, made when they are asked for.
    signers: Mutex<Vec<Signer>>,
    asked: AtomicUsize,
}

impl Issuer {
    fn seconds(&self) -> u64 {
        self.clock.now().unwrap().unix() - START
    }

    fn turn(&self) -> u64 {
        self.seconds() / TURN
    }

    fn signer(&self, turn: u64) -> Signer {
        let mut signers = self.signers.lock().unwrap();
        while signers.len() as u64 <= turn {
            let kid = kid(signers.len() as u64);
            signers.push(Signer::new(&kid));
        }
        signers[turn as usize].clone()
    }

    /// A token of the key of a turn, made now.
    fn token(&self, turn: u64, kid: &str, lifetime: u64) -> String {
        let now = START + self.seconds();
        let mut claims = claims("alice", "");
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + lifetime);
        self.signer(turn).sign(&header(kid), &claims)
    }

    fn expired(&self) -> String {
        let mut claims = claims("alice", "");
        claims["iat"] = json!(START - 3600);
        claims["exp"] = json!(START - 1800);
        self.signer(0).sign(&header(&kid(0)), &claims)
    }

    /// What is published: keys that sign, that will, and that did as long as a token of theirs is good.
    fn published(&self) -> String {
        let now = self.seconds();
        let withdrawn = |turn: u64| (turn + 1) * TURN + TOKEN + LEEWAY;
        let turns = (0..=(now + AHEAD) / TURN).filter(|turn| now < withdrawn(*turn));
        let keys = turns.map(|turn| {
            let set: Value = serde_json::from_str(self.signer(turn).jwks()).unwrap();
            set["keys"][0].clone()
        });
        json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
    }

    /// The fault of now: around the moment in which a key begins to sign, another each time.
    fn fault(&self) -> Option<&'static str> {
        let (turn, at) = ((self.seconds() + 10) / TURN, (self.seconds() + 10) % TURN);
        (turn > 0 && at < OUTAGE).then(|| FAULTS[turn as usize % FAULTS.len()])
    }

    async fn answer(State(issuer): State<Arc<Self>>) -> Response {
        issuer.asked.fetch_add(1, Ordering::SeqCst);
        let answer = Response::builder().header("cache-control", format!("max-age={MAX_AGE}"));
        match issuer.fault() {
            None => answer.body(Body::from(issuer.published())).unwrap(),
            Some("") => answer.status(500).body(Body::empty()).unwrap(),
            Some("hang") => std::future::pending().await,
            Some(text) => answer.body(Body::from(text)).unwrap(),
        }
    }
}

fn kid(turn: u64) -> String {
    format!("key-{turn}")
}

/// The server, and who calls it.
struct Bench {
    client: Client,
    issuer: Arc<Issuer>,
    clock: Clock,
    /// How many steps the time has gone.
    steps: watch::Sender<u64>,
    over: AtomicBool,
    accepted: AtomicU64,
}

impl Bench {
    async fn start() -> Arc<Self> {
        let clock = Clock::fixed(START);
        let issuer = Issuer { clock: clock.clone(), signers: Mutex::default(), asked: AtomicUsize::new(0) };
        let issuer = Arc::new(issuer);
        let router = Router::new().route("/keys", get(Issuer::answer)).with_state(Arc::clone(&issuer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let keys = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let settings = Settings::new().clock(clock.clone()).trusted_proxies(["127.0.0.1"]).unwrap();
        let server = server(Service).signed(Jwt::new(Jwks::url(&keys).unwrap())).settings(settings);
        let server = server.build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        server.ready().await.unwrap();
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.unwrap() });
        let (steps, over, accepted) = (watch::Sender::new(0), AtomicBool::new(false), AtomicU64::new(0));
        Arc::new(Self { client, issuer, clock, steps, over, accepted })
    }

    async fn get(&self, token: &str) -> Reply {
        self.get_from("198.51.100.1", token).await
    }

    async fn get_from(&self, address: &str, token: &str) -> Reply {
        let call = self.client.get("/me").header("x-forwarded-for", address);
        call.header("x-forwarded-proto", "https").token(token).send().await
    }

    /// Calls all the time with tokens of the key that signs, some of them fresh and some about to expire.
    async fn calls(&self, done: watch::Sender<u64>) {
        let mut kept = self.issuer.token(0, &kid(0), TOKEN);
        let mut made = self.issuer.seconds();
        while !self.over.load(Ordering::SeqCst) {
            let now = self.issuer.seconds();
            if now >= made + TOKEN {
                (kept, made) = (self.issuer.token(self.issuer.turn(), &kid(self.issuer.turn()), TOKEN), now);
            }
            let fresh = self.issuer.token(self.issuer.turn(), &kid(self.issuer.turn()), TOKEN);
            for token in [&kept, &fresh] {
                let reply = self.get(token).await;
                assert_eq!(reply.status.as_u16(), 200, "second {now}, {:?}", reply.body);
            }
            self.accepted.fetch_add(2, Ordering::SeqCst);
            done.send_replace(*self.steps.borrow());
        }
    }

    /// Makes up keys all the time.
    async fn floods(&self) {
        for number in 0_u64.. {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let token = self.issuer.token(self.issuer.turn(), &format!("made-up-{number}"), TOKEN);
            let status = self.get(&token).await.status.as_u16();
            assert!([401, 429, 503].contains(&status), "{status}");
        }
    }

    /// Lets the time go on by a step, when all who call have called in the one before.
    async fn step(&self, callers: &mut [watch::Receiver<u64>]) {
        tokio::time::advance(Duration::from_secs(STEP)).await;
        self.clock.advance(Duration::from_secs(STEP));
        self.steps.send_modify(|steps| *steps += 1);
        let steps = *self.steps.borrow();
        for caller in callers {
            caller.wait_for(|done| *done == steps).await.expect("a good token was refused");
        }
    }

    /// A key that was withdrawn so long ago that nobody may know it any more verifies nothing; nor does any key what another
    /// has signed.
    async fn what_is_not_good_is_refused(&self) {
        let turn = self.issuer.turn();
        let forged = self.issuer.token(turn + 5, &kid(turn), TOKEN);
        assert_eq!(self.get(&forged).await.status.as_u16(), 401);
        let withdrawn = self.issuer.token(turn - 3, &kid(turn - 3), TOKEN);
        assert_eq!(self.get(&withdrawn).await.status.as_u16(), 401, "the key of turn {}", turn - 3);
    }

    /// Lets the time go on while nobody calls.
    async fn pass(&self, seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// While a thread is busy, the time goes on by what the test says alone; when nothing happens, it ends all the same.
fn stand_still() -> std::sync::mpsc::Sender<()> {
    let (release, busy) = std::sync::mpsc::channel();
    tokio::task::spawn_blocking(move || _ = busy.recv_timeout(Duration::from_secs(60)));
    release
}

async fn rotate(floods: usize) -> Arc<Bench> {
    let release = stand_still();
    let bench = Bench::start().await;
    let mut callers = Vec::new();
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (bench, (done, watched)) = (Arc::clone(&bench), watch::channel(0));
        tasks.push(tokio::spawn(async move { bench.calls(done).await }));
        callers.push(watched);
    }
    for _ in 0..floods {
        let bench = Arc::clone(&bench);
        tasks.push(tokio::spawn(async move { bench.floods().await }));
    }
    while bench.issuer.turn() < TURNS {
        bench.step(&mut callers).await;
        // just before the next key is published, so that it is nothing of it that this fetch brings
        let (turn, at) = (bench.issuer.turn(), bench.issuer.seconds() % TURN);
        if floods == 0 && turn >= 3 && at < 2 * TURN - AHEAD && at + STEP >= 2 * TURN - AHEAD {
            bench.what_is_not_good_is_refused().await;
        }
    }
    bench.over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    drop(release);
    bench
}

#[tokio::test(start_paused = true)]
async fn keys_rotate_under_load_and_no_good_token_is_refused() {
    let bench = rotate(0).await;
    let (accepted, asked) =
        (bench.accepted.load(Ordering::SeqCst), bench.issuer.asked.load(Ordering::SeqCst) as u64);
    assert!(accepted > 4 * TURNS * TURN / STEP, "{accepted}");
    // each 90 s, each minute in an outage, and what the refused tokens of withdrawn keys cause
    assert!(asked < 3 * TURNS, "{asked}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_made_up_keys_makes_nothing_of_it_fail() {
    let bench = rotate(2).await;
    // one for each half minute more
    let asked = bench.issuer.asked.load(Ordering::SeqCst) as u64;
    assert!(asked <= 3 * TURNS + TURNS * TURN / 30 + 3, "{asked}");
}

/// Who made up keys has used up every look at the key source: nobody knows yet whether the token is good.
#[tokio::test(start_paused = true)]
async fn a_key_that_signs_as_soon_as_it_is_published_is_not_called_bad_in_a_flood() {
    let _standing_still = stand_still();
    let bench = Bench::start().await;
    bench.pass(TURN * 2 - AHEAD - 1).await; // the third key is published in a second
    let made_up = |number: u32| bench.issuer.token(0, &format!("made-up-{number}"), TOKEN);
    for number in 0..3 {
        bench.get(&made_up(number)).await.refused(401, "unauthenticated");
    }
    assert_eq!(bench.get(&made_up(3)).await.refused(503, "unavailable").header("retry-after"), "30");
    bench.get(&made_up(2)).await.refused(401, "unauthenticated"); // it was looked for
    bench.pass(1).await;
    let token = bench.issuer.token(2, &kid(2), TOKEN);
    let reply = bench.get(&token).await;
    assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "29");
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"Rotation\"", "nobody calls it bad");
    bench.get(&bench.issuer.token(0, &kid(0), TOKEN)).await.allowed(200);
    bench.pass(29).await;
    bench.get(&made_up(4)).await.refused(401, "unauthenticated");
    bench.get(&token).await.allowed(200);
    bench.get(&made_up(3)).await.refused(401, "unauthenticated"); // it has been looked for since
    assert_eq!(bench.issuer.asked.load(Ordering::SeqCst), 6, "at the start, after a minute, and four times");
}

/// Neither where others have guessed from its network, nor where there are many of it: nobody is counted for it.
#[tokio::test(start_paused = true)]
async fn a_key_that_was_not_sought_is_no_guess_and_the_guesses_of_others_are_not_its_own() {
    events::collect();
    let _standing_still = stand_still();
    let (office, gateway) = ("203.0.113.7", "203.0.113.8");
    let bench = Bench::start().await;
    bench.pass(MAX_AGE).await; // tokens may cause three looks
    let token = |turn: u64, kid: &str, number: u64| bench.issuer.token(turn, kid, TOKEN + number);
    for number in 0..3 {
        bench.get(&token(0, &format!("made-up-{number}"), 0)).await.refused(401, "unauthenticated");
    }
    for number in 0..30 {
        bench.get_from(office, &token(1, &kid(0), number)).await.refused(401, "unauthenticated");
    }
    let (forged, expired) = (token(1, &kid(0), 30), bench.issuer.expired());
    bench.get_from(office, &forged).await.refused(429, "rate_limited");
    let new = async |from: &str, number: u64| {
        let reply = bench.get_from(from, &token(9, &kid(9), number)).await;
        assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "30", "{number}");
    };
    new(office, 0).await;
    for number in 0..310 {
        new(gateway, number).await;
    }
    bench.get_from(gateway, &expired).await.refused(401, "unauthenticated");
    bench.get_from(gateway, &forged).await.refused(401, "unauthenticated");
    let told = events::with("source_ip", gateway);
    assert!(told.iter().all(|event| event["event_type"] != "authn_login_fail_max"));
    assert_eq!(told.iter().filter(|event| event["failure_reason"].contains("key_not_sought")).count(), 310);
}
