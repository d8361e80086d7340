//! Behind a real HAProxy, which says by the PROXY protocol for whom it connects.
//!
//! It is `haproxy` of the distribution (`apt-get install haproxy`). Without it, this says that it was not run.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use palisade::Settings;
use palisade_tests::authority::{Authority, connector};
use palisade_tests::events;
use palisade_tests::gate::Gate;
use palisade_tests::waiting::until;
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::time::timeout;

const REQUEST: &str = "GET /door HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// HAProxy before a server, until it is dropped.
struct Haproxy {
    child: Child,
    folder: TempDir,
    authority: Authority,
    plain: SocketAddr,
    /// Where it ends TLS, and says so.
    tls: SocketAddr,
    /// The same with all else that it can say, and a checksum.
    summed: SocketAddr,
}

impl Haproxy {
    /// At addresses of this network, which no other test has. None where it is not installed.
    async fn before(server: SocketAddr, network: &str) -> Option<Self> {
        let program = ["haproxy", "/usr/sbin/haproxy"].into_iter().find(|it| runs(it))?;
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::default());
        let (chain, key) = authority.server("localhost");
        std::fs::write(folder.path().join("localhost.pem"), format!("{chain}{}", key.expose())).unwrap();
        let [plain, tls, summed] = free(network);
        let settings = folder.path().join("haproxy.cfg");
        std::fs::write(&settings, configuration(folder.path(), server, [plain, tls, summed])).unwrap();
        let mut command = Command::new(program);
        command.args(["-db", "-f"]).arg(settings).stderr(Stdio::null());
        let haproxy = Self { child: command.spawn().unwrap(), folder, authority, plain, tls, summed };
        // what it listens at takes connections before it has begun
        until(async || haproxy.tells().await.is_some()).await;
        Some(haproxy)
    }

    async fn ask_by_tls(&self, client: &str, through: SocketAddr) -> String {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = from(client, through).await;
        said(connector(&self.authority.pem, None).connect(name, stream).await.unwrap()).await
    }

    /// Whether its last check found the server.
    async fn finds_it(&self) -> bool {
        self.tells().await.is_some_and(|told| told.contains(r#""value":"L4OK""#))
    }

    /// What it knows of the server.
    async fn tells(&self) -> Option<String> {
        let mut stream = UnixStream::connect(self.folder.path().join("stats")).await.ok()?;
        stream.write_all(b"show stat plain 4 -1 json\n").await.ok()?;
        let mut told = String::new();
        stream.read_to_string(&mut told).await.ok().map(|_| told)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("-v").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What is bound to in a moment.
fn free(network: &str) -> [SocketAddr; 3] {
    let bound = [(); 3].map(|()| TcpListener::bind(format!("{network}.100:0")).unwrap());
    bound.map(|listener| listener.local_addr().unwrap())
}

fn configuration(folder: &Path, server: SocketAddr, [plain, tls, summed]: [SocketAddr; 3]) -> String {
    let folder = folder.display();
    format!(
        "global
    stats socket {folder}/stats
defaults
    mode tcp
    timeout connect 5s
    timeout client 20s
    timeout server 20s
listen plain
    bind {plain}
    server checked {server} send-proxy-v2 source 127.0.9.5 check check-send-proxy inter 50ms
listen tls
    bind {tls} ssl crt {folder}/localhost.pem
    server s {server} send-proxy-v2-ssl
listen summed
    bind {summed} ssl crt {folder}/localhost.pem
    server s {server} send-proxy-v2 proxy-v2-options ssl,ssl-cipher,cert-key,cert-sig,authority,unique-id,crc32c
    unique-id-format %[uuid()]
"
    )
}

/// A connection from an address of this machine.
async fn from(client: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{client}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// What is answered until the other side closes, which it must do.
async fn said(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    _ = stream.write_all(REQUEST.as_bytes()).await;
    let mut answer = Vec::new();
    _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.expect("it is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or_default()
}

/// A server that takes connections of HAProxy alone.
async fn balanced(network: &str) -> Option<(Gate, Haproxy)> {
    events::collect();
    let gate = Gate::with(Settings::new().proxy_protocol_from(["127.0.0.1", "127.0.9.0/24"]).unwrap()).await;
    let haproxy = Haproxy::before(gate.client.0, network).await;
    if haproxy.is_none() {
        println!("NOT RUN: there is no `haproxy`");
    }
    haproxy.map(|haproxy| (gate, haproxy))
}

#[tokio::test]
async fn limits_and_events_are_of_the_client_that_haproxy_names() {
    let Some((_gate, haproxy)) = balanced("127.0.2").await else { return };
    for (client, through) in [("127.0.2.1", haproxy.tls), ("127.0.2.2", haproxy.summed)] {
        for _ in 0..4 {
            let answer = haproxy.ask_by_tls(client, through).await;
            assert_eq!(status(&answer), "204", "{answer}");
            assert!(answer.contains("strict-transport-security"), "the client came by TLS: {answer}");
        }
        let fifth = haproxy.ask_by_tls(client, through).await;
        assert_eq!(status(&fifth), "429", "{fifth}");
        let told = events::with("source_ip", client);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0]["failure_reason"].contains("door"), "{told:?}");
    }
    let answer = haproxy.ask_by_tls("127.0.2.3", haproxy.tls).await;
    assert_eq!(status(&answer), "204", "the same balancer, another client: {answer}");
}

#[tokio::test]
async fn what_came_to_haproxy_in_plain_text_is_refused() {
    let Some((_gate, haproxy)) = balanced("127.0.3").await else { return };
    let answer = said(from("127.0.3.1", haproxy.plain).await).await;
    assert_eq!(status(&answer), "403", "{answer}");
    assert!(answer.contains("tls_required"), "{answer}");
    let told = events::with("source_ip", "127.0.3.1");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["event_type"], "input_plaintext");
}

#[tokio::test]
async fn nobody_comes_to_the_server_past_haproxy() {
    let Some((gate, haproxy)) = balanced("127.0.9").await else { return };
    for (client, event) in
        [("127.0.9.1", "input_malformed_proxy_header"), ("127.0.10.1", "input_unlisted_proxy")]
    {
        assert_eq!(said(from(client, gate.client.0).await).await, "", "{client}");
        let told = events::with("source_ip", client);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["event_type"], event);
    }
    assert_eq!(status(&haproxy.ask_by_tls("127.0.10.2", haproxy.tls).await), "204");
}

/// What it asks on its own account has a header that says so, and no request.
#[tokio::test]
async fn a_check_of_haproxy_finds_the_server_and_is_no_event() {
    let Some((_gate, haproxy)) = balanced("127.0.4").await else { return };
    until(async || haproxy.finds_it().await).await;
    // which is answered after what the check sent is read
    assert_eq!(status(&said(from("127.0.4.1", haproxy.plain).await).await), "403");
    assert_eq!(events::with("source_ip", "127.0.9.5").len(), 0);
}
