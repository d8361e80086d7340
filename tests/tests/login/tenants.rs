//! Logins that name a tenant: the session has it, and nobody is in without it.

use palisade_tests::events;
use serde_json::json;

use crate::bench::*;
use crate::callbacks::fails;

#[tokio::test]
async fn a_session_is_of_the_tenant_that_its_login_names() {
    let bench = Bench::with(|builder| builder.tenant_claim("org.id")).await;
    bench.provider.lie(|lies| lies.claims = json!({ "org": { "id": "north" } }));
    let mut browser = bench.logged_in().await;
    assert_eq!(browser.get("/notes").await.allowed(200).json(), "alice in north");
    for claims in [json!({}), json!({ "org": { "id": "" } }), json!({ "org": { "id": ["north"] } })] {
        bench.provider.lie(|lies| lies.claims = claims);
        let mut browser = bench.browser();
        let back = browser.begin("/login").await;
        fails(&bench, &mut browser, &back, 502, "no_tenant").await;
    }
    assert_eq!(browser.get("/notes").await.allowed(200).json(), "alice in north", "as it began");
}

#[tokio::test]
async fn a_session_that_began_before_logins_named_tenants_is_over() {
    let bench = Bench::start().await;
    bench.provider.lie(|lies| lies.claims = json!({ "org": { "id": "north" } }));
    let mut browser = bench.logged_in().await;
    assert_eq!(browser.get("/notes").await.allowed(200).json(), "alice", "nobody asked for a tenant");
    let login = builder(&bench.provider, &bench.state, &bench.clock).tenant_claim("org.id").open().await;
    (browser.site, _) = site(&login.unwrap(), &bench.clock).await;
    let reply = browser.get("/notes").await;
    reply.refused(401, "unauthenticated");
    assert!(events::of(reply.header("x-request-id"))["failure_reason"].contains("no_tenant"));
    browser.log_in("/login").await.allowed(303);
    assert_eq!(browser.get("/notes").await.allowed(200).json(), "alice in north");
}
