//! Compiles what is generated from the documents of a folder, as the tests do with the corpus, and prints the time that
//! each takes.
//!
//! ```text
//! cargo run --release -p palisade-tests --bin corpus_check -- [FOLDER [PART OF A NAME]]
//! ```
#![allow(clippy::print_stdout, reason = "a tool")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use palisade_codegen::{Source, generate};
use palisade_tests::compiled::Scratch;
use palisade_tests::corpus;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map(PathBuf::from).or_else(corpus::folder);
    let part = arguments.next().unwrap_or_default();
    let Some(folder) = folder else { return ExitCode::FAILURE };
    let scratch = Scratch::new("corpus_check");
    let (mut checked, mut failed, mut refused) = (0, Vec::new(), 0);
    for name in corpus::documents(&folder).into_iter().filter(|name| name.contains(&part)) {
        let started = Instant::now();
        let options = corpus::options(&folder, &name).assume_public("a document of others, on trial");
        let Ok(output) = generate(&Source::file(folder.join(&name)).named(&name), &options) else {
            refused += 1;
            continue;
        };
        let code = output.code();
        let generated = started.elapsed();
        checked += 1;
        let lines = code.lines().count();
        match scratch.check(&code) {
            Ok(took) => println!(
                "{:>7.2} s {:>7.2} s {lines:>7} lines  {name}",
                generated.as_secs_f64(),
                took.as_secs_f64()
            ),
            Err(messages) => {
                println!("{:>7.2} s  FAILED   {lines:>7} lines  {name}\n{messages}", generated.as_secs_f64());
                failed.push(name);
            }
        }
    }
    println!(
        "generated and checked: {checked}, of which {} failed {failed:?}; not generated: {refused}",
        failed.len()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
