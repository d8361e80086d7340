//! `cargo palisade new`: the project builds as it is, runs as it is, and refuses whom the document refuses.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::support::{Server, build, checkout, files, palisade, palisade_with_input, refuses_to_start};

const ORDER: &str = "/orders/6f1f0a3e-3f61-4f4b-9a43-1a3d8e1c0f0b";

/// The command as the README has it.
const OF_A_DOCUMENT: &str = "cargo palisade new shop --spec openapi.yaml --mock";

fn new(folder: &Path, command: &str) {
    let checkout = checkout();
    let words = command.split(' ').skip(2);
    let line: Vec<&str> = words.chain(["--palisade-path", checkout.to_str().unwrap()]).collect();
    let run = palisade(folder, &line);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("cargo run"), "it closes with the next steps: {}", run.stderr);
}

/// A credential as the commands print it.
fn credential(project: &Path, line: &[&str]) -> String {
    let run = palisade(project, line);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout.trim().to_owned()
}

fn token(project: &Path, subject: &str, scope: &str) -> String {
    format!("Bearer {}", credential(project, &["token", "--subject", subject, "--scope", scope]))
}

fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or_default()
}

#[test]
fn without_a_document_it_is_a_service_of_notes_that_answers_501() {
    let folder = tempfile::tempdir().unwrap();
    new(folder.path(), "cargo palisade new palisade-scaffold-notes");
    let project = folder.path().join("palisade-scaffold-notes");
    for file in ["openapi.yaml", "palisade.toml", "README.md", ".gitignore", "dev/partner.keys"] {
        assert!(project.join(file).is_file(), "{file}");
    }
    let program = build(&project, "palisade-scaffold-notes");
    let alice = token(&project, "alice", "notes:read notes:write");
    let reader = token(&project, "alice", "notes:read");
    let key = credential(&project, &["key", "create", "--owner", "acme", "--scope", "notes:write"]);
    let kept = std::fs::read_to_string(project.join("dev/partner.keys")).unwrap();
    assert!(kept.contains("hmac_sha256") && !kept.contains("\"sha256\""), "by the pepper of the project");
    let aside = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start(&program, &project, &[("PALISADE_READINESS_LISTEN", &aside.to_string())]);
    assert_eq!(Server::send_to(aside, "GET /readyz", &[], "").0, 200);
    assert_eq!(server.send("GET /readyz", &[], "").0, 404, "clients do not reach it");

    let note = r#"{"text": "hello"}"#;
    let post = |headers: &[(&str, &str)], body: &str| server.send("POST /notes", headers, body);
    let (status, body) = post(&[("Authorization", &alice)], note);
    assert_eq!((status, code(&body)), (501, "not_implemented"));
    assert_eq!(post(&[("X-API-Key", &key)], note).0, 501);
    assert_eq!(post(&[], note).0, 401);
    assert_eq!(post(&[("X-API-Key", &key.replace("notes_", "notes_x"))], note).0, 401);
    assert_eq!(post(&[("Authorization", &reader)], note).0, 403);
    assert!([400, 422].contains(&post(&[("Authorization", &alice)], r#"{"text": ""}"#).0));

    let path = "GET /notes/6f1f0a3e-3f61-4f4b-9a43-1a3d8e1c0f0b";
    assert_eq!(server.send(path, &[("Authorization", &alice)], "").0, 501);
    let id = key.rsplit('_').nth(1).unwrap();
    assert_eq!(palisade(&project, &["key", "revoke", "--id", id]).code, 0);
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    assert_eq!(post(&[("X-API-Key", &key)], note).0, 401, "without a restart");
    let mallory = token(&project, "mallory", "notes:read");
    assert_eq!(server.send(path, &[("Authorization", &mallory)], "").0, 404, "not the owner");
    assert_eq!(server.send("GET /status", &[], "").0, 501);
}

#[test]
fn with_a_document_and_mock_it_answers_what_the_document_declares() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/shop");
    fs::create_dir(folder.path().join("schemas")).unwrap();
    fs::copy(shop.join("shop.yaml"), folder.path().join("openapi.yaml")).unwrap();
    fs::copy(shop.join("schemas/order.yaml"), folder.path().join("schemas/order.yaml")).unwrap();
    new(folder.path(), OF_A_DOCUMENT);
    let project = folder.path().join("shop");
    let program = build(&project, "shop");
    let alice = token(&project, "alice", "orders:read");
    let key = credential(&project, &["key", "create", "--owner", "acme", "--scope", "orders:write"]);
    let staff = ["key", "password", "--user", "bob", "--stdin"];
    assert_eq!(palisade_with_input(&project, &staff, "correct horse\n").code, 0);
    let server = Server::start(&program, &project, &[("PALISADE_MOCK_OWNER", "alice")]);

    assert_eq!(server.send("GET /status", &[], "").0, 204);
    let (status, order) = server.send(&format!("GET {ORDER}"), &[("Authorization", &alice)], "");
    assert_eq!(status, 200, "{order}");
    conforms(&order);
    let (status, page) = server.send("GET /orders?limit=3", &[("Authorization", &alice)], "");
    assert_eq!(status, 200, "{page}");
    page["data"].as_array().unwrap().iter().for_each(conforms);

    let post = |headers: &[(&str, &str)]| server.send("POST /orders", headers, r#"{"text": "hello"}"#).0;
    assert_eq!(post(&[("X-Partner-Key", &key)]), 201);
    assert_eq!(post(&[("Authorization", "Basic Ym9iOmNvcnJlY3QgaG9yc2U=")]), 201);
    assert_eq!(post(&[("Authorization", "Basic Ym9iOndyb25nIGhvcnNl")]), 401);
    assert_eq!(post(&[]), 401);

    let bob = token(&project, "bob", "orders:read");
    assert_eq!(server.send(&format!("GET {ORDER}"), &[("Authorization", &bob)], "").0, 404, "not the owner");
    drop(server);
    without_keys_of_cursors_it_does_not_start(&program, &project);
    let bobs = Server::start(&program, &project, &[("PALISADE_MOCK_OWNER", "bob")]);
    assert_eq!(bobs.send(&format!("GET {ORDER}"), &[("Authorization", &bob)], "").0, 200);
}

/// Keys of its own making would end with the process, and no other instance would have them.
fn without_keys_of_cursors_it_does_not_start(program: &Path, project: &Path) {
    let file = project.join("palisade.toml");
    let whole = fs::read_to_string(&file).unwrap();
    let without: String = whole
        .lines()
        .filter(|line| !line.starts_with("cursor_keys_file"))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_ne!(whole, without);
    fs::write(&file, without).unwrap();
    let said = refuses_to_start(program, project);
    assert!(
        said.contains("`cursor_keys_file` (or the variable PALISADE_CURSOR_KEYS_FILE): is missing"),
        "{said}"
    );
    fs::write(&file, whole).unwrap();
}

#[test]
fn where_an_issuer_is_asked_the_readme_says_what_to_fill_in_and_nobody_gets_in_until_then() {
    let folder = tempfile::tempdir().unwrap();
    let document = r#"
openapi: 3.1.0
info: { title: Opaque, version: "1" }
paths:
  /things: { get: { operationId: listThings, security: [{ opaque: [] }], responses: { "204": { description: none } } } }
components:
  securitySchemes:
    opaque:
      { type: http, scheme: bearer, x-palisade: { token: introspection, issuer: "https://id", revocation: required } }
"#;
    fs::write(folder.path().join("opaque.yaml"), document).unwrap();
    new(folder.path(), "cargo palisade new palisade-scaffold-opaque --spec opaque.yaml");
    let project = folder.path().join("palisade-scaffold-opaque");
    let config = fs::read_to_string(project.join("palisade.toml")).unwrap();
    assert!(config.contains("PALISADE_SCHEMES_OPAQUE_CLIENT_SECRET"), "{config}");
    assert!(
        fs::read_to_string(project.join("README.md")).unwrap().contains("**fill in** `introspection_url`")
    );
    let run = palisade(&project, &["token", "--subject", "alice"]);
    assert!(run.code == 2 && run.stderr.contains("come from their issuer"), "{}", run.stderr);

    let program = build(&project, "palisade-scaffold-opaque");
    let nowhere = [("PALISADE_SCHEMES_OPAQUE_INTROSPECTION_URL", "http://127.0.0.1:9/introspect")];
    let server = Server::start(&program, &project, &nowhere);
    assert_eq!(server.send("GET /things", &[], "").0, 401);
    let (status, body) = server.send("GET /things", &[("Authorization", "Bearer abc")], "");
    assert_eq!((status, code(&body)), (503, "unavailable"));
}

/// The constraints of `schemas/order.yaml`, said once more by hand.
fn conforms(order: &Value) {
    let (letters, digits) = order["code"].as_str().unwrap().split_once('-').unwrap();
    assert!(letters.len() == 3 && letters.bytes().all(|byte| byte.is_ascii_uppercase()), "{order}");
    assert!(digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{order}");
    assert!(["small", "large"].contains(&order["size"].as_str().unwrap()), "{order}");
    assert!((0.5..=9.5).contains(&order["total"].as_f64().unwrap()), "{order}");
    let lines: Vec<i64> =
        order["lines"].as_array().unwrap().iter().map(|line| line.as_i64().unwrap()).collect();
    assert!(lines.len() >= 2 && lines.iter().all(|line| *line >= 7 && line % 5 == 0), "{order}");
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{order}");
    assert!(order["type"].is_null() || order["type"].as_str().unwrap().chars().count() >= 3, "{order}");
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/notes.txt"), "mine").unwrap();
    let run = palisade(folder.path(), &["new", "mine"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`mine` exists and is not empty"), "{}", run.stderr);
    assert_eq!(files(folder.path()), ["mine/notes.txt"]);
}

#[test]
fn a_document_with_findings_makes_no_project() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("open.yaml"), "openapi: 3.1.0\ninfo: { title: x }\npaths: {}\n").unwrap();
    let run = palisade(folder.path(), &["new", "shop", "--spec", "open.yaml"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("PAL0013") && run.stderr.contains("open.yaml:2:"), "{}", run.stderr);
    assert_eq!(files(folder.path()), ["open.yaml"]);
}

#[test]
fn a_path_that_is_no_checkout_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = palisade(folder.path(), &["new", "shop", "--palisade-path", "nowhere"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`nowhere`") && run.stderr.contains("runtime"), "{}", run.stderr);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn outside_of_a_project_credentials_say_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    for line in
        [&["token", "--subject", "alice"][..], &["key", "create", "--owner", "alice"], &["key", "cursor"]]
    {
        let run = palisade(folder.path(), line);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("palisade.toml"), "{}", run.stderr);
    }
    assert!(files(folder.path()).is_empty());
}

const VAULT: &str = r#"
openapi: 3.1.0
info: { title: Vault, version: "1" }
security: [{ vault: [] }]
paths:
  /secrets:
    get: { operationId: listSecrets, responses: { "204": { description: There are none. } } }
    post:
      operationId: keepSecret
      x-palisade: { idempotency: required }
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, required: [text], properties: { text: { type: string, maxLength: 20 } } } } }
      responses: { "204": { description: Kept. } }
components:
  securitySchemes:
    vault: { type: http, scheme: bearer, x-palisade: { binding: dpop, claims: { tenant: org_id } } }
"#;

/// A token that is bound to a key and names a tenant, and the proof that goes with it, by the commands that the README names.
#[test]
fn where_tokens_are_bound_to_keys_and_tenants_the_commands_make_them_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vault.yaml"), VAULT).unwrap();
    new(folder.path(), "cargo palisade new palisade-scaffold-vault --spec vault.yaml --mock");
    let project = folder.path().join("palisade-scaffold-vault");
    let readme = fs::read_to_string(project.join("README.md")).unwrap();
    for line in [
        "TOKEN=$(cargo palisade token --scheme vault --subject alice --tenant developers --dpop-key dev/client.dpop.pem)",
        "PROOF=$(cargo palisade proof --key dev/client.dpop.pem --method GET --url http://127.0.0.1:8080/secrets --token $TOKEN)",
        "curl -i -H \"Authorization: DPoP $TOKEN\" -H \"$PROOF\" http://127.0.0.1:8080/secrets",
    ] {
        assert!(readme.contains(line), "{line}\n{readme}");
    }
    let program = build(&project, "palisade-scaffold-vault");
    let key = "dev/client.dpop.pem";
    let run = palisade(&project, &["token", "--subject", "alice", "--dpop-key", key]);
    assert!(run.code == 2 && run.stderr.contains("--tenant"), "{}", run.stderr);
    let line = ["token", "--subject", "alice", "--tenant", "north", "--dpop-key", key];
    let token = credential(&project, &line);
    let proof_of = |method: &str, url: &str| {
        let line = ["proof", "--key", key, "--method", method, "--url", url, "--token", &token];
        credential(&project, &line).strip_prefix("DPoP: ").unwrap().to_owned()
    };
    let proof = |url: &str| proof_of("GET", url);
    // whatever it listens on: clients know it by its public origin
    let server = Server::start(&program, &project, &[]);
    let word = format!("DPoP {token}");
    let get = |word: &str, proof: &str| {
        server.send("GET /secrets", &[("Authorization", word), ("DPoP", proof)], "").0
    };
    let good = proof("http://127.0.0.1:8080/secrets");
    assert_eq!(get(&word, &good), 204);
    assert_eq!(get(&word, &good), 401, "it is good once");
    assert_eq!(get(&word, &proof("http://127.0.0.1:8080/other")), 401);
    assert_eq!(get(&format!("Bearer {token}"), &proof("http://127.0.0.1:8080/secrets")), 401);
    assert_eq!(server.send("GET /secrets", &[("Authorization", &word)], "").0, 401);

    // what was done once stays done, also when the server and the key that seals the answers are others
    let keep = |server: &Server, text: &str| {
        let proof = proof_of("POST", "http://127.0.0.1:8080/secrets");
        let key = ("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324");
        let headers = [("Authorization", word.as_str()), ("DPoP", &proof), key];
        server.send("POST /secrets", &headers, &format!(r#"{{"text":"{text}"}}"#)).0
    };
    assert_eq!(keep(&server, "one"), 204);
    drop(server);
    let run = palisade(&project, &["key", "answer"]);
    assert!(run.code == 0 && run.stderr.contains("restart every server"), "{}", run.stderr);
    let keys = fs::read_to_string(project.join("dev/answer.keys")).unwrap();
    assert_eq!(keys.lines().count(), 2);
    let server = Server::start(&program, &project, &[]);
    assert_eq!((keep(&server, "one"), keep(&server, "two")), (204, 422));
    drop(server);
    let server = Server::start(&program, &project, &[("PALISADE_STATE", "memory")]);
    assert_eq!(keep(&server, "two"), 204, "nobody remembers");
}
