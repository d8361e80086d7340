//! Any document: a module in Rust, or findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_codegen::{Options, Source, generate};

fuzz_target!(|text: &str| {
    let name = if text.starts_with('{') { "fuzz.json" } else { "fuzz.yaml" };
    match generate(&Source::text(name, text), &Options::default().assume_public("fuzzed")) {
        Ok(output) => assert!(syn::parse_file(&output.code()).is_ok(), "what is generated is Rust"),
        Err(findings) => assert!(findings.has_errors()),
    }
});
