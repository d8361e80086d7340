//! Runs the binary, builds scaffolds, and talks to them over real sockets.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What a run of the binary left behind.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `cargo-palisade` in `folder`.
pub(crate) fn palisade(folder: &Path, line: &[&str]) -> Run {
    palisade_with_input(folder, line, "")
}

/// Runs `cargo-palisade` in `folder` with something on its standard input.
pub(crate) fn palisade_with_input(folder: &Path, line: &[&str], input: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-palisade"))
        .args(line)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A run that reads nothing may have closed its end already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Run {
        code: status.code().expect("not killed"),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// The checkout that these tests stand in.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file under `folder`, sorted, so that "nothing was written" can be said exactly.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Builds a scaffold with the target directory that these tests were built in, so that little is left to compile.
/// Answers the path of its program.
pub(crate) fn build(project: &Path, package: &str) -> PathBuf {
    let profile = Path::new(env!("CARGO_BIN_EXE_cargo-palisade")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", profile.parent().unwrap())
        .env("RUSTFLAGS", std::env::var("RUSTFLAGS").unwrap_or_default())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the scaffold does not build:\n{said}");
    assert!(!said.contains("warning"), "the scaffold builds with warnings:\n{said}");
    profile.join(package)
}

/// What a program says that does not start, in its project.
pub(crate) fn refuses_to_start(program: &Path, project: &Path) -> String {
    let mut child = Command::new(program)
        .current_dir(project)
        .env("PALISADE_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill(); // it has ended, or has started
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "it started");
    String::from_utf8(output.stderr).unwrap()
}

/// A running scaffold; stopped when dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts the program in its project on a free port and waits until it says where it listens.
    pub(crate) fn start(program: &Path, project: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(program)
            .current_dir(project)
            .env("PALISADE_LISTEN", "127.0.0.1:0")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map(|line| line.expect("it said where it listens before it ended"))
            .find_map(|line| line.split("http://").nth(1)?.split_whitespace().next()?.parse().ok())
            .expect("it says where it listens");
        // Whoever does not read the rest stops the server by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Sends a request and answers the status and the body.
    pub(crate) fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, serde_json::Value) {
        Self::send_to(self.address, line, headers, body)
    }

    /// The same to another address of it.
    pub(crate) fn send_to(
        address: SocketAddr,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, serde_json::Value) {
        let mut stream = connect(address);
        let mut request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request
                .push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        write!(stream, "{request}\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(serde_json::Value::Null))
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                return stream;
            }
            Err(cause) if Instant::now() > deadline => panic!("{cause}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
