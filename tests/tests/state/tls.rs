//! The engine in a Redis that speaks TLS.

use std::net::TcpListener;
use std::time::Duration;

use palisade::State;
use palisade::state::{Expected, Next, RedisServer};
use palisade_tests::authority::Authority;
use palisade_tests::redis_server::Server;
use tempfile::TempDir;

use crate::suite::{key, made, record};

const HOUR: Duration = Duration::from_secs(3600);

struct Bench {
    _redis: Server,
    _files: TempDir,
    port: u16,
}

impl Bench {
    /// A Redis of this name that asks its clients for certificates, or does not.
    async fn start(authority: &Authority, name: &str, asks: bool) -> Self {
        let files = tempfile::tempdir().unwrap();
        let (certificate, key) = authority.server(name);
        let write = |name: &str, text: &str| {
            let path = files.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (certificate, key) = (write("server.pem", &certificate), write("server.key", key.expose()));
        let authority = write("ca.pem", &authority.pem);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let asks = if asks { "yes" } else { "no" };
        let settings = format!(
            "--maxmemory-policy noeviction --tls-port {port} --tls-cert-file {certificate} --tls-key-file {key} \
             --tls-ca-cert-file {authority} --tls-auth-clients {asks}"
        );
        Self { _redis: Server::start(&settings).await, _files: files, port }
    }

    fn server(&self) -> RedisServer {
        RedisServer::at(format!("rediss://localhost:{}", self.port))
    }
}

async fn works(state: State) {
    let version = made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    assert_eq!(state.get(key("a")).await.unwrap().unwrap().value, b"1");
    made(state.swap(key("a"), Expected::Version(version), Next::Nothing).await);
}

#[tokio::test]
async fn a_server_is_believed_by_the_roots_that_are_given() {
    let authority = Authority::default();
    let bench = Bench::start(&authority, "localhost", false).await;
    works(State::redis(bench.server().trusting(authority.pem.as_str())).await.unwrap()).await;

    let other = Authority::default();
    assert!(State::redis(bench.server().trusting(other.pem.as_str())).await.is_err(), "another authority");
    assert!(State::redis(bench.server()).await.is_err(), "no machine trusts it");
    let clear = format!("redis://localhost:{}", bench.port);
    assert!(State::redis(clear).await.is_err(), "what speaks TLS is not asked in the clear");
}

#[tokio::test]
async fn a_certificate_is_for_the_name_of_the_server() {
    let authority = Authority::default();
    let bench = Bench::start(&authority, "elsewhere.example", false).await;
    assert!(State::redis(bench.server().trusting(authority.pem.as_str())).await.is_err());
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_one() {
    let authority = Authority::default();
    let bench = Bench::start(&authority, "localhost", true).await;
    let server = bench.server().trusting(authority.pem.as_str());
    assert!(State::redis(server.clone()).await.is_err());
    let (certificate, key) = authority.server("client.example");
    works(State::redis(server.presenting(certificate, key.expose().as_str())).await.unwrap()).await;
}
