//! What was asked for, as a digest: two calls have the same one when they ask for the same.
//!
//! 1. It is over method, template, the parameters of path and query as they decode, the headers and cookies that the document
//!    declares as parameters, and the body (each part with its length). Other headers are not in it: they say how, and a
//!    credential that was renewed asks for nothing new. Nor are those of one sending, such as `traceparent`.
//! 2. JSON counts as what it says: the order of members and white space do not, `1.0` is `1`, an escape is its character.
//! 3. Every other body counts byte for byte.

use std::borrow::Cow;

use aws_lc_rs::digest::{Context, SHA256};

use super::media_type::is_json;
use super::payload::Came;
use super::{Decimal, Entry, Parameters, Sent, Tree, parse_tree};

/// A digest in the making.
pub(crate) struct Fingerprint(Context);

impl Fingerprint {
    /// Of the parameters.
    pub(super) fn new(method: &str, template: &str, parameters: &[u8]) -> Self {
        let mut print = Self(Context::new(&SHA256));
        for part in [method.as_bytes(), template.as_bytes(), parameters] {
            print.part(b'p', part);
        }
        print
    }

    /// Adds the body. One that is not held in memory is none of an operation whose answers are kept.
    pub(crate) fn body(&mut self, sent: Option<&Sent<'_>>) {
        let Some(sent) = sent else { return self.part(b'-', &[]) };
        let Came::Whole(bytes) = &sent.content else { return self.part(b'-', &[]) };
        let media_type = sent.declared.media_types.get(sent.which).copied().unwrap_or_default();
        self.part(b't', media_type.as_bytes());
        let text = std::str::from_utf8(bytes).ok().filter(|_| is_json(media_type));
        match text.and_then(|text| parse_tree(text, sent.declared.depth)) {
            Some(tree) => self.tree(&tree),
            None => self.part(b'b', bytes),
        }
    }

    /// The digest.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn part(&mut self, tag: u8, bytes: &[u8]) {
        self.0.update(&[tag]);
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// As deep as the document allows a body to be.
    fn tree(&mut self, tree: &Tree<'_>) {
        match tree {
            Tree::Null => self.part(b'0', &[]),
            Tree::Bool(value) => self.part(b'?', &[u8::from(*value)]),
            Tree::Number(digits) => self.number(digits),
            Tree::Text(text) | Tree::Plain(text) => self.part(b's', text.as_bytes()),
            Tree::List(items) => {
                self.part(b'[', &(items.len() as u64).to_be_bytes());
                items.iter().for_each(|item| self.tree(item));
            }
            Tree::Object(entries) | Tree::Brackets(entries) => {
                self.part(b'{', &(entries.len() as u64).to_be_bytes());
                let mut sorted: Vec<&Entry<'_>> = entries.iter().collect();
                sorted.sort_by(|one, other| one.name.cmp(&other.name));
                for entry in sorted {
                    self.part(b'm', entry.name.as_bytes());
                    self.tree(&entry.value);
                }
            }
            // not of a JSON text
            Tree::File(_) | Tree::Wrong(_) => self.part(b'!', &[]),
        }
    }

    fn number(&mut self, digits: &str) {
        let written: Cow<'_, str> = match Decimal::read(digits) {
            Some(number) => {
                let (negative, digits, exponent) = number.parts();
                format!("{}{digits}e{exponent}", if negative { "-" } else { "" }).into()
            }
            None => digits.into(),
        };
        self.part(b'n', written.as_bytes());
    }
}

impl Parameters<'_> {
    /// The digest of what is asked for, up to the body.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let mut canonical = Vec::new();
        self.sources.canonical(&[], &mut canonical);
        Fingerprint::new(self.sources.policy.method, self.sources.policy.path, &canonical)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use bytes::Bytes;
    use http::HeaderMap;

    use super::super::sample::POLICY;
    use super::*;
    use crate::operation::{Body, Location, Parameter, Policy};

    static BODY: Body =
        Body { media_types: &["application/json", "text/plain"], required: true, max: 1024, depth: 8 };

    fn print(captures: &[&str], query: &str, which: usize, body: Option<&'static str>) -> [u8; 32] {
        let headers = HeaderMap::new();
        let mut print = Parameters::new(&POLICY, captures, Some(query), &headers).fingerprint();
        let sent = body.map(|text| Sent {
            content: Came::Whole(Bytes::from_static(text.as_bytes())),
            which,
            declared: &BODY,
            beside_token: false,
        });
        print.body(sent.as_ref());
        print.finish()
    }

    #[test]
    fn what_says_the_same_has_the_same_fingerprint() {
        let first = print(&["b", "7"], "currency=EUR&limit=5", 0, Some(r#"{"a":1,"b":["x",null]}"#));
        for (query, body) in [
            ("currency=EUR&limit=5", "{ \"b\": [\"x\", null],\n\"a\": 1 }"),
            ("limit=5&currency=EUR", r#"{"a":1.0,"b":["\u0078",null]}"#),
            ("currency=%45UR&limit=5", r#"{"a":10e-1,"b":["x",null]}"#),
        ] {
            assert_eq!(print(&["b", "7"], query, 0, Some(body)), first, "{query} {body}");
        }
    }

    #[test]
    fn headers_and_cookies_that_are_parameters_count_and_others_do_not() {
        let print = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            Parameters::new(&POLICY, &["b", "7"], None, &headers).fingerprint().finish()
        };
        let first = print(&[("x-days", "1"), ("cookie", "sid=a")]);
        let others = [("authorization", "Bearer x"), ("traceparent", "00-1"), ("user-agent", "b")];
        let same = others.map(|other| print(&[("x-days", "1"), other, ("cookie", "theme=dark; sid=a")]));
        assert_eq!(same, [first; 3]);
        let different = [
            print(&[]),
            print(&[("x-days", "1")]),
            print(&[("x-days", "2"), ("cookie", "sid=a")]),
            print(&[("x-days", "1"), ("cookie", "sid=b")]),
            print(&[("x-days", "1"), ("x-days", "1"), ("cookie", "sid=a")]),
            print(&[("x-trace", "1"), ("cookie", "sid=a")]),
        ];
        assert_eq!(HashSet::from(different).len(), different.len());
        assert!(!different.contains(&first));
    }

    #[test]
    fn a_query_that_is_one_value_counts() {
        static WHOLE: Policy =
            Policy { parameters: &[Parameter { name: "filter", location: Location::QueryString }], ..POLICY };
        let headers = HeaderMap::new();
        let print = |query| Parameters::new(&WHOLE, &["b", "7"], query, &headers).fingerprint().finish();
        let all = [None, Some(""), Some("a=1"), Some("a=2"), Some("a=1%26b=1"), Some("a=1&b=1")].map(print);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(print(Some("a=1")), all[2]);
    }

    #[test]
    fn whatever_says_something_else_has_another() {
        let here = ["b", "7"];
        let all = [
            print(&here, "", 0, Some(r#"{"a":1}"#)),
            print(&["b7", ""], "", 0, Some(r#"{"a":1}"#)),
            print(&here, "limit=5", 0, Some(r#"{"a":1}"#)),
            print(&here, "limit=5&limit=6", 0, Some(r#"{"a":1}"#)),
            print(&here, "limit=6&limit=5", 0, Some(r#"{"a":1}"#)),
            print(&here, "", 0, Some(r#"{"a":-1}"#)),
            print(&here, "", 0, Some(r#"{"a":1,"b":2}"#)),
            print(&here, "", 0, Some(r#"{"a":"1"}"#)),
            print(&here, "", 0, Some(r#"{"a":[1]}"#)),
            print(&here, "", 0, Some(r#"{"a":[[1]]}"#)),
            print(&here, "", 0, Some(r#"{"a":[1,[]]}"#)),
            print(&here, "", 0, Some(r#"{"a":9007199254740993}"#)),
            print(&here, "", 0, Some(r#"{"a":9007199254740992}"#)),
            print(&here, "", 0, None),
            print(&here, "", 0, Some("null")),
            print(&here, "", 1, Some("null")),
            print(&here, "", 1, Some("1")),
            print(&here, "", 1, Some("1.0")),
            print(&here, "", 1, Some("")),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
