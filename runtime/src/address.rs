//! Whom a request comes from, when it may have come through proxies (RFC 7239).
//!
//! Only what a trusted proxy added can be believed, and proxies add at the right. So the header is read from the right:
//! as long as the hop is a trusted proxy, what stands left of it was written by that proxy, and the first that is not
//! trusted is the client. What stands left of that may be anything.

mod forwarded;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::header::VIA;
use http::{HeaderMap, HeaderName};

use crate::settings::{ForwardedHeader, TrustedProxies};

static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED: HeaderName = http::header::FORWARDED;

/// The other end of the connection, as an extension of each request that [`serve`](crate::serve) hands on. Of one that a
/// balancer passes on ([`Settings::proxy_protocol_from`](crate::Settings::proxy_protocol_from)), the client that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How a connection came through a proxy that speaks the PROXY protocol, as an extension of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relay {
    /// For a client, whose address the [`Peer`] is then; `tls`: that came to the proxy through TLS.
    Client { tls: bool },
    /// For the proxy itself.
    Own,
}

/// What is known of the connection that a request came by, before its headers are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    peer: IpAddr,
    relay: Option<Relay>,
    /// Our accept loop made it: what another one's speak, nobody says.
    ours: bool,
    /// It came through TLS of our own, or of the proxy that named its client.
    pub(crate) tls: bool,
}

impl Connection {
    /// The other end of the connection, as our accept loop or axum's tells it. Not known: nobody's address, which is
    /// neither trusted nor protected. `tls`: through TLS of our own.
    pub(crate) fn of(extensions: &http::Extensions, tls: bool) -> Self {
        let ours = extensions.get::<Peer>().map(|peer| peer.0);
        let axums = || extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        let peer = ours.or_else(axums).map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
        let relay = extensions.get::<Relay>().copied();
        let tls = tls || relay == Some(Relay::Client { tls: true });
        Self { peer: peer.to_canonical(), relay, ours: ours.is_some(), tls }
    }

    /// Whether it came through TLS, where that is known.
    pub(crate) fn spoke_tls(&self) -> Option<bool> {
        self.ours.then_some(self.tls)
    }

    /// Whether the peer is believed in what it says for others. What a proxy asks on its own account is for nobody else.
    pub(crate) fn is_trusted(&self, proxies: &TrustedProxies) -> bool {
        self.relay != Some(Relay::Own) && proxies.contain(self.peer)
    }

    /// Whether it never left this machine. Of one that a proxy passed on only the proxy would know.
    fn is_of_here(&self) -> bool {
        self.relay.is_none() && self.peer.is_loopback()
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client's address, IPv4 where it is that.
    pub(crate) address: IpAddr,
    /// Whether nobody on the way could read the request: see [`origin`].
    pub(crate) protected: bool,
    /// Whether it comes from this machine. One that says it was forwarded does not, even when the one who handed it over
    /// sits on this machine: a proxy that nobody told us of must not lend its address to strangers.
    pub(crate) local: bool,
}

/// The client of a request that came by this connection.
///
/// It was protected on its way when a trusted proxy says that it received it over `https`; when a stranger speaks TLS with
/// us, or with the balancer that passes it on; or, for a server that has no trusted proxies, when it never left the machine.
pub(crate) fn origin(
    connection: Connection,
    headers: &HeaderMap,
    proxies: &TrustedProxies,
    header: ForwardedHeader,
) -> Origin {
    let peer = connection.peer;
    if !connection.is_trusted(proxies) {
        let here = connection.is_of_here();
        return Origin {
            address: peer,
            protected: connection.tls || (proxies.is_empty() && here),
            local: here && !is_forwarded(headers),
        };
    }
    match header {
        ForwardedHeader::XForwardedFor => Origin {
            address: walk(peer, proxies, hops(headers, &FOR).map(|hop| (address_of(hop), ()))).0,
            protected: all_https(headers),
            local: false,
        },
        ForwardedHeader::Forwarded => {
            // an element of a list that is empty is none (RFC 9110 section 5.6.1.2)
            let elements = hops(headers, &FORWARDED).filter(|element| !element.is_empty());
            let hops = elements.map(|element| {
                let hop = forwarded::hop(element).unwrap_or_default();
                (hop.client, hop.https)
            });
            let (address, https) = walk(peer, proxies, hops);
            Origin { address, protected: https.unwrap_or(false), local: false }
        }
    }
}

/// Headers that speak for others, beside all that begin with `x-forwarded-`.
static SPEAK_FOR_OTHERS: [HeaderName; 4] = [
    http::header::FORWARDED,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("client-cert"),
    HeaderName::from_static("client-cert-chain"),
];

fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(VIA) || speaks_for_others(headers)
}

fn is_of_others(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-forwarded-") || SPEAK_FOR_OTHERS.contains(name)
}

/// Names are compared, which is cheaper than to look each up: requests have few headers, and hardly ever one of these.
fn speaks_for_others(headers: &HeaderMap) -> bool {
    headers.keys().any(is_of_others)
}

/// Takes away every header that speaks for others, so that nothing behind the gate believes them.
pub(crate) fn forget_forwarded(headers: &mut HeaderMap) {
    if !speaks_for_others(headers) {
        return;
    }
    let names: Vec<HeaderName> = headers.keys().filter(|name| is_of_others(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// From the right, past trusted proxies, to the first hop that is none; a hop that is no address ends the walk at the
/// last one that was. Gives also what else was said where that address was.
fn walk<T>(
    peer: IpAddr,
    proxies: &TrustedProxies,
    hops: impl Iterator<Item = (Option<IpAddr>, T)>,
) -> (IpAddr, Option<T>) {
    let (mut address, mut said) = (peer, None);
    for (client, saying) in hops {
        let Some(client) = client else { break };
        (address, said) = (client, Some(saying));
        if !proxies.contain(client) {
            break;
        }
    }
    (address, said)
}

/// The elements of all lines of a list header, last first. A line that is not text ends them.
fn hops<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    lines.into_iter().rev().map(|line| line.to_str().unwrap_or("\\")).flat_map(split)
}

/// The parts between commas that do not stand in quotes, last first.
///
/// From the left, a client could open a quote that swallows what the proxy added after it.
fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let (line, mut quoted) = (rest?, false);
        let cut = line.rmatch_indices(['"', ',']).find(|(at, found)| {
            quoted ^= *found == "\"" && !is_escaped(line, *at);
            *found == "," && !quoted
        });
        let (before, part) = match cut.and_then(|(cut, _)| line.split_at_checked(cut)) {
            Some((before, part)) => (Some(before), part.strip_prefix(',').unwrap_or(part)),
            None => (None, line),
        };
        rest = before;
        Some(part.trim_matches([' ', '\t']))
    })
}

/// Whether a backslash before it takes its meaning from what stands there: one that has itself none before it.
fn is_escaped(line: &str, at: usize) -> bool {
    let before = line.bytes().take(at).rev().take_while(|byte| *byte == b'\\');
    before.count() % 2 == 1
}

/// The address of a hop of `X-Forwarded-For`, which no standard describes: bare, or with a port, IPv6 in brackets then.
/// `unknown`, `_hidden` and addresses with a zone are none.
fn address_of(node: &str) -> Option<IpAddr> {
    let address = if let Some(rest) = node.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        if !(port.is_empty() || port.strip_prefix(':').is_some_and(forwarded::is_port)) {
            return None;
        }
        IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)
    } else {
        match node.parse() {
            Ok(address) => address,
            Err(_) => {
                let (address, port) = node.split_once(':')?;
                IpAddr::V4(address.parse().ok().filter(|_| forwarded::is_port(port))?)
            }
        }
    };
    Some(address.to_canonical())
}

/// `X-Forwarded-Proto` has one word, or one for each hop: all must be `https`.
fn all_https(headers: &HeaderMap) -> bool {
    let mut words = hops(headers, &PROTO).peekable();
    words.peek().is_some() && words.all(|word| word.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    const PROXY: &str = "10.0.0.1";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn from(peer: &str, tls: bool) -> Connection {
        passed_on(peer, tls, None)
    }

    fn passed_on(peer: &str, tls: bool, relay: Option<Relay>) -> Connection {
        let mut extensions = http::Extensions::new();
        extensions.insert(Peer(SocketAddr::new(peer.parse().unwrap(), 1)));
        if let Some(relay) = relay {
            extensions.insert(relay);
        }
        Connection::of(&extensions, tls)
    }

    fn origin_of(peer: &str, lines: &[(&'static str, &str)], header: ForwardedHeader) -> Origin {
        let settings = Settings::new().trusted_proxies(["10.0.0.0/8", "2001:db8:ffff::/48"]).unwrap();
        origin(from(peer, false), &headers(lines), &settings.trusted_proxies, header)
    }

    fn x_forwarded(peer: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        origin_of(peer, &lines, ForwardedHeader::XForwardedFor).address.to_string()
    }

    fn forwarded(lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        origin_of(PROXY, &lines, ForwardedHeader::Forwarded).address.to_string()
    }

    #[test]
    fn strangers_are_not_believed() {
        assert_eq!(x_forwarded("198.51.100.9", &["192.0.2.1"]), "198.51.100.9");
        assert_eq!(x_forwarded(PROXY, &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(x_forwarded("::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        // the header that was not chosen is not read
        let other = origin_of(PROXY, &[("forwarded", "for=192.0.2.1")], ForwardedHeader::XForwardedFor);
        assert_eq!(other.address.to_string(), PROXY);
    }

    #[test]
    fn the_first_stranger_from_the_right_is_the_client() {
        assert_eq!(x_forwarded(PROXY, &["192.0.2.66, 192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(x_forwarded(PROXY, &["192.0.2.66", "192.0.2.1", "10.0.0.2,10.0.0.3"]), "192.0.2.1");
        assert_eq!(x_forwarded(PROXY, &["10.9.9.9, 10.0.0.2"]), "10.9.9.9", "all trusted: the leftmost");
        assert_eq!(x_forwarded(PROXY, &[]), PROXY);
        assert_eq!(x_forwarded("2001:db8:ffff::1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn a_port_behind_a_hop_is_passed_over() {
        for (hop, address) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:192.0.2.1]:1", "192.0.2.1"),
        ] {
            assert_eq!(x_forwarded(PROXY, &[hop]), address);
            assert_eq!(x_forwarded(PROXY, &[&format!("192.0.2.66, {hop}, 10.0.0.2:80")]), address, "{hop}");
        }
    }

    #[test]
    fn a_hop_that_is_no_address_ends_the_walk() {
        for noise in [
            "unknown",
            "_hidden",
            "",
            "192.0.2",
            "192.0.2.1:",
            "[2001:db8::1",
            "fe80::1%eth0",
            "a.example",
            "1",
        ] {
            assert_eq!(
                x_forwarded(PROXY, &[&format!("192.0.2.1, {noise}, 10.0.0.2")]),
                "10.0.0.2",
                "{noise}"
            );
            assert_eq!(x_forwarded(PROXY, &[&format!("192.0.2.1, {noise}")]), PROXY, "{noise}");
        }
        let mut lines = headers(&[("x-forwarded-for", "192.0.2.1")]);
        lines.append(&FOR, http::HeaderValue::from_bytes(b"\xff").unwrap());
        let settings = Settings::new().trusted_proxies([PROXY]).unwrap();
        let found =
            origin(from(PROXY, false), &lines, &settings.trusted_proxies, ForwardedHeader::XForwardedFor);
        assert_eq!(found.address.to_string(), PROXY);
    }

    #[test]
    fn elements_of_rfc_7239() {
        for (line, address) in [
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
            ("for=192.0.2.43,for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
            ("for=198.51.100.17;secret=\"a,b;c\", for=10.0.0.9", "198.51.100.17"),
            ("for=198.51.100.17;secret=\"a\\\",b\\\\\", for=10.0.0.9", "198.51.100.17"),
            ("for=192.0.2.43, for=_hidden, for=10.0.0.9", "10.0.0.9"),
            ("for=192.0.2.43, for=10.0.0.8;for=10.0.0.8, for=10.0.0.9", "10.0.0.9"),
            ("for=192.0.2.43, , for=10.0.0.9,", "192.0.2.43"),
            ("for=192.0.2.43, ;, for=10.0.0.9", "10.0.0.9"),
            ("for=192.0.2.43, proto=https", PROXY),
            ("for=192.0.2.43;", "192.0.2.43"),
            ("for=192.0.2.43; proto=https", PROXY),
            ("for=\"192.0.2.1\\\"", PROXY),
        ] {
            assert_eq!(forwarded(&[line]), address, "{line}");
        }
        assert_eq!(forwarded(&["for=192.0.2.43", "for=10.0.0.4, for=10.0.0.5"]), "192.0.2.43");
    }

    #[test]
    fn an_open_quote_does_not_swallow_what_the_proxy_added() {
        assert_eq!(forwarded(&["for=\"192.0.2.1, for=198.51.100.17"]), "198.51.100.17");
        assert_eq!(forwarded(&["for=192.0.2.1\", for=198.51.100.17"]), "198.51.100.17");
        assert_eq!(forwarded(&["for=\"192.0.2.1", "for=198.51.100.17"]), "198.51.100.17");
    }

    #[test]
    fn protected_is_what_a_proxy_says_or_what_stays_here() {
        let by = |peer, lines: &[_]| origin_of(peer, lines, ForwardedHeader::XForwardedFor).protected;
        assert!(by(PROXY, &[("x-forwarded-proto", "https")]));
        assert!(by(PROXY, &[("x-forwarded-proto", "HTTPS, https")]));
        assert!(!by(PROXY, &[("x-forwarded-proto", "http")]));
        assert!(!by(PROXY, &[("x-forwarded-proto", "http, https")]));
        assert!(!by(PROXY, &[("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")]));
        assert!(!by(PROXY, &[]));
        assert!(!by("198.51.100.9", &[("x-forwarded-proto", "https")]));
        assert!(!by("127.0.0.1", &[]), "with proxies named, only they are believed");
        let standard = |line| origin_of(PROXY, &[("forwarded", line)], ForwardedHeader::Forwarded).protected;
        assert!(standard("for=192.0.2.1;proto=https, for=10.0.0.2;proto=http"));
        assert!(!standard("for=192.0.2.1;proto=https, for=192.0.2.2"));
        assert!(!standard("for=192.0.2.1"));
        let alone = |peer: &str| {
            let none = TrustedProxies::default();
            origin(from(peer, false), &HeaderMap::new(), &none, ForwardedHeader::XForwardedFor).protected
        };
        let under_tls = |peer: &str| {
            let settings = Settings::new().trusted_proxies([PROXY]).unwrap();
            let proxies = &settings.trusted_proxies;
            origin(from(peer, true), &HeaderMap::new(), proxies, ForwardedHeader::XForwardedFor)
        };
        assert!(under_tls("192.0.2.1").protected);
        assert!(!under_tls(PROXY).protected, "how the client came to the proxy is for the proxy to say");
        assert!(alone("127.0.0.1") && alone("::1") && alone("::ffff:127.0.0.1"));
        assert!(!alone("192.0.2.1"));
    }

    #[test]
    fn what_was_forwarded_is_not_local() {
        let local = |peer: &str, lines: &[_]| {
            let none = TrustedProxies::default();
            origin(from(peer, false), &headers(lines), &none, ForwardedHeader::XForwardedFor).local
        };
        assert!(local("127.0.0.1", &[]) && local("::1", &[]) && local("::ffff:127.0.0.1", &[]));
        assert!(!local("192.0.2.1", &[]));
        for name in ["x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip", "via"] {
            assert!(!local("127.0.0.1", &[(name, "127.0.0.1")]), "{name}");
        }
        assert!(!origin_of(PROXY, &[("x-forwarded-for", "127.0.0.1")], ForwardedHeader::XForwardedFor).local);
    }

    /// What came through a balancer is not of this machine, whatever address it is from, and a balancer that asks on its own
    /// account says nothing for others.
    #[test]
    fn what_was_passed_on_has_its_clients_address_and_no_more_rights_than_that() {
        let (plain, sealed) = (Some(Relay::Client { tls: false }), Some(Relay::Client { tls: true }));
        let of = |peer, tls, relay, proxies: &[&str]| {
            let settings = Settings::new().trusted_proxies(proxies).unwrap();
            let lines = headers(&[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")]);
            let connection = passed_on(peer, tls, relay);
            origin(connection, &lines, &settings.trusted_proxies, ForwardedHeader::XForwardedFor)
        };
        for (peer, tls, relay, proxies, address, protected) in [
            ("198.51.100.9", false, plain, &[][..], "198.51.100.9", false),
            ("198.51.100.9", false, sealed, &[], "198.51.100.9", true),
            ("198.51.100.9", true, plain, &[], "198.51.100.9", true),
            ("127.0.0.1", false, plain, &[], "127.0.0.1", false),
            ("127.0.0.1", false, Some(Relay::Own), &[], "127.0.0.1", false),
            ("198.51.100.9", false, sealed, &[PROXY], "198.51.100.9", true),
            (PROXY, false, plain, &[PROXY], "192.0.2.1", true),
            (PROXY, false, Some(Relay::Own), &[PROXY], PROXY, false),
        ] {
            let found = of(peer, tls, relay, proxies);
            assert_eq!(
                (found.address.to_string().as_str(), found.protected),
                (address, protected),
                "{relay:?}"
            );
        }
        let none = TrustedProxies::default();
        for relay in [plain, sealed, Some(Relay::Own)] {
            let connection = passed_on("127.0.0.1", false, relay);
            assert!(!origin(connection, &HeaderMap::new(), &none, ForwardedHeader::XForwardedFor).local);
        }
    }

    #[test]
    fn forwarded_headers_go_no_further() {
        let mut lines =
            headers(&[("forwarded", "for=a"), ("x-forwarded-for", "b"), ("x-real-ip", "c"), ("accept", "d")]);
        lines.append(&FOR, "e".parse().unwrap());
        lines.append("x-forwarded-host", "evil.example".parse().unwrap());
        lines.append("x-forwarded-of-tomorrow", "f".parse().unwrap());
        forget_forwarded(&mut lines);
        assert_eq!(lines, headers(&[("accept", "d")]));
    }
}
