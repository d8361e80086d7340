//! The one place that writes to the streams of the process.
//!
//! Standard output carries what was asked for (a token, a key, an explanation; with `--message-format json` every
//! message). Standard error carries what a person reads beside it. Colours appear on a terminal only, and never
//! with `NO_COLOR`: `anstream` strips them elsewhere.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::args::MessageFormat;
use crate::exit::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const DOING: Style = AnsiColor::Green.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Writes messages in the format that was asked for.
#[derive(Debug)]
pub(crate) struct Reporter {
    format: MessageFormat,
    terminal: bool,
}

impl Reporter {
    pub(crate) fn new(format: MessageFormat) -> Self {
        Self { format, terminal: io::stderr().is_terminal() }
    }

    /// What the command was asked for: `text` for people and pipes, `fields` for programs.
    pub(crate) fn answer(&self, text: &str, fields: &Value) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        let written = match self.format {
            MessageFormat::Human => writeln!(out, "{text}"),
            MessageFormat::Json => writeln!(out, "{fields}"),
        };
        written
            .and_then(|()| out.flush())
            .map_err(|cause| Failure::system(format!("cannot write the answer: {cause}")))
    }

    /// A step of the work that changed something, e.g. `Created shop`.
    pub(crate) fn progress(&self, verb: &str, what: &str) {
        match self.format {
            MessageFormat::Human => self.say(&format!("{DOING}{verb:>12}{DOING:#} {what}")),
            MessageFormat::Json => self.line(&json!({ "type": "progress", "step": verb, "message": what })),
        }
    }

    /// A remark that only a person watching wants.
    pub(crate) fn remark(&self, verb: &str, what: &str) {
        if self.terminal && self.format == MessageFormat::Human {
            self.progress(verb, what);
        }
    }

    /// Free text for people: next steps. Programs have the fields of the answer.
    pub(crate) fn note(&self, text: &str) {
        if self.format == MessageFormat::Human {
            self.say(text);
        }
    }

    /// Findings: rendered for people, or the fields of each.
    pub(crate) fn findings(&self, text: impl FnOnce() -> String, fields: impl FnOnce() -> Vec<Value>) {
        match self.format {
            MessageFormat::Human => self.say(text().trim_end()),
            MessageFormat::Json => {
                fields().into_iter().for_each(|fields| self.line(&with_type("finding", fields)))
            }
        }
    }

    /// What was done, for programs only.
    pub(crate) fn fields(&self, fields: &Value) {
        if self.format == MessageFormat::Json {
            self.line(fields);
        }
    }

    /// The last word of a run that failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        let Failure { message, help, .. } = failure;
        match self.format {
            MessageFormat::Human => {
                self.say(&format!("{ERROR}error{ERROR:#}: {message}"));
                if let Some(help) = help {
                    self.say(&format!("{HELP} help{HELP:#}: {help}"));
                }
            }
            MessageFormat::Json => {
                let exit = failure.exit() as u8;
                self.line(&json!({ "type": "failure", "exit": exit, "message": message, "help": help }));
            }
        }
    }

    /// Whether findings may be rendered with colours: the terminal is asked, not the format.
    pub(crate) fn colours(&self) -> bool {
        self.terminal && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
    }

    fn say(&self, text: &str) {
        // A closed standard error is no reason to fail work that succeeds.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    fn line(&self, message: &Value) {
        let _ = writeln!(anstream::stdout().lock(), "{message}");
    }
}

fn with_type(kind: &str, mut fields: Value) -> Value {
    if let Some(members) = fields.as_object_mut() {
        members.insert("type".to_owned(), kind.into());
    }
    fields
}
