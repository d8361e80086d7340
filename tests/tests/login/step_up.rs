//! A session whose login does not suffice, and the login that does.

use serde_json::json;

use crate::bench::*;
use crate::callbacks::fails;

const STRONG: &str = "urn:notes:strong";
const AGAIN: &str = "/login?return_to=/strong&acr_values=urn%3Anotes%3Astrong&max_age=300";

async fn start() -> Bench {
    Bench::with(|builder| builder.classes(&["urn:notes:gold", STRONG])).await
}

#[tokio::test]
async fn who_logs_in_as_an_operation_asks_passes_it() {
    let bench = start().await;
    let mut browser = bench.logged_in().await;
    let reply = browser.get("/strong").await;
    reply.refused(401, "insufficient_user_authentication");
    let challenges: Vec<_> = reply.headers.get_all("www-authenticate").iter().collect();
    let asked = format!(
        "ApiKey realm=\"Notes of browsers\", in=\"cookie\", name=\"__Host-session\", \
         error=\"insufficient_user_authentication\", acr_values=\"{STRONG}\", max_age=\"300\""
    );
    assert_eq!(challenges, [&asked]);
    browser.get("/me").await.allowed(200);

    let to = browser.get(AGAIN).await.allowed(303).header("location").to_owned();
    assert!(to.contains("&acr_values=urn%3Anotes%3Astrong&max_age=300"), "{to}");
    bench.provider.lie(|lies| lies.claims = json!({ "acr": STRONG }));
    let reply = browser.log_in(AGAIN).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/strong"));
    assert_eq!(browser.get("/strong").await.allowed(200).json(), "alice");
    bench.advance(270);
    browser.get("/strong").await.allowed(200);
    bench.advance(60);
    browser.get("/strong").await.refused(401, "insufficient_user_authentication");
    browser.get("/me").await.allowed(200);
    bench.site.get("/strong").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_session_says_of_its_login_what_the_id_token_said() {
    let bench = start().await;
    let now = palisade_tests::tokens::now(); // the provider's clock, which is seconds ahead of ours at most
    for (claims, passes) in [
        (json!({ "acr": STRONG }), true),
        (json!({ "acr": "urn:notes:gold" }), false),
        (json!({ "acr": STRONG, "auth_time": null }), false),
        (json!({ "acr": STRONG, "auth_time": now - 270 }), true),
        (json!({ "acr": STRONG, "auth_time": now - 330 }), false),
    ] {
        bench.provider.lie(|lies| lies.claims = claims.clone());
        let mut browser = bench.logged_in().await;
        let status = browser.get("/strong").await.status.as_u16();
        assert_eq!(status, if passes { 200 } else { 401 }, "{claims}");
    }
}

#[tokio::test]
async fn a_login_that_is_less_than_was_asked_for_is_none_and_the_session_before_it_stays() {
    let bench = start().await;
    let now = palisade_tests::tokens::now(); // the provider's clock, which is seconds ahead of ours at most
    let mut browser = bench.logged_in().await;
    for (claims, reason) in [
        (json!({}), "wrong_acr"),
        (json!({ "acr": "urn:notes:gold" }), "wrong_acr"),
        (json!({ "acr": "URN:NOTES:STRONG" }), "wrong_acr"),
        (json!({ "acr": STRONG, "auth_time": null }), "wrong_auth_time"),
        (json!({ "acr": STRONG, "auth_time": now - 360 }), "wrong_auth_time"),
    ] {
        bench.provider.lie(|lies| lies.claims = claims);
        let back = browser.begin(AGAIN).await;
        fails(&bench, &mut browser, &back, 403, reason).await;
        browser.get("/me").await.allowed(200);
        browser.get("/strong").await.refused(401, "insufficient_user_authentication");
    }
    // of the age it asks for, by the clock of its request: not of when the code came
    bench.provider.lie(|lies| lies.claims = json!({ "acr": STRONG, "auth_time": now }));
    let back = browser.begin("/login?max_age=0").await;
    bench.advance(120);
    assert_eq!(browser.get(&back).await.status, 303);
}

#[tokio::test]
async fn nobody_asks_for_a_class_that_the_application_does_not_name() {
    let bench = start().await;
    for query in ["acr_values=urn:notes:other", "acr_values=", "max_age=x", "max_age=1&max_age=1"] {
        let reply = bench.site.get(&format!("/login?{query}")).send().await;
        assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (400, ""), "{query}");
    }
    let named = bench.site.get("/login?acr_values=urn:notes:gold+urn:notes:strong").send().await;
    assert!(
        named.allowed(303).header("location").contains("&acr_values=urn%3Anotes%3Agold+urn%3Anotes%3Astrong")
    );
    let plain = Bench::start().await;
    assert_eq!(plain.site.get(AGAIN).send().await.status, 400, "nothing is named unless said");
}

#[tokio::test]
async fn a_cookie_of_keys_tells_of_no_login_and_is_refused_at_the_start() {
    let bench = Bench::start().await;
    let login = builder(&bench.provider, &bench.state, &bench.clock).open().await.unwrap();
    let settings = || palisade::Settings::new().public_origin(OURS).unwrap();
    let server = crate::api::server(Service::new(&login)).session(keys().0).key(keys().0);
    let error = server.settings(settings()).build().err().unwrap().to_string();
    assert!(error.contains("operation `getStrong`: it asks how its user logged in"), "{error}");
    let server = crate::api::server(Service::new(&login)).session(login.clone()).key(keys().0);
    assert!(server.settings(settings()).build().is_ok());
}
