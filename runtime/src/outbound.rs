//! Calls of our own to other servers: for key sets, for the metadata of issuers, for what they say of tokens.
//!
//! Rules:
//! 1. `https` only (`http` on loopback), and no user or password in an address;
//! 2. no redirects, for the configured address is the one that is trusted, and no proxy that the environment names;
//! 3. two seconds for a connection, and for the whole answer the time that the caller states;
//! 4. an answer over the size that the caller states is none.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

const CONNECT: Duration = Duration::from_secs(2);
/// A connection that nobody used for so long is closed.
const IDLE: Duration = Duration::from_secs(20);

/// Where a call of ours may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(Uri);

impl Address {
    /// `None` where no call of ours goes (rule 1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let on_loopback =
            || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match uri.scheme_str() {
            Some("https") => Some(Self(uri)),
            Some("http") if on_loopback() => Some(Self(uri)),
            _ => None,
        }
    }

    pub(crate) const fn uri(&self) -> &Uri {
        &self.0
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }
}

/// What one call may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) until: Instant,
    pub(crate) bytes: usize,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The machine has no root certificates, so it could trust nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoots;

/// Makes the calls.
#[derive(Clone)]
pub(crate) struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Outbound {
    /// `idle`: how many connections stay open for the next call.
    pub(crate) fn new(idle: usize) -> Result<Self, NoRoots> {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_connect_timeout(Some(CONNECT));
        plain.set_nodelay(true);
        // the provider is named: with two compiled in, the process default is a panic
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(provider)
            .map_err(|_| NoRoots)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(plain);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(idle)
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client })
    }

    /// Makes one call; why it failed is for the log.
    pub(crate) async fn call(
        &self,
        request: Request<Full<Bytes>>,
        bounds: Bounds,
    ) -> Result<Reply, &'static str> {
        timeout_at(bounds.until, self.exchange(request, bounds.bytes))
            .await
            .map_err(|_| "no answer in time")?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, bytes: usize) -> Result<Reply, &'static str> {
        let answer = self.client.request(request).await.map_err(|_| "no connection")?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, bytes).collect().await;
        let body = body.map_err(|_| "the answer broke off or is too large")?.to_bytes();
        Ok(Reply { status: head.status, headers: head.headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_go_over_tls_or_stay_on_this_machine() {
        for good in [
            "https://id.example.com/keys",
            "http://127.0.0.1:8080/keys",
            "http://localhost/keys",
            "http://[::1]/keys",
        ] {
            assert!(Address::parse(good).is_some(), "{good}");
        }
        for bad in [
            "http://id.example.com/keys",
            "http://127.0.0.1.evil.example/",
            "https://u:p@id.example.com/",
            "ftp://id.example.com/",
            "/keys",
            "",
        ] {
            assert!(Address::parse(bad).is_none(), "{bad}");
        }
    }
}
