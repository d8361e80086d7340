//! Lines that stand too far to the left, in quoted text and between brackets; and tabs before values.
//!
//! YAML 1.2 asks that they are indented deeper than what they belong to (sections 7.3 and 7.4); most readers do not, and
//! real documents rely on it. White space means nothing in these places, so the lines are moved to the right before the
//! text is read again: every reader that takes them at all understands the same.
//!
//! Between a colon and its value on the line of its key a tab is white space as good as another (`s-separate-in-line`, section
//! 6.2), which the scanner takes before some values and not before those that begin with a letter: spaces stand in for it.

use std::borrow::Cow;

use super::yaml::ScanFault;

/// Lines that are moved before the fault is reported as it is.
const MOST: usize = 10_000;
/// Bytes that are read again for them, all rounds together.
const MOST_READ: usize = 100 << 20;
/// How often the text is read again.
const MOST_ROUNDS: usize = 50;
/// How far a line is moved: deeper than anything that is read is nested.
const SHIFT: &str = match std::str::from_utf8(&[b' '; 256]) {
    Ok(blank) => blank,
    Err(_) => " ",
};

/// A text whose lines were moved, and where each of its characters stood.
#[derive(Debug)]
pub(super) struct Mended<'t> {
    text: Cow<'t, str>,
    /// Where something was put in, in characters of the mended text, in order.
    moved: Vec<usize>,
    rounds: usize,
    /// How often it is read again for tabs.
    tabs: usize,
}

impl<'t> Mended<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), moved: Vec::new(), rounds: 0, tabs: 0 }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Moves the lines that a fault is about, or takes a tab out. `false` when it is not about such, or they are too many.
    pub(super) fn mend(&mut self, fault: ScanFault) -> bool {
        match fault {
            ScanFault::Tab { .. } => self.tabs += 1,
            _ => self.rounds += 1,
        }
        if self.moved.len() >= MOST
            || self.rounds > MOST_ROUNDS
            || (self.rounds + self.tabs).saturating_mul(self.text.len()) > MOST_READ
        {
            return false;
        }
        let starts = match fault {
            ScanFault::Tab { at } => return self.separate(at),
            ScanFault::ShallowFlow { from, at } => lines_to_the_end(&self.text, from, at),
            ScanFault::ShallowQuote { at } => continued_lines(&self.text, at),
        };
        self.shift(&starts)
    }

    /// Puts spaces for the tabs before the value that starts at this byte: as many, so that nothing moves. `false` behind a colon
    /// that begins its line, where the value could be a block, which tabs do not indent (YAML 1.2 section 6.1).
    fn separate(&mut self, at: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default();
        let colon = before.trim_end_matches([' ', '\t']);
        let key = colon.strip_suffix(':').and_then(|key| key.get(line_start(colon, colon.len())..));
        let has_key = key.is_some_and(|key| !key.trim().is_empty());
        let range = colon.len()..at;
        if !has_key || !before.get(range.clone()).is_some_and(|blank| blank.contains('\t')) {
            return false;
        }
        let spaces = " ".repeat(range.len());
        self.text.to_mut().replace_range(range, &spaces);
        true
    }

    /// Moves the lines that start at these bytes, in order. `false` when all of them were moved before.
    fn shift(&mut self, starts: &[usize]) -> bool {
        let mut text = String::with_capacity(self.text.len() + starts.len() * SHIFT.len());
        let (mut read, mut chars) = (0, 0);
        let mut new = Vec::with_capacity(starts.len());
        for start in starts {
            let Some(part) = self.text.get(read..*start) else { continue };
            (read, chars) = (*start, chars + part.chars().count());
            text.push_str(part);
            if self.moved.binary_search(&chars).is_err() {
                text.push_str(SHIFT);
                new.push(chars);
            }
        }
        text.push_str(self.text.get(read..).unwrap_or_default());
        if new.is_empty() {
            return false;
        }
        // both lists count in the text as it was; what is put in before a place moves it
        let shifted = |place: &usize| place + SHIFT.len() * new.partition_point(|start| start < place);
        let mut moved: Vec<usize> = self.moved.iter().chain(&new).map(shifted).collect();
        moved.sort_unstable();
        self.moved = moved;
        self.text = Cow::Owned(text);
        true
    }

    /// Where the character at `index` of the mended text stands in the original.
    pub(super) fn original(&self, index: usize) -> usize {
        let before = self.moved.partition_point(|start| *start < index);
        let last = before.checked_sub(1).and_then(|at| self.moved.get(at));
        // inside of what was put in
        let inside = last.map_or(0, |start| SHIFT.len() - (index - start).min(SHIFT.len()));
        (index + inside).saturating_sub(before * SHIFT.len())
    }
}

/// The starts of the lines from that of `at` to where the brackets that open at `from` are closed, without empty ones.
/// None when they are never closed: then the fault is another.
fn lines_to_the_end(text: &str, from: usize, at: usize) -> Vec<usize> {
    let mut starts = vec![line_start(text, at)];
    let mut open = 0_usize;
    let mut before = ' ';
    let mut chars = text.get(from..).unwrap_or_default().char_indices().peekable();
    while let Some((offset, char)) = chars.next() {
        match char {
            '[' | '{' => open += 1,
            ']' | '}' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return starts;
                }
            }
            '\n' => {
                let start = from + offset + 1;
                let blank = matches!(chars.peek(), None | Some((_, '\n' | '\r')));
                if start > at && !blank {
                    starts.push(start);
                }
            }
            '#' if text.get(..from + offset).is_some_and(|text| text.ends_with([' ', '\t', '\n'])) => {
                while chars.next_if(|(_, char)| *char != '\n').is_some() {}
            }
            // elsewhere it is a part of plain text: `it's`
            '"' | '\'' if matches!(before, '[' | '{' | ',' | ':') => {
                while let Some((_, inner)) = chars.next() {
                    if inner == '\\' && char == '"' {
                        chars.next();
                    } else if inner == char {
                        break;
                    }
                }
            }
            _ => {}
        }
        if !char.is_whitespace() {
            before = char;
        }
    }
    Vec::new()
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// The starts of the lines that the quoted text at `at` goes on in, without empty ones.
fn continued_lines(text: &str, at: usize) -> Vec<usize> {
    let mut starts = Vec::new();
    let rest = text.get(at..).unwrap_or_default();
    let mut chars = rest.char_indices().peekable();
    let Some((_, quote)) = chars.next() else { return starts };
    while let Some((offset, char)) = chars.next() {
        match char {
            '\\' if quote == '"' => drop(chars.next_if(|(_, next)| *next != '\n')),
            '\'' if quote == '\'' && chars.next_if(|(_, next)| *next == '\'').is_some() => {}
            '\n' => {
                let line = rest.get(offset + 1..).unwrap_or_default();
                let blank = line.trim_start_matches([' ', '\t']).starts_with(['\n', '\r']);
                if !blank {
                    starts.push(at + offset + 1);
                }
            }
            _ if char == quote => break,
            _ => {}
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use crate::source::span::FileId;
    use crate::source::yaml::read;

    fn read_text(text: &str) -> String {
        read(FileId(0), text).unwrap().to_string()
    }

    #[test]
    fn what_stands_too_far_left_is_read_as_others_read_it() {
        let flow = "a:\n  - b: {\n  \"c\": [\n1,\n 2\n]\n}\nd: 1\n";
        assert_eq!(read_text(flow), r#"{"a":[{"b":{"c":[1,2]}}],"d":1}"#);
        let quoted = "a:\n  b: 'one\n  two\n\n  it''s\n  three'\n  c: \"x\n\\\"y\"\n";
        assert_eq!(read_text(quoted), r#"{"a":{"b":"one two\nit's three","c":"x \"y"}}"#);
    }

    #[test]
    fn places_are_those_of_the_file() {
        let text = "ä: {\n\"b\": 'ü\nx', c: [\n1\n]\n}\nlast: 3\n";
        let node = read(FileId(0), &format!("top:\n  {}", text.replace("\nlast", "\n  last"))).unwrap();
        let top = node.get("top").unwrap();
        let file = format!("top:\n  {}", text.replace("\nlast", "\n  last"));
        let at = |node: &crate::source::tree::Node| file.get(node.place.span.range()).unwrap().to_owned();
        assert_eq!(at(top.get("last").unwrap()), "3");
        assert_eq!(at(top.get("ä").and_then(|a| a.get("b")).unwrap()), "'ü\nx'");
        assert_eq!(at(&top.get("ä").and_then(|a| a.get("c")).unwrap().as_array().unwrap()[0]), "1");
    }

    /// YAML 1.2 section 6.2, and the cases of tabs of the YAML test suite (6BCT, Y79Y).
    #[test]
    fn tabs_separate_a_value_from_its_colon() {
        for (text, json) in [
            ("a:\tb\n", r#"{"a":"b"}"#),
            ("a:\t b\nc: \td\ne:\t\tf\tg\n", r#"{"a":"b","c":"d","e":"f\tg"}"#),
            ("a:\n  b:\ttrue\n  c:\t-x\n  d:\t5\n", r#"{"a":{"b":true,"c":"-x","d":5}}"#),
            ("- a:\tb\n  c:\td\n", r#"[{"a":"b","c":"d"}]"#),
            ("{ a:\tb, \"c\":\td }\n", r#"{"a":"b","c":"d"}"#),
            ("a: |\n  b:\tc\nd: 'e:\tf'\n", r#"{"a":"b:\tc\n","d":"e:\tf"}"#),
        ] {
            assert_eq!(read_text(text), json, "{text:?}");
        }
        let many: String = (0..300).map(|at| format!("k{at}:\tvalue\n")).collect();
        assert_eq!(read_text(&many).matches("value").count(), 300);
        for wrong in ["a:\t- b\n", "-\t- b\n", "? a\n:\tb: c\n", "a:\tb: c\n", "g: h:\ti\n", "a:\n\tb: c\n"] {
            assert!(read(FileId(0), wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn blocks_that_are_misaligned_stay_faults() {
        for wrong in ["a:\n    b: 1\n  c: 2\n", "a:\n  - b\n - c\n", "a: [1,\nb: 2\n", "a: 'x\ny\n"] {
            assert!(read(FileId(0), wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn text_without_end_ends() {
        let text = format!("a:\n  b: [\n{}", "1,\n".repeat(600));
        assert!(read(FileId(0), &text).is_err());
    }
}
