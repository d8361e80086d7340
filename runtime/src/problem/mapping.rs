//! The one step from a precise [`Rejection`] to what the client sees and what the log is told.
//!
//! The match is exhaustive on purpose: a new cause does not compile until its status, code, message and event are
//! chosen here. Messages are constants.
//!
//! | cause | status | code |
//! |---|---|---|
//! | what is no HTTP, malformed parameters or body, a bad cursor, no or two hosts, a credential given twice | 400 | `invalid_parameters` `invalid_body` `invalid_cursor` `invalid_request` |
//! | no or bad credentials | 401 | `unauthenticated` |
//! | a login that does not suffice | 401 | `insufficient_user_authentication` |
//! | too little scope | 403 | `forbidden` |
//! | a session with a request of another site | 403 | `cross_site_request` |
//! | no route, no object, another's object | 404 | `not_found` |
//! | undeclared method | 405 | `method_not_allowed` |
//! | no media type that the client accepts | 406 | `not_acceptable` |
//! | body too slow | 408 | `request_timeout` |
//! | body too large | 413 | `body_too_large` |
//! | request line too long | 414 | `uri_too_long` |
//! | undeclared media type or encoding | 415 | `unsupported_media_type` |
//! | a well-formed body that violates its schema | 422 | `invalid_body` |
//! | no key where one is required, or none that is one | 400 | `idempotency_key_missing` `invalid_idempotency_key` |
//! | a key of another call | 422 | `idempotency_key_reused` |
//! | a call that runs, or of which nobody knows, or whose answer was not kept | 409 | `idempotency_in_progress` `outcome_unknown` `answer_not_kept` |
//! | a limit of the client is used up, as many attempts to authenticate have failed as may | 429 | `rate_limited` |
//! | a request for another host, or of another scheme, than its connection | 421 | `misdirected_request` |
//! | header fields too large or too many | 431 | `headers_too_large` |
//! | a transfer coding other than `chunked` (RFC 9112 section 6.1) | 400 | `invalid_request` |
//! | a panic, a failing part, an answer that does not fit | 500 | `internal` |
//! | the limit of all clients together is used up, a part that cannot be asked | 503 | `unavailable` |
//! | the deadline of the operation passed | 504 | `deadline_exceeded` |

use std::borrow::Cow;

use http::{HeaderValue, StatusCode};

use super::{Problem, ProblemType, Rejection};
use crate::authn::{Class, Denied, ProofFault, Reason};
use crate::breaker::LeftAlone;
use crate::event::{Kind, Severity};
use crate::idempotency::{KeyFault, Refusal};
use crate::input::{InputClass, Violations};
use crate::operation::Limit;

pub(super) const NOT_FOUND: &str = "there is nothing here, or nothing that you may see";
pub(super) const INTERNAL: &str = "the request failed; the request id finds it in our log";
pub(super) const INVALID_CURSOR: &str =
    "this cursor is not good here or not good any more; begin again without one";
const UNAVAILABLE: &str = "the service cannot answer now; try again after the time that Retry-After gives";
const RATE_LIMITED: &str = "too many requests: wait for the time that Retry-After gives, then back off exponentially with \
                            full jitter";

/// What leaves: status, code, message, and what the headers must say.
pub(crate) struct Outward<'a> {
    pub(crate) status: StatusCode,
    pub(crate) code: &'a str,
    pub(crate) message: Cow<'a, str>,
    pub(crate) kind: Option<ProblemType>,
    pub(crate) policy: Option<&'a str>,
    pub(crate) details: Option<&'a Violations>,
    pub(crate) challenges: &'a [HeaderValue],
    pub(crate) allow: Option<&'a HeaderValue>,
    /// Seconds for `Retry-After` (RFC 9110 section 10.2.3).
    pub(crate) retry_after: Option<u64>,
    /// For `Link` with `rel="describedby"`.
    pub(crate) described_by: Option<&'a str>,
    pub(crate) event: Kind,
}

impl<'a> Outward<'a> {
    fn new(status: StatusCode, code: &'a str, message: &'static str, event: Kind) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
            kind: None,
            policy: None,
            details: None,
            challenges: &[],
            allow: None,
            retry_after: None,
            described_by: None,
            event,
        }
    }

    fn internal(event_type: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL, high(event_type))
    }

    fn unavailable(event: Kind) -> Self {
        let retry_after = Some(1);
        Self { retry_after, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", UNAVAILABLE, event) }
    }

    /// And what could do it is perhaps left alone.
    fn unavailable_while(left_alone: Option<LeftAlone>, event: Kind) -> Self {
        let outward = Self::unavailable(event);
        Self { retry_after: left_alone.map(LeftAlone::seconds).or(outward.retry_after), ..outward }
    }

    fn not_found(event: Kind) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", NOT_FOUND, event)
    }

    fn problem(problem: &'a Problem, event: Kind) -> Self {
        let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let message = Cow::Borrowed(problem.message());
        Self {
            code: problem.code(),
            message,
            // it says when to come back, whoever says it (RFC 9110 section 15.6.4)
            retry_after: problem.wait().or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(1)),
            ..Self::new(status, "", "", event)
        }
    }
}

/// The client's side of a rejection.
pub(crate) fn outward(rejection: &Rejection) -> Outward<'_> {
    use Rejection as R;
    match rejection {
        R::NoRequest(status) => no_request(*status),
        R::ClockFailed => Outward::unavailable(high("sys_clock_failed")),
        R::AmbiguousHost => Outward::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "the request must name one host",
            medium("input_ambiguous_host"),
        ),
        R::Misdirected => Outward::new(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected_request",
            "this connection is not for the host and the scheme of this request: open one that is",
            low("input_misdirected"),
        ),
        R::Plaintext => Outward::new(
            StatusCode::FORBIDDEN,
            "tls_required",
            "this service answers over HTTPS only",
            medium("input_plaintext"),
        ),
        R::Overloaded(_) => Outward {
            kind: Some(ProblemType::ReducedCapacity),
            ..Outward::unavailable(high("sys_overloaded"))
        },
        R::Unread => Outward {
            kind: Some(ProblemType::ReducedCapacity),
            ..Outward::unavailable(medium("excess_answers_not_taken"))
        },
        R::Limited { limit, retry_after } => limited(limit, *retry_after),
        R::Uncounted(outage) => Outward::unavailable_while(outage.left_alone, high("sys_limits_unavailable")),
        R::NoRoute => Outward::not_found(low("input_no_route")),
        R::NoMethod { allow } => Outward {
            allow: Some(allow),
            ..Outward::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path answers the methods that Allow names",
                low("input_method_not_declared"),
            )
        },
        R::Denied { reason, challenges } => Outward { challenges, ..denied(reason) },
        R::StepUp { challenges, .. } => Outward {
            challenges,
            ..Outward::new(
                StatusCode::UNAUTHORIZED,
                "insufficient_user_authentication",
                "this operation needs another or a more recent login; WWW-Authenticate says which",
                low("authn_step_up"),
            )
        },
        R::Forbidden { challenges, .. } => Outward {
            challenges,
            ..Outward::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "the credential does not grant what this operation needs",
                medium("authz_fail"),
            )
        },
        R::Input(error) => Outward { details: error.violations(), ..input(error.class()) },
        R::NotAcceptable => Outward::new(
            StatusCode::NOT_ACCEPTABLE,
            "not_acceptable",
            "this operation does not answer in any media type that Accept names",
            low("input_not_acceptable"),
        ),
        // One answer for both, so that it does not tell whether the object exists.
        R::NoObject => Outward::not_found(low("authz_no_object")),
        R::NotOwner => Outward::not_found(medium("authz_fail")),
        R::ResolverFailed(_) => Outward::internal("sys_resolver_failed"),
        R::Cursor(_) => Outward::new(
            StatusCode::BAD_REQUEST,
            "invalid_cursor",
            INVALID_CURSOR,
            medium("input_cursor_fail"),
        ),
        R::Idempotency(refusal) => repeated(refusal),
        R::Unaudited(left_alone) => Outward {
            retry_after: Some(left_alone.seconds()),
            ..Outward::unavailable(high("sys_audit_unavailable"))
        },
        R::Deadline => Outward::new(
            StatusCode::GATEWAY_TIMEOUT,
            "deadline_exceeded",
            "the operation took too long and was given up",
            medium("sys_deadline"),
        ),
        R::Panicked(_) => Outward::internal("sys_crash"),
        R::Handler(problem) => Outward::problem(problem, handler_event(problem)),
        R::Undeclared(_) => Outward::internal("sys_undeclared_answer"),
        R::Unfit(_) => Outward::internal("sys_unfit_answer"),
    }
}

fn no_request<'a>(status: StatusCode) -> Outward<'a> {
    let (code, message) = match status {
        StatusCode::URI_TOO_LONG => ("uri_too_long", "the request line is longer than this server reads"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            ("headers_too_large", "the header fields are more than this server reads")
        }
        _ => ("invalid_request", "this is not a request that this server can read"),
    };
    Outward::new(status, code, message, medium("input_malformed_request"))
}

fn limited(limit: &Limit, retry_after: u64) -> Outward<'_> {
    let event = medium("excess_rate_limit_exceeded");
    let outward = match limit.is_global() {
        // Not this client's doing (RFC 6585 section 4 is about "the user"), so it is the server that is unavailable.
        true => Outward { kind: Some(ProblemType::ReducedCapacity), ..Outward::unavailable(event) },
        false => Outward {
            kind: Some(ProblemType::QuotaExceeded),
            policy: Some(limit.name),
            ..Outward::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", RATE_LIMITED, event)
        },
    };
    Outward { retry_after: Some(retry_after), ..outward }
}

/// One body for every 401: which part of a credential was wrong is for the log.
fn denied<'a>(reason: &Denied) -> Outward<'a> {
    match reason.class() {
        Class::Unauthorized => {
            let event = match reason.reason() {
                // somebody has what only the client should have
                Reason::Proof(ProofFault::Replayed) => high("authn_token_reuse"),
                Reason::Proof(ProofFault::Nonce) => low("authn_nonce"),
                other if other.is_bad_credential() => medium("authn_login_fail"),
                _ => low("authn_missing"),
            };
            let message = "a valid credential is needed; WWW-Authenticate says which";
            Outward::new(StatusCode::UNAUTHORIZED, "unauthenticated", message, event)
        }
        Class::InvalidRequest => Outward::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "credentials must be sent once and in one place",
            medium("authn_malformed"),
        ),
        Class::CrossSite => Outward::new(
            StatusCode::FORBIDDEN,
            "cross_site_request",
            "a session is good for requests of its own site only",
            medium("malicious_cross_site"),
        ),
        Class::TooMany => {
            let event = match reason.reason() {
                Reason::TooManyAttempts(_) => medium("authn_login_fail_max"),
                _ => medium("excess_rate_limit_exceeded"),
            };
            let outward = Outward::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", RATE_LIMITED, event);
            Outward { retry_after: Some(reason.reason().wait()), ..outward }
        }
        Class::Unavailable => {
            let event = match reason.reason() {
                Reason::KeyNotSought(_) => medium("authn_unavailable"), // whoever makes up keys brings it about
                _ => high("authn_unavailable"),
            };
            Outward { retry_after: Some(reason.reason().wait()), ..Outward::unavailable(event) }
        }
    }
}

fn input<'a>(class: InputClass) -> Outward<'a> {
    let event = low("input_validation_fail");
    match class {
        InputClass::Parameters => Outward::new(
            StatusCode::BAD_REQUEST,
            "invalid_parameters",
            "the parameters are not what this operation declares; details names each",
            event,
        ),
        InputClass::Syntax => Outward::new(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            "the body is not well-formed, or nested deeper than this operation allows",
            event,
        ),
        InputClass::Schema => Outward::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_body",
            "the body is not what this operation declares; details names each place",
            event,
        ),
        InputClass::TooLarge => Outward::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the body is larger than this operation takes",
            event,
        ),
        InputClass::Unavailable => Outward::unavailable(high("sys_spool_full")),
        InputClass::MediaType => Outward::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "this operation does not take a body of this media type or encoding",
            event,
        ),
        InputClass::Timeout => Outward::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "the body did not arrive in time",
            event,
        ),
    }
}

/// A call under a key.
fn repeated(refusal: &Refusal) -> Outward<'_> {
    let conflict = |code, message, event| Outward::new(StatusCode::CONFLICT, code, message, event);
    match refusal {
        Refusal::Key(fault, docs) => {
            let code = match fault {
                KeyFault::Missing => "idempotency_key_missing",
                _ => "invalid_idempotency_key",
            };
            let event = low("input_idempotency_key");
            let refused = Outward::new(StatusCode::BAD_REQUEST, code, fault.message(), event);
            Outward { described_by: *docs, ..refused }
        }
        Refusal::OtherCall => Outward::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request",
            medium("input_idempotency_key_reused"),
        ),
        Refusal::Running => Outward {
            retry_after: Some(1),
            ..conflict(
                "idempotency_in_progress",
                "the first request with this Idempotency-Key has not ended; try again after the time that Retry-After gives",
                low("business_refused"),
            )
        },
        Refusal::Unkept => conflict(
            "answer_not_kept",
            "this was done before, and its answer was too large to be kept",
            medium("sys_answer_not_kept"),
        ),
        Refusal::Unknown => conflict(
            "outcome_unknown",
            "nobody knows whether the first request with this Idempotency-Key was done; look before you ask with another key",
            high("sys_outcome_unknown"),
        ),
        Refusal::State(_) | Refusal::Unreadable(_) | Refusal::Ledger(_) | Refusal::Recovery(_) => {
            Outward::unavailable_while(refusal.left_alone(), high("sys_idempotency_unavailable"))
        }
    }
}

fn handler_event(problem: &Problem) -> Kind {
    match problem.status() {
        _ if problem.is_ours() && problem.code() == "invalid_cursor" => medium("input_cursor_fail"),
        500.. => high("sys_handler_failed"),
        _ => low("business_refused"),
    }
}

const fn low(event_type: &'static str) -> Kind {
    Kind { event_type, severity: Severity::Low }
}

const fn medium(event_type: &'static str) -> Kind {
    Kind { event_type, severity: Severity::Medium }
}

const fn high(event_type: &'static str) -> Kind {
    Kind { event_type, severity: Severity::High }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_of_another_position_is_the_event_of_bad_cursors() {
        let of = |problem: Problem| outward(&Rejection::Handler(problem)).event.event_type;
        assert_eq!(of(Problem::invalid_cursor("other_position")), "input_cursor_fail");
        assert_eq!(of(Problem::new(400, "invalid_cursor", "a handler says so")), "business_refused");
    }

    #[test]
    fn what_is_left_alone_says_for_how_long() {
        let left = LeftAlone(std::time::Duration::from_millis(1_400));
        let state = crate::state::StateError::Engine(left.into());
        for refusal in [Refusal::Ledger(left.into()), Refusal::State(state)] {
            assert_eq!(outward(&Rejection::Idempotency(refusal)).retry_after, Some(2));
        }
        assert_eq!(outward(&Rejection::Unaudited(left)).retry_after, Some(2));
        let fails = Refusal::State(crate::state::StateError::Late);
        assert_eq!(outward(&Rejection::Idempotency(fails)).retry_after, Some(1));
        for (reason, wait) in [
            (Reason::IntrospectionLeftAlone(2), 2),
            (Reason::IntrospectionUnavailable, 1),
            (Reason::RevocationLeftAlone(2), 2),
            (Reason::RevocationUnknown, 1),
            (Reason::SessionsLeftAlone(2), 2),
            (Reason::SessionsUnavailable, 1),
        ] {
            assert_eq!(denied(&Denied::of("opaque", reason)).retry_after, Some(wait));
        }
    }

    #[test]
    fn whoever_answers_503_says_when_to_come_back() {
        let wait = |problem: Problem| outward(&Rejection::Handler(problem)).retry_after;
        assert_eq!(wait(Problem::new(503, "away", "the bank is away")), Some(1));
        let later = std::time::Duration::from_secs(30);
        assert_eq!(wait(Problem::new(503, "away", "the bank is away").retry_after(later)), Some(30));
        assert_eq!(wait(Problem::new(500, "broken", "it broke")), None);
    }
}
