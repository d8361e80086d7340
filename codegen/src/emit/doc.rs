//! Prose of a document, as Rust comments:
//!
//! ```yaml
//! description: See [the list](#list) or https://example.com, <b>now</b>.
//! ```
//! ```text
//! /// See \[the list\](#list) or <https://example.com>, \<b>now\</b>.
//! ```
//!
//! The text is somebody else's: it must not end the comment, run as a doc-test, or make rustdoc or clippy complain.

use std::borrow::Cow;

use proc_macro2::TokenStream;
use quote::quote;

/// The text as `#[doc]` attributes, a line each.
pub(crate) fn doc(text: &str) -> TokenStream {
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// What a document says, made fit for a comment; `otherwise` where it says nothing.
pub(crate) fn said(docs: &crate::model::Docs, otherwise: &str) -> String {
    let parts = [&docs.summary, &docs.description];
    let mut texts: Vec<String> = parts.into_iter().flatten().map(|text| clean(text)).collect();
    texts.retain(|text| !text.is_empty());
    texts.dedup();
    if texts.is_empty() {
        texts.push(otherwise.to_owned());
    }
    if docs.deprecated {
        texts.push("Deprecated.".to_owned());
    }
    texts.join("\n\n")
}

/// The text, fit for a comment.
pub(crate) fn clean(text: &str) -> String {
    let mut lines = Vec::new();
    let mut block = Block::Prose;
    for line in text.lines() {
        let plain = line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let line = if plain { Cow::Borrowed(line) } else { line.chars().filter(|&one| shows(one)).collect() };
        block = next_line(&mut lines, block, line.trim());
    }
    if block == Block::Fence {
        lines.push("```".to_owned());
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

/// What the line before was part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Prose,
    /// An item of a list, whose further lines are indented by so many spaces.
    Item(usize),
    Fence,
}

fn next_line(lines: &mut Vec<String>, block: Block, line: &str) -> Block {
    let fence = line.starts_with("```") || line.starts_with("~~~");
    match block {
        Block::Fence if fence => {
            lines.push("```".to_owned());
            Block::Prose
        }
        Block::Fence => {
            lines.push(line.to_owned());
            Block::Fence
        }
        Block::Prose | Block::Item(_) if fence => {
            lines.push("```text".to_owned()); // any other word, and rustdoc would compile it
            Block::Fence
        }
        Block::Prose | Block::Item(_) if line.is_empty() => {
            if lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(String::new());
            }
            Block::Prose
        }
        Block::Prose | Block::Item(_) => {
            if let Some((marker, rest)) = item(line) {
                lines.push(format!("{marker} {}", inline(rest)));
                return Block::Item(marker.len() + 1);
            }
            let indent = if let Block::Item(indent) = block { indent } else { 0 };
            lines.push(format!("{:indent$}{}", "", inline(line)));
            block
        }
    }
}

/// The marker of a list item, and its text.
fn item(line: &str) -> Option<(&str, &str)> {
    let (marker, rest) = line.split_once(' ')?;
    let digits = marker.trim_end_matches(['.', ')']);
    let numbered = digits.len() + 1 == marker.len() && (1..=9).contains(&digits.len());
    let is_marker =
        matches!(marker, "-" | "*" | "+") || numbered && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_marker.then(|| (marker, rest.trim()))
}

/// One line, without what rustdoc would take for a link, a tag, or a quote.
fn inline(line: &str) -> String {
    let spans = line.matches('`').count();
    if spans % 2 == 1 || line.contains("``") {
        return outside_code(&line.replace('`', "'"));
    }
    let mut out = String::with_capacity(line.len());
    for (position, piece) in line.split('`').enumerate() {
        if position > 0 {
            out.push('`');
        }
        out.push_str(&if position % 2 == 1 { Cow::Borrowed(piece) } else { Cow::Owned(outside_code(piece)) });
    }
    out
}

fn outside_code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, url, after)) = next_url(rest) {
        escape(before, &mut out);
        out.push('<');
        out.push_str(url);
        out.push('>');
        rest = after;
    }
    escape(rest, &mut out);
    out
}

fn next_url(text: &str) -> Option<(&str, &str, &str)> {
    let start = ["http://", "https://"].iter().filter_map(|scheme| text.find(scheme)).min()?;
    let (before, from) = text.split_at_checked(start)?;
    let ends =
        |one: char| one.is_whitespace() || matches!(one, '<' | '>' | '"' | '\'' | '(' | ')' | '[' | ']');
    let end = from.find(ends).unwrap_or(from.len());
    let (url, _) = from.split_at_checked(end)?;
    let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '\\']);
    Some((before, url, from.get(url.len()..)?))
}

fn escape(text: &str, out: &mut String) {
    for one in text.chars() {
        if matches!(one, '[' | ']' | '<' | '>' | '\\' | '|') {
            out.push('\\');
        }
        out.push(one);
    }
}

/// Not a control character, and none that reorders the text around it (rustc refuses those even in comments).
pub(crate) fn shows(one: char) -> bool {
    !one.is_control()
        && !matches!(one, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_stays_prose() {
        assert_eq!(clean("Move `money`.\n\nNow: it is done.\n"), "Move `money`.\n\nNow: it is done.");
    }

    #[test]
    fn links_tags_and_addresses_are_defused() {
        assert_eq!(clean("See [Account] and <b>x</b>"), "See \\[Account\\] and \\<b\\>x\\</b\\>");
        assert_eq!(clean("at https://example.com/a_b."), "at <https://example.com/a_b>.");
        assert_eq!(
            clean("`[a]` and `<T>` stay, `odd [b]"),
            "'[a]' and '<T>' stay, 'odd [b]"
                .replace('[', "\\[")
                .replace(']', "\\]")
                .replace('<', "\\<")
                .replace('>', "\\>")
        );
        assert_eq!(clean("`[a]` and `<T>` stay"), "`[a]` and `<T>` stay");
    }

    #[test]
    fn code_never_runs_and_fences_are_closed() {
        assert_eq!(clean("```rust\npanic!()\n"), "```text\npanic!()\n```");
        assert_eq!(clean("    indented()"), "indented()");
    }

    #[test]
    fn lists_keep_their_shape() {
        assert_eq!(clean("- one\ntwo\n1. three\nfour"), "- one\n  two\n1. three\n   four");
    }

    #[test]
    fn nothing_leaves_the_comment() {
        let cleaned = clean("a\rfn evil() {}\u{202e}\n*/ b");
        assert_eq!(cleaned, "afn evil() {}\n*/ b");
        assert_eq!(doc("a\n\nb").to_string(), "# [doc = \" a\"] # [doc = \"\"] # [doc = \" b\"]");
    }
}
