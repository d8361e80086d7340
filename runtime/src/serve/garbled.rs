//! What is no request: bytes that the HTTP library cannot read, and answers by itself.
//!
//! 1. The library's answer is a bare head, written while no request is being answered; it lacks the id that every answer
//!    of ours has. Only such a head is replaced, and only when it is all that is written.
//! 2. Instead of it leaves a refusal as all others are, with the library's status, the security headers and a request id.
//! 3. It is a security event, as every refusal is. There is no user agent and no endpoint: nothing could be read.

use std::net::IpAddr;

use http::{HeaderValue, StatusCode};

use crate::answer::headers::secure;
use crate::clock::Clock;
use crate::event::{Endpoint, Event, SecurityEvent, store};
use crate::gate::{REQUEST_ID, RequestId};
use crate::operation::ErrorForm;
use crate::problem::{Rejection, Text, outward};

/// The answer that leaves instead of the library's `written`, once its event is emitted; `None` if that is no refusal of
/// the library's own.
pub(super) fn instead_of(written: &[u8], peer: IpAddr, form: ErrorForm) -> Option<Vec<u8>> {
    let head = Head::read(written)?;
    let id = RequestId::fresh(Clock::system().now().ok());
    let rejection = Rejection::NoRequest(head.status);
    let outward = outward(&rejection);
    let event = Event {
        kind: outward.event,
        reason: &rejection,
        source: peer,
        user_agent: None,
        endpoint: Endpoint(None),
        operation: None,
        request_id: id.as_str(),
        principal: None,
        tenant: None,
        account: None,
        status: Some(outward.status.as_u16()),
    };
    event.trace();
    store(event.kind.severity, || SecurityEvent::from(&event));
    let text = Text::of(&outward, id.as_str(), form);
    let mut headers = http::HeaderMap::new();
    secure(&mut headers, false);
    headers.insert(http::header::CONTENT_TYPE, text.media_type);
    headers.insert(http::header::CONTENT_LENGTH, text.bytes.len().into());
    headers.insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(REQUEST_ID, HeaderValue::from_str(id.as_str()).ok()?);
    let mut answer = format!("HTTP/1.1 {}\r\n{}\r\n", head.status, head.date).into_bytes();
    for (name, value) in &headers {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(&text.bytes);
    Some(answer)
}

/// What the library answers to what it cannot read.
const OF_THE_LIBRARY: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE];

/// The head that the library writes by itself.
struct Head<'a> {
    status: StatusCode,
    /// Its `date` line, or nothing.
    date: &'a str,
}

impl<'a> Head<'a> {
    fn read(written: &'a [u8]) -> Option<Self> {
        let head = std::str::from_utf8(written).ok()?.strip_suffix("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let lines: Vec<&str> = lines.collect();
        // an application that answers by a bare head keeps the connection, or has another status
        let closes = lines.iter().any(|line| line.eq_ignore_ascii_case("connection: close"));
        let bare = closes
            && lines.iter().all(|line| {
                let name = line.split(':').next().unwrap_or_default();
                ["connection", "content-length", "date"].iter().any(|known| name.eq_ignore_ascii_case(known))
            });
        let date = lines.into_iter().find(|line| line.to_ascii_lowercase().starts_with("date:"));
        (bare && OF_THE_LIBRARY.contains(&status)).then_some(Self { status, date: date.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_bare_refusal_becomes_an_envelope() {
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\
                     date: Tue, 24 Nov 2026 21:00:00 GMT\r\n\r\n";
        let answer = String::from_utf8(instead_of(bare, PEER, ErrorForm::Envelope).unwrap()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\ndate: Tue, 24 Nov 2026"));
        assert!(head.contains("x-content-type-options: nosniff") && head.contains("x-request-id: "));
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(body.starts_with(r#"{"error":{"code":"headers_too_large""#), "{body}");
    }

    #[test]
    fn what_somebody_else_wrote_is_left_alone() {
        for other in [
            &b"HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nhi",
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            b"a body that speaks of HTTP/1.1 400 Bad Request\r\n\r\n",
            b"\xff\r\n\r\n",
            b"",
        ] {
            assert!(instead_of(other, PEER, ErrorForm::Envelope).is_none());
        }
    }
}
