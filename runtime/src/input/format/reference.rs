//! `uri`, `iri`, their references, and `uri-template`.

use std::sync::LazyLock;

use iri_string::types::{IriReferenceStr, IriStr, UriReferenceStr, UriStr};
use regex::Regex;

use super::super::{At, Violations};
use super::checked;

/// `uri`: RFC 3986 section 3, with a scheme.
pub fn uri(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(UriStr::new(text).is_ok(), "must be a URI", at, out);
}

/// `uri-reference`: RFC 3986 section 4.1, a URI or what is relative to one.
pub fn uri_reference(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(UriReferenceStr::new(text).is_ok(), "must be a URI reference", at, out);
}

/// `iri`: RFC 3987 section 2.2, with a scheme.
pub fn iri(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(IriStr::new(text).is_ok(), "must be an IRI", at, out);
}

/// `iri-reference`: RFC 3987 section 2.2, an IRI or what is relative to one.
pub fn iri_reference(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(IriReferenceStr::new(text).is_ok(), "must be an IRI reference", at, out);
}

/// `uri-template`: RFC 6570 section 2, of any level; operators that are reserved belong to none.
pub fn uri_template(text: &str, at: &At<'_>, out: &mut Violations) {
    let holds = TEMPLATE.as_ref().is_some_and(|template| template.is_match(text));
    checked(holds, "must be a URI template", at, out);
}

/// RFC 6570 section 2.1 to 2.4, in its order: `literals` (with the apostrophe of erratum 6937, and `ucschar` and `iprivate` of
/// section 1.5), `pct-encoded`, and `expression`.
static TEMPLATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const LITERAL: &str = r"\x21\x23-\x24\x26-\x3B\x3D\x3F-\x5B\x5D\x5F\x61-\x7A\x7E";
    const BEYOND: &str =
        r"[\x{A0}-\x{10FFFF}--[\x{FDD0}-\x{FDEF}\x{FFF0}-\x{FFFF}\x{E0000}-\x{E0FFF}\p{NChar}]]";
    const ENCODED: &str = "%[0-9A-Fa-f]{2}";
    let letter = format!("(?:[A-Za-z0-9_]|{ENCODED})");
    let variable = format!(r"{letter}(?:\.?{letter})*(?:\*|:[1-9][0-9]{{0,3}})?");
    let expression = format!(r"\{{[+\#./;?&]?{variable}(?:,{variable})*\}}");
    Regex::new(&format!(r"\A(?:[{LITERAL}]|{BEYOND}|{ENCODED}|{expression})*\z")).ok()
});

#[cfg(test)]
mod tests {
    use super::super::tests::holds;
    use super::*;

    #[test]
    fn uris_follow_rfc_3986() {
        for text in ["http://example.com/a?b=c#d", "urn:isbn:0451450523", "mailto:a@b.c", "ftp://[::1]/x%20y"]
        {
            assert!(holds(uri, text), "{text}");
        }
        for text in [
            "",
            "//example.com",
            "/a",
            "a b",
            "http://x/ a",
            "http://x/%zz",
            "http://x/ä",
            "1http://x",
            "http://[::1",
        ] {
            assert!(!holds(uri, text), "{text}");
        }
    }

    #[test]
    fn references_need_no_scheme() {
        for text in ["", "/abc", "//foo.bar/?baz=qux#quux", "abc", "#fragment", "?a=b", "http://x", "urn:a:b"]
        {
            assert!(holds(uri_reference, text) && holds(iri_reference, text), "{text}");
        }
        for text in ["\\\\WINDOWS\\share", "#frag\\ment", "a b", "http://x/%zz", "1:2"] {
            assert!(!holds(uri_reference, text) && !holds(iri_reference, text), "{text}");
        }
        assert!(
            !holds(uri_reference, "/ä") && holds(iri_reference, "/ä"),
            "letters beyond ASCII make an IRI"
        );
        assert!(!holds(uri, "http://ä.de/") && holds(iri, "http://ä.de/"));
        assert!(!holds(iri, "/ä") && !holds(iri, "http://ä b"));
    }

    #[test]
    fn templates_follow_rfc_6570() {
        for text in ["", "/a/{b}", "{+path,x:3}/{?q*,r}", "{a.b}", "{%41}", "a'b", "%20{x}", "ä€", "{x:9999}"]
        {
            assert!(holds(uri_template, text), "{text}");
        }
        for text in [
            "{",
            "}",
            "{}",
            "{a",
            "{a,}",
            "{=a}",
            "{|a}",
            "{a..b}",
            "{ä}",
            "{v:01}",
            "\u{85}",
            "{a:0}",
            "{a:10000}",
            "{a b}",
            "a b",
            "<",
            "%",
            "%a€",
            "{%a€}",
            "%4",
        ] {
            assert!(!holds(uri_template, text), "{text}");
        }
    }
}
