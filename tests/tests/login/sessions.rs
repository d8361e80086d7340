//! Sessions: what they open, from which pages, and when they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use palisade::{Clock, State};
use palisade_tests::events;
use palisade_tests::faulty::{DOWN, Faulty, WELL};
use palisade_tests::provider::Provider;
use palisade_tests::redis_server::Server;
use serde_json::json;

use crate::bench::*;

#[tokio::test]
async fn requests_of_other_sites_are_refused_before_the_session_is_looked_up() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    assert_eq!(browser.post("/me").await.allowed(200).json(), "alice");
    assert_eq!(browser.send("POST", "/me", &[("origin", OURS)]).await.allowed(200).json(), "alice");
    for witness in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", OURS), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://notes.example.com.evil.example")],
        &[("origin", "http://notes.example.com")],
    ] {
        let reply = browser.send("POST", "/me", witness).await;
        reply.refused(403, "cross_site_request");
        assert_eq!(events::of(reply.header("x-request-id"))["event_type"], "malicious_cross_site");
    }
    // reading is harmless: who reads from another site does not see the answer
    browser.send("GET", "/me", &[("sec-fetch-site", "cross-site")]).await.allowed(200);
    // the same answer whether the session is one or not: nobody learns which are
    let mut stranger = bench.browser();
    stranger.jar.insert("__Host-session".to_owned(), "A".repeat(43));
    stranger.send("POST", "/me", &[]).await.refused(403, "cross_site_request");
    stranger.post("/me").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn neither_cookies_nor_codes_stand_in_the_log() {
    let bench = Bench::start().await;
    let mut browser = bench.browser();
    let back = browser.begin("/login").await;
    let mut hidden = vec![browser.jar["__Host-login"].clone()];
    hidden.extend(
        form_urlencoded::parse(back.split_once('?').unwrap().1.as_bytes())
            .filter_map(|(name, value)| matches!(&*name, "code" | "state").then(|| value.into_owned())),
    );
    let mut forger = browser.clone();
    forger.jar.insert("__Host-login".to_owned(), "canary0canary".to_owned());
    assert_eq!(forger.get(&back).await.status, 400);
    browser.get(&back).await.allowed(303);
    hidden.push(browser.session().unwrap().to_owned());
    browser.post("/notes").await.refused(403, "forbidden");
    browser.send("POST", "/me", &[]).await.refused(403, "cross_site_request");
    hidden.push("canary0canary0canary0canary0canary0canary0c".to_owned());
    for cookie in [hidden.last().unwrap().as_str(), "canary0canary"] {
        forger.jar.insert("__Host-session".to_owned(), cookie.to_owned());
        forger.get("/me").await.refused(401, "unauthenticated");
    }
    assert_eq!(browser.post("/logout").await.status, 303);
    browser.get("/me").await.refused(401, "unauthenticated");
    let log = events::everything();
    assert_eq!(hidden.len(), 5);
    for secret in hidden.iter().map(String::as_str).chain(["canary0canary", palisade_tests::provider::SECRET])
    {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
}

/// Any key in a cookie comes with whatever request another site makes.
#[tokio::test]
async fn keys_in_cookies_are_guarded_as_sessions_are() {
    let bench = Bench::start().await;
    let mut robot = bench.browser();
    robot.jar.insert("__Host-key".to_owned(), bench.key.clone());
    assert_eq!(robot.post("/notes").await.allowed(200).json(), "robot");
    robot
        .send("POST", "/notes", &[("sec-fetch-site", "cross-site")])
        .await
        .refused(403, "cross_site_request");
    robot.send("POST", "/notes", &[]).await.refused(403, "cross_site_request");
}

#[tokio::test]
async fn sessions_that_are_not_there_count_once_each_and_one_that_is_gets_in() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    let show = |number: u32| {
        let id = format!("{number:0>43}").replace('0', "A");
        bench.site.get("/me").header("cookie", &format!("__Host-session={id}")).send()
    };
    for _ in 0..310 {
        show(4).await.refused(401, "unauthenticated"); // a page that was left open
    }
    // the last of the 43 letters has bits that must be none
    for number in 1..300 {
        show(number * 40 + 4).await.refused(401, "unauthenticated");
    }
    show(40_004).await.refused(429, "rate_limited");
    show(4).await.refused(429, "rate_limited");
    browser.get("/me").await.allowed(200);
}

/// `alice` of the one is not `alice` of the other, and whom a provider lets in as one client it may not let in as another: with the
/// same keys on the same state, and even where the cookies have one name.
#[tokio::test]
async fn a_session_of_another_provider_or_client_is_none() {
    let bench = Bench::start().await;
    let mut customer = bench.logged_in().await;
    customer.get("/me").await.allowed(200);
    let staff = Provider::start().await;
    let keys = palisade::login::LoginKeys::from_list(KEYS).unwrap();
    let (redirect, state) = (format!("{OURS}/callback"), bench.state.clone());
    let back_office = palisade::Login::builder(&bench.provider.base, "back-office", &redirect, state, keys);
    for other in [builder(&staff, &bench.state, &bench.clock), back_office.clock(bench.clock.clone())] {
        let login = other.open().await.unwrap();
        let (site, _) = site(&login, &bench.clock).await;
        let cookie = format!("__Host-session={}", customer.session().unwrap());
        site.get("/me").header("cookie", &cookie).send().await.refused(401, "unauthenticated");
        let ended = site.call("POST", "/logout").header("cookie", &cookie).header("origin", OURS);
        ended.send().await.allowed(303);
        customer.get("/me").await.allowed(200);
    }
}

#[tokio::test]
async fn what_is_no_session_is_refused() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    let good = browser.session().unwrap().to_owned();
    for bad in ["", "x", &good[..42], &format!("{good}A"), &"A".repeat(43), &"\"".repeat(43)] {
        let reply = bench.site.get("/me").header("cookie", &format!("__Host-session={bad}")).send().await;
        reply.refused(401, "unauthenticated");
    }
    let twice = format!("__Host-session={good}; __Host-session={good}");
    bench.site.get("/me").header("cookie", &twice).send().await.refused(400, "invalid_request");
    bench
        .site
        .get("/me")
        .header("cookie", &format!("__host-session={good}"))
        .send()
        .await
        .refused(401, "unauthenticated");
    browser.get("/me").await.allowed(200);
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it_and_when_it_is_old() {
    let bench = Bench::with(|builder| {
        builder.lifetimes(std::time::Duration::from_secs(3600), std::time::Duration::from_secs(600))
    })
    .await;
    let (mut used, mut left) = (bench.logged_in().await, bench.logged_in().await);
    for _ in 0..5 {
        bench.advance(599);
        used.get("/me").await.allowed(200);
    }
    left.get("/me").await.refused(401, "unauthenticated");
    bench.advance(599);
    used.get("/me").await.allowed(200); // 3594 s old
    bench.advance(6);
    used.get("/me").await.refused(401, "unauthenticated");
    used.log_in("/login").await;
    used.get("/me").await.allowed(200);
}

#[tokio::test]
async fn a_login_makes_a_new_session_and_ends_the_one_before() {
    let bench = Bench::start().await;
    let mut browser = bench.browser();
    let planted = "A".repeat(43);
    browser.jar.insert("__Host-session".to_owned(), planted.clone());
    browser.log_in("/login").await;
    let first = browser.session().unwrap().to_owned();
    assert_ne!(first, planted, "what somebody planted is not taken (session fixation)");
    let before = browser.clone();
    browser.log_in("/login").await;
    assert_ne!(browser.session().unwrap(), first);
    browser.get("/me").await.allowed(200);
    before.clone().get("/me").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn logout_ends_the_session_here_and_at_the_provider() {
    let bench = Bench::with(|builder| builder.after_logout("/bye")).await;
    let (mut browser, mut other) = (bench.logged_in().await, bench.logged_in().await);
    let stolen = browser.clone();
    for witness in [&[][..], &[("origin", "https://evil.example")], &[("sec-fetch-site", "cross-site")]] {
        let reply = browser.send("POST", "/logout", witness).await;
        assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (403, ""));
    }
    assert_eq!(browser.get("/logout").await.status, 405, "no image logs anybody out");
    browser.get("/me").await.allowed(200);
    let reply = browser.post("/logout").await;
    let back = "https%3A%2F%2Fnotes.example.com%2Fbye";
    let there = format!(
        "{}/end?tenant=a%26b&client_id=notes-web&post_logout_redirect_uri={back}",
        bench.provider.base
    );
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, &*there));
    assert_eq!(browser.session(), None);
    stolen.clone().get("/me").await.refused(401, "unauthenticated");
    other.get("/me").await.allowed(200);
    assert_eq!(browser.post("/logout").await.status, 303, "a second time it is done already");

    // by the application, too
    other.post("/leave").await.allowed(204);
    other.get("/me").await.refused(401, "unauthenticated");
}

/// The provider's word goes into `Location`, where a browser would follow it anywhere.
#[tokio::test]
async fn a_provider_whose_logout_is_at_no_address_of_ours_to_call_has_none() {
    for (at, goes) in [
        (json!("http://192.0.2.1/end"), "/"),
        (json!("javascript:alert(1)"), "/"),
        (json!("/end"), "/"),
        (json!("https://u:p@id.example.com/end"), "/"),
        (json!("https://id.example.com/end"), "https://id.example.com/end?client_id="),
    ] {
        let provider = Provider::start().await;
        provider.lie(|lies| lies.metadata = json!({ "end_session_endpoint": at }));
        let clock = Clock::fixed(palisade_tests::tokens::now());
        let bench = Bench::by(provider, State::memory_of(10, clock.clone()), clock, |builder| builder).await;
        let reply = bench.logged_in().await.post("/logout").await;
        let location = reply.allowed(303).header("location");
        assert!(location == goes || goes.len() > 1 && location.starts_with(goes), "{at}: {location}");
    }
}

#[tokio::test]
async fn a_logout_is_not_undone_by_a_request_that_was_under_way() {
    let bench = Bench::start().await;
    for _ in 0..20 {
        let browser = bench.logged_in().await;
        bench.advance(61); // so that each request notes that the session is used
        let reads = (0..8).map(|_| {
            let mut reader = browser.clone();
            async move { reader.get("/me").await.status.as_u16() }
        });
        let mut leaver = browser.clone();
        let (statuses, left) = tokio::join!(futures_util::future::join_all(reads), leaver.post("/logout"));
        assert_eq!(left.status, 303);
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");
        browser.clone().get("/me").await.refused(401, "unauthenticated");
    }
}

/// A restart, or another instance.
#[tokio::test]
async fn sessions_outlast_the_process_where_the_state_does() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    let open = |keys: &str| {
        let keys = palisade::login::LoginKeys::from_list(keys).unwrap();
        let redirect = format!("{OURS}/callback");
        palisade::Login::builder(&bench.provider.base, "notes-web", &redirect, bench.state.clone(), keys)
            .secret(palisade::Secret::new(palisade_tests::provider::SECRET.to_owned()))
            .clock(bench.clock.clone())
            .open()
    };
    let new = "b:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=";
    let rotated = open(&format!("{new},{KEYS}")).await.unwrap();
    (browser.site, _) = site(&rotated, &bench.clock).await;
    browser.get("/me").await.allowed(200);
    let without = open(new).await.unwrap();
    (browser.site, _) = site(&without, &bench.clock).await;
    browser.get("/me").await.refused(401, "unauthenticated");
}

/// A password was changed, or an account closed.
#[tokio::test]
async fn all_sessions_of_a_subject_end_everywhere_and_those_of_others_stay() {
    let hours = std::time::Duration::from_secs(7200);
    let bench = Bench::with(|builder| builder.lifetimes(hours, hours)).await;
    let open = || async {
        let builder = builder(&bench.provider, &bench.state, &bench.clock).lifetimes(hours, hours);
        builder.open().await.unwrap()
    };
    let (second, there) = (open().await, open().await);
    let (there, _) = site(&there, &bench.clock).await;
    let (mut one, mut other) = (bench.logged_in().await, bench.logged_in().await);
    other.site = there;
    bench.provider.lie(|lies| lies.claims = serde_json::json!({ "sub": "bob" }));
    let mut bob = bench.logged_in().await;
    bench.provider.lie(|lies| lies.claims = serde_json::json!({}));
    for browser in [&mut one, &mut other, &mut bob] {
        browser.get("/me").await.allowed(200);
    }
    assert_eq!(one.get("/elsewhere").await.allowed(200).json(), "access-0");

    second.end_all("alice").await.unwrap();
    for browser in [&mut one, &mut other] {
        browser.get("/me").await.refused(401, "unauthenticated");
        browser.post("/me").await.refused(401, "unauthenticated");
        browser.get("/elsewhere").await.refused(401, "unauthenticated");
    }
    bob.get("/me").await.allowed(200);
    let event = events::with("failure_reason", "signed_out_everywhere").pop().unwrap();
    assert_eq!(event["event_type"], "session_ended");

    // within the same second, a new login is good, and ends with the next
    let mut again = bench.logged_in().await;
    again.get("/me").await.allowed(200);
    again.site = there;
    again.get("/me").await.allowed(200);
    second.end_all("alice").await.unwrap();
    again.get("/me").await.refused(401, "unauthenticated");

    // as a session of this login is known to another one, so is its end
    let redirect = format!("{OURS}/elsewhere/callback");
    let keys = palisade::login::LoginKeys::from_list(KEYS).unwrap();
    let another =
        palisade::Login::builder(&bench.provider.base, "notes-web", &redirect, bench.state.clone(), keys)
            .clock(bench.clock.clone())
            .lifetimes(hours, hours);
    (again.site, _) = site(&another.open().await.unwrap(), &bench.clock).await;
    again.get("/me").await.refused(401, "unauthenticated");

    // in a process that began afterwards, and at the end of what a session can last
    let (restarted, _) = site(&open().await, &bench.clock).await;
    (bob.site, again.site) = (restarted, restarted);
    bench.advance(7199);
    again.get("/me").await.refused(401, "unauthenticated");
    bob.get("/me").await.allowed(200);
}

#[tokio::test]
async fn sessions_that_cannot_be_ended_are_told() {
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let bench = Bench::on(State::memory_of(1, clock.clone()), clock, |builder| builder).await;
    let login = builder(&bench.provider, &bench.state, &bench.clock).open().await.unwrap();
    let mut browser = bench.logged_in().await;
    assert!(login.end_all("alice").await.is_err());
    browser.get("/me").await.allowed(200);
}

#[tokio::test]
async fn a_state_that_is_full_or_away_refuses_and_forgets_nobody() {
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let small = State::memory_of(1, clock.clone());
    let bench = Bench::on(small, clock, |builder| builder).await;
    let mut browser = bench.logged_in().await;
    let reply = bench.browser().log_in("/login").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (503, ""));
    // the log says why, and of which request
    let told = events::with("request_id", reply.header("x-request-id"));
    assert!(told.iter().any(|fields| fields["target"] == "palisade::login"), "{told:?}");
    browser.get("/me").await.allowed(200);
}

#[tokio::test]
async fn while_their_state_is_left_alone_callers_are_told_for_how_long() {
    let mut redis = Server::durable().await;
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let bench = Bench::on(State::redis(&redis.url()).await.unwrap(), clock, |builder| builder).await;
    let mut browser = bench.logged_in().await;
    browser.get("/me").await.allowed(200);
    redis.kill();
    for wait in ["1", "1", "1", "1", "1", "2"] {
        let reply = browser.get("/me").await;
        assert_eq!(reply.refused(503, "unavailable").header("retry-after"), wait);
    }
}

#[tokio::test]
async fn the_log_says_of_which_request_a_session_cannot_be_looked_up() {
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let fault = Arc::new(AtomicU8::new(WELL));
    let state = State::new(Faulty::new(State::memory_of(100, clock.clone()), &fault));
    let bench = Bench::on(state, clock, |builder| builder).await;
    let mut browser = bench.logged_in().await;
    fault.store(DOWN, Ordering::SeqCst);
    let reply = browser.get("/me").await;
    reply.refused(503, "unavailable");
    let told = events::with("request_id", reply.header("x-request-id"));
    assert!(told.iter().any(|fields| fields["target"] == "palisade::login"), "{told:?}");
    events::of(reply.header("x-request-id"));
}

#[test]
fn a_scheme_that_is_no_place_of_sessions_is_refused_at_the_start() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let bench = Bench::start().await;
        let elsewhere = builder(&bench.provider, &bench.state, &bench.clock).cookie("__Host-other");
        let login = elsewhere.open().await.unwrap();
        let server = crate::api::server(Service::new(&login)).session(login.clone()).key(keys().0).build();
        let error = server.err().unwrap().to_string();
        assert!(error.contains("sessions stand in the cookie that `LoginBuilder::cookie` names"), "{error}");
    });
}
