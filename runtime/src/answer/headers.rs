//! The headers that every answer carries, whatever made it (OWASP REST Security Cheat Sheet).

use std::sync::LazyLock;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SERVER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Answers may hold what only their caller is to see, so nothing keeps them unless an operation says otherwise.
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
static NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
static DENY: HeaderValue = HeaderValue::from_static("DENY");
/// An answer of an API is data: shown as a page, it loads nothing and is framed nowhere.
static NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
static NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
static SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
/// Two years. Subdomains are for their owner to decide.
static TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");
static ALL_OFF: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), \
     gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(), usb=(), web-share=(), xr-spatial-tracking=()",
);

/// What no handler sets: the headers above but `Cache-Control`, and those that tell what the server is made of.
static FIXED: [HeaderName; 9] = [
    X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
    CONTENT_SECURITY_POLICY,
    REFERRER_POLICY,
    HeaderName::from_static("permissions-policy"),
    HeaderName::from_static("cross-origin-resource-policy"),
    STRICT_TRANSPORT_SECURITY,
    SERVER,
    HeaderName::from_static("x-powered-by"),
];

static PLAIN: LazyLock<HeaderMap> = LazyLock::new(|| ours(false));
static TLS: LazyLock<HeaderMap> = LazyLock::new(|| ours(true));

fn ours(over_tls: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(24); // so that a copy has room for what an answer adds
    headers.insert(CACHE_CONTROL, NO_STORE.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF.clone());
    headers.insert(X_FRAME_OPTIONS, DENY.clone());
    headers.insert(CONTENT_SECURITY_POLICY, NOTHING.clone());
    headers.insert(REFERRER_POLICY, NO_REFERRER.clone());
    headers.insert("permissions-policy", ALL_OFF.clone());
    headers.insert("cross-origin-resource-policy", SAME_ORIGIN.clone());
    if over_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS.clone());
    }
    headers
}

/// Sets the security headers, over whatever was there; only `Cache-Control` may have been decided before.
///
/// `over_tls`: whether the client came over TLS, to us or to a trusted proxy. HSTS is for such answers only
/// (RFC 6797 section 7.2). It copies a prepared map and moves the headers of the answer into it: as long as those are few,
/// that is cheaper than the other way round.
pub(crate) fn secure(headers: &mut HeaderMap, over_tls: bool) {
    let ours = if over_tls { &*TLS } else { &*PLAIN };
    let given = std::mem::replace(headers, ours.clone());
    let mut last: Option<HeaderName> = None;
    for (name, value) in given {
        // A value without a name is one more of the name before it.
        let more = name.is_none();
        let Some(name) = name.or(last) else { return };
        match FIXED.contains(&name) {
            true => {}
            false if more => _ = headers.append(&name, value),
            false => _ = headers.insert(&name, value),
        }
        last = Some(name);
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
