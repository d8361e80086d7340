//! The cookies of a login: set whole, read once.
//!
//! Rules:
//! 1. their names begin with `__Host-`: a browser takes them over TLS only, with `Path=/` and without `Domain`, so that no other
//!    host, not even a sibling, sets one for ours (RFC 6265bis section 4.1.3.2);
//! 2. `Secure`, `HttpOnly`, `SameSite=Lax`: not in the clear, not to scripts, not with the posts of other sites. `Lax`, because the
//!    way back from the provider is a navigation of another site;
//! 3. a cookie that a request has twice is refused: which of them counts would be a guess.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

const PREFIX: &str = "__Host-";
/// The cookie of a login that is under way.
pub(super) const PENDING: &str = "__Host-login";

/// The cookie is there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Twice;

/// `Set-Cookie` with a value for so long.
pub(super) fn set(name: &str, value: &str, keep: Duration) -> Option<HeaderValue> {
    let text = format!("{name}={value}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax", keep.as_secs());
    let mut made = HeaderValue::try_from(text).ok()?;
    made.set_sensitive(true);
    Some(made)
}

/// `Set-Cookie` that takes it away.
pub(super) fn clear(name: &str) -> Option<HeaderValue> {
    set(name, "", Duration::ZERO)
}

/// The value of a cookie of a request.
pub(super) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h [u8]>, Twice> {
    let mut values = crate::authn::cookies(headers, name);
    let first = values.next();
    if values.next().is_some() { Err(Twice) } else { Ok(first) }
}

/// Whether a cookie may have this name (RFC 6265 section 4.1.1), and the rules above hold for it.
pub(super) fn is_name(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| {
        (1..=64).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn a_cookie_has_every_attribute() {
        let set = set("__Host-a", "b", Duration::from_secs(60)).unwrap();
        assert_eq!(set.to_str().unwrap(), "__Host-a=b; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax");
        assert!(super::set("__Host-a", "b\r\nx", Duration::ZERO).is_none());
    }

    #[test]
    fn a_cookie_is_read_once() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-s=x; __Host-sx=2"));
        assert_eq!(read(&headers, "__Host-s"), Ok(Some(&b"x"[..])));
        assert_eq!(read(&headers, "__host-s"), Ok(None));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-s=x"));
        assert_eq!(read(&headers, "__Host-s"), Err(Twice));
    }

    #[test]
    fn names_begin_with_the_prefix_that_browsers_know() {
        assert!(is_name("__Host-session"));
        for bad in
            ["session", "__Host-", "__host-a", "__Secure-a", "__Host-a b", "__Host-a=b", "__Host-\u{e9}"]
        {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
