//! The precise causes of a refusal: for the log and the counters, never for the client.

use std::fmt;

use http::{HeaderValue, StatusCode};

use crate::answer::Unfit;
use crate::authn::Denied;
use crate::authn::step_up::Insufficient;
use crate::authz::Forbidden;
use crate::breaker::LeftAlone;
use crate::cursor::BadCursor;
use crate::idempotency::Refusal;
use crate::input::InputError;
use crate::limit::Outage;
use crate::operation::{Limit, Priority};
use crate::problem::Problem;

/// Why the gate refused, or why a handler's result may not leave. In the order of the gate's steps.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// What came cannot be read as HTTP, or is more than is read of a head: the status says which.
    NoRequest(StatusCode),
    /// The clock cannot be read, stands before 2020 or was set back: no token, cursor or limit can be judged.
    ClockFailed,
    /// `Host` is missing, there twice, or not the authority of the request line (RFC 9112 section 3.2).
    AmbiguousHost,
    /// It is for another host than the handshake of its connection, or of another scheme (RFC 9110 section 15.5.20).
    Misdirected,
    /// A proxy that is trusted forwarded a request that did not come by HTTPS.
    Plaintext,
    /// More handlers are at work than one of its class may be added to.
    Overloaded(Priority),
    /// Its network takes its answers too slowly, or all do.
    Unread,
    /// A limit is used up.
    Limited {
        /// The one that takes longest to come back.
        limit: &'static Limit,
        /// Seconds until it does.
        retry_after: u64,
    },
    /// A limit lets nothing pass while the counters that instances share cannot be asked.
    Uncounted(Outage),
    /// No declared path matches.
    NoRoute,
    /// The path is declared, the method is not.
    NoMethod {
        /// What `Allow` answers (RFC 9110 section 10.2.1).
        allow: HeaderValue,
    },
    /// No alternative of the security holds.
    Denied {
        /// The reason, for the log.
        reason: Denied,
        /// One `WWW-Authenticate` for each scheme (RFC 9110 section 11.6.1).
        challenges: Vec<HeaderValue>,
    },
    /// The credential is good, and its user did not log in as the operation asks.
    StepUp {
        /// The reason, for the log.
        reason: Insufficient,
        /// RFC 9470 section 3: `insufficient_user_authentication` with what is asked.
        challenges: Vec<HeaderValue>,
    },
    /// The credential is good and lacks a scope.
    Forbidden {
        /// The reason, for the log.
        reason: Forbidden,
        /// RFC 6750 section 3.1: `insufficient_scope` with the scopes that are needed.
        challenges: Vec<HeaderValue>,
    },
    /// A parameter or the body is not what the document declares.
    Input(InputError),
    /// The client accepts none of the media types that the operation answers in.
    NotAcceptable,
    /// The resolver knows no such object.
    NoObject,
    /// The object is another's.
    NotOwner,
    /// The resolver failed.
    ResolverFailed(Problem),
    /// The cursor is not one that was sealed for this request.
    Cursor(BadCursor),
    /// A call that may be sent again is neither done nor answered.
    Idempotency(Refusal),
    /// What is about to be done could not be told of, as it must. The sink is left alone for so long.
    Unaudited(LeftAlone),
    /// The operation took longer than the document allows.
    Deadline,
    /// The handler (or anything before it) panicked.
    Panicked(String),
    /// The handler answered with a problem.
    Handler(Problem),
    /// The handler answered with a problem whose status the document does not declare.
    Undeclared(Problem),
    /// The handler's answer does not fit the document.
    Unfit(Unfit),
}

impl From<Outage> for Rejection {
    fn from(outage: Outage) -> Self {
        Self::Uncounted(outage)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRequest(status) => write!(f, "no_request: {}", status.as_u16()),
            Self::ClockFailed => f.write_str("clock_failed"),
            Self::AmbiguousHost => f.write_str("ambiguous_host"),
            Self::Misdirected => f.write_str("misdirected"),
            Self::Plaintext => f.write_str("plaintext"),
            Self::Limited { limit, .. } => write!(f, "limit_exceeded: {}", limit.name),
            Self::Overloaded(priority) => write!(f, "overloaded: {priority:?}"),
            Self::Unread => f.write_str("answers_not_taken"),
            Self::Uncounted(Outage { limit, .. }) => write!(f, "limit_not_counted: {}", limit.name),
            Self::NoRoute => f.write_str("no_route"),
            Self::NoMethod { .. } => f.write_str("method_not_declared"),
            Self::Denied { reason, .. } => reason.fmt(f),
            Self::StepUp { reason, .. } => f.write_str(reason.code()),
            Self::Forbidden { reason, .. } => write!(f, "insufficient_scope: {}", reason.missing().join(" ")),
            Self::Input(error) => error.fmt(f),
            Self::NotAcceptable => f.write_str("not_acceptable"),
            Self::NoObject => f.write_str("no_such_object"),
            Self::NotOwner => f.write_str("not_the_owner"),
            Self::ResolverFailed(problem) => write!(f, "resolver_failed: {}", Cause(problem)),
            Self::Cursor(reason) => write!(f, "bad_cursor: {}", reason.reason()),
            Self::Idempotency(refusal) => refusal.fmt(f),
            Self::Unaudited(_) => f.write_str("audit_event_not_stored"),
            Self::Deadline => f.write_str("deadline_exceeded"),
            Self::Panicked(message) => write!(f, "panicked: {}", message.escape_debug()),
            Self::Handler(problem) => write!(f, "handler: {}", Cause(problem)),
            Self::Undeclared(problem) => {
                write!(f, "undeclared_problem {}: {}", problem.status(), Cause(problem))
            }
            Self::Unfit(unfit) => unfit.fmt(f),
        }
    }
}

/// A problem as the log sees it: its code and, if it has one, its cause.
struct Cause<'a>(&'a Problem);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())?;
        match self.0.cause() {
            Some(cause) => write!(f, " ({})", cause.to_string().escape_debug()),
            None => Ok(()),
        }
    }
}
