//! [`from_json`]: a body's bytes into a type, or every violation.
//!
//! 1. The bytes are UTF-8 without a byte order mark (RFC 8259 section 8.1), and one JSON text.
//! 2. It is nowhere deeper than the document allows.
//! 3. The fast pass reads it straight into the type; the type's rules run over the result.
//! 4. Only if the fast pass refuses, the careful pass reads it again, decides, and tells every violation.

use super::member::{Rule, no_rule};
use super::{At, Check, Decode, Depth, Tree, Violations, parse};

/// Why a JSON text is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not one JSON text in UTF-8.
    Syntax,
    /// It is nested deeper than the document allows.
    TooDeep,
    /// It is not what the document says.
    Invalid(Violations),
    /// It has a token, beside the credential of `Authorization` (RFC 6750 section 2.2).
    SecondToken,
}

/// Reads a body.
///
/// # Errors
/// Why not, with every violation together.
pub fn from_json<T: Decode + Check>(bytes: &[u8], depth: usize) -> Result<T, Refused> {
    from_json_under(bytes, depth, no_rule)
}

/// The same for a body that has a rule beside those of its type.
///
/// # Errors
/// As [`from_json`].
pub(super) fn from_json_under<T: Decode + Check>(
    bytes: &[u8],
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::Syntax)?;
    let depth = Depth::of(depth);
    let Some(value) = fast(text, depth) else { return careful(text, depth, rule) };
    let mut out = Violations::of_read();
    rule(&value, &At::root(), &mut out);
    T::check(&value, &At::root(), &mut out);
    if out.is_empty() { Ok(value) } else { Err(Refused::Invalid(out)) }
}

/// Reads JSON texts, one a line, as the list that they are. The last line may have its end or not; none may be empty.
///
/// # Errors
/// As [`from_json`].
pub(super) fn from_lines<T: Decode>(bytes: &[u8], depth: usize, rule: Rule<T>) -> Result<T, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::Syntax)?;
    listed(text.split_terminator('\n').map(Some), depth, rule)
}

/// Reads JSON texts that stand between a record separator and a line feed each (RFC 7464 section 2.2). One without its end
/// may have been cut off (section 2.4), and is refused.
///
/// # Errors
/// As [`from_json`].
pub(super) fn from_sequence<T: Decode>(bytes: &[u8], depth: usize, rule: Rule<T>) -> Result<T, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::Syntax)?;
    let mut records = text.split('\x1e');
    match records.next() {
        Some("") | None => listed(records.map(|record| record.strip_suffix('\n')), depth, rule),
        Some(_) => Err(Refused::Syntax),
    }
}

/// The list of these JSON texts; `None` is none.
fn listed<'t, T: Decode>(
    texts: impl Iterator<Item = Option<&'t str>>,
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let depth = Depth::of(depth);
    let one = |text: Option<&'t str>| match text.ok_or(Refused::Syntax)? {
        text if depth.holds(text) => parse::parse(text).map_err(|_| Refused::Syntax),
        _ => Err(Refused::TooDeep),
    };
    finish(&Tree::List(texts.map(one).collect::<Result<_, _>>()?), rule)
}

/// Reads an answer that a document gives as its example, for handlers that are not written yet.
///
/// # Errors
/// As [`from_json`]: an example that does not conform is not sent.
pub fn decode_answer<T: Decode + Check>(text: &str) -> Result<T, Refused> {
    from_json(text.as_bytes(), usize::MAX)
}

/// What stands in for an absent member, as the document states it. `None`: it is no such value, and then nothing stands in:
/// the object is refused.
#[must_use]
pub fn from_default<T: Decode + Check>(text: &'static str) -> Option<T> {
    from_json(text.as_bytes(), usize::MAX).ok()
}

#[inline]
fn fast<T: Decode>(text: &str, depth: Depth) -> Option<T> {
    let mut from = serde_json::Deserializer::from_str(text);
    let value = T::decode(&mut from, depth).ok()?;
    from.end().ok()?;
    Some(value)
}

/// Out of line: it is not on the way of a good request.
#[cold]
#[inline(never)]
fn careful<T: Decode + Check>(text: &str, depth: Depth, rule: Rule<T>) -> Result<T, Refused> {
    if !depth.holds(text) {
        return Err(Refused::TooDeep);
    }
    let tree = parse::parse(text).map_err(|_| Refused::Syntax)?;
    finish(&tree, rule)
}

/// What a tree is, or every violation.
pub(super) fn finish<T: Decode>(tree: &Tree<'_>, rule: Rule<T>) -> Result<T, Refused> {
    let mut out = Violations::new();
    let value = T::collect(tree, &At::root(), &mut out);
    if let Some(value) = &value {
        rule(value, &At::root(), &mut out);
    }
    match value {
        Some(value) if out.is_empty() => Ok(value),
        None if out.is_empty() => {
            // No rule said why. It is refused all the same.
            out.push(&At::root(), "type", "is not what this operation declares");
            Err(Refused::Invalid(out))
        }
        _ => Err(Refused::Invalid(out)),
    }
}

/// JSON that stands in a part of a request, for the careful pass alone. `None`: not JSON, or too deep.
pub(crate) fn parse_tree(text: &str, depth: usize) -> Option<Tree<'_>> {
    Depth::of(depth).holds(text).then(|| parse::parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::Json;
    use super::super::sample::{Part, Transfer};
    use super::*;

    #[test]
    fn one_text_in_utf_8_and_nothing_around_it() {
        let read = |bytes: &[u8]| from_json::<Json>(bytes, 8);
        assert!(read(b" {\"a\" : 1 }\r\n\t ").is_ok());
        for bytes in [
            &b""[..],
            b" ",
            b"\xef\xbb\xbf{}",
            b"{}x",
            b"{} {}",
            b"{}\0",
            b"\"\xff\"",
            b"\"\xc0\xaf\"",
            b"\xff\xfe{\0}\0",
            b"{\"a\":1",
            b"//\n{}",
            b"NaN",
            b"\"\\ud800\"",
        ] {
            assert_eq!(read(bytes), Err(Refused::Syntax), "{bytes:?}");
        }
    }

    #[test]
    fn depth_is_counted_before_it_is_entered() {
        let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert!(from_json::<Json>(&nested(8), 8).is_ok());
        assert_eq!(from_json::<Json>(&nested(9), 8), Err(Refused::TooDeep));
        assert!(from_json::<Json>(&nested(127), usize::MAX).is_ok());
        assert_eq!(from_json::<Json>(&nested(128), usize::MAX), Err(Refused::TooDeep));
        for open in [&b"["[..], b"{\"a\":", b"[{\"\":"] {
            assert_eq!(from_json::<Json>(&open.repeat(100_000), 32), Err(Refused::TooDeep));
            assert_eq!(from_json::<Transfer>(&open.repeat(100_000), 32), Err(Refused::TooDeep));
        }
        // Where the type is shallow and the text is not, and inside what an open object drops.
        assert_eq!(from_json::<i64>(&nested(3), 2), Err(Refused::TooDeep));
        assert_eq!(from_json::<Part>(b"{\"share\":1,\"x\":[[1]]}", 2), Err(Refused::TooDeep));
        assert!(from_json::<Part>(b"{\"share\":1,\"x\":[[1]]}", 3).is_ok());
        let deep = |levels: usize| {
            format!("{}{{\"share\":1}}{}", "{\"share\":1,\"inner\":".repeat(levels), "}".repeat(levels))
        };
        assert!(from_json::<Part>(deep(31).as_bytes(), 32).is_ok());
        assert_eq!(from_json::<Part>(deep(32).as_bytes(), 32), Err(Refused::TooDeep));
    }

    #[test]
    fn a_text_a_line() {
        let read = |text: &str| from_lines::<Vec<i64>>(text.as_bytes(), 1, no_rule);
        for (text, list) in
            [("", vec![]), ("1", vec![1]), ("1\n2\n", vec![1, 2]), ("1\r\n 2.0 \r\n", vec![1, 2])]
        {
            assert_eq!(read(text), Ok(list), "{text:?}");
        }
        for text in ["\n", "1\n\n2", "1\n\n", "1,2", "1 2", "[1", "1\n]", "\u{feff}1"] {
            assert_eq!(read(text), Err(Refused::Syntax), "{text:?}");
        }
        assert_eq!(read("1\n[[2]]"), Err(Refused::TooDeep));
        let Err(Refused::Invalid(found)) = read("1\nx".replace('x', "true").as_str()) else { panic!() };
        assert_eq!(found.iter().map(|violation| violation.pointer.as_str()).collect::<Vec<_>>(), ["/1"]);
    }

    #[test]
    fn a_text_a_record() {
        let read = |text: &str| from_sequence::<Vec<i64>>(text.as_bytes(), 1, no_rule);
        for (text, list) in [("", vec![]), ("\x1e1\n", vec![1]), ("\x1e1\n\x1e 2 \n\n", vec![1, 2])] {
            assert_eq!(read(text), Ok(list), "{text:?}");
        }
        for text in
            ["1\n", "\n\x1e1\n", "\x1e1", "\x1e1\n\x1e2", "\x1e\n", "\x1e\x1e1\n", "\x1e1 2\n", "\x1e1\x1e\n"]
        {
            assert_eq!(read(text), Err(Refused::Syntax), "{text:?}");
        }
        assert_eq!(read("\x1e[[2]]\n"), Err(Refused::TooDeep));
    }

    #[test]
    fn a_great_many_members_are_refused_quickly() {
        let members: Vec<String> = (0..50_000).map(|index| format!("\"k{index}\":0")).collect();
        let body = format!("{{{}}}", members.join(","));
        let Err(Refused::Invalid(found)) = from_json::<Transfer>(body.as_bytes(), 8) else { panic!() };
        assert_eq!(found.len(), 3, "two members are missing, and the object has others");
        let list = format!("[{}]", vec!["{}"; 50_000].join(","));
        let Err(Refused::Invalid(found)) = from_json::<Vec<Part>>(list.as_bytes(), 8) else { panic!() };
        assert!(found.is_full());
    }

    /// xorshift: the same mutations in every run.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % sides as u64).unwrap()
        }
    }

    fn mutated(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
        const BITS: &[&[u8]] = &[
            b"{",
            b"}",
            b"[",
            b"]",
            b"\"",
            b"\\",
            b",",
            b":",
            b"0",
            b"-",
            b".",
            b"e9",
            b"null",
            b"true",
            b"\\u0000",
            b"\\ud800",
            b"\xff",
            b"\0",
            b" ",
            b"1e400",
            b"18446744073709551616",
            b"\"to\":",
            b"\"amount\":1,",
            b"-0",
            b"\xc3\xa9",
        ];
        let mut bytes = seed.to_vec();
        for _ in 0..=dice.roll(4) {
            let place = dice.roll(bytes.len() + 1);
            match dice.roll(4) {
                0 => drop(bytes.splice(place..place, BITS[dice.roll(BITS.len())].iter().copied())),
                1 if place < bytes.len() => drop(bytes.remove(place)),
                2 if place < bytes.len() => bytes[place] = u8::try_from(dice.roll(256)).unwrap(),
                _ => bytes.truncate(place.max(bytes.len() / 2)),
            }
        }
        bytes
    }

    /// Nothing panics; the careful pass agrees with `serde_json` about what JSON is, but for what is stricter here.
    #[test]
    fn survives_mutations() {
        let seeds: [&[u8]; 3] = [
            br#"{"to":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6","amount":5,"note":null,"tags":["DE","FR"],"parts":[{"share":1}]}"#,
            br#"{"amount":1.0e2,"to":"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6","currency":"EUR","labels":{"a":1,"b":-2}}"#,
            br#"[{"share":0,"inner":{"share":3,"x":"\u00e9\ud83d\udca9"},"extra":[1,2.5,{"a":false}]},{"share":9}]"#,
        ];
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        for round in 0..6000 {
            let bytes = mutated(seeds[round % 3], &mut dice);
            let transfer = from_json::<Transfer>(&bytes, 8);
            let parts = from_json::<Vec<Part>>(&bytes, 8);
            let json = from_json::<Json>(&bytes, 8);
            let plain = serde_json::from_slice::<Json>(&bytes);
            match (&json, &plain) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{bytes:?}"),
                (Ok(_), Err(_)) => panic!("accepted what is not JSON: {bytes:?}"),
                (Err(Refused::Syntax), Ok(_)) => panic!("refused what is JSON: {bytes:?}"),
                (Err(_), _) => {}
            }
            assert!(
                json.is_ok()
                    || matches!(json, Err(Refused::Invalid(_)))
                    || (transfer.is_err() && parts.is_err())
            );
        }
    }

    #[test]
    fn examples_are_read_like_input() {
        assert_eq!(decode_answer::<Vec<i64>>("[1,2]"), Ok(vec![1, 2]));
        assert!(decode_answer::<Vec<i64>>("[\"1\"]").is_err());
    }
}
