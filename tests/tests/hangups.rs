//! SIGHUP and the files of client certificates. In a process of its own, in which nobody else listens to the signal.
#![cfg(unix)]

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use palisade::{Caller, ClientCertificates, Gate};
use palisade_tests::authority::Authority;
use palisade_tests::client::Client;
use palisade_tests::events;

#[derive(palisade::Operation)]
#[operation(spec = "specs/certificates.yaml", id = "byCertificate")]
struct ByCertificate {
    #[allow(dead_code, reason = "the proof is there, and nobody asks it")]
    caller: Caller<Self>,
}

async fn by_certificate(_: ByCertificate) -> StatusCode {
    StatusCode::OK
}

async fn start(certificates: ClientCertificates) -> Client {
    let gate =
        Gate::builder().mutual_tls("machine", certificates).operation::<ByCertificate>().build().unwrap();
    let app = Router::new().route(ByCertificate::PATH, get(by_certificate));
    let app = app.layer(gate.layer()).with_state(gate.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    let serve = palisade::serve(gate.guards(app)).listener(listener);
    tokio::spawn(async move { serve.await.unwrap() });
    client
}

fn hang_up() {
    let kill = std::process::Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// Before anybody has shown a certificate, and without TLS of our own.
#[tokio::test]
async fn a_server_that_takes_requests_looks_at_its_files_when_it_is_told_to() {
    events::collect();
    let folder = tempfile::tempdir().unwrap();
    let grants = folder.path().join("machines.grants");
    std::fs::write(&grants, "").unwrap();
    let certificates = ClientCertificates::from_pem(&Authority::default().pem).unwrap();
    let client = start(certificates.grants_file(&grants).unwrap()).await;
    client.get(ByCertificate::PATH).send().await.refused(401, "unauthenticated");
    std::fs::write(&grants, "{").unwrap();
    // once: it is heard, and ends no process
    hang_up();
    for _ in 0..200 {
        if is_unusable(&grants) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_unusable(&grants));
}

fn is_unusable(file: &Path) -> bool {
    let told = events::with("event_type", "sys_grants_file_unusable");
    told.iter().any(|event| event["file"] == file.display().to_string())
}
