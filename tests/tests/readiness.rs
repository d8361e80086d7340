//! What a server says of itself: over sockets, with a Redis that dies and comes back.

use std::future::IntoFuture;
use std::time::{Duration, Instant};

use palisade::{Readiness, SharedLimits, State, serve};
use palisade_tests::client::{Client, Reply};
use palisade_tests::redis_server::Server;

async fn listening(readiness: &Readiness) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    let routes = readiness.routes();
    tokio::spawn(async move { serve(routes).listener(listener).await });
    client
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

#[tokio::test]
async fn it_names_what_does_not_answer_and_lives_all_the_same() {
    let mut redis = Server::durable().await;
    let limits = SharedLimits::redis(&redis.url(), 2).await.unwrap().patience(Duration::from_secs(1));
    let answers = State::redis(&redis.url()).await.unwrap();
    let readiness = Readiness::new().limits("limits", &limits).state("answers", &answers);
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
    // it asked for nothing that is kept
    let kept = redis.ask(&["KEYS", "*"]).await.unwrap();
    assert_eq!(kept, redis::Value::Array(Vec::new()));
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
async fn a_server_that_stops_is_not_ready() {
    let readiness = Readiness::new();
    let client = listening(&readiness).await;
    ready(client).await.allowed(200);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = serve(axum::Router::new()).listener(listener).readiness(&readiness);
    let served = tokio::spawn(server.shutdown(async { _ = stopped.await }).into_future());
    ready(client).await.allowed(200);
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert_eq!(ready(client).await.allowed(503).body, r#"{"status":"stopping"}"#);
    client.get("/livez").send().await.allowed(200);
}
