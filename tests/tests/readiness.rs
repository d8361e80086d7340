//! What a server says of itself: over sockets, with a Redis that dies and comes back.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade::{Readiness, SharedLimits, State, serve};
use palisade_tests::attacks::frames::{
    END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, SETTINGS, fields, frame,
};
use palisade_tests::client::{Client, Reply};
use palisade_tests::instance::Instance;
use palisade_tests::redis_server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// A frame of HTTP/2 that the server wrote: its kind, its flags, its stream and its payload.
async fn frame_from(server: &mut TcpStream) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    server.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    server.read_exact(&mut payload).await.ok()?;
    Some((kind, flags, u32::from_be_bytes(stream), payload))
}

/// Where it says that its server takes requests.
async fn listening(readiness: &Readiness) -> Client {
    readiness.start();
    Client(readiness.listen("127.0.0.1:0").await.unwrap())
}

async fn ready(client: Client) -> Reply {
    client.get("/readyz").send().await
}

/// Until it says so: what was found is told again for a second.
async fn becomes(client: Client, said: &str) {
    let began = Instant::now();
    loop {
        let reply = ready(client).await;
        assert_eq!(client.get("/livez").send().await.allowed(200).body, r#"{"status":"alive"}"#);
        if reply.allowed(200).body == said {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", reply.body);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// RFC 9112 section 3.2.
#[tokio::test]
async fn what_is_of_no_host_is_no_request_there_either() {
    let client = listening(&Readiness::new()).await;
    for (lines, status) in
        [("host: a\r\n", "200"), ("", "400"), ("host: a\r\nhost: b\r\n", "400"), ("host: a b\r\n", "400")]
    {
        for path in ["/livez", "/readyz"] {
            let request = format!("GET {path} HTTP/1.1\r\n{lines}connection: close\r\n\r\n");
            let answer = client.raw(request.as_bytes()).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        }
    }
}

#[tokio::test]
async fn it_names_what_does_not_answer_and_lives_all_the_same() {
    let mut redis = Server::durable().await;
    let limits = SharedLimits::redis(&redis.url(), 2).await.unwrap().patience(Duration::from_secs(1));
    let answers = State::redis(&redis.url()).await.unwrap();
    let settings = palisade::Settings::new().limits_in(limits);
    let readiness = Readiness::new().shared_by(&settings).state("answers", &answers);
    let client = listening(&readiness.state("proofs", &State::memory())).await;
    let reply = ready(client).await;
    assert_eq!(reply.allowed(200).body, r#"{"status":"ready"}"#);
    assert_eq!(
        (reply.header("content-type"), reply.header("cache-control")),
        ("application/json", "no-store")
    );
    redis.kill();
    becomes(client, r#"{"degraded":["limits","answers"],"status":"degraded"}"#).await;
    redis.restart().await;
    becomes(client, r#"{"status":"ready"}"#).await;
    // it answers and writes nothing: without room, and without the copies that it must have
    for (setting, bad, good) in [("maxmemory", "1mb", "0"), ("min-replicas-to-write", "1", "0")] {
        redis.ask(&["CONFIG", "SET", setting, bad]).await.unwrap();
        becomes(client, r#"{"degraded":["limits","answers"],"status":"degraded"}"#).await;
        redis.ask(&["CONFIG", "SET", setting, good]).await.unwrap();
        becomes(client, r#"{"status":"ready"}"#).await;
    }
    redis.follow().await;
    becomes(client, r#"{"degraded":["limits","answers"],"status":"degraded"}"#).await;
    redis.lead().await;
    becomes(client, r#"{"status":"ready"}"#).await;
    // it asked for nothing that is kept
    tokio::time::sleep(Duration::from_millis(10)).await;
    let redis::Value::Array(mut kept) = redis.ask(&["KEYS", "*"]).await.unwrap() else { panic!("no list") };
    kept.sort_by_key(|name| format!("{name:?}"));
    let begun = [&b"palisade:versions"[..], b"palisade:limit:secret"]; // whoever connects makes these
    let mut begun = begun.map(|name| redis::Value::BulkString(name.to_vec()));
    begun.sort_by_key(|name| format!("{name:?}"));
    assert_eq!(kept, begun);
    assert_eq!(client.call("POST", "/readyz").send().await.status, 405);
}

#[tokio::test]
async fn a_redis_that_hangs_makes_nobody_wait_for_long() {
    let redis = Server::durable().await;
    let readiness = Readiness::new().state("answers", &State::redis(&redis.url()).await.unwrap());
    let client = listening(&readiness).await;
    redis.signal("STOP");
    let began = Instant::now();
    let asked = (0..50).map(|_| ready(client));
    for reply in futures_util::future::join_all(asked).await {
        assert_eq!(reply.allowed(200).body, r#"{"degraded":["answers"],"status":"degraded"}"#);
    }
    assert!(began.elapsed() < Duration::from_millis(2_500), "one asks for all: {:?}", began.elapsed());
    redis.signal("CONT");
}

#[tokio::test]
async fn a_server_is_ready_from_when_it_serves_until_it_stops() {
    let readiness = Readiness::new();
    let client = Client(readiness.listen("127.0.0.1:0").await.unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = Client(listener.local_addr().unwrap());
    let server = serve(axum::Router::new()).listener(listener).readiness(&readiness);
    assert_eq!(ready(client).await.allowed(503).body, r#"{"status":"starting"}"#);
    let served = tokio::spawn(server.shutdown(async { _ = stopped.await }).into_future());
    there.get("/").send().await;
    ready(client).await.allowed(200);
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert_eq!(ready(client).await.allowed(503).body, r#"{"status":"stopping"}"#);
    client.get("/livez").send().await.allowed(200);
}

#[tokio::test]
async fn a_part_of_the_applications_own_answers_in_time_or_is_away() {
    let [yes, no] = [true, false].map(|answer| move || std::future::ready(answer));
    let readiness = Readiness::new().part("books", yes).part("mail", no).part("maps", std::future::pending);
    let client = listening(&readiness).await;
    assert_eq!(ready(client).await.allowed(200).body, r#"{"degraded":["mail","maps"],"status":"degraded"}"#);
}

/// A process is told by a signal, and all in it that listens for one hears it.
#[tokio::test]
async fn a_process_that_is_told_to_stop_says_so_until_it_ends() {
    let mut server = Instance::start(env!("CARGO_BIN_EXE_ready-server"), &[]);
    let there = server.client.get("/readiness").send().await;
    let readiness = Client(std::str::from_utf8(&there.body).unwrap().parse().unwrap());
    ready(readiness).await.allowed(200);
    let slow = tokio::spawn(server.client.get("/slow").send());
    tokio::time::sleep(Duration::from_millis(300)).await; // until it has begun
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ready(readiness).await.allowed(503).body, r#"{"status":"stopping"}"#);
    assert_eq!(readiness.get("/livez").send().await.allowed(200).body, r#"{"status":"alive"}"#);
    assert!(TcpStream::connect(server.client.0).await.is_err(), "it takes nobody new");
    assert!(!slow.is_finished());
    assert_eq!(slow.await.unwrap().allowed(200).body, "done");
    assert!(server.ended().success());
    assert!(TcpStream::connect(readiness.0).await.is_err());
}

/// RFC 9113 section 6.8: GOAWAY of all streams, a round trip, then of those that have begun.
#[tokio::test]
async fn a_server_that_stops_answers_what_has_begun_on_a_connection_of_http2_and_nothing_else() {
    let (began, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let slow = {
        let (began, go) = (Arc::clone(&began), Arc::clone(&go));
        move || async move {
            began.add_permits(1);
            drop(go.acquire().await);
        }
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/slow", axum::routing::get(slow));
    let served = serve(router).listener(listener).shutdown(async { _ = stopped.await });
    let served = tokio::spawn(served.into_future());
    let mut server = TcpStream::connect(address).await.unwrap();
    let head = [(":method", "GET"), (":scheme", "http"), (":authority", "test"), (":path", "/slow")];
    let request = |stream| frame(HEADERS, END_STREAM | END_HEADERS, stream, &fields(&head));
    let opening = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &[])].concat();
    server.write_all(&[opening, request(1)].concat()).await.unwrap();
    drop(began.acquire().await);
    stop.send(()).unwrap();
    let (mut last, mut answered) = (Vec::new(), Vec::new());
    while let Some((kind, flags, stream, payload)) = frame_from(&mut server).await {
        match (kind, flags) {
            (PING, 0) => server.write_all(&frame(PING, 1, 0, &payload)).await.unwrap(),
            (GOAWAY, _) => {
                last.push(u32::from_be_bytes(*payload.first_chunk().unwrap()));
                if last.ends_with(&[1]) {
                    // too late
                    server.write_all(&request(3)).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    go.add_permits(2);
                }
            }
            (HEADERS, _) => {
                assert!(payload.contains(&0x88), "`:status: 200` of the static table (RFC 7541 appendix A)");
                answered.push(stream);
            }
            _ => {}
        }
    }
    assert_eq!(last, [u32::MAX >> 1, 1]);
    assert_eq!(answered, [1]);
    assert_eq!(began.available_permits(), 1, "no other handler ran");
    served.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
