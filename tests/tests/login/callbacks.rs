//! What comes back from the provider: the login that it makes, and every way in which it is none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use palisade::Settings;
use palisade::login::LoginBuilder;
use palisade_tests::events;
use palisade_tests::provider::{CLIENT, Provider, SECRET};
use palisade_tests::tokens::Signer;
use serde_json::{Value, json};

use crate::bench::*;

/// A login comes to nothing: this status, this event, and no session.
pub async fn fails(bench: &Bench, browser: &mut Browser, back: &str, status: u16, reason: &str) {
    let had = browser.session().map(str::to_owned);
    let reply = browser.send("GET", back, &[("user-agent", "browser\t1")]).await;
    assert_eq!(reply.status.as_u16(), status, "{reason}: {:?}", reply.body);
    assert_eq!(browser.session().map(str::to_owned), had, "{reason}");
    assert!(!browser.jar.contains_key("__Host-login"), "{reason}: a login that came back is over");
    assert_eq!(reply.body, "The login did not succeed. Please try again.\n", "nobody learns why");
    let event = events::of(reply.header("x-request-id"));
    assert_eq!((&*event["event_type"], &*event["failure_reason"]), ("authn_login_fail", reason));
    let request = ["source_ip", "user_agent", "endpoint"].map(|field| &*event[field]);
    assert_eq!(request, ["127.0.0.1", r"browser\t1", "GET /callback"], "whom it came from, and at what");
    if had.is_none() {
        bench.site.get("/me").send().await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn what_comes_back_from_no_login_is_counted_and_a_login_succeeds_all_the_same() {
    let bench = Bench::start().await;
    let made_up = || bench.site.get("/callback?state=x&code=y").send();
    for _ in 0..30 {
        assert_eq!(made_up().await.status, 400);
    }
    let reply = made_up().await;
    assert_eq!(reply.status, 429);
    assert_ne!(reply.header("retry-after"), "");
    bench.logged_in().await;
}

/// What comes back takes a place among the marks and a call to the provider, before anybody knows whether it is good.
#[tokio::test]
async fn logins_that_all_fail_are_not_looked_at_for_a_while() {
    let bench = Bench::start().await;
    for _ in 0..300 {
        bench.site.get("/callback?state=x&code=y").send().await;
    }
    let mut browser = bench.browser();
    let back = browser.begin("/login").await;
    let reply = browser.get(&back).await;
    assert_eq!(reply.status, 429);
    assert_ne!(reply.header("retry-after"), "");
    assert_eq!(bench.provider.counted().codes, 0, "the provider was not asked");
    bench.advance(60);
    bench.logged_in().await;
    assert_eq!(bench.provider.counted().codes, 1);
}

#[tokio::test]
async fn a_login_makes_a_session_and_goes_where_it_should() {
    let bench = Bench::start().await;
    let mut browser = bench.browser();
    browser.get("/me").await.refused(401, "unauthenticated");
    let reply = browser.log_in("/login?return_to=%2Fnotes%3Fa%3D1").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/notes?a=1"));
    assert_eq!((reply.header("cache-control"), reply.header("referrer-policy")), ("no-store", "no-referrer"));
    assert_eq!(browser.jar.keys().collect::<Vec<_>>(), ["__Host-session"]);
    assert_eq!(browser.session().unwrap().len(), 43);
    let me = browser.get("/me").await.allowed(200).json();
    let base = &bench.provider.base;
    assert_eq!(
        me,
        format!("alice of {base} by notes-web: openid notes:read"),
        "what was asked for is granted"
    );
    assert_eq!(browser.get("/notes").await.allowed(200).json(), "alice");
    browser.post("/notes").await.refused(403, "forbidden");
    assert_eq!(bench.provider.counted().codes, 1);
}

#[tokio::test]
async fn the_request_is_as_the_standards_want_it() {
    let bench = Bench::start().await;
    let mut browser = bench.browser();
    let reply = browser.get("/login").await;
    let to = reply.allowed(303).header("location").to_owned();
    let (at, query) = to.split_once('?').unwrap();
    assert_eq!(at, format!("{}/authorize", bench.provider.base));
    let asked: std::collections::BTreeMap<String, String> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let text = |name: &str| asked[name].as_str();
    assert_eq!((text("response_type"), text("client_id")), ("code", CLIENT));
    assert_eq!(
        (text("redirect_uri"), text("scope")),
        ("https://notes.example.com/callback", "openid notes:read")
    );
    assert_eq!((text("code_challenge_method"), text("code_challenge").len()), ("S256", 43));
    assert_eq!((text("state").len(), text("nonce").len()), (22, 22), "128 bits each");
    assert_eq!(asked.len(), 8);
    let misled = bench.site.call("GET", "/login").header("x-forwarded-host", "evil.example").send().await;
    assert!(misled.header("location").contains("&redirect_uri=https%3A%2F%2Fnotes.example.com%2Fcallback&"));
    let cookie = reply.header("set-cookie");
    assert!(
        cookie.contains("; Max-Age=600;")
            && !cookie.contains(text("state"))
            && !cookie.contains(text("nonce"))
    );
    let other = bench.browser().get("/login").await.header("location").to_owned();
    assert_ne!(other, to);
}

#[tokio::test]
async fn a_state_is_of_one_browser_and_of_one_login() {
    let bench = Bench::start().await;
    let (mut victim, mut attacker) = (bench.browser(), bench.browser());
    let theirs = attacker.begin("/login").await;
    fails(&bench, &mut victim, &theirs, 400, "no_login_under_way").await;
    let mine = victim.begin("/login").await;
    fails(&bench, &mut victim, &theirs, 400, "wrong_state").await;
    fails(&bench, &mut victim, &mine, 400, "no_login_under_way").await;

    let mine = victim.begin("/login").await;
    let kept = victim.clone();
    assert_eq!(victim.get(&mine).await.status, 303);
    let mut again = kept.clone();
    fails(&bench, &mut again, &mine, 400, "state_used_before").await;
    assert_eq!(bench.provider.counted().codes, 1, "no code was sent a second time");

    let mine = victim.begin("/login").await;
    let kept = victim.clone();
    let error = format!("{}&error=access_denied", mine.split_once("&code").unwrap().0);
    let error = format!(
        "{error}&iss={}",
        form_urlencoded::byte_serialize(bench.provider.base.as_bytes()).collect::<String>()
    );
    fails(&bench, &mut victim, &error, 400, "access_denied").await;
    fails(&bench, &mut kept.clone(), &mine, 400, "state_used_before").await;

    let mine = victim.begin("/login").await;
    bench.advance(600);
    fails(&bench, &mut victim, &mine, 400, "no_login_under_way").await;
}

#[tokio::test]
async fn what_came_back_is_read_strictly() {
    let bench = Bench::start().await;
    for (change, reason) in [
        ("&code=x", "malformed_callback"),
        ("&state=x", "malformed_callback"),
        ("&iss=x", "malformed_callback"),
        ("&%63ode=x", "malformed_callback"),
        ("&error=access_denied", "access_denied"),
        ("&error=%0aforged", "another_error"),
    ] {
        let mut browser = bench.browser();
        let good = browser.begin("/login").await;
        let mut kept = browser.clone();
        fails(&bench, &mut browser, &format!("{good}{change}"), 400, reason).await;
        fails(&bench, &mut kept, &good, 400, "state_used_before").await;
    }
    for (from, to, reason) in [("code=", "other=", "malformed_callback"), ("state=", "other=", "wrong_state")]
    {
        let mut browser = bench.browser();
        let good = browser.begin("/login").await;
        let mut kept = browser.clone();
        fails(&bench, &mut browser, &good.replace(from, to), 400, reason).await;
        fails(&bench, &mut kept, &good, 400, "state_used_before").await;
    }
    let mut browser = bench.browser();
    let back = browser.begin("/login").await;
    let reply = bench
        .site
        .get(&back)
        .header("cookie", "__Host-login=a")
        .header("cookie", "__Host-login=b")
        .send()
        .await;
    assert_eq!(reply.status, 400, "a cookie that is there twice");
    let mut forged = browser.clone();
    let cookie = forged.jar.get_mut("__Host-login").unwrap();
    *cookie = format!("B{}", &cookie[1..]);
    fails(&bench, &mut forged, &back, 400, "no_login_under_way").await;
}

/// RFC 9207: the answer of another provider is none of this one's.
#[tokio::test]
async fn the_answer_names_the_provider_that_was_asked() {
    let bench = Bench::start().await;
    for iss in [None, Some("https://evil.example".to_owned()), Some(format!("{}/", bench.provider.base))] {
        bench.provider.lie(|lies| lies.iss = iss);
        let mut browser = bench.browser();
        let back = browser.begin("/login").await;
        fails(&bench, &mut browser, &back, 400, "wrong_issuer").await;
    }
    assert_eq!(bench.provider.counted().codes, 0, "no code of ours goes to anybody");
}

#[tokio::test]
async fn a_provider_that_does_not_name_itself_is_taken_without_and_never_with_another_name() {
    let clock = palisade::Clock::fixed(palisade_tests::tokens::now());
    let provider = Provider::start().await;
    provider.lie(|lies| {
        lies.metadata = json!({ "authorization_response_iss_parameter_supported": null });
        lies.iss = None;
    });
    let state = palisade::State::memory();
    let login = builder(&provider, &state, &clock).open().await.unwrap();
    let (site, key) = site(&login, &clock).await;
    let bench = Bench { provider, site, clock, state, key };
    bench.logged_in().await;
    bench.provider.lie(|lies| lies.iss = Some("https://evil.example".to_owned()));
    let mut browser = bench.browser();
    let back = browser.begin("/login").await;
    fails(&bench, &mut browser, &back, 400, "wrong_issuer").await;
}

/// OpenID Connect Core 1.0 section 3.1.3.7.
#[tokio::test]
async fn an_id_token_is_judged_whole() {
    let bench = Bench::start().await;
    let now = palisade_tests::tokens::now();
    let hash = |token: &str| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
        URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
    };
    for (claims, reason) in [
        (json!({ "nonce": "other" }), "wrong_nonce"),
        (json!({ "nonce": null }), "wrong_nonce"),
        (json!({ "iss": "https://evil.example" }), "wrong_issuer"),
        (json!({ "iss": format!("{}/", bench.provider.base) }), "wrong_issuer"),
        (json!({ "aud": "other" }), "wrong_audience"),
        (json!({ "aud": [CLIENT, "other"] }), "other_audiences"),
        (json!({ "aud": ["other"] }), "wrong_audience"),
        (json!({ "azp": "other" }), "wrong_authorized_party"),
        (json!({ "exp": now - 31 }), "expired"),
        (json!({ "exp": null }), "missing_claim"),
        (json!({ "iat": null }), "missing_claim"),
        (json!({ "iat": now + 90 }), "issued_in_future"),
        (json!({ "sub": null }), "missing_claim"),
        (json!({ "sub": "" }), "missing_claim"),
        (json!({ "at_hash": hash("another token") }), "wrong_at_hash"),
    ] {
        bench.provider.lie(|lies| lies.claims = claims.clone());
        let mut browser = bench.browser();
        let back = browser.begin("/login").await;
        fails(&bench, &mut browser, &back, 502, reason).await;
    }
    let next = bench.provider.counted().codes;
    for claims in [
        json!({}),
        json!({ "aud": [CLIENT], "azp": CLIENT }),
        json!({ "at_hash": hash(&format!("access-{}", next + 2)) }),
    ] {
        bench.provider.lie(|lies| lies.claims = claims.clone());
        bench.logged_in().await;
    }
}

#[tokio::test]
async fn an_id_token_is_signed_by_a_key_of_the_provider() {
    let bench = Bench::start().await;
    let claims = |bench: &Bench, nonce: &str| bench.provider.claims(nonce);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let own = Signer::new("p1");
    let mut head = palisade_tests::tokens::header("p1");
    head.typ = Some("JWT".to_owned());
    for (forge, reason) in [
        (
            &(|nonce: &str| format!("{}.{}.", part(&json!({"alg":"none"})), part(&claims(&bench, nonce))))
                as &dyn Fn(&str) -> String,
            "malformed_credential",
        ),
        // signed with the client's secret, which everybody has who talks to it
        (
            &|nonce| {
                encode(
                    &Header::new(Algorithm::HS256),
                    &claims(&bench, nonce),
                    &EncodingKey::from_secret(SECRET.as_bytes()),
                )
                .unwrap()
            },
            "algorithm_not_allowed",
        ),
        (&|nonce| own.sign(&head, &claims(&bench, nonce)), "bad_signature"),
        (&|_| "no token".to_owned(), "malformed_credential"),
    ] {
        let mut browser = bench.browser();
        let to = browser.get("/login").await.header("location").to_owned();
        let (_, query) = to.split_once('?').unwrap();
        let nonce = form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "nonce")
            .unwrap()
            .1
            .into_owned();
        bench.provider.lie(|lies| lies.id_token = Some(forge(&nonce)));
        let back = browser.at_provider(&to).await;
        fails(&bench, &mut browser, &back, 502, reason).await;
    }
    bench.provider.lie(|lies| lies.id_token = None);
    for (typ, reason) in [("at+jwt", "wrong_type"), ("logout+jwt", "wrong_type")] {
        bench.provider.lie(|lies| lies.typ = typ);
        let mut browser = bench.browser();
        let back = browser.begin("/login").await;
        fails(&bench, &mut browser, &back, 502, reason).await;
    }
}

#[tokio::test]
async fn a_token_endpoint_that_fails_fails_the_login() {
    let bench = Bench::start().await;
    let good = r#"{"access_token":"a","token_type":"Bearer""#;
    for (status, body, seen, reason) in [
        (400, r#"{"error":"invalid_grant"}"#.to_owned(), 502, "invalid_grant"),
        (400, r#"{"error":"\nforged"}"#.to_owned(), 502, "another_error"),
        (200, format!("{good}}}"), 502, "no_id_token"),
        (
            200,
            r#"{"access_token":"a","token_type":"mac","id_token":"a.b.c"}"#.to_owned(),
            502,
            "unknown_token_type",
        ),
        (
            200,
            r#"{"access_token":"a","id_token":"a.b.c"}"#.to_owned(),
            502,
            "the answer of the token endpoint cannot be read",
        ),
        (200, format!("{good},\"id_token\":\"a\",\"id_token\":\"b\"}}"), 503, "the answer is no strict JSON"),
        (200, "no JSON".to_owned(), 503, "the answer is no strict JSON"),
        (
            200,
            format!("{good},\"x\":\"{}\"}}", "x".repeat(70_000)),
            503,
            "the answer broke off or is too large",
        ),
        (200, "{}".to_owned(), 502, "the answer of the token endpoint cannot be read"),
    ] {
        bench.provider.lie(|lies| lies.answer = Some((status, body)));
        let mut browser = bench.browser();
        let back = browser.begin("/login").await;
        fails(&bench, &mut browser, &back, seen, reason).await;
    }
    bench.provider.lie(|lies| {
        lies.answer = None;
        lies.delay = std::time::Duration::from_secs(7);
    });
    let mut browser = bench.browser();
    let back = browser.begin("/login").await;
    fails(&bench, &mut browser, &back, 503, "no answer in time").await;
}

/// As many as come back do not make as many calls.
#[tokio::test]
async fn sixty_four_logins_ask_the_provider_at_once_and_more_are_refused() {
    let bench = Bench::start().await;
    let mut coming_back = Vec::new();
    for _ in 0..80 {
        let mut browser = bench.browser();
        let back = browser.begin("/login").await;
        coming_back.push(async move { browser.get(&back).await.status.as_u16() });
    }
    bench.provider.lie(|lies| lies.delay = std::time::Duration::from_secs(3));
    let answers = futures_util::future::join_all(coming_back).await;
    let are = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((are(303), are(503), bench.provider.counted().codes), (64, 16, 64), "{answers:?}");
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let bench = Bench::start().await;
    for way in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "%2F%2Fevil.example",
        "/%09/evil.example",
        "",
        "x",
    ] {
        let reply = bench.site.get(&format!("/login?return_to={way}")).send().await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (400, ""), "{way}");
        assert_eq!(reply.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn who_failed_goes_to_a_page_of_ours_where_there_is_one() {
    let bench = Bench::with(|builder| builder.when_failed("/sorry?a=b")).await;
    let reply = bench.site.get("/callback?state=x&code=y").send().await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/sorry?a=b"));
    assert!(reply.header("set-cookie").starts_with("__Host-login=;"));
}

#[tokio::test]
async fn a_provider_that_is_none_is_not_met() {
    let clock = palisade::Clock::system();
    for (metadata, why) in [
        (json!({ "issuer": "https://evil.example" }), "the metadata are of another issuer"),
        (json!({ "code_challenge_methods_supported": ["plain"] }), "it does not do PKCE by `S256`"),
        (json!({ "token_endpoint": "http://id.example.com/token" }), "an endpoint of it is not `https`"),
        (json!({ "authorization_endpoint": "javascript:alert(1)" }), "an endpoint of it is not `https`"),
        (json!({ "token_endpoint": null }), "its metadata lack `authorization_endpoint` or `token_endpoint`"),
        (json!({ "jwks_uri": "http://127.0.0.1:1/jwks" }), "its keys cannot be had"),
        (
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
            "it takes no client that shows a secret, nor one that has none",
        ),
    ] {
        let provider = Provider::start().await;
        provider.lie(|lies| lies.metadata = metadata.clone());
        let error = builder(&provider, &palisade::State::memory(), &clock).open().await.unwrap_err();
        assert_eq!(error.to_string(), format!("the provider: {why}"));
    }
}

/// Nobody knows whether the ID token is good, so nobody says that it is bad, and it is no guess.
#[tokio::test]
async fn a_login_whose_keys_cannot_be_had_is_told_to_come_again() {
    let one_guess = |builder: LoginBuilder| builder.settings(&Settings::new().failed_attempts(1, 1));
    let bench = Bench::with(one_guess).await;
    let mut head = palisade_tests::tokens::header("p2");
    head.typ = None;
    bench.provider.lie(|lies| {
        lies.without_keys = true;
        lies.id_token = Some(Signer::new("p2").sign(&head, &json!({})));
    });
    for _ in 0..3 {
        let reply = bench.browser().log_in("/login").await;
        assert_eq!(reply.status.as_u16(), 503, "{:?}", reply.body);
        let event = events::of(reply.header("x-request-id"));
        assert_eq!(event["failure_reason"], "keys_unavailable");
    }
}
