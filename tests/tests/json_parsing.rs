//! The published tests of JSON parsers, each file as the body of a request over a socket, to an operation that takes any JSON
//! and gives it back.
//!
//! What is no JSON (`n_`) is 400, what is (`y_`) is taken but for what is listed here with its reason, and what implementations
//! may differ in (`i_`) is either, never a fault of the server.

use std::path::{Path, PathBuf};

use palisade_tests::client::{Client, Reply};
use palisade_tests::json::start;
use serde_json::{Value, json};

async fn send(client: Client, body: impl AsRef<[u8]>) -> Reply {
    client.call("POST", "/mirror").header("content-type", "application/json").body(body).send().await
}

/// What is JSON and refused all the same, with 422 and the rule that it breaks.
const REFUSED: &[(&str, &str)] = &[
    // RFC 8259 section 4: what receivers make of a name that comes twice is unpredictable, so two of them could disagree
    ("y_object_duplicated_key_and_value.json", "duplicate"),
];

/// The files of a folder of the suite, by name.
fn files(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/suites/json-parsing").join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("the suite is not at {}: nothing is tested", folder.display());
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut all: Vec<_> =
        paths.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path)).collect();
    all.sort();
    all
}

#[tokio::test]
async fn the_published_files() {
    let client = start().await;
    let (mut counts, mut wrong) = ([0; 3], Vec::new());
    for (name, path) in files("test_parsing") {
        let text = std::fs::read(path).unwrap();
        let reply = send(client, &text).await;
        let status = reply.status.as_u16();
        let refused = REFUSED.iter().find(|(known, _)| *known == name);
        let (kind, holds) = match (&name[..2], refused) {
            ("n_", _) => (0, status == 400 && reply.json()["error"]["code"] == "invalid_body"),
            (_, Some((_, rule))) => (1, status == 422 && reply.violations()[0].ends_with(rule)),
            ("y_", None) => {
                (1, status == 200 && reply.json() == serde_json::from_slice::<Value>(&text).unwrap())
            }
            (_, None) => (2, matches!(status, 200 | 400 | 422)),
        };
        counts[kind] += 1;
        if kind == 2 || !holds {
            println!("{status} {name}");
        }
        if !holds {
            wrong.push(format!("{status} {name}"));
        }
    }
    println!("n_, y_, i_: {counts:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_comes_out_is_what_went_in() {
    let client = start().await;
    for (name, path) in files("test_transform") {
        let text = std::fs::read(path).unwrap();
        let reply = send(client, &text).await;
        println!(
            "{} {name}: {} -> {}",
            reply.status,
            String::from_utf8_lossy(&text),
            String::from_utf8_lossy(&reply.body)
        );
        assert!(reply.status.as_u16() < 500, "{name}");
    }
}

#[tokio::test]
async fn the_edges_of_the_grammar() {
    let client = start().await;
    for text in ["null", " [1 , 2]\r\n", r#"{"":"\ud83d\ude00"}"#, "-0.1e-2", r#""\u2028""#] {
        let reply = send(client, text).await;
        assert_eq!(reply.allowed(200).json(), serde_json::from_str::<Value>(text).unwrap());
    }
    for text in [
        &b""[..],
        b" ",
        b"\xef\xbb\xbf1",
        b"[1,]",
        b"[1]x",
        b"01",
        b"+1",
        b"'a'",
        b"\"\t\"",
        b"\"\xff\"",
        b"\"\\ud800\"",
        b"[\"a\0b\"]",
        b"NaN",
        b"{a:1}",
        b"/**/1",
        b"\0",
        b"\x0b1",
        b"\xc2\xa01",
        b"[1\0]",
    ] {
        send(client, text).await.refused(400, "invalid_body");
    }
    send(client, r#"{"a":1,"\u0061":2}"#).await.refused(422, "invalid_body");
    assert_eq!(send(client, "18446744073709551615").await.json(), json!(u64::MAX));
}

#[tokio::test]
async fn depth_is_bounded_however_deep_it_is() {
    let client = start().await;
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    send(client, nested(32)).await.allowed(200);
    send(client, nested(33)).await.refused(400, "invalid_body");
    for opening in ["[", "{\"\":", "[{\"\":"] {
        send(client, opening.repeat(200_000)).await.refused(400, "invalid_body");
    }
}
