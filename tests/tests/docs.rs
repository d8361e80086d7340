//! The pages show what is: every code block stands in a file that is compiled or run, every link leads somewhere.
//!
//! A block is marked by a comment on the line above it. `<!-- from: FILE -->`: its lines stand in that file in this order,
//! whatever their indentation; a line `...` leaves some out. `<!-- run: FILE -->`: that file runs its commands.

use std::path::{Path, PathBuf};

const PAGES: [&str; 29] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "benches/README.md",
    "docs/annotations.md",
    "docs/adr/0001-own-document-model.md",
    "docs/adr/0002-routing-inside-the-gate.md",
    "docs/adr/0003-annotate-snippets.md",
    "docs/adr/0004-uploads-are-spooled.md",
    "docs/adr/0005-own-layout.md",
    "docs/adr/0006-signing-keys-in-the-state.md",
    "docs/adr/0007-login-on-oauth2.md",
    "docs/adr/0008-proxy-header.md",
    "docs/authentication.md",
    "docs/diagnostics.md",
    "docs/events.md",
    "docs/idempotency.md",
    "docs/issuer.md",
    "docs/limits.md",
    "docs/lists.md",
    "docs/login.md",
    "docs/requests-and-answers.md",
    "docs/state.md",
    "docs/types.md",
    "examples/bank/README.md",
    "examples/adopt/README.md",
    "examples/macro-entry/README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A fenced block: the line above it, and what is between the fences.
struct Block<'a> {
    above: &'a str,
    fence: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut above = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let body = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push(Block { above, fence: line, lines: body });
        }
        above = line;
    }
    found
}

/// The first line that does not follow in `file` where it should.
fn missing<'a>(excerpt: &[&'a str], file: &str) -> Option<&'a str> {
    let mut rest = file.lines().map(str::trim);
    let mut near = false;
    for line in excerpt.iter().map(|line| line.trim()) {
        let found = match (line, near) {
            ("...", _) => {
                near = false;
                continue;
            }
            (line, true) => rest.next() == Some(line),
            (line, false) => rest.any(|candidate| candidate == line),
        };
        if !found {
            return Some(line);
        }
        near = true;
    }
    None
}

#[test]
fn every_block_stands_in_a_file_that_runs() {
    let mut wrong = Vec::new();
    for page in PAGES {
        let text = read(page);
        for block in blocks(&text).iter().filter(|block| block.fence != "```text") {
            let mark = block.above.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
            let (how, source) = mark.and_then(|mark| mark.split_once(": ")).unwrap_or_default();
            let lost = match how {
                "from" => missing(&block.lines, &read(source)),
                "run" => block.lines.iter().find(|line| !read(source).contains(**line)).copied(),
                _ => Some("this block does not say where it is from"),
            };
            wrong.extend(lost.map(|line| format!("{page}, {}: {line}", block.above)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_excerpt_that_differs_is_noticed() {
    let file = "a\n  b\nc\nd";
    assert_eq!(missing(&["a", "b", "...", "d"], file), None);
    assert_eq!(missing(&["a", "c"], file), Some("c"));
    assert_eq!(missing(&["b", "...", "a"], file), Some("a"));
}

#[test]
fn the_annotations_page_is_a_document_that_generates() {
    let source = palisade_codegen::Source::file(root().join("docs/annotations.yaml"));
    let output = palisade_codegen::generate(&source, &palisade_codegen::Options::default());
    output.unwrap_or_else(|findings| panic!("{findings}"));
}

#[test]
fn every_relative_link_leads_to_a_file() {
    for page in PAGES {
        let text = read(page);
        for target in
            text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
        {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let file = root().join(page).parent().unwrap().join(target);
            assert!(file.exists(), "{page} links to {target}");
        }
    }
}
