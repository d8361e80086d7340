//! What leaves: only declared answers, checked against the document before the first byte goes out.

mod accept;
mod event;
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

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

pub(crate) use self::accept::Accept;
pub use self::header::HeaderForm;
pub use self::items::Items;
use self::multipart::Multipart;
pub use self::notice::Notice;
pub use self::typed_bytes::TypedBytes;
use crate::input::{At, Check, Others, Parts, Places, Rule, Violations, Wire, no_rule, parse_tree};
use crate::operation::{Policy, Status};
use crate::problem::Problem;

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

/// Why an answer may not leave. The log shows it; the client gets 500.
#[derive(Debug)]
pub enum Unfit {
    /// The value violates its schema.
    Violates(Violations),
    /// The value cannot be written as JSON.
    Unserializable(serde_json::Error),
    /// The status is none that HTTP has, or none that the variant may carry.
    Status(u16),
    /// The media type is none, or none of the range that the document declares.
    MediaType,
    /// The value of a header cannot be written.
    Header(&'static str),
    /// The value of a field of a server-sent event cannot be written.
    EventField(&'static str),
    /// What is to be a form is no object.
    NoObject,
    /// The value of a member of a form cannot be written.
    Member(&'static str),
    /// The header fields of a part are missing, or are given for a part that is not there.
    PartHeaders(&'static str),
    /// A file of a notice is on disk, and its body is in memory.
    OnDisk,
    /// The system gives no random bytes.
    NoRandom,
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
            Self::MediaType => f.write_str("answer_media_type_undeclared"),
            Self::Header(name) => write!(f, "answer_header_unwritable: {name}"),
            Self::EventField(name) => write!(f, "answer_event_field_unwritable: {name}"),
            Self::NoObject => f.write_str("answer_form_of_no_object"),
            Self::Member(name) => write!(f, "answer_member_unwritable: {name}"),
            Self::PartHeaders(name) => write!(f, "answer_part_headers_unfit: {name}"),
            Self::OnDisk => f.write_str("answer_file_on_disk"),
            Self::NoRandom => f.write_str("answer_without_random_bytes"),
        }
    }
}

impl std::error::Error for Unfit {}

/// What the document does not describe is the server's own fault.
impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        Self::internal(unfit)
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
        Self::json_under(status, body, no_rule)
    }

    /// The same under a rule beside those of its type.
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn json_under<T: Serialize + Check>(status: u16, body: &T, rule: Rule<T>) -> Result<Self, Unfit> {
        let answer = Self::of(status, "application/json")?;
        Ok(Self { body: json_bytes(body, rule)?.into(), ..answer })
    }

    /// A text: a scalar, as it stands.
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn text<T: Serialize + Check>(
        status: u16,
        media_type: &'static str,
        body: &T,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        let answer = Self::of(status, media_type)?;
        conforms(body, rule)?;
        let json = serde_json::to_string(body).map_err(Unfit::Unserializable)?;
        let text = parse_tree(&json, usize::MAX).and_then(|value| members::scalar(&value));
        Ok(Self { body: text.unwrap_or_default().into(), ..answer })
    }

    /// An object as `application/x-www-form-urlencoded`, each member as the fields say.
    ///
    /// # Errors
    /// As [`Answer::json`], and when a member has no such form.
    pub fn form<T: Serialize + Check>(
        status: u16,
        media_type: &'static str,
        body: &T,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        let body = form::written(body, fields, Others::Plain, rule)?;
        Ok(Self { body: body.into(), ..Self::of(status, media_type)? })
    }

    /// The same where the schema alone says what is in it. The fields are those members that are written in a way of their
    /// own.
    ///
    /// # Errors
    /// As [`Answer::form`].
    pub fn free_form<T: Serialize + Check>(
        status: u16,
        media_type: &'static str,
        body: &T,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        let body = form::written(body, fields, Others::Free, rule)?;
        Ok(Self { body: body.into(), ..Self::of(status, media_type)? })
    }

    /// An object as `multipart/form-data`, or another type of parts that have names, each member as the fields say.
    ///
    /// # Errors
    /// As [`Answer::form`].
    pub fn multipart<T: Serialize + Check>(
        status: u16,
        media_type: &str,
        body: &T,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::with_content(status)?.of_parts(media_type, multipart::written(body, fields, rule)?)
    }

    /// A list as parts without names, in its order, each item as the wire says.
    ///
    /// # Errors
    /// As [`Answer::form`].
    #[allow(clippy::ptr_arg, reason = "what its rule takes")]
    pub fn items<T: Serialize + Check>(
        status: u16,
        media_type: &str,
        body: &Vec<T>,
        item: &Wire,
        rule: Rule<Vec<T>>,
    ) -> Result<Self, Unfit> {
        Self::with_content(status)?.of_parts(media_type, multipart::in_order(body, item, rule)?)
    }

    /// The same as [`Answer::multipart`], with the header fields of its parts.
    ///
    /// # Errors
    /// As [`Answer::multipart`], and when a header is missing, violates its schema or has no such form.
    pub fn multipart_with_headers<T: Serialize + Check, H: Serialize + Check>(
        status: u16,
        media_type: &str,
        body: &Parts<T, H>,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::with_content(status)?.of_parts(media_type, multipart::with_headers(body, fields, rule)?)
    }

    /// The same as [`Answer::items`], with the header fields of each part.
    ///
    /// # Errors
    /// As [`Answer::multipart_with_headers`].
    pub fn items_with_headers<T: Serialize + Check, H: Serialize + Check>(
        status: u16,
        media_type: &str,
        body: &Parts<Vec<T>, Vec<H>>,
        item: &Wire,
        rule: Rule<Vec<T>>,
    ) -> Result<Self, Unfit> {
        Self::with_content(status)?.of_parts(media_type, multipart::in_order_with_headers(body, item, rule)?)
    }

    /// An object as parts without names, one for each member in its place.
    ///
    /// # Errors
    /// As [`Answer::form`], and when a part is missing before another.
    pub fn places<T: Serialize + Check>(
        status: u16,
        media_type: &str,
        body: &T,
        places: Places,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::with_content(status)?.of_parts(media_type, multipart::by_place(body, places, rule)?)
    }

    /// The same as [`Answer::places`], with the header fields of its parts.
    ///
    /// # Errors
    /// As [`Answer::places`] and [`Answer::multipart_with_headers`].
    pub fn places_with_headers<T: Serialize + Check, H: Serialize + Check>(
        status: u16,
        media_type: &str,
        body: &Parts<T, H>,
        places: Places,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::with_content(status)?
            .of_parts(media_type, multipart::by_place_with_headers(body, places, rule)?)
    }

    fn of_parts(mut self, media_type: &str, body: Multipart) -> Result<Self, Unfit> {
        let media_type = HeaderValue::from_str(&body.content_type(media_type));
        self.headers.insert(CONTENT_TYPE, media_type.map_err(|_| Unfit::Header("content-type"))?);
        Ok(Self { body: body.into_body(), ..self })
    }

    /// Bytes, as they are.
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn bytes(
        status: u16,
        media_type: &'static str,
        body: Bytes,
        rule: Rule<Bytes>,
    ) -> Result<Self, Unfit> {
        let mut violations = Violations::new();
        rule(&body, &At::root(), &mut violations);
        if !violations.is_empty() {
            return Err(Unfit::Violates(violations));
        }
        Ok(Self { body: body.into(), ..Self::of(status, media_type)? })
    }

    /// Bytes of a media type that the handler says, within the declared range.
    ///
    /// # Errors
    /// As [`Answer::json`], and when the media type is not one of the range.
    pub fn bytes_within(
        status: u16,
        range: &'static str,
        body: TypedBytes,
        rule: Rule<Bytes>,
    ) -> Result<Self, Unfit> {
        let media_type = body.media_type_within(range).ok_or(Unfit::MediaType)?;
        let mut answer = Self::bytes(status, range, body.into_bytes(), rule)?;
        answer.one_type = None;
        answer.headers.insert(CONTENT_TYPE, media_type);
        Ok(answer)
    }

    /// A stream of JSON texts, one a line (NDJSON). Each is checked before it leaves; one that does not conform ends the
    /// connection, so that the client does not take what it has for the whole.
    ///
    /// # Errors
    /// [`Unfit`] when the status is not a status.
    pub fn lines<T: Serialize + Check + Send + 'static>(
        status: u16,
        media_type: &'static str,
        items: Items<T>,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Ok(Self { body: items.into_body(rule, items::line), ..Self::of(status, media_type)? })
    }

    /// The same, each JSON text between a record separator and a line feed (RFC 7464 section 2.2).
    ///
    /// # Errors
    /// [`Unfit`] when the status is not a status.
    pub fn records<T: Serialize + Check + Send + 'static>(
        status: u16,
        media_type: &'static str,
        items: Items<T>,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Ok(Self { body: items.into_body(rule, items::record), ..Self::of(status, media_type)? })
    }

    /// A stream of server-sent events (the HTML standard, section 9.2), the data of each a text or JSON; checked as those
    /// of [`Answer::lines`].
    ///
    /// # Errors
    /// [`Unfit`] when the status is not a status.
    pub fn event_data<T: Serialize + Check + Send + 'static>(
        status: u16,
        items: Items<T>,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Ok(Self { body: items.into_body(rule, event::of_data), ..Self::of(status, "text/event-stream")? })
    }

    /// The same where an item is an event: an object of `data`, which is a text or JSON, `event`, `id` and `retry`. One
    /// whose fields cannot be written, such as an `id` of two lines, ends the connection.
    ///
    /// # Errors
    /// [`Unfit`] when the status is not a status.
    pub fn events<T: Serialize + Check + Send + 'static>(
        status: u16,
        items: Items<T>,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Ok(Self { body: items.into_body(rule, event::of_fields), ..Self::of(status, "text/event-stream")? })
    }

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

fn conforms<T: Check>(value: &T, rule: Rule<T>) -> Result<(), Unfit> {
    let mut violations = Violations::new();
    rule(value, &At::root(), &mut violations);
    value.check(&At::root(), &mut violations);
    if violations.is_empty() { Ok(()) } else { Err(Unfit::Violates(violations)) }
}

fn json_bytes<T: Serialize + Check>(value: &T, rule: Rule<T>) -> Result<Vec<u8>, Unfit> {
    conforms(value, rule)?;
    let mut bytes = Vec::with_capacity(FIRST_ALLOCATION);
    serde_json::to_writer(&mut bytes, value).map_err(Unfit::Unserializable)?;
    Ok(bytes)
}
