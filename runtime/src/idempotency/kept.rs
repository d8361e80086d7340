//! An answer as it is kept: what a client who asks again gets, byte for byte.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;

/// Of what a handler's answer carries, which is what the document declares of it, everything is kept but these: they are of
/// one connection, one moment or one session.
static NOT_KEPT: [HeaderName; 5] = [SET_COOKIE, DATE, CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH];
/// Says that an answer is not the first one.
static REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Kept {
    /// Of an answer that leaves for the first time. Its body is in memory: the document has nothing else to be kept.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) async fn of(answer: Response) -> Result<(Self, Response), axum::Error> {
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut headers = parts.headers.clone();
        for name in &NOT_KEPT {
            headers.remove(name);
        }
        let first = Response::from_parts(parts, Body::from(body.clone()));
        Ok((Self { status: first.status(), headers, body }, first))
    }

    /// Tells it from any other.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        let mut digest = [0; 32];
        digest.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref());
        digest
    }

    /// For one who asks again.
    pub(crate) fn again(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(REPLAYED.clone(), HeaderValue::from_static("true"));
        response
    }

    /// `status 2 | headers 2 | (name length 2 | name | value length 4 | value)* | body`
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.status.as_u16().to_be_bytes());
        out.extend_from_slice(&u16::try_from(self.headers.len()).unwrap_or(u16::MAX).to_be_bytes());
        for (name, value) in &self.headers {
            let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
            out.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(name);
            out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(value);
        }
        out.extend_from_slice(&self.body);
    }

    /// `None`: nobody wrote this.
    pub(super) fn read(mut from: &[u8]) -> Option<Self> {
        let status = StatusCode::from_u16(u16::from_be_bytes(take(&mut from)?)).ok()?;
        let count = u16::from_be_bytes(take(&mut from)?);
        let mut headers = HeaderMap::new();
        for _ in 0..count {
            let length = u16::from_be_bytes(take(&mut from)?).into();
            let name = HeaderName::from_bytes(split(&mut from, length)?).ok()?;
            let length = usize::try_from(u32::from_be_bytes(take(&mut from)?)).ok()?;
            headers.append(name, HeaderValue::from_bytes(split(&mut from, length)?).ok()?);
        }
        Some(Self { status, headers, body: Bytes::copy_from_slice(from) })
    }
}

pub(super) fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

fn split<'a>(from: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kept() -> Kept {
        let mut answer = Response::new(Body::from("{\"id\":7}"));
        *answer.status_mut() = StatusCode::CREATED;
        for (name, value) in [
            ("content-type", "application/json"),
            ("location", "/things/7"),
            ("link", "</a>"),
            ("link", "</b>"),
            ("set-cookie", "session=1"),
        ] {
            answer.headers_mut().append(name, HeaderValue::from_static(value));
        }
        let (kept, first) = Kept::of(answer).await.unwrap();
        assert_eq!(first.headers().len(), 5, "the first one gets all of it");
        kept
    }

    #[tokio::test]
    async fn it_is_read_as_it_was_written_without_what_is_of_one_session() {
        let kept = kept().await;
        let mut bytes = Vec::new();
        kept.write(&mut bytes);
        assert_eq!(Kept::read(&bytes), Some(kept.clone()));
        let again = kept.again();
        assert_eq!(again.status(), 201);
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        assert_eq!(again.headers().get_all("link").iter().collect::<Vec<_>>(), ["</a>", "</b>"]);
        assert!(!again.headers().contains_key("set-cookie"));
        assert_eq!(again.into_body().collect().await.unwrap().to_bytes(), "{\"id\":7}");
    }

    #[tokio::test]
    async fn half_of_one_is_none() {
        let mut bytes = Vec::new();
        kept().await.write(&mut bytes);
        let head = bytes.len() - b"{\"id\":7}".len();
        for length in 0..head {
            assert_eq!(Kept::read(&bytes[..length]), None, "{length}");
        }
    }
}
