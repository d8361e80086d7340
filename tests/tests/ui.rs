//! What must compile, and what must not: each file under `ui/` is named after what is right or wrong in it.
//!
//! `TRYBUILD=overwrite cargo test -p palisade-tests --test ui` writes the `.stderr` files anew; read them before you
//! commit: a message that a stranger would not understand is a bug.

/// The compiler whose messages stand in the `.stderr` files. Another one words them otherwise: with it, this file says that
/// it was not run.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn ui() {
    let compiler = std::process::Command::new("rustc").arg("--version").output().unwrap();
    let compiler = String::from_utf8_lossy(&compiler.stdout);
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*/*.rs");
    if compiler.starts_with(COMPILER) {
        cases.compile_fail("ui/fail/*/*.rs");
    } else {
        println!("NOT RUN: the messages of ui/fail were written by {COMPILER}, this is {compiler}");
    }
}
