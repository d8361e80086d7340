//! Security events: one for every refusal, through `tracing`, and to a sink where there is one ([`sink`]).
//!
//! Target [`SECURITY_EVENTS`]. Fields: `event_type timestamp source_ip user_agent endpoint failure_reason request_id principal`,
//! and `tenant operation_id status severity`; of a login that failed also `account`, a digest as well. `endpoint` is the method and the
//! *template*, never the path that was sent; `principal` is the issuer and a digest of the subject, `tenant` a digest; `user_agent` is cut and
//! escaped, so that a log line cannot be forged.
//!
//! Connections that are closed before anything is asked over them are told of together, with their `count`.

mod asking;
mod here;
mod home;
mod overflow;
mod record;
mod sink;
mod whole;
mod writer;

use std::fmt;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_lc_rs::digest;
use http::HeaderValue;
use serde::Serialize;

pub(crate) use self::asking::{Asked, Asking};
#[cfg(feature = "tls")]
pub(crate) use self::here::sink;
pub(crate) use self::here::{blocking, store, storing};
pub use self::record::SecurityEvent;
pub(crate) use self::record::known;
pub use self::sink::{EventSink, EventSinkError, Events};
pub(crate) use self::sink::{NotStored, Worth};
pub(crate) use self::whole::{whole, works_settled};
use crate::authn::{Identity, Principal};

/// The `tracing` target of security events: filter on it to send them where they belong.
pub const SECURITY_EVENTS: &str = "palisade::security";

/// How loud a security event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Severity {
    /// Happens all day: a missing token, a malformed parameter.
    Low,
    /// Worth a look when it repeats: a forged token, another's object.
    Medium,
    /// Worth a look now: a panic, an answer that does not fit the document.
    High,
}

/// For what goes on whatever becomes of the log: one that panics while something is dropped would end the process.
pub(crate) fn tell(log: impl FnOnce()) {
    _ = catch_unwind(AssertUnwindSafe(log));
}

/// What happened, in the words of the OWASP logging vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) event_type: &'static str,
    pub(crate) severity: Severity,
}

/// One security event.
pub(crate) struct Event<'a> {
    pub(crate) kind: Kind,
    pub(crate) reason: &'a dyn fmt::Display,
    pub(crate) source: IpAddr,
    pub(crate) user_agent: Option<&'a HeaderValue>,
    pub(crate) endpoint: Endpoint<'a>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) request_id: &'a str,
    pub(crate) principal: Option<&'a Principal>,
    pub(crate) tenant: Option<&'a str>,
    /// Whose account was tried, where that is what it tells of.
    pub(crate) account: Option<&'a str>,
    pub(crate) status: Option<u16>,
}

/// The method and template, or `unmatched`.
pub(crate) struct Endpoint<'a>(pub(crate) Option<(&'a http::Method, &'static str)>);

impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((method, template)) => write!(f, "{method} {template}"),
            None => f.write_str("unmatched"),
        }
    }
}

impl Event<'_> {
    /// Hands the event to `tracing`, and to a sink where there is one.
    pub(crate) fn emit(&self, sink: Option<&Events>) {
        self.trace();
        if let Some(sink) = sink {
            sink.push(self.kind.severity.into(), || self.into());
        }
    }

    /// Hands the event to `tracing`: high as errors, medium as warnings, low as information.
    pub(crate) fn trace(&self) {
        macro_rules! emit_at {
            ($level:expr) => {
                tracing::event!(
                    target: SECURITY_EVENTS,
                    $level,
                    event_type = self.kind.event_type,
                    timestamp = %jiff::Timestamp::now(),
                    source_ip = %self.source,
                    user_agent = %UserAgent(self.user_agent),
                    endpoint = %self.endpoint,
                    failure_reason = %self.reason,
                    request_id = self.request_id,
                    principal = %Pseudonym::of(self.principal),
                    tenant = %Digest(self.tenant),
                    account = self.account,
                    operation_id = self.operation.unwrap_or("-"),
                    status = self.status,
                    severity = ?self.kind.severity,
                )
            };
        }
        match self.kind.severity {
            Severity::Low => emit_at!(tracing::Level::INFO),
            Severity::Medium => emit_at!(tracing::Level::WARN),
            Severity::High => emit_at!(tracing::Level::ERROR),
        }
    }
}

/// What happened to a connection before anything was asked over it.
pub(crate) struct ConnectionEvent<'a> {
    pub(crate) kind: Kind,
    pub(crate) reason: &'a dyn fmt::Display,
    /// Who connected.
    pub(crate) source: IpAddr,
    /// How many there were of the kind since the last such event.
    pub(crate) count: u64,
}

impl ConnectionEvent<'_> {
    /// Hands the event to `tracing`, as a warning, and to the sink of the server that is connected to.
    pub(crate) fn emit(&self) {
        tracing::warn!(
            target: SECURITY_EVENTS,
            event_type = self.kind.event_type,
            timestamp = %jiff::Timestamp::now(),
            source_ip = %self.source,
            failure_reason = %self.reason,
            count = self.count,
            severity = ?self.kind.severity,
        );
        store(self.kind.severity, || self.into());
    }
}

/// What happened to an account where no request of the gate is: at an issuer of ours, or at a login. It tells of the request to
/// their endpoints that is being answered ([`asking`]).
pub(crate) struct AccountEvent<'a> {
    pub(crate) kind: Kind,
    pub(crate) reason: &'static str,
    pub(crate) identity: Identity<'a>,
    /// The application that acts, or `-`.
    pub(crate) client: &'a str,
    /// The tokens that came of one sign-in, or `-`.
    pub(crate) family: &'a str,
}

impl AccountEvent<'_> {
    /// Hands the event to `tracing`, high as errors, medium as warnings, low as information, and to the sink of the request.
    pub(crate) fn emit(&self) {
        macro_rules! emit_at {
            ($level:expr) => {
                tracing::event!(
                    target: SECURITY_EVENTS,
                    $level,
                    event_type = self.kind.event_type,
                    timestamp = %jiff::Timestamp::now(),
                    source_ip = %Asked::Source,
                    user_agent = %Asked::UserAgent,
                    endpoint = %Asked::Endpoint,
                    failure_reason = self.reason,
                    request_id = %Asked::RequestId,
                    principal = %Pseudonym(Some(self.identity)),
                    client = %self.client.escape_debug(), // a log line cannot be forged by it
                    family = %self.family.escape_debug(),
                    severity = ?self.kind.severity,
                )
            };
        }
        match self.kind.severity {
            Severity::Low => emit_at!(tracing::Level::INFO),
            Severity::Medium => emit_at!(tracing::Level::WARN),
            Severity::High => emit_at!(tracing::Level::ERROR),
        }
        store(self.kind.severity, || self.into());
    }
}

/// Longest part of a `User-Agent` that is logged.
const USER_AGENT_MAX: usize = 256;

struct UserAgent<'a>(Option<&'a HeaderValue>);

impl fmt::Display for UserAgent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(value) = self.0 else { return f.write_str("-") };
        let bytes = value.as_bytes();
        write!(f, "{}", bytes.get(..USER_AGENT_MAX).unwrap_or(bytes).escape_ascii())
    }
}

/// An identity that can be followed through the log without standing in it.
pub(crate) struct Pseudonym<'a>(Option<Identity<'a>>);

impl<'a> Pseudonym<'a> {
    pub(crate) fn new(issuer: &'a str, subject: &'a str) -> Self {
        Self(Some(Identity { issuer, subject, tenant: None }))
    }

    fn of(principal: Option<&'a Principal>) -> Self {
        Self(principal.map(Principal::identity))
    }
}

impl fmt::Display for Pseudonym<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Identity { issuer, subject, .. }) = self.0 else { return f.write_str("-") };
        write!(f, "{}#{}", issuer.escape_debug(), Digest(Some(subject)))
    }
}

/// A name that can be followed through the log without standing in it.
struct Digest<'a>(Option<&'a str>);

impl fmt::Display for Digest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = self.0 else { return f.write_str("-") };
        let digest = digest::digest(&digest::SHA256, name.as_bytes());
        digest.as_ref().iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_are_escaped_and_cut() {
        let forged = HeaderValue::from_bytes(b"curl\xff\t\"x\"").unwrap();
        assert_eq!(UserAgent(Some(&forged)).to_string(), r#"curl\xff\t\"x\""#);
        let long = HeaderValue::from_str(&"a".repeat(5_000)).unwrap();
        assert_eq!(UserAgent(Some(&long)).to_string().len(), USER_AGENT_MAX);
        assert_eq!(UserAgent(None).to_string(), "-");
    }

    #[test]
    fn endpoints_are_templates() {
        let method = http::Method::GET;
        assert_eq!(
            Endpoint(Some((&method, "/accounts/{accountId}"))).to_string(),
            "GET /accounts/{accountId}"
        );
        assert_eq!(Endpoint(None).to_string(), "unmatched");
    }
}
