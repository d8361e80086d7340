//! `cargo palisade`: generate, start and operate servers from annotated OpenAPI documents.

mod args;
mod command;
mod document;
mod exit;
mod project;
mod random;
mod reporter;
mod scaffold;
mod signer;
mod store;

use std::process::ExitCode;

use args::Args;
use reporter::Reporter;

/// A document is many small trees, made and dropped once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match Args::read(std::env::args_os()) {
        Ok(args) => args,
        // Help and usage errors: clap writes them to the right stream and knows their exit codes (0 and 2).
        Err(answer) => answer.exit(),
    };
    let reporter = Reporter::new(args.message_format);
    match args.command.run(&reporter) {
        Ok(()) => exit::Exit::Done.into(),
        Err(failure) => {
            reporter.failure(&failure);
            failure.exit().into()
        }
    }
}
