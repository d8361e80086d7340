//! Server-sent events of a request (the HTML standard, section 9.2): the list of them.
//!
//! 1. Lines end with CRLF, LF or CR; a byte order mark may come first, and lines that begin with a colon are comments.
//! 2. An event ends with an empty line. One without its end was cut off, and is refused with all the rest.
//! 3. `data` is all of its lines; no other field comes twice. A field that events do not have is refused: a browser would
//!    ignore it, and whoever sent it means something by it.
//! 4. `retry` is a number in digits, and an `id` has no NULL character.

use std::borrow::Cow;

use super::json::finish;
use super::{Decode, Entry, Expected, Refused, Rule, Tree, parse_tree};

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
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::Syntax)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let events = cut(&text).ok_or(Refused::Syntax)?;
    let item = |event| match shown {
        Shown::Data => only_data(event, json, depth),
        Shown::Fields => Tree::Object(fields(event, json, depth)),
    };
    finish(&Tree::List(events.iter().map(item).collect()), rule)
}

/// The fields of an event, in their order: each once, however often it comes.
#[derive(Default)]
struct Event<'t>(Vec<Field<'t>>);

struct Field<'t> {
    name: &'t str,
    /// Of `data` all of its lines.
    text: Cow<'t, str>,
    /// It came twice, and may not.
    repeated: bool,
}

/// `None`: these are no events.
fn cut(text: &str) -> Option<Vec<Event<'_>>> {
    let (mut events, mut event) = (Vec::new(), Event::default());
    for line in text.split_terminator('\n') {
        match line.split_once(':').unwrap_or((line, "")) {
            ("", "") if line.is_empty() => {
                if !event.0.is_empty() {
                    events.push(std::mem::take(&mut event));
                }
            }
            ("", _) => {}
            (name, value) => event.add(name, value.strip_prefix(' ').unwrap_or(value))?,
        }
    }
    event.0.is_empty().then_some(events)
}

impl<'t> Event<'t> {
    fn add(&mut self, name: &'t str, value: &'t str) -> Option<()> {
        match (self.0.iter_mut().find(|field| field.name == name), name) {
            (Some(field), "data") => {
                let data = field.text.to_mut();
                data.push('\n');
                data.push_str(value);
            }
            (Some(field), _) => field.repeated = true,
            (None, "data" | "event" | "id" | "retry") => {
                self.0.push(Field { name, text: Cow::Borrowed(value), repeated: false });
            }
            _ => return None,
        }
        Some(())
    }
}

fn only_data<'t>(event: &'t Event<'_>, json: bool, depth: usize) -> Tree<'t> {
    match event.0.as_slice() {
        [Field { name: "data", text, .. }] => said(text, json, depth),
        _ => Tree::Wrong(Expected::kind("must be an event of `data` alone")),
    }
}

fn fields<'t>(event: &'t Event<'_>, json: bool, depth: usize) -> Vec<Entry<'t>> {
    let entry = |Field { name, text, repeated }: &'t Field<'_>| {
        let value = match *name {
            "data" => said(text, json, depth),
            "retry" => digits(text),
            "id" if text.contains('\0') => Tree::Wrong(Expected::kind("must not contain NULL characters")),
            _ => Tree::Text(Cow::Borrowed(text)),
        };
        Entry { name: Cow::Borrowed(name), value, repeated: *repeated }
    };
    event.0.iter().map(entry).collect()
}

fn said(data: &str, json: bool, depth: usize) -> Tree<'_> {
    match json {
        true => parse_tree(data, depth).unwrap_or(Tree::Wrong(Expected::kind("must be one JSON text"))),
        false => Tree::Plain(Cow::Borrowed(data)),
    }
}

fn digits(text: &str) -> Tree<'_> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| parse_tree(text, 1)).flatten();
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

    #[test]
    fn an_event_has_four_fields_at_most_however_many_lines_it_has() {
        let lines = ["id\n", "event\n", "retry\n", "data\n"].map(|line| line.repeat(1_000)).concat() + "\n";
        let events = cut(&lines).unwrap();
        assert_eq!(events.iter().map(|event| event.0.len()).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn what_is_cut_off_or_unclear_is_refused() {
        for text in
            ["data: a", "data: a\n", "data: a\n\ndata: b\n", "date: a\n\n", "data : a\n\n", " data: a\n\n"]
        {
            assert_eq!(read(text, Shown::Data, false), Err("Syntax".to_owned()), "{text:?}");
        }
        for (text, place) in [("data: a\nid: 1\n\n", "/0 type"), ("id: 1\n\n", "/0 type")] {
            assert_eq!(read(text, Shown::Data, false), Err(place.to_owned()), "{text:?}");
        }
        for (text, place) in [
            ("event: a\nevent: b\n\n", "/0 duplicate"),
            ("retry: -1\n\n", "/0 type"),
            ("retry: 01\n\n", "/0 type"),
            ("retry:\n\n", "/0 type"),
            ("id: \0\n\n", "/0 type"),
            ("data: {\n\n", "/0 type"),
            ("data: [[[1]]]\n\n", "/0 type"),
        ] {
            assert_eq!(read(text, Shown::Fields, true), Err(place.to_owned()), "{text:?}");
        }
    }
}
