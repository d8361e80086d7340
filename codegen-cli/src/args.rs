//! The command line: the shape that cargo expects of a subcommand, and the options of every verb.

use std::ffi::OsString;

use clap::{Parser, ValueEnum};

use crate::command::Command;
use crate::exit;

/// Servers that do what their OpenAPI document says about security.
#[derive(Debug, Parser)]
#[command(name = "cargo palisade", bin_name = "cargo palisade", version, after_help = exit::HELP)]
pub(crate) struct Args {
    /// How messages are written: for people, or one JSON object a line on standard output.
    #[arg(long, global = true, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(crate) message_format: MessageFormat,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// Text, coloured on a terminal.
    Human,
    /// One JSON object a line, on standard output.
    Json,
}

impl Args {
    /// Reads the command line of either way in: `cargo palisade new` arrives as `cargo-palisade palisade new`.
    pub(crate) fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut line: Vec<OsString> = line.into_iter().collect();
        if line.get(1).is_some_and(|word| word == "palisade") {
            line.remove(1);
        }
        Self::try_parse_from(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> Result<Args, clap::Error> {
        Args::read(line.iter().map(OsString::from))
    }

    #[test]
    fn both_ways_in_are_one() {
        for line in [
            &["cargo-palisade", "palisade", "explain", "PAL0001"][..],
            &["cargo-palisade", "explain", "PAL0001"],
        ] {
            assert!(matches!(read(line).unwrap().command, Command::Explain(_)), "{line:?}");
        }
    }

    #[test]
    fn usage_errors_exit_with_two() {
        let error = read(&["cargo-palisade", "generate"]).unwrap_err();
        assert_eq!(error.exit_code(), exit::Exit::Usage as i32);
        assert_eq!(read(&["cargo-palisade", "--help"]).unwrap_err().exit_code(), 0);
    }

    #[test]
    fn every_verb_teaches_by_an_example() {
        use clap::CommandFactory;
        Args::command().debug_assert();
        for verb in Args::command().get_subcommands() {
            let help = verb.clone().render_long_help().to_string();
            assert!(help.contains("cargo palisade "), "`{}` shows no example", verb.get_name());
        }
    }
}
