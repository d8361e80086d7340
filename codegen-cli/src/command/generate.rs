//! `cargo palisade generate SPEC --out FILE`: the generated module, written or compared.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use palisade_codegen::Source;
use palisade_codegen::output::{is_current, write_if_changed};
use serde_json::json;

use crate::document;
use crate::exit::Failure;
use crate::project::shell_word;
use crate::reporter::Reporter;

const EXAMPLES: &str = "\
Examples:
  cargo palisade generate openapi.yaml --out src/api.rs
  cargo palisade generate openapi.yaml --out src/api.rs --check    # in CI: exits with 4 when it is stale
  cargo palisade generate openapi.yaml --out src/api.rs --assume-public 'our gateway checks'
  cargo palisade generate openapi.yaml --out src/api.rs --overlay ours.yaml

The same bytes come from a build script (`palisade_codegen::Build`) and from `palisade::api!`.";

/// Generate the Rust module of a document.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Generate {
    /// The document: OpenAPI 3.0, 3.1 or 3.2, YAML or JSON. Files that it refers to are read as well.
    spec: PathBuf,

    /// The file to write. It is left alone when its content is current; its folder must exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Operations that say nothing of security are public, for this reason. They are named in a warning and in the
    /// header of the file.
    #[arg(long, value_name = "REASON")]
    assume_public: Option<String>,

    /// An OpenAPI Overlay document to apply first; several apply in their order.
    #[arg(long, value_name = "FILE")]
    overlay: Vec<PathBuf>,

    /// Files that the document refers to may lie anywhere below this folder. Default: the document's own.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Write nothing; fail when the file is not what the document says now.
    #[arg(long)]
    check: bool,
}

impl Generate {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let started = Instant::now();
        self.refuse_strange_places()?;
        let mut options = document::options(self.assume_public.as_deref());
        if let Some(root) = &self.root {
            options = options.root(root);
        }
        for overlay in &self.overlay {
            options = options.overlay(Source::file(overlay));
        }
        let output = document::read(&self.spec, &options, reporter)?;
        let code = output.code();
        let current = is_current(&self.out, &code).map_err(|cause| Failure::io("read", &self.out, cause))?;
        let shown = self.out.display();
        let changed = match (current, self.check) {
            (true, _) => false,
            (false, true) => return Err(self.stale()),
            (false, false) => {
                write_if_changed(&self.out, &code).map_err(|cause| Failure::io("write", &self.out, cause))?
            }
        };
        let took = started.elapsed();
        let verb = if changed { "Wrote" } else { "Current" };
        let lines = code.lines().count();
        reporter.remark(verb, &format!("{shown} ({lines} lines) in {:.2} s", took.as_secs_f64()));
        reporter.fields(&json!({
            "type": "generated",
            "out": self.out,
            "changed": changed,
            "lines": lines,
            "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }));
        Ok(())
    }

    /// A folder that is misspelt would be made, and the build would go on with the old file elsewhere.
    fn refuse_strange_places(&self) -> Result<(), Failure> {
        if self.out.is_dir() {
            return Err(
                Failure::io("write", &self.out, "it is a folder").help("name a file in it, e.g. `api.rs`")
            );
        }
        match self.out.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                let shown = folder.display();
                let word = shell_word(&shown.to_string());
                Err(Failure::io("write", &self.out, format!("the folder `{shown}` is not there"))
                    .help(format!("if the name is right, make it: mkdir -p {word}")))
            }
            _ => Ok(()),
        }
    }

    fn stale(&self) -> Failure {
        let (spec, out) = (self.spec.display(), self.out.display());
        let what = if self.out.exists() {
            format!("`{out}` is stale: it is not what `{spec}` says now")
        } else {
            format!("`{out}` is not there")
        };
        let (spec, out) = (shell_word(&spec.to_string()), shell_word(&out.to_string()));
        let option = |name: &str, value: &str| format!(" --{name} {}", shell_word(value));
        let assumed = self.assume_public.iter().map(|reason| option("assume-public", reason));
        let overlays = self.overlay.iter().map(|file| option("overlay", &file.display().to_string()));
        let root = self.root.iter().map(|folder| option("root", &folder.display().to_string()));
        let options: String = assumed.chain(overlays).chain(root).collect();
        Failure::stale(what).help(format!("cargo palisade generate {spec} --out {out}{options}"))
    }
}
