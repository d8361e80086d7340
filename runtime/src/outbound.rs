//! Calls of our own to other servers: for key sets, for the metadata of issuers, for what they say of tokens.
//!
//! Rules:
//! 1. `https` only (`http` on loopback), and no user or password in an address;
//! 2. no redirects, for the configured address is the one that is trusted, and no proxy that the environment names;
//! 3. two seconds for a connection, and for the whole answer the time that the caller states;
//! 4. an answer over the size that the caller states is none;
//! 5. an address that a document of another server names is called where it is a public one, as its name resolves when we
//!    connect: else whoever writes the document makes us call inside of our own network. Where that server is inside itself it
//!    may name others there ([`Reach`]). What the operator wrote is the operator's.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::{HttpConnector, HttpInfo};
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

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
        let on_loopback =
            || authority.host() == "localhost" || literal(&uri).is_some_and(|address| address.is_loopback());
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

/// Which addresses a call may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Anywhere,
    /// Those that the whole internet reaches.
    Public,
}

impl Reach {
    /// What a server at this address may name.
    const fn of(address: IpAddr) -> Self {
        if is_public(address) { Self::Public } else { Self::Anywhere }
    }

    const fn lets(self, address: IpAddr) -> bool {
        matches!(self, Self::Anywhere) || is_public(address)
    }
}

/// Whether the registries of special addresses (RFC 6890) call it globally reachable.
const fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127 | 224..=255, ..] => true, // this network, private, loopback, multicast and reserved
        [100, second, ..] => second & 0xc0 == 64, // RFC 6598
        [169, 254, ..] | [192, 168, ..] => true,
        [172, second, ..] => second & 0xf0 == 16,
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => true, // of protocols, of documentation
        [198, second, ..] => second & 0xfe == 18,
        _ => false,
    };
    !special
}

const fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // behind these stands an address of IPv4 (RFC 6052, RFC 3056)
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false, // of protocols, of documentation
        [first, ..] => first & 0xe000 == 0x2000, // what is given out (RFC 4291 section 2.4)
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
    /// What who answered may name.
    pub(crate) names: Reach,
}

/// Why there is no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoReply {
    /// Nobody answers there.
    Silence(&'static str),
    /// Somebody does, and not as was asked.
    Unusable(&'static str),
}

/// For the log.
impl From<NoReply> for &'static str {
    fn from(reply: NoReply) -> Self {
        match reply {
            NoReply::Silence(why) | NoReply::Unusable(why) => why,
        }
    }
}

/// The machine has no root certificates, so it could trust nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoots;

/// Makes the calls.
#[derive(Clone)]
pub(crate) struct Outbound {
    anywhere: Caller,
    public: Caller,
}

/// Its connections are its own.
type Caller = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// Finds the addresses of a name that may be called.
#[derive(Clone)]
struct Resolver {
    system: GaiResolver,
    reach: Reach,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (found, reach) = (self.system.call(name), self.reach);
        Box::pin(async move {
            let found: Vec<_> = found.await?.filter(|address| reach.lets(address.ip())).collect();
            match found.is_empty() {
                true => Err(io::Error::other("the name has no address that may be called")),
                false => Ok(found.into_iter()),
            }
        })
    }
}

impl Outbound {
    /// `idle`: how many connections stay open for the next call.
    pub(crate) fn new(idle: usize) -> Result<Self, NoRoots> {
        Ok(Self { anywhere: caller(idle, Reach::Anywhere)?, public: caller(idle, Reach::Public)? })
    }

    /// Makes one call.
    ///
    /// No `async fn`, which would hold the request to its end.
    pub(crate) fn call(
        &self,
        request: Request<Full<Bytes>>,
        bounds: Bounds,
        reach: Reach,
    ) -> impl Future<Output = Result<Reply, NoReply>> + Send + use<> {
        // an address in the place of a name is not looked up
        let literal = literal(request.uri());
        let asked = match reach {
            Reach::Anywhere => Some(self.anywhere.request(request)),
            Reach::Public if literal.is_none_or(is_public) => Some(self.public.request(request)),
            Reach::Public => None,
        };
        answer(asked, bounds)
    }
}

/// The answer to what was asked, within its bounds.
async fn answer(asked: Option<ResponseFuture>, bounds: Bounds) -> Result<Reply, NoReply> {
    let asked = asked.ok_or(NoReply::Unusable("an address that another server names is not public"))?;
    let mut answered = false;
    let reply = timeout_at(bounds.until, async {
        let answer = asked.await.map_err(|error| match error.is_connect() {
            true => NoReply::Silence("no connection"),
            false => NoReply::Unusable("the connection was closed, or what came over it is no answer"),
        })?;
        answered = true;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, bounds.bytes).collect().await;
        let body = body.map_err(|_| NoReply::Unusable("the answer broke off or is too large"))?;
        let from = head.extensions.get::<HttpInfo>().map(|far| far.remote_addr().ip());
        let names = from.map_or(Reach::Public, Reach::of);
        #[cfg(test)]
        let names = if pretended::is_public() { Reach::Public } else { names };
        Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes(), names })
    });
    match reply.await {
        Ok(reply) => reply,
        Err(_) if answered => Err(NoReply::Unusable("the answer did not end in time")),
        Err(_) => Err(NoReply::Silence("no answer in time")),
    }
}

/// Answers that count as those of public addresses, where none of the thread of a test comes from.
#[cfg(test)]
pub(crate) mod pretended {
    use std::cell::Cell;

    thread_local! {
        static PUBLIC: Cell<u32> = const { Cell::new(0) };
    }

    /// The next so many.
    pub(crate) fn public(answers: u32) {
        PUBLIC.set(answers);
    }

    pub(super) fn is_public() -> bool {
        let left = PUBLIC.get().checked_sub(1);
        left.inspect(|left| PUBLIC.set(*left)).is_some()
    }
}

/// The address that a URI has instead of a name.
fn literal(uri: &Uri) -> Option<IpAddr> {
    uri.host()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn caller(idle: usize, reach: Reach) -> Result<Caller, NoRoots> {
    let mut plain = HttpConnector::new_with_resolver(Resolver { system: GaiResolver::new(), reach });
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
    Ok(client)
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

    #[test]
    fn public_addresses_are_those_that_everybody_reaches() {
        for public in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:4860::1",
        ] {
            assert_eq!(Reach::of(public.parse().unwrap()), Reach::Public, "{public}");
        }
        for other in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.0.1",
            "192.168.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert_eq!(Reach::of(other.parse().unwrap()), Reach::Anywhere, "{other}");
        }
    }

    #[tokio::test]
    async fn what_another_server_names_is_called_at_public_addresses_alone() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).await.unwrap();
            }
        });
        let outbound = Outbound::new(0).unwrap();
        let call = |host: &str, reach| {
            let request = Request::get(format!("http://{host}:{port}/")).body(Full::default()).unwrap();
            let bounds = Bounds { until: Instant::now() + Duration::from_secs(5), bytes: 100 };
            let outbound = outbound.clone();
            async move { outbound.call(request, bounds, reach).await }
        };
        for host in ["127.0.0.1", "localhost"] {
            let reply = call(host, Reach::Anywhere).await.unwrap();
            assert_eq!((reply.status, reply.names), (StatusCode::OK, Reach::Anywhere), "{host}");
            assert!(call(host, Reach::Public).await.is_err(), "{host}");
        }
    }
}
