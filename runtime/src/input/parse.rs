//! Text to [`Tree`]: the grammar of RFC 8259, nothing more, and nothing rounded or dropped.
//!
//! `serde_json` reads the same language; it hands numbers over as floats that are already rounded and members without
//! telling that one comes twice, and the careful pass is about both.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Depth;
use super::text::has_number_form;
use super::tree::{Entry, Tree};

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads the whole text. The caller has made sure that it is nowhere deeper than [`Depth::MOST`].
pub(super) fn parse(text: &str) -> Result<Tree<'_>, Malformed> {
    let mut reader = Reader { text, at: 0 };
    let tree = reader.value(Depth::MOST)?;
    reader.space();
    match reader.at == text.len() {
        true => Ok(tree),
        false => Err(Malformed),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        self.eat(byte).then_some(()).ok_or(Malformed)
    }

    fn slice(&self, from: usize, to: usize) -> Result<&'t str, Malformed> {
        self.text.get(from..to).ok_or(Malformed)
    }

    /// RFC 8259 section 2: four characters, and no others, are white space.
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: Depth) -> Result<Tree<'t>, Malformed> {
        self.space();
        match self.peek().ok_or(Malformed)? {
            b'{' => self.object(deeper(depth)?),
            b'[' => self.list(deeper(depth)?),
            b'"' => self.string().map(Tree::Text),
            b't' => self.word("true", Tree::Bool(true)),
            b'f' => self.word("false", Tree::Bool(false)),
            b'n' => self.word("null", Tree::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Tree<'t>) -> Result<Tree<'t>, Malformed> {
        let end = self.at + word.len();
        match self.text.get(self.at..end) == Some(word) {
            true => {
                self.at = end;
                Ok(value)
            }
            false => Err(Malformed),
        }
    }

    fn number(&mut self) -> Result<Tree<'t>, Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let number = self.slice(start, self.at)?;
        match has_number_form(number) {
            true => Ok(Tree::Number(number)),
            false => Err(Malformed),
        }
    }

    fn list(&mut self, depth: Depth) -> Result<Tree<'t>, Malformed> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Tree::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            match self.next() {
                Some(b',') => {}
                Some(b']') => return Ok(Tree::List(items)),
                _ => return Err(Malformed),
            }
        }
    }

    fn object(&mut self, depth: Depth) -> Result<Tree<'t>, Malformed> {
        self.expect(b'{')?;
        let (mut entries, mut names) = (Vec::new(), Names::default());
        self.space();
        if self.eat(b'}') {
            return Ok(Tree::Object(entries));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            let value = self.value(depth)?;
            let repeated = names.seen(&entries, &name);
            entries.push(Entry { name, value, repeated });
            self.space();
            match self.next() {
                Some(b',') => {}
                Some(b'}') => return Ok(Tree::Object(entries)),
                _ => return Err(Malformed),
            }
        }
    }

    /// A string, borrowed unless it has escapes.
    fn string(&mut self) -> Result<Cow<'t, str>, Malformed> {
        self.expect(b'"')?;
        let mut text = Cow::Borrowed("");
        loop {
            let start = self.at;
            // RFC 8259 section 7: control characters must be escaped.
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            let run = self.slice(start, self.at)?;
            match self.next() {
                Some(b'"') if text.is_empty() => return Ok(Cow::Borrowed(run)),
                Some(b'"') => {
                    text.to_mut().push_str(run);
                    return Ok(text);
                }
                Some(b'\\') => {
                    let escaped = self.escape()?;
                    let text = text.to_mut();
                    text.push_str(run);
                    text.push(escaped);
                }
                _ => return Err(Malformed),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        Ok(match self.next().ok_or(Malformed)? {
            plain @ (b'"' | b'\\' | b'/') => char::from(plain),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits()?;
                let code = match first {
                    // A character beyond the first 65,536 is written as a pair; half a pair is no character.
                    0xD800..=0xDBFF => {
                        self.expect(b'\\')?;
                        self.expect(b'u')?;
                        let second = self.four_digits()?;
                        let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400).ok_or(Malformed)?;
                        0x1_0000 + ((first - 0xD800) << 10) + low
                    }
                    _ => first,
                };
                char::from_u32(code).ok_or(Malformed)?
            }
            _ => return Err(Malformed),
        })
    }

    fn four_digits(&mut self) -> Result<u32, Malformed> {
        let digits = self.slice(self.at, self.at + 4)?;
        self.at += 4;
        match digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => u32::from_str_radix(digits, 16).map_err(|_| Malformed),
            false => Err(Malformed),
        }
    }
}

fn deeper(depth: Depth) -> Result<Depth, Malformed> {
    depth.enter::<serde::de::value::Error>().map_err(|_| Malformed)
}

/// The names an object has had: a look at each while they are few, a set when they are many.
#[derive(Default)]
struct Names {
    many: HashSet<String>,
}

impl Names {
    const FEW: usize = 16;

    fn seen(&mut self, before: &[Entry<'_>], name: &str) -> bool {
        if before.len() < Self::FEW {
            return before.iter().any(|entry| entry.name == name);
        }
        if self.many.is_empty() {
            self.many.extend(before.iter().map(|entry| entry.name.as_ref().to_owned()));
        }
        !self.many.insert(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            "null",
            " true ",
            "\t\n\r false",
            "0",
            "-0",
            "1.5e+10",
            "-1E-2",
            "\"\"",
            r#""a\"\\\/\b\f\n\r\t\u00fcb""#,
            r#""\ud83d\udca9""#,
            "[]",
            "[ ]",
            "[1,[2,[]],{}]",
            "{}",
            r#"{"":{"a":[null]}}"#,
            "\"\u{7f}é💩\"",
        ] {
            let tree = parse(text).unwrap_or_else(|_| panic!("{text}"));
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            let mut out = super::super::Violations::new();
            assert_eq!(tree.to_json(&super::super::At::root(), &mut out), Some(json), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            " ",
            "nul",
            "truex",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "NaN",
            "'a'",
            "\"",
            "\"\n\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
            r#""\u+123""#,
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "{,}",
            "1 2",
            "{}{}",
            "\u{feff}1",
            "\u{a0}1",
            "/**/1",
            "1//",
            "\"\\",
            "\"\\u",
        ] {
            assert_eq!(parse(text), Err(Malformed), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tells_what_comes_twice() {
        let Ok(Tree::Object(entries)) = parse(r#"{"a":1,"b":2,"\u0061":3}"#) else { panic!() };
        assert_eq!(entries.iter().map(|entry| entry.repeated).collect::<Vec<_>>(), [false, false, true]);
        let many: Vec<String> = (0..40).map(|index| format!("\"k{index}\":0")).collect();
        let many = format!("{{{},\"k3\":1,\"k39\":1}}", many.join(","));
        let Ok(Tree::Object(entries)) = parse(&many) else { panic!() };
        let repeated: Vec<_> =
            entries.iter().enumerate().filter(|(_, e)| e.repeated).map(|(i, _)| i).collect();
        assert_eq!(repeated, [40, 41]);
    }

    #[test]
    fn keeps_the_digits() {
        let digits = "123456789012345678901234567890.5";
        assert_eq!(parse(digits), Ok(Tree::Number(digits)));
    }
}
