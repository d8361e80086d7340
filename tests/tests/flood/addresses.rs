//! A flood from many addresses, over sockets: a server in a process of its own, behind a proxy that tells where each request
//! comes from.
//!
//! A build that is not optimized answers a few thousand a second. So there are a million addresses only where the environment
//! says so: `FLOOD=1000000`. What is asserted is the same, whatever their number.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use palisade_tests::client::Reply;
use palisade_tests::instance::Instance;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than there are places for the counters of strangers.
const OTHERWISE: u32 = 100_000;
/// After so many all memory that is ever used is in use.
const FIRST: u32 = 40_000;
/// A few bytes of each address that comes then, or less than one.
const LITTLE: u64 = 512 << 10;
/// Connections of the proxy, and how many requests it sends on each before it reads their answers.
const CONNECTIONS: u32 = 4;
const AT_ONCE: u32 = 100;
/// Who comes in between.
const PARTS: u32 = 10;

/// Half of them are IPv4, half networks (/64) of IPv6. No two are the same, and neighbours are far apart.
fn address(number: u32) -> IpAddr {
    let spread = number.wrapping_mul(0x9e37_79b1); // odd, so each number has one of its own
    if number.is_multiple_of(2) {
        Ipv4Addr::from_bits(spread).into()
    } else {
        Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(spread) << 64) | 1).into()
    }
}

struct Bench {
    server: Instance,
    key: String,
}

impl Bench {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Instance::start(env!("CARGO_BIN_EXE_gate-server"), &[folder.path().as_os_str()]);
        Self { server, key: std::fs::read_to_string(folder.path().join("key")).unwrap() }
    }

    async fn get(&self, path: &str, from: &str) -> Reply {
        let call = self.server.client.get(path).key(&self.key);
        call.header("x-forwarded-for", from).header("x-forwarded-proto", "https").send().await
    }

    async fn is_refused(&self, from: &str) {
        let reply = self.get("/door", from).await;
        assert_eq!(reply.refused(429, "rate_limited").json()["error"]["policy"], "door");
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((300..=990).contains(&wait), "a quarter of an hour, up to a tenth more: {wait}");
    }

    /// How many of these addresses were let in, each asking once.
    async fn flood(&self, addresses: Range<u32>) -> u32 {
        let at = self.server.client.0;
        let share = |first| addresses.clone().skip(first as usize).step_by(CONNECTIONS as usize).collect();
        let proxies = (0..CONNECTIONS).map(|first| tokio::spawn(pass_on(at, share(first))));
        futures_util::future::join_all(proxies).await.into_iter().map(Result::unwrap).sum()
    }
}

async fn pass_on(server: SocketAddr, addresses: Vec<u32>) -> u32 {
    let mut proxy = TcpStream::connect(server).await.unwrap();
    let mut let_in = 0;
    for some in addresses.chunks(AT_ONCE as usize) {
        let mut requests = String::new();
        for number in some {
            let (host, from) = ("host: test\r\nx-forwarded-proto: https", address(*number));
            write!(requests, "GET /door HTTP/1.1\r\n{host}\r\nx-forwarded-for: {from}\r\n\r\n").unwrap();
        }
        proxy.write_all(requests.as_bytes()).await.unwrap();
        let_in += answers(&mut proxy, some.len()).await;
    }
    let_in
}

/// How many of so many answers say that somebody was let in; the others say that somebody was not.
async fn answers(proxy: &mut TcpStream, asked: usize) -> u32 {
    let mut all = String::new();
    loop {
        let mut some = [0; 1 << 16];
        let count = proxy.read(&mut some).await.unwrap();
        assert_ne!(count, 0, "closed: {all}");
        all.push_str(std::str::from_utf8(&some[..count]).unwrap());
        let [let_in, refused] =
            ["204", "429"].map(|status| all.matches(&format!("HTTP/1.1 {status} ")).count());
        if let_in + refused == asked && ["}}", "\r\n\r\n"].iter().any(|end| all.ends_with(end)) {
            return u32::try_from(let_in).unwrap();
        }
    }
}

#[tokio::test]
async fn a_flood_of_addresses_takes_no_more_memory_and_washes_nobody_away() {
    let all: u32 = std::env::var("FLOOD").map_or(OTHERWISE, |count| count.parse().unwrap());
    let bench = Bench::start();
    let (over, nearly, known) = (["198.51.100.7", "2001:db8:ffff:7::1"], "198.51.100.8", "203.0.113.5");
    for address in over {
        for _ in 0..4 {
            bench.get("/door", address).await.allowed(204);
        }
        bench.is_refused(address).await;
    }
    for _ in 0..3 {
        bench.get("/door", nearly).await.allowed(204);
    }
    for _ in 0..50 {
        bench.get("/key", known).await.allowed(200);
    }
    let mut let_in = bench.flood(0..FIRST).await;
    let before = bench.server.resident();
    for part in 0..PARTS {
        let at = |part| FIRST + (u64::from(all - FIRST) * u64::from(part) / u64::from(PARTS)) as u32;
        let_in += bench.flood(at(part)..at(part + 1)).await;
        bench.get("/key", known).await.allowed(200);
    }
    let after = bench.server.resident();
    println!("{let_in} of {all} were let in; {before} bytes before, {after} after");
    assert!(after < before + LITTLE, "{before} bytes before, {after} after");
    for address in over {
        bench.is_refused(address).await;
    }
    bench.get("/door", nearly).await.allowed(204);
    bench.is_refused(nearly).await;
    bench.get("/key", "203.0.113.99").await.allowed(200); // whom nobody has seen before
    assert!(
        (20_000..80_000).contains(&let_in),
        "places for strangers are taken, and not given twice: {let_in}"
    );
}
