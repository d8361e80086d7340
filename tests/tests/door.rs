//! Steps 1 and 2: who is at the door, behind which proxy, at what time.

use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use palisade::{Clock, ForwardedHeader, Settings};
use palisade_tests::events;
use palisade_tests::gate::Gate;
use palisade_tests::tokens::now;
use tokio::net::TcpStream;

/// This machine as a proxy that speaks TLS to the world.
fn proxied() -> Settings {
    Settings::new().trusted_proxies(["127.0.0.1"]).unwrap()
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_nobody_else() {
    let (behind, bare) = (Gate::with(proxied()).await, Gate::start().await);
    let from = |gate: &Gate, client: &str| {
        let call = gate.client.get("/door").header("x-forwarded-for", client);
        call.header("x-forwarded-proto", "https").send()
    };
    for _ in 0..4 {
        from(&behind, "198.51.100.7").await.allowed(204);
    }
    from(&behind, "198.51.100.7").await.refused(429, "rate_limited");
    from(&behind, "198.51.100.8").await.allowed(204);
    from(&behind, "198.51.100.7, 198.51.100.9").await.allowed(204); // the nearest hop that is no proxy counts

    for client in ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"] {
        from(&bare, client).await.allowed(204);
    }
    from(&bare, "198.51.100.5").await.refused(429, "rate_limited");
}

#[tokio::test]
async fn the_other_forwarded_header_is_not_read() {
    let gate = Gate::with(proxied().forwarded_header(ForwardedHeader::Forwarded)).await;
    let call = |name: &str, value: &str| gate.client.get("/open").header(name, value).send();
    call("forwarded", "for=198.51.100.7;proto=https").await.allowed(204);
    call("x-forwarded-proto", "https").await.refused(403, "tls_required");
}

#[tokio::test]
async fn behind_a_proxy_plain_text_is_refused_and_https_is_insisted_on() {
    let gate = Gate::with(proxied()).await;
    let by = |proto: &str| {
        gate.client
            .get("/open")
            .header("x-forwarded-for", "198.51.100.7")
            .header("x-forwarded-proto", proto)
            .send()
    };
    let reply = by("https").await;
    assert_eq!(reply.allowed(204).header("strict-transport-security"), "max-age=63072000");
    by("http").await.refused(403, "tls_required");
    let open = Gate::start().await.client.get("/open").send().await;
    assert_eq!(open.allowed(204).header("strict-transport-security"), "", "RFC 6797 section 7.2");
}

/// The status of a request with this target, which names its scheme.
async fn of_scheme(gate: &Gate, scheme: &str, behind: &str) -> String {
    let head =
        format!("GET {scheme}://test/open HTTP/1.1\r\nhost: test\r\n{behind}connection: close\r\n\r\n");
    let answer = gate.client.raw(head.as_bytes()).await;
    let misdirected = answer[9..12] == *"421";
    assert_eq!(answer.contains(r#""code":"misdirected_request""#), misdirected, "{answer}");
    assert_eq!(answer.contains("the host and the scheme of this request"), misdirected, "{answer}");
    answer[9..12].to_owned()
}

/// The same over HTTP/2, of which every request names its scheme.
async fn over_http_2(gate: &Gate, scheme: &str, behind: &[(&str, &str)]) -> u16 {
    let stream = TokioIo::new(TcpStream::connect(gate.client.0).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("{scheme}://test/open"));
    let request = behind.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().status().as_u16()
}

/// RFC 9110 section 7.4: what is asked for over TLS must come over it; a trusted proxy says whether it did.
#[tokio::test]
async fn a_request_for_https_does_not_come_in_plain_text() {
    let (bare, behind) = (Gate::start().await, Gate::with(proxied()).await);
    assert_eq!(of_scheme(&bare, "http", "").await, "204");
    assert_eq!(of_scheme(&bare, "https", "").await, "421");
    assert_eq!(
        of_scheme(&bare, "https", "x-forwarded-proto: https\r\n").await,
        "421",
        "the word of a stranger"
    );
    assert_eq!(over_http_2(&bare, "http", &[]).await, 204);
    assert_eq!(over_http_2(&bare, "https", &[]).await, 421);
    let https = ("x-forwarded-proto", "https");
    for scheme in ["http", "https"] {
        assert_eq!(of_scheme(&behind, scheme, "x-forwarded-proto: https\r\n").await, "204", "{scheme}");
        assert_eq!(over_http_2(&behind, scheme, &[https]).await, 204, "{scheme}");
        assert_eq!(over_http_2(&behind, scheme, &[]).await, 403, "{scheme}");
    }
}

/// A server in another accept loop is not asked where it listens, and the gate refuses what came in plain text all the same.
#[tokio::test]
async fn in_another_accept_loop_only_this_machine_speaks_in_plain_text() {
    for (peer, status) in [(Some("127.0.0.1:9"), 204), (Some("192.0.2.1:9"), 403), (None, 403)] {
        assert_eq!(in_another_loop(peer, "/open", Version::HTTP_11).await, status, "{peer:?}");
    }
}

/// It may speak TLS of its own, of which the gate knows nothing.
#[tokio::test]
async fn in_another_accept_loop_no_scheme_is_another_than_that_of_the_connection() {
    for (peer, status) in [(Some("127.0.0.1:9"), 204), (Some("192.0.2.1:9"), 403), (None, 403)] {
        for version in [Version::HTTP_2, Version::HTTP_11] {
            for target in ["https://test/open", "http://test/open"] {
                let answered = in_another_loop(peer, target, version).await;
                assert_eq!(answered, status, "{peer:?} {version:?} {target}");
            }
        }
    }
}

/// The status of a request that the accept loop of an application hands on from this peer.
async fn in_another_loop(peer: Option<&str>, target: &str, version: Version) -> u16 {
    use axum::extract::ConnectInfo;
    use tower_service::Service as _;
    let signer = palisade_tests::tokens::Signer::new("k1");
    let keys = palisade::ApiKeys::new([]).unwrap();
    let cursors = palisade::CursorKeys::generate().unwrap();
    let service = palisade_tests::gate::Service::default();
    let server = palisade_tests::gate::complete(service, &signer, &keys, Settings::new(), cursors);
    let request = http::Request::get(target).version(version).header("host", "test");
    let mut request = request.body(axum::body::Body::empty()).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer.parse::<std::net::SocketAddr>().unwrap()));
    }
    server.into_router().call(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_request_id_is_taken_from_a_proxy_only() {
    let (behind, bare) = (Gate::with(proxied()).await, Gate::start().await);
    let ask = |gate: &Gate, id: &str| {
        gate.client.get("/open").header("x-forwarded-proto", "https").header("x-request-id", id).send()
    };
    assert_eq!(ask(&behind, "edge-0123456789").await.header("x-request-id"), "edge-0123456789");
    assert_ne!(ask(&behind, "two words").await.header("x-request-id"), "two words");
    assert_ne!(ask(&bare, "edge-0123456789").await.header("x-request-id"), "edge-0123456789");
}

/// Invariant 10: a clock that was never set, or was set back, refuses, and says so.
#[tokio::test]
async fn without_the_time_nothing_is_answered() {
    events::collect();
    let clock = Clock::fixed(now());
    let gate = Gate::with(Settings::new().clock(clock.clone())).await;
    gate.client.get("/open").send().await.allowed(204);
    let started = now();
    for wrong in [0, started - 3600] {
        clock.set(wrong);
        let reply = gate.client.get("/open").send().await;
        reply.refused(503, "unavailable");
        assert_eq!(events::of(reply.header("x-request-id"))["event_type"], "sys_clock_failed");
        clock.set(started);
        gate.client.get("/open").send().await.allowed(204);
    }
}

/// Limits by address of the document count what matches no operation, too.
#[tokio::test]
async fn a_flood_of_unknown_paths_is_limited() {
    let clock = Clock::fixed(now());
    let gate = Gate::with(Settings::new().clock(clock.clone())).await;
    for path in 0..1000 {
        assert_eq!(gate.client.get(&format!("/nothing/{path}")).send().await.status, 404);
    }
    gate.client.get("/nothing").send().await.refused(429, "rate_limited");
    gate.client.get("/open").send().await.refused(429, "rate_limited");
    clock.advance(Duration::from_secs(3600));
    gate.client.get("/open").send().await.allowed(204);
}

/// What is no request has an envelope and an event as well.
#[tokio::test]
async fn what_is_no_http_is_refused_in_the_envelope() {
    events::collect();
    let gate = Gate::start().await;
    let long = "a".repeat(70_000);
    for (sent, status, code) in [
        ("canary-garbage\r\n\r\n".to_owned(), "400", "invalid_request"),
        (format!("GET /open HTTP/1.1\r\nhost: t\r\nx: {long}\r\n\r\n"), "431", "headers_too_large"),
        (format!("GET /{long} HTTP/1.1\r\nhost: t\r\n\r\n"), "431", "headers_too_large"),
    ] {
        let answer = gate.client.raw(sent.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(&format!(r#""code":"{code}""#)) && !answer.contains("canary"), "{answer}");
        let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
        let event = events::of(id.trim());
        assert_eq!(event["event_type"], "input_malformed_request");
        assert_eq!((event["source_ip"].as_str(), event["status"].as_str()), ("127.0.0.1", status));
    }
}
