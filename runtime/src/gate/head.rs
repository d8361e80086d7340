//! What the head of a request must be, whatever it asks for: of one host, framed in one way, in fields as they are written.

use std::net::Ipv6Addr;

use http::header::{HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Uri, Version};

/// Whether a request says once, and nowhere otherwise, which host it is for, by a scheme that is served here. If not, those on its way may have taken it
/// for another request than we do, and it is refused (RFC 9112 section 3.2, RFC 9113 section 8.3.1).
pub(crate) fn names_one_host(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter().map(http::HeaderValue::as_bytes);
    let host = match (hosts.next(), hosts.next()) {
        (first, None) => first,
        (_, Some(_)) => return false,
    };
    let is_http = |scheme: &str| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !uri.scheme_str().is_none_or(is_http) {
        return false;
    }
    match (host, uri.authority()) {
        (Some(host), None) => is_host(host),
        (Some(host), Some(target)) => host.eq_ignore_ascii_case(target.as_str().as_bytes()) && is_host(host),
        (None, Some(target)) => version != Version::HTTP_11 && is_host(target.as_str().as_bytes()),
        (None, None) => version < Version::HTTP_11,
    }
}

/// `Host = uri-host [ ":" port ]` (RFC 9110 section 7.2), with a host that is not empty (section 4.2.1).
fn is_host(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let (known, port) = match text.strip_prefix('[').map(|literal| literal.split_once(']')) {
        Some(Some((address, port))) => (address.parse::<Ipv6Addr>().is_ok(), port),
        Some(None) => return false,
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (is_registered_name(name), port)
        }
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    known && (port.is_empty() || port.strip_prefix(':').is_some_and(digits))
}

/// `reg-name` (RFC 3986 section 3.2.2), which an IPv4 address is as well.
fn is_registered_name(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte);
    let mut pieces = name.split('%');
    let first = pieces.next().is_some_and(|piece| piece.bytes().all(|byte| plain(&byte)));
    let escaped = |piece: &str| {
        let digits = piece.as_bytes().split_first_chunk::<2>();
        digits
            .is_some_and(|(digits, rest)| digits.iter().all(u8::is_ascii_hexdigit) && rest.iter().all(plain))
    };
    !name.is_empty() && first && pieces.all(escaped)
}

/// Whether the host that a request is for is the server that its client meant in the handshake. If not, it stands on a
/// connection that was made for another (RFC 9110 section 15.5.20).
pub(super) fn is_meant(name: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = host.or_else(|| uri.authority().map(http::uri::Authority::as_str)) else {
        return true;
    };
    let port = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let host = port.map_or(authority, |(host, _)| host);
    host.trim_end_matches('.').eq_ignore_ascii_case(name.trim_end_matches('.'))
}

/// Whether a request that says a scheme came as that scheme has it: `https` over TLS, and what is not over TLS is no `https`
/// (RFC 9110 section 7.4; HTTP/2 always says one, HTTP/1 in a target of absolute form, RFC 9112 section 3.2.2).
pub(super) fn is_of_scheme(tls: bool, uri: &Uri) -> bool {
    let scheme = if tls { "https" } else { "http" };
    uri.scheme_str().is_none_or(|said| said.eq_ignore_ascii_case(scheme))
}

/// Whether the body comes plainly or in chunks. Other transfer codings (RFC 9112 section 7) are not undone, so their bytes
/// would be taken for something that they are not.
pub(super) fn knows_framing(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// Whether no value begins or ends with white space, which the fields of HTTP/2 must not (RFC 9113 section 8.2.1); HTTP/1 is
/// read without it.
pub(super) fn fields_are_trimmed(version: Version, headers: &HeaderMap) -> bool {
    let is_white = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let trimmed = |value: &[u8]| !is_white(value.first()) && !is_white(value.last());
    version < Version::HTTP_2 || headers.values().all(|value| trimmed(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_body_is_framed_in_one_way_that_we_know() {
        for (lines, known) in [
            (vec![], true),
            (vec![("transfer-encoding", "chunked")], true),
            (vec![("transfer-encoding", "Chunked")], true),
            (vec![("transfer-encoding", "gzip, chunked")], false),
            (vec![("transfer-encoding", "identity")], false),
            (vec![("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], false),
        ] {
            assert_eq!(knows_framing(&headers(&lines)), known, "{lines:?}");
        }
    }

    #[test]
    fn a_request_is_for_the_server_of_the_handshake() {
        let meant = |name, uri: &str, lines: &[_]| is_meant(name, &uri.parse().unwrap(), &headers(lines));
        for host in ["a.example", "A.example:8443", "a.example."] {
            assert!(meant("a.example", "/", &[("host", host)]), "{host}");
        }
        for host in ["b.example", "a.example.b", "a.example:x", "[::1]:80", ""] {
            assert!(!meant("a.example", "/", &[("host", host)]), "{host}");
        }
        assert!(meant("a.example", "https://a.example:8443/x", &[]));
        assert!(!meant("a.example", "https://b.example/x", &[]));
    }

    #[test]
    fn a_scheme_is_that_of_the_connection() {
        for (uri, plain, tls) in [
            ("/", true, true),
            ("http://a/", true, false),
            ("HTTP://a/", true, false),
            ("https://a/", false, true),
            ("HTTPS://a/", false, true),
        ] {
            let of = |tls| is_of_scheme(tls, &uri.parse().unwrap());
            assert_eq!((of(false), of(true)), (plain, tls), "{uri}");
        }
    }

    #[test]
    fn one_host_and_no_other() {
        let ok =
            |version, uri: &str, lines: &[_]| names_one_host(version, &uri.parse().unwrap(), &headers(lines));
        let (old, one, two) = (Version::HTTP_10, Version::HTTP_11, Version::HTTP_2);
        for host in ["a.example", "a.example:8080", "[::1]:80", "[::1]", "192.0.2.1", "a.example:", "a%2Db"] {
            assert!(ok(one, "/", &[("host", host)]), "{host}");
        }
        for host in [
            "", "a b", "a/b", "user@a", "a,b?", "[::1", "[", "[zz]", "a]b", "a:b", "a:80:80", "::", ":",
            ":80", "%", "%zz", "[::1]x", "a%2",
        ] {
            assert!(!ok(one, "/", &[("host", host)]), "{host}");
        }
        assert!(!ok(one, "/", &[]) && ok(old, "/", &[]) && !ok(two, "/", &[]));
        let mut twice = headers(&[("host", "a")]);
        twice.append(HOST, "a".parse().unwrap());
        assert!(!names_one_host(one, &Uri::from_static("/"), &twice));
        assert!(ok(one, "http://a/x", &[("host", "A")]) && !ok(one, "http://a/x", &[("host", "b")]));
        assert!(ok(one, "https://a/x", &[("host", "a")]) && !ok(one, "ftp://a/x", &[("host", "a")]));
        assert!(!ok(two, "urn://a/x", &[]));
        assert!(!ok(one, "http://a/x", &[]) && ok(two, "http://a/x", &[]) && !ok(two, "http://u@a/x", &[]));
    }

    #[test]
    fn fields_of_http_2_stand_alone() {
        let trimmed = |version, value: &str| fields_are_trimmed(version, &headers(&[("x-note", value)]));
        for value in ["a", "a b", "", "\u{e9}"] {
            assert!(trimmed(Version::HTTP_2, value), "{value:?}");
        }
        for value in [" a", "a ", "\ta", "a\t", " "] {
            assert!(!trimmed(Version::HTTP_2, value) && trimmed(Version::HTTP_11, value), "{value:?}");
        }
    }
}
