//! TLS of our own: who shows a certificate holds its key, and what is asked for on a connection is what the connection is for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use palisade::Tls;
use palisade_tests::authority::Authority;
use palisade_tests::client::Client;
use rcgen::KeyPair;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use crate::bench::{ALICE, Sealed, connector};

#[tokio::test]
async fn who_shows_a_certificate_holds_its_key() {
    let server = Sealed::start().await;
    let (alice, thief) = (server.authority.client(ALICE), KeyPair::generate().unwrap());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let key = PrivateKeyDer::Pkcs8(thief.serialize_der().into());
        let key = provider.key_provider.load_private_key(key).unwrap();
        let shown = Arc::new(Thief(Arc::new(CertifiedKey::new(alice.chain.clone(), key))));
        let builder =
            ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[version]);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(server.authority.pem.as_bytes()).unwrap()).unwrap();
        let config = builder.unwrap().with_root_certificates(roots).with_client_cert_resolver(shown);
        let stream = TcpStream::connect(server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        // TLS 1.3 lets the client end first: then it hears of it with its first read
        let Ok(mut stream) = connecting else { continue };
        _ = stream.write_all(b"GET /certificate HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        let mut answer = Vec::new();
        assert!(stream.read_to_end(&mut answer).await.is_err(), "{}", String::from_utf8_lossy(&answer));
        assert!(answer.is_empty());
    }
}

#[tokio::test]
async fn a_chain_of_more_than_eight_certificates_ends_the_connection() {
    let server = Sealed::start().await;
    let name = || ServerName::try_from("localhost").unwrap();
    for (length, served) in [(8, true), (9, false)] {
        let mut alice = server.authority.client(ALICE);
        alice.chain = vec![alice.chain[0].clone(); length];
        let stream = TcpStream::connect(server.address).await.unwrap();
        let mut stream =
            connector(&server.authority.pem, Some(&alice)).connect(name(), stream).await.unwrap();
        let asked = b"GET /certificate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        _ = stream.write_all(asked).await;
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer.starts_with("HTTP/1.1 200"), served, "{length}: {answer}");
        assert!(served || answer.is_empty(), "{answer}");
    }
}

/// Shows a certificate and signs with the key of another.
#[derive(Debug)]
struct Thief(Arc<CertifiedKey>);

impl ResolvesClientCert for Thief {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A session that is taken up again shows no certificate anew, so that one that was revoked meanwhile would go on.
#[tokio::test]
async fn no_session_is_taken_up_again_where_certificates_are_asked_for() {
    let sealed = Sealed::start().await;
    let (chain, key) = sealed.authority.server("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap();
    let serve = palisade::serve(axum::Router::new()).listener(listener);
    let serve = serve.tls(Tls::from_pem(&chain, &key).unwrap());
    tokio::spawn(async move { serve.await.unwrap() });
    let alice = sealed.authority.client(ALICE);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (address, again) in [(sealed.address, HandshakeKind::Full), (open, HandshakeKind::Resumed)] {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(sealed.authority.pem.as_bytes()).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]);
            let key = PrivateKeyDer::Pkcs8(alice.key.serialize_der().into());
            let config = builder.unwrap().with_root_certificates(roots);
            // it keeps what a server gives it for later
            let client =
                TlsConnector::from(Arc::new(config.with_client_auth_cert(alice.chain.clone(), key).unwrap()));
            let first = handshake(&client, address).await;
            assert_eq!(
                (first, handshake(&client, address).await),
                (HandshakeKind::Full, again),
                "{version:?}"
            );
        }
    }
}

/// The kind of the handshake of a connection on which something was asked and answered.
async fn handshake(client: &TlsConnector, address: SocketAddr) -> HandshakeKind {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = client.connect(name, stream).await.unwrap();
    let request = b"GET /certificate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert!(stream.read_to_end(&mut Vec::new()).await.unwrap() > 0);
    stream.get_ref().1.handshake_kind().unwrap()
}

/// RFC 9110 section 7.4: over TLS nothing is asked for that is not.
#[tokio::test]
async fn a_request_for_http_does_not_come_over_tls() {
    let server = Sealed::start().await;
    let connector = connector(&server.authority.pem, Some(&server.authority.client(ALICE)));
    let get = async |target: &str| {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, stream).await.unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer[9..12].to_owned()
    };
    assert_eq!(get("/certificate").await, "200");
    assert_eq!(get("https://localhost/certificate").await, "200");
    assert_eq!(get("http://localhost/certificate").await, "421");
}

#[tokio::test]
async fn http_2_is_agreed_on_and_knows_the_certificate_too() {
    let server = Sealed::start().await;
    let alice = server.authority.client(ALICE);
    let mut config = ClientConfig::clone(connector(&server.authority.pem, Some(&alice)).config());
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut get = async |host: &str| {
        let request = http::Request::get(format!("https://{host}/certificate"));
        sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().status()
    };
    assert_eq!(get("localhost").await, StatusCode::OK);
    assert_eq!(get("other.example").await, StatusCode::MISDIRECTED_REQUEST, "one connection, another host");
}

#[tokio::test]
async fn a_request_for_another_host_than_the_handshake_is_misdirected() {
    let server = Sealed::start().await;
    let reply = server.get("/certificate", None, &[("host", "other.example")]).await;
    reply.refused(421, "misdirected_request");
    let port = format!("localhost:{}", server.address.port());
    server.get("/certificate", None, &[("host", &port)]).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn plain_text_and_silence_do_not_hold_a_tls_port() {
    let server = Sealed::start().await;
    let answer = Client(server.address).raw(b"GET /certificate HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(!answer.starts_with("HTTP/"), "{answer:?}");

    let authority = Authority::default();
    let (chain, key) = authority.server("localhost");
    let tls = Tls::from_pem(&chain, &key).unwrap().handshake_timeout(Duration::from_millis(200));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(
        async move { palisade::serve(axum::Router::new()).listener(listener).tls(tls).await.unwrap() },
    );
    let closed = tokio::time::timeout(Duration::from_secs(10), silent.readable()).await;
    assert!(closed.is_ok(), "the server closes a connection that says nothing");
    assert!(matches!(silent.try_read(&mut [0; 1]), Ok(0) | Err(_)));
}
