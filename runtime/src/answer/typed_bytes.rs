//! Bytes of which the handler says what they are.

use bytes::Bytes;
use http::HeaderValue;

use crate::input::accepts;

/// Bytes and their media type, where the document declares a range of media types (`image/*`) for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedBytes {
    media_type: String,
    bytes: Bytes,
}

impl TypedBytes {
    /// Bytes of this media type, such as `image/png`. One that the declared range does not hold is the server's fault, 500, as
    /// is any other answer that the document does not describe; so is one with parameters other than `charset=utf-8`. What
    /// browsers run (`image/svg+xml`) is best not taken from whoever uploaded it.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { media_type: media_type.into(), bytes: bytes.into() }
    }

    /// The value of `Content-Type`; `None` where the range does not hold it (RFC 9110 section 12.5.1).
    pub(super) fn media_type_within(&self, range: &str) -> Option<HeaderValue> {
        let said = self.media_type.as_str();
        let alone = said.split(';').next().unwrap_or_default().trim();
        // a range takes any parameter, and an answer says none that its type does not
        let is_one =
            !said.contains('*') && accepts(&[range], said).is_some() && accepts(&[alone], said).is_some();
        HeaderValue::from_str(&self.media_type).ok().filter(|_| is_one)
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_type_of_the_range_is_said() {
        let within = |media_type: &str| TypedBytes::new(media_type, "x").media_type_within("image/*");
        assert_eq!(within("image/png").unwrap(), "image/png");
        assert_eq!(within("IMAGE/webp").unwrap(), "IMAGE/webp");
        for wrong in [
            "text/html",
            "image/*",
            "*/*",
            "image",
            "",
            "image/png\r\nx: y",
            "image/png; x=y",
            "image/png, text/html",
        ] {
            assert_eq!(within(wrong), None, "{wrong}");
        }
    }
}
