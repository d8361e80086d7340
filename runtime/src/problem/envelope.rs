//! The error envelope: `{"error":{"code","message","timestamp","request_id"}}`, with `details` for violations.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::Outward;
use crate::input::Violations;

#[derive(Serialize)]
struct Envelope<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: &'a str,
    message: &'a str,
    timestamp: jiff::Timestamp,
    request_id: &'a str,
    /// The limit that was exceeded, by its name in the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Violations>,
}

/// The text of it.
pub(crate) fn envelope_text(outward: &Outward<'_>, request_id: &str) -> Vec<u8> {
    let envelope = Envelope {
        error: Inner {
            code: outward.code,
            message: &outward.message,
            timestamp: jiff::Timestamp::now(),
            request_id,
            policy: outward.policy,
            details: outward.details,
        },
    };
    // Strings, a timestamp and a list of strings: writing them cannot fail. Should it, the answer has no body.
    serde_json::to_vec(&envelope).unwrap_or_default()
}

/// The answer to a refused request.
pub(crate) fn envelope(outward: &Outward<'_>, request_id: &str) -> Response {
    let mut response = Response::new(Body::from(envelope_text(outward, request_id)));
    *response.status_mut() = outward.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
