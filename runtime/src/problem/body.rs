//! What a refusal says, in the form that the document chose: the envelope, or problem details.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::{Outward, details, envelope};
use crate::operation::ErrorForm;

/// The text of a refusal, and what it is.
pub(crate) struct Text {
    pub(crate) media_type: HeaderValue,
    pub(crate) bytes: Vec<u8>,
}

impl Text {
    pub(crate) fn of(outward: &Outward<'_>, request_id: &str, form: ErrorForm) -> Self {
        let (media_type, written) = match form {
            ErrorForm::Envelope => ("application/json", envelope::text(outward, request_id)),
            ErrorForm::ProblemJson => ("application/problem+json", details::text(outward, request_id)),
        };
        // Strings, a timestamp and a list of strings: writing them cannot fail. Should it, the answer has no body.
        Self { media_type: HeaderValue::from_static(media_type), bytes: written.unwrap_or_default() }
    }
}

/// The answer to a refused request.
pub(crate) fn answer(outward: &Outward<'_>, request_id: &str, form: ErrorForm) -> Response {
    let text = Text::of(outward, request_id, form);
    let mut response = Response::new(Body::from(text.bytes));
    *response.status_mut() = outward.status;
    response.headers_mut().insert(CONTENT_TYPE, text.media_type);
    response
}
