//! A security event as a sink stores it: what `tracing` is told, in an object of its own, and bounded.

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::sync::LazyLock;

use serde::Serialize;

use super::asking::{Asked, asked_from};
use super::{AccountEvent, ConnectionEvent, Digest, Event, Kind, Pseudonym, Severity, UserAgent};
use crate::random;
use crate::types::Timestamp;

/// Longest text of an event, in bytes.
const TEXT_MAX: usize = 1024;

/// A security event, as an [`EventSink`](crate::EventSink) stores it. Serialized it is an object without what is not known.
///
/// The fields, and which event types there are: `docs/events.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SecurityEvent {
    /// What happened, such as `authn_login_fail`.
    pub event_type: &'static str,
    /// How loud it is.
    pub severity: Severity,
    /// When.
    pub timestamp: Timestamp,
    /// The place of this event among all that this process had for its sinks. With `process` it says which event it is: what
    /// comes twice has both twice.
    pub sequence: u64,
    /// Drawn by each process when it begins: 128 bits, in hex.
    pub process: &'static str,
    /// Who asked, past trusted proxies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// What the client says it is: cut, and escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Box<str>>,
    /// The method and the template of the path, or `unmatched`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Box<str>>,
    /// Why, for operators: the client is told less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<Box<str>>,
    /// The id that the answer carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Box<str>>,
    /// The issuer, and a digest of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Box<str>>,
    /// A digest of the tenant that it acts in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Box<str>>,
    /// Whose account was tried, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<str>>,
    /// The application that acts, at an issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Box<str>>,
    /// The tokens that came of one sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Box<str>>,
    /// The operation of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<&'static str>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Of how many of its kind it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl SecurityEvent {
    /// One that happened now, of which nothing else is known.
    pub(crate) fn of(Kind { event_type, severity }: Kind) -> Self {
        Self {
            event_type,
            severity,
            timestamp: Timestamp::now(),
            sequence: 0,
            process: process(),
            source_ip: None,
            user_agent: None,
            endpoint: None,
            failure_reason: None,
            request_id: None,
            principal: None,
            tenant: None,
            account: None,
            client: None,
            family: None,
            operation_id: None,
            status: None,
            count: None,
        }
    }

    /// For who reads it line by line.
    pub(super) fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default(); // nothing in it fails
        line.push('\n');
        line
    }
}

/// Which process this is, among all that store events in one place.
fn process() -> &'static str {
    static PROCESS: LazyLock<String> = LazyLock::new(|| {
        let mut bytes = [0; 16];
        let drawn = random::fill(&mut bytes).map(|()| u128::from_be_bytes(bytes));
        let id = drawn
            .unwrap_or_else(|_| u128::from_be_bytes(jiff::Timestamp::now().as_nanosecond().to_be_bytes()));
        format!("{id:032x}")
    });
    &PROCESS
}

impl From<&Event<'_>> for SecurityEvent {
    fn from(event: &Event<'_>) -> Self {
        Self {
            source_ip: Some(event.source),
            user_agent: known(&UserAgent(event.user_agent)),
            endpoint: known(&event.endpoint),
            failure_reason: known(event.reason),
            request_id: known(&event.request_id),
            principal: known(&Pseudonym::of(event.principal)),
            tenant: known(&Digest(event.tenant)),
            account: event.account.as_ref().and_then(|account| known(account)),
            operation_id: event.operation,
            status: event.status,
            ..Self::of(event.kind)
        }
    }
}

impl From<&ConnectionEvent<'_>> for SecurityEvent {
    fn from(event: &ConnectionEvent<'_>) -> Self {
        Self {
            source_ip: Some(event.source),
            failure_reason: known(event.reason),
            count: Some(event.count),
            ..Self::of(event.kind)
        }
    }
}

impl From<&AccountEvent<'_>> for SecurityEvent {
    fn from(event: &AccountEvent<'_>) -> Self {
        Self {
            source_ip: asked_from(),
            user_agent: known(&Asked::UserAgent),
            endpoint: known(&Asked::Endpoint),
            failure_reason: known(&event.reason),
            request_id: known(&Asked::RequestId),
            principal: known(&Pseudonym(Some(event.identity))),
            client: known(&event.client),
            family: known(&event.family),
            ..Self::of(event.kind)
        }
    }
}

/// As much of a text as an event has room for. `-` stands for none in the log.
pub(crate) fn known(said: &dyn fmt::Display) -> Option<Box<str>> {
    let mut text = Cut(String::new());
    _ = write!(text, "{said}"); // fails where it is cut
    Some(text.0.into_boxed_str()).filter(|text| &**text != "-")
}

struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = TEXT_MAX.saturating_sub(self.0.len());
        let end = (0..=room.min(more.len())).rev().find(|end| more.is_char_boundary(*end));
        let part = more.get(..end.unwrap_or_default()).unwrap_or_default();
        self.0.push_str(part);
        if part.len() == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_takes_more_than_its_room() {
        let long = "\u{e9}".repeat(TEXT_MAX);
        assert_eq!(known(&long).unwrap().len(), TEXT_MAX);
        assert_eq!(known(&format!("a{long}")).unwrap().len(), TEXT_MAX - 1, "no half of a character");
        assert_eq!(known(&"short").as_deref(), Some("short"));
        assert_eq!(known(&"-"), None);
    }

    #[test]
    fn what_is_not_known_is_not_in_the_object() {
        let event = SecurityEvent {
            source_ip: Some(IpAddr::from([192, 0, 2, 7])),
            status: Some(401),
            process: "00f1",
            timestamp: "2026-11-23T10:00:00Z".parse().unwrap(),
            ..SecurityEvent::of(Kind { event_type: "authn_missing", severity: Severity::Low })
        };
        let line = r#"{"event_type":"authn_missing","severity":"Low","timestamp":"2026-11-23T10:00:00Z","sequence":0,"process":"00f1","source_ip":"192.0.2.7","status":401}"#;
        assert_eq!(event.line(), format!("{line}\n"));
    }

    #[test]
    fn each_event_says_which_process_has_it() {
        let of = |event_type| SecurityEvent::of(Kind { event_type, severity: Severity::Low }).process;
        assert_eq!(of("authn_missing"), of("sys_crash"));
        assert_eq!(of("sys_crash").len(), 32);
        assert!(of("sys_crash").chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f')));
    }
}
