//! Findings as people see them: one document a fault, its findings beside it. `BLESS=1` writes them anew.
//!
//! `specs/reject/<topic>/<fault>.yaml` has exactly one fault and is refused; `specs/remark/<what>.yaml` is taken, and
//! something is remarked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use palisade_codegen::finding::{Code, Findings, Severity};
use palisade_codegen::{Options, Source, understand, understand_with};

/// Every document below `folder`, in order.
fn documents(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Compares with the file beside the document, or writes it.
fn compare(document: &Path, rendered: &str, wrong: &mut Vec<String>) {
    let beside = document.with_extension("txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&beside, rendered).unwrap();
    }
    let expected = std::fs::read_to_string(&beside).unwrap_or_default();
    if expected != rendered {
        wrong.push(format!("{}\n--- expected\n{expected}--- found\n{rendered}", document.display()));
    }
}

#[test]
fn every_fault_is_refused_at_its_place() {
    let mut wrong = Vec::new();
    let documents = documents("specs/reject");
    assert!(documents.len() > 100, "the corpus is there");
    for document in &documents {
        match understand(&Source::file(document)) {
            Ok(_) => wrong.push(format!("{} is not refused", document.display())),
            Err(findings) => {
                let errors = findings.iter().filter(|finding| finding.severity() == Severity::Error).count();
                if errors != 1 || errors != findings.len() {
                    wrong.push(format!("{}: one fault, {} findings", document.display(), findings.len()));
                }
                if findings.iter().any(|finding| finding.help_text().is_none()) {
                    wrong.push(format!("{}: nothing says the way out", document.display()));
                }
                compare(document, &findings.render(), &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn remarks_do_not_stop_generation() {
    let mut wrong = Vec::new();
    for document in documents("specs/remark") {
        match understand(&Source::file(&document)) {
            Ok(understood) => {
                if understood.warnings.len() != 1 {
                    wrong.push(format!("{}: {} remarks", document.display(), understood.warnings.len()));
                }
                compare(&document, &understood.warnings.render(), &mut wrong);
            }
            Err(findings) => wrong.push(format!("{} is refused\n{findings}", document.display())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `specs/assumed`: documents that are generated with `assume_public`, and what is said of that.
#[test]
fn what_is_assumed_to_be_public_is_named() {
    let mut wrong = Vec::new();
    for document in documents("specs/assumed") {
        let source = Source::file(&document);
        let refused = understand(&source).unwrap_err();
        assert!(refused.iter().all(|finding| finding.code() == Code::Undecided), "{refused}");
        match understand_with(&source, &Options::default().assume_public("a trial")) {
            Ok(understood) => compare(&document, &understood.warnings.render(), &mut wrong),
            Err(findings) => wrong.push(format!("{} is refused\n{findings}", document.display())),
        }
        let findings = understand_with(&source, &Options::default().assume_public(" ")).unwrap_err();
        assert!(findings.render().contains("needs a reason"), "{findings}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_rendered_finding_is_without_its_document() {
    let mut folders = vec![PathBuf::from("specs/reject"), PathBuf::from("specs/remark")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "txt") {
                let there = ["yaml", "json"].iter().any(|ending| path.with_extension(ending).exists());
                assert!(there, "{} has no document", path.display());
            }
        }
    }
}

#[test]
fn every_code_has_a_document_that_shows_it() {
    let mut shown = BTreeSet::new();
    let mut note = |findings: &Findings| shown.extend(findings.iter().map(|finding| finding.code()));
    for document in documents("specs/reject").iter().chain(&documents("specs/remark")) {
        match understand(&Source::file(document)) {
            Ok(understood) => note(&understood.warnings),
            Err(findings) => note(&findings),
        }
    }
    let assuming = Options::default().assume_public("a trial");
    for document in documents("specs/assumed") {
        note(&understand_with(&Source::file(document), &assuming).unwrap().warnings);
    }
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !shown.contains(*code)).collect();
    assert!(missing.is_empty(), "no document shows {missing:?}");
}

#[test]
fn findings_are_the_same_twice() {
    for document in documents("specs/reject") {
        let once = understand(&Source::file(&document)).unwrap_err();
        let again = understand(&Source::file(&document)).unwrap_err();
        assert_eq!(once.render(), again.render(), "{}", document.display());
        assert_eq!(once.to_json(), again.to_json(), "{}", document.display());
    }
}

/// Cut anywhere, with any byte changed: findings, never a panic.
#[test]
fn damaged_documents_are_findings() {
    let text = std::fs::read_to_string("specs/gate.yaml").unwrap();
    let json = std::fs::read_to_string("specs/reject/reading/trailing_comma.json").unwrap();
    for (name, text) in [("gate.yaml", text), ("small.json", json)] {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for at in boundaries.iter().step_by(boundaries.len() / 40 + 1) {
            let _ = understand(&Source::text(name, &text[..*at]));
            for damage in ["{", "]", "\"", ":", "&a *a", "\u{0}", "- ", "9e999", "$ref"] {
                let damaged = format!("{}{damage}{}", &text[..*at], &text[*at..]);
                if let Err(findings) = understand(&Source::text(name, damaged)) {
                    assert!(findings.has_errors() && !findings.render().is_empty());
                }
            }
        }
    }
}
