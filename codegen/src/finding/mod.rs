//! Findings: what is wrong with a document, where, and the way out.
//!
//! Messages are in lower case, without a final period, with the document's words in backticks; the help says what to
//! write. All findings of a stage are collected, then shown together.

mod code;
mod json;
mod render;
mod suggest;

use crate::source::span::Place;
use crate::source::{SourceFile, Sources};
use render::Lines;

pub use code::Code;
pub(crate) use suggest::nearest;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is generated.
    Error,
    /// Something is generated, and this should be looked at.
    Warning,
}

/// Characters of a message: what it quotes of the document may be of any length.
const LONGEST: usize = 400;

/// One fault of a document.
#[derive(Clone, Debug)]
pub struct Finding {
    code: Code,
    severity: Severity,
    message: String,
    place: Place,
    label: Option<String>,
    related: Vec<(Place, String)>,
    help: Option<String>,
    suggestion: Option<String>,
}

impl Finding {
    pub(crate) fn error(code: Code, message: impl Into<String>, place: Place) -> Self {
        Self::new(Severity::Error, code, message.into(), place)
    }

    pub(crate) fn warning(code: Code, message: impl Into<String>, place: Place) -> Self {
        Self::new(Severity::Warning, code, message.into(), place)
    }

    fn new(severity: Severity, code: Code, mut message: String, place: Place) -> Self {
        if let Some((end, _)) = message.char_indices().nth(LONGEST) {
            message.truncate(end);
            message.push('…');
        }
        let (label, related, help, suggestion) = (None, Vec::new(), None, None);
        Self { code, severity, message, place, label, related, help, suggestion }
    }

    /// What the underlined spot is, when the message alone does not say.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same as a remark.
    pub(crate) fn without_stopping(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The way out.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another spot that has to do with it.
    pub(crate) fn related(mut self, place: Place, label: impl Into<String>) -> Self {
        self.related.push((place, label.into()));
        self
    }

    /// "Did you mean": the nearest of `known`, if one is near.
    pub(crate) fn nearest<'k>(mut self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        self.suggestion = nearest(word, known).map(str::to_owned);
        self
    }

    /// Stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The way out, in one line, with the nearest known word when one is near.
    pub fn help_text(&self) -> Option<String> {
        match (&self.suggestion, &self.help) {
            (Some(word), Some(help)) => Some(format!("did you mean `{word}`? otherwise {help}")),
            (Some(word), None) => Some(format!("did you mean `{word}`?")),
            (None, help) => help.clone(),
        }
    }

    /// The word that was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

/// Findings in the order of the document, with the files they point into.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    sources: Sources,
    lines: Lines,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// The end of a stage: goes on when there is no error.
    pub(crate) fn stop_on_error(&mut self, sources: &Sources) -> Result<(), Self> {
        if self.has_errors() { Err(std::mem::take(self).finish(sources)) } else { Ok(()) }
    }

    /// Puts them in order, drops repetitions, and takes the files along for rendering.
    pub(crate) fn finish(mut self, sources: &Sources) -> Self {
        self.list.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.place, finding.severity, finding.code);
            key(one).cmp(&key(other)).then_with(|| one.message.cmp(&other.message))
        });
        self.list.dedup_by(|one, other| {
            one.place == other.place && one.code == other.code && one.message == other.message
        });
        self.sources = sources.clone();
        self.lines = Lines::of(sources);
        self
    }

    /// Whether one of them stops generation.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// In the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Every file that was read before the findings stopped it; a build script watches them.
    pub fn files(&self) -> &[SourceFile] {
        self.sources.files()
    }

    /// File, line and column of a finding, both counted from 1, columns in characters.
    pub fn position(&self, finding: &Finding) -> Option<(&str, usize, usize)> {
        let file = self.sources.get(finding.place.file)?;
        let at = finding.place.span.start as usize;
        let (line, column) = self.lines.position(finding.place.file, &file.text, at);
        Some((&file.name, line, column))
    }

    /// For people, with excerpts, without colour.
    pub fn render(&self) -> String {
        render::all(&self.list, &self.sources, &self.lines, false)
    }

    /// For people at a terminal.
    pub fn render_coloured(&self) -> String {
        render::all(&self.list, &self.sources, &self.lines, true)
    }

    /// For programs: an array of objects.
    pub fn to_json(&self) -> String {
        json::all(self, &self.sources)
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render())
    }
}

impl std::error::Error for Findings {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::span::{FileId, Span};

    fn at(start: usize) -> Place {
        Place { file: FileId(0), span: Span::new(start, start + 1) }
    }

    #[test]
    fn a_message_quotes_no_more_than_fits() {
        let long = Finding::error(Code::InvalidValue, "ä".repeat(3_000_000), at(0));
        assert_eq!(long.message().chars().count(), LONGEST + 1);
        let short = Finding::error(Code::InvalidValue, "ä".repeat(LONGEST), at(0));
        assert_eq!(short.message().chars().count(), LONGEST);
    }

    #[test]
    fn findings_come_in_the_order_of_the_document_and_once() {
        let mut findings = Findings::default();
        findings.push(Finding::warning(Code::UnknownFormat, "b", at(5)));
        findings.push(Finding::error(Code::WrongType, "a", at(9)));
        findings.push(Finding::error(Code::WrongType, "c", at(1)));
        findings.push(Finding::error(Code::WrongType, "a", at(9)));
        let findings = findings.finish(&Sources::default());
        let messages: Vec<_> = findings.iter().map(Finding::message).collect();
        assert_eq!(messages, ["c", "b", "a"]);
    }

    #[test]
    fn warnings_do_not_stop_a_stage() {
        let mut findings = Findings::default();
        findings.push(Finding::warning(Code::UnknownFormat, "w", at(0)));
        assert!(findings.stop_on_error(&Sources::default()).is_ok());
        findings.push(Finding::error(Code::WrongType, "e", at(0)));
        assert_eq!(findings.stop_on_error(&Sources::default()).unwrap_err().len(), 2);
    }
}
