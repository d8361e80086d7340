//! A flood of refusals whose events nobody stores, over sockets: a server in a process of its own, with a sink that is away.
//!
//! There are more of them where the environment says so: `FLOOD=100000`.

use palisade_tests::instance::Instance;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How many are refused.
const OTHERWISE: usize = 40_000;
/// After so many the queue has been full for long.
const FIRST: usize = 10_000;
/// A few bytes of each refusal that comes then.
const LITTLE: u64 = 512 << 10;
const AT_ONCE: usize = 100;

/// Each is refused, and has its event.
async fn refused(client: &mut TcpStream, count: usize) {
    let request = "GET /nothing HTTP/1.1\r\nhost: test\r\nx-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\n\r\n";
    for _ in 0..count / AT_ONCE {
        client.write_all(request.repeat(AT_ONCE).as_bytes()).await.unwrap();
        let mut all = String::new();
        // each answer has one of these, once, and ends by it
        while all.matches("}}").count() < AT_ONCE {
            let mut some = [0; 1 << 16];
            let count = client.read(&mut some).await.unwrap();
            assert_ne!(count, 0, "closed: {all}");
            all.push_str(std::str::from_utf8(&some[..count]).unwrap());
        }
        let refusals = ["404", "429"].map(|status| all.matches(&format!("HTTP/1.1 {status} ")).count());
        assert_eq!(refusals.iter().sum::<usize>(), AT_ONCE, "{all}");
    }
}

#[tokio::test]
async fn events_that_nobody_stores_take_no_more_memory_than_their_queue() {
    let refusals = std::env::var("FLOOD").map_or(OTHERWISE, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let server =
        Instance::start(env!("CARGO_BIN_EXE_gate-server"), &[folder.path().as_os_str(), "away".as_ref()]);
    let mut client = TcpStream::connect(server.client.0).await.unwrap();
    refused(&mut client, FIRST).await;
    let before = server.resident();
    refused(&mut client, refusals - FIRST).await;
    let after = server.resident();
    println!("{before} bytes before, {after} after");
    assert!(after < before + LITTLE, "{before} bytes before, {after} after");
}
