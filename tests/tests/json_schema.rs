//! The published JSON Schema tests against generated code: every group is a schema of one document per draft, and each
//! test is read as a member of a body would be.
//!
//! Core must pass whole. Conditional groups pass or are refused by the generator, never ignored; what deviates on
//! purpose is listed with its reason.

use std::collections::BTreeMap;
use std::path::Path;

use palisade::__private::{Check, Decode, from_json};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A group of the suite.
struct Group {
    draft: &'static str,
    /// The document that it stands in: `newer`, `older` or `stated`.
    document: &'static str,
    file: &'static str,
    at: usize,
    class: &'static str,
    /// Whether a value fits the generated type. `None`: the generator refuses the schema.
    fits: Option<fn(&[u8]) -> bool>,
    /// Why.
    refused: &'static str,
}

/// A group as it is written.
#[derive(Deserialize)]
struct Written {
    description: String,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    description: String,
    /// With its digits: a value would have rounded them.
    data: Box<RawValue>,
    valid: bool,
}

fn fits<T: Decode + Check>(body: &[u8]) -> bool {
    from_json::<T>(body, 64).is_ok()
}

#[allow(dead_code, unused_imports, reason = "only the types of the module are asked")]
mod generated {
    use super::{Group, fits};
    include!(concat!(env!("OUT_DIR"), "/json_schema.rs"));
}

/// Files in which tests may fail, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("format", "formats are checked, not noted (the suite's default for 2020-12)"),
    ("optional/ecmascript-regex", "control characters are refused in strings whatever the pattern says"),
    ("optional/format/duration", "not checked yet: the format passes as a string, with a warning"),
    ("optional/format/time", "not checked yet"),
    ("optional/format/json-pointer", "not checked yet"),
    ("optional/format/uri-reference", "not checked yet"),
    ("optional/format/ecmascript-regex", "not checked yet"),
    ("optional/format/regex", "not checked yet"),
    ("optional/format/hostname", "rules of IDNA for A-labels"),
];

#[derive(Default)]
struct Count {
    passed: usize,
    refused: usize,
    failed: Vec<String>,
}

#[test]
fn the_published_tests() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/suites/json-schema");
    if generated::GROUPS.is_empty() {
        println!("the suite is not at {}: nothing is tested", suite.display());
        return;
    }
    let mut counts: BTreeMap<(&str, &str, &str), Count> = BTreeMap::new();
    for group in generated::GROUPS {
        let path = suite.join(group.draft).join(group.file).with_extension("json");
        let groups: Vec<Written> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let count = counts.entry((group.class, group.draft, group.file)).or_default();
        run(group, &groups[group.at], count);
    }
    let mut wrong = Vec::new();
    for ((class, draft, file), count) in &counts {
        println!(
            "{class} {draft} {file}: {} passed, {} refused, {} failed",
            count.passed,
            count.refused,
            count.failed.len()
        );
        if *class != "not-oas" && DIFFERENT.iter().all(|(different, _)| different != file) {
            wrong.extend(count.failed.iter().cloned());
        }
        count.failed.iter().for_each(|failed| println!("    {failed}"));
    }
    let total = |class: &str| {
        let of = counts.iter().filter(|((of, ..), _)| *of == class).map(|(_, count)| count);
        of.fold((0, 0, 0), |sum, count| {
            (sum.0 + count.passed, sum.1 + count.refused, sum.2 + count.failed.len())
        })
    };
    for class in ["core", "conditional", "not-oas"] {
        println!("{class}: (passed, refused, failed) = {:?}", total(class));
    }
    assert!(wrong.is_empty(), "{} tests: {wrong:#?}", wrong.len());
    assert_eq!(total("core").1, 0, "core schemas are refused");
}

fn run(group: &Group, written: &Written, count: &mut Count) {
    let tests = &written.tests;
    let Some(fits) = group.fits else {
        count.refused += tests.len();
        println!("refused {} {} {}: {}", group.draft, group.file, written.description, group.refused);
        return;
    };
    for test in tests {
        // The digits of the suite reach the server as they are written.
        let body = format!("{{\"value\":{}}}", test.data);
        let expected = test.valid;
        let words = &test.description;
        if fits(body.as_bytes()) == expected {
            count.passed += 1;
        } else {
            let body: String = body.chars().take(200).collect();
            count.failed.push(format!(
                "{} {} / {} / {words}: {body} should be {expected}",
                group.draft, group.file, written.description
            ));
        }
    }
}
