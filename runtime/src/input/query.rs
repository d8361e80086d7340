//! The query and the cookies of a request, cut into names and values.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::COOKIE;

use super::encoded::{BadEncoding, decoded};

/// More pairs than these are refused before they are looked at.
pub(super) const MOST_PAIRS: usize = 100;

/// A name and its value. The name is decoded, so that `%6Cimit` is `limit`; the value waits, because a list is cut first.
pub(super) struct Pair<'a> {
    pub(super) name: Cow<'a, str>,
    /// `None`: there was no `=`.
    pub(super) value: Option<&'a str>,
}

/// Why a query cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadQuery {
    /// A name is not percent-encoded UTF-8.
    Encoding,
    /// There are too many pairs.
    TooMany,
}

impl From<BadEncoding> for BadQuery {
    fn from(_: BadEncoding) -> Self {
        Self::Encoding
    }
}

/// Cuts a query at each `&`, and each piece at its first `=`. An empty query has no pairs.
pub(super) fn pairs(query: &str) -> Result<Vec<Pair<'_>>, BadQuery> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let mut pairs = Vec::with_capacity(4);
    for piece in query.split('&') {
        if pairs.len() == MOST_PAIRS {
            return Err(BadQuery::TooMany);
        }
        let (name, value) = match piece.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (piece, None),
        };
        pairs.push(Pair { name: decoded(name)?, value });
    }
    Ok(pairs)
}

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

    fn cut(query: &str) -> Result<Vec<(String, Option<String>)>, BadQuery> {
        let own = |pair: &Pair<'_>| (pair.name.to_string(), pair.value.map(str::to_owned));
        pairs(query).map(|pairs| pairs.iter().map(own).collect())
    }

    #[test]
    fn cuts_before_it_decodes() {
        let some = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(cut(""), Ok(vec![]));
        assert_eq!(cut("a=1&b=2=3&c="), Ok(vec![some("a", "1"), some("b", "2=3"), some("c", "")]));
        assert_eq!(cut("%61%26=%26"), Ok(vec![some("a&", "%26")]));
        assert_eq!(cut("a"), Ok(vec![("a".to_owned(), None)]));
        assert_eq!(cut("a=1;b=2"), Ok(vec![some("a", "1;b=2")]), "`;` separates nothing");
        assert_eq!(cut("&").map(|pairs| pairs.len()), Ok(2), "an empty piece is a pair without a name");
    }

    #[test]
    fn is_bounded_and_strict() {
        assert!(cut(&["a=1"; 100].join("&")).is_ok());
        assert_eq!(cut(&["a=1"; 101].join("&")), Err(BadQuery::TooMany));
        assert_eq!(cut("%ff=1"), Err(BadQuery::Encoding));
    }

    #[test]
    fn finds_cookies_on_every_line() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; sid=\"x\";b"));
        headers.append(COOKIE, HeaderValue::from_bytes(b"other=\xff; sid=y=z; sidx=1").unwrap());
        assert_eq!(cookies(&headers, "sid").collect::<Vec<_>>(), [&b"\"x\""[..], b"y=z"]);
        assert_eq!(cookies(&headers, "SID").count(), 0);
    }
}
