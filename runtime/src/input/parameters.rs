//! [`Parameters`]: the parameters of a request, against what the document declares.
//!
//! 1. A query is cut at `&` and `=` first; then each name and value is percent-decoded, once (RFC 3986 section 2.4).
//!    A path segment was cut by the router; `%2F` in it is data. Cookies are percent-decoded as well in OpenAPI's style
//!    `form`, and not in its style `cookie`; headers are not.
//! 2. `+` is a plus.
//! 3. A bad escape, invalid UTF-8 and NUL are refused; so is a header or cookie that is not visible ASCII.
//! 4. A query parameter that is not declared is refused; so is a declared scalar that comes twice, in query, header or
//!    cookie. Headers and cookies that are not declared belong to others and are not looked at.
//! 5. Absent and empty are two things: `?q=` is the empty string, and `?q` without a value is refused.
//! 6. At most 100 pairs.
//! 7. An object or a list of a style has the style's form and no other; a `content` parameter is one JSON text.
//! 8. A parameter that is all of the query (`in: querystring`) is read as its media type: a form as a body would be, with
//!    the pairs of rule 6, or one JSON text that is percent-decoded as a whole. A request without `?` has none.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;

use super::encoded::Decoding;
use super::sources::{Raw, Sources, decoding};
use super::wire::{BadPairs, Cut, Kind, Others, Pairs, Wire, form_tree};
use super::{At, Decode, Expected, FromText, InputError, Param, Section, Tree, Violations, parse_tree};
use crate::operation::{Location, Policy};

/// The parameters of one request. Each is asked for once, in the order of the document; then [`Parameters::finish`].
pub struct Parameters<'a> {
    pub(super) sources: Sources<'a>,
    out: Violations,
}

const BAD_ENCODING: Expected =
    Expected { rule: "encoding", message: Cow::Borrowed("must be percent-encoded UTF-8 without NUL") };

/// More pairs than these are refused before they are looked at.
const MOST_PAIRS: usize = 100;
/// Deepest nesting of a `content` parameter.
const DEEPEST: usize = 32;

/// Without what was submitted, credentials among it.
impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameters").field("violations", &self.out).finish_non_exhaustive()
    }
}

impl<'a> Parameters<'a> {
    /// The parameters of a request: the path segments in the order of the template, the raw query, the headers.
    #[must_use]
    pub fn new(
        policy: &'static Policy,
        captures: &'a [&'a str],
        query: Option<&'a str>,
        headers: &'a HeaderMap,
    ) -> Self {
        let mut out = Violations::new();
        let is_one = policy.parameters.iter().any(|one| one.location == Location::QueryString);
        let (whole, several) = if is_one { (query, None) } else { (None, query) };
        let query = cut(several.unwrap_or_default(), Decoding::Percent, &mut out);
        Self { sources: Sources { policy, captures, query, whole, headers }, out }
    }

    /// A parameter that must be there. `None`: a violation was noted.
    pub fn required<T: FromText>(&mut self, param: &Param<T>) -> Option<T> {
        match self.scalar(param)? {
            Some(value) => Some(value),
            None => self.missing(&param.at()),
        }
    }

    /// A parameter that may be absent.
    pub fn optional<T: FromText>(&mut self, param: &Param<T>) -> Option<Option<T>> {
        self.scalar(param)
    }

    /// A parameter with a default.
    pub fn or<T: FromText>(&mut self, param: &Param<T>, default: T) -> Option<T> {
        self.scalar(param).map(|value| value.unwrap_or(default))
    }

    /// An array that must be there.
    pub fn list<T: FromText>(&mut self, param: &Param<Vec<T>>) -> Option<Vec<T>> {
        match self.array(param)? {
            Some(list) => Some(list),
            None => self.missing(&param.at()),
        }
    }

    /// An array that may be absent.
    pub fn optional_list<T: FromText>(&mut self, param: &Param<Vec<T>>) -> Option<Option<Vec<T>>> {
        self.array(param)
    }

    /// An array with a default.
    pub fn list_or<T: FromText>(&mut self, param: &Param<Vec<T>>, default: Vec<T>) -> Option<Vec<T>> {
        self.array(param).map(|list| list.unwrap_or(default))
    }

    /// A value of any kind that must be there.
    pub fn decoded<T: Decode>(&mut self, param: &Param<T>) -> Option<T> {
        match self.any(param, true)? {
            Some(value) => Some(value),
            None => self.missing(&param.at()),
        }
    }

    /// A value of any kind that may be absent.
    pub fn optional_decoded<T: Decode>(&mut self, param: &Param<T>) -> Option<Option<T>> {
        self.any(param, false)
    }

    /// A value of any kind with a default, which the document states as JSON.
    pub fn decoded_or<T: Decode>(&mut self, param: &Param<T>, default: &'static str) -> Option<T> {
        match self.any(param, false)? {
            Some(value) => Some(value),
            None => T::collect(&parse_tree(default, DEEPEST)?, &param.at(), &mut self.out),
        }
    }

    /// The decoded parameters, if nothing was wrong with any of them or with the query as a whole.
    ///
    /// # Errors
    /// [`InputError::Parameters`] with every violation.
    pub fn finish<T>(mut self, decoded: Option<T>) -> Result<T, InputError> {
        if self.sources.has_undeclared() {
            // Once, and for the query as a whole: the names are the client's.
            let message = "must not have a parameter that is not declared";
            self.out.push(&At::of(Section::Query), "undeclared", message);
        }
        match decoded {
            Some(decoded) if self.out.is_empty() => Ok(decoded),
            None if self.out.is_empty() => {
                // Nobody said why. It is refused all the same.
                self.out.push(&At::of(Section::Query), "type", "is not what this operation declares");
                Err(InputError::Parameters(self.out))
            }
            _ => Err(InputError::Parameters(self.out)),
        }
    }

    fn missing<T>(&mut self, at: &At<'_>) -> Option<T> {
        // In a query that could not be cut nothing can be said to be missing.
        if at.section() != Section::Query || self.sources.query.is_some() {
            self.out.push(at, "required", "is missing");
        }
        None
    }

    /// `None`: a violation was noted. `Some(None)`: absent.
    pub(super) fn scalar<T: FromText>(&mut self, param: &Param<T>) -> Option<Option<T>> {
        let at = param.at();
        let raw = match self.sources.single(param.location, &param.wire) {
            Ok(None) => return Some(None),
            Ok(Some(raw)) => Cut { wire: &param.wire, decoding: Decoding::Percent }.bare(raw),
            Err(expected) => Err(expected),
        };
        if param.wire.empty && raw == Ok("") && T::from_text("").is_err() {
            return Some(None);
        }
        let value = self.value(raw, decoding(param.location, &param.wire), &at)?;
        param.check_rule(&value, &mut self.out);
        Some(Some(value))
    }

    /// The same for an array.
    fn array<T: FromText>(&mut self, param: &Param<Vec<T>>) -> Option<Option<Vec<T>>> {
        let at = param.at();
        let raws = match self.sources.list(param.location, &param.wire) {
            Ok(None) => return Some(None),
            Ok(Some(raws)) => raws,
            Err(expected) => return self.refuse(expected, &at),
        };
        let decoding = decoding(param.location, &param.wire);
        let mut list = Some(Vec::with_capacity(raws.len()));
        for (index, raw) in raws.into_iter().enumerate() {
            match (self.value(raw, decoding, &at.index(index)), &mut list) {
                (Some(item), Some(list)) => list.push(item),
                _ => list = None,
            }
            if self.out.is_full() {
                return None;
            }
        }
        param.check_rule(list.as_ref()?, &mut self.out);
        list.map(Some)
    }

    /// The same for a value of any kind, by the careful pass.
    fn any<T: Decode>(&mut self, param: &Param<T>, required: bool) -> Option<Option<T>> {
        let at = param.at();
        let value = match param.wire.kind {
            kind @ (Kind::Json | Kind::Form(_) | Kind::FreeForm(_)) => {
                match (self.sources.single(param.location, &param.wire), kind) {
                    (Ok(None), _) => return Some(None),
                    (Ok(Some(raw)), Kind::Form(fields)) => self.form(raw, fields, Others::Plain, &at)?,
                    (Ok(Some(raw)), Kind::FreeForm(fields)) => self.form(raw, fields, Others::Free, &at)?,
                    (Ok(Some(raw)), _) => self.json(raw, decoding(param.location, &param.wire), &at)?,
                    (Err(expected), _) => return self.refuse(expected, &at),
                }
            }
            kind => match self.sources.tree(param.location, &param.wire) {
                Ok(Some(tree)) => T::collect(&tree, &at, &mut self.out)?,
                // Nothing of an object whose members stand by themselves: which of them are missing is told.
                Ok(None) if required && param.wire.explode && matches!(kind, Kind::Object(..)) => {
                    T::collect(&Tree::Object(Vec::new()), &at, &mut self.out)?
                }
                Ok(None) => return Some(None),
                Err(expected) => return self.refuse(expected, &at),
            },
        };
        param.check_rule(&value, &mut self.out);
        Some(Some(value))
    }

    fn json<T: Decode>(&mut self, raw: &str, decoding: Decoding, at: &At<'_>) -> Option<T> {
        const NO_JSON: Expected = Expected::kind("must be one JSON text");
        let Ok(text) = decoding.text(raw) else { return self.refuse(BAD_ENCODING, at) };
        match parse_tree(&text, DEEPEST) {
            Some(tree) => T::collect(&tree, at, &mut self.out),
            None => self.refuse(NO_JSON, at),
        }
    }

    fn form<T: Decode>(&mut self, text: &str, fields: &[Wire], others: Others, at: &At<'_>) -> Option<T> {
        let pairs = cut(text, Decoding::Form, &mut self.out)?;
        let read = form_tree(&pairs, fields, others, DEEPEST, |tree| T::collect(tree, at, &mut self.out));
        match read {
            Ok(value) => value,
            Err(expected) => self.refuse(expected, at),
        }
    }

    fn value<T: FromText>(&mut self, raw: Raw<'_>, decoding: Decoding, at: &At<'_>) -> Option<T> {
        let read = raw.and_then(|raw| T::from_text(&decoding.text(raw).map_err(|_| BAD_ENCODING)?));
        match read {
            Ok(value) => Some(value),
            Err(expected) => self.refuse(expected, at),
        }
    }

    fn refuse<T>(&mut self, expected: Expected, at: &At<'_>) -> Option<T> {
        expected.push(at, &mut self.out);
        None
    }
}

/// The pairs of a query. `None`: a violation was noted.
fn cut<'a>(text: &'a str, decoding: Decoding, out: &mut Violations) -> Option<Pairs<'a>> {
    let at = At::of(Section::Query);
    match Pairs::cut(text, decoding, MOST_PAIRS) {
        Ok(pairs) => return Some(pairs),
        Err(BadPairs::Encoding) => BAD_ENCODING.push(&at, out),
        Err(BadPairs::TooMany) => out.push(&at, "count", "must have at most 100 parameters"),
    }
    None
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::super::sample::{Currency, POLICY};
    use super::super::{length, maximum, minimum};
    use super::*;
    use crate::types::Uuid;

    const BANK: Param<String> = Param::path("bank");
    const ACCOUNT: Param<Uuid> = Param::path("accountId");
    const CURRENCY: Param<Currency> = Param::query("currency");
    const TAGS: Param<Vec<String>> =
        Param::query("tags").check(|tags, at, out| super::super::items(tags, 1..=3, at, out));
    const IDS: Param<Vec<u32>> = Param::query("ids").explode(false);
    const LIMIT: Param<i32> = Param::query("limit").check(|limit, at, out| {
        minimum(limit, 1, at, out);
        maximum(limit, 100, at, out);
    });
    const TRACE: Param<String> =
        Param::header("X-Trace").check(|trace, at, out| length(trace, 1..=8, at, out));
    const DAYS: Param<Vec<u32>> = Param::header("X-Days");
    const SID: Param<String> = Param::cookie("sid");

    const ID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

    #[derive(Debug, PartialEq)]
    struct All {
        bank: String,
        currency: Option<Currency>,
        tags: Option<Vec<String>>,
        ids: Option<Vec<u32>>,
        limit: i32,
        trace: Option<String>,
        days: Option<Vec<u32>>,
        sid: Option<String>,
    }

    type Fault = (Section, String, &'static str);

    fn read(captures: &[&str], query: &str, headers: &[(&'static str, &str)]) -> Result<All, Vec<Fault>> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let mut from = Parameters::new(&POLICY, captures, Some(query), &map);
        let bank = from.required(&BANK);
        let account = from.required(&ACCOUNT);
        let currency = from.optional(&CURRENCY);
        let tags = from.optional_list(&TAGS);
        let ids = from.optional_list(&IDS);
        let limit = from.or(&LIMIT, 20);
        let trace = from.optional(&TRACE);
        let days = from.optional_list(&DAYS);
        let sid = from.optional(&SID);
        let _ = from.cursor();
        let all = || {
            account?;
            Some(All {
                bank: bank?,
                currency: currency?,
                tags: tags?,
                ids: ids?,
                limit: limit?,
                trace: trace?,
                days: days?,
                sid: sid?,
            })
        };
        from.finish(all()).map_err(|error| match error {
            InputError::Parameters(found) => {
                found.iter().map(|v| (v.section, v.pointer.clone(), v.rule)).collect()
            }
            other => panic!("{other:?}"),
        })
    }

    fn query(query: &str) -> Result<All, Vec<Fault>> {
        read(&["b", ID], query, &[])
    }

    fn fault(query_text: &str, pointer: &str, rule: &'static str) {
        assert_eq!(query(query_text), Err(vec![(Section::Query, pointer.to_owned(), rule)]), "{query_text}");
    }

    #[test]
    fn each_from_its_place() {
        let headers =
            [("x-trace", "t 1"), ("X-Days", "1, 2,"), ("x-days", "3"), ("cookie", "other=\u{e9}; sid=a%20b")];
        let all =
            read(&["a%2Fb+c", ID], "currency=EUR&tags=x&limit=5&tags=&ids=1,2&after=x", &headers).unwrap();
        assert_eq!(all.bank, "a/b+c");
        assert_eq!((all.currency, all.limit), (Some(Currency::Eur), 5));
        assert_eq!(all.tags, Some(vec!["x".to_owned(), String::new()]));
        assert_eq!((all.ids, all.days), (Some(vec![1, 2]), Some(vec![1, 2, 3])));
        assert_eq!((all.trace.as_deref(), all.sid.as_deref()), (Some("t 1"), Some("a b")));
    }

    #[test]
    fn absent_and_empty_are_two_things() {
        let none = query("").unwrap();
        assert_eq!((none.limit, none.tags, none.ids, none.sid), (20, None, None, None));
        assert_eq!(query("ids=").unwrap().ids, Some(vec![]));
        assert_eq!(query("tags=").unwrap().tags, Some(vec![String::new()]));
        fault("limit=", "/limit", "type");
        fault("limit", "/limit", "value");
        fault("tags", "/tags/0", "value");
    }

    #[test]
    fn scalars_are_strict() {
        for text in
            ["1.5", "1e1", "%2B1", "+1", "true", "1,5", "%D9%A1", "01", "0x1", "1%20", "NaN", "1;limit=2"]
        {
            fault(&format!("limit={text}"), "/limit", "type");
        }
        fault("limit=0", "/limit", "minimum");
        fault("limit=101", "/limit", "maximum");
        fault("currency=eur", "/currency", "enum");
        assert_eq!(query("%6Cimit=%37").unwrap().limit, 7, "decoded once, names as well");
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for text in ["%zz", "%", "%ff", "%00", "a%00"] {
            fault(&format!("tags={text}"), "/tags/0", "encoding");
        }
        fault("%ff=1", "", "encoding");
        fault(&["limit=1"; 101].join("&"), "", "count");
        fault("tags=a%0Ab", "/tags/0", "control");
        assert_eq!(read(&["b%00", ID], "", &[]), Err(vec![(Section::Path, "/bank".to_owned(), "encoding")]));
        assert_eq!(
            read(&["b", "{}"], "", &[]),
            Err(vec![(Section::Path, "/accountId".to_owned(), "format")])
        );
    }

    #[test]
    fn undeclared_and_repeated_are_refused() {
        fault("secret=1&other=2", "", "undeclared");
        fault("Limit=1", "", "undeclared");
        fault("=1", "", "undeclared");
        fault("limit=1&", "", "undeclared");
        fault("limit=1&limit=1", "/limit", "duplicate");
        fault("limit=1&%6cimit=2", "/limit", "duplicate");
        fault("ids=1&ids=2", "/ids", "duplicate");
        fault("after=a&after=b", "/after", "duplicate");
        let twice = |name, value| read(&["b", ID], "", &[(name, value), (name, value)]);
        assert_eq!(twice("x-trace", "a"), Err(vec![(Section::Header, "/X-Trace".to_owned(), "duplicate")]));
        assert_eq!(twice("cookie", "sid=a"), Err(vec![(Section::Cookie, "/sid".to_owned(), "duplicate")]));
        assert!(twice("x-other", "a").is_ok() && twice("cookie", "other=a").is_ok());
    }

    #[test]
    fn headers_and_cookies_are_visible_ascii() {
        let one = |name, value: &str| read(&["b", ID], "", &[(name, value)]);
        assert_eq!(one("x-trace", "\u{e9}"), Err(vec![(Section::Header, "/X-Trace".to_owned(), "encoding")]));
        assert_eq!(one("cookie", "sid=\u{e9}"), Err(vec![(Section::Cookie, "/sid".to_owned(), "encoding")]));
        assert_eq!(
            one("x-trace", "a%zz").unwrap().trace.as_deref(),
            Some("a%zz"),
            "headers are not percent-encoded"
        );
    }

    #[test]
    fn every_violation_is_told_at_once() {
        let Err(found) = read(&["b", "x"], "currency=&limit=0&tags=%zz&more=1", &[("x-trace", "123456789")])
        else {
            panic!()
        };
        let rules: Vec<_> =
            found.iter().map(|(section, pointer, rule)| (*section, pointer.as_str(), *rule)).collect();
        assert_eq!(
            rules,
            [
                (Section::Path, "/accountId", "format"),
                (Section::Query, "/currency", "enum"),
                (Section::Query, "/tags/0", "encoding"),
                (Section::Query, "/limit", "minimum"),
                (Section::Header, "/X-Trace", "maxLength"),
                (Section::Query, "", "undeclared"),
            ]
        );
    }

    #[test]
    fn required_ones_are_missed() {
        let headers = HeaderMap::new();
        let mut from = Parameters::new(&POLICY, &[], None, &headers);
        assert_eq!(from.required(&BANK), None);
        assert_eq!(from.list(&TAGS), None);
        let Err(InputError::Parameters(found)) = from.finish(Some(())) else { panic!() };
        let missing: Vec<_> = found.iter().map(|v| (v.section, v.pointer.as_str(), v.rule)).collect();
        assert_eq!(missing, [(Section::Path, "/bank", "required"), (Section::Query, "/tags", "required")]);
    }
}
