//! The ledger in Postgres: a server of the test, started on a free port and stopped with it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use palisade::idempotency::{Ledger, LedgerError, Line, POSTGRES_TABLE, PostgresLedger, Transaction};
use sqlx::PgPool;

const NOW: u64 = 1_800_000_000;

/// Its programs do not run as root: then they run as the user that the package makes.
struct Server {
    programs: PathBuf,
    data: PathBuf,
    port: u16,
}

impl Server {
    /// `None` where it is not installed.
    fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = versions.flatten().map(|version| version.path().join("bin")).max()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = std::env::temp_dir().join(format!("palisade-postgres-{port}"));
        let server = Self { programs, data, port };
        server.run("initdb", &["--auth=trust", "--username=test", "--no-sync"]);
        let options = format!("-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories=");
        server.run("pg_ctl", &["--wait", "--log=/dev/null", "--options", &options, "start"]);
        Some(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let program = self.programs.join(program);
        let mut command = if root { Command::new("runuser") } else { Command::new(&program) };
        if root {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        let status =
            command.arg("-D").arg(&self.data).args(arguments).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "{program:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run("pg_ctl", &["--mode=immediate", "stop"]);
        _ = std::fs::remove_dir_all(&self.data);
    }
}

fn line(key: u8, value: &str, now: u64, ends: u64) -> Line {
    Line::new([key; 32], value.into(), now, ends)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_there_when_it_was_committed_and_once() {
    let Some(server) = Server::start() else {
        println!("NOT RUN: there is no Postgres under /usr/lib/postgresql");
        return;
    };
    let pool = PgPool::connect(&format!("postgres://test@127.0.0.1:{}/postgres", server.port)).await.unwrap();
    sqlx::raw_sql(POSTGRES_TABLE).execute(&pool).await.unwrap();
    let ledger = PostgresLedger::new(pool.clone());
    let found = async |key: u8, now: u64| ledger.find([key; 32], now).await.unwrap();

    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "first", NOW, NOW + 60)).await.unwrap();
    assert_eq!(found(1, NOW).await, None, "it is not committed");
    work.rollback().await.unwrap();
    assert_eq!(found(1, NOW).await, None);

    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "first", NOW, NOW + 60)).await.unwrap();
    // another run waits for this one, and then is too late
    let (other, rest) = (pool.clone(), Duration::from_millis(200));
    let late = tokio::spawn(async move {
        let mut work = other.begin().await.unwrap();
        work.insert(line(1, "second", NOW, NOW + 60)).await
    });
    tokio::time::sleep(rest).await;
    work.commit().await.unwrap();
    assert!(matches!(late.await.unwrap(), Err(LedgerError::Repeated)));
    assert_eq!(found(1, NOW + 59).await.as_deref(), Some(&b"first"[..]));
    assert_eq!(found(1, NOW + 60).await, None, "it has ended");
    assert_eq!(found(2, NOW).await, None);

    // and is in nobody's way from then on
    let mut work = pool.begin().await.unwrap();
    work.insert(line(1, "third", NOW + 60, NOW + 120)).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(found(1, NOW + 60).await.as_deref(), Some(&b"third"[..]));
    pool.close().await;
}
