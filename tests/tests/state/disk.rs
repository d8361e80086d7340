//! A disk that is full, or fails, under a server: another process whose files cannot grow, or cannot be written at all. All that needs
//! the state is refused, the rest goes on, and the next start has everything that was answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use palisade_tests::client::{Client, Reply};
use palisade_tests::instance::Instance;
use serde_json::json;
use tempfile::TempDir;

/// An answer, and what a busy machine adds. The state has two seconds.
const BOUND: Duration = Duration::from_secs(5);

struct Desk {
    folder: TempDir,
    server: Instance,
}

/// A server whose write over the limit of its files is an error, as one to a full disk is, and no signal that kills it.
fn start(folder: &Path) -> Instance {
    let ignoring = r#"trap '' XFSZ; exec "$0" "$@""#;
    let server = env!("CARGO_BIN_EXE_disk-server");
    Instance::start("sh", &["-c".as_ref(), ignoring.as_ref(), server.as_ref(), folder.as_os_str()])
}

impl Desk {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = start(folder.path());
        Self { folder, server }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// No file of the server grows beyond this from now on.
    fn limit(&self, bytes: &str) {
        let [process, limit] = [format!("--pid={}", self.server.id()), format!("--fsize={bytes}:")];
        let limited = Command::new("prlimit").args([process, limit]).status();
        let limited =
            limited.unwrap_or_else(|error| panic!("{error}: this test needs `prlimit` (util-linux)"));
        assert!(limited.success());
    }

    async fn beside(&self, path: &str) -> String {
        let beside = Client(self.read("beside").parse().unwrap());
        String::from_utf8(beside.get(path).send().await.allowed(200).body.to_vec()).unwrap()
    }

    async fn ran(&self) -> usize {
        self.beside("/ran").await.parse().unwrap()
    }

    async fn add(&self, number: usize) -> Reply {
        let text = number.to_string().repeat(30_000);
        let call = self.server.client.post("/notes", &json!({ "text": text }).to_string());
        let key = format!("8e03978e-40d5-43dd-bc93-{number:012}");
        let call = call.key(&self.read("filed")).header("idempotency-key", &key);
        in_time(call.send()).await
    }

    async fn few(&self) -> u16 {
        in_time(self.server.client.get("/few").key(&self.read("filed")).send()).await.status.as_u16()
    }

    /// With a key that lies in the state.
    async fn kept(&self, name: &str) -> u16 {
        let call = self.server.client.get("/kept").header("x-kept-key", &self.read(name));
        in_time(call.send()).await.status.as_u16()
    }

    async fn becomes(&self, said: &str) {
        let began = Instant::now();
        while self.beside("/readyz").await != said {
            assert!(began.elapsed() < BOUND, "{}", self.beside("/readyz").await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(self.beside("/livez").await, r#"{"status":"alive"}"#);
    }

    /// What holds from when the file has failed until the server is started again.
    async fn is_without_its_state(&self, next: usize) {
        let ran = self.ran().await;
        for number in next..next + 5 {
            assert_eq!(self.add(number).await.refused(503, "unavailable").header("retry-after"), "1");
        }
        assert_eq!(self.ran().await, ran, "no handler runs");
        // a file as small as this is in memory, but for what the commit that failed held: see `embedded` for what is not
        assert!(matches!(self.kept("kept").await, 204 | 503), "{}", self.kept("kept").await);
        assert!(matches!(self.kept("revoked").await, 401 | 503), "{}", self.kept("revoked").await);
        let mut few = Vec::new();
        for _ in 0..6 {
            few.push(self.few().await);
        }
        assert_eq!(few, [204, 204, 204, 204, 429, 429], "after one: counters are in memory");
        self.becomes(r#"{"degraded":["state"],"status":"degraded"}"#).await;
        self.tells("sys_idempotency_unavailable").await;
        self.tells("limits are not kept: a restart forgets their counters").await; // they are written once a second
        let failed =
            "the file of the state failed: what needs it is refused until the server is started again";
        self.tells(failed).await;
        let told = self.beside("/told").await;
        assert!(told.matches(failed).count() == 1 && !told.contains("panicked"), "{told}");
    }

    async fn tells(&self, what: &str) {
        let began = Instant::now();
        while !self.beside("/told").await.contains(what) {
            assert!(began.elapsed() < BOUND, "{what}: {}", self.beside("/told").await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The server is started again, with room.
    async fn again(&mut self) {
        self.server.kill();
        self.server = start(self.folder.path());
        self.becomes(r#"{"status":"ready"}"#).await;
        assert_eq!((self.kept("kept").await, self.kept("revoked").await), (204, 401));
    }

    /// Calls that were answered before are answered as they were, and not done again.
    async fn knows(&self, answered: &[Reply]) {
        for (number, before) in answered.iter().enumerate() {
            let again = self.add(number).await;
            assert_eq!(again.allowed(201).header("idempotent-replayed"), "true", "{number}");
            assert_eq!(again.body, before.body, "{number}");
        }
        assert_eq!(self.ran().await, 0);
    }
}

async fn in_time(reply: impl Future<Output = Reply>) -> Reply {
    tokio::time::timeout(BOUND, reply).await.expect("an answer in time")
}

/// Of a file that cannot be written any more, also where it has room.
#[tokio::test]
async fn a_disk_that_fails_refuses_what_needs_the_state_and_the_next_start_has_all_that_was_answered() {
    let mut desk = Desk::start();
    let mut answered = Vec::new();
    for number in 0..10 {
        answered.push(desk.add(number).await);
        answered[number].allowed(201);
    }
    assert_eq!((desk.few().await, desk.kept("kept").await, desk.kept("revoked").await), (204, 204, 401));
    desk.limit("0");
    desk.add(10).await.refused(503, "unavailable");
    assert_eq!(desk.ran().await, 10);
    desk.is_without_its_state(10).await;
    // a file that failed once is not written again, for nobody knows what stands there
    desk.limit("unlimited");
    desk.add(10).await.refused(503, "unavailable");
    desk.again().await;
    desk.knows(&answered).await;
    desk.add(10).await.allowed(201);
    assert_eq!(desk.ran().await, 1);
}

/// Of a file that cannot grow: what fits is kept, until something does not.
#[tokio::test]
async fn a_full_disk_refuses_what_needs_the_state_and_the_next_start_has_all_that_was_answered() {
    let mut desk = Desk::start();
    assert_eq!(desk.few().await, 204);
    desk.limit(&fs::metadata(desk.state()).unwrap().len().to_string());
    let mut answered = Vec::new();
    let full = loop {
        let reply = desk.add(answered.len()).await;
        if reply.status != 201 {
            break reply;
        }
        assert!(answered.len() < 500, "it grows all the same");
        answered.push(reply);
    };
    full.refused(503, "unavailable");
    assert_eq!(desk.ran().await, answered.len());
    desk.is_without_its_state(answered.len()).await;
    desk.again().await;
    // one whose answer found no room was sent once (`rerun: never`): it is not done again
    let last = answered.len() - 1;
    let of_last = desk.add(last).await;
    if of_last.status != 201 {
        of_last.refused(409, "idempotency_in_progress");
        answered.truncate(last);
    }
    desk.knows(&answered).await;
    desk.add(last + 1).await.allowed(201);
}

/// It does not start, says why, and leaves the file as it is.
#[tokio::test]
async fn a_server_that_cannot_write_its_state_does_not_start() {
    let mut desk = Desk::start();
    let answered = [desk.add(0).await];
    answered[0].allowed(201);
    desk.server.kill();
    // one that starts all the same is ended, and has not said why it did not
    let limited = r#"trap '' XFSZ; ulimit -f 0; exec timeout 10 "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_disk-server")]);
    let output = command.arg(desk.folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let file = desk.state().display().to_string();
    assert!(!output.status.success() && said.contains(&file) && said.contains("File too large"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    desk.again().await;
    desk.knows(&answered).await;
}
