//! Tokens that are bound to keys from the start (RFC 9449 sections 5 and 6): the endpoint, the sign-in, and the door that takes
//! them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use palisade::issuer::{SignIn, Tokens};
use palisade_tests::client::Reply;
use palisade_tests::tokens::{ClientKey, sha256};
use serde_json::{Value, json};

use crate::bench::*;

fn proof(key: &ClientKey, claims: &Value) -> String {
    key.sign("dpop+jwt", &key.jwk, claims)
}

fn for_post(key: &ClientKey, uri: &str) -> String {
    proof(key, &claims("POST", uri))
}

fn claims(method: &str, uri: &str) -> Value {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).unwrap();
    json!({ "htm": method, "htu": uri, "iat": START, "jti": URL_SAFE_NO_PAD.encode(id) })
}

/// A sign-in of Alice, whose client brought a proof with its request.
async fn sign_in(bench: &Bench, key: &ClientKey) -> Tokens {
    let mut headers = HeaderMap::new();
    let proof = for_post(key, &format!("{}/sign-in", bench.base));
    headers.insert("dpop", proof.parse().unwrap());
    let proven = bench.issuer.proven_key("POST", "/sign-in", &headers).unwrap().unwrap();
    assert_eq!(proven.thumbprint(), key.thumbprint());
    let again = SignIn::new("alice", "app").scopes(["notes:read"]).bound_to(proven);
    let tokens = bench.issuer.sign_in(&again).await.unwrap();
    assert!(bench.issuer.sign_in(&again).await.is_err(), "a proof is good once");
    tokens
}

async fn ask(bench: &Bench, form: &str, proof: Option<&str>) -> Reply {
    let call = bench.desk.call("POST", "/token").header("content-type", "application/x-www-form-urlencoded");
    let call = call.body(form);
    match proof {
        Some(proof) => call.header("dpop", proof).send().await,
        None => call.send().await,
    }
}

fn renewal(client: &str, token: &str) -> String {
    format!("grant_type=refresh_token&client_id={client}&refresh_token={token}")
}

/// What the door says to this token beside a proof by this key.
async fn at_the_door(bench: &Bench, token: &str, key: &ClientKey) -> u16 {
    let mut claims = claims("GET", &format!("{ORIGIN}/proven"));
    claims["ath"] = sha256(token).into();
    let call = bench.doors.get("/proven").header("authorization", &format!("DPoP {token}"));
    call.header("dpop", &proof(key, &claims)).send().await.status.as_u16()
}

#[tokio::test]
async fn what_is_signed_in_with_a_key_is_bound_to_it() {
    let bench = Bench::start().await;
    let (key, thief) = (ClientKey::default(), ClientKey::default());
    let tokens = sign_in(&bench, &key).await;
    assert_eq!(tokens.token_type, "DPoP");
    let access = shown(&tokens.access);
    assert_eq!(part(access, 1)["cnf"], json!({ "jkt": key.thumbprint() }));
    assert_eq!(at_the_door(&bench, access, &key).await, 200);
    assert_eq!(at_the_door(&bench, access, &thief).await, 401);
    assert_eq!(bench.me(access).await, 401, "no bearer's");

    let uri = format!("{}/token", bench.base);
    let form = renewal("app", &renewing(&tokens));
    refused(&ask(&bench, &form, None).await, 400, "invalid_dpop_proof");
    refused(&ask(&bench, &form, Some(&for_post(&thief, &uri))).await, 400, "invalid_grant");
    let reply = ask(&bench, &form, Some(&for_post(&key, &uri))).await;
    let (access, renews) = pair(&reply);
    assert_eq!(reply.json()["token_type"], "DPoP");
    assert_eq!(at_the_door(&bench, &access, &key).await, 200);
    pair(&ask(&bench, &renewal("app", &renews), Some(&for_post(&key, &uri))).await);
    refused(&ask(&bench, &form, Some(&for_post(&key, &uri))).await, 400, "invalid_grant");
    assert_eq!(at_the_door(&bench, &access, &key).await, 401, "a spent token ends the family");
}

/// Who stole a refresh token that is bound to nothing, and binds it to a key of their own, is found out like any other.
#[tokio::test]
async fn a_thief_does_not_hide_behind_a_key_of_their_own() {
    for honest_has_a_key in [false, true] {
        let bench = Bench::start().await;
        let (thief, honest) = (ClientKey::default(), ClientKey::default());
        let uri = format!("{}/token", bench.base);
        let stolen = renewal("app", &renewing(&bench.sign_in("alice").await));
        let (access, renews) = pair(&ask(&bench, &stolen, Some(&for_post(&thief, &uri))).await);
        assert_eq!(at_the_door(&bench, &access, &thief).await, 200);
        let proof = honest_has_a_key.then(|| for_post(&honest, &uri));
        refused(&ask(&bench, &stolen, proof.as_deref()).await, 400, "invalid_grant");
        assert_eq!(at_the_door(&bench, &access, &thief).await, 401);
        let again = ask(&bench, &renewal("app", &renews), Some(&for_post(&thief, &uri))).await;
        refused(&again, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_family_is_bound_from_its_first_proof_on() {
    let bench = Bench::start().await;
    let (key, uri) = (ClientKey::default(), format!("{}/token", bench.base));
    let tokens = bench.sign_in("alice").await;
    assert_eq!((tokens.token_type, bench.me(shown(&tokens.access)).await), ("Bearer", 200));
    let (plain, renews) = pair(&bench.refresh(&renewing(&tokens)).await);
    assert_eq!(part(&plain, 1)["cnf"], Value::Null);
    let (bound, renews) = pair(&ask(&bench, &renewal("app", &renews), Some(&for_post(&key, &uri))).await);
    assert_eq!(part(&bound, 1)["cnf"]["jkt"], key.thumbprint());
    refused(&ask(&bench, &renewal("app", &renews), None).await, 400, "invalid_dpop_proof");
    pair(&ask(&bench, &renewal("app", &renews), Some(&for_post(&key, &uri))).await);
}

#[tokio::test]
async fn a_proof_is_for_this_endpoint_at_this_time_and_once() {
    let bench = Bench::start().await;
    let (key, uri) = (ClientKey::default(), format!("{}/token", bench.base));
    let form = format!("grant_type=client_credentials&client_id=back&client_secret={}", bench.secret);
    let changed = |name: &str, value: Value| {
        let mut claims = claims("POST", &uri);
        claims[name] = value;
        proof(&key, &claims)
    };
    let proof = for_post(&key, &uri);
    let forged = format!("{}{}", &proof[..proof.len() - 4], "AAAA");
    for bad in [
        "nonsense",
        &forged,
        &changed("htm", json!("GET")),
        &changed("htu", json!(format!("{}/revoke", bench.base))),
        &changed("htu", json!("https://elsewhere.example.com/token")),
        &changed("iat", json!(START - 61)),
        &changed("iat", json!(START + 6)),
        &changed("jti", json!("")),
    ] {
        refused(&ask(&bench, &form, Some(bad)).await, 400, "invalid_dpop_proof");
    }
    let reply = ask(&bench, &form, Some(&proof)).await;
    let body = reply.allowed(200).json();
    assert_eq!(body["token_type"], "DPoP");
    assert_eq!(part(body["access_token"].as_str().unwrap(), 1)["cnf"]["jkt"], key.thumbprint());
    refused(&ask(&bench, &form, Some(&proof)).await, 400, "invalid_dpop_proof");
    let twice = bench.desk.call("POST", "/token").header("content-type", "application/x-www-form-urlencoded");
    let twice = twice.header("dpop", &for_post(&key, &uri)).header("dpop", &for_post(&key, &uri));
    refused(&twice.body(&form).send().await, 400, "invalid_dpop_proof");
    assert_eq!(ask(&bench, &form, None).await.allowed(200).json()["token_type"], "Bearer");
}

#[tokio::test]
async fn a_client_that_is_to_prove_its_key_gets_nothing_without() {
    let bench = Bench::start().await;
    let (key, uri) = (ClientKey::default(), format!("{}/token", bench.base));
    let tokens = bench.issuer.sign_in(&SignIn::new("alice", "careful")).await.unwrap();
    let form = renewal("careful", &renewing(&tokens));
    refused(&ask(&bench, &form, None).await, 400, "invalid_dpop_proof");
    pair(&ask(&bench, &form, Some(&for_post(&key, &uri))).await);
}

#[tokio::test]
async fn a_secret_binds_the_refresh_token_of_a_client_that_has_one() {
    let bench = Bench::start().await;
    let (first, second) = (ClientKey::default(), ClientKey::default());
    let uri = format!("{}/token", bench.base);
    let tokens = bench.issuer.sign_in(&SignIn::new("alice", "back")).await.unwrap();
    let form = |token: &str| format!("{}&client_secret={}", renewal("back", token), bench.secret);
    let (_, renews) = pair(&ask(&bench, &form(&renewing(&tokens)), Some(&for_post(&first, &uri))).await);
    let (access, renews) = pair(&ask(&bench, &form(&renews), Some(&for_post(&second, &uri))).await);
    assert_eq!(part(&access, 1)["cnf"]["jkt"], second.thumbprint());
    refused(&ask(&bench, &form(&renews), None).await, 400, "invalid_dpop_proof");
}

#[tokio::test]
async fn the_metadata_name_the_algorithms_of_proofs() {
    let bench = Bench::start().await;
    let metadata = bench.desk.get("/.well-known/oauth-authorization-server").send().await;
    let algorithms = metadata.json()["dpop_signing_alg_values_supported"].clone();
    assert_eq!(algorithms, json!(["ES256", "ES384", "EdDSA", "RS256", "PS256"]));
}
