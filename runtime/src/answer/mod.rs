//! What leaves: only declared answers, checked against the document before the first byte goes out.

pub(crate) mod headers;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::input::{At, Check, Violations};
use crate::operation::{Policy, Status};

/// An answer that conforms to the document: made by generated code through [`Answer::json`] and [`Answer::empty`].
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

/// The typed answers of an operation: a variant for each that the document declares.
pub trait Output: Sized + Send {
    /// The answer to send.
    ///
    /// # Errors
    /// When the value does not satisfy its schema: an answer that the document does not describe never leaves.
    fn answer(self) -> Result<Answer, Unfit>;
}

/// Why an answer may not leave. The log shows it; the client gets 500.
#[derive(Debug)]
pub enum Unfit {
    /// The value violates its schema.
    Violates(Violations),
    /// The value cannot be written as JSON.
    Unserializable(serde_json::Error),
    /// The status is none that HTTP has, or none that the variant may carry.
    Status(u16),
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Violates(violations) => {
                f.write_str("answer_violates_schema")?;
                violations
                    .iter()
                    .try_for_each(|violation| write!(f, " {}:{}", violation.pointer, violation.rule))
            }
            Self::Unserializable(error) => write!(f, "answer_unserializable: {error}"),
            Self::Status(status) => write!(f, "answer_status_undeclared: {status}"),
        }
    }
}

/// The status that a handler chose for a variant of `key`, a range or `default`: the declared key that says most about
/// the status must be that one, or the answer would carry the body of another.
///
/// # Errors
/// [`Unfit::Status`] otherwise.
pub fn under(status: StatusCode, key: Status, policy: &Policy) -> Result<u16, Unfit> {
    let code = status.as_u16();
    let covers = |declared: &&Status| match **declared {
        Status::Exactly(exactly) => exactly == code,
        Status::Range(hundred) => hundred == code / 100,
        Status::Any => true,
    };
    let rank = |declared: &&Status| match **declared {
        Status::Exactly(_) => 0,
        Status::Range(_) => 1,
        Status::Any => 2,
    };
    let most_precise = policy.answers.iter().filter(covers).min_by_key(rank);
    if most_precise == Some(&key) { Ok(code) } else { Err(Unfit::Status(code)) }
}

/// Room for a small object; lists grow from here. The default of 128 makes every list pay several copies.
const FIRST_ALLOCATION: usize = 1024;

impl Answer {
    /// A JSON answer, checked against its schema.
    ///
    /// # Errors
    /// [`Unfit`] when the status is not a status, or the body violates its schema.
    pub fn json<T: Serialize + Check>(status: u16, body: &T) -> Result<Self, Unfit> {
        let status = StatusCode::from_u16(status).map_err(|_| Unfit::Status(status))?;
        let mut violations = Violations::default();
        body.check(&At::root(), &mut violations);
        if !violations.is_empty() {
            return Err(Unfit::Violates(violations));
        }
        let mut bytes = Vec::with_capacity(FIRST_ALLOCATION);
        serde_json::to_writer(&mut bytes, body).map_err(Unfit::Unserializable)?;
        Ok(Self {
            status,
            content_type: Some(HeaderValue::from_static("application/json")),
            body: bytes.into(),
        })
    }

    /// An answer without a body.
    ///
    /// # Errors
    /// [`Unfit`] when the status is not a status.
    pub fn empty(status: u16) -> Result<Self, Unfit> {
        let status = StatusCode::from_u16(status).map_err(|_| Unfit::Status(status))?;
        Ok(Self { status, content_type: None, body: Bytes::new() })
    }

    /// The same under another media type that carries JSON, as the document declares it.
    #[must_use]
    pub fn typed(mut self, media_type: &'static str) -> Self {
        self.content_type = Some(HeaderValue::from_static(media_type));
        self
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        if let Some(content_type) = self.content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        response
    }
}
