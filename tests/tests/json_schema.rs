//! The published JSON Schema tests against generated code: every group is a schema of one document per draft, and each
//! test is read as a member of a body would be.
//!
//! Core must pass whole. Every other test passes, or is listed with the reason why it is refused by the generator or answered
//! otherwise; what is listed and passes is taken off the list.

use std::collections::BTreeMap;
use std::path::Path;

use palisade::__private::{Check, Decode, from_json};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A group of the suite.
struct Group {
    draft: &'static str,
    /// The document that it stands in: `newer`, `plain`, `older` or `stated`.
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

/// Tests that fail, by file and description, each with its reason.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("format", "invalid email string is only an annotation by default", CHECKED),
    ("format", "invalid regex string is only an annotation by default", CHECKED),
    ("format", "invalid ipv4 string is only an annotation by default", CHECKED),
    ("format", "invalid ipv6 string is only an annotation by default", CHECKED),
    ("format", "invalid date-time string is only an annotation by default", CHECKED),
    ("format", "invalid time string is only an annotation by default", CHECKED),
    ("format", "invalid json-pointer string is only an annotation by default", CHECKED),
    ("format", "invalid relative-json-pointer string is only an annotation by default", CHECKED),
    ("format", "invalid iri string is only an annotation by default", CHECKED),
    ("format", "invalid uri-reference string is only an annotation by default", CHECKED),
    ("optional/ecmascript-regex", "matches", CONTROL),
    ("optional/ecmascript-regex", "Line tabulation matches", CONTROL),
    ("optional/ecmascript-regex", "Form feed matches", CONTROL),
];

const CHECKED: &str =
    "2020-12 leaves to the reader whether a format is checked (validation, section 7.2.1): here it is";
const CONTROL: &str = "a string with a control character is refused, whatever its pattern says";

/// Groups that the generator refuses, by file and description, each with its reason.
const REFUSED: &[(&str, &str, &str)] = &[
    ("default", "invalid type for default", DEFAULT),
    ("default", "invalid string value for default", DEFAULT),
    ("defs", "validate definition against metaschema", REMOTE),
    ("definitions", "validate definition against metaschema", REMOTE),
    ("optional/refOfUnknownKeyword", "reference of an arbitrary keyword of a sub-schema", NO_SCHEMA),
    (
        "optional/refOfUnknownKeyword",
        "reference of an arbitrary keyword of a sub-schema with encoded ref",
        NO_SCHEMA,
    ),
    ("ref", "remote ref, containing refs itself", REMOTE),
    ("refRemote", "remote ref", REMOTE),
    ("refRemote", "anchor within remote ref", REMOTE),
    ("refRemote", "ref within remote ref", REMOTE),
    ("refRemote", "base URI change", REMOTE),
    ("refRemote", "remote ref with ref to defs", REMOTE),
    ("refRemote", "Location-independent identifier in remote ref", REMOTE),
    ("refRemote", "remote HTTP ref with nested absolute ref", REMOTE),
    ("refRemote", "$ref to $ref finds detached $anchor", REMOTE),
    ("dynamicRef", "$ref and $dynamicAnchor are independent of order - $defs first", REMOTE),
    ("dynamicRef", "$ref and $dynamicAnchor are independent of order - $ref first", REMOTE),
    ("dynamicRef", "$ref to $dynamicRef finds detached $dynamicAnchor", REMOTE),
    ("vocabulary", "schema that uses custom metaschema with with no validation vocabulary", DIALECT),
    ("optional/format-assertion", "schema that uses custom metaschema with format-assertion: false", DIALECT),
];

const DEFAULT: &str = "a default that its schema refuses is a mistake of the document";
const NO_SCHEMA: &str =
    "what stands at a keyword that nobody knows is no schema (undefined by 2020-12, core section 9.4.2)";
const REMOTE: &str = "generation never uses the network";
const DIALECT: &str = "a dialect of its own could give every keyword another meaning";

#[derive(Default)]
struct Count {
    passed: usize,
    /// The name of each test of a group that is refused, and what to print of it.
    refused: Vec<(String, String)>,
    failed: Vec<(String, String)>,
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
    let mut listed = Listed::default();
    for ((class, draft, file), count) in &counts {
        let (refused, failed) = (&count.refused, &count.failed);
        println!(
            "{class} {draft} {file}: {} passed, {} refused, {} failed",
            count.passed,
            refused.len(),
            failed.len()
        );
        failed.iter().for_each(|(name, text)| listed.look_up(DIFFERENT, file, name, text));
        refused.iter().for_each(|(name, text)| listed.look_up(REFUSED, file, name, text));
    }
    let total = |class: &str| {
        let of = counts.iter().filter(|((of, ..), _)| *of == class).map(|(_, count)| count);
        of.fold((0, 0, 0), |sum, count| {
            (sum.0 + count.passed, sum.1 + count.refused.len(), sum.2 + count.failed.len())
        })
    };
    for class in ["core", "conditional", "not-oas"] {
        println!("{class}: (passed, refused, failed) = {:?}", total(class));
    }
    assert_eq!(listed.unknown, Vec::<String>::new(), "neither right nor listed");
    let passing = DIFFERENT.iter().chain(REFUSED).filter(|row| !listed.known.contains(&(row.0, row.1)));
    assert_eq!(passing.collect::<Vec<_>>(), Vec::<&(&str, &str, &str)>::new(), "listed and right");
    assert_eq!((total("core").1, total("core").2), (0, 0), "all of core passes");
}

/// What was looked up in the tables.
#[derive(Default)]
struct Listed {
    known: Vec<(&'static str, &'static str)>,
    unknown: Vec<String>,
}

impl Listed {
    fn look_up(&mut self, table: &[(&'static str, &'static str, &str)], file: &str, name: &str, text: &str) {
        match table.iter().find(|(of, known, _)| *of == file && *known == name) {
            Some((file, name, reason)) => {
                println!("    {text}: {reason}");
                self.known.push((file, name));
            }
            None => self.unknown.push(text.to_owned()),
        }
    }
}

fn run(group: &Group, written: &Written, count: &mut Count) {
    let at = format!("{} {} / {}", group.document, group.file, written.description);
    let Some(fits) = group.fits else {
        let refused = (written.description.clone(), format!("{at}: {}", group.refused));
        count.refused.extend(vec![refused; written.tests.len()]);
        return;
    };
    for test in &written.tests {
        // The digits of the suite reach the server as they are written.
        let body = format!("{{\"value\":{}}}", test.data);
        if fits(body.as_bytes()) == test.valid {
            count.passed += 1;
        } else {
            let name = &test.description;
            let body: String = body.chars().take(200).collect();
            count.failed.push((name.clone(), format!("{at} / {name}: {body} should be {}", test.valid)));
        }
    }
}
