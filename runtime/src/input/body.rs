//! The body of a request, up to its bytes.
//!
//! 1. A declared length over the limit is refused before anything else is done ([`declared_length`], step 4).
//! 2. Where no body is declared, none may come. Where one is required, one must.
//! 3. Its media type is stated once and is a declared one (RFC 9110 section 8.3).
//! 4. It is not encoded: what is not declared is not decompressed (RFC 9110 section 8.4).
//! 5. It is read under the limit, whatever length was declared. The deadline is the caller's.

use axum::body::Body as Stream;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body::Body as _;
use http_body_util::BodyExt;

use super::media_type;
use super::{InputError, Payload};
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

/// Reads and decodes what the document declares.
pub(super) async fn receive<P: Payload>(
    declared: Option<&Body>,
    headers: &HeaderMap,
    stream: Stream,
) -> Result<P, InputError> {
    let Some(declared) = declared else {
        nothing(stream).await?;
        return P::absent().ok_or(InputError::Missing);
    };
    if stream.is_end_stream() {
        return absent(declared);
    }
    declared_length(Some(declared), headers)?;
    acceptable(declared, headers)?;
    let bytes = collect(stream, declared.max).await?;
    match bytes.is_empty() {
        true => absent(declared),
        false => Ok(P::present(&bytes, declared)?),
    }
}

fn absent<P: Payload>(declared: &Body) -> Result<P, InputError> {
    if declared.required { Err(InputError::Missing) } else { P::absent().ok_or(InputError::Missing) }
}

fn acceptable(declared: &Body, headers: &HeaderMap) -> Result<(), InputError> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(InputError::Encoding);
    }
    let mut stated = headers.get_all(CONTENT_TYPE).into_iter();
    let (Some(sent), None) = (stated.next(), stated.next()) else { return Err(InputError::MediaType) };
    let sent = sent.to_str().map_err(|_| InputError::MediaType)?;
    match media_type::accepts(declared.media_types, sent) {
        true => Ok(()),
        false => Err(InputError::MediaType),
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
async fn collect(mut stream: Stream, max: usize) -> Result<Bytes, InputError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = stream.frame().await {
        let Ok(data) = frame.map_err(|_| InputError::Truncated)?.into_data() else { continue };
        if first.len() + all.len() + data.len() > max {
            return Err(InputError::TooLarge);
        }
        match (first.is_empty(), all.is_empty()) {
            (true, true) => first = data,
            (_, false) => all.extend_from_slice(&data),
            (false, true) => {
                let to_come = usize::try_from(stream.size_hint().lower()).unwrap_or(max).min(max);
                all.reserve(first.len() + data.len() + to_come);
                all.extend_from_slice(&std::mem::take(&mut first));
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http::HeaderValue;

    use super::super::{Input, Json, Parameters, Violations};
    use super::*;

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

    async fn read<P: Payload>(declared: &Body, headers: &HeaderMap, stream: Stream) -> Result<P, InputError> {
        P::read(Some(declared), headers, stream).await
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
        assert_eq!(read::<Option<i64>>(&OPTIONAL, &HeaderMap::new(), Stream::empty()).await, Ok(None));
        assert_eq!(read::<Option<i64>>(&OPTIONAL, &json(), frames(&[""])).await, Ok(None));
        assert_eq!(read::<i64>(&OPTIONAL, &json(), Stream::empty()).await, Err(InputError::Missing));
        assert_eq!(read::<Option<i64>>(&DECLARED, &json(), Stream::empty()).await, Err(InputError::Missing));
    }

    #[tokio::test]
    async fn null_is_a_body() {
        let null = || Stream::from("null");
        let invalid = |read: Result<_, InputError>| matches!(read, Err(InputError::Invalid(_)));
        assert!(invalid(read::<i64>(&DECLARED, &json(), null()).await.map(drop)));
        assert!(
            invalid(read::<Option<i64>>(&OPTIONAL, &json(), null()).await.map(drop)),
            "absent is not null"
        );
        assert_eq!(read::<Option<i64>>(&DECLARED, &json(), null()).await, Ok(None), "required, and nullable");
        assert_eq!(read::<Option<Option<i64>>>(&OPTIONAL, &json(), null()).await, Ok(Some(None)));
        assert_eq!(read::<Option<Option<i64>>>(&OPTIONAL, &json(), Stream::empty()).await, Ok(None));
    }

    #[tokio::test]
    async fn nothing_may_come_where_nothing_is_declared() {
        let read = async |stream| <() as Payload>::read(None, &json(), stream).await;
        assert_eq!(read(Stream::empty()).await, Ok(()));
        assert_eq!(read(frames(&["", ""])).await, Ok(()));
        assert_eq!(read(Stream::from("{}")).await, Err(InputError::Undeclared));
        assert_eq!(read(frames(&["", " "])).await, Err(InputError::Undeclared));
    }

    #[tokio::test]
    async fn what_is_wrong_inside_keeps_its_cause() {
        let with = async |text: &'static str| read::<Vec<i64>>(&DECLARED, &json(), Stream::from(text)).await;
        assert_eq!(with("[1").await, Err(InputError::Syntax));
        assert_eq!(with("[[[[[1]]]]]").await, Err(InputError::TooDeep));
        let Err(InputError::Invalid(found)) = with("[true]").await else { panic!() };
        assert_eq!(found.iter().map(|violation| violation.pointer.as_str()).collect::<Vec<_>>(), ["/0"]);
    }

    /// What generated code implements, and that its future can be sent to another thread.
    #[test]
    fn inputs_are_read_by_their_payload() {
        struct Deposit(Option<i64>);
        impl Input for Deposit {
            type Parameters = ();
            type Body = Option<i64>;
            fn parameters(_: &mut Parameters<'_>) -> Option<()> {
                Some(())
            }
            fn assemble((): (), body: Option<i64>) -> Self {
                Self(body)
            }
        }
        fn sendable<T: Send>(value: T) -> T {
            value
        }
        let headers = json();
        drop(sendable(<Deposit as Input>::Body::read(Some(&OPTIONAL), &headers, Stream::empty())));
        assert_eq!(Deposit::assemble((), Some(1)).0, Some(1));
        assert_eq!(InputError::Invalid(Violations::new()).to_string(), "body_invalid");
    }
}
