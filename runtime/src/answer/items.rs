//! [`Items`]: an answer that is a stream of values.

use std::fmt;
use std::pin::Pin;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;

use super::{Answer, Unfit, conforms, event};
use crate::input::{Check, Rule};

/// A stream of values, each checked against its schema before it leaves.
///
/// ```
/// use futures_util::stream;
/// let numbers = palisade::Items::new(stream::iter([1_i64, 2, 3]));
/// # drop(numbers);
/// ```
pub struct Items<T>(Pin<Box<dyn Stream<Item = T> + Send>>);

impl<T> Items<T> {
    /// The values of a stream.
    pub fn new(stream: impl Stream<Item = T> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }
}

/// No values.
impl<T: Send + 'static> Default for Items<T> {
    fn default() -> Self {
        Self::new(stream::empty())
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Items(..)")
    }
}

/// How an item is written, which is given as JSON.
type Frame = fn(&str) -> Result<Vec<u8>, Unfit>;

impl<T: Serialize + Check + Send + 'static> Items<T> {
    pub(super) fn into_body(self, rule: Rule<T>, frame: Frame) -> Body {
        let frames = self.0.map(move |item| {
            conforms(&item, rule)
                .and_then(|()| serde_json::to_string(&item).map_err(Unfit::Unserializable))
                .and_then(|json| frame(&json))
                .map(Bytes::from)
                .map_err(reported)
        });
        Body::from_stream(frames)
    }
}

impl Answer {
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
        Ok(Self { body: items.into_body(rule, line), ..Self::of(status, media_type)? })
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
        Ok(Self { body: items.into_body(rule, record), ..Self::of(status, media_type)? })
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
}

/// The status has left already: the log is told, and the connection ends.
fn reported(unfit: Unfit) -> std::io::Error {
    tracing::error!(target: "palisade", event = "sys_answer_unfit", reason = %unfit, "a stream was cut off");
    std::io::Error::other("the item does not conform to the document")
}

pub(super) fn line(json: &str) -> Result<Vec<u8>, Unfit> {
    Ok(format!("{json}\n").into_bytes())
}

/// RFC 7464 section 2.2.
pub(super) fn record(json: &str) -> Result<Vec<u8>, Unfit> {
    Ok(format!("\x1e{json}\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::input::{minimum, no_rule};

    #[tokio::test]
    async fn each_item_is_a_line() {
        let body = Items::new(stream::iter([1_i64, 2])).into_body(no_rule, line);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "1\n2\n");
    }

    #[tokio::test]
    async fn an_item_that_does_not_conform_ends_the_stream() {
        let rule: Rule<i64> = |value, at, out| minimum(value, 1, at, out);
        let mut body = Items::new(stream::iter([1_i64, 0, 2])).into_body(rule, line);
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().await.unwrap().is_err());
    }
}
