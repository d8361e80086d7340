//! Repetitions at the edges of a pattern that is found anywhere in a text: `^arn:.{1,2000}` is found where `^arn:.` is.
//!
//! 1. At an edge that nothing holds (`^`, `$`, `\b`), what may follow or go before is not looked at, so only as many are
//!    needed as there must be: `x{2,9}` is `x{2}`, and `x*` is nothing.
//! 2. What is nothing leaves the edge to what stands beside it.
//! 3. Each alternative has the edges of the whole; where one is nothing, nothing is needed.

use regex_syntax::hir::{Hir, HirKind, Repetition};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    First,
    Last,
}

/// The pattern without what its edges need not match; `None` where it is no pattern of the engine.
pub(super) fn trimmed(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    Some(trim(trim(hir, Edge::Last), Edge::First).to_string())
}

/// The parser bounds how deep a pattern nests, and so this.
fn trim(hir: Hir, edge: Edge) -> Hir {
    match hir.into_kind() {
        HirKind::Repetition(repetition) => least(repetition, edge),
        // nothing is captured
        HirKind::Capture(capture) => trim(*capture.sub, edge),
        HirKind::Alternation(all) => one_of(all.into_iter().map(|one| trim(one, edge)).collect()),
        HirKind::Concat(all) => sequence(all, edge),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
    }
}

/// Rule 1.
fn least(repetition: Repetition, edge: Edge) -> Hir {
    match repetition.min {
        0 => Hir::empty(),
        1 => trim(*repetition.sub, edge),
        min => Hir::repetition(Repetition { max: Some(min), ..repetition }),
    }
}

/// Rule 3.
fn one_of(all: Vec<Hir>) -> Hir {
    match all.iter().any(|one| *one.kind() == HirKind::Empty) {
        true => Hir::empty(),
        false => Hir::alternation(all),
    }
}

/// Rule 2.
fn sequence(mut all: Vec<Hir>, edge: Edge) -> Hir {
    loop {
        let at = if edge == Edge::First { 0 } else { all.len().saturating_sub(1) };
        if all.is_empty() {
            return Hir::empty();
        }
        let outer = trim(all.remove(at), edge);
        if *outer.kind() != HirKind::Empty {
            all.insert(at, outer);
            return Hir::concat(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_stays_at_an_edge() {
        for (pattern, meant) in [
            ("^a.{1,2000}", "(?:\\Aa[^\\n])"),
            ("a{2,9}", "(?:(?:a){2})"),
            ("^a+b{0,3}(c|d*)", "(?:\\Aa)"),
            ("^a{1,9}$", "(?:\\A(?:a){1,9}\\z)"),
            ("x*ab?$", "(?:a(?:b)?\\z)"),
            ("(a{2,3})+|^b*c", "(?:(?:a){2}|\\Ab*c)"),
            ("a*", ""),
        ] {
            let shown = |text: &str| regex_syntax::parse(text).unwrap();
            assert_eq!(shown(&trimmed(pattern).unwrap()), shown(meant), "{pattern}");
        }
    }

    #[test]
    fn the_same_texts_match() {
        let pieces = ["a", "b*", "(a|bc?)", "c{1,3}", "[ab]+", "(ab?){2,3}", "(^|b)?", "$", "\\b"];
        let mut texts = vec![String::new()];
        for length in 0..5 {
            let longest = texts.iter().filter(|text| text.len() == length).cloned().collect::<Vec<_>>();
            texts.extend(longest.iter().flat_map(|text| ["a", "b", "c"].map(|more| format!("{text}{more}"))));
        }
        let pairs = pieces.iter().flat_map(|one| pieces.map(|other| format!("{one}{other}")));
        for pattern in pairs.flat_map(|pair| pieces.map(|third| format!("{pair}{third}"))) {
            let short = trimmed(&pattern).unwrap();
            let [whole, short] = [&pattern, &short].map(|text| regex::Regex::new(text).unwrap());
            for text in &texts {
                assert_eq!(whole.is_match(text), short.is_match(text), "{pattern} or {short} of {text:?}");
            }
        }
    }
}
