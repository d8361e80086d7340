//! A key set over a real socket: an issuer that says what each test wants it to say.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::authn::Reason;
use crate::authn::jwt::{Jwt, TokenVerifier};
use crate::authn::present::Shown;
use crate::authn::testing::{NOW, Signer, plain_claims};
use crate::clock::Clock;
use crate::outbound::pretended;

/// What the issuer answers, and how often it was asked.
#[derive(Clone)]
struct Issuer {
    address: String,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    async fn start(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/keys", listener.local_addr().unwrap());
        let issuer = Self { address, answer: Arc::new(Mutex::new(answer)), asked: Arc::default() };
        let serving = issuer.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move {
                    let mut request = [0; 2048];
                    let read = stream.read(&mut request).await.unwrap_or(0);
                    serving.asked.fetch_add(1, Ordering::SeqCst);
                    let answer = serving.answer.lock().unwrap().clone();
                    match answer.as_str() {
                        "hang" => std::future::pending().await,
                        "same"
                            if String::from_utf8_lossy(&request[..read]).contains("if-none-match: \"1\"") =>
                        {
                            _ = stream.write_all(b"HTTP/1.1 304 Not Modified\r\n\r\n").await;
                        }
                        late if late.starts_with("late ") => {
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            _ = stream.write_all(&late.as_bytes()["late ".len()..]).await;
                        }
                        slow if slow.starts_with("slow ") => {
                            tokio::time::sleep(Duration::from_secs(3)).await;
                            _ = stream.write_all(&slow.as_bytes()["slow ".len()..]).await;
                        }
                        _ => _ = stream.write_all(answer.as_bytes()).await,
                    }
                });
            }
        });
        issuer
    }

    fn say(&self, answer: impl Into<String>) {
        *self.answer.lock().unwrap() = answer.into();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn keys(kids: &[&str]) -> String {
    let keys: Vec<_> = kids.iter().map(|kid| Signer::new().jwk(kid)).collect();
    ok(&json!({ "keys": keys }).to_string())
}

/// Nothing happens by itself, and tokens may ask again at once.
const QUICK: Timing = Timing {
    answer: Duration::from_millis(300),
    cooldown: Duration::ZERO,
    shortest: Duration::from_secs(3600),
    longest: Duration::from_secs(3600),
    stale: Duration::from_secs(3600),
};

fn kids(jwks: &Jwks) -> Vec<String> {
    let set = jwks.current();
    set.iter().flat_map(|set| set.ring.kids()).flatten().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_set_is_fetched_before_it_is_needed_and_once_for_all_who_wait() {
    let issuer = Issuer::start(keys(&["a"])).await;
    let jwks = Jwks::at(&issuer.address, Timing { cooldown: Duration::from_secs(60), ..QUICK }).unwrap();
    assert!(kids(&jwks).is_empty());
    let waiting = (0..50).map(|_| {
        let jwks = jwks.clone();
        tokio::spawn(async move { jwks.load().await })
    });
    for one in waiting.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!((kids(&jwks), issuer.asked()), (vec!["a".to_owned()], 1));
}

#[tokio::test]
async fn unknown_kids_cause_few_fetches() {
    let issuer = Issuer::start(keys(&["a"])).await;
    let cooldown = Duration::from_millis(400);
    let jwks = Jwks::at(&issuer.address, Timing { cooldown, ..QUICK }).unwrap();
    jwks.load().await.unwrap();
    for _ in 0..100 {
        jwks.look_again(None).await.unwrap();
    }
    assert_eq!(issuer.asked(), 3, "with the first");
    tokio::time::sleep(cooldown).await;
    issuer.say(keys(&["b", "a"]));
    for _ in 0..100 {
        jwks.look_again(None).await.unwrap();
    }
    assert_eq!((kids(&jwks), issuer.asked()), (vec!["b".to_owned(), "a".to_owned()], 4));
}

#[tokio::test]
async fn a_key_that_is_taken_out_is_gone_at_once() {
    let issuer = Issuer::start(keys(&["a", "b"])).await;
    let jwks = Jwks::at(&issuer.address, QUICK).unwrap();
    jwks.load().await.unwrap();
    issuer.say(keys(&["b"]));
    jwks.look_again(None).await.unwrap();
    assert_eq!(kids(&jwks), ["b"]);
    issuer.say("same");
    jwks.look_again(None).await.unwrap();
    assert_eq!(kids(&jwks), ["b"], "304: as it was");
}

#[tokio::test]
async fn the_last_good_set_serves_through_an_outage_and_not_for_ever() {
    let issuer = Issuer::start(keys(&["a"])).await;
    let stale = Duration::from_millis(1500);
    let jwks = Jwks::at(&issuer.address, Timing { stale, ..QUICK }).unwrap();
    jwks.load().await.unwrap();
    let large = "x".repeat(super::super::key_set::MAX_TEXT + 1);
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", issuer.address);
    for bad in [
        "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_owned(),
        redirect,
        ok("{\"keys\":[]}"),
        ok("no JSON"),
        ok(
            "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75\"}]}",
        ),
        ok(&large),
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned(),
        "hang".to_owned(),
    ] {
        let asked = issuer.asked();
        issuer.say(bad.as_str());
        assert_eq!(jwks.look_again(None).await, Err(Unreachable), "{:.60}", bad);
        assert_eq!((kids(&jwks), issuer.asked()), (vec!["a".to_owned()], asked + 1), "{:.60}", bad);
    }
    tokio::time::sleep(stale).await;
    assert_eq!(jwks.look_again(None).await, Err(Unreachable));
    assert!(kids(&jwks).is_empty(), "too old to be believed");
    issuer.say(keys(&["c"]));
    assert_eq!(jwks.look_again(None).await, Ok(Looked::Anew));
    assert_eq!(kids(&jwks), ["c"]);
}

#[tokio::test]
async fn a_set_is_renewed_in_the_background() {
    let issuer = Issuer::start(keys(&["a"])).await;
    let shortest = Duration::from_millis(50);
    let jwks = Jwks::at(&issuer.address, Timing { shortest, longest: shortest, ..QUICK }).unwrap();
    jwks.load().await.unwrap();
    issuer.say(keys(&["b"]));
    let begun = Instant::now();
    while kids(&jwks) != ["b"] {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody looked again");
        tokio::time::sleep(shortest).await;
    }
    drop(jwks);
    tokio::time::sleep(shortest * 4).await;
    let asked = issuer.asked();
    tokio::time::sleep(shortest * 4).await;
    assert_eq!(issuer.asked(), asked, "nobody holds the set any more");
}

#[tokio::test]
async fn a_set_is_fetched_again_ahead_of_its_end_between_a_minute_and_an_hour() {
    let jwks = Jwks::url("http://127.0.0.1:1/keys").unwrap();
    let remote = jwks.remote().unwrap();
    let pause = |max_age: Option<u64>, last_failed| {
        *remote.progress() =
            Progress { max_age: max_age.map(Duration::from_secs), last_failed, ..Progress::new(TIMING) };
        remote.pause().as_secs()
    };
    for (max_age, seconds) in
        [(0, 60), (60, 60), (100, 90), (300, 270), (3600, 3240), (86_400, 3600), (u64::MAX, 3600)]
    {
        assert_eq!(pause(Some(max_age), false), seconds, "max-age={max_age}");
    }
    assert_eq!(pause(None, false), 600);
    assert_eq!(pause(Some(3600), true), 60, "an outage is not waited out for an hour");
}

/// Over sockets: one answer says how old it may become, the other does not.
#[tokio::test]
async fn the_age_that_an_issuer_says_is_the_rhythm_of_its_set() {
    let (told, silent) = (keys(&["a"]), Issuer::start(keys(&["a"])).await);
    let told = Issuer::start(told.replace("etag", "cache-control: max-age=1\r\netag")).await;
    let timing = Timing { shortest: Duration::from_millis(100), longest: Duration::from_secs(60), ..QUICK };
    let [_told, _silent] = [&told, &silent].map(|issuer| {
        let jwks = Jwks::at(&issuer.address, timing).unwrap();
        let loaded = jwks.clone();
        tokio::spawn(async move { loaded.load().await });
        jwks
    });
    // at the start, after the first pause, and after 0.9 s each
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!((3..=4).contains(&told.asked()), "{}", told.asked());
    assert_eq!(silent.asked(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_not_there_is_said_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/keys", listener.local_addr().unwrap());
    drop(listener);
    let jwks = Jwks::at(&address, QUICK).unwrap();
    assert_eq!(jwks.load().await, Err(Unreachable));
}

#[test]
fn the_age_of_an_answer_is_read() {
    let of = |value: &'static str| fetch::max_age(&HeaderValue::from_static(value)).map(|age| age.as_secs());
    assert_eq!(of("public, max-age=300"), Some(300));
    assert_eq!(of("Max-Age=\"60\""), Some(60));
    assert_eq!((of("no-store"), of("max-age=x")), (None, None));
}

static TOKENS: crate::operation::TokenRules = crate::authn::testing::RULES;

fn verifier(jwks: &Jwks) -> Arc<TokenVerifier> {
    Arc::new(TokenVerifier::new("oauth", &TOKENS, Jwt::new(jwks.clone()), None).ok().unwrap())
}

fn set(keys: &[(&str, &Signer)]) -> String {
    let keys: Vec<_> = keys.iter().map(|(kid, signer)| signer.jwk(kid)).collect();
    ok(&json!({ "keys": keys }).to_string())
}

fn token(kid: &str, signer: &Signer) -> String {
    signer.sign(&json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid }), &plain_claims("alice", ""))
}

async fn judged(verifier: &TokenVerifier, token: &str) -> Result<(), Reason> {
    let now = Clock::fixed(NOW).now().unwrap();
    verifier.judge_and_look_again(token.as_bytes(), &Shown::nothing(), now).await.map(|_| ())
}

#[tokio::test]
async fn what_is_at_hand_judges_without_a_fetch() {
    let signer = Signer::new();
    let issuer = Issuer::start(set(&[("a", &signer)])).await;
    let jwks = Jwks::at(&issuer.address, QUICK).unwrap();
    jwks.load().await.unwrap();
    let verifier = verifier(&jwks);
    let at_hand = |token: &str| {
        let now = Clock::fixed(NOW).now().unwrap();
        let judged = verifier.judge_at_hand(token.as_bytes(), &Shown::nothing(), now);
        judged.map(|judged| judged.map(|_| ()))
    };
    assert_eq!(at_hand(&token("a", &signer)), Some(Ok(())));
    assert_eq!(at_hand(&token("a", &Signer::new())), Some(Err(Reason::BadSignature)));
    assert_eq!(at_hand(&token("b", &signer)), None, "the issuer may have it by now");
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_under_load_and_no_good_token_is_refused() {
    let (old, new) = (Signer::new(), Signer::new());
    let issuer = Issuer::start(set(&[("old", &old)])).await;
    let jwks = Jwks::at(&issuer.address, QUICK).unwrap();
    jwks.load().await.unwrap();
    let verifier = verifier(&jwks);
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (verifier, stop, token) = (Arc::clone(&verifier), Arc::clone(&stop), token("old", &old));
            tokio::spawn(async move {
                let mut count = 0;
                while !stop.load(Ordering::SeqCst) {
                    assert_eq!(judged(&verifier, &token).await, Ok(()));
                    count += 1;
                    tokio::task::yield_now().await;
                }
                count
            })
        })
        .collect();

    // published before it is used, beside the old one that still is
    issuer.say(set(&[("old", &old), ("new", &new)]));
    let fresh = (0..50).map(|_| {
        let (verifier, token) = (Arc::clone(&verifier), token("new", &new));
        tokio::spawn(async move { judged(&verifier, &token).await })
    });
    for one in fresh.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap(), Ok(()), "a new key is good at once");
    }
    stop.store(true, Ordering::SeqCst);
    for one in load {
        assert!(one.await.unwrap() > 0, "an old key is good as long as it is published");
    }

    issuer.say(set(&[("new", &new)]));
    assert_eq!(judged(&verifier, &token("unknown", &new)).await, Err(Reason::UnknownKid));
    assert_eq!(judged(&verifier, &token("old", &old)).await, Err(Reason::UnknownKid));
    assert_eq!(judged(&verifier, &token("new", &new)).await, Ok(()));
}

/// As soon as a key is published its issuer may sign with it, whatever was fetched just before, and whoever made up another.
#[tokio::test]
async fn a_key_that_was_just_published_is_good_at_once() {
    let (old, new) = (Signer::new(), Signer::new());
    let issuer = Issuer::start(set(&[("old", &old)])).await;
    let jwks = Jwks::at(&issuer.address, Timing { cooldown: TIMING.cooldown, ..QUICK }).unwrap();
    jwks.load().await.unwrap();
    let verifier = verifier(&jwks);
    assert_eq!(judged(&verifier, &token("made up", &old)).await, Err(Reason::UnknownKid));
    issuer.say(set(&[("old", &old), ("new", &new)]));
    assert_eq!(judged(&verifier, &token("new", &new)).await, Ok(()));
    // and no more than that: a flood of such names drives nobody
    for _ in 0..50 {
        assert_eq!(judged(&verifier, &token("made up", &old)).await, Err(Reason::UnknownKid));
    }
    assert_eq!(issuer.asked(), 3);
}

/// The answer that is under way when a token comes may have been made before its key was published.
#[tokio::test]
async fn a_key_that_was_published_during_a_fetch_is_good_at_once() {
    let (old, new) = (Signer::new(), Signer::new());
    let issuer = Issuer::start(set(&[("old", &old)])).await;
    let jwks = Jwks::at(&issuer.address, Timing { cooldown: TIMING.cooldown, ..QUICK }).unwrap();
    jwks.load().await.unwrap();
    let verifier = verifier(&jwks);
    issuer.say(format!("late {}", set(&[("old", &old)])));
    let first = {
        let (verifier, token) = (Arc::clone(&verifier), token("made up", &old));
        tokio::spawn(async move { judged(&verifier, &token).await })
    };
    while issuer.asked() < 2 {
        tokio::task::yield_now().await;
    }
    issuer.say(set(&[("old", &old), ("new", &new)]));
    assert_eq!(judged(&verifier, &token("new", &new)).await, Ok(()));
    assert_eq!(first.await.unwrap(), Err(Reason::UnknownKid));
    assert_eq!(issuer.asked(), 3);
}

/// RFC 9110 section 15.4.5: it is about what the client has.
#[tokio::test]
async fn not_modified_is_no_answer_to_who_has_nothing() {
    let issuer = Issuer::start("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned()).await;
    let jwks = Jwks::at(&issuer.address, QUICK).unwrap();
    assert_eq!(jwks.load().await, Err(Unreachable));
    issuer.say(keys(&["a"]));
    assert_eq!(jwks.load().await, Ok(()));
    assert_eq!(kids(&jwks), ["a"]);
}

#[tokio::test]
async fn in_an_outage_known_keys_serve_for_a_time_and_then_nobody_knows() {
    let signer = Signer::new();
    let issuer = Issuer::start(set(&[("a", &signer)])).await;
    let stale = Duration::from_millis(1500);
    let jwks = Jwks::at(&issuer.address, Timing { stale, ..QUICK }).unwrap();
    jwks.load().await.unwrap();
    let (verifier, known, unknown) = (verifier(&jwks), token("a", &signer), token("b", &signer));
    assert_eq!(judged(&verifier, &unknown).await, Err(Reason::UnknownKid), "the issuer has no such key");
    issuer.say("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(judged(&verifier, &unknown).await, Err(Reason::KeysUnavailable), "nobody knows");
    assert_eq!(judged(&verifier, &known).await, Ok(()));
    tokio::time::sleep(stale).await;
    assert_eq!(judged(&verifier, &unknown).await, Err(Reason::KeysUnavailable));
    assert_eq!(judged(&verifier, &known).await, Err(Reason::KeysUnavailable), "too old to be believed");
    issuer.say(set(&[("a", &signer)]));
    assert_eq!(judged(&verifier, &known).await, Ok(()));
}

#[tokio::test]
async fn an_issuer_that_moves_its_keys_or_loses_its_name_is_followed_or_not() {
    let keys = Issuer::start(keys(&["a"])).await;
    let moved = Issuer::start(self::keys(&["b"])).await;
    let issuer = Issuer::start(String::new()).await;
    let name = issuer.address.trim_end_matches("/keys").to_owned();
    let says = |issuer: &str, keys: &str| ok(&json!({ "issuer": issuer, "jwks_uri": keys }).to_string());
    issuer.say(says(&name, &keys.address));
    let jwks = Jwks::of_issuer(&name, Form::OpenId, QUICK).unwrap();
    jwks.load().await.unwrap();
    assert_eq!(kids(&jwks), ["a"]);
    issuer.say(says("http://127.0.0.1:1", &moved.address));
    assert_eq!(jwks.look_again(None).await, Err(Unreachable));
    assert_eq!(kids(&jwks), ["a"], "the last good keys stay");
    issuer.say(says(&name, &moved.address));
    assert_eq!(jwks.look_again(None).await, Ok(Looked::Anew));
    assert_eq!(kids(&jwks), ["b"], "the mark of another place's answer is not asked about");
    assert_eq!((issuer.asked(), keys.asked(), moved.asked()), (3, 1, 1));
}

/// Rule 5 of [`outbound`](crate::outbound).
#[tokio::test]
async fn an_issuer_at_a_public_address_names_no_keys_inside_unless_it_may() {
    let (keys, issuer) = (Issuer::start(keys(&["a"])).await, Issuer::start(String::new()).await);
    let name = issuer.address.trim_end_matches("/keys").to_owned();
    issuer.say(ok(&json!({ "issuer": name, "jwks_uri": keys.address }).to_string()));
    let jwks = || Jwks::of_issuer(&name, Form::OpenId, QUICK).unwrap();
    pretended::public(1);
    assert_eq!(jwks().load().await, Err(Unreachable));
    assert_eq!((issuer.asked(), keys.asked()), (1, 0));
    pretended::public(1);
    assert_eq!(jwks().allow_private_addresses().load().await, Ok(()));
    assert_eq!(keys.asked(), 1);
}

mod bounds;
mod ends;
mod runtimes;
