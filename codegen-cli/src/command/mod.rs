//! The verbs: each owns its options and one function that carries it out.

mod explain;
mod generate;
mod key;
mod new;
mod proof;
mod token;
mod until;

use clap::Subcommand;

use crate::exit::Failure;
use crate::reporter::Reporter;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::New),
    Generate(generate::Generate),
    Token(token::Token),
    Proof(proof::Proof),
    Key(key::Key),
    Explain(explain::Explain),
}

impl Command {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        match self {
            Self::New(new) => new.run(reporter),
            Self::Generate(generate) => generate.run(reporter),
            Self::Token(token) => token.run(reporter),
            Self::Proof(proof) => proof.run(reporter),
            Self::Key(key) => key.run(reporter),
            Self::Explain(explain) => explain.run(reporter),
        }
    }
}
