//! The address under which clients know this server: configured, never taken from `Host`.
//!
//! Rules:
//! 1. it is an origin (RFC 6454): `https`, a host, a port where it is not 443; `http` for loopback hosts only;
//! 2. URIs are compared after the normalisation of RFC 3986: letters of scheme and host, escapes and dot segments
//!    (section 6.2.2), default ports and empty paths (section 6.2.3); query and fragment are left out;
//! 3. the path of a request keeps its dot segments, which no normal URI has: what a router might read in another way is
//!    nobody's equal.

use iri_string::{format::ToDedicatedString, types::UriStr};

/// An origin in its normal form, such as `https://api.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicOrigin(Box<str>);

impl PublicOrigin {
    /// `None` where it is no origin by rule 1.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri = UriStr::new(text).ok()?;
        let authority = uri.authority_components()?;
        if !uri.path_str().is_empty() || uri.query_str().is_some() || uri.fragment().is_some() {
            return None;
        }
        let secure = uri.scheme_str().eq_ignore_ascii_case("https");
        let local = uri.scheme_str().eq_ignore_ascii_case("http") && is_loopback(authority.host());
        if !secure && !local {
            return None;
        }
        let normal = normal(text)?;
        Some(Self(normal.strip_suffix('/')?.into()))
    }

    #[cfg_attr(not(feature = "login"), allow(dead_code, reason = "sessions need the feature"))]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The normal form of the URI of a request for `path`, without its query.
    pub(crate) fn target(&self, path: &str) -> String {
        [&*self.0, &*with_normal_escapes(path)].concat()
    }
}

/// Whether `uri` means `target`, which [`PublicOrigin::target`] made (rules 2 and 3).
pub(crate) fn is_target(uri: &str, target: &str) -> bool {
    // most clients write the normal form: no need to make it where nothing could be read in another way
    (uri == target && is_normal(target)) || normal(uri).as_deref() == Some(target)
}

/// Whether a URI below an origin in its normal form surely is in its own: its path has only letters that are written in one
/// way, and no dot segments.
fn is_normal(target: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let path = target.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    path.is_some_and(|(_, path)| {
        path.split('/').all(|segment| !segment.starts_with('.') && segment.bytes().all(is_plain))
    })
}

/// The normal form of an absolute `http` or `https` URI without query and fragment; `None` where it is none.
pub(crate) fn normal(uri: &str) -> Option<String> {
    let uri = UriStr::new(uri).ok()?.normalize().to_dedicated_string();
    let authority = uri.authority_components()?;
    let host = authority.host();
    if authority.userinfo().is_some() || host.is_empty() || host.contains('%') {
        return None;
    }
    let (scheme, default) = match uri.scheme_str() {
        "https" => ("https", "443"),
        "http" => ("http", "80"),
        _ => return None,
    };
    let port = match authority.port() {
        None | Some("") => String::new(),
        Some(port) if port == default => String::new(),
        Some(port) => format!(":{port}"),
    };
    let path = if uri.path_str().is_empty() { "/" } else { uri.path_str() };
    Some(format!("{scheme}://{}{port}{}", host.to_ascii_lowercase(), with_normal_escapes(path)))
}

/// Whether an absolute `http` URI leads to this machine.
pub(crate) fn is_local(uri: &str) -> bool {
    let uri = UriStr::new(uri).ok().filter(|uri| uri.scheme_str().eq_ignore_ascii_case("http"));
    uri.and_then(|uri| uri.authority_components()).is_some_and(|authority| is_loopback(authority.host()))
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// RFC 3986 sections 6.2.2.1 and 6.2.2.2: escapes in capitals, and none for what needs none.
fn with_normal_escapes(path: &str) -> String {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let escaped = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                normal.push(char::from(byte));
            }
            Some(byte) => normal.push_str(&format!("%{byte:02X}")),
            None => normal.push('%'),
        }
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    normal.push_str(rest);
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_https_or_on_this_machine_and_nothing_more() {
        let normal = |text| PublicOrigin::parse(text).map(|origin| origin.0.into_string());
        for (text, wanted) in [
            ("https://api.example.com", "https://api.example.com"),
            ("HTTPS://API.Example.com:443", "https://api.example.com"),
            ("https://api.example.com:8443", "https://api.example.com:8443"),
            ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(normal(text).as_deref(), Some(wanted), "{text}");
        }
        for none in [
            "",
            "api.example.com",
            "//api.example.com",
            "http://api.example.com",
            "http://localhost.example.com",
            "ftp://localhost",
            "https://",
            "https://api.example.com/",
            "https://api.example.com/v1",
            "https://api.example.com?a",
            "https://api.example.com#a",
            "https://me@api.example.com",
            "https://api.example.com:x",
        ] {
            assert_eq!(normal(none), None, "{none}");
        }
    }

    /// What is not looked at closely is what would be its own normal form.
    #[test]
    fn a_target_is_itself_where_it_is_its_own_normal_form() {
        let plain = ["/", "/a", "/a/", "//a", "/a//b", "/a.b/c", "/~a-b_c/0", "/a..b/c."];
        let own = ["/a:b", "/a@b", "/a!b", "/a%2Fb", "/.a", "/a/..b", "/a;b=c"];
        let none = [
            "", "*", "/.", "/..", "/./a", "/../a", "/a/.", "/a/..", "/a/../b", "/a|b", "/a\"b", "/%", "/%zz",
        ];
        for origin in ["https://api.example.com", "http://127.0.0.1:8080", "https://[2001:db8::1]"] {
            let origin = PublicOrigin::parse(origin).unwrap();
            for (paths, is_own, is_short) in
                [(&plain[..], true, true), (&own, true, false), (&none, false, false)]
            {
                for target in paths.iter().map(|path| origin.target(path)) {
                    assert_eq!(normal(&target).as_ref() == Some(&target), is_own, "{target}");
                    assert_eq!(is_target(&target, &target), is_own, "{target}");
                    assert_eq!(is_normal(&target), is_short, "{target}");
                }
            }
        }
    }

    #[test]
    fn uris_that_are_one_by_rfc_3986_are_equal() {
        let origin = PublicOrigin::parse("https://api.example.com").unwrap();
        let target = origin.target("/a~b/c%2Fd%C3%A9");
        for same in [
            "https://api.example.com/a~b/c%2Fd%C3%A9",
            "HTTPS://API.EXAMPLE.COM/a~b/c%2Fd%C3%A9",
            "https://api.example.com:443/a~b/c%2Fd%C3%A9",
            "https://api.example.com:/a~b/c%2Fd%C3%A9",
            "https://api.example.com/a%7Eb/c%2fd%c3%a9",
            "https://api.example.com/x/../a~b/./c%2Fd%C3%A9",
            "https://api.example.com/a~b/c%2Fd%C3%A9?query#fragment",
        ] {
            assert_eq!(normal(same).as_deref(), Some(&*target), "{same}");
        }
        for other in [
            "https://api.example.com/a~b/c/d%C3%A9",
            "https://api.example.com/A~b/c%2Fd%C3%A9",
            "https://api.example.com/a~b/c%2Fd%C3%A9/",
            "https://api.example.com:8443/a~b/c%2Fd%C3%A9",
            "https://me@api.example.com/a~b/c%2Fd%C3%A9",
            "http://api.example.com/a~b/c%2Fd%C3%A9",
            "https://other.example.com/a~b/c%2Fd%C3%A9",
            "/a~b/c%2Fd%C3%A9",
            "https:/a~b/c%2Fd%C3%A9",
        ] {
            assert_ne!(normal(other).as_deref(), Some(&*target), "{other}");
        }
        assert_eq!(normal("https://api.example.com"), Some(origin.target("/")));
    }

    #[test]
    fn a_request_with_dot_segments_is_nobodys_equal() {
        let origin = PublicOrigin::parse("https://api.example.com").unwrap();
        for path in ["/a/../b", "/a/%2e%2e/b", "/a/%2E./b", "/./b"] {
            let same = normal(&format!("https://api.example.com{path}"));
            assert_eq!(same.as_deref(), Some(&*origin.target("/b")), "{path}");
            assert_ne!(same, Some(origin.target(path)), "{path}");
        }
    }

    #[test]
    fn a_broken_escape_stays_as_it_is() {
        for path in ["/%", "/%4", "/%zz", "/%+1", "/%é"] {
            assert_eq!(with_normal_escapes(path), path);
        }
        assert_eq!(with_normal_escapes("/%41%2d%3f%zz%5"), "/A-%3F%zz%5");
    }
}
