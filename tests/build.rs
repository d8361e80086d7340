//! Generates the servers of the tests, and one module for the published tests of JSON Schema.

#[path = "build/json_schema.rs"]
mod json_schema;

fn main() {
    palisade_codegen::Build::new("specs/gate.yaml").run();
    palisade_codegen::Build::new("specs/wire.yaml").run();
    palisade_codegen::Build::new("specs/parts.yaml").run();
    palisade_codegen::Build::new("specs/multiparts.yaml").run();
    palisade_codegen::Build::new("specs/untyped.yaml").run();
    palisade_codegen::Build::new("specs/uploads.yaml").run();
    palisade_codegen::Build::new("specs/combinations.yaml").run();
    palisade_codegen::Build::new("specs/types.yaml").run();
    palisade_codegen::Build::new("specs/certificates.yaml").run();
    palisade_codegen::Build::new("specs/letter.yaml").run();
    palisade_codegen::Build::new("specs/meant.yaml").run();
    palisade_codegen::Build::new("specs/proofs.yaml").run();
    palisade_codegen::Build::new("specs/asked.yaml").run();
    palisade_codegen::Build::new("specs/json.yaml").run();
    palisade_codegen::Build::new("specs/attacks.yaml").run();
    palisade_codegen::Build::new("specs/keys.yaml").run();
    palisade_codegen::Build::new("specs/issuer.yaml").run();
    palisade_codegen::Build::new("specs/idempotency.yaml").run();
    palisade_codegen::Build::new("specs/ledger.yaml").run();
    palisade_codegen::Build::new("specs/counters.yaml").run();
    palisade_codegen::Build::new("specs/login.yaml").run();
    palisade_codegen::Build::new("specs/login_operations.yaml").run();
    palisade_codegen::Build::new("specs/shared.yaml").run();
    palisade_codegen::Build::new("specs/configured.yaml").run();
    palisade_codegen::Build::new("specs/running.yaml").run();
    palisade_codegen::Build::new("specs/roles.yaml").run();
    palisade_codegen::Build::new("specs/load.yaml").run();
    palisade_codegen::Build::new("specs/walks.yaml").run();
    palisade_codegen::Build::new("specs/rotation.yaml").run();
    palisade_codegen::Build::new("specs/problems.yaml").run();
    palisade_codegen::Build::new("specs/disk.yaml").run();
    palisade_codegen::Build::new("specs/cors.yaml").run();
    palisade_codegen::Build::new("specs/tenants.yaml").run();
    palisade_codegen::Build::new("specs/audit.yaml").run();
    palisade_codegen::Build::new("specs/crowd.yaml").run();
    json_schema::generate();
}
