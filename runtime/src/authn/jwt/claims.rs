//! The claims of a token (RFC 7519 section 4), read in one pass and judged.
//!
//! Rules, in this order; each refuses the token:
//! 1. the payload is one JSON object, no member twice at any level, known claims of their own types;
//! 2. `iss` is one string, equal to the issuer code point by code point;
//! 3. `aud` is a string or an array of strings and contains the audience, case-sensitively (RFC 8725 section 3.9);
//! 4. `exp` is there and `now < exp + leeway` (RFC 7519 section 4.1.4: on or after refuses);
//! 5. `nbf`, if there, is not after `now + leeway`; `iat`, if there, neither, and not longer ago than accepted;
//! 6. an access token (RFC 9068 section 2.2) also has `sub`, `client_id`, `iat` and `jti`; any token has `sub`;
//! 7. a token that is not typed as an access token must not look like an ID token;
//! 8. a token bound to a key (`cnf`) is refused: nobody has shown possession of that key here.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::json::{self, Names, Skip, Text, Why};
use crate::authn::Reason;

/// What a scheme asks of the claims.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) leeway: f64,
    pub(crate) max_lifetime: Option<f64>,
    pub(crate) scopes_claim: &'a [&'a str],
    /// The token is typed as an access token of RFC 9068.
    pub(crate) access_token: bool,
}

/// What is kept of claims that were accepted.
#[derive(Debug)]
pub(crate) struct Accepted<'a> {
    pub(crate) subject: Cow<'a, str>,
    pub(crate) scopes: Cow<'a, str>,
    pub(crate) client: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) expires: f64,
}

/// Reads the decoded payload and judges it at `now` (seconds since 1970).
///
/// Called only after the signature has verified: nothing is parsed that nobody signed.
pub(crate) fn judge<'a>(
    payload: &'a [u8],
    expected: &Expected<'_>,
    now: f64,
) -> Result<Accepted<'a>, Reason> {
    let why = Why::default();
    let claims = json::parse(payload, Reader { expected, why: &why }, &why)?;
    match claims.issuer_is_ours {
        Some(true) => {}
        Some(false) => return Err(Reason::WrongIssuer),
        None => return Err(Reason::MissingClaim),
    }
    match claims.audience_is_ours {
        Some(true) => {}
        Some(false) => return Err(Reason::WrongAudience),
        None => return Err(Reason::MissingClaim),
    }
    let expires = judge_times(&claims, expected, now)?;
    if claims.id_token && !expected.access_token {
        return Err(Reason::IdToken);
    }
    if claims.bound {
        return Err(Reason::BindingNotShown);
    }
    if expected.access_token && (claims.client.is_none() || claims.id.is_none() || claims.iat.is_none()) {
        return Err(Reason::MissingClaim);
    }
    let subject = claims.sub.filter(|sub| !sub.is_empty()).ok_or(Reason::MissingClaim)?;
    let scopes = claims.scopes.unwrap_or_default();
    Ok(Accepted { subject, scopes, client: claims.client, id: claims.id, expires })
}

fn judge_times(claims: &Claims<'_>, expected: &Expected<'_>, now: f64) -> Result<f64, Reason> {
    let expires = claims.exp.ok_or(Reason::MissingClaim)?;
    if now >= expires + expected.leeway {
        return Err(Reason::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + expected.leeway) {
        return Err(Reason::NotYetValid);
    }
    if claims.iat.is_some_and(|iat| iat > now + expected.leeway) {
        return Err(Reason::IssuedInFuture);
    }
    if let Some(longest) = expected.max_lifetime {
        // without `iat` nobody knows how old it is
        let issued = claims.iat.ok_or(Reason::MissingClaim)?;
        if now - issued > longest {
            return Err(Reason::TooOld);
        }
    }
    Ok(expires)
}

#[derive(Default)]
struct Claims<'a> {
    issuer_is_ours: Option<bool>,
    audience_is_ours: Option<bool>,
    sub: Option<Cow<'a, str>>,
    client: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    scopes: Option<Cow<'a, str>>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    id_token: bool,
    bound: bool,
}

struct Reader<'a> {
    expected: &'a Expected<'a>,
    why: &'a Why,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Claims<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Claims<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claims set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let why = self.why;
        let mut claims = Claims::default();
        let mut others = Names::default();
        while let Some(Text(name)) = members.next_key()? {
            match &*name {
                "iss" => {
                    let ours = members.next_value::<Text<'de>>()?.0 == self.expected.issuer;
                    once(&mut claims.issuer_is_ours, ours, why)?;
                }
                "aud" => {
                    let ours = members.next_value_seed(Contains(self.expected.audience))?;
                    once(&mut claims.audience_is_ours, ours, why)?;
                }
                "exp" => once(&mut claims.exp, members.next_value_seed(Time)?, why)?,
                "nbf" => once(&mut claims.nbf, members.next_value_seed(Time)?, why)?,
                "iat" => once(&mut claims.iat, members.next_value_seed(Time)?, why)?,
                "sub" => once(&mut claims.sub, members.next_value::<Text<'de>>()?.0, why)?,
                "jti" => once(&mut claims.id, members.next_value::<Text<'de>>()?.0, why)?,
                "client_id" => once(&mut claims.client, members.next_value::<Text<'de>>()?.0, why)?,
                other => {
                    claims.id_token |= matches!(other, "nonce" | "at_hash");
                    // RFC 7800: the token is good only in the hands of who holds this key
                    claims.bound |= other == "cnf";
                    let path = match self.expected.scopes_claim {
                        [first, rest @ ..] if *first == other => Some(rest),
                        _ => None,
                    };
                    if !others.add(name) {
                        return Err(why.fail(Reason::DuplicateMember));
                    }
                    match path {
                        Some(rest) => claims.scopes = members.next_value_seed(Scopes { path: rest, why })?,
                        None => members.next_value_seed(Skip(why))?,
                    }
                }
            }
        }
        Ok(claims)
    }
}

fn once<T, E: Error>(slot: &mut Option<T>, value: T, why: &Why) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(why.fail(Reason::DuplicateMember)),
    }
}

/// A NumericDate (RFC 7519 section 2): a finite number, never a string.
struct Time;

impl<'de> DeserializeSeed<'de> for Time {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Time {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<f64, E> {
        Ok(seconds as f64)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<f64, E> {
        Ok(seconds as f64)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<f64, E> {
        if seconds.is_finite() { Ok(seconds) } else { Err(E::custom("not finite")) }
    }
}

/// Whether a string is the text, or an array of strings contains it (RFC 7519 section 4.1.3).
struct Contains<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Contains<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Contains<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        Ok(text == self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Text(item)) = items.next_element()? {
            found |= item == self.0;
        }
        Ok(found)
    }
}

/// The scopes at the end of `path`: one string of words, or an array of words (then kept joined by spaces).
///
/// A wrong type refuses the token: it must not read as "no scopes", which somebody may take for "any".
struct Scopes<'a> {
    path: &'a [&'a str],
    why: &'a Why,
}

impl<'de> DeserializeSeed<'de> for Scopes<'_> {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.path.is_empty() {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_map(self)
        }
    }
}

impl<'de> Visitor<'de> for Scopes<'_> {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scopes")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut joined = String::new();
        while let Some(Text(scope)) = items.next_element()? {
            // joined by spaces, "a b" would turn into two rights that nobody granted
            if scope.is_empty() || scope.contains(' ') {
                return Err(self.why.fail(Reason::Malformed));
            }
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(&scope);
        }
        Ok(Some(Cow::Owned(joined)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let [wanted, rest @ ..] = self.path else {
            return Err(self.why.fail(Reason::Malformed));
        };
        let mut found = None;
        let mut names = Names::default();
        while let Some(Text(name)) = members.next_key()? {
            let is_wanted = name == *wanted;
            if !names.add(name) {
                return Err(self.why.fail(Reason::DuplicateMember));
            }
            if is_wanted {
                found = members.next_value_seed(Scopes { path: rest, why: self.why })?;
            } else {
                members.next_value_seed(Skip(self.why))?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_800_000_000.0;

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://id.example.com",
            audience: "bank-api",
            leeway: 30.0,
            max_lifetime: Some(3600.0),
            scopes_claim: &["scope"],
            access_token: true,
        }
    }

    /// The good claims with some members replaced; a value of "" takes the member out.
    fn claims(changes: &[(&str, &str)]) -> String {
        let mut members = vec![
            ("iss", r#""https://id.example.com""#),
            ("aud", r#""bank-api""#),
            ("sub", r#""alice""#),
            ("client_id", r#""app""#),
            ("jti", r#""t1""#),
            ("scope", r#""a b""#),
            ("iat", "1799999990"),
            ("exp", "1800000600"),
        ];
        for (name, value) in changes {
            members.retain(|(known, _)| known != name);
            if !value.is_empty() {
                members.push((name, value));
            }
        }
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    fn outcome(changes: &[(&str, &str)]) -> Result<String, Reason> {
        judge(claims(changes).as_bytes(), &expected(), NOW).map(|accepted| accepted.scopes.into_owned())
    }

    #[test]
    fn good_claims_are_accepted() {
        let text = claims(&[]);
        let accepted = judge(text.as_bytes(), &expected(), NOW).unwrap();
        assert_eq!(
            (&*accepted.subject, &*accepted.scopes, accepted.client.as_deref()),
            ("alice", "a b", Some("app"))
        );
        assert_eq!(accepted.expires, 1_800_000_600.0);
        assert!(outcome(&[("aud", r#"["x","bank-api"]"#), ("other", r#"{"a":[1,{"b":null}]}"#)]).is_ok());
    }

    #[test]
    fn times_are_judged_to_the_second() {
        for (change, wanted) in [
            // expired on or after, with the leeway of 30 s
            (("exp", "1799999971"), Ok(())),
            (("exp", "1799999970"), Err(Reason::Expired)),
            (("exp", "1799999970.5"), Ok(())),
            (("exp", "0"), Err(Reason::Expired)),
            (("exp", "-9223372036854775808"), Err(Reason::Expired)),
            (("exp", "1e308"), Ok(())),
            (("exp", "18446744073709551616"), Ok(())),
            (("exp", ""), Err(Reason::MissingClaim)),
            (("nbf", "1800000030"), Ok(())),
            (("nbf", "1800000031"), Err(Reason::NotYetValid)),
            (("nbf", "9223372036854775808"), Err(Reason::NotYetValid)),
            (("iat", "1800000030"), Ok(())),
            (("iat", "1800000031"), Err(Reason::IssuedInFuture)),
            (("iat", "1799996400"), Ok(())),
            (("iat", "1799996399"), Err(Reason::TooOld)),
        ] {
            assert_eq!(outcome(&[change]).map(|_| ()), wanted, "{change:?}");
        }
    }

    #[test]
    fn a_time_is_a_number_and_nothing_else() {
        for name in ["exp", "nbf", "iat"] {
            for bad in
                ["\"1800000600\"", "null", "true", "[1800000600]", "{}", "NaN", "01", "-1e400", "1e400"]
            {
                assert_eq!(outcome(&[(name, bad)]), Err(Reason::Malformed), "{name} {bad}");
            }
        }
    }

    #[test]
    fn the_issuer_is_one_string_and_exact() {
        for (iss, reason) in [
            (r#""https://id.example.com/""#, Reason::WrongIssuer),
            (r#""https://ID.example.com""#, Reason::WrongIssuer),
            (r#""https://id.example.com ""#, Reason::WrongIssuer),
            (r#""https://id.example.com#x""#, Reason::WrongIssuer),
            (r#"["https://id.example.com"]"#, Reason::Malformed),
            ("7", Reason::Malformed),
            ("null", Reason::Malformed),
            ("", Reason::MissingClaim),
        ] {
            assert_eq!(outcome(&[("iss", iss)]), Err(reason), "{iss}");
        }
        assert!(outcome(&[("iss", r#""https:\/\/id.example.com""#)]).is_ok(), "an escape is no other text");
    }

    #[test]
    fn the_audience_contains_ours() {
        for (aud, reason) in [
            (r#""other""#, Reason::WrongAudience),
            (r#""BANK-API""#, Reason::WrongAudience),
            (r#""bank-api2""#, Reason::WrongAudience),
            (r#""bank-api other""#, Reason::WrongAudience),
            (r#""*""#, Reason::WrongAudience),
            ("[]", Reason::WrongAudience),
            (r#"["bank-api",7]"#, Reason::Malformed),
            (r#"[["bank-api"]]"#, Reason::Malformed),
            ("7", Reason::Malformed),
            ("null", Reason::Malformed),
            ("", Reason::MissingClaim),
        ] {
            assert_eq!(outcome(&[("aud", aud)]), Err(reason), "{aud}");
        }
    }

    #[test]
    fn an_access_token_has_all_its_claims() {
        for name in ["sub", "client_id", "jti", "iat"] {
            assert_eq!(outcome(&[(name, "")]), Err(Reason::MissingClaim), "{name}");
            assert!(outcome(&[(name, "null")]).is_err(), "{name}");
        }
        assert_eq!(outcome(&[("sub", "\"\"")]), Err(Reason::MissingClaim));
        assert_eq!(outcome(&[("sub", "7")]), Err(Reason::Malformed));
        let plain = Expected { access_token: false, max_lifetime: None, ..expected() };
        let sparse = claims(&[("client_id", ""), ("jti", ""), ("iat", "")]);
        assert!(judge(sparse.as_bytes(), &plain, NOW).is_ok());
        let nobody = claims(&[("sub", "")]);
        assert_eq!(judge(nobody.as_bytes(), &plain, NOW).unwrap_err(), Reason::MissingClaim);
    }

    #[test]
    fn an_age_that_is_bounded_must_be_known() {
        let plain = Expected { access_token: false, ..expected() };
        let ageless = claims(&[("iat", "")]);
        assert_eq!(judge(ageless.as_bytes(), &plain, NOW).unwrap_err(), Reason::MissingClaim);
    }

    #[test]
    fn an_id_token_and_a_bound_token_are_refused() {
        let plain = Expected { access_token: false, ..expected() };
        for (name, value) in [("nonce", r#""n""#), ("at_hash", r#""h""#)] {
            let text = claims(&[(name, value)]);
            assert_eq!(judge(text.as_bytes(), &plain, NOW).unwrap_err(), Reason::IdToken, "{name}");
            assert!(judge(text.as_bytes(), &expected(), NOW).is_ok(), "typed as an access token");
        }
        assert_eq!(outcome(&[("cnf", r#"{"jkt":"x"}"#)]), Err(Reason::BindingNotShown));
    }

    #[test]
    fn scopes_are_words_or_the_token_is_refused() {
        for (scope, wanted) in [
            (r#""a b""#, Ok("a b")),
            (r#"["a","b"]"#, Ok("a b")),
            (r#""""#, Ok("")),
            ("[]", Ok("")),
            ("", Ok("")),
            (r#"["a b"]"#, Err(Reason::Malformed)),
            (r#"["a",""]"#, Err(Reason::Malformed)),
            (r#"["a",1]"#, Err(Reason::Malformed)),
            (r#"{"a":true}"#, Err(Reason::Malformed)),
            ("true", Err(Reason::Malformed)),
            ("null", Err(Reason::Malformed)),
        ] {
            assert_eq!(outcome(&[("scope", scope)]), wanted.map(str::to_owned), "{scope}");
        }
        assert_eq!(outcome(&[("scope", ""), ("Scope", r#""a""#)]), Ok(String::new()));
    }

    #[test]
    fn scopes_can_stand_deeper() {
        let nested = Expected { scopes_claim: &["realm_access", "roles"], ..expected() };
        let judge = |value: &str| {
            let text = claims(&[("realm_access", value)]);
            judge(text.as_bytes(), &nested, NOW).map(|accepted| accepted.scopes.into_owned())
        };
        assert_eq!(judge(r#"{"x":1,"roles":["clerk","boss"]}"#), Ok("clerk boss".to_owned()));
        assert_eq!(judge(r#"{"x":1}"#), Ok(String::new()));
        assert_eq!(judge(r#"{"roles":["a"],"roles":["b"]}"#), Err(Reason::DuplicateMember));
        assert_eq!(judge(r#"{"roles":{"a":1}}"#), Err(Reason::Malformed));
        assert_eq!(judge(r#"["roles"]"#), Err(Reason::Malformed));
        assert_eq!(judge("null"), Err(Reason::Malformed));
    }

    #[test]
    fn a_member_twice_is_refused_at_every_level() {
        let once = claims(&[]);
        let body = once.trim_end_matches('}');
        for more in [
            r#""iss":"https://id.example.com""#,
            r#""sub":"root""#,
            r#""exp":1800000600"#,
            r#""aud":"bank-api""#,
            r#""scope":"""#,
            r#""\u0073ub":"root""#,
            r#""x":1,"x":1"#,
            r#""x":{"a":1,"a":1}"#,
        ] {
            let twice = format!("{body},{more}}}");
            assert_eq!(
                judge(twice.as_bytes(), &expected(), NOW).unwrap_err(),
                Reason::DuplicateMember,
                "{more}"
            );
        }
    }

    #[test]
    fn a_payload_is_one_object() {
        for bad in ["", "[]", "\"x\"", "7", "null", "{}{}", "{} x", "\u{feff}{}", "{\"iss\":"] {
            assert_eq!(judge(bad.as_bytes(), &expected(), NOW).unwrap_err(), Reason::Malformed, "{bad}");
        }
        assert_eq!(judge(b"{}", &expected(), NOW).unwrap_err(), Reason::MissingClaim);
        assert_eq!(judge(&[b'{', 0xff, b'}'], &expected(), NOW).unwrap_err(), Reason::Malformed);
    }
}
