//! Files of certificates, keys, authorities and grants: whether they fit, and that they are read again while a server runs.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade::{ClientCertificates, Secret, Settings, Tls, TlsError};
use palisade_tests::authority::Authority;
use palisade_tests::events;
use rcgen::date_time_ymd;
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::bench::{ALICE, Sealed, connector};

#[test]
fn a_certificate_and_a_key_that_do_not_fit_are_refused() {
    let (authority, files) = (Authority::default(), Files::new());
    let (pem, key) = authority.server("localhost");
    assert!(matches!(files.read(), Err(TlsError::File(..))));
    files.write(&pem, &key);
    assert!(files.read().is_ok());
    files.write(&pem, &authority.server("localhost").1);
    assert!(matches!(files.read(), Err(TlsError::Mismatch)));
    files.write("", &key);
    assert!(matches!(files.read(), Err(TlsError::Certificate)));
    files.write(&pem, &Secret::new(String::new()));
    assert!(matches!(files.read(), Err(TlsError::Key)));
    let old = authority.sign(|params| params.not_after = date_time_ymd(2025, 1, 1));
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(&old.chain[0])
    );
    files.write(&pem, &Secret::new(old.key.serialize_pem()));
    assert!(matches!(files.read(), Err(TlsError::Expired)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_certificate_that_is_renewed_takes_over_and_a_broken_one_does_not() {
    // ours as well, so that the signal ends no test that runs beside this one
    let _handled = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).unwrap();
    let (first, second, files) = (Authority::default(), Authority::default(), Files::new());
    let (pem, key) = first.server("localhost");
    files.write(&pem, &key);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = palisade::serve(axum::Router::new()).listener(listener).tls(files.read().unwrap());
    tokio::spawn(async move { serve.await.unwrap() });
    let trusts = async |authority: &Authority| {
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = connector(&authority.pem, None);
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.is_ok()
    };
    assert!(trusts(&first).await && !trusts(&second).await);
    let (pem, key) = second.server("localhost");
    files.write(&pem, &key);
    // told again and again: the first signals may come before the server listens to them
    for _ in 0..200 {
        hang_up();
        if trusts(&second).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(trusts(&second).await && !trusts(&first).await);
    files.write("", &key);
    hang_up();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(trusts(&second).await, "the old one stays");
}

#[cfg(unix)]
#[tokio::test]
async fn who_is_taken_out_of_the_files_of_grants_and_of_authorities_is_out() {
    events::collect();
    // ours as well, so that the signal ends no test that runs beside this one
    let _handled = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [roots, grants] = ["ca.pem", "machines.grants"].map(|name| folder.path().join(name));
    let authority = Authority::default();
    std::fs::write(&roots, &authority.pem).unwrap();
    std::fs::write(&grants, json!({ "name": ALICE, "scopes": ["doors:open"] }).to_string()).unwrap();
    let certificates = ClientCertificates::from_file(&roots).unwrap().grants_file(&grants).unwrap();
    let server = Sealed::run(authority, certificates, Settings::new(), true).await;
    let alice = server.authority.client(ALICE);
    let opens = async || server.get("/granted", Some(&alice), &[]).await.status.as_u16();
    let unusable = || {
        let told = events::with("event_type", "sys_grants_file_unusable");
        told.iter().any(|event| event["file"] == grants.display().to_string())
    };
    let file = |path: &std::path::Path, text: &str| std::fs::write(path, text).unwrap();
    assert_eq!(opens().await, 200);
    file(&grants, "");
    // told again and again: the first signals may come before the server listens to them
    for _ in 0..200 {
        hang_up();
        if opens().await == 403 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(opens().await, 403);
    file(&grants, "{");
    file(&roots, &Authority::default().pem);
    for _ in 0..200 {
        hang_up();
        if unusable() && opens().await == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(unusable() && opens().await == 401);
}

#[cfg(unix)]
#[tokio::test]
async fn files_of_authorities_and_of_lists_that_cannot_be_used_are_events() {
    events::collect();
    let _handled = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [roots, lists] = ["ca.pem", "machines.crl"].map(|name| folder.path().join(name));
    let authority = Authority::default();
    std::fs::write(&roots, &authority.pem).unwrap();
    std::fs::write(&lists, authority.revokes(&[7], 2100)).unwrap();
    let certificates = ClientCertificates::from_file(&roots).unwrap().revocation_lists_file(&lists).unwrap();
    let server = Sealed::run(authority, certificates, Settings::new(), true).await;
    let alice = server.authority.client(ALICE);
    let opens = async || server.get("/certificate", Some(&alice), &[]).await.status.as_u16();
    assert_eq!(opens().await, 200);
    for (file, event) in [(&roots, "sys_authorities_unusable"), (&lists, "sys_revocation_lists_unusable")] {
        std::fs::write(file, "none").unwrap();
        let told = || {
            let told = events::with("event_type", event);
            told.into_iter().find(|event| event["file"] == file.display().to_string())
        };
        for _ in 0..200 {
            hang_up();
            if told().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(told().expect(event)["severity"], "High");
        assert_eq!(opens().await, 200, "what was there before holds");
    }
}

/// Looks at files, now.
#[cfg(unix)]
fn hang_up() {
    let kill = std::process::Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// The files of a server's certificate and key.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, pem: &str, key: &Secret<String>) {
        std::fs::write(self.folder.path().join("chain.pem"), pem).unwrap();
        std::fs::write(self.folder.path().join("key.pem"), key.expose()).unwrap();
    }

    fn read(&self) -> Result<Tls, TlsError> {
        Tls::from_files(self.folder.path().join("chain.pem"), self.folder.path().join("key.pem"))
    }
}
