//! A Redis of a test: started on a free port in a folder of its own, killed with it.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

pub struct Server {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// One that keeps what it answered, also when it is killed.
    pub async fn durable() -> Self {
        Self::start("--appendonly yes --appendfsync always --maxmemory-policy noeviction --maxmemory 1gb")
            .await
    }

    pub async fn start(settings: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = settings.split(' ').map(str::to_owned).collect();
        let mut server = Self { folder: tempfile::tempdir().unwrap(), port, settings, child: None };
        server.restart().await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it again in its folder, and waits until it has read what is there.
    pub async fn restart(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(&self.settings)
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap_or_else(|error| {
            panic!("{error}: these tests need `redis-server` on the PATH (`apt-get install redis-server`)")
        }));
        for _ in 0..200 {
            if self
                .ask(&["PING"])
                .await
                .is_ok_and(|answer| answer == redis::Value::SimpleString("PONG".into()))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("redis-server does not answer at {}", self.url());
    }

    /// Asks it past the engine.
    pub async fn ask(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query_async(&mut connection).await
    }

    /// Another one leads it from now on, which cannot be reached: what it has it shows, and it takes no writes.
    pub async fn follow(&self) {
        self.ask(&["REPLICAOF", "127.0.0.1", "1"]).await.unwrap();
    }

    /// This one leads it from now on: it has what that has, and all that is written there.
    pub async fn follow_closely(&self, leader: &Self) {
        leader.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).await.unwrap();
        self.ask(&["REPLICAOF", "127.0.0.1", &leader.port.to_string()]).await.unwrap();
        for _ in 0..200 {
            let told = format!("{:?}", self.ask(&["INFO", "replication"]).await);
            if told.contains("master_link_status:up") && told.contains("master_sync_in_progress:0") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not catch up with {}", leader.url());
    }

    /// It leads again, and knows no scripts: none of those that others loaded while it did not.
    pub async fn lead(&self) {
        self.ask(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
        self.ask(&["SCRIPT", "FLUSH"]).await.unwrap();
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGSTOP: its connections stay, and nothing answers. `CONT` ends it.
    pub fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
