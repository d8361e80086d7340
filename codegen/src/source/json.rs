//! A strict reader of JSON (RFC 8259) that keeps places.

use super::span::{FileId, Place, Span};
use super::tree::{Member, Node, Object, Value};
use super::{Budget, MAX_DEPTH, Unreadable};

/// Reads one JSON text. Stops at the first fault of syntax; repeated members are collected.
pub(crate) fn read(file: FileId, text: &str) -> Result<Node, Vec<Unreadable>> {
    let mut reader = Reader { file, text, at: 0, budget: Budget::default(), repeated: Vec::new() };
    let read = reader.document();
    match read {
        Ok(node) if reader.repeated.is_empty() => Ok(node),
        Ok(_) => Err(reader.repeated),
        Err(fault) => {
            reader.repeated.push(fault);
            Err(reader.repeated)
        }
    }
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    budget: Budget,
    repeated: Vec<Unreadable>,
}

type Read<T> = Result<T, Unreadable>;

impl Reader<'_> {
    fn document(&mut self) -> Read<Node> {
        // section 8.1: implementations MUST NOT add a byte order mark
        if self.text.starts_with('\u{feff}') {
            return Err(self.fault(
                0,
                3,
                "a byte order mark before the JSON text",
                "save the file as UTF-8 without a byte order mark",
            ));
        }
        self.space();
        let node = self.value(0)?;
        self.space();
        if self.at < self.text.len() {
            return Err(self
                .here("something follows the JSON text", "a file holds one JSON text and nothing after it"));
        }
        Ok(node)
    }

    fn value(&mut self, depth: usize) -> Read<Node> {
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err(self.here("nested too deeply", "no more than 128 levels are read"));
        }
        if !self.budget.take(1) {
            return Err(self.here("too many nodes", "split the document"));
        }
        let value =
            match self.peek() {
                Some(b'{') => self.object(depth)?,
                Some(b'[') => self.array(depth)?,
                Some(b'"') => Value::String(self.string()?),
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.word("true", Value::Bool(true))?,
                Some(b'f') => self.word("false", Value::Bool(false))?,
                Some(b'n') => self.word("null", Value::Null)?,
                Some(_) => return Err(self.here(
                    "this is not a JSON value",
                    "JSON has objects, arrays, strings in double quotes, numbers, `true`, `false` and `null`",
                )),
                None => {
                    return Err(self
                        .here("the file ends where a value should stand", "add the value that is missing"));
                }
            };
        Ok(Node { place: self.place(start, self.at), value })
    }

    fn object(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut members = Vec::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Value::Object(Object::default()));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.member_expected(members.is_empty()));
            }
            let key = self.string()?;
            let key_place = self.place(start, self.at);
            self.space();
            if !self.eat(b':') {
                return Err(
                    self.here("a colon should stand here", "write `:` between a member's name and its value")
                );
            }
            self.space();
            let node = self.value(depth + 1)?;
            members.push(Member { key, key_place, node });
            self.space();
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return Err(self.here("a comma or `}` should stand here", "write `,` between members"));
            }
        }
        let (object, repeated) = Object::new(members);
        for (member, first) in repeated {
            self.repeated.push(Unreadable::repeated(&member, first));
        }
        Ok(Value::Object(object))
    }

    fn member_expected(&self, first: bool) -> Unreadable {
        match self.peek() {
            Some(b'}') if !first => {
                self.here("a comma before `}`", "JSON has no trailing commas: remove the comma before it")
            }
            None => self.here("the file ends inside an object", "close it with `}`"),
            _ => self.here("a member's name should stand here", "names stand in double quotes"),
        }
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            if self.peek() == Some(b']') {
                return Err(self
                    .here("a comma before `]`", "JSON has no trailing commas: remove the comma before it"));
            }
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.here("a comma or `]` should stand here", "write `,` between items"));
            }
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.here(
            "this is not a JSON value",
            "strings stand in double quotes; the bare words are `true`, `false` and `null`",
        ))
    }

    /// Section 6: `[ minus ] int [ frac ] [ exp ]`.
    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        self.eat(b'-');
        let whole = self.digits();
        let leading_zero = whole > 1 && self.text.as_bytes().get(self.at - whole) == Some(&b'0');
        let mut sound = whole > 0 && !leading_zero;
        if self.eat(b'.') {
            sound &= self.digits() > 0;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            sound &= self.digits() > 0;
        }
        if !sound {
            return Err(self.fault(
                start,
                self.at,
                "this is not a JSON number",
                "no leading zeros, and digits on both sides of the point",
            ));
        }
        Ok(Value::Number(self.text.get(start..self.at).unwrap_or_default().into()))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    /// Section 7.
    fn string(&mut self) -> Read<Box<str>> {
        self.at += 1;
        let start = self.at;
        let plain = self.rest().bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
        self.at += plain.unwrap_or(self.text.len() - self.at);
        let mut text = String::from(self.text.get(start..self.at).unwrap_or_default());
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(byte) if byte < 0x20 => {
                    return Err(self.here(
                        "a control character inside a string",
                        "write it as an escape, such as `\\n`",
                    ));
                }
                Some(_) => {
                    let run =
                        self.rest().bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
                    let end = self.at + run.unwrap_or(self.text.len() - self.at);
                    text.push_str(self.text.get(self.at..end).unwrap_or_default());
                    self.at = end;
                }
                None => {
                    return Err(self.fault(
                        start.saturating_sub(1),
                        self.at,
                        "this string does not end",
                        "close it with a double quote",
                    ));
                }
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => {
                self.at = start + 1;
                return Err(self.fault(start, start + 1, "JSON has no such escape", "the escapes are `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t` and `\\u` with four hexadecimal digits"));
            }
        })
    }

    fn unicode(&mut self, start: usize) -> Read<char> {
        let first = self.hex(start)?;
        let code = match first {
            0xd800..=0xdbff => {
                let second = if self.rest().starts_with("\\u") {
                    self.at += 2;
                    self.hex(start)?
                } else {
                    0
                };
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.lone_surrogate(start));
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.lone_surrogate(start))
    }

    fn lone_surrogate(&self, start: usize) -> Unreadable {
        self.fault(
            start,
            self.at,
            "half of a surrogate pair",
            "characters beyond U+FFFF are two escapes, `\\ud83d\\ude00`, or the character itself",
        )
    }

    fn hex(&mut self, start: usize) -> Read<u32> {
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(code) = code else {
            return Err(self.fault(
                start,
                self.at,
                "`\\u` needs four hexadecimal digits",
                "such as `\\u00e9`",
            ));
        };
        self.at += 4;
        Ok(code)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn place(&self, start: usize, end: usize) -> Place {
        Place { file: self.file, span: Span::new(start, end) }
    }

    fn here(&self, message: &str, help: &str) -> Unreadable {
        let end = self.at + self.rest().chars().next().map_or(0, char::len_utf8);
        self.fault(self.at, end, message, help)
    }

    fn fault(&self, start: usize, end: usize, message: &str, help: &str) -> Unreadable {
        let end =
            (end.max(start)..=self.text.len()).find(|end| self.text.is_char_boundary(*end)).unwrap_or(start);
        Unreadable { place: self.place(start, end), message: message.into(), help: help.into(), first: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (String, std::ops::Range<usize>) {
        let mut faults = read(FileId(0), text).unwrap_err();
        let fault = faults.remove(0);
        (fault.message, fault.place.span.range())
    }

    #[test]
    fn reads_values_exactly() {
        let text = r#" {"a": [1, -2.50e+3, 18446744073709551616], "b": "x\u00e9\ud83d\ude00\n", "c": {}, "d": null} "#;
        let node = read(FileId(0), text).unwrap();
        assert_eq!(
            node.to_string(),
            r#"{"a":[1,-2.50e+3,18446744073709551616],"b":"xé😀\n","c":{},"d":null}"#
        );
        let b = node.get("b").unwrap();
        assert_eq!(text.get(b.place.span.range()), Some(r#""x\u00e9\ud83d\ude00\n""#));
    }

    #[test]
    fn faults_stand_at_their_exact_place() {
        assert_eq!(fault(r#"{"a": 1,}"#), ("a comma before `}`".into(), 8..9));
        assert_eq!(fault("[1,]"), ("a comma before `]`".into(), 3..4));
        assert_eq!(fault("{} x"), ("something follows the JSON text".into(), 3..4));
        assert_eq!(fault("\u{feff}{}"), ("a byte order mark before the JSON text".into(), 0..3));
        assert_eq!(fault(r#"["\x"]"#), ("JSON has no such escape".into(), 2..3));
        assert_eq!(fault(r#"["\ud800"]"#), ("half of a surrogate pair".into(), 2..8));
        assert_eq!(fault(r#"["\udc00"]"#).0, "half of a surrogate pair");
        assert_eq!(fault("[01]"), ("this is not a JSON number".into(), 1..3));
        assert_eq!(fault("[1.]").0, "this is not a JSON number");
        assert_eq!(fault("[.5]").0, "this is not a JSON value");
        assert_eq!(fault("[NaN]").0, "this is not a JSON value");
        assert_eq!(fault("['a']").0, "this is not a JSON value");
        assert_eq!(fault("[\"a\nb\"]").0, "a control character inside a string");
        assert_eq!(fault("[\"a").0, "this string does not end");
        assert_eq!(fault("{").0, "the file ends inside an object");
        assert_eq!(fault("").0, "the file ends where a value should stand");
    }

    #[test]
    fn repeated_members_are_all_named() {
        let faults = read(FileId(0), r#"{"a": 1, "b": {"c": 1, "c": 2}, "a": 2}"#).unwrap_err();
        assert_eq!(faults.len(), 2);
        assert!(faults.iter().all(|fault| fault.first.is_some()));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(fault(&deep).0, "nested too deeply");
        let fine = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(read(FileId(0), &fine).is_ok());
    }
}
