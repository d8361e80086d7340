//! Generates the server's module from `openapi.yaml`, and again whenever the document changes.

fn main() {
    palisade_codegen::Build::new("openapi.yaml").run();
}
