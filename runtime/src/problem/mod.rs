//! Two levels of error: clients see codes, logs see causes.
//!
//! A [`Rejection`] is the precise cause, for the event log. A [`Problem`] is what a client sees: a status, a stable code
//! and a constant message. [`mapping`] is the one exhaustive step from the first to the second, so no submitted value,
//! type name, path or library message can reach a client.

mod body;
mod details;
mod envelope;
mod mapping;
mod rejection;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(crate) use body::{Text, answer};
pub(crate) use details::ProblemType;
pub(crate) use mapping::{Outward, outward};
pub(crate) use rejection::Rejection;

/// An error answer of a handler: what the client may know, and separately what the log should.
///
/// The message is a constant, so nothing that was submitted can be echoed by it. What went wrong inside goes into
/// [`Problem::because`], which only the log shows. Prefer `#[derive(palisade::Problem)]` on a domain error.
///
/// ```
/// use palisade::Problem;
///
/// let problem = Problem::new(409, "insufficient_funds", "the account does not hold that much");
/// assert_eq!(problem.status(), 409);
/// assert_eq!(Problem::new(200, "fine", "not an error").status(), 500, "only 4xx and 5xx are problems");
/// ```
#[derive(Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
    /// Seconds.
    retry_after: Option<u64>,
    /// Made by palisade: may leave though the document does not declare its status.
    ours: bool,
}

impl Problem {
    /// A problem with an error status, a stable `snake_case` code and a constant message.
    ///
    /// A status outside 400 to 599 is a mistake of the handler and becomes 500.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        match StatusCode::from_u16(status) {
            Ok(status) if status.is_client_error() || status.is_server_error() => {
                let message = Cow::Borrowed(message);
                Self { status, code, message, cause: None, retry_after: None, ours: false }
            }
            _ => Self::internal(NotAnErrorStatus(status)),
        }
    }

    /// 404 with the code that the gate uses for what is not there and for what is not the caller's.
    #[must_use]
    pub fn not_found() -> Self {
        Self { ours: true, ..Self::new(404, "not_found", mapping::NOT_FOUND) }
    }

    /// 500; `cause` is logged and never shown.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal",
            message: Cow::Borrowed(mapping::INTERNAL),
            cause: Some(Arc::from(cause.into())),
            retry_after: None,
            ours: true,
        }
    }

    /// 501, for an operation that is declared and not written yet.
    #[must_use]
    pub fn not_implemented() -> Self {
        let message = "this operation is declared but not implemented yet";
        Self { ours: true, ..Self::new(501, "not_implemented", message) }
    }

    /// 503, while a part that was asked for does not answer.
    pub(crate) fn unavailable() -> Self {
        let problem = Self::new(503, "unavailable", "this cannot be done now; try again later");
        Self { ours: true, ..problem.retry_after(Duration::from_secs(1)) }
    }

    /// 400, for a cursor that opened but carries another kind of position.
    pub(crate) fn invalid_cursor(reason: &'static str) -> Self {
        Self { ours: true, ..Self::new(400, "invalid_cursor", mapping::INVALID_CURSOR).because(reason) }
    }

    /// The same problem with a cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// The same problem with `Retry-After` (RFC 9110 section 10.2.3), in whole seconds that are at least this long.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)));
        self
    }

    /// How long the client is told to wait, in seconds.
    pub(crate) const fn wait(&self) -> Option<u64> {
        self.retry_after
    }

    /// The status that the client gets.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The message that the client gets.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the gate may answer with it on any operation.
    pub(crate) fn is_ours(&self) -> bool {
        self.ours
    }

    /// What the log says of it.
    pub(crate) fn cause(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.cause.as_deref()
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("status", &self.status.as_u16())
            .field("code", &self.code)
            .field("cause", &self.cause.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

/// Outside of a generated server (in an application that adopts operations) a problem travels through axum as an
/// extension of the answer; the layer of the [`Gate`](crate::Gate) writes the envelope.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Debug)]
struct NotAnErrorStatus(u16);

impl fmt::Display for NotAnErrorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not an error status", self.0)
    }
}

impl Error for NotAnErrorStatus {}
