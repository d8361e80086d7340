//! Tokens that were revoked.

use palisade::{Denylist, DenylistError, DenylistStore, Entry, Mark, StoreFuture};
use palisade_tests::events;
use palisade_tests::tokens::{ISSUER, now};
use serde_json::json;

use super::bench::Bench;

#[tokio::test]
async fn a_token_is_good_until_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let state = palisade::State::open(folder.path().join("state")).unwrap();
    for denylist in [Denylist::in_memory(), Denylist::kept_in(state)] {
        is_good_until_it_is_revoked(denylist).await;
    }
}

async fn is_good_until_it_is_revoked(denylist: Denylist) {
    events::collect();
    let bench = Bench::with(denylist).await;
    let (one, other) = (bench.token("1", |_| {}), bench.token("2", |_| {}));
    for token in [&one, &other] {
        bench.get("/revocable", token).await.allowed(200);
    }
    bench.client.post("/logout", "").token(&one).send().await.allowed(204);
    let reply = bench.get("/revocable", &one).await;
    reply.refused(401, "unauthenticated");
    assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="Asked doors", error="invalid_token""#);
    assert_eq!(events::of(reply.header("x-request-id"))["failure_reason"], "revoked (scheme `revocable`)");
    bench.get("/revocable", &other).await.allowed(200);

    bench.client.post("/logout?everywhere=true", "").token(&other).send().await.allowed(204);
    bench.get("/revocable", &other).await.refused(401, "unauthenticated");
    let later = bench.token("3", |claims| claims["iat"] = json!(now() + 5));
    bench.get("/revocable", &later).await.allowed(200);
    let bob = bench.token("4", |claims| claims["sub"] = json!("bob"));
    bench.get("/revocable", &bob).await.allowed(200);

    bench.denylist.revoke_token(ISSUER, "4", now() + 600).await.unwrap();
    bench.get("/revocable", &bob).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_that_could_not_be_revoked_is_refused() {
    let bench = Bench::start().await;
    let nameless = bench.token("", |claims| _ = claims.as_object_mut().unwrap().remove("jti"));
    bench.get("/revocable", &nameless).await.refused(401, "unauthenticated");
    let day = 24 * 3600;
    let long = bench.token("1", |claims| claims["exp"] = json!(now() + day + 60));
    bench.get("/revocable", &long).await.refused(401, "unauthenticated");
    let shorter = bench.token("1", |claims| claims["exp"] = json!(now() + day - 60));
    bench.get("/revocable", &shorter).await.allowed(200);
}

/// A store that is away.
struct Away;

impl DenylistStore for Away {
    fn put(&self, _: Mark, _: Entry, _: u64) -> StoreFuture<'_, (), DenylistError> {
        Box::pin(async { Err(DenylistError::Store("no route to host".into())) })
    }

    fn get(&self, _: [Mark; 2], _: u64) -> StoreFuture<'_, [Option<Entry>; 2], DenylistError> {
        Box::pin(async { Err(DenylistError::Store("no route to host".into())) })
    }
}

#[tokio::test]
async fn a_denylist_that_cannot_be_asked_is_503() {
    events::collect();
    let bench = Bench::with(Denylist::new(Away)).await;
    let reply = bench.get("/revocable", &bench.token("1", |_| {})).await;
    reply.refused(503, "unavailable");
    assert_eq!(
        events::of(reply.header("x-request-id"))["failure_reason"],
        "revocation_unknown (scheme `revocable`)"
    );
    bench.get("/revocable", "a.b.c").await.refused(401, "unauthenticated");
}
