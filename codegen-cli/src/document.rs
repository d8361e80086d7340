//! Reads a document for a command: every finding is reported, and errors end the command.

use std::path::Path;

use palisade_codegen::finding::Severity;
use palisade_codegen::{Findings, Options, Output, Source, generate};
use serde_json::Value;

use crate::exit::Failure;
use crate::reporter::Reporter;

/// The module of the document at `path`.
pub(crate) fn read(path: &Path, options: &Options, reporter: &Reporter) -> Result<Output, Failure> {
    read_source(&Source::file(path), options, reporter)
}

/// The same from text at hand.
pub(crate) fn read_source(
    source: &Source,
    options: &Options,
    reporter: &Reporter,
) -> Result<Output, Failure> {
    match generate(source, options) {
        Ok(output) => {
            report(output.warnings(), reporter);
            Ok(output)
        }
        Err(findings) => {
            report(&findings, reporter);
            Err(stopped(&findings, source.name()))
        }
    }
}

/// The choices of a command line: `--assume-public REASON`.
pub(crate) fn options(assume_public: Option<&str>) -> Options {
    match assume_public {
        Some(reason) => Options::default().assume_public(reason),
        None => Options::default(),
    }
}

fn report(findings: &Findings, reporter: &Reporter) {
    if findings.is_empty() {
        return;
    }
    let text = || if reporter.colours() { findings.render_coloured() } else { findings.render() };
    let fields = || match serde_json::from_str(&findings.to_json()) {
        Ok(Value::Array(fields)) => fields,
        _ => Vec::new(),
    };
    reporter.findings(text, fields);
}

fn stopped(findings: &Findings, name: &str) -> Failure {
    let errors = findings.iter().filter(|finding| finding.severity() == Severity::Error);
    let codes: Vec<_> = errors.map(palisade_codegen::finding::Finding::code).collect();
    let failure = Failure::findings(format!("nothing is generated from `{name}`"));
    match codes.first() {
        Some(code) => failure.help(format!("`cargo palisade explain {code}` says more about a code")),
        None => failure,
    }
}
