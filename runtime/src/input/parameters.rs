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
mod tests;
