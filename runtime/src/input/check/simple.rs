//! Patterns of the plain kind, `^[A-Z]{2}[0-9]+$`: matched byte by byte, without an automaton.
//!
//! Most patterns of real documents are a row of character classes with counts, anchored at both ends. Where the row can
//! be matched greedily without ever going back, a loop does it several times faster than the engine and needs no memory.
//! Whatever is not of that kind is left to the engine; [`Row::read`] takes nothing that it is not sure about.

/// A row of classes that the whole text must match.
#[derive(Debug)]
pub(super) struct Row {
    runs: Vec<Run>,
}

/// So many bytes of a class.
#[derive(Clone, Copy, Debug)]
struct Run {
    class: Class,
    min: usize,
    max: usize,
}

/// A set of bytes. What is not ASCII is in it whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Class {
    ascii: u128,
    beyond: bool,
}

impl Class {
    const EMPTY: Self = Self { ascii: 0, beyond: false };

    const fn has(self, byte: u8) -> bool {
        if byte < 0x80 { self.ascii >> byte & 1 == 1 } else { self.beyond }
    }

    const fn meets(self, other: Self) -> bool {
        self.ascii & other.ascii != 0 || (self.beyond && other.beyond)
    }

    const fn with(self, byte: u8) -> Self {
        Self { ascii: self.ascii | 1 << byte, ..self }
    }
}

impl Row {
    /// Whether the text is the row, from its first byte to its last.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut rest = text.as_bytes();
        for run in &self.runs {
            let reach = rest.get(..run.max).unwrap_or(rest);
            let taken = reach.iter().position(|byte| !run.class.has(*byte)).unwrap_or(reach.len());
            match rest.get(taken..) {
                Some(after) if taken >= run.min => rest = after,
                _ => return false,
            }
        }
        rest.is_empty()
    }

    /// Reads a pattern in the syntax of the `regex` crate. `None`: not of the plain kind.
    pub(super) fn read(pattern: &str) -> Option<Self> {
        let mut rest = pattern.strip_prefix('^')?.strip_suffix('$')?;
        let mut runs = Vec::new();
        while !rest.is_empty() {
            let (class, after) = class(rest)?;
            let (min, max, after) = count(after)?;
            // A character beyond ASCII has several bytes: it can be counted only where its number does not matter.
            if class.beyond && (min > 1 || max != usize::MAX) {
                return None;
            }
            runs.push(Run { class, min, max });
            rest = after;
        }
        Self::never_goes_back(&runs).then_some(Self { runs })
    }

    /// Taking as many as there are is right only if what follows could not have used one of them.
    fn never_goes_back(runs: &[Run]) -> bool {
        let mut left = runs;
        while let [run, following @ ..] = left {
            if run.min != run.max {
                for next in following {
                    if run.class.meets(next.class) {
                        return false;
                    }
                    if next.min > 0 {
                        break;
                    }
                }
            }
            left = following;
        }
        true
    }
}

/// One character or one `[..]`, and what comes after it.
fn class(text: &str) -> Option<(Class, &str)> {
    match text.strip_prefix('[') {
        Some(rest) => bracket(rest),
        None => {
            let (byte, after) = character(text)?;
            // What means something outside brackets is not a character of its own.
            let is_literal = text.starts_with('\\') || !b"^$.|?*+(){}]".contains(&byte);
            is_literal.then_some((Class::EMPTY.with(byte), after))
        }
    }
}

fn bracket(text: &str) -> Option<(Class, &str)> {
    let (negated, mut rest) = match text.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut class = Class::EMPTY;
    loop {
        if let Some(after) = rest.strip_prefix(']') {
            // An empty class is an error or the letter `]`, depending on whom one asks.
            let class = match negated {
                true => Class { ascii: !class.ascii, beyond: true },
                false => class,
            };
            return (class.ascii != 0).then_some((class, after));
        }
        let (first, after) = member(rest)?;
        let (last, after) = match after.strip_prefix('-') {
            Some(end) if !end.starts_with(']') => member(end)?,
            _ => (first, after),
        };
        if first > last {
            return None;
        }
        class = (first..=last).fold(class, Class::with);
        rest = after;
    }
}

/// A character inside brackets. Those with which the `regex` crate writes set operations are left to it.
fn member(text: &str) -> Option<(u8, &str)> {
    let (byte, after) = character(text)?;
    let is_literal =
        text.starts_with('\\') || (!b"[]^&~".contains(&byte) && (byte != b'-' || after.starts_with(']')));
    is_literal.then_some((byte, after))
}

/// An ASCII character: itself, escaped punctuation, or by its code.
fn character(text: &str) -> Option<(u8, &str)> {
    let (byte, after) = ascii(text)?;
    if byte != b'\\' {
        return Some((byte, after));
    }
    let (escaped, after) = ascii(after)?;
    match escaped {
        b'x' => after.strip_prefix('{').map_or_else(|| digits(after, 2), braced),
        b'u' => after.strip_prefix('{').map_or_else(|| digits(after, 4), braced),
        b't' => Some((b'\t', after)),
        b'n' => Some((b'\n', after)),
        b'r' => Some((b'\r', after)),
        _ => escaped
            .is_ascii_punctuation()
            .then_some((escaped, after))
            .filter(|(byte, _)| !b"<>".contains(byte)),
    }
}

fn ascii(text: &str) -> Option<(u8, &str)> {
    let byte = *text.as_bytes().first()?;
    byte.is_ascii().then_some((byte, text.get(1..)?))
}

fn braced(text: &str) -> Option<(u8, &str)> {
    let (code, after) = text.split_once('}')?;
    Some((code_of(code)?, after))
}

fn digits(text: &str, count: usize) -> Option<(u8, &str)> {
    let (code, after) = text.split_at_checked(count)?;
    Some((code_of(code)?, after))
}

fn code_of(code: &str) -> Option<u8> {
    let hexadecimal = code.bytes().all(|byte| byte.is_ascii_hexdigit());
    u8::from_str_radix(code, 16).ok().filter(|byte| hexadecimal && byte.is_ascii())
}

/// How often: from, to, and what comes after it.
fn count(text: &str) -> Option<(usize, usize, &str)> {
    let (min, max, after) = match text.as_bytes().first() {
        Some(b'*') => (0, usize::MAX, text.get(1..)?),
        Some(b'+') => (1, usize::MAX, text.get(1..)?),
        Some(b'?') => (0, 1, text.get(1..)?),
        Some(b'{') => {
            let (bounds, after) = text.get(1..)?.split_once('}')?;
            match bounds.split_once(',') {
                Some((min, "")) => (number(min)?, usize::MAX, after),
                Some((min, max)) => (number(min)?, number(max)?, after),
                None => (number(bounds)?, number(bounds)?, after),
            }
        }
        _ => return Some((1, 1, text)),
    };
    // A second mark makes the first lazy or counts the count.
    let marked = after.starts_with(['*', '+', '?', '{']);
    (min <= max && !marked).then_some((min, max, after))
}

fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    const PLAIN: &[&str] = &[
        "^[A-Z]{2}$",
        "^$",
        "^a$",
        "^REF-[0-9]{4}-[0-9]{6}$",
        "^[A-Za-z0-9._-]*$",
        "^[^\\u0000-\\u001F\\u007F]*$",
        "^[^\\x00-\\x1F\\x{7f}]+$",
        "^\\+?[1-9][0-9]{1,14}$",
        "^#[0-9a-f]{3,}$",
        "^[a-z]*[0-9]*-?$",
        "^a?b?c?$",
        "^[\\]\\-\\\\]{1,2}\\.$",
        "^[a-]+b{0,2}$",
        "^a\\/b@$",
        "^[ \\t\\n]+x$",
        "^x{0}$",
    ];

    const LEFT_TO_THE_ENGINE: &[&str] = &[
        "[A-Z]",
        "^a",
        "a$",
        "^(a)$",
        "^a|b$",
        "^.$",
        "^[a-z]+a$",
        "^a{1,2}a$",
        "^[a-c]?[0-9]*[c-d]$",
        "^a+?$",
        "^a{2}{3}$",
        "^\\d$",
        "^\\w+$",
        "^\\bx$",
        "^[[a-z]0]$",
        "^[a&&b]$",
        "^[a~~b]$",
        "^[a--b]$",
        "^é$",
        "^[à-ü]+$",
        "^[^a]{2}$",
        "^[^a]$",
        "^[]$",
        "^[z-a]$",
        "^[a-$",
        "^a{2,1}$",
        "^a{,2}$",
        "^a\\$",
        "^^a$",
        "^a$$",
        "^(?i)a$",
        "^\\<a$",
        "^[",
        "^\\x{80}$",
        "^a**$",
    ];

    #[test]
    fn reads_the_plain_kind_and_nothing_else() {
        for pattern in PLAIN {
            assert!(Row::read(pattern).is_some(), "{pattern}");
        }
        for pattern in LEFT_TO_THE_ENGINE {
            assert!(Row::read(pattern).is_none(), "{pattern}");
        }
    }

    /// Every text up to three characters of an alphabet that touches the classes above, and some longer ones.
    #[test]
    fn agrees_with_the_engine() {
        let alphabet =
            ["a", "b", "c", "x", "A", "0", "7", "-", ".", "+", "#", "]", "\\", "/", "@", "\n", "\u{7f}", "é"];
        let mut texts = vec![String::new()];
        let mut from = 0;
        for _ in 0..3 {
            let until = texts.len();
            for index in from..until {
                texts.extend(
                    alphabet.iter().map(|next| format!("{}{next}", texts[index])).collect::<Vec<_>>(),
                );
            }
            from = until;
        }
        texts.extend(
            ["REF-2026-000123", "REF-2026-00012", "+491701234567890", "#abcdef0", "AB", "ABC"]
                .map(String::from),
        );
        for pattern in PLAIN {
            let (row, engine) = (Row::read(pattern).unwrap(), Regex::new(pattern).unwrap());
            for text in &texts {
                assert_eq!(row.matches(text), engine.is_match(text), "{pattern} on {text:?}");
            }
        }
    }
}
