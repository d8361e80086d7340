//! Notices in parts, written as such answers are. All of it is in memory: a file that is on disk does not leave this way.

use serde::Serialize;

use super::multipart::{self, Multipart};
use super::{Notice, Unfit};
use crate::input::{Check, Parts, Places, Rule, Wire};

impl Notice {
    fn of_parts(method: &'static str, media_type: &str, body: Multipart) -> Result<Self, Unfit> {
        let content_type = Some(body.content_type(media_type).into());
        Ok(Self { method, content_type, body: body.into_bytes()? })
    }

    /// One that carries an object as parts that have names, each member as the fields say.
    ///
    /// # Errors
    /// [`Unfit`] when the body violates its schema, a member has no such form, or a file is not in memory.
    pub fn multipart<T: Serialize + Check>(
        method: &'static str,
        media_type: &str,
        body: &T,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::of_parts(method, media_type, multipart::written(body, fields, rule)?)
    }

    /// The same with the header fields of its parts.
    ///
    /// # Errors
    /// As [`Notice::multipart`], and when a header is missing, violates its schema or has no such form.
    pub fn multipart_with_headers<T: Serialize + Check, H: Serialize + Check>(
        method: &'static str,
        media_type: &str,
        body: &Parts<T, H>,
        fields: &[Wire],
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::of_parts(method, media_type, multipart::with_headers(body, fields, rule)?)
    }

    /// One that carries a list as parts without names, in its order.
    ///
    /// # Errors
    /// As [`Notice::multipart`].
    #[allow(clippy::ptr_arg, reason = "what its rule takes")]
    pub fn items<T: Serialize + Check>(
        method: &'static str,
        media_type: &str,
        body: &Vec<T>,
        item: &Wire,
        rule: Rule<Vec<T>>,
    ) -> Result<Self, Unfit> {
        Self::of_parts(method, media_type, multipart::in_order(body, item, rule)?)
    }

    /// The same with the header fields of each.
    ///
    /// # Errors
    /// As [`Notice::multipart_with_headers`].
    pub fn items_with_headers<T: Serialize + Check, H: Serialize + Check>(
        method: &'static str,
        media_type: &str,
        body: &Parts<Vec<T>, Vec<H>>,
        item: &Wire,
        rule: Rule<Vec<T>>,
    ) -> Result<Self, Unfit> {
        Self::of_parts(method, media_type, multipart::in_order_with_headers(body, item, rule)?)
    }

    /// One that carries an object as parts without names, one for each member in its place.
    ///
    /// # Errors
    /// As [`Notice::multipart`], and when a part is missing before another.
    pub fn places<T: Serialize + Check>(
        method: &'static str,
        media_type: &str,
        body: &T,
        places: Places,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::of_parts(method, media_type, multipart::by_place(body, places, rule)?)
    }

    /// The same with the header fields of its parts.
    ///
    /// # Errors
    /// As [`Notice::places`] and [`Notice::multipart_with_headers`].
    pub fn places_with_headers<T: Serialize + Check, H: Serialize + Check>(
        method: &'static str,
        media_type: &str,
        body: &Parts<T, H>,
        places: Places,
        rule: Rule<T>,
    ) -> Result<Self, Unfit> {
        Self::of_parts(method, media_type, multipart::by_place_with_headers(body, places, rule)?)
    }
}
