//! [`Build`]: the entry for `build.rs`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::finding::{Findings, Severity};
use crate::options::Options;
use crate::output::write_if_changed;
use crate::source::{Source, SourceFile};

/// Generates from a build script.
///
/// ```no_run
/// // build.rs
/// palisade_codegen::Build::new("openapi.yaml").run();
/// ```
/// ```ignore
/// // src/main.rs
/// mod api {
///     include!(concat!(env!("OUT_DIR"), "/openapi.rs"));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Build {
    document: PathBuf,
    file_name: Option<String>,
    options: Options,
}

impl Build {
    /// From this document, relative to the package. The file is called as the document is, with the ending `.rs`.
    pub fn new(document: impl Into<PathBuf>) -> Self {
        Self { document: document.into(), file_name: None, options: Options::default() }
    }

    /// Calls the generated file otherwise, for two documents of one name.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Generates operations that say nothing of security as public, for this reason: see [`Options::assume_public`].
    #[must_use]
    pub fn assume_public(mut self, reason: impl Into<String>) -> Self {
        self.options = self.options.assume_public(reason);
        self
    }

    /// Files that the document refers to may lie anywhere below this folder: see [`Options::root`].
    #[must_use]
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.options = self.options.root(folder);
        self
    }

    /// Writes the file into `OUT_DIR`, and tells cargo to come back when a file that was read changes. Findings go to
    /// standard error, and with an error among them the build script ends here.
    pub fn run(self) {
        let out = std::env::var_os("OUT_DIR").map(PathBuf::from);
        let report = match out {
            Some(out) => self.run_in(&out),
            None => Report::failed("OUT_DIR is not set: `Build::run` is for build scripts".to_owned()),
        };
        report.deliver();
    }

    fn run_in(&self, out: &Path) -> Report {
        match crate::generate(&Source::file(&self.document), &self.options) {
            Err(findings) => Report { failed: true, ..Report::of(findings.files(), &findings) },
            Ok(output) => {
                let report = Report::of(output.warnings().files(), output.warnings());
                let path = out.join(self.target());
                match write_if_changed(&path, &output.code()) {
                    Ok(_) => report,
                    Err(error) => Report::failed(format!("cannot write `{}`: {error}", path.display())),
                }
            }
        }
    }

    fn target(&self) -> PathBuf {
        match &self.file_name {
            Some(name) => PathBuf::from(name),
            None => Path::new(self.document.file_name().unwrap_or("api".as_ref())).with_extension("rs"),
        }
    }
}

/// What a build script says, and how it ends.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    directives: String,
    findings: String,
    failed: bool,
}

impl Report {
    fn failed(reason: String) -> Self {
        Self { findings: format!("error: {reason}\n"), failed: true, ..Self::default() }
    }

    fn of(files: &[SourceFile], findings: &Findings) -> Self {
        let mut report = Self::default();
        for path in files.iter().filter_map(|file| file.path.as_ref()) {
            report.directive(&format!("cargo::rerun-if-changed={}", path.display()));
        }
        for warning in findings.iter().filter(|finding| finding.severity() == Severity::Warning) {
            // cargo hides what build scripts of a good build print; a directive it shows.
            let place = findings.position(warning);
            let place =
                place.map_or_else(String::new, |(file, line, column)| format!("{file}:{line}:{column}: "));
            report.directive(&format!("cargo::warning={place}{}", warning.message()));
        }
        report.findings = findings.render();
        report
    }

    /// A directive is one line, whatever a document writes into it.
    fn directive(&mut self, line: &str) {
        let line: String = line.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
        // Writing to a `String` does not fail.
        let _ = writeln!(self.directives, "{line}");
    }

    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the two channels of a build script")]
    fn deliver(self) {
        print!("{}", self.directives);
        eprint!("{}", self.findings);
        if self.failed {
            std::process::exit(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
openapi: 3.1.0
info: { title: T, version: "1" }
paths:
  /status:
    get:
      operationId: getStatus
      security: []
      x-palisade: { public: "probes" }
      responses: { "204": { description: yes } }
"#;

    #[test]
    fn writes_the_module_and_watches_what_it_read() {
        let folder = tempfile::tempdir().unwrap();
        let document = folder.path().join("shop.yaml");
        std::fs::write(&document, GOOD).unwrap();
        let report = Build::new(&document).run_in(folder.path());
        assert!(!report.failed, "{}", report.findings);
        assert_eq!(report.directives, format!("cargo::rerun-if-changed={}\n", document.display()));
        let code = std::fs::read_to_string(folder.path().join("shop.rs")).unwrap();
        assert!(code.starts_with("// Generated by palisade "));
        assert!(code.contains("pub enum GetStatus {}"));
        Build::new(&document).file_name("other.rs").run_in(folder.path());
        assert_eq!(std::fs::read_to_string(folder.path().join("other.rs")).unwrap(), code);
    }

    #[test]
    fn every_file_that_was_read_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let (document, part) = (folder.path().join("shop.yaml"), folder.path().join("status.yaml"));
        let operation = GOOD.split_once("    get:").unwrap().1;
        std::fs::write(&part, format!("get:{}", operation.replace("\n    ", "\n"))).unwrap();
        let head = GOOD.split_once("    get:").unwrap().0;
        std::fs::write(&document, format!("{head}    $ref: status.yaml\n")).unwrap();
        let report = Build::new(&document).run_in(folder.path());
        assert!(!report.failed, "{}", report.findings);
        for file in [&document, &part] {
            let directive = format!("cargo::rerun-if-changed={}\n", file.display());
            assert!(report.directives.contains(&directive), "{}", report.directives);
        }
    }

    #[test]
    fn a_fault_stops_it_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let document = folder.path().join("shop.yaml");
        std::fs::write(&document, GOOD.replace("public:", "publik:")).unwrap();
        let report = Build::new(&document).run_in(folder.path());
        assert!(report.failed);
        assert!(report.findings.contains("shop.yaml"), "{}", report.findings);
        assert!(report.directives.contains("rerun-if-changed"), "it comes back when the document is mended");
        assert!(!folder.path().join("shop.rs").exists());
    }

    #[test]
    fn a_folder_that_is_not_there_stops_it() {
        let folder = tempfile::tempdir().unwrap();
        let document = folder.path().join("shop.yaml");
        std::fs::write(&document, GOOD).unwrap();
        let report = Build::new(&document).run_in(&folder.path().join("no"));
        assert!(report.failed && report.findings.contains("cannot write"));
    }
}
