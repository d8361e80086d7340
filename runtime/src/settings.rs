//! How a server meets the network: whom it believes, how much it takes, how long it waits.

mod error;
mod proxies;

use std::path::PathBuf;
use std::time::Duration;

pub use self::error::SettingsError;
pub use self::proxies::ForwardedHeader;
pub(crate) use self::proxies::{TrustedProxies, network};
use crate::authn::attempts::Most;
use crate::clock::Clock;
use crate::event::Events;
use crate::limit::kept::KeptLimits;
use crate::limit::shared::SharedLimits;
use crate::operation::ErrorForm;
use crate::origin::PublicOrigin;
use crate::state::State;

/// Who waits longer for a place has better been told to come again: its client or a proxy may have left meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Settings of a server. The defaults are safe on a machine that faces the internet; each says why it is what it is.
///
/// ```
/// # fn main() -> Result<(), palisade::SettingsError> {
/// let settings = palisade::Settings::new().trusted_proxies(["10.0.0.0/8", "2001:db8::7"])?.max_connections(2_000);
/// # drop(settings);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) proxy_protocol: TrustedProxies,
    pub(crate) forwarded: ForwardedHeader,
    pub(crate) client_certificates: bool,
    pub(crate) limiter_capacity: usize,
    pub(crate) limits_in: Option<SharedLimits>,
    pub(crate) rate_limit_reset: RateLimitReset,
    pub(crate) limits_kept: Option<KeptLimits>,
    pub(crate) failed_attempts: Most,
    pub(crate) max_connections: usize,
    pub(crate) max_requests: usize,
    pub(crate) wait_for_place: Duration,
    pub(crate) max_connections_per_address: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) max_header_bytes: usize,
    pub(crate) max_streams: u32,
    pub(crate) drain: Duration,
    pub(crate) max_body_memory: usize,
    pub(crate) max_answer_memory: usize,
    pub(crate) max_spooled_bytes: u64,
    pub(crate) max_spooled_files: u64,
    pub(crate) spool_folder: Option<PathBuf>,
    pub(crate) public_origin: Option<PublicOrigin>,
    pub(crate) proof_capacity: usize,
    pub(crate) proofs_in: Option<State>,
    pub(crate) clock: Clock,
    pub(crate) events: Option<Events>,
    /// As the document says.
    pub(crate) errors: ErrorForm,
}

/// What `X-RateLimit-Reset` says. No standard does, and clients expect what the server that they know has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimitReset {
    /// The time at which more is left, in seconds since 1970, as GitHub says it.
    #[default]
    Time,
    /// The seconds until then, as Envoy and Kong say it.
    Seconds,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            trusted_proxies: TrustedProxies::default(),
            proxy_protocol: TrustedProxies::default(),
            forwarded: ForwardedHeader::default(),
            client_certificates: false,
            limiter_capacity: 131_072,
            limits_in: None,
            rate_limit_reset: RateLimitReset::default(),
            limits_kept: None,
            failed_attempts: Most::DEFAULT,
            max_connections: 10_000,
            max_requests: 10_000,
            wait_for_place: Duration::from_millis(100),
            max_connections_per_address: 256,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_header_bytes: 32 * 1024,
            max_streams: 100,
            drain: Duration::from_secs(30),
            max_body_memory: 256 * 1024 * 1024,
            max_answer_memory: 256 * 1024 * 1024,
            max_spooled_bytes: 1024 * 1024 * 1024,
            max_spooled_files: 256,
            spool_folder: None,
            public_origin: None,
            proof_capacity: 262_144,
            proofs_in: None,
            clock: Clock::system(),
            events: None,
            errors: ErrorForm::default(),
        }
    }

    /// Another clock than the system's, for tests of what expires.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Where security events are stored, besides the log: an [`EventSink`](crate::EventSink), or [`Events`] where a
    /// readiness tells of it as well. Default: nowhere.
    ///
    /// Requests do not wait for it, but for those of operations with `audit: true`, which are not done while it is away: a
    /// server with such an operation is not built without one. What waits for it, and what is dropped: `docs/events.md`.
    #[must_use]
    pub fn events_to(self, events: impl Into<Events>) -> Self {
        Self { events: Some(events.into()), ..self }
    }

    /// The address under which clients call this server, such as `https://api.example.com`: the front of every URI of it.
    /// Default: none.
    ///
    /// Proofs of possession (`binding: dpop`) name the URI that they are made for, and are compared with this: what a
    /// request says in `Host` is the sender's word. A server whose document asks for proofs is not built without it.
    ///
    /// # Errors
    /// When it is no origin by RFC 6454, or is `http` for another host than this machine.
    pub fn public_origin(self, origin: &str) -> Result<Self, SettingsError> {
        match PublicOrigin::parse(origin.trim()) {
            Some(origin) => Ok(Self { public_origin: Some(origin), ..self }),
            None => Err(SettingsError::Origin(origin.to_owned())),
        }
    }

    /// How many proofs of possession are remembered, each for a minute, so that none is good twice. Default: 262 144, about
    /// 4 000 requests a second, in at most 50 MiB.
    ///
    /// When all are taken, requests with another proof are answered with 503; one key takes a thirty-second at most, and
    /// what it signs beyond that is answered with 429.
    #[must_use]
    pub fn proof_capacity(self, proof_capacity: usize) -> Self {
        Self { proof_capacity, ..self }
    }

    /// Where proofs are remembered together with every instance that shares the state, so that one is good once at all of
    /// them, and a nonce that one gives is good at all. Default: in this process alone.
    ///
    /// Each takes a record there for two minutes, and [`Settings::proof_capacity`] bounds how many this process puts there.
    /// A state that fails, or is full, refuses requests with proofs with 503: give it room for them, and for what else it
    /// keeps.
    #[must_use]
    pub fn proofs_in(self, state: State) -> Self {
        Self { proofs_in: Some(state), ..self }
    }

    /// How many rate limit counters there are. Default: 131 072, which take 3 MiB, all of it from the start.
    ///
    /// Where a limit keeps an exact log there are an eighth as many more for such limits, at 536 bytes each (9 MiB).
    ///
    /// Each caller takes one for each limit, until that limit is unused long enough to be full again. Half of them are for
    /// principals, half for everybody else. When a half is taken, callers that were not there before share what is left of
    /// it, and nobody who is over a limit is forgotten.
    #[must_use]
    pub fn limiter_capacity(self, limiter_capacity: usize) -> Self {
        Self { limiter_capacity, ..self }
    }

    /// Where limits are counted together with every instance that shares the counters. Default: in this process alone.
    ///
    /// It adds one question to them to each step of a request that has limits; in an outage each limit does as it says
    /// (`on-outage`), and those that are counted here then take their counters of [`Settings::limiter_capacity`].
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn limits_in(self, shared: SharedLimits) -> Self {
        Self { limits_in: Some(shared), ..self }
    }

    /// What `X-RateLimit-Reset` says. Default: a time. `RateLimit` says the seconds either way.
    #[must_use]
    pub fn rate_limit_reset(self, rate_limit_reset: RateLimitReset) -> Self {
        Self { rate_limit_reset, ..self }
    }

    /// Limits that go on where a process before this one left off: theirs of the document and those on attempts to
    /// authenticate that failed. Default: each process begins anew.
    ///
    /// They are written from [`Server::ready`](crate::Server::ready) or [`Gate::ready`](crate::Gate::ready) on, which
    /// [`serve`](crate::serve()) calls. What a process that is killed forgets is of its last second.
    #[must_use]
    pub fn limits_kept(self, kept: KeptLimits) -> Self {
        Self { limits_kept: Some(kept), ..self }
    }

    /// How many attempts to authenticate may fail in a minute: of one account, and from one network (an IPv4 address, a /64 of
    /// IPv6). Four times as many may in an hour, ten times in a day. Default: 5 and 30.
    ///
    /// More are answered with 429 and a growing `Retry-After`, a password without being verified, a login of the document
    /// without its handler. What is counted and who is spared: `docs/authentication.md`. The counters take 3.5 MiB.
    #[must_use]
    pub fn failed_attempts(self, of_account: u32, of_network: u32) -> Self {
        Self { failed_attempts: Most { of_account, of_network }, ..self }
    }

    /// How many connections are open at once; more are closed at once. Default: 10 000.
    ///
    /// While more than half of them are open, one neighbourhood (an IPv4 /24, an IPv6 /48) that has a quarter gets no more, so
    /// that nobody who holds a /48 takes all. Where one address may have more than a quarter, it is as many.
    ///
    /// An idle one costs a few kilobytes, one that sends a large header up to 64 KiB. Keep it under the limit of open
    /// files of the process: where that is reached, whoever comes waits until there is a descriptor again.
    #[must_use]
    pub fn max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// How many connections are open at once from one address (IPv6: from one /64). Default: 256.
    ///
    /// Enough for an office behind one address, and forty such addresses are needed to fill the default total.
    /// Trusted proxies are not counted: everybody comes through them. Of a connection that a balancer passes on
    /// ([`Settings::proxy_protocol_from`]) it is the client's address that counts.
    #[must_use]
    pub fn max_connections_per_address(self, max_connections_per_address: usize) -> Self {
        Self { max_connections_per_address, ..self }
    }

    /// How many handlers are at work at once; what comes beyond [waits](Self::wait_for_place), or is refused with 503 and
    /// `Retry-After: 1`. Default: 10 000.
    ///
    /// Operations of priority `batch` are refused from half of it on, those of `normal` from nine tenths, so that there is
    /// room for `critical` ones; one of each class is taken while none is at work. A request counts when all of it has been
    /// read, and an answer that is being sent counts no longer: neither slow clients nor streams take a place.
    #[must_use]
    pub fn max_requests(self, max_requests: usize) -> Self {
        Self { max_requests, ..self }
    }

    /// How long a request waits for a place among the handlers at work, once all of it has been read. Default: 100 ms, at most
    /// 5 s; with 0 none waits.
    ///
    /// It is what a burst takes that is a little more than the server does at once. A tenth as many wait as
    /// [may be at work](Self::max_requests), at least one, each with all that was read of its request: in memory it is as if
    /// that many more handlers were at work. While as many wait, what comes is refused before anything is done for it. What
    /// matters more gets a place first, and who came first of those that matter as much; nobody waits beyond its deadline.
    #[must_use]
    pub fn wait_for_place(self, wait_for_place: Duration) -> Self {
        Self { wait_for_place: wait_for_place.min(LONGEST_WAIT), ..self }
    }

    /// How long a client may take to send the head of a request, the first one counted from when it connects.
    /// Default: 10 s.
    ///
    /// A head fits into a few packets, so this is generous; without it, one byte now and then holds a connection for ever.
    #[must_use]
    pub fn header_timeout(self, header_timeout: Duration) -> Self {
        Self { header_timeout, ..self }
    }

    /// How long a connection may stay open between two requests, at least; at most twice as long. Default: 75 s.
    ///
    /// Longer than the 60 s after which common load balancers close their side, so that it is they who close first.
    #[must_use]
    pub fn idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout, ..self }
    }

    /// How long a client may leave an answer that waits for it. Default: 30 s.
    ///
    /// Each 16 KiB that it takes start the time anew, or all that waits; a client that has stopped reading, or reads a byte
    /// now and then, cannot hold an answer in memory. Over HTTP/2 that is so for each answer, and may be seen later by up to
    /// the idle time.
    #[must_use]
    pub fn write_timeout(self, write_timeout: Duration) -> Self {
        Self { write_timeout, ..self }
    }

    /// The longest head of a request in bytes, request line included. Default: 32 KiB, at least 8 KiB.
    ///
    /// Room for a token of 8 KiB, cookies and tracing headers. HTTP/2 counts headers decompressed, and takes half.
    #[must_use]
    pub fn max_header_bytes(self, max_header_bytes: usize) -> Self {
        // The HTTP library refuses buffers under 8 KiB.
        Self { max_header_bytes: max_header_bytes.max(8 * 1024), ..self }
    }

    /// How many bytes bodies may take in memory that have not come whole, all together; those of one address (IPv6: of one
    /// /64) an eighth of it, those of callers who were not authenticated half of it. Default: 256 MiB.
    ///
    /// It bounds what clients hold who send slowly, on however many connections and streams. A body that comes at once is not
    /// counted; one for which there is no room is answered with 503. More than twice the
    /// largest body that the document allows. What is reserved for a body counts with it: as much again as has come.
    #[must_use]
    pub fn max_body_memory(self, max_body_memory: usize) -> Self {
        Self { max_body_memory, ..self }
    }

    /// How many bytes answers may take in memory that their clients have not taken, all together; those of one address (IPv6: of
    /// one /64) an eighth of it. Default: 256 MiB.
    ///
    /// While there are as many, the next request is answered with 503, before its handler runs; strangers are while there are
    /// half as many. What handlers that run already answer gives way to the same, where the method is safe (`GET`, `HEAD`) or the
    /// answer is one that is kept; what had effects is told, and comes on top. Answers of up to 16 KiB and those that are
    /// streamed do not count. It needs [`serve`](crate::serve()), which knows when bytes leave.
    #[must_use]
    pub fn max_answer_memory(self, max_answer_memory: usize) -> Self {
        Self { max_answer_memory, ..self }
    }

    /// How much all uploads together may take on disk, in whole blocks of 64 KiB. Default: 1 GiB.
    ///
    /// Each file takes one block at least, from when it is more than what stays in memory (64 KiB) until the last handle
    /// of its [`Upload`](crate::Upload) is dropped. A request for which there is no room is answered with 503. With none
    /// at all only small files are taken.
    #[must_use]
    pub fn max_spooled_bytes(self, max_spooled_bytes: u64) -> Self {
        Self { max_spooled_bytes, ..self }
    }

    /// How many uploads are on disk at once. Default: 256.
    ///
    /// Each takes a descriptor of the process, as each connection does, and a process often has 1024 of them: many small
    /// files must not take those that are needed to answer anybody. A request for which there is none is answered with 503.
    #[must_use]
    pub fn max_spooled_files(self, max_spooled_files: u64) -> Self {
        Self { max_spooled_files, ..self }
    }

    /// Where uploads lie that are not kept in memory. Default: the folder of the system for temporary files, which may
    /// well be in memory (`tmpfs`).
    ///
    /// The files have no name: nothing can open them but the server, and nothing is left of them when it ends.
    #[must_use]
    pub fn spool_folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { spool_folder: Some(folder.into()), ..self }
    }

    /// How long a server that shuts down waits for requests that have begun. Default: 30 s.
    ///
    /// Three times the default deadline of an operation, and what orchestrators usually allow before they kill.
    #[must_use]
    pub fn drain(self, drain: Duration) -> Self {
        Self { drain, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_made_to_wait_for_long() {
        let wait = |seconds| Settings::new().wait_for_place(Duration::from_secs(seconds)).wait_for_place;
        assert_eq!([0, 2, u64::MAX].map(wait), [Duration::ZERO, Duration::from_secs(2), LONGEST_WAIT]);
    }

    #[test]
    fn a_public_origin_is_one() {
        assert!(Settings::new().public_origin(" https://api.example.com ").is_ok());
        for text in ["api.example.com", "http://api.example.com", "https://api.example.com/v1"] {
            assert_eq!(
                Settings::new().public_origin(text).unwrap_err(),
                SettingsError::Origin(text.to_owned())
            );
        }
    }
}
