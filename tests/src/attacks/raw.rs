//! Bytes to a server and back, whatever they are: what a hostile client would write, a client library would refuse to.
//!
//! Whatever was sent, no answer is a 5xx or tells of the inside: [`exchange`] sees to it.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back for some bytes.
#[derive(Debug)]
pub struct Exchange {
    /// The whole answers, in their order; interim ones (1xx) are left out.
    pub answers: Vec<Answer>,
    /// Whether the server closed the connection.
    pub closed: bool,
}

/// One answer of HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// In the order in which they came, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A request as it will be written, byte for byte.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    /// With its length in the head.
    pub body: Option<Vec<u8>>,
}

impl Request {
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: None }
    }

    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    pub fn json(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self.header("Content-Type", "application/json")
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\nHost: test\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
            bytes.extend(b"Connection: close\r\n");
        }
        if let Some(body) = &self.body {
            bytes.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(self.body.iter().flatten());
        bytes
    }

    /// Sends it on a connection of its own and waits for the only answer, for five seconds at most.
    pub fn send(&self, address: SocketAddr) -> impl Future<Output = Answer> + use<> {
        let bytes = self.bytes();
        async move {
            let exchange = exchange(address, &bytes, Duration::from_secs(5)).await;
            exchange
                .only()
                .cloned()
                .unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&bytes)))
        }
    }
}

/// How long a connection is listened to after an answer: a second one would follow at once.
const AFTERWARDS: Duration = Duration::from_millis(300);

/// Sends the bytes on a new connection and reads until the server closes it, or has answered and says no more, or `patience`
/// has passed.
///
/// What is written and what is read do not wait for each other, as the server may refuse before it has read everything.
pub async fn exchange(address: SocketAddr, bytes: &[u8], patience: Duration) -> Exchange {
    let (mut reader, mut writer) = TcpStream::connect(address).await.expect("it listens").into_split();
    let head_only = bytes.starts_with(b"HEAD ");
    let (mut read, mut closed, begun) = (Vec::new(), false, Instant::now());
    let reading = async {
        let mut chunk = [0; 16 * 1024];
        while !closed {
            let answered = !answers(&read, head_only).is_empty();
            let wait = if answered { AFTERWARDS } else { patience.saturating_sub(begun.elapsed()) };
            match tokio::time::timeout(wait, reader.read(&mut chunk)).await {
                Ok(Ok(length @ 1..)) => read.extend_from_slice(&chunk[..length]),
                Ok(_) => closed = true, // or reset, after what was read
                Err(_) => break,
            }
        }
    };
    let writing = async {
        _ = writer.write_all(bytes).await; // a server that has refused does not read to the end
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
    let answers = answers(&read, head_only);
    answers.iter().for_each(Answer::keeps_the_inside);
    Exchange { answers, closed }
}

/// Of stack traces, files, types and tokens.
const INSIDE: [&str; 11] = [
    "panicked",
    "stack backtrace",
    ".rs:",
    "/src/",
    "/home/",
    "::",
    "hyper",
    "serde",
    "tokio",
    "axum",
    "Bearer ey",
];

impl Exchange {
    /// Whether the server neither answered nor closed.
    pub fn hangs(&self) -> bool {
        self.answers.is_empty() && !self.closed
    }

    /// The only answer, if there is one.
    #[track_caller]
    pub fn only(&self) -> Option<&Answer> {
        assert!(self.answers.len() <= 1, "one request, one answer: {self:?}");
        self.answers.first()
    }
}

impl Answer {
    /// The values of a header, in the order in which they came.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header that comes once, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// All of it as text: what a client could read out of it.
    pub fn text(&self) -> String {
        let heads: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{}\n{heads}\n{}", self.status, String::from_utf8_lossy(&self.body))
    }

    fn keeps_the_inside(&self) {
        let text = self.text();
        assert!(self.status < 500, "{text}");
        let told = INSIDE.iter().find(|word| text.contains(**word));
        assert!(told.is_none(), "{told:?} is told: {text}");
    }

    /// The body of a refusal without what is different each time.
    pub fn refusal(&self) -> Value {
        let mut body = self.json();
        for own in ["timestamp", "request_id"] {
            body["error"][own] = Value::Null;
        }
        body
    }
}

/// Cuts what was read into answers; a cut one at the end is none.
fn answers(mut read: &[u8], head_only: bool) -> Vec<Answer> {
    let mut all = Vec::new();
    while let Some((answer, rest)) = answer(read, head_only) {
        read = rest;
        if answer.status >= 200 {
            all.push(answer);
        }
    }
    all
}

fn answer(read: &[u8], head_only: bool) -> Option<(Answer, &[u8])> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<_> =
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut answer = Answer { status, headers, body: Vec::new() };
    let rest = &read[end + 4..];
    let bodiless = head_only || status < 200 || status == 204 || status == 304;
    let length = if bodiless { 0 } else { answer.header("content-length").parse().unwrap_or(0) };
    assert_eq!(answer.header("transfer-encoding"), "", "no answer of these servers is streamed");
    answer.body = rest.get(..length)?.to_vec();
    Some((answer, &rest[length..]))
}
