//! The content of an answer: one function for each form of it, which checks the value and writes it.

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::members::scalar;
use super::multipart::{self, Multipart};
use super::{Answer, TypedBytes, Unfit, form};
use crate::input::{At, Check, Others, Parts, Places, Rule, Violations, Wire, no_rule, parse_tree};

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
        let text = parse_tree(&json, usize::MAX).and_then(|value| scalar(&value));
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

    fn of_parts(mut self, media_type: &str, body: Multipart) -> Result<Self, Unfit> {
        let media_type = HeaderValue::from_str(&body.content_type(media_type));
        self.headers.insert(CONTENT_TYPE, media_type.map_err(|_| Unfit::Header("content-type"))?);
        Ok(Self { body: body.into_body(), ..self })
    }
}

pub(super) fn conforms<T: Check>(value: &T, rule: Rule<T>) -> Result<(), Unfit> {
    let mut violations = Violations::new();
    rule(value, &At::root(), &mut violations);
    value.check(&At::root(), &mut violations);
    if violations.is_empty() { Ok(()) } else { Err(Unfit::Violates(violations)) }
}

pub(super) fn json_bytes<T: Serialize + Check>(value: &T, rule: Rule<T>) -> Result<Vec<u8>, Unfit> {
    conforms(value, rule)?;
    let mut bytes = Vec::with_capacity(FIRST_ALLOCATION);
    serde_json::to_writer(&mut bytes, value).map_err(Unfit::Unserializable)?;
    Ok(bytes)
}
