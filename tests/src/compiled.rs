//! Generated modules, compiled under `deny(warnings)`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A crate whose one module is replaced for each document, so that what it depends on is built once.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// That of the workspace: most of what is needed is there already.
    target: PathBuf,
}

impl Scratch {
    /// A folder and a crate of this name in the target folder: two crates of one name would be one to cargo.
    pub fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder = target.join(name);
        std::fs::create_dir_all(folder.join("src")).expect("the target folder can be written");
        let palisade = root.join("runtime");
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
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
    pub fn check(&self, code: &str) -> Result<Duration, String> {
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
