//! What must compile, and what must not: each file under `ui/` is named after what is right or wrong in it.
//!
//! `TRYBUILD=overwrite cargo test -p palisade-tests --test ui` writes the `.stderr` files anew; read them before you
//! commit: a message that a stranger would not understand is a bug.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*/*.rs");
    cases.compile_fail("ui/fail/*/*.rs");
}
