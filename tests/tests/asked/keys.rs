//! Keys that are where an issuer says.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use palisade::{ConfigError, Denylist, Introspection, JwkSet, Jwks, Jwt, Secret, ServeError, Server};
use palisade_tests::events;
use palisade_tests::tokens::{ISSUER, Signer, claims, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::api::server;
use super::bench::{Bench, Service, issuer};

#[tokio::test]
async fn the_keys_of_an_issuer_are_where_it_says_and_verify_its_own_tokens_only() {
    let bench = Bench::start().await;
    let own = bench.token("1", |claims| claims["iss"] = json!(bench.base));
    assert_eq!(bench.get("/signed", &own).await.allowed(200).json(), format!("alice of {}", bench.base));
    bench.get("/signed", &bench.token("1", |_| {})).await.refused(401, "unauthenticated");
    let asked = || {
        let counts = [&bench.issuer.metadata_asked, &bench.issuer.keys_asked];
        counts.map(|count| count.load(Ordering::SeqCst))
    };
    assert_eq!(asked(), [1, 1]);
    let claims = claims("alice", "");
    let strange: Vec<_> =
        (0..1000).map(|number| bench.signer.sign(&header(&format!("random-{number}")), &claims)).collect();
    for some in strange.chunks(100) {
        for reply in join_all(some.iter().map(|token| bench.get("/signed", token))).await {
            match reply.status.as_u16() {
                401 => _ = reply.refused(401, "unauthenticated"),
                // it was not looked for, and nobody says that it is not there
                _ => assert!(!reply.refused(503, "unavailable").header("retry-after").is_empty()),
            }
        }
    }
    bench.get("/signed", &own).await.allowed(200);
    assert!(asked().iter().all(|count| *count <= 4), "{:?}", asked());
}

/// While nobody can be asked, what is known is good, and of what is not nobody says that it is bad.
#[tokio::test]
async fn an_outage_of_the_keys_is_503_for_new_ones_and_nothing_for_known_ones() {
    let bench = Bench::start().await;
    let signed = |signer: &Signer, kid: &str| {
        let mut claims = claims("alice", "");
        claims["iss"] = json!(bench.base);
        signer.sign(&header(kid), &claims)
    };
    let (known, new) = (signed(&bench.signer, "k1"), Signer::new("k2"));
    bench.get("/signed", &known).await.allowed(200);
    *bench.issuer.keys.lock().unwrap() = "the disk is full".to_owned();
    let reply = bench.get("/signed", &signed(&new, "k2")).await;
    assert!(!reply.refused(503, "unavailable").header("retry-after").is_empty());
    bench.get("/signed", &known).await.allowed(200);
    let mut keys: Value = serde_json::from_str(new.jwks()).unwrap();
    let old: Value = serde_json::from_str(bench.signer.jwks()).unwrap();
    keys["keys"].as_array_mut().unwrap().extend(old["keys"].as_array().unwrap().clone());
    *bench.issuer.keys.lock().unwrap() = keys.to_string();
    bench.get("/signed", &signed(&new, "k2")).await.allowed(200);
    bench.get("/signed", &known).await.allowed(200);
}

/// A server with these keys, and introspection at `base`.
fn with_keys(base: &str, keys: Jwks) -> Server {
    let far = Introspection::new(&format!("{base}/introspect"), "a", &Secret::new("b".to_owned())).unwrap();
    let denylist = Denylist::in_memory();
    server(Service { denylist: denylist.clone() })
        .opaque(far.clone())
        .cached(far)
        .revocable(Jwt::new(JwkSet::from_json(Signer::new("k1").jwks()).unwrap()).issuer(ISSUER))
        .signed(Jwt::new(keys))
        .denylist(denylist)
        .build()
        .unwrap()
}

async fn ready(base: &str, keys: Jwks) -> Result<(), ConfigError> {
    with_keys(base, keys).ready().await
}

#[tokio::test]
async fn an_issuer_that_is_another_one_or_names_no_keys_is_said_before_the_server_is_ready() {
    let (issuer, base) = issuer().await;
    *issuer.keys.lock().unwrap() = Signer::new("k1").jwks().to_owned();
    let ready = |keys: Jwks| ready(&base, keys);
    let tenant = format!("{base}/tenant");
    let says = |issuer_said: &str| {
        *issuer.metadata.lock().unwrap() =
            json!({ "issuer": issuer_said, "jwks_uri": format!("{base}/keys") }).to_string();
    };
    says(&base);
    assert!(ready(Jwks::discover(&base).unwrap()).await.is_ok());
    assert!(ready(Jwks::discover_oauth(&tenant).unwrap()).await.is_err(), "it is another issuer");
    says(&tenant);
    assert!(ready(Jwks::discover_oauth(&tenant).unwrap()).await.is_ok());
    assert!(ready(Jwks::discover(&base).unwrap()).await.is_err(), "it is another issuer");
    *issuer.metadata.lock().unwrap() = json!({ "issuer": base }).to_string();
    assert!(ready(Jwks::discover(&base).unwrap()).await.is_err(), "it names no keys");
}

/// Whoever runs it need not ask whether it is ready.
#[tokio::test]
async fn a_server_whose_keys_cannot_be_had_does_not_run() {
    let nowhere = "http://127.0.0.1:1";
    let server = with_keys(nowhere, Jwks::discover(nowhere).unwrap());
    let ran = timeout(Duration::from_secs(10), palisade::serve(server).listen("127.0.0.1:0").into_future());
    assert!(matches!(ran.await, Ok(Err(ServeError::NotReady(_)))));
}

#[tokio::test]
async fn what_is_left_out_of_the_keys_of_an_issuer_is_told() {
    events::collect();
    let told = |base: &str, message: &str| {
        let mut told = events::with("address", &format!("{base}/.well-known/openid-configuration"));
        told.retain(|event| event["message"] == message);
        told
    };
    let (issuer, base) = issuer().await;
    *issuer.metadata.lock().unwrap() =
        json!({ "issuer": base, "jwks_uri": format!("{base}/keys") }).to_string();
    let mut keys: Value = serde_json::from_str(Signer::new("k1").jwks()).unwrap();
    let mut other = keys["keys"][0].clone();
    (other["kid"], other["use"]) = (json!("of no use"), json!("enc"));
    keys["keys"].as_array_mut().unwrap().push(other.clone());
    *issuer.keys.lock().unwrap() = keys.to_string();
    let ready = ready(&base, Jwks::discover(&base).unwrap());
    assert!(ready.await.is_ok());
    let [left_out] = &told(&base, "key left out")[..] else { panic!("{}", events::everything()) };
    assert_eq!((&*left_out["kid"], &*left_out["why"]), ("of no use", "its `use` is not `sig`"));

    *issuer.keys.lock().unwrap() = json!({ "keys": [other] }).to_string();
    assert!(self::ready(&base, Jwks::discover(&base).unwrap()).await.is_err());
    let [refused] = &told(&base, "key set not refreshed")[..] else { panic!("{}", events::everything()) };
    assert_eq!(refused["why"], "no usable key; `of no use`: its `use` is not `sig`");
}

#[test]
fn keys_of_one_issuer_are_no_keys_of_another() {
    let keys = || JwkSet::from_json(Signer::new("k1").jwks()).unwrap();
    let far = Introspection::new("http://127.0.0.1:1/i", "a", &Secret::new("b".to_owned())).unwrap();
    let faults = |signed: Jwt| {
        let denylist = Denylist::in_memory();
        let built = server(Service { denylist: denylist.clone() })
            .opaque(far.clone().issuer("https://other"))
            .cached(far.clone())
            .revocable(Jwt::new(keys()).issuer(ISSUER))
            .signed(signed)
            .denylist(denylist)
            .build();
        built.unwrap_err().to_string()
    };
    let jwks = Jwks::discover("https://id.example.com").unwrap();
    assert!(faults(Jwt::new(jwks.clone()).issuer("https://other")).contains("scheme `signed`"));
    let text = faults(Jwt::new(jwks));
    assert!(text.contains("scheme `opaque`") && !text.contains("scheme `signed`"), "{text}");
}
