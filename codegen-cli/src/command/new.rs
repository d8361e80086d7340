//! `cargo palisade new DIR`: a project that builds and runs as it is.

use std::path::PathBuf;

use clap::Parser;
use serde_json::json;

use crate::exit::Failure;
use crate::reporter::Reporter;
use crate::scaffold::{self, Answers, Palisade, Plan};

const EXAMPLES: &str = "\
Examples:
  cargo palisade new notes                                  # a small annotated document to start from
  cargo palisade new shop --spec openapi.yaml               # every operation answers 501 until you write it
  cargo palisade new shop --spec openapi.yaml --mock        # every operation answers as its response is declared
  cargo palisade new shop --palisade-path ../palisade       # depends on a checkout of palisade

Then: cd notes && cargo run, and in another terminal
  cargo palisade token --subject alice --scope notes:read";

/// Make a project that builds and runs as it is, from a document.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct New {
    /// The folder to make. It must not exist, or be empty.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// The document; it is copied into the project with the files that it refers to.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,

    /// Handlers answer an example that conforms to the declared response, instead of 501.
    #[arg(long)]
    mock: bool,

    /// Operations of the document that say nothing of security are public, for this reason, until they are decided.
    #[arg(long, value_name = "REASON", requires = "spec")]
    assume_public: Option<String>,

    /// Depend on this checkout of palisade instead of a published version.
    #[arg(long, value_name = "PATH")]
    palisade_path: Option<PathBuf>,
}

impl New {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let plan = Plan {
            palisade: Palisade::at(self.palisade_path.as_deref())?,
            answers: if self.mock { Answers::Examples } else { Answers::NotImplemented },
            spec: self.spec,
            assume_public: self.assume_public,
            folder: self.folder,
        };
        let made = scaffold::make(&plan, reporter)?;
        let folder = plan.folder.display();
        reporter.progress("Created", &format!("`{}` in {folder}", made.package));
        reporter.note(&made.next_steps(&plan.folder));
        reporter.fields(&json!({
            "type": "project",
            "package": made.package,
            "folder": plan.folder,
            "document": made.document,
        }));
        Ok(())
    }
}
