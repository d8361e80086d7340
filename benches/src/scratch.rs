//! A crate whose one module is generated, for `cargo check`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cpu;

/// CPU seconds of `cargo check`, when all that the module depends on has been checked before.
pub(crate) fn check(code: &str) -> io::Result<f64> {
    let folder = prepare()?;
    run(&folder, "//! Nothing.\n")?;
    run(&folder, code)
}

fn prepare() -> io::Result<PathBuf> {
    let root = root()?;
    let folder = target()?.join("budgets-scratch");
    std::fs::create_dir_all(folder.join("src"))?;
    let runtime = root.join("runtime");
    let manifest = format!(
        "[package]\nname = \"budgets-scratch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\npalisade = {{ path = {runtime:?}, default-features = false, features = [\"macros\"] }}\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder)
}

fn root() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()
}

/// That of the workspace: most of what is needed is there already.
fn target() -> io::Result<PathBuf> {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Ok(root()?.join("target")), |target| Ok(target.into()))
}

fn run(folder: &Path, code: &str) -> io::Result<f64> {
    std::fs::write(folder.join("src/lib.rs"), code)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let before = cpu::seconds_of_children()?;
    let mut command = Command::new(cargo);
    command.args(["check", "--quiet", "--offline", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    // Each run checks the module anew, as a clean build does.
    let ran = command.env("CARGO_TARGET_DIR", target()?).env("CARGO_INCREMENTAL", "0").output()?;
    match ran.status.success() {
        true => Ok(cpu::seconds_of_children()? - before),
        false => Err(io::Error::other(String::from_utf8_lossy(&ran.stderr).into_owned())),
    }
}
