//! Families of tokens: what a sign-in opens, how it is renewed, and what ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use palisade::issuer::{GrantError, SignIn};
use palisade::{Clock, Denylist, Issuer, Secret, State};
use palisade_tests::client::Client;
use palisade_tests::events;
use palisade_tests::faulty::who_asked_leaves;
use serde_json::json;

use crate::bench::*;

#[tokio::test]
async fn a_sign_in_opens_doors_until_it_expires_and_is_renewed() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    let access = shown(&tokens.access);
    assert_eq!(bench.doors.get("/me").token(access).send().await.allowed(200).json(), "alice");
    let elsewhere = bench.doors.get("/elsewhere").token(access).send().await;
    assert_eq!(elsewhere.allowed(200).json(), "alice", "by the keys that the metadata name");
    assert_eq!(bench.me(&renewing(&tokens)).await, 401, "a refresh token is no access token");

    assert_eq!((&part(access, 0)["typ"], &part(access, 0)["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let mut claims = part(access, 1);
    assert_eq!(claims["jti"].take(), format!("{}.1", tokens.family.as_deref().unwrap()));
    let wanted = json!({
        "iss": bench.base, "aud": "gate", "sub": "alice", "client_id": "app", "jti": null,
        "iat": START, "exp": START + 600, "auth_time": START, "scope": "notes:read notes:write",
    });
    assert_eq!(claims, wanted);

    bench.advance(500);
    let reply = bench.refresh(&renewing(&tokens)).await;
    let (second, renewing) = pair(&reply);
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    let body = reply.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(part(&second, 1)["auth_time"], START, "the login was then");
    assert_eq!((bench.me(access).await, bench.me(&second).await), (200, 200));
    bench.advance(200);
    assert_eq!((bench.me(access).await, bench.me(&second).await), (401, 200));
    pair(&bench.refresh(&renewing).await);
}

#[tokio::test]
async fn a_refresh_token_that_was_used_before_ends_its_family_and_no_other() {
    let bench = Bench::start().await;
    let (first, neighbour) = (bench.sign_in("alice").await, bench.sign_in("alice").await);
    let family = first.family.clone().unwrap();
    let mut all = vec![(shown(&first.access).to_owned(), renewing(&first))];
    for _ in 0..5 {
        bench.advance(10);
        let reply = bench.refresh(&all.last().unwrap().1).await;
        all.push(pair(&reply));
    }
    for (access, _) in &all {
        assert_eq!(bench.me(access).await, 200);
    }
    // whoever knows the family, from the access token, cannot end it
    let forged = URL_SAFE_NO_PAD.encode([7; 32]);
    for generation in [0, 1, 5, 6] {
        let text = format!("rt.{family}.{generation}.{forged}");
        refused(&bench.refresh(&text).await, 400, "invalid_grant");
    }
    all.push(pair(&bench.refresh(&all.last().unwrap().1).await));

    let reply = bench.refresh(&all[1].1).await;
    refused(&reply, 400, "invalid_grant");
    let events = events::with("family", &family);
    let event = events.iter().find(|event| event["event_type"] == "authn_token_reuse").unwrap();
    assert_eq!(event["request_id"], reply.header("x-request-id"), "of the request that its answer names");
    let request = ["source_ip", "user_agent", "endpoint"].map(|field| &*event[field]);
    assert_eq!(request, ["127.0.0.1", "-", "POST /token"]);
    assert_eq!((event["severity"].as_str(), event["client"].as_str()), ("High", "app"));
    assert_eq!(event["target"], "palisade::security");
    assert!(!events::everything().contains(&all[1].1), "no token stands in the log");
    for (access, renewing) in &all {
        refused(&bench.refresh(renewing).await, 400, "invalid_grant");
        assert_eq!(bench.me(access).await, 401);
    }
    assert_eq!(bench.me(shown(&neighbour.access)).await, 200);
    pair(&bench.refresh(&renewing(&neighbour)).await);
}

/// An issuer, doors that it opens, and what is wrong with the state of its denylist.
async fn denying_by_a_state_that_fails() -> (Bench, Client, Arc<AtomicU8>) {
    let fault = Arc::new(AtomicU8::new(WELL));
    let denied = State::new(Faulty::new(State::memory(), &fault));
    let denylist = Denylist::kept_in(denied).clock(Clock::fixed(START));
    let bench = Bench::with(|builder| builder.denylist(denylist.clone())).await;
    let doors = doors(&bench.issuer, &bench.base, &denylist, &bench.clock, bench.elsewhere.clone()).await;
    (bench, doors, fault)
}

/// What was missing is done when the token is shown once more.
#[tokio::test]
async fn a_family_that_ended_while_the_denylist_failed_ends_whole_when_its_token_is_shown_again() {
    let (bench, doors, fault) = denying_by_a_state_that_fails().await;
    let me = async |token: &str| doors.get("/me").token(token).send().await.status.as_u16();
    for everywhere in [false, true] {
        let (first, other) = (renewing(&bench.sign_in("alice").await), bench.sign_in("alice").await);
        let (access, _) = pair(&bench.refresh(&first).await);
        bench.advance(60); // the grace is over
        assert_eq!(me(&access).await, 200);
        fault.store(DOWN, Ordering::SeqCst);
        if everywhere {
            assert!(bench.issuer.revoke_all("alice").await.is_err());
        }
        for _ in 0..2 {
            assert_eq!(bench.refresh(&first).await.status, 503);
        }
        fault.store(WELL, Ordering::SeqCst);
        assert_eq!(me(&access).await, 200, "nobody could say it");
        refused(&bench.refresh(&first).await, 400, "invalid_grant");
        assert_eq!((me(&access).await, me(shown(&other.access)).await), (401, 200));
        if everywhere {
            refused(&bench.refresh(&renewing(&other)).await, 400, "invalid_grant");
            assert_eq!(me(shown(&other.access)).await, 401);
        } else {
            pair(&bench.refresh(&renewing(&other)).await);
        }
    }
}

#[tokio::test]
async fn an_access_token_that_cannot_be_denied_keeps_no_other_of_its_family_from_it() {
    let (bench, doors, fault) = denying_by_a_state_that_fails().await;
    let tokens = bench.sign_in("alice").await;
    let first = renewing(&tokens);
    let (second, next) = pair(&bench.refresh(&first).await);
    let (third, _) = pair(&bench.refresh(&next).await);
    bench.advance(60); // the grace is over
    fault.store(FAILS_ONE, Ordering::SeqCst);
    assert_eq!(bench.refresh(&first).await.status, 503);
    let mut good = 0;
    for access in [shown(&tokens.access), &second, &third] {
        good += usize::from(doors.get("/me").token(access).send().await.status == 200);
    }
    assert_eq!(good, 1);
    refused(&bench.refresh(&first).await, 400, "invalid_grant");
    for access in [shown(&tokens.access), &second, &third] {
        assert_eq!(doors.get("/me").token(access).send().await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_show_one_token_at_once_one_gets_tokens_and_they_are_dead() {
    let bench = Bench::start().await;
    for _ in 0..20 {
        let token = renewing(&bench.sign_in("alice").await);
        let replies = join_all((0..8).map(|_| bench.refresh(&token))).await;
        let (given, others): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.is_success());
        assert_eq!(given.len(), 1);
        others.iter().for_each(|reply| refused(reply, 400, "invalid_grant"));
        let (access, renewing) = pair(given[0]);
        assert_eq!(bench.me(&access).await, 401);
        refused(&bench.refresh(&renewing).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn within_the_grace_the_lost_answer_is_given_again_and_after_it_the_family_ends() {
    let bench = Bench::with(|builder| builder.grace(Duration::from_secs(5))).await;
    let first = renewing(&bench.sign_in("alice").await);
    let (one, second) = pair(&bench.refresh(&first).await);
    bench.advance(4);
    let (other, again) = pair(&bench.refresh(&first).await);
    assert_eq!(second, again, "the same refresh token");
    assert_ne!(part(&one, 1)["jti"], part(&other, 1)["jti"]);
    let as_other = format!("grant_type=refresh_token&client_id=other&refresh_token={first}");
    refused(&bench.post("/token", &as_other).await, 400, "invalid_grant");
    assert_eq!((bench.me(&one).await, bench.me(&other).await), (200, 200));
    bench.advance(1);
    refused(&bench.refresh(&first).await, 400, "invalid_grant");
    refused(&bench.refresh(&second).await, 400, "invalid_grant");
    assert_eq!((bench.me(&one).await, bench.me(&other).await), (401, 401));
}

#[tokio::test]
async fn a_renewal_may_ask_for_less_and_never_for_more() {
    let bench = Bench::start().await;
    let sign_in = SignIn::new("alice", "app").scopes(["notes:read"]);
    let poor = renewing(&bench.issuer.sign_in(&sign_in).await.unwrap());
    let asks = |token: &str, scope: &str| {
        format!("grant_type=refresh_token&client_id=app&refresh_token={token}&scope={scope}")
    };
    for more in ["notes:write", "notes:read+notes:write", "notes:read++x", "%22"] {
        refused(&bench.post("/token", &asks(&poor, more)).await, 400, "invalid_scope");
    }
    pair(&bench.refresh(&poor).await);

    let rich = renewing(&bench.sign_in("alice").await);
    let reply = bench.post("/token", &asks(&rich, "notes:read")).await;
    assert_eq!(reply.json()["scope"], "notes:read");
    let (access, next) = pair(&reply);
    let put = |token: String| async move {
        let call = Client(bench.doors.0).call("PUT", "/me").token(&token);
        call.send().await.status.as_u16()
    };
    assert_eq!(put(access).await, 403);
    let bench = Client(bench.desk.0);
    let form = format!("grant_type=refresh_token&client_id=app&refresh_token={next}");
    let call = bench.call("POST", "/token").header("content-type", "application/x-www-form-urlencoded");
    let (access, _) = pair(&call.body(form).send().await);
    assert_eq!(put(access).await, 200, "the family keeps what was granted");
}

#[tokio::test]
async fn a_family_ends_when_it_is_idle_and_when_its_time_is_over() {
    const HOUR: u64 = 3600;
    let hours = |hours: u64| Duration::from_secs(hours * HOUR);
    let bench = Bench::with(|builder| builder.family_lifetimes(hours(10), hours(2))).await;
    let idle = renewing(&bench.sign_in("alice").await);
    bench.advance(2 * HOUR - 1);
    let (_, idle) = pair(&bench.refresh(&idle).await);
    bench.advance(2 * HOUR);
    refused(&bench.refresh(&idle).await, 400, "invalid_grant");

    let mut busy = renewing(&bench.sign_in("alice").await);
    for _ in 0..9 {
        bench.advance(HOUR);
        busy = pair(&bench.refresh(&busy).await).1;
    }
    bench.advance(HOUR - 1);
    let reply = bench.refresh(&busy).await;
    assert_eq!(reply.allowed(200).json()["expires_in"], 1, "no access token outlives its family");
    bench.advance(1);
    refused(&bench.refresh(&pair(&reply).1).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_logout_ends_one_family_or_all() {
    let bench = Bench::start().await;
    let (one, other, bob) =
        (bench.sign_in("alice").await, bench.sign_in("alice").await, bench.sign_in("bob").await);
    let logout =
        |path: &'static str, token: &Secret<String>| bench.doors.post(path, "").token(token.expose());
    let call = |path, token| logout(path, token).send();
    call("/logout", &one.access).await.allowed(204);
    assert_eq!((bench.me(shown(&one.access)).await, bench.me(shown(&other.access)).await), (401, 200));
    refused(&bench.refresh(&renewing(&one)).await, 400, "invalid_grant");

    call("/logout?everywhere=true", &other.access).await.allowed(204);
    assert_eq!((bench.me(shown(&other.access)).await, bench.me(shown(&bob.access)).await), (401, 200));
    refused(&bench.refresh(&renewing(&other)).await, 400, "invalid_grant");
    pair(&bench.refresh(&renewing(&bob)).await);

    // within the same second, a new sign-in is good, and ends with the next
    for _ in 0..3 {
        let again = bench.sign_in("alice").await;
        assert_eq!(bench.me(shown(&again.access)).await, 200);
        let (access, next) = pair(&bench.refresh(&renewing(&again)).await);
        assert_eq!(bench.me(&access).await, 200);
        bench.issuer.revoke_all("alice").await.unwrap();
        for access in [shown(&again.access), &access] {
            assert_eq!(bench.me(access).await, 401);
        }
        refused(&bench.refresh(&next).await, 400, "invalid_grant");
    }
    bench.advance(30);
    let later = bench.sign_in("alice").await;
    assert_eq!(part(shown(&later.access), 1)["iat"], START + 30, "the time again");
    assert_eq!(bench.me(shown(&later.access)).await, 200);
}

#[tokio::test]
async fn all_of_a_subject_end_and_the_next_sign_in_is_good_whatever_the_clocks_of_instances_say() {
    for (here, there) in [(0, 0), (2, 0), (0, 2)] {
        let bench = Bench::start().await;
        let open = async |ahead: u64| {
            let clock = Clock::fixed(START + ahead);
            let builder = builder(&bench.base, &bench.state, &clock).denylist(bench.denylist.clone());
            builder.open().await.unwrap()
        };
        let (signing, revoking) = (open(here).await, open(there).await);
        let alice = SignIn::new("alice", "app").scopes(["notes:read"]);
        let sign_in = async |issuer: &Issuer| issuer.sign_in(&alice).await.unwrap();
        let renew = async |issuer: &Issuer, token: &str| issuer.refresh(token, "app", None).await;
        let mut tokens = vec![sign_in(&signing).await];
        // what begins after the end of what was before is good, and ends with the next
        for _ in 0..2 {
            for one in &tokens {
                assert_eq!(bench.me(shown(&one.access)).await, 200, "{here} {there}");
            }
            revoking.revoke_all("alice").await.unwrap();
            for one in &tokens {
                assert_eq!(bench.me(shown(&one.access)).await, 401, "{here} {there}");
                for issuer in [&signing, &revoking] {
                    let renewed = renew(issuer, &renewing(one)).await;
                    assert!(matches!(renewed, Err(GrantError::Invalid)), "{here} {there}");
                }
            }
            let one = sign_in(&signing).await;
            let next = renew(&revoking, &renewing(&one)).await.unwrap();
            tokens = vec![one, next, sign_in(&revoking).await];
        }
    }
}

#[tokio::test]
async fn what_is_renewed_while_all_of_a_subject_end_ends_with_them() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    bench.fault.store(HOLDS_ONE, Ordering::SeqCst);
    let issuer = bench.issuer.clone();
    let revoking = tokio::spawn(async move { issuer.revoke_all("alice").await });
    while bench.fault.load(Ordering::SeqCst) != HELD {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bench.advance(1);
    let (access, next) = pair(&bench.refresh(&renewing(&tokens)).await);
    assert_eq!(bench.me(&access).await, 200);
    bench.fault.store(WELL, Ordering::SeqCst);
    revoking.await.unwrap().unwrap();
    assert_eq!((bench.me(shown(&tokens.access)).await, bench.me(&access).await), (401, 401));
    refused(&bench.refresh(&next).await, 400, "invalid_grant");
    let again = bench.sign_in("alice").await;
    assert_eq!(bench.me(shown(&again.access)).await, 200);
    pair(&bench.refresh(&renewing(&again)).await);
}

/// A thief whose connection broke would keep what was to be revoked.
#[tokio::test]
async fn a_token_that_is_used_again_revokes_its_family_also_where_who_used_it_leaves() {
    let bench = Bench::start().await;
    let first = bench.sign_in("alice").await;
    let (access, next) = pair(&bench.refresh(&renewing(&first)).await);
    assert_eq!(bench.me(&access).await, 200);
    who_asked_leaves(&bench.fault, bench.refreshing(&renewing(&first)).send()).await;
    for _ in 0..100 {
        if bench.me(&access).await == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(bench.me(&access).await, 401);
    refused(&bench.refresh(&next).await, 400, "invalid_grant");
}

#[tokio::test]
async fn all_of_a_subject_end_also_where_who_asked_for_it_leaves() {
    let bench = Bench::start().await;
    let tokens = bench.sign_in("alice").await;
    let issuer = bench.issuer.clone();
    who_asked_leaves(&bench.fault, async move { issuer.revoke_all("alice").await }).await;
    for _ in 0..100 {
        if bench.me(shown(&tokens.access)).await == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(bench.me(shown(&tokens.access)).await, 401);
    refused(&bench.refresh(&renewing(&tokens)).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_token_of_a_client_for_itself_ends_with_all_of_it_and_the_next_is_good() {
    let bench = Bench::start().await;
    let mut token = bench.issuer.client_token("back", "notes:read").await.unwrap();
    for _ in 0..2 {
        assert_eq!(bench.me(shown(&token.access)).await, 200);
        bench.issuer.revoke_all("back").await.unwrap();
        assert_eq!(bench.me(shown(&token.access)).await, 401);
        token = bench.issuer.client_token("back", "notes:read").await.unwrap();
    }
}

#[tokio::test]
async fn the_class_and_the_time_of_a_login_are_those_of_the_sign_in() {
    let bench = Bench::start().await;
    let weak = bench.sign_in("alice").await;
    let strong = SignIn::new("alice", "app").class("urn:bank:strong");
    let strong = bench.issuer.sign_in(&strong).await.unwrap();
    let at = |token: String| bench.doors.get("/strong").token(&token);
    at(shown(&weak.access).to_owned()).send().await.refused(401, "insufficient_user_authentication");
    bench.advance(200);
    let (access, next) = pair(&bench.refresh(&renewing(&strong)).await);
    at(access).send().await.allowed(200);
    bench.advance(200);
    let (access, _) = pair(&bench.refresh(&next).await);
    at(access).send().await.refused(401, "insufficient_user_authentication");
}
