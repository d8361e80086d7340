//! The program as it is started by hand: it prints two commands, and they do what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../http_client.rs"]
mod http_client;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use http_client::Request;

/// Ends the program with the test, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn the_smallest_server_greets_whom_it_knows() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_macro-entry"));
    let mut child = program.env("PORT", "0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let _running = Running(child);
    let status = lines.next().unwrap();
    let greeting = lines.next().unwrap();
    let address =
        status.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
    let key = greeting.split("X-API-Key: ").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let greet = |body| Request::new(address, "POST /greetings").json(body);

    assert_eq!(Request::new(address, "GET /status").send().await.status, 204);
    let answer = greet(json!({"name": "Ada"})).key(key).send().await;
    assert_eq!((answer.status, answer.json()), (200, json!({"text": "Hello, Ada!"})), "{answer:?}");

    assert_eq!(greet(json!({"name": "Ada"})).send().await.refusal(), (401, "unauthenticated".to_owned()));
    assert_eq!(greet(json!({"name": ""})).key(key).send().await.refusal(), (422, "invalid_body".to_owned()));
    assert_eq!(Request::new(address, "GET /greetings").key(key).send().await.refusal().0, 405);
}
