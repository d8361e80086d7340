//! Any components: references lead somewhere, or a finding says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_codegen::{Options, Source, understand_with};

const HEAD: &str = "openapi: 3.1.0\ninfo: { title: F, version: '1' }\npaths:\n  /a:\n    get:\n      parameters: [{ $ref: '#/components/parameters/A' }]\n      responses: { '200': { $ref: '#/components/responses/A' } }\ncomponents:\n";

fuzz_target!(|components: &str| {
    let lines: String = components.lines().map(|line| format!("  {line}\n")).collect();
    let options = Options::default().assume_public("fuzzed");
    if let Err(findings) = understand_with(&Source::text("fuzz.yaml", format!("{HEAD}{lines}")), &options) {
        assert!(findings.has_errors());
        let _ = findings.render();
    }
});
