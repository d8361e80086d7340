//! Issuers over TLS, and whom the machine trusts.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use palisade::{Denylist, Introspection, JwkSet, Jwks, Jwt, Secret, Settings, Tls};
use palisade_tests::authority::Authority;
use palisade_tests::client::Client;
use palisade_tests::tokens::{ISSUER, Signer};
use serde_json::json;
use tokio::net::TcpListener;

use super::api::server;
use super::bench::{Issuer, Service};

/// An issuer over TLS, who shows `chain`.
async fn issuer_over_tls(chain: &str, key: &Secret<String>) -> String {
    let (issuer, signer) = (Arc::new(Issuer::default()), Signer::new("k1"));
    *issuer.keys.lock().unwrap() = signer.jwks().to_owned();
    issuer.says("good", json!({ "active": true, "sub": "alice", "scope": "doors:open", "iss": ISSUER }));
    let router = Router::new()
        .route("/keys", get(Issuer::keys))
        .route("/introspect", post(Issuer::introspect))
        .with_state(issuer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let serve = palisade::serve(router).listener(listener).tls(Tls::from_pem(chain, key).unwrap());
    tokio::spawn(async move { serve.await.unwrap() });
    base
}

/// Whether keys are fetched from there, and what a token gets that is asked about there.
async fn asks(base: &str) -> (bool, StatusCode) {
    let denylist = Denylist::in_memory();
    let far = || {
        let secret = Secret::new("secret".to_owned());
        Introspection::new(&format!("{base}/introspect"), "gate", &secret).unwrap()
    };
    let build = |keys: Jwks| {
        server(Service { denylist: denylist.clone() })
            .opaque(far())
            .cached(far())
            .revocable(Jwt::new(JwkSet::from_json(Signer::new("k1").jwks()).unwrap()).issuer(ISSUER))
            .signed(Jwt::new(keys).issuer(ISSUER))
            .denylist(denylist.clone())
            .settings(Settings::new())
            .build()
            .unwrap()
    };
    let fetches = build(Jwks::url(&format!("{base}/keys")).unwrap()).ready().await.is_ok();
    let at_hand = JwkSet::from_json(Signer::new("k1").jwks()).unwrap();
    let server = build(at_hand.into());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(server).listener(listener).await.unwrap() });
    (fetches, client.get("/opaque").token("good").send().await.status)
}

/// Run by the test below, in a process whose roots are those of the file that `SSL_CERT_FILE` names.
#[tokio::test]
#[ignore = "run by the test below"]
async fn child_that_trusts_one_authority() {
    let trusted = Authority::default();
    std::fs::write(std::env::var("SSL_CERT_FILE").unwrap(), &trusted.pem).unwrap();
    let good = trusted.server("localhost");
    let (misnamed, stranger) = (trusted.server("other.example"), Authority::default().server("localhost"));
    let of = async |(chain, key): &(String, Secret<String>)| asks(&issuer_over_tls(chain, key).await).await;
    assert_eq!(of(&good).await, (true, StatusCode::OK));
    assert_eq!(
        of(&misnamed).await,
        (false, StatusCode::SERVICE_UNAVAILABLE),
        "a certificate of another name"
    );
    assert_eq!(of(&stranger).await, (false, StatusCode::SERVICE_UNAVAILABLE), "of nobody who is trusted");
}

/// Keys and verdicts come from whom the roots of the machine vouch for, under the name that was called.
#[test]
fn issuers_are_who_their_certificates_say() {
    let folder = tempfile::tempdir().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "roots::child_that_trusts_one_authority", "--ignored"])
        .env("SSL_CERT_FILE", folder.path().join("roots.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && told.contains("1 passed"), "{told}");
}
