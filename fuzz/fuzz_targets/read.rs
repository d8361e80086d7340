//! Any text, as JSON and as YAML: a tree or findings that can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_codegen::{Source, understand};

fuzz_target!(|text: &str| {
    for name in ["fuzz.json", "fuzz.yaml"] {
        if let Err(findings) = understand(&Source::text(name, text)) {
            assert!(findings.has_errors());
            let _ = (findings.render(), findings.to_json());
        }
    }
});
