//! Findings for people: message, `file:line:column`, the line with the spot underlined, help.

use std::borrow::Cow;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Finding, Severity};
use crate::emit::shows;
use crate::source::Sources;
use crate::source::span::{FileId, Place};

/// Stands for a position until the excerpt is rendered: the renderer would count columns in a line that may be cut. No
/// text has this character (Unicode section 23.7).
const POSITION: char = '\u{fdd0}';
/// Findings that are shown: nobody reads more at once, and an excerpt takes its time.
const SHOWN: usize = 100;

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

/// As many as are shown, in their order: what stops must not be hidden behind what does not.
fn shown(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    let errors = findings.iter().filter(|finding| is_error(finding)).count();
    let (mut errors_left, mut others_left) = (SHOWN, SHOWN.saturating_sub(errors));
    findings.iter().filter(move |finding| {
        let left = if is_error(finding) { &mut errors_left } else { &mut others_left };
        let fits = *left > 0;
        *left = left.saturating_sub(1);
        fits
    })
}

/// The first of them, errors before all others, a blank line between two, and how many there are.
pub(super) fn all(findings: &[Finding], sources: &Sources, lines: &Lines, coloured: bool) -> String {
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(120);
    let mut text = String::new();
    for finding in shown(findings) {
        let spots = spots(finding, sources);
        let rendered = renderer.render(&[group(finding, &spots, sources, lines)]);
        let positions = spots.iter().filter_map(|(place, _)| position(*place, sources, lines));
        text.push_str(with_positions(&rendered, positions).trim_end());
        text.push_str("\n\n");
    }
    let errors = findings.iter().filter(|finding| is_error(finding)).count();
    let warnings = findings.len() - errors;
    if let Some(more) = findings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("... and {more} more, which are not shown\n\n"));
    }
    text.push_str(&summary(errors, warnings));
    text
}

fn summary(errors: usize, warnings: usize) -> String {
    let count = |count: usize, noun: &str| match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    };
    let counts: Vec<String> =
        [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    if counts.is_empty() { String::new() } else { format!("{}\n", counts.join(", ")) }
}

/// Where a place is, as editors read it.
fn position(place: Place, sources: &Sources, lines: &Lines) -> Option<String> {
    let file = sources.get(place.file)?;
    let name = visible(&file.name);
    if file.text.is_empty() {
        return Some(name);
    }
    let (line, column) = lines.position(place.file, &file.text, place.span.range().start);
    Some(format!("{name}:{line}:{column}"))
}

/// Each position in place of the one that the renderer made up.
fn with_positions(rendered: &str, positions: impl Iterator<Item = String>) -> String {
    let mut parts = rendered.split(POSITION);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (position, rest) in positions.zip(parts) {
        text.push_str(&position);
        text.push_str(rest.trim_start_matches(|char: char| char == ':' || char.is_ascii_digit()));
    }
    text
}

fn group<'f>(
    finding: &'f Finding,
    spots: &[(Place, Vec<Spot<'f>>)],
    sources: &'f Sources,
    lines: &Lines,
) -> Group<'f> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(visible(&finding.message)).id(finding.code.as_str());
    let mut group = Group::with_title(title);
    for (place, annotations) in spots {
        if let Some(snippet) = snippet(*place, annotations, sources, lines) {
            group = group.element(snippet);
        }
    }
    if let Some(help) = finding.help_text() {
        group = group.element(Level::HELP.message(visible(&help)));
    }
    group
}

type Spot<'f> = (Place, AnnotationKind, Option<&'f str>);

/// The primary spot and the related ones; those on one line share an excerpt.
fn spots<'f>(finding: &'f Finding, sources: &Sources) -> Vec<(Place, Vec<Spot<'f>>)> {
    let primary = (finding.place, AnnotationKind::Primary, finding.label.as_deref());
    let mut spots = vec![(finding.place, vec![primary])];
    for (place, label) in &finding.related {
        let spot = (*place, AnnotationKind::Context, Some(label.as_str()));
        match spots.iter_mut().find(|(shown, _)| same_line(*shown, *place, sources)) {
            Some((_, there)) => there.push(spot),
            None => spots.push((*place, vec![spot])),
        }
    }
    spots
}

fn same_line(one: Place, other: Place, sources: &Sources) -> bool {
    let (first, last) = (one.span.start.min(other.span.start), one.span.start.max(other.span.start));
    let text = sources.get(one.file).map(|file| &*file.text);
    let between = text.and_then(|text| text.get(first as usize..last as usize));
    // excerpts of long lines show one spot only
    one.file == other.file && between.is_some_and(|between| between.len() < 200 && !between.contains('\n'))
}

/// Only the lines that are needed go to the renderer, so that its cost does not grow with the file.
fn snippet<'f>(
    place: Place,
    annotations: &[Spot<'f>],
    sources: &'f Sources,
    lines: &Lines,
) -> Option<Snippet<'f, annotate_snippets::Annotation<'f>>> {
    let file = sources.get(place.file)?;
    let text: &str = &file.text;
    if text.is_empty() {
        return Some(Snippet::source("").path(POSITION.to_string()));
    }
    let range = place.span.range();
    let start = floor(text, range.start);
    let first = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
    // a block of many lines is shown by its first
    let line_end = text.get(start..)?.find('\n').map_or(text.len(), |newline| start + newline);
    let line_end = text.get(start..line_end).map_or(line_end, |line| start + line.trim_end().len());
    let line = text.get(first..line_end.max(start))?;
    let number = lines.number(place.file, first);
    let (line, shift) = window(line, start - first);
    let mut snippet =
        Snippet::source(visible_line(line)).line_start(number).path(POSITION.to_string()).fold(false);
    for (place, kind, label) in annotations {
        let range = place.span.range();
        let from = floor(text, range.start).max(first);
        let to = floor(text, range.end.min(line_end).max(from));
        let start = (from - first).saturating_sub(shift).min(line.len());
        let end = (to - first).saturating_sub(shift).min(line.len()).max(start);
        let annotation = kind.span(start..end);
        snippet = snippet.annotation(match label {
            Some(label) => annotation.label(visible(label)),
            None => annotation,
        });
    }
    Some(snippet)
}

/// Documents of one single line exist; a part of it is enough.
fn window(line: &str, at: usize) -> (&str, usize) {
    const WIDTH: usize = 200;
    if line.len() <= 2 * WIDTH {
        return (line, 0);
    }
    let from = floor(line, at.saturating_sub(WIDTH / 2));
    let to = floor(line, (at + WIDTH).min(line.len()));
    (line.get(from..to).unwrap_or_default(), from)
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A document must not send escape sequences to the terminal of who reads its findings, nor turn their lines around.
fn visible(text: &str) -> String {
    text.chars().map(|char| if shows(char) && char != POSITION { char } else { '\u{fffd}' }).collect()
}

/// The same of a line, with what takes as many bytes, so that what is underlined stays where it is. What a renderer has
/// signs of its own for is left to it.
fn visible_line(line: &str) -> Cow<'_, str> {
    let plain = |char: char| {
        char == '\t' || char.is_ascii_control() && char != '\u{7f}' || shows(char) && char != POSITION
    };
    if line.chars().all(plain) {
        return Cow::Borrowed(line);
    }
    let sign = |char: char| match char.len_utf8() {
        _ if plain(char) => char,
        1 => '?',
        2 => '\u{b7}',
        3 => '\u{fffd}',
        _ => '\u{10fffd}',
    };
    Cow::Owned(line.chars().map(sign).collect())
}

/// Where the lines of each file end, so that a document with thousands of findings is not counted through for each.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    ends: Vec<Vec<usize>>,
}

impl Lines {
    pub(super) fn of(sources: &Sources) -> Self {
        let ends = |text: &str| {
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect()
        };
        Self { ends: sources.files().iter().map(|file| ends(&file.text)).collect() }
    }

    /// The line of a byte, counted from 1.
    fn number(&self, file: FileId, at: usize) -> usize {
        self.ends.get(usize::from(file.0)).map_or(0, |ends| ends.partition_point(|end| *end < at)) + 1
    }

    /// Line and column of a byte, counted from 1, the column in characters.
    pub(super) fn position(&self, file: FileId, text: &str, at: usize) -> (usize, usize) {
        let at = floor(text, at);
        let number = self.number(file, at);
        let ends = self.ends.get(usize::from(file.0));
        let start = number.checked_sub(2).and_then(|line| ends?.get(line)).map_or(0, |end| end + 1);
        (number, text.get(start..at).map_or(0, |before| before.chars().count()) + 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::{Code, Finding, Findings};
    use crate::source::span::{FileId, Place, Span};
    use crate::source::{SourceFile, Sources};

    fn rendered(text: &str, finding: impl FnOnce(Place) -> Finding, word: &str) -> String {
        let mut sources = Sources::default();
        sources.add(SourceFile { name: "openapi.yaml".into(), text: text.into(), path: None });
        let start = text.find(word).unwrap();
        let place = Place { file: FileId(0), span: Span::new(start, start + word.len()) };
        let mut findings = Findings::default();
        findings.push(finding(place));
        findings.finish(&sources).render()
    }

    #[test]
    fn shows_the_spot_underlined_and_the_way_out() {
        let text = "openapi: 3.1.0\nx-palisade:\n  tiemout: 10s\n";
        let finding = |place| {
            Finding::error(Code::UnknownMember, "`x-palisade` has no member `tiemout`", place)
                .nearest("tiemout", ["timeout"])
        };
        let expected = "\
error[PAL0011]: `x-palisade` has no member `tiemout`
 --> openapi.yaml:3:3
  |
3 |   tiemout: 10s
  |   ^^^^^^^
  |
  = help: did you mean `timeout`?

1 error
";
        assert_eq!(rendered(text, finding, "tiemout"), expected);
    }

    #[test]
    fn an_error_behind_many_remarks_is_shown() {
        let mut findings = Findings::default();
        let place = |at| Place { file: FileId(0), span: Span::new(at, at + 1) };
        for at in 0..300 {
            findings.push(Finding::warning(Code::UnknownFormat, format!("remark {at}"), place(at)));
        }
        findings.push(Finding::error(Code::WrongType, "it stops here", place(299)));
        let text = findings.finish(&Sources::default()).render();
        assert!(text.contains("it stops here") && text.contains("remark 98"), "{text}");
        assert!(!text.contains("remark 99") && text.contains("... and 201 more"), "{text}");
    }

    #[test]
    fn long_lines_are_cut_and_control_characters_do_not_reach_the_terminal() {
        let text = format!("{}needle{}", "x".repeat(50_000), "y".repeat(50_000));
        let finding = |place| Finding::error(Code::WrongType, "bad `\u{1b}[2J`", place);
        let text = rendered(&text, finding, "needle");
        assert!(text.len() < 2_000, "{}", text.len());
        assert!(text.contains("^^^^^^") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_position_is_that_of_the_file_however_the_line_is_cut() {
        let finding = |place| Finding::error(Code::WrongType, "m \u{fdd0}", place).label("\u{fdd0}");
        for (before, position) in [
            ("", "1:1"),
            ("x", "1:2"),
            ("a: 1\n\u{fdd0}é ", "2:4"),
            (&"é".repeat(1_000), "1:1001"),
            (&format!("a: 1\n{}", "x".repeat(473)), "2:474"),
        ] {
            let text = rendered(&format!("{before}needle {}", "y".repeat(500)), finding, "needle");
            assert!(text.contains(&format!("--> openapi.yaml:{position}\n")), "{position}\n{text}");
            assert!(text.contains("^^^^^^") && !text.contains('\u{fdd0}'), "{text}");
        }
        // a related place far behind on the same line has a position of its own
        let text = format!("needle{}thread{}", " ".repeat(600), "y".repeat(500));
        let start = text.find("thread").unwrap();
        let related = Place { file: FileId(0), span: Span::new(start, start + 6) };
        let finding = |place| Finding::error(Code::WrongType, "m", place).related(related, "here");
        let text = rendered(&text, finding, "needle");
        assert!(
            text.contains("--> openapi.yaml:1:1\n") && text.contains("::: openapi.yaml:1:607\n"),
            "{text}"
        );
    }

    #[test]
    fn no_control_character_of_an_excerpt_reaches_the_terminal() {
        let controls = "\u{1b}[2J \u{9b}2J \u{85} \u{7f} \u{8} \u{202e}txt \u{2066}";
        let text = format!("public: \"{controls}\" needle\n");
        let finding = |place| {
            Finding::error(Code::WrongType, format!("m {controls}"), place).label(controls).help(controls)
        };
        let text = rendered(&text, finding, "needle");
        let hostile =
            |char: char| (char.is_control() && char != '\n') || ('\u{202a}'..='\u{2069}').contains(&char);
        assert!(!text.contains(hostile), "{text:?}");
        let (line, below) = text
            .lines()
            .skip(3)
            .map(|line| line.chars().collect::<Vec<_>>())
            .zip(text.lines().skip(4))
            .next()
            .unwrap();
        let at = below.find("^^^^^^").unwrap();
        assert_eq!(line.get(at..at + 6).unwrap().iter().collect::<String>(), "needle", "{text}");
    }

    #[test]
    fn thousands_of_findings_are_counted_and_not_all_shown() {
        let mut sources = Sources::default();
        sources.add(SourceFile {
            name: "openapi.yaml".into(),
            text: "a: 1\n".repeat(3_000).into(),
            path: None,
        });
        let mut findings = Findings::default();
        for line in 0..3_000 {
            let place = Place { file: FileId(0), span: Span::new(line * 5, line * 5 + 1) };
            findings.push(Finding::error(Code::WrongType, "m", place));
        }
        let text = findings.finish(&sources).render();
        assert!(text.contains("... and 2900 more") && text.ends_with("3000 errors\n"), "{text}");
        assert_eq!(text.matches("openapi.yaml:").count(), 100);
    }

    #[test]
    fn a_block_is_shown_by_its_first_line() {
        let text = "a:\n  b: 1\n  c: 2\nd: 3\n";
        let text = rendered(text, |place| Finding::error(Code::WrongType, "m", place), "b: 1\n  c: 2");
        assert!(text.contains("2 |   b: 1") && !text.contains("c: 2"), "{text}");
    }
}
