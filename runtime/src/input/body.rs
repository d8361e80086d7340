//! The body of a request, up to its bytes.
//!
//! 1. A declared length over the limit is refused before anything else is done ([`declared_length`], step 4).
//! 2. Where no body is declared, none may come. Where one is required, one must.
//! 3. Its media type is stated once and is a declared one (RFC 9110 section 8.3).
//! 4. It is not encoded: what is not declared is not decompressed (RFC 9110 section 8.4).
//! 5. It is read under the limit, whatever length was declared, and while there is room for what arrives (`arriving`). The
//!    deadline is the caller's.
//! 6. What generated code reads as it is and the files of forms are spooled: memory does not grow with them (`upload`).

use axum::body::Body as Stream;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body::Body as _;
use http_body_util::BodyExt;

use super::arriving::{Arrival, Sender};
use super::media_type;
use super::payload::{Came, Receiving, Sent};
use super::upload::{self, Spool, Spooler, Upload};
use super::wire::Declared;
use super::{InputError, wire};
use crate::operation::Body;

/// Refuses by the declared length alone.
///
/// # Errors
/// [`InputError::TooLarge`] when it is over the limit, or no number that could be under it.
pub fn declared_length(declared: Option<&Body>, headers: &HeaderMap) -> Result<(), InputError> {
    let (Some(declared), Some(length)) = (declared, headers.get(CONTENT_LENGTH)) else { return Ok(()) };
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    match length.is_some_and(|length| length <= declared.max as u64) {
        true => Ok(()),
        false => Err(InputError::TooLarge),
    }
}

/// What receives bodies: what the document declares, and how each of its media types is read.
#[derive(Clone, Copy)]
pub(crate) struct Receiver<'a> {
    pub(crate) declared: Option<&'a Body>,
    pub(crate) receiving: fn(usize) -> Receiving,
    pub(crate) spool: &'a Spool,
    pub(crate) sender: Sender<'a>,
}

impl<'a> Receiver<'a> {
    /// Reads what the document declares. `None`: no body came, and none had to.
    ///
    /// # Errors
    /// Why what came is not read.
    pub(crate) async fn receive(
        self,
        headers: &HeaderMap,
        stream: Stream,
    ) -> Result<Option<Sent<'a>>, InputError> {
        let Some(declared) = self.declared else {
            nothing(stream).await?;
            return Ok(None);
        };
        if stream.is_end_stream() {
            return self.absent(declared, headers);
        }
        declared_length(Some(declared), headers)?;
        let (which, content_type) = self.acceptable(declared, headers)?;
        let content = match (self.receiving)(which) {
            Receiving::Whole => {
                let arrival = Arrival::new(stream, self.sender, declared.max);
                Some(collect(arrival, declared.max).await?).filter(|bytes| !bytes.is_empty()).map(Came::Whole)
            }
            Receiving::Spooled => {
                let arrival = Arrival::new(stream, self.sender, upload::IN_MEMORY);
                let upload = Box::pin(spooled(arrival, declared.max, self.spool)).await?;
                let upload = upload.said(None, Some(content_type));
                Some(upload).filter(|upload| !upload.is_empty()).map(Came::Spooled)
            }
            Receiving::Parts(fields) => self.parts(stream, content_type, Declared::Named(fields)).await?,
            Receiving::Places(places) => self.parts(stream, content_type, Declared::ByPlace(places)).await?,
            Receiving::Items(item) => self.parts(stream, content_type, Declared::InOrder(item)).await?,
            // said above already
            Receiving::Refused => return Err(InputError::MediaType),
        };
        match content {
            None => self.absent(declared, headers),
            Some(content) => Ok(Some(Sent { content, which, declared, beside_token: false })),
        }
    }

    async fn parts(
        self,
        stream: Stream,
        content_type: &str,
        parts: Declared,
    ) -> Result<Option<Came>, InputError> {
        let arrival = Arrival::new(stream, self.sender, wire::PARTS_IN_MEMORY);
        let max = self.declared.map_or(0, |declared| declared.max);
        let came = wire::parts(arrival, content_type, parts, max, self.spool);
        let came = Box::pin(came).await?; // most bodies do without the room for it
        Ok(came.map(|came| Came::Parts(came, parts)))
    }

    /// A body without a byte is none, but for a media type of which the empty text is a value: those are read as text or
    /// as bytes, and the request must have stated it.
    fn absent(self, declared: &'a Body, headers: &HeaderMap) -> Result<Option<Sent<'a>>, InputError> {
        let stated =
            headers.contains_key(CONTENT_TYPE).then(|| self.acceptable(declared, headers).ok()).flatten();
        match stated {
            Some((which, content_type)) if media_type::may_be_empty(content_type) => {
                let content = match (self.receiving)(which) {
                    Receiving::Spooled => Came::Spooled(Upload::default().said(None, Some(content_type))),
                    _ => Came::Whole(Bytes::new()),
                };
                Ok(Some(Sent { content, which, declared, beside_token: false }))
            }
            _ if declared.required => Err(InputError::Missing),
            _ => Ok(None),
        }
    }

    /// Which of the declared media types the request states, and how it writes it.
    fn acceptable<'h>(self, declared: &Body, headers: &'h HeaderMap) -> Result<(usize, &'h str), InputError> {
        if headers.contains_key(CONTENT_ENCODING) {
            return Err(InputError::Encoding);
        }
        let mut stated = headers.get_all(CONTENT_TYPE).into_iter();
        let (Some(sent), None) = (stated.next(), stated.next()) else { return Err(InputError::MediaType) };
        let sent = sent.to_str().map_err(|_| InputError::MediaType)?;
        let which = media_type::accepts(declared.media_types, sent).ok_or(InputError::MediaType)?;
        let is_readable = |range: &&str| media_type::is_readable(range, sent);
        match (self.receiving)(which) {
            Receiving::Refused => Err(InputError::MediaType),
            // a range lets any parameter come, and what is no bytes is read as UTF-8
            Receiving::Whole if !declared.media_types.get(which).is_some_and(is_readable) => {
                Err(InputError::MediaType)
            }
            _ => Ok((which, sent)),
        }
    }
}

/// Makes sure that a body which nobody declared has no bytes.
async fn nothing(mut stream: Stream) -> Result<(), InputError> {
    if stream.is_end_stream() {
        return Ok(());
    }
    while let Some(frame) = stream.frame().await {
        let frame = frame.map_err(|_| InputError::Truncated)?;
        if frame.data_ref().is_some_and(|data| !data.is_empty()) {
            return Err(InputError::Undeclared);
        }
    }
    Ok(())
}

/// The bytes, at most `max` of them. A body of one frame, as most small ones are, is not copied.
async fn collect(mut arrival: Arrival<'_>, max: usize) -> Result<Bytes, InputError> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(data) = arrival.next().await {
        let data = data?;
        if first.len() + all.len() + data.len() > max {
            return Err(InputError::TooLarge);
        }
        match (first.is_empty(), all.is_empty()) {
            (true, true) => first = data,
            _ => {
                arrival.make_room(&mut all, first.len() + data.len())?;
                all.extend_from_slice(&std::mem::take(&mut first));
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

/// The same, with what is more than a few of them in a file.
async fn spooled(mut arrival: Arrival<'_>, max: usize, spool: &Spool) -> Result<Upload, InputError> {
    let mut spooler = Spooler::new(spool);
    while let Some(data) = arrival.next().await {
        let data = data?;
        if spooler.len() + data.len() as u64 > max as u64 {
            return Err(InputError::TooLarge);
        }
        spooler.push(data, usize::MAX).await?;
    }
    Ok(spooler.finish().await?)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::LazyLock;

    use futures_util::stream;
    use http::HeaderValue;

    use super::super::{Check, Decode, Json, Violations, arriving, no_rule};
    use super::*;
    use crate::settings::Settings;

    async fn receive<'a>(
        declared: Option<&'a Body>,
        headers: &HeaderMap,
        stream: Stream,
    ) -> Result<Option<Sent<'a>>, InputError> {
        static SPOOL: LazyLock<Spool> = LazyLock::new(|| Spool::new(&Settings::new()));
        let sender = arriving::tests::sender();
        let receiver = Receiver { declared, receiving: |_| Receiving::Whole, spool: &SPOOL, sender };
        receiver.receive(headers, stream).await
    }

    const DECLARED: Body = Body { media_types: &["application/json"], required: true, max: 16, depth: 4 };
    const OPTIONAL: Body = Body { required: false, ..DECLARED };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn json() -> HeaderMap {
        headers(&[("content-type", "application/json")])
    }

    fn frames(frames: &[&'static str]) -> Stream {
        let frames: Vec<_> =
            frames.iter().map(|frame| Ok::<_, Infallible>(Bytes::from_static(frame.as_bytes()))).collect();
        Stream::from_stream(stream::iter(frames))
    }

    async fn read<T: Decode + Check>(
        declared: &Body,
        headers: &HeaderMap,
        stream: Stream,
    ) -> Result<T, InputError> {
        let sent = receive(Some(declared), headers, stream).await?;
        Ok(Sent::required(sent)?.json(no_rule)?)
    }

    async fn maybe<T: Decode + Check>(
        declared: &Body,
        headers: &HeaderMap,
        stream: Stream,
    ) -> Result<Option<T>, InputError> {
        let sent = receive(Some(declared), headers, stream).await?;
        Ok(sent.map(|sent| sent.json(no_rule)).transpose()?)
    }

    #[test]
    fn a_declared_length_is_compared_before_anything_is_read() {
        let length = |text: &str| declared_length(Some(&DECLARED), &headers(&[("content-length", text)]));
        assert_eq!(length("16"), Ok(()));
        for text in ["17", "99999999999999999999999", "-1", "x", "0x1"] {
            assert_eq!(length(text), Err(InputError::TooLarge), "{text}");
        }
        assert_eq!(declared_length(Some(&DECLARED), &HeaderMap::new()), Ok(()));
        assert_eq!(declared_length(None, &headers(&[("content-length", "17")])), Ok(()));
    }

    #[tokio::test]
    async fn reads_under_the_limit_in_any_number_of_frames() {
        let whole = read::<Json>(&DECLARED, &json(), Stream::from("[1,2,3]")).await;
        assert_eq!(whole, read(&DECLARED, &json(), frames(&["[1", "", ",2,", "3]"])).await);
        assert_eq!(whole.map(|json| json.to_string()), Ok("[1,2,3]".to_owned()));
        assert!(
            read::<Json>(&DECLARED, &json(), frames(&["[1,     ", "      2]"])).await.is_ok(),
            "16 bytes"
        );
        for stream in
            [Stream::from("[1,             2]"), frames(&["[1,     ", "       2]"]), frames(&["[1,"; 1000])]
        {
            assert_eq!(read::<Json>(&DECLARED, &json(), stream).await, Err(InputError::TooLarge));
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_truncated() {
        let broken = stream::iter([Ok(Bytes::from_static(b"[1")), Err(std::io::Error::other("gone"))]);
        assert_eq!(
            read::<Json>(&DECLARED, &json(), Stream::from_stream(broken)).await,
            Err(InputError::Truncated)
        );
    }

    #[tokio::test]
    async fn the_media_type_is_stated_once_and_declared() {
        let with = async |pairs: &[(&'static str, &str)]| {
            read::<Json>(&DECLARED, &headers(pairs), Stream::from("1")).await
        };
        assert!(with(&[("content-type", "application/json; charset=UTF-8")]).await.is_ok());
        for pairs in [
            &[][..],
            &[("content-type", "text/plain")],
            &[("content-type", "application/json"), ("content-type", "application/json")],
            &[("content-type", "application/json, text/plain")],
        ] {
            assert_eq!(with(pairs).await, Err(InputError::MediaType), "{pairs:?}");
        }
        for encoding in ["gzip", "identity", ""] {
            let pairs = &[("content-type", "application/json"), ("content-encoding", encoding)];
            assert_eq!(with(pairs).await, Err(InputError::Encoding), "{encoding}");
        }
    }

    #[tokio::test]
    async fn absent_bodies() {
        assert_eq!(read::<Json>(&DECLARED, &json(), Stream::empty()).await, Err(InputError::Missing));
        assert_eq!(read::<Json>(&DECLARED, &json(), frames(&["", ""])).await, Err(InputError::Missing));
        assert_eq!(maybe::<i64>(&OPTIONAL, &HeaderMap::new(), Stream::empty()).await, Ok(None));
        assert_eq!(maybe::<i64>(&OPTIONAL, &json(), frames(&[""])).await, Ok(None));
        assert_eq!(maybe::<i64>(&DECLARED, &json(), Stream::empty()).await, Err(InputError::Missing));
    }

    #[tokio::test]
    async fn null_is_a_body() {
        let null = || Stream::from("null");
        let invalid = |read: Result<_, InputError>| matches!(read, Err(InputError::Invalid(_)));
        assert!(invalid(read::<i64>(&DECLARED, &json(), null()).await.map(drop)));
        assert!(invalid(maybe::<i64>(&OPTIONAL, &json(), null()).await.map(drop)), "absent is not null");
        assert_eq!(read::<Option<i64>>(&DECLARED, &json(), null()).await, Ok(None), "required, and nullable");
        assert_eq!(maybe::<Option<i64>>(&OPTIONAL, &json(), null()).await, Ok(Some(None)));
        assert_eq!(maybe::<Option<i64>>(&OPTIONAL, &json(), Stream::empty()).await, Ok(None));
    }

    #[tokio::test]
    async fn nothing_may_come_where_nothing_is_declared() {
        let read = async |stream| receive(None, &json(), stream).await.map(|sent| sent.is_some());
        assert_eq!(read(Stream::empty()).await, Ok(false));
        assert_eq!(read(frames(&["", ""])).await, Ok(false));
        assert_eq!(read(Stream::from("{}")).await, Err(InputError::Undeclared));
        assert_eq!(read(frames(&["", " "])).await, Err(InputError::Undeclared));
    }

    #[tokio::test]
    async fn the_empty_text_is_a_text() {
        const TEXT: Body = Body { media_types: &["application/json", "text/plain"], ..DECLARED };
        let text = headers(&[("content-type", "text/plain; charset=utf-8")]);
        let sent = receive(Some(&TEXT), &text, Stream::empty()).await.unwrap().unwrap();
        assert_eq!((sent.which(), sent.text::<String>(no_rule)), (1, Ok(String::new())));
        assert_eq!(receive(Some(&TEXT), &json(), Stream::empty()).await.map(drop), Err(InputError::Missing));
        let whole = receive(Some(&TEXT), &text, Stream::from("a\r\nb")).await.unwrap().unwrap();
        assert_eq!(whole.text::<String>(no_rule), Ok("a\r\nb".to_owned()));
        let whole = receive(Some(&TEXT), &text, Stream::from("12")).await.unwrap().unwrap();
        assert_eq!(whole.text::<i64>(no_rule), Ok(12));
        let broken = Stream::from(Bytes::from_static(b"\xff"));
        let whole = receive(Some(&TEXT), &text, broken).await.unwrap().unwrap();
        assert_eq!(whole.text::<String>(no_rule), Err(super::super::Refused::Syntax));
    }

    #[tokio::test]
    async fn what_is_wrong_inside_keeps_its_cause() {
        let with = async |text: &'static str| read::<Vec<i64>>(&DECLARED, &json(), Stream::from(text)).await;
        assert_eq!(with("[1").await, Err(InputError::Syntax));
        assert_eq!(with("[[[[[1]]]]]").await, Err(InputError::TooDeep));
        let Err(InputError::Invalid(found)) = with("[true]").await else { panic!() };
        assert_eq!(found.iter().map(|violation| violation.pointer.as_str()).collect::<Vec<_>>(), ["/0"]);
    }

    /// The future of a body can be sent to another thread.
    #[test]
    fn reading_is_sendable() {
        fn sendable<T: Send>(value: T) -> T {
            value
        }
        let headers = json();
        drop(sendable(receive(Some(&OPTIONAL), &headers, Stream::empty())));
        assert_eq!(InputError::Invalid(Violations::new()).to_string(), "body_invalid");
    }
}
