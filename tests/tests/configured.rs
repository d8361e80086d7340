//! A server whose document needs keys that its operator did not give does not start, and says which settings are meant.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use palisade::config::Config;
use palisade_tests::events;
use palisade_tests::instance::Instance;
use palisade_tests::tokens::Signer;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_configured-server");

const LISTS: &str = "cursor_keys_file = 'keys'\n";
const CALLS: &str = "answer_keys_file = 'keys'\n";
const REST: &str = "listen = '127.0.0.1:0'\nstate_file = 'state'\n[schemes.token]\njwks_file = 'jwks'\n";

/// A folder with a configuration and what it names.
fn folder(configuration: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("palisade.toml", configuration);
    write("jwks", Signer::new("k1").jwks());
    write("keys", "2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=");
    folder
}

/// What comes of a start that must fail.
fn fails(folder: &Path) -> String {
    let Output { status, stdout, stderr } = Command::new(PROGRAM).arg(folder).output().unwrap();
    assert!(!status.success(), "{status}");
    assert!(stdout.is_empty(), "it says where it listens");
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn a_server_starts_with_the_keys_that_its_document_needs_and_not_without() {
    let whole = folder(&[LISTS, CALLS, REST].concat());
    let instance = Instance::start(PROGRAM, &[OsStr::new(whole.path())]);
    instance.client.get("/rows").send().await.refused(401, "unauthenticated");

    for (configuration, named) in [
        ([CALLS, REST].concat(), ["`cursor_keys_file`", "`cursor_keys`"]),
        ([LISTS, REST].concat(), ["`answer_keys_file`", "`answer_keys`"]),
    ] {
        let said = fails(folder(&configuration).path());
        assert!(said.contains("palisade.toml") && said.contains("is missing"), "{said}");
        for name in named {
            assert!(said.contains(name), "{said}");
        }
    }
    // a file that is named must be there, and hold keys
    for (file, text) in [("keys", None), ("keys", Some("")), ("keys", Some("2026-12:c2hvcnQ="))] {
        let folder = folder(&[LISTS, CALLS, REST].concat());
        let path = folder.path().join(file);
        match text {
            Some(text) => std::fs::write(path, text).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        let said = fails(folder.path());
        assert!(said.contains("`cursor_keys_file`"), "{text:?}: {said}");
    }
}

#[test]
fn a_key_that_is_left_out_of_the_file_of_keys_is_told() {
    events::collect();
    let folder = folder(REST);
    let jwks = folder.path().join("jwks");
    let mut keys: Value = serde_json::from_str(Signer::new("k1").jwks()).unwrap();
    let mut other = keys["keys"][0].clone();
    (other["kid"], other["use"]) = (json!("of no use"), json!("enc"));
    keys["keys"].as_array_mut().unwrap().push(other);
    std::fs::write(&jwks, keys.to_string()).unwrap();
    Config::load(folder.path().join("palisade.toml")).unwrap().bearer("token").unwrap();
    let [told] = &events::with("kid", "of no use")[..] else { panic!("{}", events::everything()) };
    assert_eq!((&*told["message"], &*told["file"]), ("key left out", &*jwks.display().to_string()));
    assert_eq!(told["why"], "its `use` is not `sig`");
}
