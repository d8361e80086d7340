//! A server in a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::client::Client;

/// Killed when it is dropped.
pub struct Instance {
    child: Option<Child>,
    pub client: Client,
}

impl Instance {
    /// Starts a program that says where it listens.
    pub fn start(program: &str, arguments: &[&OsStr]) -> Self {
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let client = Client(line.trim().parse().unwrap_or_else(|error| panic!("{error}: {line:?}")));
        Self { child: Some(child), client }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Another signal, by its name.
    pub fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// How much of it is in memory: its resident set, in bytes.
    pub fn resident(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.as_ref().unwrap().id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// How long it was at work, of all processors.
    pub fn worked(&self) -> Duration {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.as_ref().unwrap().id())).unwrap();
        // proc(5): behind the name, which may have spaces, `utime` and `stime` are the 12th and 13th, in hundredths
        let after_name = stat.rsplit_once(") ").unwrap().1;
        let ticks = after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// How it ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.as_mut().unwrap().wait().unwrap()
    }

    pub const fn is_killed(&self) -> bool {
        self.child.is_none()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}
