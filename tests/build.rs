//! Generates the servers of the tests.

fn main() {
    palisade_codegen::Build::new("specs/gate.yaml").run();
    palisade_codegen::Build::new("specs/wire.yaml").run();
    palisade_codegen::Build::new("specs/combinations.yaml").run();
}
