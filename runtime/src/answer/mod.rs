//! What leaves: only declared answers, checked against the document before the first byte goes out.

mod accept;
mod content;
mod event;
mod exposed;
mod form;
mod header;
pub(crate) mod headers;
mod items;
mod members;
mod multipart;
mod notice;
mod notice_parts;
mod part_headers;
mod typed_bytes;
mod unfit;

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

pub(crate) use self::accept::Accept;
use self::content::{conforms, json_bytes};
pub use self::exposed::EXPOSED_HEADERS;
pub use self::header::HeaderForm;
pub use self::items::Items;
pub use self::notice::Notice;
pub use self::typed_bytes::TypedBytes;
pub use self::unfit::Unfit;
use crate::input::{Check, Rule};
use crate::operation::{Policy, Status};

/// An answer that conforms to the document: made by generated code, by one function for each form of content.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    /// The media types that say what it is; one of them is sent.
    types: &'static [&'static str],
    one_type: Option<&'static str>,
    headers: HeaderMap,
    body: Body,
}

/// The typed answers of an operation: a variant for each that the document declares.
pub trait Output: Sized + Send {
    /// The media types that a call which works is answered in, so that a client who wants none of them is told before
    /// the handler runs. Empty: an answer may have no content.
    const PRODUCES: &'static [&'static str] = &[];

    /// The answer to send.
    ///
    /// # Errors
    /// When the value does not satisfy its schema: an answer that the document does not describe never leaves.
    fn answer(self) -> Result<Answer, Unfit>;
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

impl Answer {
    /// An answer without a body.
    ///
    /// # Errors
    /// [`Unfit`] when the status is not that of an answer: an interim one (RFC 9110 section 15.2) is followed by another.
    pub fn empty(status: u16) -> Result<Self, Unfit> {
        let known = StatusCode::from_u16(status).ok().filter(|known| !known.is_informational());
        let status = known.ok_or(Unfit::Status(status))?;
        Ok(Self {
            status,
            types: &[],
            one_type: None,
            headers: HeaderMap::with_capacity(headers::ROOM),
            body: Body::empty(),
        })
    }

    fn of(status: u16, media_type: &'static str) -> Result<Self, Unfit> {
        Ok(Self { one_type: Some(media_type), ..Self::with_content(status)? })
    }

    /// Not of a status that has no content (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5): it would be left out, or read as the
    /// next answer.
    fn with_content(status: u16) -> Result<Self, Unfit> {
        let answer = Self::empty(status)?;
        match answer.status {
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => {
                Err(Unfit::Status(status))
            }
            _ => Ok(answer),
        }
    }

    /// The same under another media type, as the document declares it.
    #[must_use]
    pub const fn typed(mut self, media_type: &'static str) -> Self {
        self.one_type = Some(media_type);
        self
    }

    /// The same under whichever of these the client likes best.
    #[must_use]
    pub const fn one_of(mut self, media_types: &'static [&'static str]) -> Self {
        self.types = media_types;
        self
    }

    /// Sets a declared header, checked against its schema.
    ///
    /// # Errors
    /// [`Unfit`] when the value violates its schema, or is no value of a header.
    pub fn header<T: Serialize + Check>(
        mut self,
        name: &'static str,
        value: &T,
        form: HeaderForm,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        conforms(value, rule)?;
        let json = serde_json::to_string(value).map_err(Unfit::Unserializable)?;
        let unwritable = || Unfit::Header(name);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unwritable())?;
        for line in header::lines(&name, &json, form).ok_or_else(unwritable)? {
            let line = HeaderValue::from_str(&line).map_err(|_| unwritable())?;
            self.headers.append(name.clone(), line);
        }
        Ok(self)
    }

    /// The same for a header that may be absent.
    ///
    /// # Errors
    /// As [`Answer::header`].
    pub fn optional_header<T: Serialize + Check>(
        self,
        name: &'static str,
        value: Option<&T>,
        form: HeaderForm,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        match value {
            Some(value) => self.header(name, value, form, rule),
            None => Ok(self),
        }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The answer as it is sent to a client who accepts this.
    pub(crate) fn into_response(self, accept: Accept<'_>) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let chosen =
            if self.types.is_empty() { None } else { accept.best(self.types).or(self.types.first()) };
        if let Some(media_type) = chosen.copied().or(self.one_type)
            && let Ok(value) = HeaderValue::from_str(media_type)
        {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
        response
    }
}
