//! `cargo palisade generate` and `explain`, as scripts meet them: exit codes, streams, and what is on disk afterwards.

use std::fs;

use crate::support::{checkout, files, palisade};

const GOOD: &str = r#"
openapi: 3.1.0
info: { title: Small, version: 1.0.0 }
paths:
  /status:
    get:
      operationId: getStatus
      security: []
      x-palisade: { public: load balancers probe it }
      responses:
        "204": { description: fine }
"#;

/// Nobody decided who may call the first, and the second names a scheme that is not there.
const BAD: &str = r#"
openapi: 3.1.0
info: { title: Small, version: 1.0.0 }
paths:
  /open:
    get:
      operationId: getOpen
      responses:
        "204": { description: fine }
  /misspelt:
    get:
      operationId: getMisspelt
      security: [{ oath: [] }]
      responses:
        "204": { description: fine }
components:
  securitySchemes:
    oauth: { type: http, scheme: bearer }
"#;

/// Build scripts write what `generate` answers (a test of theirs says so), and the macro its tokens (likewise).
#[test]
fn the_command_line_writes_what_the_library_generates() {
    let specs = checkout().join("tests/specs/accept");
    let out = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for entry in fs::read_dir(specs).unwrap() {
        let path = entry.unwrap().path();
        let run = palisade(out.path(), &["generate", path.to_str().unwrap(), "--out", "api.rs"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let source = palisade_codegen::Source::file(&path);
        let output = palisade_codegen::generate(&source, &palisade_codegen::Options::default()).unwrap();
        assert_eq!(fs::read_to_string(out.path().join("api.rs")).unwrap(), output.code());
        compared += 1;
    }
    assert!(compared > 10);
}

fn folder_with(document: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("openapi.yaml"), document).unwrap();
    folder
}

#[test]
fn what_nobody_decided_is_public_by_an_explicit_switch_only() {
    let folder = folder_with(
        &GOOD.replace("      security: []\n      x-palisade: { public: load balancers probe it }\n", ""),
    );
    let line = ["generate", "openapi.yaml", "--out", "a.rs"];
    assert_eq!(palisade(folder.path(), &line).code, 1);
    assert_eq!(files(folder.path()), ["openapi.yaml"]);
    let assumed = palisade(folder.path(), &[&line[..], &["--assume-public", "a trial"]].concat());
    assert_eq!(assumed.code, 0, "{}", assumed.stderr);
    assert!(assumed.stderr.contains("1 operation says nothing of security"), "{}", assumed.stderr);
    assert!(assumed.stderr.contains("`GET /status`"), "{}", assumed.stderr);
    let text = fs::read_to_string(folder.path().join("a.rs")).unwrap();
    assert!(text.contains("// - GET /status\n") && text.contains("Access::Public(\"a trial\")"), "{text}");
}

#[test]
fn both_ways_in_write_the_same_bytes_and_say_nothing_to_a_pipe() {
    let folder = folder_with(GOOD);
    let direct = palisade(folder.path(), &["generate", "openapi.yaml", "--out", "a.rs"]);
    let through_cargo = palisade(folder.path(), &["palisade", "generate", "openapi.yaml", "--out", "b.rs"]);
    for run in [direct, through_cargo] {
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
    }
    let text = fs::read_to_string(folder.path().join("a.rs")).unwrap();
    assert!(text.contains("get_status"), "{text}");
    assert_eq!(text, fs::read_to_string(folder.path().join("b.rs")).unwrap());
    assert_eq!(files(folder.path()), ["a.rs", "b.rs", "openapi.yaml"]);
}

#[test]
fn what_is_current_is_not_written_again() {
    let folder = folder_with(GOOD);
    let out = folder.path().join("api.rs");
    assert_eq!(palisade(folder.path(), &["generate", "openapi.yaml", "--out", "api.rs"]).code, 0);
    let before = fs::metadata(&out).unwrap().modified().unwrap();
    assert_eq!(palisade(folder.path(), &["generate", "openapi.yaml", "--out", "api.rs"]).code, 0);
    assert_eq!(fs::metadata(&out).unwrap().modified().unwrap(), before);
}

#[test]
fn check_tells_current_stale_and_missing_apart_and_writes_nothing() {
    let folder = folder_with(GOOD);
    let check = ["generate", "openapi.yaml", "--out", "api.rs", "--check"];

    let missing = palisade(folder.path(), &check);
    assert_eq!(missing.code, 4);
    assert!(missing.stderr.contains("`api.rs` is not there"), "{}", missing.stderr);
    assert_eq!(files(folder.path()), ["openapi.yaml"]);

    assert_eq!(palisade(folder.path(), &["generate", "openapi.yaml", "--out", "api.rs"]).code, 0);
    assert_eq!(palisade(folder.path(), &check).code, 0);

    let edited = fs::read_to_string(folder.path().join("api.rs")).unwrap() + "// by hand\n";
    fs::write(folder.path().join("api.rs"), &edited).unwrap();
    let stale = palisade(folder.path(), &check);
    assert_eq!(stale.code, 4);
    assert!(stale.stderr.contains("`api.rs` is stale"), "{}", stale.stderr);
    assert!(stale.stderr.contains("cargo palisade generate openapi.yaml --out api.rs"), "{}", stale.stderr);
    assert_eq!(fs::read_to_string(folder.path().join("api.rs")).unwrap(), edited);
}

#[test]
fn every_finding_is_shown_with_its_place_and_nothing_is_written() {
    let folder = folder_with(BAD);
    let run = palisade(folder.path(), &["generate", "openapi.yaml", "--out", "api.rs"]);
    assert_eq!(run.code, 1);
    for part in
        ["PAL0030", "PAL0032", "openapi.yaml:6:", "openapi.yaml:13:", "did you mean `oauth`?", "2 errors"]
    {
        assert!(run.stderr.contains(part), "`{part}` is missing from\n{}", run.stderr);
    }
    assert!(run.stdout.is_empty() && !run.stderr.contains('\u{1b}'), "plain text when nobody watches");
    assert_eq!(files(folder.path()), ["openapi.yaml"]);
}

#[test]
fn a_broken_document_does_not_touch_what_was_generated_before() {
    let folder = folder_with(GOOD);
    assert_eq!(palisade(folder.path(), &["generate", "openapi.yaml", "--out", "api.rs"]).code, 0);
    let before = fs::read_to_string(folder.path().join("api.rs")).unwrap();
    fs::write(folder.path().join("openapi.yaml"), BAD).unwrap();
    assert_eq!(palisade(folder.path(), &["generate", "openapi.yaml", "--out", "api.rs"]).code, 1);
    assert_eq!(fs::read_to_string(folder.path().join("api.rs")).unwrap(), before);
}

#[test]
fn programs_get_one_object_a_line() {
    let folder = folder_with(BAD);
    let line = ["generate", "openapi.yaml", "--out", "api.rs", "--message-format", "json"];
    let run = palisade(folder.path(), &line);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let messages: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let codes: Vec<_> = messages.iter().filter_map(|message| message["code"].as_str()).collect();
    assert_eq!(codes, ["PAL0030", "PAL0032"]);
    assert!(messages.iter().all(|message| message["type"].is_string()));
    assert_eq!(messages.last().unwrap()["exit"], 1);
}

#[test]
fn a_document_that_is_not_there_or_not_readable_is_a_finding() {
    let folder = folder_with("openapi: [");
    for (spec, code) in [("openapi.yaml", "PAL0002"), ("none.yaml", "PAL0001")] {
        let run = palisade(folder.path(), &["generate", spec, "--out", "api.rs"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(code), "{}", run.stderr);
    }
    assert_eq!(files(folder.path()), ["openapi.yaml"]);
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let folder = folder_with(GOOD);
    let run = palisade(folder.path(), &["generate", "openapi.yaml", "--out", "src/api.rs"]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("`src` is not there") && run.stderr.contains("mkdir"), "{}", run.stderr);
    assert_eq!(files(folder.path()), ["openapi.yaml"]);
}

#[test]
fn usage_errors_and_help() {
    let folder = folder_with(GOOD);
    assert_eq!(palisade(folder.path(), &["generate"]).code, 2);
    assert_eq!(palisade(folder.path(), &["explain", "PAL9999"]).code, 2);
    let help = palisade(folder.path(), &["palisade", "--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("cargo palisade") && help.stdout.contains("Exit codes"), "{}", help.stdout);
}

#[test]
fn a_code_is_explained() {
    let folder = folder_with(GOOD);
    let run = palisade(folder.path(), &["explain", "pal0030"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.starts_with("PAL0030: ") && run.stdout.contains("security: []"), "{}", run.stdout);
    let run = palisade(folder.path(), &["explain", "PAL0030", "--message-format", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()["code"], "PAL0030");
}
