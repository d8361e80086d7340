//! Limits that are asked at different steps of a request: it consumes from all of them, or from none.

use palisade_tests::client::Reply;

use crate::Bench;

/// By address (9), on failures (9), by principal (2) and by name (3).
async fn post(bench: &Bench, subject: &str, name: &str) -> Reply {
    let body = format!(r#"{{"username":"{name}"}}"#);
    bench.client.post("/steps", &body).token(&bench.signer.token(subject, "")).send().await
}

/// What is left of a limit, as an answer tells.
fn left(reply: &Reply, limit: &str) -> u32 {
    let all = reply.header("ratelimit");
    let rest = all.split(&format!("\"{limit}\";r=")).nth(1).unwrap_or_else(|| panic!("{limit}: {all}"));
    rest.split([';', ',']).next().unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn what_a_later_limit_refuses_no_earlier_one_has_counted() {
    let bench = Bench::start().await;
    for (number, name) in ["ann", "ann"].into_iter().enumerate() {
        let reply = post(&bench, "alice", name).await;
        assert_eq!(left(reply.allowed(204), "arrivals"), 8 - u32::try_from(number).unwrap());
    }
    for _ in 0..12 {
        // her principal's limit, when her address was counted
        let reply = post(&bench, "alice", "ann").await;
        assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "pair");
        assert_eq!((left(&reply, "arrivals"), left(&reply, "pair")), (7, 0));
    }
    post(&bench, "bob", "ann").await.allowed(204);
    for _ in 0..12 {
        // the name's limit, when her address and her principal were
        let reply = post(&bench, "carol", "ann").await;
        assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "letters");
        assert_eq!((left(&reply, "arrivals"), left(&reply, "pair")), (6, 2));
    }
    for (subject, name) in
        [("bob", "bea"), ("carol", "bea"), ("carol", "bea"), ("dan", "cat"), ("dan", "cat")]
    {
        post(&bench, subject, name).await.allowed(204);
    }
    post(&bench, "erin", "cat").await.allowed(204);
    let reply = post(&bench, "erin", "dot").await;
    assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "arrivals", "nine passed");
}

/// What something else refuses is no less a request for that.
#[tokio::test]
async fn what_is_refused_for_another_reason_has_been_counted() {
    let bench = Bench::start().await;
    for _ in 0..2 {
        let token = bench.signer.token("alice", "");
        let call = bench.client.post("/steps", "{}").token(&token);
        call.send().await.refused(422, "invalid_body");
    }
    let reply = post(&bench, "alice", "ann").await;
    assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "pair");
    let reply = post(&bench, "bob", "ann").await;
    assert_eq!(left(reply.allowed(204), "arrivals"), 6, "two that were wrong, and this one");
}
