//! TLS of our own, client certificates (RFC 8705), and what a proxy says of them (RFC 9440).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use palisade::{Caller, ClientCertificates, JwkSet, Jwt, Problem, Secret, Settings, Tls, TlsError};
use palisade_tests::authority::{Authority, Identity};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::proxy_header;
use palisade_tests::tokens::{ISSUER, Signer, claims, header};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    SerialNumber, date_time_ymd,
};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/certificates.rs"));
}

use api::*;

/// What the page on authentication shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    use palisade::{Server, Tls};

    async fn run(server: Server) -> Result<(), Box<dyn std::error::Error>> {
        let tls = Tls::from_files("tls/chain.pem", "tls/key.pem")?;
        palisade::serve(server).tls(tls).listen("0.0.0.0:8443").await?;
        Ok(())
    }

    mod certificates {
        use palisade::{CertificateError, ClientCertificates};

        fn machines() -> Result<ClientCertificates, CertificateError> {
            ClientCertificates::from_file("keys/machines-ca.pem")?
                .revocation_lists_file("keys/machines.crl")?
                .grant("spiffe://bank.example/billing", &["transfers:write"])
        }
    }
}

const ALICE: &str = "spiffe://bank.example/alice";

struct Service;

fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> String {
    caller.identity().expect("somebody").subject().to_owned()
}

impl Doors for Service {
    async fn by_certificate(
        &self,
        caller: Caller<ByCertificate>,
        _: ByCertificateInput,
    ) -> Result<ByCertificateOutput, Problem> {
        Ok(ByCertificateOutput::Ok(who(&caller)))
    }

    async fn by_grant(&self, caller: Caller<ByGrant>, _: ByGrantInput) -> Result<ByGrantOutput, Problem> {
        Ok(ByGrantOutput::Ok(who(&caller)))
    }

    async fn by_bound_token(
        &self,
        caller: Caller<ByBoundToken>,
        _: ByBoundTokenInput,
    ) -> Result<ByBoundTokenOutput, Problem> {
        Ok(ByBoundTokenOutput::Ok(who(&caller)))
    }

    async fn by_either(&self, caller: Caller<ByEither>, _: ByEitherInput) -> Result<ByEitherOutput, Problem> {
        Ok(ByEitherOutput::Ok(who(&caller)))
    }

    async fn by_both(&self, caller: Caller<ByBoth>, _: ByBothInput) -> Result<ByBothOutput, Problem> {
        Ok(ByBothOutput::Ok(who(&caller)))
    }
}

/// What a client connects with.
fn connector(root: &str, identity: Option<&Identity>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivateKeyDer::Pkcs8(identity.key.serialize_der().into());
            builder.with_client_auth_cert(identity.chain.clone(), key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
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

/// A running server.
struct Sealed {
    address: SocketAddr,
    authority: Authority,
    signer: Signer,
    certificates: ClientCertificates,
}

impl Sealed {
    async fn start() -> Self {
        Self::with(|certificates| certificates).await
    }

    async fn with(change: impl FnOnce(ClientCertificates) -> ClientCertificates) -> Self {
        let authority = Authority::default();
        let certificates = ClientCertificates::from_pem(&authority.pem).unwrap();
        Self::run(authority, change(certificates), Settings::new(), true).await
    }

    async fn run(
        authority: Authority,
        certificates: ClientCertificates,
        settings: Settings,
        tls: bool,
    ) -> Self {
        let signer = Signer::new("k1");
        let jwt = || Jwt::new(JwkSet::from_json(signer.jwks()).unwrap()).issuer(ISSUER).audience("gate");
        let server = server(Service)
            .machine(certificates.clone())
            .oauth(jwt())
            .plain(jwt())
            .settings(settings)
            .build()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (chain, key) = authority.server("localhost");
        let serve = palisade::serve(server).listener(listener);
        let serve = if tls { serve.tls(Tls::from_pem(&chain, &key).unwrap()) } else { serve };
        tokio::spawn(async move { serve.await.unwrap() });
        Self { address, authority, signer, certificates }
    }

    async fn get(&self, path: &str, identity: Option<&Identity>, headers: &[(&str, &str)]) -> Reply {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.get_over(stream, path, identity, headers).await
    }

    async fn get_over(
        &self,
        stream: TcpStream,
        path: &str,
        identity: Option<&Identity>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector(&self.authority.pem, identity).connect(name, stream).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = http::Request::get(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        Reply { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    fn token(&self, cnf: Value) -> String {
        let mut claims = claims("alice", "");
        if !cnf.is_null() {
            claims["cnf"] = cnf;
        }
        format!("Bearer {}", self.signer.sign(&header("k1"), &claims))
    }
}

#[tokio::test]
async fn a_certificate_of_the_authority_is_a_caller_and_no_other_is() {
    let server = Sealed::start().await;
    let alice = server.authority.client(ALICE);
    let reply = server.get("/certificate", Some(&alice), &[]).await;
    assert_eq!(reply.allowed(200).json(), ALICE);
    assert!(reply.header("strict-transport-security").starts_with("max-age="), "TLS is ours");

    let none = server.get("/certificate", None, &[]).await;
    none.refused(401, "unauthenticated");
    assert_eq!(none.header("www-authenticate"), "MutualTLS realm=\"Sealed doors\"");
    let strangers = [
        ("another authority's", Authority::default().client(ALICE)),
        (
            "for servers",
            server.authority.sign(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
                params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
            }),
        ),
        (
            "over its time",
            server.authority.sign(|params| {
                params.not_after = date_time_ymd(2025, 1, 1);
                params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
            }),
        ),
        (
            "not good yet",
            server.authority.sign(|params| {
                params.not_before = date_time_ymd(2095, 1, 1);
                params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
            }),
        ),
        ("without the name", server.authority.sign(|_| {})),
        (
            "with a name of another kind",
            server.authority.sign(|params| {
                params.subject_alt_names = vec![SanType::DnsName(ALICE.try_into().unwrap())];
            }),
        ),
        (
            "with two names",
            server.authority.sign(|params| {
                let uri = |uri: &str| SanType::URI(uri.try_into().unwrap());
                params.subject_alt_names = vec![uri(ALICE), uri("spiffe://bank.example/bob")];
            }),
        ),
    ];
    for (what, identity) in &strangers {
        let reply = server.get("/certificate", Some(identity), &[]).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(reply.json()["error"]["message"], none.json()["error"]["message"], "{what}");
        let either =
            server.get("/either", Some(identity), &[("authorization", &server.token(Value::Null))]).await;
        assert_eq!(
            either.status,
            StatusCode::UNAUTHORIZED,
            "{what}: a bad credential refuses beside a good one"
        );
    }
}

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
async fn alternatives_and_combinations_count_certificates() {
    let server = Sealed::start().await;
    let alice = server.authority.client(ALICE);
    let token = server.token(Value::Null);
    let bearer = [("authorization", token.as_str())];
    server.get("/either", Some(&alice), &[]).await.allowed(200);
    server.get("/either", None, &bearer).await.allowed(200);
    server.get("/both", Some(&alice), &bearer).await.allowed(200);
    server.get("/both", Some(&alice), &[]).await.refused(401, "unauthenticated");
    server.get("/both", None, &bearer).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn grants_are_by_name() {
    let server = Sealed::with(|certificates| certificates.grant(ALICE, &["doors:open"]).unwrap()).await;
    let (alice, bob) = (server.authority.client(ALICE), server.authority.client("spiffe://bank.example/bob"));
    server.get("/granted", Some(&alice), &[]).await.allowed(200);
    server.get("/granted", Some(&bob), &[]).await.refused(403, "forbidden");
    server.get("/certificate", Some(&bob), &[]).await.allowed(200);

    let closed = |certificates: ClientCertificates| certificates.grant(ALICE, &[]).unwrap().only_granted();
    let server = Sealed::with(closed).await;
    let (alice, bob) = (server.authority.client(ALICE), server.authority.client("spiffe://bank.example/bob"));
    server.get("/certificate", Some(&alice), &[]).await.allowed(200);
    server.get("/certificate", Some(&bob), &[]).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_chain_ends_at_the_root() {
    let server = Sealed::start().await;
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let between = params.signed_by(&key, &server.authority.issuer).unwrap();
    let issuer = Authority { pem: between.pem(), issuer: Issuer::new(params, key) };
    let mut alice = issuer.client(ALICE);
    server.get("/certificate", Some(&alice), &[]).await.refused(401, "unauthenticated");
    alice.chain.push(between.der().clone());
    server.get("/certificate", Some(&alice), &[]).await.allowed(200);
}

#[tokio::test]
async fn what_was_revoked_is_refused_at_once_and_lists_out_of_date_refuse_all() {
    let server = Sealed::start().await;
    let of = |serial: u64| {
        server.authority.sign(|params| {
            params.serial_number = Some(SerialNumber::from(serial));
            params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
        })
    };
    let (one, two) = (of(1), of(2));
    server.get("/certificate", Some(&one), &[]).await.allowed(200);
    server.certificates.replace_revocation_lists(&server.authority.revokes(&[1], 2095)).unwrap();
    server.get("/certificate", Some(&one), &[]).await.refused(401, "unauthenticated");
    server.get("/certificate", Some(&two), &[]).await.allowed(200);
    server.certificates.replace_revocation_lists(&server.authority.revokes(&[], 2025)).unwrap();
    server.get("/certificate", Some(&two), &[]).await.refused(401, "unauthenticated");
    let others = Authority::default().revokes(&[], 2095);
    server.certificates.replace_revocation_lists(&others).unwrap();
    server.get("/certificate", Some(&two), &[]).await.refused(401, "unauthenticated");
    assert!(server.certificates.replace_revocation_lists("").is_err());
}

#[tokio::test]
async fn a_bound_token_is_good_with_its_certificate_only() {
    let server = Sealed::start().await;
    let (alice, bob) = (server.authority.client(ALICE), server.authority.client("spiffe://bank.example/bob"));
    // RFC 8705 section 2.2: whom nobody vouches for can hold a token as well
    let own = Authority::default().client("urn:self");
    let bound = |identity: &Identity| server.token(json!({ "x5t#S256": identity.thumbprint() }));
    for path in ["/bound", "/either"] {
        let token = bound(&alice);
        let shown = [("authorization", token.as_str())];
        server.get(path, Some(&alice), &shown).await.allowed(200);
        server.get(path, Some(&bob), &shown).await.refused(401, "unauthenticated");
        let stolen = server.get(path, None, &shown).await;
        stolen.refused(401, "unauthenticated");
        let challenges = stolen.headers.get_all("www-authenticate").iter();
        let invalid = challenges.filter(|line| line.to_str().unwrap().contains("invalid_token")).count();
        assert_eq!(invalid, 1, "RFC 8705 section 3");
    }
    let token = bound(&own);
    server.get("/bound", Some(&own), &[("authorization", &token)]).await.allowed(200);
    let free = server.token(Value::Null);
    server.get("/bound", Some(&alice), &[("authorization", &free)]).await.refused(401, "unauthenticated");
    let unknown = server.token(json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }));
    server.get("/bound", Some(&alice), &[("authorization", &unknown)]).await.refused(401, "unauthenticated");
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

/// Looks at files, now.
#[cfg(unix)]
fn hang_up() {
    let kill = std::process::Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status();
    assert!(kill.unwrap().success());
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
