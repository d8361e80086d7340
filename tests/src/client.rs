//! A small HTTP/1.1 client over a real socket: what it sends is what is written here, byte for byte.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub SocketAddr);

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub fn post(&self, path: &str, body: &str) -> Call {
        self.call("POST", path).header("content-type", "application/json").body(body)
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        self.bare(method, path).header("host", "test")
    }

    /// The same without a host.
    pub fn bare(&self, method: &str, path: &str) -> Call {
        let request = http::Request::builder().method(method).uri(path);
        Call { address: self.0, request, body: Bytes::new() }
    }

    /// Writes raw bytes and reads until the server closes, or for a second.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.0).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), reading).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// A request in the making.
pub struct Call {
    address: SocketAddr,
    request: http::request::Builder,
    body: Bytes,
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Bytes::copy_from_slice(body.as_ref());
        self
    }

    pub async fn send(self) -> Reply {
        self.try_send().await.unwrap()
    }

    /// # Errors
    /// When there is no whole answer.
    pub async fn try_send(self) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = self.request.body(Full::new(self.body))?;
        let (parts, body) = sender.send_request(request).await?.into_parts();
        Ok(Reply { status: parts.status, headers: parts.headers, body: body.collect().await?.to_bytes() })
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The items of `RateLimit-Policy`, and the counter (`pk`) that each tells.
    pub fn policies(&self) -> (Vec<&str>, Vec<&str>) {
        let items = self.header("ratelimit-policy").split(", ");
        items
            .map(|item| item.strip_suffix(':').and_then(|item| item.split_once(";pk=:")).expect(item))
            .unzip()
    }

    /// Asserts the status and that a refusal wears the envelope with this code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        let error = &self.json()["error"];
        assert_eq!(error["code"], code, "{error}");
        for member in ["message", "timestamp", "request_id"] {
            assert!(error[member].is_string(), "{member} is missing: {error}");
        }
        assert_eq!(error["request_id"], self.header("x-request-id"));
        self
    }

    #[track_caller]
    pub fn allowed(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        self
    }

    /// The violations as `in pointer rule` lines, in the order of the answer.
    pub fn violations(&self) -> Vec<String> {
        let details = self.json()["error"]["details"].as_array().cloned().unwrap_or_default();
        let text = |detail: &Value, member: &str| detail[member].as_str().unwrap_or("-").to_owned();
        details
            .iter()
            .map(|detail| {
                format!("{} {} {}", text(detail, "in"), text(detail, "pointer"), text(detail, "rule"))
            })
            .collect()
    }
}
