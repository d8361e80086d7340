//! Logout by the provider: the token that ends sessions, and every one that ends none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade::login::LoginBuilder;
use palisade::{Settings, State};
use palisade_tests::client::Reply;
use palisade_tests::events;
use palisade_tests::faulty::{Faulty, LOSES_ANSWERS, WELL, who_asked_leaves};
use palisade_tests::tokens::{Signer, header};
use serde_json::{Value, json};

use crate::bench::*;

const PATH: &str = "/ended";

async fn start() -> Bench {
    Bench::with(|builder| builder.back_channel_logout(PATH)).await
}

impl Bench {
    /// A browser that is logged in as somebody, by a session at the provider of this name.
    async fn as_of(&self, subject: &str, sid: Option<&str>) -> Browser {
        self.provider.lie(|lies| lies.claims = json!({ "sub": subject, "sid": sid }));
        let browser = self.logged_in().await;
        self.provider.lie(|lies| lies.claims = json!({}));
        browser
    }

    /// The claims of a logout token as they should be, with these in their place; `null` takes one out.
    fn logout(&self, id: &str, change: &Value) -> Value {
        let now = palisade_tests::tokens::now();
        let mut claims = json!({
            "iss": self.provider.base, "aud": "notes-web", "iat": now, "exp": now + 120, "jti": id, "sub": "alice",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(change.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        claims
    }

    fn sign(&self, typ: &'static str, claims: &Value) -> String {
        self.provider.lie(|lies| lies.typ = typ);
        let token = self.provider.sign(claims);
        self.provider.lie(|lies| lies.typ = "JWT");
        token
    }

    /// As a provider does: without cookies and `Origin`.
    async fn post_token(&self, token: &str) -> Reply {
        let call = self.site.call("POST", PATH).header("content-type", "application/x-www-form-urlencoded");
        call.body(format!("logout_token={token}")).send().await
    }

    async fn ends(&self, id: &str, change: &Value) {
        let reply = self.post_token(&self.sign("logout+jwt", &self.logout(id, change))).await;
        assert_eq!(reply.status, 200, "{change}: {:?}", reply.body);
        assert_eq!(reply.header("cache-control"), "no-store");
    }

    async fn refuses(&self, token: &str, reason: &str) {
        let reply = self.post_token(token).await;
        assert_eq!(reply.status.as_u16(), 400, "{reason}: {:?}", reply.body);
        assert_eq!(reply.json(), json!({ "error": "invalid_request" }), "{reason}");
        assert_eq!(
            (reply.header("cache-control"), reply.header("content-type")),
            ("no-store", "application/json")
        );
        let event = events::of(reply.header("x-request-id"));
        assert_eq!(event["failure_reason"], reason);
        assert!(matches!(&*event["event_type"], "authz_fail" | "authn_token_reuse"), "{event:?}");
        let endpoint = format!("POST {PATH}");
        assert_eq!((&*event["source_ip"], &*event["endpoint"]), ("127.0.0.1", &*endpoint));
    }
}

async fn is_in(browser: &mut Browser) -> bool {
    match browser.get("/me").await.status.as_u16() {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn who_is_logged_out_at_the_provider_is_logged_out_here() {
    let bench = start().await;
    let (mut phone, mut desk) =
        (bench.as_of("alice", Some("s1")).await, bench.as_of("alice", Some("s2")).await);
    let (mut unnamed, mut bob) = (bench.as_of("alice", None).await, bench.as_of("bob", Some("s3")).await);
    bench.ends("1", &json!({ "sub": null, "sid": "s1" })).await;
    assert!(!is_in(&mut phone).await && is_in(&mut desk).await && is_in(&mut unnamed).await);
    let mut again = bench.as_of("alice", Some("s1")).await;
    assert!(is_in(&mut again).await, "a login afterwards is good");
    let event = events::with("failure_reason", "logged_out_at_provider").pop().unwrap();
    assert_eq!(event["event_type"], "session_ended");

    // one whose session at the provider nobody knows does not outlast it
    bench.ends("2", &json!({ "sid": "s1" })).await;
    assert!(!is_in(&mut again).await && !is_in(&mut unnamed).await && is_in(&mut desk).await);
    bench.ends("3", &json!({})).await;
    assert!(!is_in(&mut desk).await && is_in(&mut bob).await);
    bench.ends("4", &json!({ "sub": "nobody" })).await;
    assert!(is_in(&mut bob).await);

    // in every instance that shares the state
    let second = builder(&bench.provider, &bench.state, &bench.clock).back_channel_logout(PATH);
    let (there, _) = site(&second.open().await.unwrap(), &bench.clock).await;
    let here = bob.site;
    bob.site = there;
    assert!(is_in(&mut bob).await);
    bench.ends("5", &json!({ "sub": "bob", "sid": "s3" })).await;
    assert!(!is_in(&mut bob).await);
    bob.site = here;
    assert!(!is_in(&mut bob).await);
}

#[tokio::test]
async fn what_is_no_good_logout_token_ends_nothing() {
    let bench = start().await;
    let mut browser = bench.as_of("alice", Some("s1")).await;
    let now = bench.clock.now().unwrap().unix();
    let with = |change: Value| bench.sign("logout+jwt", &bench.logout("a", &change));
    for (change, reason) in [
        (json!({ "iss": "https://evil.example" }), "wrong_issuer"),
        (json!({ "aud": "another-client" }), "wrong_audience"),
        (json!({ "aud": ["notes-web", "another-client"] }), "other_audiences"),
        (json!({ "exp": now - 31, "iat": now - 150 }), "expired"),
        (json!({ "iat": now - 601, "exp": now + 9000 }), "too_old"),
        (json!({ "iat": now + 100 }), "issued_in_future"),
        (json!({ "nonce": "n" }), "id_token"),
        (json!({ "events": null }), "no_logout_event"),
        (json!({ "events": {} }), "no_logout_event"),
        (
            json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": true } }),
            "no_logout_event",
        ),
        (json!({ "sub": null }), "neither_subject_nor_session"),
    ] {
        bench.refuses(&with(change), reason).await;
    }
    for missing in ["iss", "aud", "iat", "exp", "jti"] {
        bench.refuses(&with(json!({ missing: null })), "missing_claim").await;
    }
    let good = bench.logout("a", &json!({}));
    bench.refuses(&bench.sign("at+jwt", &good), "wrong_type").await;
    // as it stands in the place of one
    bench.refuses(&bench.provider.sign(&bench.provider.claims("n")), "id_token").await;
    let mut without_nonce = bench.provider.claims("n");
    without_nonce.as_object_mut().unwrap().remove("nonce");
    without_nonce["jti"] = json!("b");
    bench.refuses(&bench.provider.sign(&without_nonce), "no_logout_event").await;

    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", encoded(&json!({ "alg": "none", "typ": "logout+jwt" })), encoded(&good));
    bench.refuses(&unsigned, "malformed_credential").await;
    bench.refuses(&format!("{unsigned}AAAA"), "algorithm_not_allowed").await;
    let mut head = header("p1");
    head.typ = Some("logout+jwt".to_owned());
    bench.refuses(&Signer::new("p1").sign(&head, &good), "bad_signature").await;
    bench.refuses("x", "malformed_credential").await;
    bench.refuses("", "no_logout_token").await;
    let token = bench.sign("logout+jwt", &good);
    bench.refuses(&format!("{token}&logout_token={token}"), "no_logout_token").await;
    bench.refuses(&format!("{token}&a={}", "a".repeat(16 * 1024)), "no_logout_token").await;
    let as_json = bench.site.call("POST", PATH).header("content-type", "application/json");
    assert_eq!(as_json.body(json!({ "logout_token": token }).to_string()).send().await.status, 400);
    assert_eq!(bench.site.get(&format!("{PATH}?logout_token={token}")).send().await.status, 405);
    // a cookie and our own page do not stand for a token
    let reply = browser.post(PATH).await;
    assert_eq!(reply.status, 400);
    assert!(is_in(&mut browser).await, "none of them ended anything");
    bench.ends("a", &json!({})).await;
    assert!(!is_in(&mut browser).await, "nor did they use its name");
}

#[tokio::test]
async fn a_logout_token_is_taken_once_by_all_instances() {
    let bench = start().await;
    let token = bench.sign("JWT", &bench.logout("once", &json!({})));
    assert_eq!(bench.post_token(&token).await.status, 200);
    let mut browser = bench.as_of("alice", None).await;
    bench.refuses(&token, "logout_token_replayed").await;
    let second = builder(&bench.provider, &bench.state, &bench.clock).back_channel_logout(PATH);
    let (there, _) = site(&second.open().await.unwrap(), &bench.clock).await;
    let call = there.call("POST", PATH).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(call.body(format!("logout_token={token}")).send().await.status, 400);
    assert!(is_in(&mut browser).await);
    // until nobody would take it any more
    bench.advance(149);
    bench.refuses(&token, "logout_token_replayed").await;
    bench.advance(2);
    bench.refuses(&token, "expired").await;
    assert!(is_in(&mut browser).await);
}

#[tokio::test]
async fn a_logout_that_fails_is_told_and_may_come_again() {
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let small = palisade::State::memory_of(2, clock.clone());
    let bench = Bench::on(small, clock, |builder| builder.back_channel_logout(PATH)).await;
    let mut browser = bench.logged_in().await;
    // there is room for the end of those of that name, and none for the end of those without one
    let token = bench.sign("logout+jwt", &bench.logout("1", &json!({ "sid": "s1" })));
    for _ in 0..2 {
        let reply = bench.post_token(&token).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (400, json!({ "error": "temporarily_unavailable" }))
        );
    }
    assert!(is_in(&mut browser).await);
}

async fn on_a_faulty_state() -> (Bench, Arc<AtomicU8>) {
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let fault = Arc::new(AtomicU8::new(WELL));
    let state = State::new(Faulty::new(State::memory_of(1000, clock.clone()), &fault));
    (Bench::on(state, clock, |builder| builder.back_channel_logout(PATH)).await, fault)
}

/// Some providers ask once.
#[tokio::test]
async fn a_logout_whose_provider_does_not_wait_is_done_all_the_same() {
    let (bench, fault) = on_a_faulty_state().await;
    let mut browser = bench.as_of("alice", Some("s1")).await;
    let token = bench.sign("logout+jwt", &bench.logout("1", &json!({ "sid": "s1" })));
    let call = bench.site.call("POST", PATH).header("content-type", "application/x-www-form-urlencoded");
    let call = call.body(format!("logout_token={token}"));
    who_asked_leaves(&fault, call.send()).await;
    for _ in 0..100 {
        if !is_in(&mut browser).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!is_in(&mut browser).await);
}

/// Its mark is lost, and not what it says: it is done again.
#[tokio::test]
async fn a_logout_token_whose_end_nobody_heard_of_may_come_again() {
    let (bench, fault) = on_a_faulty_state().await;
    let mut browser = bench.as_of("alice", Some("s1")).await;
    let token = bench.sign("logout+jwt", &bench.logout("1", &json!({ "sid": "s1" })));
    fault.store(LOSES_ANSWERS, Ordering::SeqCst);
    let reply = bench.post_token(&token).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (400, json!({ "error": "temporarily_unavailable" })));
    fault.store(WELL, Ordering::SeqCst);
    assert_eq!(bench.post_token(&token).await.status, 200);
    assert!(!is_in(&mut browser).await);
    bench.refuses(&token, "logout_token_replayed").await;
}

#[tokio::test]
async fn without_being_asked_for_there_is_no_such_endpoint() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    let reply = bench.post_token(&bench.sign("logout+jwt", &bench.logout("1", &json!({})))).await;
    assert_eq!(reply.status, 404);
    assert!(is_in(&mut browser).await);
}

#[tokio::test]
async fn tokens_that_nobody_signed_are_counted_and_a_good_one_ends_sessions_all_the_same() {
    let bench = start().await;
    let mut browser = bench.as_of("alice", None).await;
    let mut head = header("p1");
    head.typ = Some("logout+jwt".to_owned());
    let stranger = Signer::new("p1");
    let forged = |number: usize| stranger.sign(&head, &bench.logout(&number.to_string(), &json!({})));
    for number in 0..30 {
        assert_eq!(bench.post_token(&forged(number)).await.status, 400, "{number}");
    }
    let reply = bench.post_token(&forged(30)).await;
    assert_eq!(reply.status, 429);
    assert_ne!(reply.header("retry-after"), "");
    assert!(is_in(&mut browser).await);
    bench.ends("a", &json!({})).await;
    assert!(!is_in(&mut browser).await);
}

/// Whether its token is good is not known, so it is told to come again, and guesses nothing.
#[tokio::test]
async fn a_logout_that_comes_while_the_keys_cannot_be_had_may_come_again() {
    let one_guess = |builder: LoginBuilder| {
        builder.back_channel_logout(PATH).settings(&Settings::new().failed_attempts(1, 1))
    };
    let bench = Bench::with(one_guess).await;
    let mut browser = bench.as_of("alice", Some("s1")).await;
    bench.provider.lie(|lies| lies.without_keys = true);
    let mut head = header("p2");
    head.typ = Some("logout+jwt".to_owned());
    let token = Signer::new("p2").sign(&head, &bench.logout("a", &json!({})));
    for _ in 0..3 {
        let reply = bench.post_token(&token).await;
        assert_eq!(reply.status.as_u16(), 400, "{:?}", reply.body);
        assert_eq!(reply.json(), json!({ "error": "temporarily_unavailable" }));
        let event = events::of(reply.header("x-request-id"));
        assert_eq!((&*event["failure_reason"], &*event["severity"]), ("keys_unavailable", "Low"));
    }
    assert!(is_in(&mut browser).await);
}
