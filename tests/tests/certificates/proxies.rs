//! Certificates behind a balancer that passes TLS on, and behind a proxy that says who it spoke with (RFC 9440).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade::{ClientCertificates, Settings};
use palisade_tests::authority::Authority;
use palisade_tests::client::Client;
use palisade_tests::{events, proxy_header};
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::bench::{ALICE, Sealed, connector};

/// The header of the PROXY protocol comes before TLS, which is the client's and ours alone.
#[tokio::test]
async fn a_certificate_is_shown_through_a_balancer() {
    let authority = Authority::default();
    let certificates = ClientCertificates::from_pem(&authority.pem).unwrap();
    let settings = Settings::new().proxy_protocol_from(["127.0.0.1"]).unwrap();
    let server = Sealed::run(authority, certificates, settings, true).await;
    let alice = server.authority.client(ALICE);
    let header = proxy_header::of("198.51.100.60:4711", &[]);
    let through = async |identity| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&header).await.unwrap();
        server.get_over(stream, "/certificate", identity, &[]).await
    };
    assert_eq!(through(Some(&alice)).await.allowed(200).json(), ALICE);
    through(None).await.refused(401, "unauthenticated");

    let name = || ServerName::try_from("localhost").unwrap();
    let connector = connector(&server.authority.pem, Some(&alice));
    let bare = TcpStream::connect(server.address).await.unwrap();
    assert!(connector.connect(name(), bare).await.is_err(), "nothing begins without the header");
    let mut twice = TcpStream::connect(server.address).await.unwrap();
    twice.write_all(&[&header[..], &header].concat()).await.unwrap();
    assert!(connector.connect(name(), twice).await.is_err(), "a second header is no TLS");
}

/// What a trusted proxy shows over TLS of ours is its own, not that of those for whom it asks.
#[tokio::test]
async fn the_certificate_of_a_proxy_is_nobodys_for_whom_it_asks() {
    for trusted in [false, true] {
        let authority = Authority::default();
        let certificates = ClientCertificates::from_pem(&authority.pem).unwrap();
        let proxies = Settings::new().trusted_proxies(["127.0.0.1"]).unwrap();
        let settings = if trusted { proxies } else { Settings::new() };
        let server = Sealed::run(authority, certificates, settings, true).await;
        let proxy = server.authority.client(ALICE);
        let headers = [("x-forwarded-proto", "https"), ("x-forwarded-for", "198.51.100.7")];
        let reply = server.get("/certificate", Some(&proxy), &headers).await;
        match trusted {
            true => _ = reply.refused(401, "unauthenticated"),
            false => assert_eq!(reply.allowed(200).json(), ALICE, "who is no proxy asks for itself"),
        }
    }
}

#[tokio::test]
async fn the_header_of_a_certificate_is_the_word_of_proxies_that_are_trusted_with_it() {
    events::collect();
    let authority = Authority::default();
    let certificates = ClientCertificates::from_pem(&authority.pem).unwrap();
    let proxies = || Settings::new().trusted_proxies(["127.0.0.1"]).unwrap();
    let alice = authority.client(ALICE);
    let forwarded = format!(":{}:", STANDARD.encode(&alice.chain[0]));
    let trusted = proxies().client_certificates_from_proxies();
    let server = Sealed::run(authority, certificates.clone(), trusted, false).await;
    let get = |server: &Sealed, header: &str| {
        let call = Client(server.address).get("/certificate").header("x-forwarded-proto", "https");
        call.header("client-cert", header)
    };
    assert_eq!(get(&server, &forwarded).send().await.allowed(200).json(), ALICE);
    get(&server, ":AAAA:").send().await.refused(401, "unauthenticated");
    let unreadable = STANDARD.encode(&alice.chain[0]);
    get(&server, &unreadable).send().await.refused(401, "unauthenticated");
    get(&server, &forwarded).header("client-cert", &forwarded).send().await.refused(401, "unauthenticated");
    let stranger = Authority::default().client(ALICE);
    let stranger = format!(":{}:", STANDARD.encode(&stranger.chain[0]));
    get(&server, &stranger).send().await.refused(401, "unauthenticated");
    let log = events::everything();
    for shown in [&forwarded, &unreadable, &stranger] {
        assert!(!log.contains(&shown[1..shown.len() - 1]), "a certificate is in the log");
    }

    // not trusted with it, and no proxy at all
    for settings in [proxies(), Settings::new().client_certificates_from_proxies()] {
        let server = Sealed::run(Authority::default(), certificates.clone(), settings, false).await;
        get(&server, &forwarded).send().await.refused(401, "unauthenticated");
    }
}
