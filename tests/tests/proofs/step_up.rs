//! Logins that an operation asks for (RFC 9470).

use palisade_tests::events;
use palisade_tests::tokens::now;
use serde_json::{Value, json};

use crate::bench::{ALGORITHMS, Bench, Proves, challenges, shown};

const NEEDED: &str = r#"error="insufficient_user_authentication", acr_values="urn:bank:strong urn:bank:stronger", max_age="300""#;

#[tokio::test]
async fn a_login_of_the_asked_class_and_age_is_let_in_and_another_is_told_what_is_needed() {
    events::collect();
    let bench = Bench::start().await;
    let call = |acr: Value, time: Value| {
        let token = bench.token(&[("acr", acr), ("auth_time", time)]);
        bench.client.get("/strong").token(&token).send()
    };
    for class in ["urn:bank:strong", "urn:bank:stronger"] {
        call(json!(class), json!(now() - 250)).await.allowed(200);
    }
    call(json!("urn:bank:strong"), json!(now() as f64 - 0.5)).await.allowed(200);
    for (acr, time, reason) in [
        (Value::Null, json!(now()), "step_up_acr"),
        (json!("urn:bank:weak"), json!(now()), "step_up_acr"),
        (json!("URN:bank:strong"), json!(now()), "step_up_acr"),
        (json!("urn:bank:strong"), Value::Null, "step_up_auth_time"),
        (json!("urn:bank:strong"), json!(now() - 310), "step_up_auth_time"),
    ] {
        let reply = call(acr, time).await;
        reply.refused(401, "insufficient_user_authentication");
        assert_eq!(challenges(&reply), [format!(r#"Bearer realm="Proven doors", {NEEDED}"#)], "{reason}");
        let event = events::of(reply.header("x-request-id"));
        assert_eq!((&*event["failure_reason"], &*event["severity"]), (reason, "Low"), "{event:?}");
    }
    // of other types, or from the future: no token at all
    for (acr, time) in [
        (json!(["urn:bank:strong"]), json!(now())),
        (json!("urn:bank:strong"), json!(now().to_string())),
        (json!("urn:bank:strong"), json!(now() + 600)),
    ] {
        let reply = call(acr, time).await;
        reply.refused(401, "unauthenticated");
        assert_eq!(challenges(&reply), [r#"Bearer realm="Proven doors", error="invalid_token""#]);
    }
}

#[tokio::test]
async fn a_login_is_asked_for_after_the_token_and_before_its_scopes() {
    let bench = Bench::start().await;
    bench.client.get("/strong").send().await.refused(401, "unauthenticated");
    let poor = bench.token(&[("scope", json!(""))]);
    bench.client.get("/strong").token(&poor).send().await.refused(401, "insufficient_user_authentication");
    let strong = [("acr", json!("urn:bank:strong")), ("auth_time", json!(now())), ("scope", json!(""))];
    bench.client.get("/strong").token(&bench.token(&strong)).send().await.refused(403, "forbidden");
}

#[tokio::test]
async fn the_nearer_rule_wins_and_none_is_one() {
    let bench = Bench::start().await;
    bench.client.call("DELETE", "/strong").token(&bench.token(&[])).send().await.allowed(200);
    let call = |time: u64| {
        let cnf = json!({ "jkt": bench.key.thumbprint() });
        let token = bench.token(&[("cnf", cnf), ("auth_time", json!(time))]);
        let proof = bench.key.proof("POST", "/strong", &token);
        shown(bench.client.call("POST", "/strong"), &token, &[&proof]).send()
    };
    call(now() - 30).await.allowed(200);
    let reply = call(now() - 90).await;
    reply.refused(401, "insufficient_user_authentication");
    let needed = r#"DPoP realm="Proven doors", error="insufficient_user_authentication", max_age="60""#;
    assert_eq!(challenges(&reply), [format!("{needed}, {ALGORITHMS}")]);
}
