//! Generates the server of the gate's tests.

fn main() {
    palisade_codegen::Build::new("specs/gate.yaml").run();
}
