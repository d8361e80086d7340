//! The error envelope: `{"error":{"code","message","timestamp","request_id"}}`, with `details` for violations.

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

pub(super) fn text(outward: &Outward<'_>, request_id: &str) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Envelope {
        error: Inner {
            code: outward.code,
            message: &outward.message,
            timestamp: jiff::Timestamp::now(),
            request_id,
            policy: outward.policy,
            details: outward.details,
        },
    })
}
