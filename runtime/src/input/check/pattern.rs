//! `pattern`: the document's expression, translated at generation to the engine that runs in linear time.

use std::fmt;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

use super::super::{At, Violations};
use super::simple::Row;

/// Largest compiled program. The generator compiled the same text with the same limit.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern of the document. Compiled once, when it is first asked.
pub struct Pattern {
    source: &'static str,
    translated: &'static str,
    around: &'static [(&'static str, bool)],
    engines: OnceLock<(Engine, Vec<(Engine, bool)>)>,
}

/// What a pattern is matched with.
enum Engine {
    /// A loop, where the pattern is of the plain kind.
    Row(Row),
    Regex(Regex),
    /// It does not compile: it cannot be checked, so it refuses.
    Nothing,
}

impl Pattern {
    /// A pattern as the document writes it (ECMA-262), and the same language for the `regex` crate.
    #[must_use]
    pub const fn new(source: &'static str, translated: &'static str) -> Self {
        Self::with_around(source, translated, &[])
    }

    /// With its look-around: patterns that are asked of the whole text, and whether they must match or must not.
    #[must_use]
    pub const fn with_around(
        source: &'static str,
        translated: &'static str,
        around: &'static [(&'static str, bool)],
    ) -> Self {
        Self { source, translated, around, engines: OnceLock::new() }
    }

    /// Whether it matches somewhere in `text` (JSON Schema does not anchor patterns).
    ///
    /// A pattern that does not compile matches nothing.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (engine, around) = self.engines.get_or_init(|| {
            let around = self.around.iter().map(|(translated, holds)| (Engine::of(translated), *holds));
            (Engine::of(self.translated), around.collect())
        });
        engine.matches(text) == Some(true)
            && around.iter().all(|(engine, holds)| engine.matches(text) == Some(*holds))
    }
}

impl Engine {
    /// `None`: it cannot say.
    fn matches(&self, text: &str) -> Option<bool> {
        match self {
            Self::Row(row) => Some(row.matches(text)),
            Self::Regex(regex) => Some(regex.is_match(text)),
            Self::Nothing => None,
        }
    }

    fn of(pattern: &str) -> Self {
        if let Some(row) = Row::read(pattern) {
            return Self::Row(row);
        }
        match RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build() {
            Ok(regex) => Self::Regex(regex),
            Err(_) => Self::Nothing,
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

/// `pattern`
#[inline]
pub fn pattern(text: &str, pattern: &'static Pattern, at: &At<'_>, out: &mut Violations) {
    if !pattern.matches(text) {
        out.push(at, "pattern", format!("must match the pattern `{}`", pattern.source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ANCHORED: Pattern = Pattern::new("^[A-Z]{2}$", "^[A-Z]{2}$");
    static SEARCH: Pattern = Pattern::new("b+", "b+");
    static BROKEN: Pattern = Pattern::new("(", "(");

    #[test]
    fn matches_as_json_schema_does() {
        assert!(ANCHORED.matches("DE") && !ANCHORED.matches("DEU") && !ANCHORED.matches("de"));
        assert!(!ANCHORED.matches("DE\n"), "`$` is the very end");
        assert!(SEARCH.matches("abbc") && !SEARCH.matches("ac"));
    }

    #[test]
    fn look_around_is_asked_of_the_whole_text() {
        static NAME: Pattern = Pattern::with_around("", "^[a-z]+$", &[("^(?:admin)", false), ("z", true)]);
        assert!(
            NAME.matches("buzz") && !NAME.matches("bus") && !NAME.matches("adminz") && !NAME.matches("Z")
        );
    }

    #[test]
    fn what_cannot_be_checked_refuses() {
        static BROKEN_AROUND: Pattern = Pattern::with_around("", "", &[("(", false)]);
        assert!(!BROKEN_AROUND.matches("a"));
        assert!(!BROKEN.matches("") && !BROKEN.matches("("));
    }

    #[test]
    fn the_message_shows_the_document_and_not_the_value() {
        let mut out = Violations::new();
        pattern("secret", &ANCHORED, &At::root(), &mut out);
        assert_eq!(out.iter().next().unwrap().message, "must match the pattern `^[A-Z]{2}$`");
    }
}
