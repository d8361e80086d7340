//! Logins that name a tenant: the session has it, and nobody is in without it.

use palisade::{Caller, Problem};
use palisade_tests::events;
use serde_json::json;

use crate::bench::*;
use crate::callbacks::fails;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod crowd {
    include!(concat!(env!("OUT_DIR"), "/crowd.rs"));
}

use crowd::*;

struct Nothing;

impl Crowd for Nothing {
    async fn get_by_session(
        &self,
        _: Caller<GetBySession>,
        _: GetBySessionInput,
    ) -> Result<GetBySessionOutput, Problem> {
        Ok(GetBySessionOutput::NoContent)
    }

    async fn get_by_either(
        &self,
        _: Caller<GetByEither>,
        _: GetByEitherInput,
    ) -> Result<GetByEitherOutput, Problem> {
        Ok(GetByEitherOutput::NoContent)
    }

    async fn get_by_anybody(
        &self,
        _: Caller<GetByAnybody>,
        _: GetByAnybodyInput,
    ) -> Result<GetByAnybodyOutput, Problem> {
        Ok(GetByAnybodyOutput::NoContent)
    }
}

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

/// The document cannot say whether a login names tenants: by tenant, each user would be counted alone.
#[tokio::test]
async fn a_limit_by_tenants_of_a_login_that_names_none_is_refused_at_the_start() {
    let bench = Bench::start().await;
    let start = async |claim: Option<&str>| {
        let login = builder(&bench.provider, &bench.state, &bench.clock);
        let login = if let Some(claim) = claim { login.tenant_claim(claim) } else { login };
        let settings = palisade::Settings::new().public_origin(OURS).unwrap();
        let server = server(Nothing).session(login.open().await.unwrap()).key(keys().0).settings(settings);
        server.build().map(|_| ()).map_err(|error| error.to_string())
    };
    let error = start(None).await.unwrap_err();
    assert!(error.contains("operation `getBySession`: the limit `fair` counts by tenant"), "{error}");
    assert!(error.contains("`tenant_claim`"), "{error}");
    assert!(!error.contains("getByEither"), "a key may name one: {error}");
    assert!(!error.contains("getByAnybody"), "it is counted by address: {error}");
    assert_eq!(start(Some("org.id")).await, Ok(()));
}
