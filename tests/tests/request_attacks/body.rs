//! The bodies of recipes, made from the good one.

use serde_json::{Map, Value, json};

/// The good body as text.
pub fn good() -> String {
    json!({ "title": "tea", "priority": 2 }).to_string()
}

/// A body as the list describes it.
pub fn body(recipe: &Value) -> Vec<u8> {
    match recipe {
        Value::String(text) if text == "$valid" => good().into_bytes(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(members) => described(members),
        other => panic!("what is the body {other}?"),
    }
}

fn described(members: &Map<String, Value>) -> Vec<u8> {
    let number = |name: &str| usize::try_from(members[name].as_u64().unwrap()).unwrap();
    let (first, argument) = members.iter().find(|(name, _)| *name != "n").expect("an operation");
    assert!(members.keys().all(|name| name == first || name == "n"), "one operation: {members:?}");
    let text = || argument.as_str().expect("text");
    let good = good();
    let inside = good.strip_suffix('}').unwrap();
    match first.as_str() {
        "text" => text().into(),
        "wrap" => [argument[0].as_str().unwrap(), &good, argument[1].as_str().unwrap()].concat().into(),
        "append" => format!("{inside}{}}}", text()).into(),
        "append_hex" => [inside.as_bytes(), &hex(text()), b"}"].concat(),
        "encode" => encode(&good, text()),
        "deep" => match text() {
            "[" => "[".repeat(number("n")).into(),
            "{" => "{\"a\":".repeat(number("n")).into(),
            other => panic!("how deep is {other:?}?"),
        },
        "big" => {
            let length = usize::try_from(argument.as_u64().unwrap()).unwrap();
            json!({ "title": "a".repeat(length), "priority": 2 }).to_string().into()
        }
        "keys" => {
            let keys: String = (0..argument.as_u64().unwrap()).map(|n| format!(",\"k{n}\":0")).collect();
            format!("{inside}{keys}}}").into()
        }
        "bomb" => match text() {
            "gzip" => bomb(number("n")),
            other => panic!("no bomb of {other:?}"),
        },
        "dup_first" => format!("{inside},\"title\":{}}}", text()).into(),
        "dup_first_escaped" => format!("{inside},\"\\u0074itle\":\"cake\"}}").into(),
        "field_type" => json!(retyped(text())).to_string().into(),
        other => panic!("what is the body {other:?}?"),
    }
}

/// The good body with one member of another type.
fn retyped(change: &str) -> Value {
    let (name, value) = match change {
        "int->string" => ("priority", json!("2")),
        "int->float" => ("priority", json!(1.5)),
        "int->bool" => ("priority", json!(true)),
        "int->null" => ("priority", json!(null)),
        "int->huge" => ("priority", json!(u64::MAX)),
        "any->array" => ("title", json!(["tea"])),
        "any->object" => ("title", json!({ "a": "tea" })),
        "any->null" => ("title", json!(null)),
        "string->number" => ("title", json!(7)),
        "string->bool" => ("title", json!(true)),
        "string->nul" => ("title", json!("a\u{0}b")),
        "string->long" => ("title", json!("a".repeat(100_000))),
        other => panic!("what changes by {other:?}?"),
    };
    let mut body: Value = serde_json::from_str(&good()).unwrap();
    body[name] = value;
    body
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn encode(text: &str, encoding: &str) -> Vec<u8> {
    let units = || text.encode_utf16();
    match encoding {
        "utf-8-sig" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        "utf-16-le" => units().flat_map(u16::to_le_bytes).collect(),
        "utf-16-be" => units().flat_map(u16::to_be_bytes).collect(),
        "utf-16" => [0xfeff].into_iter().chain(units()).flat_map(u16::to_le_bytes).collect(),
        "utf-32" => {
            [0xfeff].into_iter().chain(text.chars().map(u32::from)).flat_map(u32::to_le_bytes).collect()
        }
        "latin-1" => text.chars().map(|letter| u8::try_from(letter).unwrap()).collect(),
        other => panic!("no encoding {other:?}"),
    }
}

/// So many spaces, compressed (RFC 1951 with its fixed codes, RFC 1952 around it).
fn bomb(length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(0b011, 3); // the last block, fixed codes
    bits.code(0x30 + u32::from(b' '), 8);
    for _ in 0..length / 258 {
        bits.code(0b1100_0101, 8); // 258 bytes more...
        bits.code(0, 5); // ...of what was one byte ago
    }
    bits.code(0, 7); // the end
    // neither checksum nor length: who reads that far has swallowed it all
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff][..], &bits.bytes, &[0; 8]].concat()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    /// The lowest bit first.
    fn push(&mut self, value: u32, count: usize) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::from(value >> bit & 1 == 1) << (self.used % 8);
            self.used += 1;
        }
    }

    /// A code: its highest bit first.
    fn code(&mut self, value: u32, count: usize) {
        (0..count).rev().for_each(|bit| self.push(value >> bit & 1, 1));
    }
}
