//! The cookies of a request.

use http::HeaderMap;
use http::header::COOKIE;

/// The values of a cookie (RFC 6265 section 4.2.1), of every `Cookie` line: HTTP/2 may split them (RFC 9113 section
/// 8.2.3). Quotes are part of the value. Bytes, because other cookies may be anything and are none of our business.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let pieces =
        headers.get_all(COOKIE).into_iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pieces.filter_map(move |piece| {
        let piece = piece.trim_ascii();
        piece.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn finds_cookies_on_every_line() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; sid=\"x\";b"));
        headers.append(COOKIE, HeaderValue::from_bytes(b"other=\xff; sid=y=z; sidx=1").unwrap());
        assert_eq!(cookies(&headers, "sid").collect::<Vec<_>>(), [&b"\"x\""[..], b"y=z"]);
        assert_eq!(cookies(&headers, "SID").count(), 0);
    }
}
