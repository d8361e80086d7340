//! Problem details (RFC 9457): `type`, `title`, `status`, `detail` and `instance`, with the members of the envelope beside them.
//!
//! 1. `type` is one of those that draft-ietf-httpapi-ratelimit-headers-10 registers, or `about:blank`, whose title is the
//!    phrase of the status (section 4.2.1): which of our refusals it is says `code`.
//! 2. `instance` is the id of the request, where that is a UUID.

use serde::Serialize;
use uuid::Uuid;

use super::Outward;
use crate::input::Violations;

/// A problem with a type of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemType {
    /// A limit of this client is used up.
    QuotaExceeded,
    /// The limit of all clients together is, or the server has too much to do.
    ReducedCapacity,
}

impl ProblemType {
    const fn uri(self) -> &'static str {
        match self {
            Self::QuotaExceeded => "https://iana.org/assignments/http-problem-types#quota-exceeded",
            Self::ReducedCapacity => {
                "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
            }
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::QuotaExceeded => "The quota of this client is used up",
            Self::ReducedCapacity => "The service takes fewer requests than usual",
        }
    }
}

#[derive(Serialize)]
struct Details<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    code: &'a str,
    timestamp: jiff::Timestamp,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    /// Of quotas that are exceeded.
    #[serde(rename = "violated-policies", skip_serializing_if = "Option::is_none")]
    violated_policies: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Violations>,
}

pub(super) fn text(outward: &Outward<'_>, request_id: &str) -> serde_json::Result<Vec<u8>> {
    let phrase = outward.status.canonical_reason().unwrap_or("Error");
    serde_json::to_vec(&Details {
        r#type: outward.kind.map_or("about:blank", ProblemType::uri),
        title: outward.kind.map_or(phrase, ProblemType::title),
        status: outward.status.as_u16(),
        detail: &outward.message,
        instance: Uuid::try_parse(request_id).ok().map(|id| id.urn().to_string()),
        code: outward.code,
        timestamp: jiff::Timestamp::now(),
        request_id,
        policy: outward.policy,
        violated_policies: outward.policy.map(|policy| [policy]),
        details: outward.details,
    })
}
