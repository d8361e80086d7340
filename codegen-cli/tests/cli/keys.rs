//! `cargo palisade key ..` on a credential file: made, listed, rotated, revoked, and never shown twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::Value;

use crate::support::{Run, palisade};

const DOCUMENT: &str = r#"openapi: 3.1.0
info: { title: Door, version: "1" }
security: [{ partner: [doors:open] }]
x-palisade: { limits: { flood: { rate: 50/1s, per: address } }, rate-limit: [flood] }
paths:
  /door:
    get:
      operationId: openDoor
      responses: { "204": { description: Open. } }
components:
  securitySchemes:
    partner:
      type: apiKey
      in: header
      name: X-API-Key
      x-palisade: { prefix: door_test, rotate-within: 90d }
"#;

struct Project(tempfile::TempDir);

impl Project {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("openapi.yaml"), DOCUMENT).unwrap();
        let config = format!("{config}\n[schemes.partner]\ncredential_file = \"partner.keys\"\n");
        fs::write(folder.path().join("palisade.toml"), config).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join("partner.keys")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn run(&self, line: &[&str]) -> Run {
        palisade(self.path(), &[&["key"], line].concat())
    }

    fn done(&self, line: &[&str]) -> Run {
        let run = self.run(line);
        assert_eq!(run.code, 0, "{line:?}: {}", run.stderr);
        run
    }

    /// Makes a key and answers its text and its id.
    fn create(&self, more: &[&str]) -> (String, String) {
        let run = self.done(&[&["create", "--owner", "acme", "--scope", "doors:open"], more].concat());
        let key = run.stdout.trim().to_owned();
        let id = key.rsplit('_').nth(1).unwrap().to_owned();
        (key, id)
    }

    fn listed(&self) -> Vec<Value> {
        let run = self.done(&["list", "--message-format", "json"]);
        let line: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
        line["keys"].as_array().unwrap().clone()
    }

    fn state(&self, id: &str) -> String {
        let all = self.listed();
        let key = all.iter().find(|key| key["id"] == id).unwrap_or_else(|| panic!("no {id} in {all:?}"));
        key["state"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_list_shows_everything_but_secrets() {
    let project = Project::new("");
    assert!(project.run(&["list"]).code != 0, "the file is not there yet");
    let (key, id) = project.create(&["--name", "nightly import"]);
    let shown = project.done(&["list"]).stdout;
    assert!(shown.starts_with("ID            OWNER  NAME            SCOPES"), "{shown}");
    assert!(shown.contains(&id) && shown.contains("nightly import") && shown.contains("active"), "{shown}");
    let json = project.done(&["list", "--message-format", "json"]).stdout;
    let record: Value = serde_json::from_str(&project.text()).unwrap();
    let secret = key.rsplit('_').next().unwrap();
    for text in [&shown, &json] {
        assert!(!text.contains(secret) && !text.contains(record["sha256"].as_str().unwrap()), "{text}");
    }
    assert!(!project.text().contains(secret));
    assert_eq!(project.done(&["list", "--owner", "nobody"]).stdout.lines().count(), 1);
}

#[test]
fn a_key_is_of_its_tenant_and_so_is_the_next() {
    let project = Project::new("");
    project.create(&[]);
    assert!(!project.done(&["list"]).stdout.contains("TENANT"), "where no key has one");
    assert!(!project.text().contains("tenant"));
    let (_, id) = project.create(&["--tenant", "north"]);
    let shown = project.done(&["list"]).stdout;
    assert!(
        shown.starts_with("ID            OWNER  TENANT  SCOPES") && shown.contains("acme   north"),
        "{shown}"
    );
    project.done(&["rotate", "--id", &id]);
    let tenants: Vec<Value> = project.listed().into_iter().map(|key| key["tenant"].clone()).collect();
    let of = |tenant: Value| tenants.iter().filter(|one| **one == tenant).count();
    assert_eq!((of("north".into()), of(Value::Null)), (2, 1));
    let refused = project.run(&["create", "--owner", "acme", "--tenant", ""]);
    assert!(refused.code == 2 && refused.stderr.contains("empty"), "{}", refused.stderr);
}

#[test]
fn a_rotated_key_is_retiring_and_the_one_before_it_revoked() {
    let project = Project::new("");
    let (_, first) = project.create(&["--expires", "30d"]);
    let rotate = |id: &str| {
        let key = project.done(&["rotate", "--id", id, "--overlap", "24h"]).stdout.trim().to_owned();
        key.rsplit('_').nth(1).unwrap().to_owned()
    };
    let second = rotate(&first);
    assert_eq!((project.state(&first), project.state(&second)), ("retiring".into(), "active".into()));
    let again = project.run(&["rotate", "--id", &first]);
    assert!(again.code == 2 && again.stderr.contains(&second), "{}", again.stderr);
    let third = rotate(&second);
    let states = [&first, &second, &third].map(|id| project.state(id));
    assert_eq!(states, ["revoked", "retiring", "active"]);
    assert_eq!(project.run(&["rotate", "--id", "AAAAAAAAAAAA"]).code, 2);
}

#[test]
fn revoked_is_one_key_or_all_of_an_owner() {
    let project = Project::new("");
    let ids = [0; 3].map(|_| project.create(&[]).1);
    project.done(&["revoke", "--id", &ids[0]]);
    assert_eq!((project.state(&ids[0]), project.state(&ids[1])), ("revoked".into(), "active".into()));
    project.done(&["revoke", "--id", &ids[0]]);
    project.done(&["revoke", "--owner", "acme"]);
    assert!(ids.iter().all(|id| project.state(id) == "revoked"));
    for line in [
        &["revoke"][..],
        &["revoke", "--id", "AAAAAAAAAAAA"],
        &["revoke", "--owner", "nobody"],
        &["revoke", "--owner", "acme", "--id", &ids[0]],
    ] {
        assert_eq!(project.run(line).code, 2, "{line:?}");
    }
}

#[test]
fn a_key_ends_within_the_time_that_the_document_asks_for() {
    let project = Project::new("");
    project.create(&[]);
    project.create(&["--expires", "90d"]);
    let refused = project.run(&["create", "--owner", "acme", "--expires", "91d"]);
    assert!(refused.code == 2 && refused.stderr.contains("rotate-within"), "{}", refused.stderr);
    let all = project.listed();
    assert!(all.len() == 2 && all.iter().all(|key| key["not_after"].is_string()), "{all:?}");
}

#[test]
fn commands_at_once_lose_nothing_and_leave_the_other_lines() {
    let project = Project::new("");
    fs::write(project.file(), "# our partners\n").unwrap();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| project.create(&[]));
        }
    });
    assert_eq!(project.listed().len(), 6);
    assert!(project.text().starts_with("# our partners\n"));
}

#[test]
fn a_pepper_keys_the_keys_that_follow() {
    let project = Project::new("api_key_pepper_file = \"pepper.keys\"");
    project.done(&["pepper"]);
    project.create(&[]);
    project.done(&["pepper"]);
    assert!(project.text().contains("hmac_sha256") && !project.text().contains("\"sha256\""));
    assert_eq!(fs::read_to_string(project.path().join("pepper.keys")).unwrap().lines().count(), 2);
}

/// As docs/lists.md has it.
#[test]
fn a_key_of_cursors_is_replaced_and_the_old_one_ends() {
    let project = Project::new("cursor_keys_file = \"cursor.keys\"");
    let file = project.path().join("cursor.keys");
    fs::write(&file, "2026-11:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=\n").unwrap();
    let line = "cargo palisade key cursor --restarted-within 2h";
    project.done(&line.split(' ').skip(3).collect::<Vec<_>>());
    let text = fs::read_to_string(file).unwrap();
    let [new, old] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert_eq!((new.matches(':').count(), old.matches(':').count()), (1, 4), "{text}");
    palisade::cursor::CursorKeys::from_list(&text).unwrap();
    // an old key of another kind has no end
    assert!(palisade::AnswerKeys::from_list(&text).is_err());
}
