//! What lasts: keys that rotate, a state that fails, and what is kept in it.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use palisade::issuer::{Families, IssuerBuilder, SignIn};
use palisade::state::{self, Expected, Key, Next};
use palisade::{Denylist, JwkSet, Jwks};
use palisade_tests::client::Client;
use palisade_tests::events;

use crate::bench::*;

#[tokio::test]
async fn while_keys_are_rotated_no_good_token_is_refused() {
    const STEP: u64 = 300;
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let rotated = |builder: IssuerBuilder| builder.rotation(hours(3), hours(1));
    let bench = Bench::with(rotated).await;
    // another instance, and a verifier that reads the published keys once an hour
    let second = rotated(builder(&bench.base, &bench.state, &bench.clock)).open().await.unwrap();
    let hourly = Jwks::from(JwkSet::from_json(&bench.issuer.jwks().await).unwrap());
    let doors = doors(&bench.issuer, &bench.base, &bench.denylist, &bench.clock, hourly.clone()).await;
    let (mut live, mut kids) = (VecDeque::new(), Vec::new());
    for step in 0..150 {
        if step % 12 == 11 {
            let published = bench.desk.get("/jwks").send().await;
            assert_eq!(published.header("content-type"), "application/jwk-set+json");
            assert!(published.allowed(200).json()["keys"].as_array().unwrap().len() <= 2);
            hourly.replace(JwkSet::from_json(std::str::from_utf8(&published.body).unwrap()).unwrap());
        }
        let issuer = if step % 2 == 0 { &bench.issuer } else { &second };
        let sign_in = SignIn::new("alice", "app").scopes(["notes:read"]);
        let token = shown(&issuer.sign_in(&sign_in).await.unwrap().access).to_owned();
        let kid = part(&token, 0)["kid"].as_str().unwrap().to_owned();
        if kids.last() != Some(&kid) {
            kids.push(kid);
        }
        live.push_back(token);
        if live.len() > 2 {
            live.pop_front();
        }
        let calls =
            live.iter().flat_map(|token| ["/me", "/elsewhere"].map(|path| doors.get(path).token(token)));
        for reply in join_all(calls.map(|call| call.send())).await {
            reply.allowed(200);
        }
        bench.advance(STEP);
    }
    assert_eq!(kids.len(), 5, "the first key and four after it signed: {kids:?}");
    let published = bench.issuer.jwks().await;
    assert!(!published.contains(&kids[0]) && published.contains(&kids[4]));
}

/// A signing key was stolen.
#[tokio::test]
async fn keys_that_are_replaced_open_nothing_and_families_are_renewed_by_the_new_one() {
    let bench = Bench::start().await;
    let second = builder(&bench.base, &bench.state, &bench.clock).open().await.unwrap();
    let nothing_denied = Denylist::in_memory().clock(bench.clock.clone());
    let there = doors(&second, &bench.base, &nothing_denied, &bench.clock, second.keys()).await;
    let me = async |doors: &Client, token: &str| doors.get("/me").token(token).send().await.status.as_u16();
    let old = bench.sign_in("alice").await;
    let access = shown(&old.access).to_owned();
    assert_eq!((bench.me(&access).await, me(&there, &access).await), (200, 200));

    bench.issuer.replace_keys(Families::Keep).await.unwrap();
    assert_eq!(bench.me(&access).await, 401, "at once here");
    bench.doors.get("/me").token(&access).send().await.refused(401, "unauthenticated");
    let published = bench.desk.get("/jwks").send().await.allowed(200).json();
    let kids: Vec<_> = published["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert!(kids.len() == 1 && *kids[0] != part(&access, 0)["kid"], "{kids:?}");
    let (renewed, next) = pair(&bench.refresh(&renewing(&old)).await);
    assert_eq!(bench.me(&renewed).await, 200);
    assert_eq!(me(&there, &access).await, 200, "the other instance has not looked yet");
    bench.advance(30);
    second.jwks().await;
    assert_eq!((me(&there, &access).await, me(&there, &renewed).await), (401, 200));

    bench.issuer.replace_keys(Families::End).await.unwrap();
    assert_eq!(bench.me(&renewed).await, 401);
    refused(&bench.refresh(&next).await, 400, "invalid_grant");
    let again = bench.sign_in("alice").await;
    assert_eq!(bench.me(shown(&again.access)).await, 200);
    pair(&bench.refresh(&renewing(&again)).await);
    let event = events::with("failure_reason", "signing_keys_replaced").pop().unwrap();
    assert_eq!((event["severity"].as_str(), event["event_type"].as_str()), ("High", "authn_token_revoked"));
}

#[tokio::test]
async fn keys_are_not_replaced_while_the_state_fails_and_a_lost_answer_is_told() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    bench.fault.store(DOWN, Ordering::SeqCst);
    assert!(bench.issuer.replace_keys(Families::Keep).await.is_err());
    assert_eq!(bench.me(shown(&tokens.access)).await, 200);
    bench.fault.store(LOSES_ANSWERS, Ordering::SeqCst);
    assert!(bench.issuer.replace_keys(Families::Keep).await.is_err());
    bench.fault.store(WELL, Ordering::SeqCst);
    bench.issuer.replace_keys(Families::Keep).await.unwrap();
    assert_eq!(bench.me(shown(&tokens.access)).await, 401);
    assert_eq!(bench.me(shown(&bench.sign_in("alice").await.access)).await, 200);
}

#[tokio::test]
async fn while_the_state_fails_nothing_is_issued_and_a_lost_answer_means_signing_in_again() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    bench.fault.store(DOWN, Ordering::SeqCst);
    let reply = bench.refresh(&renewing(&tokens)).await;
    refused(&reply, 503, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), "1");
    let told = events::with("request_id", reply.header("x-request-id"));
    assert!(told.iter().any(|fields| fields["target"] == "palisade::issuer"), "the log says why: {told:?}");
    let form = format!("client_id=app&token={}", renewing(&tokens));
    refused(&bench.post("/revoke", &form).await, 503, "temporarily_unavailable");
    assert!(bench.issuer.sign_in(&SignIn::new("alice", "app")).await.is_err());
    assert!(bench.issuer.revoke_all("alice").await.is_err());
    bench.desk.get("/jwks").send().await.allowed(200);
    assert_eq!(bench.me(shown(&tokens.access)).await, 200);
    bench.advance(31);
    assert!(bench.issuer.client_token("back", "").await.is_err(), "nobody signs by keys that are old");
    bench.fault.store(WELL, Ordering::SeqCst);
    let (_, next) = pair(&bench.refresh(&renewing(&tokens)).await);

    bench.fault.store(LOSES_ANSWERS, Ordering::SeqCst);
    refused(&bench.refresh(&next).await, 503, "temporarily_unavailable");
    bench.fault.store(WELL, Ordering::SeqCst);
    refused(&bench.refresh(&next).await, 400, "invalid_grant");
}

#[tokio::test]
async fn what_is_kept_shows_no_token_and_opens_nothing_when_it_is_changed() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    let (family, token) = (tokens.family.clone().unwrap(), renewing(&tokens));
    let key = Key::new(state::Kind::Family, &[b"family", bench.base.as_bytes(), family.as_bytes()]);
    let record = bench.state.get(key).await.unwrap().unwrap();
    let text = String::from_utf8(record.value).unwrap();
    assert!(text.contains("notes:read notes:write") && !text.contains(token.rsplit('.').next().unwrap()));
    let change = |text: String, version| {
        let next = Next::Record { value: text.into_bytes(), keep: Duration::from_secs(900) };
        bench.state.swap(key, Expected::Version(version), next)
    };
    for (from, to) in [("\"alice\"", "\"admin\""), ("notes:read notes", "notes:read admin notes")] {
        let version = bench.state.get(key).await.unwrap().unwrap().version;
        assert!(text.contains(from));
        change(text.replacen(from, to, 1), version).await.unwrap();
        refused(&bench.refresh(&token).await, 400, "invalid_grant");
    }
    let version = bench.state.get(key).await.unwrap().unwrap().version;
    change(text, version).await.unwrap();
    pair(&bench.refresh(&token).await);
}
