//! Generates the guarded server from `openapi.yaml`.

fn main() {
    palisade_codegen::Build::new("openapi.yaml").run();
}
