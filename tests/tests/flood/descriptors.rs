//! More connections than a process has descriptors for.

use std::time::Duration;

use palisade_tests::instance::Instance;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Of which the runtime takes a dozen.
const DESCRIPTORS: &str = "40";
const CONNECTIONS: usize = 80;
/// Long enough for hundreds of attempts without a pause.
const MEANWHILE: Duration = Duration::from_secs(2);

/// A call on a connection that stays.
async fn is_served(stream: &mut TcpStream) {
    stream.write_all(b"GET /readiness HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..length]));
}

#[tokio::test]
async fn a_server_without_a_descriptor_left_waits_for_one_in_peace_and_serves_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let within = format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_ready-server");
    let arguments = ["-c".as_ref(), within.as_ref(), program.as_ref(), log.as_os_str()];
    let mut server = Instance::start("sh", &arguments);
    let mut first = TcpStream::connect(server.client.0).await.unwrap();
    is_served(&mut first).await;
    let connect = async || TcpStream::connect(server.client.0).await.unwrap();
    let crowd = futures_util::future::join_all((0..CONNECTIONS).map(|_| connect())).await;
    let late = tokio::spawn(server.client.get("/readiness").send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = server.worked();
    tokio::time::sleep(MEANWHILE).await;
    let worked = server.worked() - before;
    assert!(worked < MEANWHILE / 10, "{worked:?} of {MEANWHILE:?}");
    assert!(!late.is_finished());
    is_served(&mut first).await; // who is there already
    drop(crowd);
    late.await.unwrap().allowed(200);
    server.signal("TERM");
    assert!(server.ended().success());
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("cannot accept connections").count(), 1, "{log}");
}
