//! Any document: a module, or findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_codegen::{Options, Source, generate};

fuzz_target!(|text: &str| {
    let options = Options::default().assume_public("fuzzed");
    if let Ok(output) = generate(&Source::text("fuzz.yaml", text), &options) {
        assert!(!output.code().is_empty());
    }
});
