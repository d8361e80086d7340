//! The headers that every answer carries, whatever made it (OWASP REST Security Cheat Sheet).

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SERVER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Answers may hold what only their caller is to see, so nothing keeps them unless an operation says otherwise.
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Two years. Subdomains are for their owner to decide.
static TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");
const ALL_OFF: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), \
     gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(), usb=(), web-share=(), xr-spatial-tracking=()";

/// What no handler sets.
static FIXED: [(HeaderName, HeaderValue); 6] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // An answer of an API is data: shown as a page, it loads nothing and is framed nowhere.
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(ALL_OFF)),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// They tell what the server is made of.
static TELLTALE: [HeaderName; 2] = [SERVER, HeaderName::from_static("x-powered-by")];

/// Room for the headers here, for those of the gate, and for a few of the operation's own.
pub(crate) const ROOM: usize = 20;

/// Sets the security headers, over whatever was there; only `Cache-Control` may have been decided before.
///
/// `over_tls`: whether the client came over TLS, to us or to a trusted proxy. HSTS is for such answers only
/// (RFC 6797 section 7.2).
pub(crate) fn secure(headers: &mut HeaderMap, over_tls: bool) {
    headers.reserve(ROOM.saturating_sub(headers.len()));
    headers.entry(CACHE_CONTROL).or_insert_with(|| NO_STORE.clone());
    for (name, value) in &FIXED {
        headers.insert(name, value.clone());
    }
    match over_tls {
        true => _ = headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS.clone()),
        false => _ = headers.remove(STRICT_TRANSPORT_SECURITY),
    }
    for name in &TELLTALE {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[test]
    fn every_header_is_there() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, false);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(text(&headers, name), Some(value));
        }
        let permissions = text(&headers, "permissions-policy").unwrap();
        assert!(permissions.split(", ").all(|one| one.ends_with("=()")), "{permissions}");
    }

    #[test]
    fn hsts_only_over_tls() {
        let mut given = HeaderMap::new();
        given.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=1"));
        let (mut plain, mut tls) = (given.clone(), given);
        secure(&mut plain, false);
        secure(&mut tls, true);
        assert_eq!(text(&plain, "strict-transport-security"), None);
        assert_eq!(text(&tls, "strict-transport-security"), Some("max-age=63072000"));
    }

    #[test]
    fn a_handler_loosens_only_caching_and_never_names_the_server() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("cache-control", "max-age=60"),
            ("x-frame-options", "ALLOWALL"),
            ("server", "bank/1.0"),
            ("x-powered-by", "palisade"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.append("link", HeaderValue::from_static("<a>"));
        headers.append("link", HeaderValue::from_static("<b>"));
        headers.append(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        secure(&mut headers, false);
        assert_eq!(text(&headers, "cache-control"), Some("max-age=60"));
        assert_eq!(headers.get_all("x-frame-options").iter().collect::<Vec<_>>(), ["DENY"]);
        assert_eq!(headers.get_all("link").iter().collect::<Vec<_>>(), ["<a>", "<b>"]);
        assert_eq!((text(&headers, "server"), text(&headers, "x-powered-by")), (None, None));
    }
}
