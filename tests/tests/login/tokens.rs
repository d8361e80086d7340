//! The provider's tokens of a session: kept here, renewed by one at a time, and ended with the session.

use futures_util::future::join_all;
use palisade_tests::events;

use crate::bench::*;

#[tokio::test]
async fn tokens_are_kept_here_and_given_to_the_application_alone() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "access-0");
    assert!(!format!("{:?}", browser.jar).contains("access-0"));
    assert!(!events::everything().contains("access-0") && !events::everything().contains("\"r0\""));
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_renewed_once_for_all_who_ask() {
    let bench = Bench::start().await;
    let browser = bench.logged_in().await;
    bench.provider.lie(|lies| lies.delay = std::time::Duration::from_millis(300));
    bench.advance(271);
    let asked = join_all((0..8).map(|_| {
        let mut browser = browser.clone();
        async move { browser.get("/elsewhere").await.allowed(200).json() }
    }));
    assert_eq!(asked.await, vec![serde_json::json!("access-1"); 8]);
    let counted = bench.provider.counted();
    assert_eq!((counted.renewals, counted.reused), (1, 0), "two uses of one refresh token look like theft");
    bench.advance(271);
    assert_eq!(browser.clone().get("/elsewhere").await.allowed(200).json(), "access-2");
    assert_eq!(bench.provider.counted().reused, 0);
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_is_forgotten_and_the_session_stays() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    bench.provider.lie(|lies| lies.answer = Some((400, r#"{"error":"invalid_grant"}"#.to_owned())));
    bench.advance(300);
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "none");
    bench.provider.lie(|lies| lies.answer = None);
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "none");
    assert_eq!(bench.provider.counted().renewals, 0, "it was not sent again");
    browser.get("/me").await.allowed(200);
    assert!(!events::with("failure_reason", "refused_by_provider").is_empty());
}

#[tokio::test]
async fn a_provider_that_is_away_costs_no_session() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    bench.provider.lie(|lies| lies.answer = Some((500, "no".to_owned())));
    bench.advance(300);
    browser.get("/elsewhere").await.refused(500, "internal");
    bench.provider.lie(|lies| lies.answer = None);
    bench.advance(11); // the lease of who failed
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "access-1");
}

/// RFC 6749 section 7.1.
#[tokio::test]
async fn a_token_of_a_type_that_is_not_known_here_is_given_to_nobody() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    let other = r#"{"access_token":"a","token_type":"DPoP","expires_in":300}"#;
    bench.provider.lie(|lies| lies.answer = Some((200, other.to_owned())));
    bench.advance(300);
    browser.get("/elsewhere").await.refused(500, "internal");
}

/// RFC 6749 section 7.1: case does not count.
#[tokio::test]
async fn a_type_is_known_however_it_is_written() {
    let bench = Bench::start().await;
    bench.provider.lie(|lies| lies.token_type = "bEARER");
    let mut browser = bench.logged_in().await;
    bench.advance(300);
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "access-1");
}

/// The provider has spent the one that was shown: two uses of it look like theft.
#[tokio::test]
async fn the_refresh_token_beside_a_token_of_another_type_is_the_next_to_be_shown() {
    let bench = Bench::start().await;
    let mut browser = bench.logged_in().await;
    bench.provider.lie(|lies| lies.token_type = "DPoP");
    bench.advance(300);
    browser.get("/elsewhere").await.refused(500, "internal");
    bench.provider.lie(|lies| lies.token_type = "Bearer");
    bench.advance(11); // the lease of who failed
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "access-2");
    assert_eq!(bench.provider.counted().reused, 0);
}

#[tokio::test]
async fn without_a_refresh_token_there_is_nothing_to_renew() {
    let bench = Bench::start().await;
    bench.provider.lie(|lies| lies.without_refresh = true);
    let mut browser = bench.logged_in().await;
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "access-0");
    bench.advance(300);
    assert_eq!(browser.get("/elsewhere").await.allowed(200).json(), "none");
}
