//! The JOSE header of a token (RFC 7515 section 4): what it may say, and what makes the token refused.

use std::borrow::Cow;

use serde::de::MapAccess;

use super::{
    algorithm,
    json::{self, Members, Why, text},
};
use crate::{authn::Reason, operation::Algorithm};

/// `kid` is an opaque name in a map; a longer one names nothing of ours.
const MAX_KID: usize = 256;

/// What a verifier needs of the header.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) alg: Algorithm,
    pub(crate) kid: Option<Cow<'a, str>>,
    pub(crate) typ: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    /// Reads the decoded header.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Reason> {
        let Written { alg, kid, typ } = json::object(bytes)?;
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(Reason::UnknownKid);
        }
        let alg = alg.as_deref().and_then(algorithm::from_name).ok_or(Reason::AlgorithmNotAllowed)?;
        Ok(Self { alg, kid, typ })
    }

    /// Whether `typ` is `wanted`, letter case and the `application/` that RFC 7515 section 4.1.9 lets one omit aside.
    pub(crate) fn is_typed(&self, wanted: &str) -> bool {
        self.typ.as_deref().is_some_and(|typ| is_type(typ, wanted))
    }
}

/// Whether both are one media type, as `typ` writes them.
pub(crate) fn is_type(typ: &str, wanted: &str) -> bool {
    short(typ).eq_ignore_ascii_case(short(wanted))
}

fn short(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((head, tail)) if head.eq_ignore_ascii_case("application/") && !tail.contains('/') => tail,
        _ => typ,
    }
}

#[derive(Default)]
struct Written<'a> {
    alg: Option<Cow<'a, str>>,
    kid: Option<Cow<'a, str>>,
    typ: Option<Cow<'a, str>>,
}

impl<'de> Members<'de> for Written<'de> {
    const WHAT: &'static str = "a JOSE header";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
        why: &Why,
    ) -> Result<bool, A::Error> {
        match name {
            "alg" => text(&mut self.alg, members, why)?,
            "kid" => text(&mut self.kid, members, why)?,
            "typ" => text(&mut self.typ, members, why)?,
            // RFC 8725 section 3.10: a token does not bring its own key, and we fetch none for it
            "jwk" | "jku" | "x5u" | "x5c" => return Err(why.fail(Reason::EmbeddedKey)),
            // RFC 7515 section 4.1.11: we understand no extension, so none may be critical. `b64` changes
            // what is signed (RFC 7797); `enc` and `zip` belong to encryption (RFC 7516); `cty` nests
            // (RFC 7519 section 5.2).
            "crit" | "b64" | "zip" | "enc" | "epk" | "cty" => {
                return Err(why.fail(Reason::UnsupportedHeader));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Header<'_>, Reason> {
        Header::parse(text.as_bytes())
    }

    #[test]
    fn a_plain_header_is_read_and_unknown_members_are_passed_over() {
        let header =
            parse(r#"{"typ":"at+jwt","alg":"ES256","kid":"k1","x5t":"abc","extra":{"a":[1]}}"#).unwrap();
        assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::ES256, Some("k1")));
        assert!(header.is_typed("at+jwt"));
    }

    #[test]
    fn typ_is_compared_without_case_and_prefix() {
        let typed =
            |typ: &str| parse(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#)).unwrap().is_typed("at+jwt");
        assert!(
            typed("at+jwt") && typed("AT+JWT") && typed("application/at+jwt") && typed("APPLICATION/at+JWT")
        );
        for other in ["JWT", "dpop+jwt", "", "at+jwt ", "application/application/at+jwt", "text/at+jwt"] {
            assert!(!typed(other), "{other}");
        }
        assert!(!parse(r#"{"alg":"ES256"}"#).unwrap().is_typed("at+jwt"));
    }

    #[test]
    fn what_makes_a_header_refused_says_why() {
        for (text, reason) in [
            (r#"{"alg":"none"}"#, Reason::AlgorithmNotAllowed),
            (r#"{}"#, Reason::AlgorithmNotAllowed),
            (r#"{"alg":null}"#, Reason::Malformed),
            (r#"{"alg":["ES256"]}"#, Reason::Malformed),
            (r#"{"alg":"none","alg":"ES256"}"#, Reason::DuplicateMember),
            (r#"{"alg":"ES256","kid":"a","kid":"a"}"#, Reason::DuplicateMember),
            (r#"{"alg":"ES256","x":{"a":1,"a":1}}"#, Reason::DuplicateMember),
            (r#"{"alg":"ES256","x":1,"x":1}"#, Reason::DuplicateMember),
            (r#"{"alg":"ES256","kid":7}"#, Reason::Malformed),
            (r#"{"alg":"ES256","kid":null}"#, Reason::Malformed),
            (r#"{"alg":"ES256","typ":null}"#, Reason::Malformed),
            (r#"{"alg":"ES256","crit":[]}"#, Reason::UnsupportedHeader),
            (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, Reason::UnsupportedHeader),
            (r#"{"alg":"ES256","b64":false}"#, Reason::UnsupportedHeader),
            (r#"{"alg":"ES256","zip":"DEF"}"#, Reason::UnsupportedHeader),
            (r#"{"alg":"ES256","cty":"JWT"}"#, Reason::UnsupportedHeader),
            (r#"{"alg":"ES256","jwk":{}}"#, Reason::EmbeddedKey),
            (r#"{"alg":"ES256","jku":"https://x"}"#, Reason::EmbeddedKey),
            (r#"{"alg":"ES256","x5u":"https://x"}"#, Reason::EmbeddedKey),
            (r#"{"alg":"ES256","x5c":[]}"#, Reason::EmbeddedKey),
            (r#"["ES256"]"#, Reason::Malformed),
            (r#"{"alg":"ES256",}"#, Reason::Malformed),
            (r#"{"alg":"ES256"} "x""#, Reason::Malformed),
            ("", Reason::Malformed),
        ] {
            assert_eq!(parse(text).unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn a_kid_has_a_length() {
        let kid = |n: usize| parse(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(n))).map(|_| ());
        assert_eq!((kid(256), kid(257)), (Ok(()), Err(Reason::UnknownKid)));
    }
}
