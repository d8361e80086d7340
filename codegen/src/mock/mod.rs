//! Answers that conform to the document, for a project whose handlers are not written yet.
//!
//! What the document gives as an example comes first, if it conforms; otherwise a value is built from the constraints.

mod bounds;
mod conform;
mod format;
mod pattern;
mod sample;
mod shape;

pub(crate) use conform::conforms;
pub(crate) use format::has_format;

use crate::model::{Api, Content, ContentForm, Operation, Response, StatusKey};

/// A conforming answer of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mock {
    /// Position of the response among those that the document declares for the operation.
    pub response: usize,
    /// The status. Where the key is a range or `default`, the one to choose.
    pub status: u16,
    /// The body as JSON, where the response has one; empty for bytes and for a stream. A sealed cursor is left out: only the running server makes one.
    pub body: Option<String>,
}

/// The first declared success of `operation` with a conforming body; the first declared answer where no success is
/// declared. `None` when no value is found that conforms, e.g. because none exists.
pub(crate) fn mock(api: &Api, operation: &Operation) -> Option<Mock> {
    let successes = operation.responses.iter().enumerate().filter(|(_, response)| succeeds(response.status));
    let (position, response) =
        successes.min_by_key(|(_, response)| precision(response.status)).or_else(|| {
            let mut all = operation.responses.iter().enumerate();
            all.next()
        })?;
    // A header that must be there is the handler's to make.
    if response.headers.iter().any(|header| header.required) {
        return None;
    }
    let body = match response.contents.first() {
        None => None,
        // Which type of a range it is, as well, and what stands in the heads of parts.
        Some(content) if content.is_range_of_bytes() || content.part_headers.is_some() => return None,
        Some(content) => Some(match content.form {
            ContentForm::Bytes | ContentForm::Stream(_) => String::new(),
            _ => body(api, operation, content)?,
        }),
    };
    Some(Mock { response: position, status: status(response), body })
}

fn body(api: &Api, operation: &Operation, content: &Content) -> Option<String> {
    let without_cursors = |mut value: serde_json::Value| {
        if let (Some(object), Some(pagination)) = (value.as_object_mut(), &operation.pagination) {
            pagination.members().for_each(|member| _ = object.remove(member));
        }
        value
    };
    let given =
        content.examples.iter().find(|example| conform::conforms(api, &content.schema, example)).cloned();
    let value = given.or_else(|| sample::sample(api, &content.schema))?;
    Some(without_cursors(value).to_string())
}

const fn succeeds(status: StatusKey) -> bool {
    match status {
        StatusKey::Exactly(status) => status / 100 == 2,
        StatusKey::Range(hundred) => hundred == 2,
        StatusKey::Default => true,
    }
}

/// An exact status says more than a range, and a range more than `default`.
const fn precision(status: StatusKey) -> u8 {
    match status {
        StatusKey::Exactly(_) => 0,
        StatusKey::Range(_) => 1,
        StatusKey::Default => 2,
    }
}

const fn status(response: &Response) -> u16 {
    match response.status {
        StatusKey::Exactly(status) => status,
        StatusKey::Range(hundred) => hundred * 100,
        StatusKey::Default => 200,
    }
}
