//! Tokens that their issuer is asked about.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use http::StatusCode;
use palisade::{Denylist, Settings};
use palisade_tests::events;
use palisade_tests::tokens::{ISSUER, Signer, claims, header, now};
use palisade_tests::waiting::until;
use serde_json::json;

use super::bench::{Answer, Bench, alice};

#[tokio::test]
async fn an_issuer_is_asked_about_each_token_each_time() {
    let bench = Bench::start().await;
    bench.issuer.says("abc", alice());
    for times in 1..=3 {
        let reply = bench.get("/opaque", "abc").await;
        assert_eq!(reply.allowed(200).json(), format!("alice of {ISSUER}"));
        assert_eq!(bench.issuer.asked(), times);
    }
    let (headers, body) = bench.issuer.last.lock().unwrap().take().unwrap();
    assert_eq!(body, "token=abc&token_type_hint=access_token");
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let basic = format!("Basic {}", STANDARD.encode("gate%3A1:s%25cret+%26"));
    assert_eq!(headers["authorization"], basic.as_str());

    let reply = bench.get("/opaque", "unknown").await;
    reply.refused(401, "unauthenticated");
    assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="Asked doors", error="invalid_token""#);
    bench.issuer.says("poor", json!({ "active": true, "iss": ISSUER, "sub": "alice", "scope": "doors" }));
    bench.get("/opaque", "poor").await.refused(403, "forbidden");
    bench.issuer.says("other", json!({ "active": true, "iss": "https://other", "sub": "alice" }));
    bench.get("/opaque", "other").await.refused(401, "unauthenticated");
    let before = bench.issuer.asked();
    for bad in ["a b", "a&token=abc", "=", "a\"b"] {
        bench.get("/opaque", bad).await.refused(401, "unauthenticated");
    }
    bench.client.get("/opaque").send().await.refused(401, "unauthenticated");
    assert_eq!(bench.issuer.asked(), before, "nobody is asked about what is no token");
}

#[tokio::test]
async fn an_issuer_is_asked_about_no_token_that_another_has_signed() {
    let bench = Bench::start().await;
    let of_the_base = bench.token("t1", |claims| claims["iss"] = json!(bench.base));
    let of_our_own = bench.token("t2", |_| {});
    for (token, issuer) in [(&of_the_base, &*bench.base), (&of_our_own, ISSUER)] {
        bench.issuer.sends(token, Answer::Hangs);
        let reply = bench.get("/either", token).await;
        assert_eq!(reply.allowed(200).json(), format!("alice of {issuer}"));
    }
    assert_eq!(bench.issuer.asked(), 0);

    bench.issuer.says("abc", alice());
    assert_eq!(bench.get("/either", "abc").await.allowed(200).json(), format!("alice of {ISSUER}"));
    assert_eq!(bench.issuer.asked(), 1);
    let stranger = Signer::new("k1").sign(&header("k1"), &claims("alice", ""));
    for bad in [bench.token("t3", |claims| claims["iss"] = json!("https://other")), stranger] {
        bench.get("/either", &bad).await.refused(401, "unauthenticated");
    }
    assert_eq!(bench.issuer.asked(), 3, "nobody vouches for them, so they may be any issuer's");
}

#[tokio::test]
async fn an_issuer_that_gives_no_answer_is_503_and_never_401_or_200() {
    events::collect();
    let bench = Bench::start().await;
    let text = |status, of, body: &str| Answer::Sends(status, of, body.to_owned());
    let good = alice().to_string();
    for (token, answer) in [
        ("failing", text(500, "application/json", &good)),
        ("redirecting", text(302, "application/json", &good)),
        ("redirecting-post", text(307, "application/json", &good)),
        ("denying", text(401, "application/json", "{}")),
        ("unready", text(503, "application/json", "{}")),
        ("created", text(201, "application/json", &good)),
        ("page", text(200, "text/html", &good)),
        ("signed", text(200, "application/token-introspection+jwt", &good)),
        ("word", text(200, "application/json", r#"{"active":"true"}"#)),
        ("twice", text(200, "application/json", r#"{"active":false,"active":true,"sub":"alice"}"#)),
        ("empty", text(200, "application/json", "{}")),
        ("nothing", text(200, "application/json", "")),
        ("claim", text(200, "application/json", r#"{"active":true,"sub":7}"#)),
        ("large", text(200, "application/json", &format!("{good}{}", " ".repeat(64 * 1024)))),
        ("slow", Answer::Hangs),
    ] {
        bench.issuer.sends(token, answer);
        for path in ["/opaque", "/cached"] {
            let reply = bench.get(path, token).await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{token}: {:?}", reply.body);
            reply.refused(503, "unavailable");
            assert_eq!(reply.header("retry-after"), "1");
            assert!(!reply.header("www-authenticate").contains("error"), "{token}");
            let event = events::of(reply.header("x-request-id"));
            let why = format!("introspection_unavailable (scheme `{}`)", &path[1..]);
            assert_eq!(event["failure_reason"], why, "{token}");
        }
    }
    assert!(!events::everything().contains("s%cret"));
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_left_alone_for_a_moment() {
    let bench = Bench::start().await;
    bench.issuer.says("good", alice());
    // what it says of one token closes it for no other
    for (status, body) in [(500, "{}".to_owned()), (200, "x".repeat(65 * 1024))] {
        bench.issuer.sends("odd", Answer::Sends(status, "application/json", body));
        for _ in 0..10 {
            bench.get("/opaque", "odd").await.refused(503, "unavailable");
        }
        bench.get("/opaque", "good").await.allowed(200);
    }

    bench.issuer.sends("slow", Answer::Hangs);
    // who leaves says nothing of it
    let leaves = || tokio::time::timeout(Duration::from_millis(200), bench.get("/opaque", "slow"));
    assert!(join_all((0..10).map(|_| leaves())).await.iter().all(Result::is_err));
    bench.get("/opaque", "good").await.allowed(200);

    for reply in join_all((0..5).map(|_| bench.get("/opaque", "slow"))).await {
        reply.refused(503, "unavailable");
    }
    let asked = bench.issuer.asked();
    assert_eq!(bench.get("/opaque", "good").await.header("retry-after"), "2", "what is left of two seconds");
    for _ in 0..20 {
        bench.get("/opaque", "good").await.refused(503, "unavailable");
    }
    assert_eq!(bench.issuer.asked(), asked, "nobody asks it");
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    leaves().await.expect_err("it is the one that asks"); // and the next one asks in its place
    let gets_in = until(async || bench.get("/opaque", "good").await.status == StatusCode::OK);
    tokio::time::timeout(Duration::from_millis(1_500), gets_in).await.expect("it waits for nobody");
    for _ in 0..3 {
        bench.get("/opaque", "good").await.allowed(200);
    }
}

#[tokio::test]
async fn answers_are_used_again_only_where_the_document_says_so_and_for_so_long() {
    let bench = Bench::start().await;
    bench.issuer.says("kept", json!({ "active": true, "sub": "alice" }));
    let together = join_all((0..50).map(|_| bench.get("/cached", "kept"))).await;
    for reply in together {
        assert_eq!(reply.allowed(200).json(), "alice of urn:palisade:scheme:cached");
    }
    bench.get("/cached", "kept").await.allowed(200);
    assert_eq!(bench.issuer.asked(), 1, "who comes at once shares one call, who comes later its answer");

    for reply in join_all((0..50).map(|_| bench.get("/cached", "unknown"))).await {
        reply.refused(401, "unauthenticated");
    }
    assert_eq!(bench.issuer.asked(), 2);

    // good for the leeway longer, but nobody relies on an old answer for that
    bench.issuer.says("short", json!({ "active": true, "sub": "alice", "exp": now() + 1 }));
    bench.get("/cached", "short").await.allowed(200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    bench.issuer.says("short", json!({ "active": false }));
    bench.get("/cached", "short").await.refused(401, "unauthenticated");
    assert_eq!(bench.issuer.asked(), 4);
    bench.get("/cached", "kept").await.allowed(200);
    assert_eq!(bench.issuer.asked(), 4);
}

#[tokio::test]
async fn a_flood_of_tokens_makes_a_bounded_number_of_calls_at_once() {
    let bench = Bench::start().await;
    let tokens: Vec<String> = (0..1000).map(|number| format!("random-{number}")).collect();
    for some in tokens.chunks(250) {
        for reply in join_all(some.iter().map(|token| bench.get("/opaque", token))).await {
            assert!([401, 503].contains(&reply.status.as_u16()), "{}", reply.status);
        }
    }
    assert!(bench.issuer.asked() <= 1000);
    assert!(bench.issuer.most_at_once.load(Ordering::SeqCst) <= 64);
}

#[tokio::test]
async fn tokens_that_are_not_active_count_once_each_and_good_ones_get_in_all_the_same() {
    let bench = Bench::by(Denylist::in_memory(), Settings::new().failed_attempts(5, 2)).await;
    bench.issuer.says("good", alice());
    for _ in 0..30 {
        bench.get("/opaque", "over").await.refused(401, "unauthenticated");
    }
    for number in 0..19 {
        bench.get("/opaque", &format!("random-{number}")).await.refused(401, "unauthenticated");
    }
    for bad in ["random-99", "over"] {
        assert_ne!(bench.get("/opaque", bad).await.refused(429, "rate_limited").header("retry-after"), "");
    }
    bench.get("/opaque", "good").await.allowed(200);
}
