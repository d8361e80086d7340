//! The front of the generator: from a source to a checked model.

use crate::finding::Findings;
use crate::model::CheckedApi;
use crate::options::Options;
use crate::source::{Source, Sources};
use crate::{build, check, document, resolve, source};

/// A document that passed every rule, with what it leaves to say.
#[derive(Debug)]
pub struct Understood {
    /// What lowering takes.
    pub api: CheckedApi,
    /// Every file that was read, the root document first.
    pub sources: Sources,
    /// Warnings only.
    pub warnings: Findings,
}

/// `load -> resolve -> document -> build -> check`. The findings of a stage come together, and stop the next.
pub fn understand(source: &Source) -> Result<Understood, Findings> {
    understand_with(source, &Options::default())
}

/// The same under the choices of whoever generates.
pub fn understand_with(source: &Source, options: &Options) -> Result<Understood, Findings> {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let Some(root) = source::load(source, &mut sources, &mut findings) else {
        return Err(findings.finish(&sources));
    };
    let library = resolve::gather(root, options.root_folder(), &mut sources, &mut findings);
    findings.stop_on_error(&sources)?;
    let mut document = document::read(&library, &mut findings);
    if let (Some(document), Some(reason)) = (&mut document, options.assumption()) {
        document.assume_public(reason, &mut findings);
    }
    findings.stop_on_error(&sources)?;
    let checked = document.and_then(|document| {
        let api = build::build(&document, &mut findings);
        check::check(&document, api, &mut findings)
    });
    findings.stop_on_error(&sources)?;
    match checked {
        Some(api) => Ok(Understood { api, warnings: findings.finish(&sources), sources }),
        None => Err(findings.finish(&sources)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(name: &str) -> Source {
        Source::file(format!("{}/../examples/{name}/openapi.yaml", env!("CARGO_MANIFEST_DIR")))
    }

    #[test]
    fn operations_of_webhooks_have_ids_of_the_same_document() {
        let text = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths: {}\nwebhooks:\n  a: { get: { operationId: one } }\n";
        assert!(understand(&Source::text("a.yaml", text)).is_ok());
        let twice = format!("{text}  b: {{ put: {{ operationId: one }} }}\n");
        let findings = understand(&Source::text("a.yaml", twice)).unwrap_err();
        assert!(
            findings.iter().any(|finding| finding.code() == crate::finding::Code::OperationIdTwice),
            "{findings}"
        );
    }

    #[test]
    fn files_above_the_document_are_read_below_a_named_root_only() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("api");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(root.path().join("shared.yaml"), "Name: { type: string }").unwrap();
        let text = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths: {}\ncomponents: { schemas: { Name: { $ref: '../shared.yaml#/Name' } } }\n";
        std::fs::write(folder.join("openapi.yaml"), text).unwrap();
        let source = Source::file(folder.join("openapi.yaml"));
        assert!(understand(&source).is_err());
        assert!(understand_with(&source, &Options::default().root(root.path())).is_ok());
        assert!(
            understand_with(&source, &Options::default().root(std::env::temp_dir().join("nowhere"))).is_err()
        );
    }

    #[test]
    fn the_examples_are_understood_without_a_warning() {
        for name in ["bank", "macro-entry", "adopt"] {
            match understand(&example(name)) {
                Ok(understood) => assert!(understood.warnings.is_empty(), "{}", understood.warnings),
                Err(findings) => panic!("{name}\n{findings}"),
            }
        }
    }
}
