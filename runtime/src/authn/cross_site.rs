//! Whether a request that a browser sends with its cookies was made by our own site (CSRF).
//!
//! Rules ([`judge`]), of every credential that stands in a cookie, before anything else of it is looked at:
//! 1. methods without effects (RFC 9110 section 9.2.1) pass: `GET`, `HEAD`, `OPTIONS`, `TRACE`;
//! 2. any other needs a witness. `Sec-Fetch-Site` (Fetch Metadata section 2.4), which no script sets, decides where it is there:
//!    `same-origin`, or `none`, for what the user began. A sibling domain (`same-site`) is another site here;
//! 3. an `Origin` beside it (RFC 6454 section 7) is ours or `null`, which browsers send for pages without a referrer;
//! 4. without `Sec-Fetch-Site` there is one `Origin`, and it is ours, letter by letter. Ours is configured, never `Host`; where
//!    it is not, `Sec-Fetch-Site` alone witnesses;
//! 5. with neither nobody knows, and with either twice nobody knows which counts: refused.

use http::{HeaderMap, Method, header};

use crate::origin::PublicOrigin;

/// Another site may have made the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrossSite;

/// Decides by the rules above. `ours` is the origin of our own pages.
pub(crate) fn judge(
    method: &Method,
    headers: &HeaderMap,
    ours: Option<&PublicOrigin>,
) -> Result<(), CrossSite> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE) {
        return Ok(());
    }
    let is_ours = |origin: &[u8]| ours.is_some_and(|ours| ours.as_str().as_bytes() == origin);
    match (only(headers, "sec-fetch-site")?, only(headers, header::ORIGIN.as_str())?) {
        (Some(b"same-origin" | b"none"), None | Some(b"null")) => Ok(()),
        (Some(b"same-origin" | b"none"), Some(_)) if ours.is_none() => Ok(()),
        (Some(b"same-origin" | b"none") | None, Some(origin)) if is_ours(origin) => Ok(()),
        _ => Err(CrossSite),
    }
}

fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h [u8]>, CrossSite> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(CrossSite) } else { Ok(first.map(|value| value.as_bytes())) }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn passes(method: &Method, sent: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        judge(method, &headers, PublicOrigin::parse("https://app.example.com").as_ref()).is_ok()
    }

    #[test]
    fn without_an_origin_of_ours_only_the_browser_witnesses() {
        let passes = |sent: &[(&'static str, &'static str)]| {
            let headers = sent
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            judge(&Method::POST, &headers.collect(), None).is_ok()
        };
        assert!(passes(&[(SITE, "same-origin"), ("origin", OURS)]) && passes(&[(SITE, "same-origin")]));
        for bad in
            [&[("origin", OURS)][..], &[(SITE, "cross-site"), ("origin", OURS)], &[("origin", "null")], &[]]
        {
            assert!(!passes(bad), "{bad:?}");
        }
    }

    const SITE: &str = "sec-fetch-site";
    const OURS: &str = "https://app.example.com";

    #[test]
    fn what_has_no_effect_needs_no_witness() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert!(passes(&method, &[]), "{method}");
            assert!(passes(&method, &[(SITE, "cross-site"), ("origin", "https://evil.example")]), "{method}");
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!passes(&method, &[]), "{method}");
        }
        assert!(!passes(&Method::from_bytes(b"QUERY").unwrap(), &[]));
        assert!(!passes(&Method::from_bytes(b"get").unwrap(), &[]));
    }

    #[test]
    fn our_own_site_passes() {
        for good in [
            &[(SITE, "same-origin")][..],
            &[(SITE, "none")],
            &[(SITE, "same-origin"), ("origin", OURS)],
            &[(SITE, "same-origin"), ("origin", "null")],
            &[("origin", OURS)],
        ] {
            assert!(passes(&Method::POST, good), "{good:?}");
        }
    }

    #[test]
    fn no_other_site_passes() {
        for bad in [
            &[(SITE, "cross-site")][..],
            &[(SITE, "same-site")],
            &[(SITE, "cross-site"), ("origin", OURS)],
            &[(SITE, "same-site"), ("origin", OURS)],
            &[(SITE, "same-origin"), ("origin", "https://evil.example")],
            &[(SITE, "none"), ("origin", "https://evil.example")],
            &[(SITE, "same-origin"), (SITE, "same-origin")],
            &[(SITE, "Same-Origin")],
            &[(SITE, "")],
            &[("origin", "null")],
            &[("origin", "https://app.example.com.evil.example")],
            &[("origin", "https://evil.app.example.com")],
            &[("origin", "http://app.example.com")],
            &[("origin", "https://app.example.com:8443")],
            &[("origin", "https://app.example.com/")],
            &[("origin", OURS), ("origin", OURS)],
            &[("origin", OURS), ("origin", "https://evil.example")],
            &[("referer", "https://app.example.com/")],
        ] {
            assert!(!passes(&Method::POST, bad), "{bad:?}");
        }
    }
}
