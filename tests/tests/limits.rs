//! Steps 2 and 9: rate limits by principal, address and of all together, with what they tell.

use std::time::Duration;

use palisade::{Clock, RateLimitReset, Settings};
use palisade_tests::gate::Gate;
use palisade_tests::tokens::now;

#[tokio::test]
async fn a_principal_has_its_own_bucket() {
    let gate = Gate::start().await;
    let (alice, bob) = (gate.alice(), gate.bob());
    for left in [2, 1, 0] {
        let reply = gate.client.get("/few").token(&alice).send().await;
        reply.allowed(204);
        assert_eq!(reply.header("x-ratelimit-limit"), "3");
        assert_eq!(reply.header("x-ratelimit-remaining"), left.to_string());
        assert!(reply.header("ratelimit-policy").contains("\"few\";q=3;w=3600"), "{:?}", reply.headers);
        assert!(reply.header("ratelimit").contains(&format!("\"few\";r={left}")), "{:?}", reply.headers);
    }
    let reply = gate.client.get("/few").token(&alice).send().await;
    reply.refused(429, "rate_limited");
    assert_eq!(reply.json()["error"]["policy"], "few");
    assert_eq!(
        reply.json()["error"]["message"],
        "too many requests: wait for the time that Retry-After gives, then back off exponentially with full jitter"
    );
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1_190..=1_330).contains(&wait), "a third of an hour, up to a tenth more: {wait}");
    let reset: u64 = reply.header("x-ratelimit-reset").parse().unwrap();
    assert!(reset > now(), "epoch seconds");
    // another principal, and the same one on another operation, are not touched
    gate.client.get("/few").token(&bob).send().await.allowed(204);
    gate.client.get("/token").token(&alice).send().await.allowed(200);
}

#[tokio::test]
async fn when_more_is_left_is_a_time_or_so_many_seconds() {
    for (told, expected) in
        [(RateLimitReset::Time, now() + 1_000..now() + 1_500), (RateLimitReset::Seconds, 1_000..1_500)]
    {
        let gate = Gate::with(Settings::new().rate_limit_reset(told)).await;
        let reply = gate.client.get("/few").token(&gate.alice()).send().await;
        let reset: u64 = reply.allowed(204).header("x-ratelimit-reset").parse().unwrap();
        assert!(expected.contains(&reset), "{told:?}: {reset}");
        assert!(reply.header("ratelimit").contains("\"few\";r=2;t=1200"), "{:?}", reply.headers);
    }
}

/// What is refused for what it asks tells where its caller stands, too, and is counted.
#[tokio::test]
async fn a_bad_request_of_a_known_caller_tells_what_is_left() {
    let gate = Gate::start().await;
    let reply = gate.client.get("/few?what=ever").token(&gate.alice()).send().await;
    reply.refused(400, "invalid_parameters");
    assert_eq!(reply.header("x-ratelimit-remaining"), "2");
    assert!(reply.header("ratelimit").contains("\"few\";r=2"), "{:?}", reply.headers);
}

#[tokio::test]
async fn a_clock_that_is_set_fills_no_bucket() {
    let clock = Clock::fixed(now());
    let gate = Gate::with(Settings::new().clock(clock.clone())).await;
    for _ in 0..4 {
        gate.client.get("/door").send().await.allowed(204);
    }
    for day in [1, 365] {
        clock.set(now() + day * 86_400);
        gate.client.get("/door").send().await.refused(429, "rate_limited");
    }
    clock.advance(Duration::from_secs(86_400));
    gate.client.get("/door").send().await.allowed(204);
}

#[tokio::test]
async fn an_address_is_limited_before_it_is_known_who_calls() {
    let gate = Gate::start().await;
    for _ in 0..4 {
        gate.client.get("/door").send().await.allowed(204);
    }
    let reply = gate.client.get("/door").header("x-forwarded-for", "203.0.113.9").send().await;
    reply.refused(429, "rate_limited"); // an untrusted peer's forwarding header is not believed
    assert!(!reply.header("retry-after").is_empty());
    gate.client.get("/open").send().await.allowed(204);
}

#[tokio::test]
async fn a_global_limit_says_unavailable() {
    let gate = Gate::start().await;
    for _ in 0..3 {
        gate.client.get("/shared").send().await.allowed(204);
    }
    let reply = gate.client.get("/shared").send().await;
    reply.refused(503, "unavailable");
    assert!(!reply.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_stranger_does_not_learn_by_which_address_limits_they_are_watched() {
    let gate = Gate::start().await;
    let reply = gate.client.get("/token").send().await;
    reply.refused(401, "unauthenticated");
    assert!(reply.headers.get("ratelimit").is_none(), "{:?}", reply.headers);
    let reply = gate.client.get("/token").token(&gate.alice()).send().await;
    assert!(reply.allowed(200).header("ratelimit-policy").contains("\"flood\""), "{:?}", reply.headers);
}

#[tokio::test]
async fn refused_credentials_do_not_spend_the_principals_limit() {
    let gate = Gate::start().await;
    for _ in 0..10 {
        gate.client.get("/few").token("bad").send().await.refused(401, "unauthenticated");
    }
    gate.client.get("/few").token(&gate.alice()).send().await.allowed(204);
}

/// What all clients have together would tell each about the others.
#[tokio::test]
async fn a_global_limit_is_not_advertised() {
    let gate = Gate::start().await;
    let reply = gate.client.get("/shared").send().await;
    assert!(reply.allowed(204).header("ratelimit").contains("flood"), "{:?}", reply.headers);
    assert!(!reply.header("ratelimit").contains("shared"), "{:?}", reply.headers);
}
