//! Who is told where they stand: `advertise`.

use palisade_tests::client::Reply;

use super::Bench;

/// The limits that an answer tells of.
fn told(reply: &Reply) -> Vec<String> {
    let names = |field: &str| -> Vec<String> {
        let items = reply.headers.get(field).map_or("", |value| value.to_str().unwrap()).split(", ");
        items.filter_map(|item| Some(item.split_once(';')?.0.trim_matches('"').to_owned())).collect()
    };
    let all = names("ratelimit");
    assert_eq!(names("ratelimit-policy"), all, "one says what the other says");
    assert_eq!(reply.headers.contains_key("x-ratelimit-limit"), !all.is_empty());
    all
}

#[tokio::test]
async fn a_refused_stranger_is_told_of_limits_that_say_so_and_of_no_others() {
    let bench = Bench::start().await;
    let reply = bench.client.get("/told/known").send().await;
    reply.refused(401, "unauthenticated");
    assert_eq!(told(&reply), ["watched"]);
    assert_eq!(reply.header("x-ratelimit-remaining"), "3");
    let reply = bench.client.get("/told/known").token("none").send().await;
    reply.refused(401, "unauthenticated");
    assert_eq!(told(&reply), ["watched"]);
    let reply = bench.get("/told/known", "alice").await;
    assert_eq!(told(reply.allowed(204)), ["plain", "watched", "known"]);
}

#[tokio::test]
async fn anybody_is_not_told_of_limits_that_only_who_was_authenticated_learns_of() {
    let bench = Bench::start().await;
    let reply = bench.client.get("/told/anybody").send().await;
    assert_eq!(told(reply.allowed(204)), ["plain", "watched"]);
    // no credential is looked at there
    assert_eq!(told(bench.get("/told/anybody", "alice").await.allowed(204)), ["plain", "watched"]);
}

#[tokio::test]
async fn who_is_refused_before_it_is_known_who_calls_learns_of_that_limit_where_it_says_so() {
    let bench = Bench::start().await;
    for _ in 0..4 {
        bench.client.get("/told/known").send().await.refused(401, "unauthenticated");
    }
    let reply = bench.client.get("/told/known").send().await;
    reply.refused(429, "rate_limited");
    assert_eq!(reply.json()["error"]["policy"], "watched");
    assert_eq!(told(&reply), ["watched"]);
    assert_eq!(reply.header("x-ratelimit-remaining"), "0");
    // one that does not say so is not told, whichever refuses
    for _ in 0..3 {
        bench.client.get("/site").send().await.allowed(204);
    }
    let reply = bench.client.get("/site").send().await;
    assert_eq!(told(reply.refused(429, "rate_limited")), ["site"], "a public operation tells");
}
