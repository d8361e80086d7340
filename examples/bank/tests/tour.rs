//! What `cargo run -p bank` prints is true: every command of the tour is run as a person would paste it, and answers
//! with the status that stands above it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A bank in a process of its own; closed when dropped.
struct Bank(Child);

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program and reads its tour.
fn start(data: &Path) -> (Bank, Vec<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bank"))
        .env("BANK_LISTEN", "127.0.0.1:0")
        .env("BANK_HEALTH", "127.0.0.1:0")
        .env("BANK_DATA", data)
        .env("RUST_LOG", "off")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let tour = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
    (Bank(child), tour)
}

#[test]
fn every_command_of_the_tour_answers_as_it_says() {
    let data = tempfile::tempdir().unwrap();
    let (_bank, tour) = start(data.path());
    let settings: Vec<&str> = tour
        .iter()
        .filter(|line| {
            ["BANK=", "HEALTH=", "ALICE=", "READER=", "ADMIN=", "KEY="]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .map(String::as_str)
        .collect();
    assert_eq!(settings.len(), 6, "{tour:#?}");
    let mut commands = 0;
    for pair in tour.windows(2) {
        let [about, command] = pair else { continue };
        let Some(about) = about.strip_prefix("# ") else { continue };
        let (status, _) = about.split_once(':').expect("a status and what it shows");
        let script = format!("{}\n{command}", settings.join("\n"));
        let shell = Command::new("sh").args(["-c", &script]).output().unwrap();
        let answer = String::from_utf8_lossy(&shell.stdout).into_owned();
        assert!(shell.status.success(), "`{command}`: {}", String::from_utf8_lossy(&shell.stderr));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{about}\n{command}\n{answer}");
        commands += 1;
    }
    assert!(commands >= 10, "{tour:#?}");
}

#[test]
fn a_second_start_keeps_the_books_and_does_not_show_the_partners_key_again() {
    let data = tempfile::tempdir().unwrap();
    let key = |tour: &[String]| tour.iter().find(|line| line.starts_with("KEY=")).unwrap().clone();
    let first = key(&start(data.path()).1);
    let (_bank, tour) = start(data.path());
    assert!(first.starts_with("KEY=bank_live_"), "{first}");
    assert!(!key(&tour).contains("bank_live_"), "{tour:#?}");
}
