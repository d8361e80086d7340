//! A set whose runtime ends, or whose log panics (rule 6).

use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::logs::{PanickingLog, tell_to};

/// Looked at again all the time.
const RESTLESS: Timing =
    Timing { shortest: Duration::from_millis(20), longest: Duration::from_millis(20), ..QUICK };

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// An issuer that outlives whoever asks it.
fn issuer(says: String) -> (Runtime, Issuer) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let issuer = runtime.block_on(Issuer::start(says));
    (runtime, issuer)
}

async fn has(jwks: &Jwks, kid: &str) {
    let begun = Instant::now();
    while kids(jwks) != [kid] {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody looked again");
        tokio::time::sleep(RESTLESS.shortest).await;
    }
}

#[test]
fn a_set_stays_fresh_where_it_is_made_ready_in_one_runtime_and_used_in_another() {
    let signer = Signer::new();
    let (_runtime, issuer) = issuer(set(&[("a", &signer)]));
    let jwks = Jwks::at(&issuer.address, RESTLESS).unwrap();
    runtime().block_on(jwks.load()).unwrap();
    issuer.say(keys(&["b"]));
    runtime().block_on(async {
        jwks.load().await.unwrap();
        has(&jwks, "b").await;
        issuer.say(set(&[("a", &signer)]));
        has(&jwks, "a").await;
    });

    // also where nobody makes it ready again, and tokens are good
    runtime().block_on(async {
        assert_eq!(judged(&verifier(&jwks), &token("a", &signer)).await, Ok(()));
        issuer.say(keys(&["c"]));
        has(&jwks, "c").await;
    });
}

#[test]
fn a_fetch_that_ends_with_its_runtime_has_failed_and_is_begun_again() {
    let (_runtime, issuer) = issuer("hang".to_owned());
    let jwks = Jwks::at(&issuer.address, Timing { answer: Duration::from_secs(60), ..QUICK }).unwrap();
    let first = runtime();
    first.block_on(async {
        let begins = jwks.clone();
        tokio::spawn(async move { begins.load().await });
        while issuer.asked() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    runtime().block_on(async {
        let began = Instant::now();
        let waits = tokio::spawn({
            let jwks = jwks.clone();
            async move { jwks.load().await }
        });
        tokio::task::yield_now().await;
        std::thread::spawn(move || drop(first)).join().unwrap();
        assert_eq!(waits.await.unwrap(), Err(Unreachable));
        issuer.say(keys(&["a"]));
        assert_eq!((jwks.load().await, kids(&jwks)), (Ok(()), vec!["a".to_owned()]));
        assert!(began.elapsed() < Duration::from_secs(60), "nobody waits for what does not go on");
    });
}

#[tokio::test]
async fn a_log_that_panics_ends_no_refresh() {
    let log = tell_to(PanickingLog("palisade::keys"));
    let signer = Signer::new();
    let issuer = Issuer::start("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let jwks = Jwks::at(&issuer.address, RESTLESS).unwrap();
    assert_eq!(jwks.load().await, Err(Unreachable));
    let mut useless = Signer::new().jwk("useless");
    useless["use"] = "enc".into();
    issuer.say(ok(&json!({ "keys": [signer.jwk("a"), useless] }).to_string()));
    let (verifier, token) = (verifier(&jwks), token("a", &signer));
    let is = async |good: bool| {
        let begun = Instant::now();
        while judged(&verifier, &token).await.is_ok() != good {
            assert!(begun.elapsed() < Duration::from_secs(10), "nobody looked again");
            tokio::time::sleep(RESTLESS.shortest).await;
        }
    };
    is(true).await;
    drop(log);
    issuer.say(keys(&["b"]));
    is(false).await;
}
