//! Server-sent events of a request (the HTML standard, section 9.2): the list of them.
//!
//! 1. Lines end with CRLF, LF or CR; a byte order mark may come first, and lines that begin with a colon are comments.
//! 2. An event ends with an empty line. A body that ends before is cut off, and none by the grammar (section 9.2.5): it is
//!    refused with all the rest, where a browser would keep what came before.
//! 3. `data` is all of its lines; of any other field that comes twice the last one counts. An event without `data` is none.
//! 4. Where events say texts and JSON, what each says is the text that it is where one is meant and fits, and JSON otherwise.
//! 5. Ignored, as OpenAPI 3.2 section 4.14.4 asks: fields that events do not have, a `retry` that is no number in digits, and
//!    an `id` with a NULL character.

use std::borrow::Cow;

use super::json::finish;
use super::{Decode, Entry, Expected, Refused, Rule, Tree, no_rule, parse_tree};

/// What of an event is its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// What it says; it has no other field.
    Data,
    /// An object of its fields.
    Fields,
}

/// Reads a body. `json`: whether what an event says is JSON.
///
/// # Errors
/// Why not, with every violation together.
pub(super) fn from_events<T: Decode>(
    bytes: &[u8],
    shown: Shown,
    json: bool,
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let text = lines(bytes)?;
    let events = cut(&text).ok_or(Refused::Syntax)?;
    finish(&Tree::List(events.iter().map(|event| shown.tree(event, json, depth)).collect()), rule)
}

/// A list, whatever it is called.
pub trait List: Decode {
    /// What it is a list of.
    type Item: Decode;
}

impl<T: Decode> List for Vec<T> {
    type Item = T;
}

/// Reads a body of events that say texts and JSON, as the alternatives of their schema say.
///
/// # Errors
/// Why not, with every violation together.
pub(super) fn from_events_of_either<T: List>(
    bytes: &[u8],
    shown: Shown,
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let text = lines(bytes)?;
    let events = cut(&text).ok_or(Refused::Syntax)?;
    let either = |event| {
        let [as_text, as_json] = [false, true].map(|json| shown.tree(event, json, depth));
        match finish::<T::Item>(&as_text, no_rule) {
            Ok(_) => as_text,
            // what fits neither is told of as what it looks like
            Err(_) if finish::<T::Item>(&as_json, no_rule).is_ok() || says_json(event, depth) => as_json,
            Err(_) => as_text,
        }
    };
    finish(&Tree::List(events.iter().map(either).collect()), rule)
}

fn lines(bytes: &[u8]) -> Result<String, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::Syntax)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n"))
}

/// Whether its data is an object or a list.
fn says_json(event: &Event<'_>, depth: usize) -> bool {
    let data = event.0.iter().find(|field| field.name == "data");
    let tree = data.and_then(|data| parse_tree(&data.text, depth));
    matches!(tree, Some(Tree::Object(_) | Tree::List(_)))
}

impl Shown {
    fn tree<'t>(self, event: &'t Event<'_>, json: bool, depth: usize) -> Tree<'t> {
        match self {
            Self::Data => only_data(event, json, depth),
            Self::Fields => Tree::Object(fields(event, json, depth)),
        }
    }
}

/// The fields of an event, in the order in which they came first.
#[derive(Default)]
struct Event<'t>(Vec<Field<'t>>);

struct Field<'t> {
    name: &'t str,
    /// Of `data` all of its lines.
    text: Cow<'t, str>,
}

/// Section 9.2.6. `None`: the last event has no end.
fn cut(text: &str) -> Option<Vec<Event<'_>>> {
    let (mut events, mut event) = (Vec::new(), Event::default());
    for line in text.split_terminator('\n') {
        if line.is_empty() {
            let ended = std::mem::take(&mut event);
            // without data nothing is dispatched
            events.extend(Some(ended).filter(|ended| ended.0.iter().any(|field| field.name == "data")));
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        event.add(name, value.strip_prefix(' ').unwrap_or(value));
    }
    event.0.is_empty().then_some(events)
}

impl<'t> Event<'t> {
    fn add(&mut self, name: &'t str, value: &'t str) {
        let counts = match name {
            "data" | "event" => true,
            "id" => !value.contains('\0'),
            "retry" => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
            // a comment has no name
            _ => false,
        };
        if !counts {
            return;
        }
        match self.0.iter_mut().find(|field| field.name == name) {
            Some(field) if name == "data" => {
                let data = field.text.to_mut();
                data.push('\n');
                data.push_str(value);
            }
            Some(field) => field.text = Cow::Borrowed(value),
            None => self.0.push(Field { name, text: Cow::Borrowed(value) }),
        }
    }
}

fn only_data<'t>(event: &'t Event<'_>, json: bool, depth: usize) -> Tree<'t> {
    match event.0.as_slice() {
        [Field { name: "data", text, .. }] => said(text, json, depth),
        _ => Tree::Wrong(Expected::kind("must be an event of `data` alone")),
    }
}

fn fields<'t>(event: &'t Event<'_>, json: bool, depth: usize) -> Vec<Entry<'t>> {
    let entry = |Field { name, text }: &'t Field<'_>| {
        let value = match *name {
            "data" => said(text, json, depth),
            "retry" => number(text),
            _ => Tree::Text(Cow::Borrowed(text)),
        };
        Entry { name: Cow::Borrowed(name), value, repeated: false }
    };
    event.0.iter().map(entry).collect()
}

fn said(data: &str, json: bool, depth: usize) -> Tree<'_> {
    match json {
        true => parse_tree(data, depth).unwrap_or(Tree::Wrong(Expected::kind("must be one JSON text"))),
        false => Tree::Plain(Cow::Borrowed(data)),
    }
}

/// Digits in base ten, which JSON writes without zeros in front.
fn number(digits: &str) -> Tree<'_> {
    let significant = digits.trim_start_matches('0');
    let number = parse_tree(if significant.is_empty() { "0" } else { significant }, 1);
    number.unwrap_or(Tree::Wrong(Expected::kind("must be a number in digits")))
}

#[cfg(test)]
mod tests {
    use super::super::{Json, no_rule};
    use super::*;

    fn read(text: &str, shown: Shown, json: bool) -> Result<String, String> {
        let read = from_events::<Json>(text.as_bytes(), shown, json, 2, no_rule);
        read.map(|json| json.to_string()).map_err(|refused| match refused {
            Refused::Invalid(found) => found.iter().map(|v| format!("{} {}", v.pointer, v.rule)).collect(),
            refused => format!("{refused:?}"),
        })
    }

    #[test]
    fn events_are_cut_as_the_standard_says() {
        for (text, list) in [
            ("", "[]"),
            ("\n\n: comment\n\n", "[]"),
            ("data: a\n\n", r#"["a"]"#),
            ("\u{feff}data:a\r\n\r\n\rdata:  b\r\r", r#"["a"," b"]"#),
            ("data: a\n: comment\ndata\ndata: b:c\n\ndata:\n\n", r#"["a\n\nb:c",""]"#),
        ] {
            assert_eq!(read(text, Shown::Data, false).as_deref(), Ok(list), "{text:?}");
        }
        assert_eq!(read("data: {\"a\":\ndata: 1}\n\n", Shown::Data, true).as_deref(), Ok(r#"[{"a":1}]"#));
        let all = "id: 7\nevent: add\nretry: 3000\ndata: a\ndata: b\n\ndata: 1\n\n";
        assert_eq!(
            read(all, Shown::Fields, false).as_deref(),
            Ok(r#"[{"data":"a\nb","event":"add","id":"7","retry":3000},{"data":"1"}]"#)
        );
    }

    /// Section 9.2.6, and the example of OpenAPI 3.2 section 4.14.6.3.
    #[test]
    fn what_the_standard_ignores_is_ignored() {
        for (text, list) in [
            (
                "data: 1234\nunknownField: this is ignored\nevent: add\n\n",
                r#"[{"data":"1234","event":"add"}]"#,
            ),
            ("date: a\ndata : b\n data: c\nData: d\n\n", "[]"),
            ("event: a\nevent: b\ndata\nevent\n\n", r#"[{"data":"","event":""}]"#),
            ("id: 1\nretry: 5\n\ndata: a\n\n", r#"[{"data":"a"}]"#),
            ("data: a\nid: 1\nid: 2\0\n\n", r#"[{"data":"a","id":"1"}]"#),
            (
                "data: a\nretry: 07\nretry: -1\nretry: 1.5\nretry:\nretry: 5s\n\n",
                r#"[{"data":"a","retry":7}]"#,
            ),
            ("data: a\nretry: 000\n\n", r#"[{"data":"a","retry":0}]"#),
            ("\u{feff}\u{feff}data: a\n\ndata: b\n\n", r#"[{"data":"b"}]"#),
            ("data: a\n\nunknown: a\n: comment", r#"[{"data":"a"}]"#),
        ] {
            assert_eq!(read(text, Shown::Fields, false).as_deref(), Ok(list), "{text:?}");
        }
    }

    #[test]
    fn an_event_has_four_fields_at_most_however_many_lines_it_has() {
        let lines =
            ["id\n", "event\n", "retry:1\n", "data\n", "other\n"].map(|line| line.repeat(1_000)).concat()
                + "\n";
        let events = cut(&lines).unwrap();
        assert_eq!(events.iter().map(|event| event.0.len()).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn what_is_cut_off_or_unclear_is_refused() {
        for text in ["data: a", "data: a\n", "data: a\n\ndata: b\n", "data: a\n\nid: 1", "data: a\n: b\n"] {
            assert_eq!(read(text, Shown::Data, false), Err("Syntax".to_owned()), "{text:?}");
        }
        assert_eq!(read("data: a\nid: 1\n\n", Shown::Data, false), Err("/0 type".to_owned()));
        for text in ["data: {\n\n", "data: [[[1]]]\n\n"] {
            assert_eq!(read(text, Shown::Fields, true), Err("/0 type".to_owned()), "{text:?}");
        }
    }
}
