//! The endpoints and their clients: who may revoke, who may ask for itself, what is posted and what is published.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade::issuer::{Clients, IssuerKeys};
use palisade::{Issuer, State};
use palisade_tests::client::Client;
use palisade_tests::events;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::bench::*;

#[tokio::test]
async fn a_client_revokes_its_own_tokens_and_no_others() {
    let bench = Bench::start().await;
    let (one, other) = (bench.sign_in("alice").await, bench.sign_in("alice").await);
    let revoke = |client: &str, token: &str| format!("client_id={client}&token={token}");
    let (access, renews) = (shown(&one.access), renewing(&one));
    for token in [access, &renews] {
        refused(&bench.post("/revoke", &revoke("other", token)).await, 400, "invalid_grant");
        refused(&bench.post("/revoke", &revoke("nobody", token)).await, 401, "invalid_client");
        refused(&bench.post("/revoke", &format!("token={token}")).await, 401, "invalid_client");
        refused(&bench.post("/revoke", &revoke("back", token)).await, 401, "invalid_client");
    }
    assert_eq!(bench.me(access).await, 200);
    let forged = renews.rsplit_once('.').map(|(rest, _)| format!("{rest}.{}", "A".repeat(43))).unwrap();
    for unknown in ["x", "a.b.c", "rt.a.0.b", &forged] {
        bench.post("/revoke", &revoke("app", unknown)).await.allowed(200);
    }
    assert_eq!(bench.me(access).await, 200);

    let (second, renews) = pair(&bench.refresh(&renews).await);
    let reply = bench.post("/revoke", &revoke("app", access)).await;
    assert!(reply.allowed(200).body.is_empty() && reply.header("cache-control") == "no-store");
    assert_eq!((bench.me(access).await, bench.me(&second).await), (401, 200), "this token and no other");
    bench
        .post("/revoke", &format!("{}&token_type_hint=access_token", revoke("app", &renews)))
        .await
        .allowed(200);
    assert_eq!(bench.me(&second).await, 401);
    refused(&bench.refresh(&renews).await, 400, "invalid_grant");
    assert_eq!(bench.me(shown(&other.access)).await, 200);
    pair(&bench.refresh(&renewing(&other)).await);
}

#[tokio::test]
async fn a_client_with_a_secret_asks_for_itself_and_a_public_one_does_not() {
    let bench = Bench::start().await;
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("back:{secret}")));
    let call = |authorization: String, form: &str| {
        let call = bench.desk.call("POST", "/token").header("authorization", &authorization);
        call.header("content-type", "application/x-www-form-urlencoded").body(form).send()
    };
    let reply = call(basic(&bench.secret), "grant_type=client_credentials&scope=notes:read").await;
    let body = reply.allowed(200).json();
    assert_eq!(body["refresh_token"], Value::Null);
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        (part(token, 1)["sub"].as_str(), part(token, 1)["client_id"].as_str()),
        (Some("back"), Some("back"))
    );
    assert_eq!(bench.doors.get("/me").token(token).send().await.allowed(200).json(), "back");
    let reply = call(basic(&bench.secret), "grant_type=client_credentials&scope=notes:admin").await;
    refused(&reply, 400, "invalid_scope");
    let reply = call(basic("canary0canary"), "grant_type=client_credentials").await;
    refused(&reply, 401, "invalid_client");
    assert!(reply.header("www-authenticate").starts_with("Basic "));
    let both = format!("grant_type=client_credentials&client_id=back&client_secret={}", bench.secret);
    bench.post("/token", &both).await.allowed(200);
    refused(&call(basic(&bench.secret), &both).await, 400, "invalid_request");
    let other = call(basic(&bench.secret), "grant_type=client_credentials&client_id=app").await;
    refused(&other, 400, "invalid_request");
    let public = bench.post("/token", "grant_type=client_credentials&client_id=app").await;
    refused(&public, 400, "unauthorized_client");
    let public = bench.post("/token", "grant_type=client_credentials&client_id=app&client_secret=x").await;
    refused(&public, 401, "invalid_client");
    let named = bench.post("/token", "grant_type=client_credentials&client_id=back").await;
    refused(&named, 401, "invalid_client");
    let wrong = "grant_type=client_credentials&client_id=back&client_secret=canary0canary";
    refused(&bench.post("/token", wrong).await, 401, "invalid_client");
    let log = events::everything();
    for secret in ["canary0canary", &basic("canary0canary")[6..], &basic(&bench.secret)[6..], &bench.secret] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
}

#[tokio::test]
async fn guesses_at_a_secret_are_too_many_at_last_and_the_secret_itself_is_taken() {
    let settings = palisade::Settings::new().failed_attempts(2, 4).trusted_proxies(["127.0.0.1"]).unwrap();
    let bench = Bench::with(|builder| builder.settings(&settings)).await;
    let post = |path: &str, from: &str, form: &str| {
        let call = bench.desk.call("POST", path).header("x-forwarded-for", from);
        call.header("content-type", "application/x-www-form-urlencoded").body(form).send()
    };
    let ask = |from: &'static str, client: &str, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        post("/token", from, &form)
    };
    let (here, there) = ("192.0.2.1", "198.51.100.9");
    for from in [here, there] {
        let reply = ask(from, "back", "wrong").await;
        refused(&reply, 401, "invalid_client");
        let events = events::with("request_id", reply.header("x-request-id"));
        let event = events.iter().find(|event| event["event_type"] == "authn_login_fail").unwrap();
        let request = ["failure_reason", "source_ip", "endpoint"].map(|field| &*event[field]);
        assert_eq!(request, ["client_unknown", from, "POST /token"]);
    }
    let reply = ask("203.0.113.1", "back", "wrong").await;
    refused(&reply, 429, "slow_down");
    assert!((29..=33).contains(&reply.header("retry-after").parse::<u32>().unwrap()));
    refused(&post("/revoke", here, "token=x&client_id=back&client_secret=y").await, 429, "slow_down");
    ask(there, "back", &bench.secret).await.allowed(200);
    // whoever they claim to be, they are one network
    for client in ["a", "b", "c"] {
        refused(&ask(there, client, "wrong").await, 401, "invalid_client");
    }
    refused(&ask(there, "d", "wrong").await, 429, "slow_down");
    refused(&ask(here, "d", "wrong").await, 401, "invalid_client");
}

#[tokio::test]
async fn the_id_of_a_request_is_taken_from_a_proxy_only() {
    let settings = palisade::Settings::new().trusted_proxies(["127.0.0.1"]).unwrap();
    let (behind, bare) = (Bench::with(|builder| builder.settings(&settings)).await, Bench::start().await);
    let ask = |bench: &Bench| bench.desk.get("/jwks").header("x-request-id", "edge-0123456789").send();
    assert_eq!(ask(&behind).await.header("x-request-id"), "edge-0123456789");
    let fresh = ask(&bare).await;
    assert_eq!(fresh.header("x-request-id").len(), 36, "one of ours");
}

#[tokio::test]
async fn refresh_tokens_that_are_not_good_count_for_their_network_and_a_good_one_is_taken() {
    let settings = palisade::Settings::new().failed_attempts(5, 2);
    let bench = Bench::with(|builder| builder.settings(&settings)).await;
    for number in 0..20 {
        refused(&bench.refresh(&format!("made-up-{number}")).await, 400, "invalid_grant");
    }
    refused(&bench.refresh("another").await, 429, "slow_down");
    let (_, next) = pair(&bench.refresh(&renewing(&bench.sign_in("alice").await)).await);
    pair(&bench.refresh(&next).await);
}

#[tokio::test]
async fn what_is_posted_is_a_form_and_says_each_thing_once() {
    let bench = Bench::start().await;
    let token = renewing(&bench.sign_in("alice").await);
    let good = format!("grant_type=refresh_token&client_id=app&refresh_token={token}");
    for bad in [
        String::new(),
        format!("{good}&client_id=app"),
        format!("{good}&x=1&x=1"),
        format!("{good}&%63lient_id=other"),
        format!("{good}&pad={}", "x".repeat(16 * 1024)),
        format!("{good}&x=%ff"),
        "grant_type=refresh_token&client_id=app".to_owned(),
        format!("client_id=app&refresh_token={token}"),
    ] {
        let reply = bench.post("/token", &bad).await;
        let unnamed = bad.is_empty();
        refused(
            &reply,
            if unnamed { 401 } else { 400 },
            if unnamed { "invalid_client" } else { "invalid_request" },
        );
    }
    let json = bench.desk.post("/token", &good).send().await;
    refused(&json, 400, "invalid_request");
    let password = bench.post("/token", "grant_type=password&client_id=app").await;
    refused(&password, 400, "unsupported_grant_type");
    assert_eq!(bench.desk.get(&format!("/token?{good}")).send().await.status, 405);
    let in_query = bench.post(&format!("/token?{good}"), "client_id=app&grant_type=refresh_token").await;
    refused(&in_query, 400, "invalid_request");
    pair(&bench.post("/token", &format!("{good}&unknown=1&scope=")).await);
}

#[tokio::test]
async fn the_metadata_say_where_everything_is() {
    let bench = Bench::start().await;
    let reply = bench.desk.get("/.well-known/oauth-authorization-server").send().await;
    let metadata = reply.allowed(200).json();
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(metadata["issuer"], bench.base);
    for (member, path) in
        [("token_endpoint", "/token"), ("revocation_endpoint", "/revoke"), ("jwks_uri", "/jwks")]
    {
        assert_eq!(metadata[member], format!("{}{path}", bench.base));
    }
    let keys = bench.desk.get("/jwks").send().await.json();
    let key = &keys["keys"][0];
    assert!(key["x"].is_string() && key.get("d").is_none() && key["use"] == "sig");
    drop(bench.elsewhere);
    // an issuer with a path has its metadata before it (RFC 8414 section 3.1)
    let keys = IssuerKeys::generate().unwrap();
    let tenant = Issuer::builder("https://id.example.com/tenant", "api", State::memory(), keys);
    let router = tenant.open().await.unwrap().router(Clients::new([]).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(router).listener(listener).await.unwrap() });
    client.get("/.well-known/oauth-authorization-server/tenant").send().await.allowed(200);
    client.get("/tenant/jwks").send().await.allowed(200);
    assert_eq!(client.get("/jwks").send().await.status, 404);
}
