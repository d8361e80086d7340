//! What stops the documents of a folder, counted: the list to work from when support grows.
//!
//! `cargo run -p palisade-codegen --example stops -- ../shared/corpus [WORDS]`: a line for each kind of message
//! with the number of documents that it stops; with WORDS, each finding whose message contains them.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a tool")]

use std::collections::BTreeMap;
use std::path::Path;

use palisade_codegen::finding::Severity;
use palisade_codegen::{Options, Source, understand_with};

fn main() {
    let mut words = std::env::args().skip(1);
    let folder = words.next().unwrap_or_else(|| "../shared/corpus".to_owned());
    let wanted = words.next();
    let index = Path::new(&folder).join("index.tsv");
    let index =
        std::fs::read_to_string(index).expect("an index.tsv, the name of a document first in each line");
    let documents: Vec<&str> = index.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let mut kinds: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let (mut generated, mut stopped) = (0, 0);
    for name in &documents {
        let source = Source::file(Path::new(&folder).join(name)).named(*name);
        let Err(findings) = understand_with(&source, &Options::default().assume_public("a trial")) else {
            generated += 1;
            println!("generated {name}");
            continue;
        };
        stopped += 1;
        let mut seen = Vec::new();
        for finding in findings.iter().filter(|finding| finding.severity() == Severity::Error) {
            let (_, line, column) = findings.position(finding).unwrap_or(("", 0, 0));
            if let Some(wanted) = &wanted {
                if finding.message().contains(wanted.as_str()) {
                    println!("{name}:{line}:{column} {} {}", finding.code(), finding.message());
                }
                continue;
            }
            let kind = format!("{} {}", finding.code(), kind_of(finding.message()));
            if !seen.contains(&kind) {
                let entry = kinds.entry(kind.clone()).or_insert((0, format!("{name}:{line}")));
                entry.0 += 1;
                seen.push(kind);
            }
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (kind, (count, first)) in kinds {
        println!("{count:4} {kind}   {first}");
    }
    println!("{generated} are generated, {stopped} are stopped");
}

/// The message without what the document wrote.
fn kind_of(message: &str) -> String {
    message.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "_" }).collect()
}
