//! The PROXY protocol: a balancer that passes connections on unread says first for whom each of them is.
//!
//! Rules:
//! 1. a listener that is not told of such proxies takes no header: to it that is no request. One that is takes nothing
//!    without (section 5 of the protocol: what it is must not be guessed);
//! 2. only the named networks may connect, since whoever does can claim any address;
//! 3. the header comes first, before TLS, and in the time that the head of a request has. Not a byte is read behind it;
//! 4. the client's address takes the place of the peer's from there on, for every count, every limit and every event; a
//!    forwarded header is believed of it as it would be of a peer. `LOCAL` connections keep the proxy's address, and speak
//!    for nobody: no header of theirs is believed;
//! 5. what is refused is closed without a word, and is a security event: the first at once, and those that follow together
//!    ([`Tally`]), for whoever reaches the port can cause them.

mod header;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

pub(crate) use self::header::Said;
#[cfg(feature = "measure")]
pub(crate) use self::header::read;
use self::header::{FIXED, Malformed};
use super::tally::Tally;
use crate::address::Relay;
use crate::event::{ConnectionEvent, Kind, Severity};
use crate::settings::{Settings, TrustedProxies};

/// The proxies that say for whom they connect, if there are any.
#[derive(Debug)]
pub(super) struct Proxies {
    named: TrustedProxies,
    patience: Duration,
    unlisted: Tally,
    malformed: Tally,
}

/// The other end of a connection, and how it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) address: SocketAddr,
    pub(super) relay: Option<Relay>,
}

/// Why a connection is closed.
#[derive(Debug)]
enum Refused {
    Unlisted,
    Malformed(Malformed),
    Late,
    Cut,
}

impl Proxies {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            named: settings.proxy_protocol.clone(),
            patience: settings.header_timeout,
            unlisted: Tally::default(),
            malformed: Tally::default(),
        }
    }

    /// Whether connections begin with a header.
    pub(super) fn speak(&self) -> bool {
        !self.named.is_empty()
    }

    /// Whether it may connect; if not, that is told.
    pub(super) fn admit(&self, peer: SocketAddr) -> bool {
        let admitted = !self.speak() || self.named.contain(peer.ip());
        if !admitted {
            self.tell(peer, &Refused::Unlisted);
        }
        admitted
    }

    /// Who is at the other end; `None` if that was not said as it must be, which is told.
    pub(super) async fn caller(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
        peer: SocketAddr,
    ) -> Option<Caller> {
        if !self.speak() {
            return Some(Caller { address: peer, relay: None });
        }
        let said = timeout(self.patience, said(stream)).await.unwrap_or(Err(Refused::Late));
        match said {
            Ok(Said::Own) => Some(Caller { address: peer, relay: Some(Relay::Own) }),
            Ok(Said::Client { address, tls }) => Some(Caller { address, relay: Some(Relay::Client { tls }) }),
            Err(refused) => {
                self.tell(peer, &refused);
                None
            }
        }
    }

    fn tell(&self, peer: SocketAddr, refused: &Refused) {
        let (event_type, tally) = match refused {
            Refused::Unlisted => ("input_unlisted_proxy", &self.unlisted),
            Refused::Malformed(_) | Refused::Late | Refused::Cut => {
                ("input_malformed_proxy_header", &self.malformed)
            }
        };
        let Some(count) = tally.one() else { return };
        let kind = Kind { event_type, severity: Severity::Medium };
        ConnectionEvent { kind, reason: refused, source: peer.ip(), count }.emit();
    }
}

/// Reads a header and nothing behind it.
async fn said(stream: &mut (impl AsyncRead + Unpin)) -> Result<Said, Refused> {
    let mut fixed = [0; FIXED];
    stream.read_exact(&mut fixed).await?;
    let length = header::length(&fixed)?;
    let mut whole = fixed.to_vec();
    whole.resize(FIXED.saturating_add(length), 0);
    if let Some(block) = whole.get_mut(FIXED..) {
        stream.read_exact(block).await?;
    }
    Ok(header::read(&whole)?)
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Self::Cut
    }
}

/// The word of the log.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("proxy_protocol: ")?;
        match self {
            Self::Unlisted => f.write_str("peer_not_named"),
            Self::Malformed(why) => why.fmt(f),
            Self::Late => f.write_str("header_late"),
            Self::Cut => f.write_str("header_cut_off"),
        }
    }
}
