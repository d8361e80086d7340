//! Generates the server of the gate's tests, and one module for the published tests of JSON Schema.

#[path = "build/json_schema.rs"]
mod json_schema;

fn main() {
    palisade_codegen::Build::new("specs/gate.yaml").run();
    json_schema::generate();
}
