//! [`Notice`]: what the server sends of its own accord, a webhook or a callback.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

use super::{Unfit, form, json_bytes};
use crate::input::{Check, Others, Rule, Wire};

/// A webhook or a callback, ready to be sent by a client of the application's choice. Its body conforms to the document.
///
/// The address of a callback is the word of whoever called: make sure that it leads out of your own network before
/// something is sent there (OWASP API7, server side request forgery).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The method, such as `POST`.
    pub method: &'static str,
    /// The value of `Content-Type`; `None` without a body. Of parts it says their boundary.
    pub content_type: Option<Cow<'static, str>>,
    /// The body; empty without one.
    pub body: Bytes,
}

impl Notice {
    /// One that carries JSON, checked against its schema.
    ///
    /// # Errors
    /// [`Unfit`] when the body violates its schema.
    pub fn json<T: Serialize + Check>(
        method: &'static str,
        media_type: &'static str,
        body: &T,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Ok(Self { method, content_type: Some(media_type.into()), body: json_bytes(body, rule)?.into() })
    }

    /// One that carries an object as `application/x-www-form-urlencoded`, checked against its schema, each member as the
    /// fields say.
    ///
    /// # Errors
    /// [`Unfit`] when the body violates its schema, or a member has no such form.
    pub fn form<T: Serialize + Check>(
        method: &'static str,
        media_type: &'static str,
        body: &T,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        let body = form::written(body, fields, Others::Plain, rule)?;
        Ok(Self { method, content_type: Some(media_type.into()), body: body.into() })
    }

    /// The same where the schema alone says what is in it. The fields are those members that are written in a way of their
    /// own.
    ///
    /// # Errors
    /// As [`Notice::form`].
    pub fn free_form<T: Serialize + Check>(
        method: &'static str,
        media_type: &'static str,
        body: &T,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        let body = form::written(body, fields, Others::Free, rule)?;
        Ok(Self { method, content_type: Some(media_type.into()), body: body.into() })
    }

    /// One that carries nothing.
    #[must_use]
    pub const fn empty(method: &'static str) -> Self {
        Self { method, content_type: None, body: Bytes::new() }
    }
}
