//! Behind a balancer that passes connections on and says by the PROXY protocol for whom.

use std::net::SocketAddr;
use std::time::Duration;

use palisade::Settings;
use palisade_tests::events;
use palisade_tests::gate::Gate;
use palisade_tests::proxy_header::{self, BY_TLS, CHECKSUM, crc32c};
use palisade_tests::tokens::{claims_with, header};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// What the page on authentication shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    use palisade::{Server, Settings, Tls};

    async fn run(server: Server, tls: Tls) -> Result<(), Box<dyn std::error::Error>> {
        let settings = Settings::new().proxy_protocol_from(["10.0.0.0/28"])?;
        palisade::serve(server).settings(settings).tls(tls).listen("0.0.0.0:8443").await?;
        Ok(())
    }
}

/// A server with this whole network as its balancers, of which it awaits headers for a second.
async fn balanced() -> Gate {
    Gate::with(of_balancers()).await
}

fn of_balancers() -> Settings {
    Settings::new().proxy_protocol_from(["127.0.0.0/8"]).unwrap().header_timeout(Duration::from_secs(1))
}

const LAST: &str = "GET /door HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

/// A connection from an address of this machine.
async fn from(peer: &str, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{peer}:0").parse().unwrap()).unwrap();
    socket.connect(server).await.unwrap()
}

/// Sends it at once and reads until the server closes, which it must do.
async fn say(peer: &str, gate: &Gate, bytes: &[u8]) -> String {
    let mut stream = from(peer, gate.client.0).await;
    _ = stream.write_all(bytes).await;
    rest(stream).await
}

async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request of a client that came to the balancer by TLS.
fn request(client: &str) -> Vec<u8> {
    [&proxy_header::of(client, &[BY_TLS])[..], LAST.as_bytes()].concat()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or_default()
}

#[tokio::test]
async fn limits_and_events_are_of_the_client_and_not_of_its_balancer() {
    events::collect();
    let gate = balanced().await;
    for client in ["198.51.100.10", "[2001:db8:10::1]"] {
        for port in 1..=4 {
            let answer = say("127.0.0.1", &gate, &request(&format!("{client}:{port}"))).await;
            assert_eq!(status(&answer), "204", "{answer}");
            assert!(answer.contains("strict-transport-security"), "the client came by TLS: {answer}");
        }
        assert_eq!(status(&say("127.0.0.1", &gate, &request(&format!("{client}:5"))).await), "429");
        let told = events::with("source_ip", client.trim_matches(['[', ']']));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0]["failure_reason"].contains("door"), "{told:?}");
    }
    // the same balancer, another client
    assert_eq!(status(&say("127.0.0.1", &gate, &request("198.51.100.11:1")).await), "204");
}

#[tokio::test]
async fn a_header_may_come_in_pieces_but_not_for_ever() {
    events::collect();
    let gate = balanced().await;
    let mut stream = from("127.0.20.1", gate.client.0).await;
    for piece in request("198.51.100.20:1").chunks(7) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(status(&rest(stream).await), "204");
    for (peer, cut) in [("127.0.20.2", 0), ("127.0.20.3", 11), ("127.0.20.4", 20)] {
        let gate = balanced().await; // events of one listener come together
        let begun = &request("198.51.100.20:1")[..cut];
        let mut stream = from(peer, gate.client.0).await;
        stream.write_all(begun).await.unwrap();
        assert_eq!(rest(stream).await, "", "{cut} bytes");
        assert_eq!(events::with("source_ip", peer)[0]["failure_reason"], "proxy_protocol: header_late");
    }
    let gate = balanced().await;
    let mut stream = from("127.0.20.5", gate.client.0).await;
    stream.write_all(&request("198.51.100.20:1")[..20]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(rest(stream).await, "");
    assert_eq!(
        events::with("source_ip", "127.0.20.5")[0]["failure_reason"],
        "proxy_protocol: header_cut_off"
    );
}

#[tokio::test]
async fn nothing_begins_without_a_header_that_is_right() {
    events::collect();
    let wrong = proxy_header::of("198.51.100.30:1", &[(CHECKSUM, &[1, 2, 3, 4])]);
    for (number, header, why) in [
        (1, vec![], "no_header"),
        (2, b"PROXY TCP4 198.51.100.30 10.0.0.1 1 443\r\n".to_vec(), "no_header"),
        (3, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello of TLS".to_vec(), "no_header"),
        (4, proxy_header::written(0x11, 0x11, &[1; 12]), "other_version"),
        (5, proxy_header::written(0x22, 0x11, &[1; 12]), "unknown_command"),
        (6, proxy_header::written(0x21, 0x51, &[1; 12]), "unknown_family"),
        (7, proxy_header::written(0x21, 0x00, &[]), "client_without_address"),
        (8, proxy_header::written(0x21, 0x12, &[1; 12]), "client_without_address"),
        (9, proxy_header::written(0x21, 0x31, &[1; 216]), "client_without_address"),
        (10, proxy_header::written(0x21, 0x11, &[1; 11]), "wrong_length"),
        (11, proxy_header::written(0x21, 0x21, &[1; 12]), "wrong_length"),
        (12, proxy_header::written(0x21, 0x11, &[1; 9000]), "wrong_length"),
        (13, proxy_header::written(0x21, 0x11, &[1; 14]), "malformed_vectors"),
        (14, wrong, "wrong_checksum"),
    ] {
        let (gate, peer) = (balanced().await, format!("127.0.30.{number}"));
        assert_eq!(say(&peer, &gate, &[&header[..], LAST.as_bytes()].concat()).await, "", "{why}");
        let told = events::with("source_ip", &peer);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["event_type"], "input_malformed_proxy_header");
        assert_eq!(told[0]["failure_reason"], format!("proxy_protocol: {why}"));
        assert_eq!(told[0]["target"], palisade::SECURITY_EVENTS);
    }
    // with a length that is one too short, the rest is read as what comes next: no request
    let mut short = proxy_header::of("198.51.100.30:1", &[(4, b"abcde"), BY_TLS]);
    short[15] -= 8;
    let gate = balanced().await;
    let answer = say("127.0.30.20", &gate, &[&short[..], LAST.as_bytes()].concat()).await;
    assert_eq!(status(&answer), "400", "{answer}");
    assert_eq!(status(&say("127.0.30.1", &gate, &request("198.51.100.30:1")).await), "204");
}

#[tokio::test]
async fn a_checksum_is_verified_and_other_vectors_are_passed_over() {
    let gate = balanced().await;
    let vectors = [(0x01, &b"h2"[..]), (CHECKSUM, &[0; 4]), BY_TLS, (0x05, b"an id"), (0xea, b"custom")];
    let mut header = proxy_header::of("198.51.100.40:1", &vectors);
    let sum = crc32c(&header).to_be_bytes();
    let at = 16 + 12 + (3 + 2) + 3;
    header[at..at + 4].copy_from_slice(&sum);
    let ask = async |header: &[u8]| say("127.0.0.1", &gate, &[header, LAST.as_bytes()].concat()).await;
    assert_eq!(status(&ask(&header).await), "204");
    header[16] ^= 1;
    assert_eq!(ask(&header).await, "", "another client than was summed up");
}

#[tokio::test]
async fn who_is_not_named_as_a_balancer_may_not_connect() {
    events::collect();
    let settings = || Settings::new().proxy_protocol_from(["127.0.50.0/24"]).unwrap();
    let gate = Gate::with(settings()).await;
    assert_eq!(status(&say("127.0.50.1", &gate, &request("198.51.100.50:1")).await), "204");
    for bytes in [request("198.51.100.50:1"), LAST.as_bytes().to_vec()] {
        assert_eq!(say("127.0.51.1", &gate, &bytes).await, "");
    }
    assert_eq!(events::with("source_ip", "127.0.51.1")[0]["event_type"], "input_unlisted_proxy");
    // a proxy that is believed in headers is not by that a balancer
    let gate = Gate::with(settings().trusted_proxies(["127.0.51.1"]).unwrap()).await;
    assert_eq!(say("127.0.51.1", &gate, &request("198.51.100.50:1")).await, "");
}

/// Whoever reaches the port can cause them, so that they are told together; of each kind, for one must not hide the other.
#[tokio::test]
async fn refused_connections_do_not_fill_the_log() {
    events::collect();
    let gate = Gate::with(Settings::new().proxy_protocol_from(["127.0.55.1"]).unwrap()).await;
    for (peer, event) in
        [("127.0.55.2", "input_unlisted_proxy"), ("127.0.55.1", "input_malformed_proxy_header")]
    {
        for _ in 0..5 {
            assert_eq!(say(peer, &gate, LAST.as_bytes()).await, "");
        }
        let told = events::with("source_ip", peer);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((&*told[0]["event_type"], &*told[0]["count"]), (event, "1"));
    }
}

/// What comes behind the header is the client's, whatever it looks like.
#[tokio::test]
async fn a_client_cannot_say_where_it_comes_from() {
    let gate = balanced().await;
    let twice = [proxy_header::of("198.51.100.60:1", &[BY_TLS]), request("198.51.100.61:1")].concat();
    let answer = say("127.0.0.1", &gate, &twice).await;
    assert_eq!(status(&answer), "400", "a second header is no request: {answer}");

    let posing = |client: &str, forwarded: &str| {
        let lines = format!("host: test\r\nx-forwarded-for: {forwarded}\r\nx-forwarded-proto: https\r\n");
        let request = LAST.replace("host: test\r\n", &lines);
        [&proxy_header::of(client, &[BY_TLS])[..], request.as_bytes()].concat()
    };
    for number in 1..=4 {
        let answer =
            say("127.0.0.1", &gate, &posing("198.51.100.62:1", &format!("203.0.113.{number}"))).await;
        assert_eq!(status(&answer), "204");
    }
    let fifth = posing("198.51.100.62:1", "203.0.113.5");
    assert_eq!(status(&say("127.0.0.1", &gate, &fifth).await), "429", "it is the header of a stranger");

    // a proxy before the balancer is believed, though the balancer itself is not
    let chain = of_balancers().trusted_proxies(["192.0.2.7", "127.0.60.1"]).unwrap();
    let gate = Gate::with(chain).await;
    for _ in 0..4 {
        assert_eq!(status(&say("127.0.60.1", &gate, &posing("192.0.2.7:1", "203.0.113.9")).await), "204");
    }
    assert_eq!(status(&say("127.0.60.1", &gate, &posing("192.0.2.7:1", "203.0.113.9")).await), "429");
    assert_eq!(status(&say("127.0.60.1", &gate, &posing("192.0.2.7:1", "203.0.113.10")).await), "204");
    assert_eq!(status(&say("127.0.60.1", &gate, &posing("198.51.100.63:1", "203.0.113.9")).await), "204");
}

/// What a balancer asks on its own account is no client's, nor of this machine, nor protected by what it says.
#[tokio::test]
async fn a_connection_of_the_balancers_own_speaks_for_nobody() {
    let gate = Gate::with(of_balancers().trusted_proxies(["127.0.0.1"]).unwrap()).await;
    let lines = "host: test\r\nx-forwarded-for: 203.0.113.9\r\nx-forwarded-proto: https\r\n";
    let posing = LAST.replace("host: test\r\n", lines);
    let answer = say("127.0.0.1", &gate, &[&proxy_header::own()[..], posing.as_bytes()].concat()).await;
    assert_eq!(status(&answer), "403", "{answer}");
    assert!(answer.contains("tls_required"));
}

#[tokio::test]
async fn plain_text_is_refused_unless_the_balancer_had_tls() {
    let gate = balanced().await;
    for (vectors, wanted) in
        [(&[BY_TLS][..], "204"), (&[], "403"), (&[(proxy_header::SSL, &[0, 0, 0, 0, 0][..])], "403")]
    {
        // also of a client at the balancer's own loopback, which is not ours
        for client in ["198.51.100.70:1", "127.0.0.1:1"] {
            let header = proxy_header::of(client, vectors);
            let answer = say("127.0.0.1", &gate, &[&header[..], LAST.as_bytes()].concat()).await;
            assert_eq!(status(&answer), wanted, "{client} {vectors:?}: {answer}");
        }
    }
}

/// Of a request that names its scheme it is the client's connection that counts.
#[tokio::test]
async fn a_scheme_is_that_of_the_connection_to_the_balancer() {
    let gate = balanced().await;
    for (vectors, https, http) in [(&[BY_TLS][..], "204", "421"), (&[], "421", "403")] {
        for (scheme, wanted) in [("https", https), ("http", http)] {
            let request = LAST.replace("/door", &format!("{scheme}://test/door"));
            let header = proxy_header::of("198.51.100.71:1", vectors);
            let answer = say("127.0.0.1", &gate, &[&header[..], request.as_bytes()].concat()).await;
            assert_eq!(status(&answer), wanted, "{scheme} {vectors:?}: {answer}");
        }
    }
}

/// Development tokens are for this machine, and what came through a balancer is not of it.
#[tokio::test]
async fn who_comes_through_a_balancer_is_not_local() {
    let (through, direct) = (balanced().await, Gate::start().await);
    let ask = async |gate: &Gate, before: &[u8]| {
        let token = gate.signer.sign(&header("k1"), &claims_with("iss", json!("https://login.example.com")));
        let request =
            LAST.replace("/door", "/sso").replace("host", &format!("authorization: Bearer {token}\r\nhost"));
        say("127.0.0.1", gate, &[before, request.as_bytes()].concat()).await
    };
    assert_eq!(status(&ask(&direct, &[]).await), "200");
    let header = proxy_header::of("127.0.0.1:1", &[BY_TLS]);
    assert_eq!(status(&ask(&through, &header).await), "401");
}

/// A connection of this client that was answered and stays.
async fn opened(gate: &Gate, client: &str) -> Option<TcpStream> {
    let mut stream = from("127.0.0.1", gate.client.0).await;
    let request =
        [&proxy_header::of(client, &[BY_TLS])[..], b"GET /open HTTP/1.1\r\nhost: test\r\n\r\n"].concat();
    stream.write_all(&request).await.unwrap();
    let mut some = [0; 12];
    let read = timeout(Duration::from_secs(10), stream.read_exact(&mut some)).await.unwrap();
    read.is_ok().then_some(stream)
}

#[tokio::test]
async fn who_holds_a_48_does_not_take_every_connection() {
    let gate = Gate::with(of_balancers().max_connections(8).max_connections_per_address(1)).await;
    let mut held = Vec::new();
    for network in 0..8 {
        held.extend(opened(&gate, &format!("[2001:db8:80:{network}::1]:1")).await);
    }
    assert_eq!(held.len(), 4, "half of all, while nobody else is there");
    for stranger in ["[2001:db8:81::1]:1", "[2001:db8:82::1]:1", "198.51.100.80:1", "198.51.100.81:1"] {
        assert!(opened(&gate, stranger).await.is_some(), "{stranger}");
    }
}

#[tokio::test]
async fn connections_are_counted_by_client() {
    let gate = Gate::with(of_balancers().max_connections_per_address(2)).await;
    let open = async |client: &str| opened(&gate, client).await;
    let held = [open("198.51.100.80:1").await, open("198.51.100.80:2").await];
    assert!(held.iter().all(Option::is_some));
    assert!(open("198.51.100.80:3").await.is_none());
    let others =
        [open("198.51.100.81:1").await, open("198.51.100.82:1").await, open("198.51.100.82:2").await];
    assert!(others.iter().all(Option::is_some), "five of one balancer");
    drop(held);
    for _ in 0..100 {
        if open("198.51.100.80:4").await.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a place that was left is free");
}

#[tokio::test]
async fn a_listener_that_is_not_told_of_balancers_takes_no_header() {
    let gate = Gate::start().await;
    assert_eq!(status(&say("127.0.0.1", &gate, LAST.as_bytes()).await), "204");
    for bytes in [
        request("198.51.100.90:1"),
        [&b"PROXY TCP4 198.51.100.90 10.0.0.1 1 2\r\n"[..], LAST.as_bytes()].concat(),
    ] {
        let answer = say("127.0.0.1", &gate, &bytes).await;
        assert_eq!(status(&answer), "400", "{answer}");
    }
}
