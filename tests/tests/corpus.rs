//! Real documents, as they are written by others. They lie beside the checkout, or not at all; a chosen part of the same
//! kinds is in `specs/`, and always runs.
//!
//! Every document is generated, what says nothing of security by `assume_public`. `corpus/refused.tsv` lists those that
//! are refused for a fault of their own, with the reason; `corpus/not_yet.txt` those that wait for support. Both are
//! checked both ways: a document that starts to be generated leaves its list. `BLESS=1` writes the second anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade_codegen::finding::{Findings, Severity};
use palisade_codegen::{Output, Source, generate};
use palisade_tests::compiled::Scratch;
use palisade_tests::corpus;

type Outcome = Result<Output, Findings>;

/// What becomes of each document, all processors at work.
fn outcomes<T: Send>(folder: &Path, names: &[String], judge: impl Fn(&str, Outcome) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::new());
    let work = || {
        while let Some((at, name)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, names.get(at)?)))
        {
            let judged = judge(name, generated(folder, name));
            done.lock().unwrap().push((at, judged));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            // generation recurses over documents that nest up to 128 levels
            std::thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(at, _)| *at);
    assert_eq!(done.len(), names.len(), "every document ends without a panic");
    done.into_iter().map(|(_, judged)| judged).collect()
}

fn generated(folder: &Path, name: &str) -> Outcome {
    let source = Source::file(folder.join(name)).named(name);
    generate(&source, &corpus::options(folder, name).assume_public("a document of others, on trial"))
}

fn lists() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn first_error(findings: &Findings) -> String {
    let first = findings.iter().find(|finding| finding.severity() == Severity::Error);
    first.map_or_else(String::new, |finding| format!("{} {}", finding.code(), finding.message()))
}

fn has_words(findings: &Findings, words: &str) -> bool {
    // the excerpt shows what the document wrote
    let text = findings.render().to_lowercase();
    words.split('|').any(|word| text.contains(&word.to_lowercase()))
}

#[test]
fn every_document_is_generated_or_listed_with_the_reason_why_not() {
    let Some(folder) = corpus::folder() else { return };
    let names = corpus::documents(&folder);
    let refused: BTreeMap<String, (String, String)> = std::fs::read_to_string(lists().join("refused.tsv"))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut columns = line.split('\t').map(str::to_owned);
            (columns.next().unwrap(), (columns.next().expect("words"), columns.next().expect("a reason")))
        })
        .collect();
    let judged = outcomes(&folder, &names, |name, outcome| match (outcome, refused.get(name)) {
        (Ok(output), listed) => {
            let lines = output.code().lines().count();
            assert!(lines > 0);
            Ok(listed.map(|_| format!("{name} is generated: take it off `refused.tsv`")))
        }
        (Err(findings), Some((words, _))) if has_words(&findings, words) => Ok(None),
        (Err(findings), Some((words, _))) => {
            Ok(Some(format!("{name} is refused, but nothing speaks of `{words}`:\n{findings}")))
        }
        (Err(findings), None) => Err(format!("{name}\t{}", first_error(&findings))),
    });
    let wrong: Vec<&String> = judged.iter().filter_map(|one| one.as_ref().ok()?.as_ref()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let waiting: Vec<&str> = judged.iter().filter_map(|one| one.as_ref().err()).map(String::as_str).collect();
    compare_waiting(&waiting, names.len(), refused.len());
}

/// The names count; what stops each first is there for the reader.
fn compare_waiting(waiting: &[&str], all: usize, refused: usize) {
    let path = lists().join("not_yet.txt");
    let head = "# Documents beside the checkout that wait for support, and what stops each first. `BLESS=1` writes this.\n";
    let text = format!("{head}{}\n", waiting.join("\n"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    let names = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
    };
    let (now, listed) = (names(&text), names(&listed));
    println!(
        "{} of {all} are generated, {refused} refused for a fault of their own, {} wait",
        all - refused - now.len(),
        now.len()
    );
    let new: Vec<_> = waiting
        .iter()
        .filter(|line| !listed.iter().any(|name| line.starts_with(&format!("{name}\t"))))
        .collect();
    let gone: Vec<_> = listed.iter().filter(|name| !now.contains(name)).collect();
    assert!(new.is_empty(), "these are not generated any more: {new:#?}");
    assert!(gone.is_empty(), "these are generated now; take them off by BLESS=1: {gone:#?}");
}

#[test]
fn what_is_generated_compiles_without_a_warning() {
    let Some(folder) = corpus::folder() else { return };
    let scratch = Scratch::new("compiled_corpus");
    assert!(scratch.check("pub struct Undocumented;\n").is_err(), "a warning is an error");
    let names = corpus::documents(&folder);
    let compiled = names.iter().filter_map(|name| Some((name, generated(&folder, name).ok()?)));
    let outcomes: Vec<_> = compiled.map(|(name, output)| (name, scratch.check(&output.code()))).collect();
    let failed: Vec<_> =
        outcomes.iter().filter_map(|(name, outcome)| Some((name, outcome.as_ref().err()?))).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    println!("{} modules compile", outcomes.len());
}

#[test]
fn what_must_be_refused_is_refused_at_its_place() {
    let Some(folder) = corpus::folder() else { return };
    let folder = folder.join("negative");
    let rows = corpus::rows(&folder);
    let names: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    let listed = std::fs::read_to_string(lists().join("negative.tsv")).unwrap();
    let listed = listed.lines().filter(|line| !line.starts_with('#'));
    let faults: BTreeMap<&str, (&str, usize)> = listed
        .map(|line| {
            let mut columns = line.split('\t');
            let mut next = || columns.next().expect("name, code and line");
            (next(), (next(), next().parse().expect("a line")))
        })
        .collect();
    let judged = outcomes(&folder, &names, |name, outcome| {
        let row = rows.iter().find(|row| row[0] == name).unwrap();
        match (outcome, row[3].as_str(), faults.get(name)) {
            (Ok(output), "refuse-or-escape", None) => {
                // what a document says stays inside literals and comments
                syn::parse_file(&output.code()).err().map(|error| format!("{name}: {error}"))
            }
            (Ok(output), "refuse-or-warn", Some(fault)) => misplaced(name, output.warnings(), *fault),
            (Err(findings), _, Some(fault)) => misplaced(name, &findings, *fault),
            (Ok(_), ..) => Some(format!("{name} is not refused: {}", row[2])),
            (Err(findings), _, None) => Some(format!("{name} is not in `negative.tsv`\n{findings}")),
        }
    });
    let wrong: Vec<String> = judged.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), names.len(), wrong.join("\n"));
    let gone: Vec<_> = faults.keys().filter(|name| !names.iter().any(|known| known == *name)).collect();
    assert!(gone.is_empty(), "{gone:?} are no documents any more");
}

/// `None` when a finding has the code and stands in the line.
fn misplaced(name: &str, findings: &Findings, (code, line): (&str, usize)) -> Option<String> {
    let mut places = findings.iter().filter(|finding| finding.code().as_str() == code);
    let is_there = places.any(|one| findings.position(one).is_some_and(|(_, found, _)| found == line));
    (!is_there).then(|| format!("{name}: nothing is {code} in line {line}\n{findings}"))
}
