//! What makes a request none, whatever it asks for: its host, the name that TLS was made for, its framing, its fields, its length.

use http::StatusCode;
use http::request::Parts;

use super::head;
use crate::problem::Rejection;

/// What is wrong with the head of a request, whatever it asks for.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    Host,
    Misdirected,
    Framing,
    Field,
    LongTarget,
}

/// What a connection was made for, where its requests must be for the same. A trusted proxy may speak to us under another
/// name, and in plain text, of what its clients asked for over TLS.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    /// `None` where only another accept loop knows: it may stand behind TLS of its own.
    pub(super) tls: Option<bool>,
    /// The server that the client meant in the handshake.
    pub(super) name: Option<&'a str>,
}

impl Made<'_> {
    fn is_for(self, parts: &Parts) -> bool {
        self.tls.is_none_or(|tls| head::is_of_scheme(tls, &parts.uri))
            && self.name.is_none_or(|name| head::is_meant(name, &parts.uri, &parts.headers))
    }
}

impl Fault {
    /// Longest request target that is read (RFC 9112 section 3 recommends to take 8000 octets at least).
    const MAX_TARGET: usize = 8 * 1024;

    pub(super) fn of(parts: &Parts, made: Option<Made<'_>>) -> Option<Self> {
        let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
        match () {
            // first, for it ends the connection whatever else is wrong
            () if !head::knows_framing(&parts.headers) => Some(Self::Framing),
            () if !head::names_one_host(parts.version, &parts.uri, &parts.headers) => Some(Self::Host),
            () if made.is_some_and(|made| !made.is_for(parts)) => Some(Self::Misdirected),
            () if !head::fields_are_trimmed(parts.version, &parts.headers) => Some(Self::Field),
            () if target > Self::MAX_TARGET => Some(Self::LongTarget),
            () => None,
        }
    }
}

impl Fault {
    /// Where its body ends nobody knows, so nothing is read after it (RFC 9112 section 6.3, rule 4).
    pub(super) const fn ends_connection(self) -> bool {
        matches!(self, Self::Framing)
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Host => Self::AmbiguousHost,
            Fault::Misdirected => Self::Misdirected,
            // RFC 9112 section 6.1 would rather have 501 for a coding that is only unknown; but a 5xx is what a server is
            // watched for, and nobody should cause one by a header
            Fault::Framing | Fault::Field => Self::NoRequest(StatusCode::BAD_REQUEST),
            Fault::LongTarget => Self::NoRequest(StatusCode::URI_TOO_LONG),
        }
    }
}
