//! A Postgres of a test: in a folder of its own, reached through a socket there, stopped with it. It writes to the disk
//! before it answers, as it does where nobody configures it otherwise.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Its programs do not run as root: then they run as the user that the package makes.
pub struct Server {
    programs: PathBuf,
    folder: TempDir,
    runs_as_root: bool,
}

impl Server {
    pub fn start() -> Self {
        let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap_or_else(|error| {
            panic!("{error}: these tests need Postgres (`apt-get install postgresql`)")
        });
        let programs = versions.flatten().map(|version| version.path().join("bin")).max().unwrap();
        let runs_as_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let server = Self { programs, folder: tempfile::tempdir().unwrap(), runs_as_root };
        if runs_as_root {
            let owned = Command::new("chown").arg("postgres").arg(server.folder.path()).status().unwrap();
            assert!(owned.success());
        }
        server.run("initdb", &["--auth=trust", "--username=test", "--no-sync"]);
        server.resume();
        server
    }

    pub fn url(&self) -> String {
        format!("postgres://test@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Ends it as a crash does, and starts it again: what it answered it reads from its log.
    pub fn crash(&self) {
        self.stop();
        self.resume();
    }

    fn stop(&self) {
        self.run("pg_ctl", &["--mode=immediate", "stop"]);
    }

    fn resume(&self) {
        let socket = self.folder.path().display();
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={socket} -c fsync=on -c synchronous_commit=on"
        );
        self.run("pg_ctl", &["--wait", "--log=/dev/null", "--options", &options, "start"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if self.runs_as_root { Command::new("runuser") } else { Command::new(&program) };
        if self.runs_as_root {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        let data = self.folder.path().join("data");
        let status = command.arg("-D").arg(data).args(arguments).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "{program:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
