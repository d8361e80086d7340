//! Texts that match a pattern, from the pattern's own syntax tree. Assertions are not solved: whoever asks tests each
//! text, and takes the next one when it does not match.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// No text grows beyond this.
const LONGEST: usize = 1 << 16;

/// Texts that probably match `translated` and have at least `shortest` characters, the short ones first. Each `turn`
/// gives others.
pub(super) fn texts(translated: &str, shortest: usize, turn: usize) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(translated) else { return Vec::new() };
    let extras = (0..8).chain([12, 16, 24, 32, shortest, shortest.saturating_add(1)]);
    let mut texts = Vec::new();
    for extra in extras.filter(|extra| *extra < LONGEST) {
        let mut text = String::new();
        write(&hir, extra, turn, &mut text);
        let missing = shortest.saturating_sub(text.chars().count());
        if missing > 0 && missing < LONGEST {
            // Where the pattern does not hold both ends, more text may stand beside it.
            let more = "a".repeat(missing);
            texts.push(format!("{text}{more}"));
            texts.push(format!("{more}{text}"));
        } else {
            texts.push(text);
        }
    }
    texts.dedup();
    texts
}

fn write(hir: &Hir, extra: usize, turn: usize, out: &mut String) {
    if out.len() > LONGEST {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(character(class, turn)),
        HirKind::Repetition(repetition) => repeat(repetition, extra, turn, out),
        HirKind::Capture(capture) => write(&capture.sub, extra, turn, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, extra, turn, out)),
        HirKind::Alternation(branches) => {
            if let Some(branch) = branches.get(turn % branches.len().max(1)) {
                write(branch, extra, turn / branches.len().max(1), out);
            }
        }
    }
}

fn repeat(repetition: &Repetition, extra: usize, turn: usize, out: &mut String) {
    let min = repetition.min as usize;
    let most = repetition.max.map_or(usize::MAX, |max| max as usize);
    for _ in 0..min.saturating_add(extra).min(most) {
        if out.len() > LONGEST {
            return;
        }
        write(&repetition.sub, extra, turn, out);
    }
}

/// A character of the class: a letter or digit if it has any.
fn character(class: &Class, turn: usize) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let has = |one: char| class.ranges().iter().any(|range| range.start() <= one && one <= range.end());
    let readable: Vec<char> = ('a'..='z').chain('0'..='9').chain('A'..='Z').filter(|one| has(*one)).collect();
    let printable = (' '..='~').find(|one| has(*one));
    let any = class.ranges().iter().map(|range| range.start()).find(|one| !one.is_control());
    readable.get(turn % readable.len().max(1)).copied().or(printable).or(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_among_the_texts() {
        for (pattern, shortest) in [
            ("^[A-Z]{2}[0-9]{2}[A-Z0-9]+$", 15),
            ("^(?:EUR|USD)-[0-9]+$", 0),
            ("^[^\\x00-\\x1F\\x7F]*$", 3),
            ("[a-z]", 40),
            ("^\\p{Greek}+$", 2),
        ] {
            let regex = regex::Regex::new(pattern).unwrap();
            let fits = |text: &String| regex.is_match(text) && text.chars().count() >= shortest;
            for turn in 0..3 {
                assert!(texts(pattern, shortest, turn).iter().any(fits), "{pattern} {turn}");
            }
        }
    }

    #[test]
    fn a_large_pattern_stays_small() {
        let longest = texts("^(?:(?:a{0,1000}){0,1000}){0,1000}$", 1000, 0).iter().map(String::len).max();
        assert!(longest.unwrap_or_default() <= LONGEST + 1000);
    }
}
