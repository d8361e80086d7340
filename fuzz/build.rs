//! Generates the server that the targets for credentials knock at.

fn main() {
    palisade_codegen::Build::new("credentials.yaml").run();
}
