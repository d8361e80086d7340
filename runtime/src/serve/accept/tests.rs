use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Extension;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::address::Peer;
use crate::serve::{ServeError, serve};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), ServeError>>,
    calls: Arc<AtomicUsize>,
}

/// Settings under which nothing that a test does not provoke comes to its end.
fn patient() -> Settings {
    Settings::new().header_timeout(LONG).idle_timeout(LONG).write_timeout(LONG).drain(LONG)
}

async fn run(settings: Settings) -> Running {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let router = Router::new()
        .route("/peer", get(|Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(SHORT * 3).await;
                "slow but done"
            }),
        )
        .route("/large", get(|| async { "x".repeat(64 << 20) }))
        .route("/echo", post(|body: String| async move { body }))
        .layer(axum::middleware::from_fn(move |request, next: axum::middleware::Next| {
            count.fetch_add(1, Ordering::SeqCst);
            next.run(request)
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = serve(router).settings(settings).listener(listener).shutdown(async { _ = stopped.await });
    Running { address, stop, done: tokio::spawn(server.into_future()), calls }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Sends `text` and reads until the server closes.
    async fn say(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }
}

/// What comes until the end, however it ends; a server that never closes fails the test.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    _ = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.expect("the server closes");
    String::from_utf8(all).unwrap()
}

async fn until(stream: &mut TcpStream, end: &str) -> String {
    let (mut all, mut some) = (Vec::new(), [0; 1024]);
    while !String::from_utf8_lossy(&all).contains(end) {
        let count = tokio::time::timeout(LONG, stream.read(&mut some)).await.unwrap().unwrap();
        assert!(count > 0, "closed before {end:?}: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&some[..count]);
    }
    String::from_utf8(all).unwrap()
}

const GET: &str = "GET /peer HTTP/1.1\r\nhost: a\r\n\r\n";
const LAST: &str = "GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn requests_carry_their_peer() {
    let server = run(patient()).await;
    let mut stream = server.connect().await;
    stream.write_all(LAST.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(&stream.local_addr().unwrap().to_string())
    );
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = run(patient().header_timeout(SHORT)).await;
    // nothing at all; the first byte of what may be HTTP/2; half a head; a second head that stops
    for start in ["", "P", "GET /peer HTTP/1.1\r\nhost: a\r\n"] {
        assert_eq!(server.say(start).await, "", "{start:?}");
    }
    assert_eq!(server.calls(), 0);
    let mut stream = server.connect().await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    until(&mut stream, "127.0.0.1:").await;
    tokio::time::sleep(SHORT * 2).await; // idle is not slow
    stream.write_all(GET.as_bytes()).await.unwrap();
    until(&mut stream, "127.0.0.1:").await;
    stream.write_all(b"GET /peer HT").await.unwrap();
    rest(&mut stream).await;
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_off_all_the_same() {
    let server = run(patient().header_timeout(SHORT * 2)).await;
    let mut stream = server.connect().await;
    let mut sent = 0;
    for byte in GET.as_bytes() {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        sent += 1;
        tokio::time::sleep(SHORT / 10).await;
    }
    assert!(sent < GET.len(), "the server must not wait for the whole head");
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let server = run(patient().header_timeout(SHORT).idle_timeout(SHORT)).await;
    let mut stream = server.connect().await;
    stream.write_all(GET.replace("/peer", "/slow").as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(
        answer.ends_with("slow but done"),
        "answered after three times the idle time, then closed: {answer}"
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_is_left() {
    let server = run(patient().write_timeout(SHORT)).await;
    let mut stream = server.connect().await;
    stream.write_all(LAST.replace("/peer", "/large").as_bytes()).await.unwrap();
    tokio::time::sleep(SHORT * 4).await;
    let mut all = Vec::new();
    _ = stream.read_to_end(&mut all).await;
    assert!(all.len() < 64 << 20, "got all of it after not reading for {:?}", SHORT * 4);
    let mut stream = server.connect().await;
    stream.write_all(LAST.replace("/peer", "/large").as_bytes()).await.unwrap();
    let read = rest(&mut stream).await;
    assert!(read.len() > 64 << 20, "one who reads gets all of it: {}", read.len());
}

#[tokio::test]
async fn what_is_no_request_is_answered_400_or_431() {
    let server = run(patient()).await;
    let headers = |count: usize| -> String { (0..count).map(|number| format!("h{number}: v\r\n")).collect() };
    let request =
        |headers: &str| format!("GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
    for (text, status) in [
        (request(&headers(98)), "200"),
        (request(&headers(99)), "431"),
        (request(&format!("big: {}\r\n", "v".repeat(30 * 1024))), "200"),
        (request(&format!("big: {}\r\n", "v".repeat(40 * 1024))), "431"),
        ("\u{16}\u{3}\u{1} hello\r\n\r\n".to_owned(), "400"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (request("space : before\r\n"), "400"),
        (request("folded: a\r\n b\r\n"), "400"),
        (request("nul: a\0b\r\n"), "400"),
        (request("content-length: 1\r\ncontent-length: 2\r\n"), "400"),
        (request("content-length: +1\r\n"), "400"),
        (request("transfer-encoding: gzip\r\n"), "400"),
        ("GET /peer HTTP/9.1\r\nhost: a\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = server.say(&text).await;
        let shown: String = text.chars().take(90).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown:?}: {answer}");
        if status != "200" {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(!head.contains("server:") && head.contains("x-request-id: "), "{answer}");
            assert!(head.contains("x-content-type-options: nosniff"), "{answer}");
            assert!(body.starts_with(r#"{"error":{"code":"#) && body.ends_with("}}"), "{answer}");
        }
    }
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn two_lengths_do_not_smuggle_a_second_request() {
    // RFC 9112 section 6.1: chunked wins, and the connection is closed after the answer.
    let server = run(patient()).await;
    let inner = "GET /peer HTTP/1.1\r\nhost: b\r\n\r\n";
    let both = format!(
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
        5 + inner.len()
    );
    let answer = server.say(&both).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert_eq!(server.calls(), 1);
    let answer = server.say(&format!("{GET}{LAST}")).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "two honest requests are served: {answer}");
}

#[tokio::test]
async fn http_2_states_its_limits_and_is_watched_too() {
    let server = run(patient().header_timeout(SHORT)).await;
    let mut stream = server.connect().await;
    // RFC 9113 section 3.4: the preface and an empty SETTINGS frame, then silence.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut bytes = Vec::new();
    _ = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("the server closes");
    let length = usize::from(bytes[2]);
    assert_eq!((bytes[0], bytes[1], bytes[3]), (0, 0, 4), "a SETTINGS frame");
    let settings: Vec<_> = bytes[9..9 + length]
        .chunks(6)
        .map(|one| (one[1], u32::from_be_bytes([one[2], one[3], one[4], one[5]])))
        .collect();
    assert!(settings.contains(&(3, 100)), "SETTINGS_MAX_CONCURRENT_STREAMS: {settings:?}");
    assert!(settings.contains(&(6, 16 * 1024)), "SETTINGS_MAX_HEADER_LIST_SIZE: {settings:?}");
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn one_address_gets_so_many_connections() {
    let server = run(patient().max_connections_per_address(2)).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    for stream in [&mut first, &mut second] {
        stream.write_all(GET.as_bytes()).await.unwrap();
        until(stream, "127.0.0.1:").await;
    }
    let mut third = server.connect().await;
    _ = third.write_all(GET.as_bytes()).await;
    assert_eq!(rest(&mut third).await, "", "closed without an answer");
    drop(first);
    let again = async {
        loop {
            let mut stream = server.connect().await;
            _ = stream.write_all(LAST.as_bytes()).await;
            if rest(&mut stream).await.contains(" 200 ") {
                return;
            }
        }
    };
    tokio::time::timeout(LONG, again).await.expect("a place comes free");
}

#[tokio::test]
async fn shutdown_finishes_what_has_begun_and_takes_nothing_new() {
    let server = run(patient()).await;
    let (mut busy, mut idle) = (server.connect().await, server.connect().await);
    idle.write_all(GET.as_bytes()).await.unwrap();
    until(&mut idle, "127.0.0.1:").await;
    busy.write_all(GET.replace("/peer", "/slow").as_bytes()).await.unwrap();
    while server.calls() < 2 {
        tokio::task::yield_now().await;
    }
    server.stop.send(()).unwrap();
    assert_eq!(rest(&mut idle).await, "");
    let late = TcpStream::connect(server.address).await;
    assert!(late.is_err() && !server.done.is_finished(), "while it stops nobody else is let in");
    assert!(rest(&mut busy).await.ends_with("slow but done"));
    tokio::time::timeout(LONG, server.done).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn shutdown_does_not_wait_for_the_header_of_a_balancer() {
    let server = run(patient().proxy_protocol_from(["127.0.0.1"]).unwrap()).await;
    let own = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let mut waiting = server.connect().await;
    waiting.write_all(&own[..9]).await.unwrap();
    let mut served = server.connect().await;
    served.write_all(&[&own[..], GET.as_bytes()].concat()).await.unwrap();
    until(&mut served, "127.0.0.1:").await; // they are accepted in their order
    server.stop.send(()).unwrap();
    let stopped = tokio::time::timeout(LONG / 2, server.done).await;
    stopped.expect("it waits for nobody").unwrap().unwrap();
    assert_eq!(rest(&mut waiting).await, "");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let server = run(patient().drain(SHORT / 3)).await;
    let mut busy = server.connect().await;
    busy.write_all(GET.replace("/peer", "/slow").as_bytes()).await.unwrap();
    while server.calls() < 1 {
        tokio::task::yield_now().await;
    }
    server.stop.send(()).unwrap();
    assert_eq!(rest(&mut busy).await, "");
    tokio::time::timeout(LONG, server.done).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_waits_for_what_is_done_whole_though_who_asked_has_left() {
    let [begun, goes_on] = [(); 2].map(|()| Arc::new(tokio::sync::Notify::new()));
    let work = {
        let (begun, goes_on) = (Arc::clone(&begun), Arc::clone(&goes_on));
        async move || {
            let work = async move {
                begun.notify_one();
                goes_on.notified().await;
            };
            crate::event::whole(work).await.unwrap_or_default();
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = serve(Router::new().route("/peer", get(work))).settings(patient()).listener(listener);
    let mut done = tokio::spawn(server.shutdown(async { _ = stopped.await }).into_future());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    begun.notified().await;
    drop(stream);
    stop.send(()).unwrap();
    assert!(tokio::time::timeout(SHORT, &mut done).await.is_err(), "it goes on");
    goes_on.notify_one();
    tokio::time::timeout(LONG, done).await.unwrap().unwrap().unwrap();
}

/// A service with work that never ends, which knows what it was asked to do last.
#[derive(Clone, Default)]
struct Endless(Arc<AtomicUsize>);

impl tower_service::Service<http::Request<axum::body::Body>> for Endless {
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<axum::body::Body>) -> Self::Future {
        std::future::ready(Ok(axum::response::Response::default()))
    }
}

impl Servable for Endless {
    async fn settled(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn written(&self) {
        assert_eq!(self.0.fetch_add(10, Ordering::SeqCst), 1, "after what settles");
    }
}

#[tokio::test]
async fn what_is_to_be_written_is_written_though_work_does_not_end() {
    let (service, listener) = (Endless::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let serving = serve(service.clone()).settings(Settings::new().drain(SHORT / 3)).listener(listener);
    tokio::time::timeout(LONG, serving.shutdown(async {}).into_future()).await.unwrap().unwrap();
    assert_eq!(service.0.load(Ordering::SeqCst), 11);
}
