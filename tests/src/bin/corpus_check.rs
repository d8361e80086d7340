//! Compiles what is generated from the documents of a folder: `cargo check` under `deny(warnings)`, one after the other,
//! with the time that each takes. Too slow for every run of the tests.
//!
//! ```text
//! cargo run --release -p palisade-tests --bin corpus_check -- [FOLDER [PART OF A NAME]]
//! ```
#![allow(clippy::print_stdout, reason = "a tool")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use palisade_codegen::{Source, generate};
use palisade_tests::corpus;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map(PathBuf::from).or_else(corpus::folder);
    let part = arguments.next().unwrap_or_default();
    let Some(folder) = folder else { return ExitCode::FAILURE };
    let scratch = Scratch::new();
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

/// A crate whose one module is replaced for each document, so that what it depends on is built once.
struct Scratch {
    folder: PathBuf,
    /// That of the workspace: most of what is needed is there already.
    target: PathBuf,
}

impl Scratch {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder = target.join("corpus_check");
        std::fs::create_dir_all(folder.join("src")).expect("the target folder can be written");
        let palisade = root.join("runtime");
        let manifest = format!(
            "[package]\nname = \"corpus-check\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.dev]\ndebug = \"line-tables-only\"\n\n\
             [dependencies]\npalisade = {{ path = {palisade:?} }}\n"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).expect("the manifest can be written");
        std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
            .expect("the lock file can be copied");
        let root = "#![deny(warnings, missing_docs)]\n//! What a document became.\n\n/// The module.\npub mod api;\n";
        std::fs::write(folder.join("src/lib.rs"), root).expect("the crate can be written");
        let scratch = Self { folder, target };
        // what is generated from nothing builds what everything depends on, outside of the times
        scratch.check("//! Nothing.\n").expect("the runtime compiles");
        scratch
    }

    /// The time that it took, or what the compiler says.
    fn check(&self, code: &str) -> Result<Duration, String> {
        std::fs::write(self.folder.join("src/api.rs"), code).map_err(|error| error.to_string())?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let started = Instant::now();
        let run = Command::new(cargo)
            .args(["check", "--quiet", "--offline", "--manifest-path"])
            .arg(self.folder.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", &self.target)
            .output()
            .map_err(|error| error.to_string())?;
        if run.status.success() {
            return Ok(started.elapsed());
        }
        let messages = String::from_utf8_lossy(&run.stderr);
        // what the runtime warns of comes first, and is not what the document did
        let errors = messages.lines().skip_while(|line| !line.starts_with("error"));
        Err(errors.take(60).map(|line| format!("    {line}\n")).collect())
    }
}
