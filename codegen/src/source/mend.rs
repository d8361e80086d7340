//! Lines that stand too far to the left, in quoted text and between brackets.
//!
//! YAML 1.2 asks that they are indented deeper than what they belong to (sections 7.3 and 7.4); most readers do not, and
//! real documents rely on it. White space means nothing in these places, so the lines are moved to the right before the
//! text is read again: every reader that takes them at all understands the same.

use std::borrow::Cow;

use super::yaml::ScanFault;

/// Lines that are moved before the fault is reported as it is.
const MOST: usize = 400;
/// Characters that are read again for them, all rounds together.
const MOST_READ: usize = 100 << 20;
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
}

impl<'t> Mended<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), moved: Vec::new(), rounds: 0 }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Moves the lines that a fault is about. `false` when it is not about such lines, or they are too many.
    pub(super) fn mend(&mut self, fault: ScanFault) -> bool {
        self.rounds += 1;
        if self.moved.len() >= MOST || self.rounds.saturating_mul(self.text.len()) > MOST_READ {
            return false;
        }
        let starts = match fault {
            ScanFault::ShallowFlow { at } => vec![line_start(&self.text, at)],
            ScanFault::ShallowQuote { at } => continued_lines(&self.text, at),
        };
        // from the end, so that the earlier positions stay right
        let mut mended = false;
        for start in starts.into_iter().rev() {
            let chars = self.text.get(..start).map_or(0, |before| before.chars().count());
            if self.moved.contains(&chars) {
                continue;
            }
            mended = true;
            for later in self.moved.iter_mut().filter(|later| **later > chars) {
                *later += SHIFT.len();
            }
            self.moved.push(chars);
            self.text.to_mut().insert_str(start, SHIFT);
        }
        self.moved.sort_unstable();
        mended
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
