//! The smallest HTTP/1.1 client that the tests of the examples need: a real socket, one request a connection.
//!
//! Shared by `#[path]`, so that each example stays a package of its own.
#![allow(dead_code, reason = "each example uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request to `http://{server}`.
pub(crate) struct Request {
    server: SocketAddr,
    line: String,
    headers: Vec<String>,
    body: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// `line` is the method and the target, as in `GET /accounts`.
    pub(crate) fn new(server: SocketAddr, line: &str) -> Self {
        Self { server, line: line.to_owned(), headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("X-API-Key", key)
    }

    pub(crate) fn json(self, body: Value) -> Self {
        self.header("Content-Type", "application/json").text(&body.to_string())
    }

    pub(crate) fn text(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let mut stream = TcpStream::connect(self.server).await.expect("the server listens");
        let length = match self.body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let request = format!(
            "{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{length}{}\r\n{}",
            self.line,
            self.server,
            self.headers.concat(),
            self.body
        );
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("the answer is text");
        Answer::parse(&answer)
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("headers end");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.parse().expect("a status"),
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    /// The first header of this name, which is given in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and `error.code`, which is what a client decides by.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        let code = body.pointer("/error/code").and_then(Value::as_str);
        (self.status, code.unwrap_or_else(|| panic!("no code: {self:?}")).to_owned())
    }
}
