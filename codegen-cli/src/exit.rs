//! How a run ends: the exit codes, which scripts rely on, and what is said when it fails.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// Shown at the foot of `--help`. The numbers are a promise: scripts tell by them what happened.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  the document has findings that stop generation
  2  the command cannot be carried out as it was given
  3  a file could not be read or written
  4  `generate --check`: the generated file is not what the document says now";

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Findings = 1,
    Usage = 2,
    Io = 3,
    Stale = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a run failed: one line, and the way out of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    exit: Exit,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    /// The findings were reported one by one; this line closes them.
    pub(crate) fn findings(message: impl Into<String>) -> Self {
        Self::new(Exit::Findings, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// `doing` is what was attempted with `path`, e.g. "write".
    pub(crate) fn io(doing: &str, path: &Path, cause: impl fmt::Display) -> Self {
        Self::new(Exit::Io, format!("cannot {doing} `{}`: {cause}", path.display()))
    }

    /// A source of the system failed (random numbers, the clock, a stream).
    pub(crate) fn system(message: impl Into<String>) -> Self {
        Self::new(Exit::Io, message)
    }

    pub(crate) fn stale(message: impl Into<String>) -> Self {
        Self::new(Exit::Stale, message)
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: None }
    }
}
