//! Processes of the server of `specs/ledger.yaml` that share a Redis and the books, and what happens to them.

use std::path::PathBuf;
use std::time::Duration;

use palisade_tests::client::Client;
use palisade_tests::dice::Dice;
use palisade_tests::instance::Instance;
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::Signer;
use tempfile::TempDir;
use tokio::sync::watch;

/// `ledger-server` says so to its share of a limit, too.
const INSTANCES: usize = 3;

pub struct Fleet {
    pub redis: Server,
    pub signer: Signer,
    folder: TempDir,
    /// See `ledger-server`.
    how: String,
    instances: Vec<Instance>,
    /// Where they listen.
    told: watch::Sender<Vec<Client>>,
    pub kills: usize,
    pub outages: usize,
}

impl Fleet {
    /// `FIRE_HOW=bare` starts servers that do not commit a call with its effect: the tests must fail.
    pub async fn start() -> Self {
        let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::new("k1"));
        std::fs::write(folder.path().join("jwks"), signer.jwks()).unwrap();
        std::fs::write(folder.path().join("keys"), "k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
        let how = std::env::var("FIRE_HOW").unwrap_or_else(|_| "recorded".to_owned());
        let (redis, instances, told) = (Server::durable().await, Vec::new(), watch::Sender::default());
        let mut fleet = Self { redis, signer, folder, how, instances, told, kills: 0, outages: 0 };
        fleet.instances = (0..INSTANCES).map(|_| fleet.instance()).collect();
        fleet.tell();
        fleet
    }

    pub fn at(&self) -> watch::Receiver<Vec<Client>> {
        self.told.subscribe()
    }

    pub fn books(&self) -> PathBuf {
        self.folder.path().join("books")
    }

    /// One of them or two are killed and started again; or Redis is, as the first of all that happens, and now and then one of them
    /// while it is away.
    pub async fn suffer(&mut self, dice: &mut Dice) {
        let one = dice.below(INSTANCES as u64) as usize;
        match dice.below(10) * u64::from(self.outages > 0) {
            0 => {
                self.redis.kill();
                self.outages += 1;
                if dice.below(2) == 0 {
                    self.kill(one);
                }
                tokio::time::sleep(Duration::from_millis(dice.below(800))).await;
                self.redis.restart().await;
            }
            1 | 2 => {
                self.kill(one);
                self.kill((one + 1) % INSTANCES);
            }
            _ => self.kill(one),
        }
        self.revive();
    }

    /// One of them is killed and started again.
    pub fn kill_one(&mut self, dice: &mut Dice) {
        self.kill(dice.below(INSTANCES as u64) as usize);
        self.revive();
    }

    /// Where one of them listens.
    pub fn client(&self, number: usize) -> Client {
        self.instances[number].client
    }

    /// A signal for one of them, by its name.
    pub fn signal(&self, number: usize, signal: &str) {
        self.instances[number].signal(signal);
    }

    pub fn kill(&mut self, number: usize) {
        self.instances[number].kill();
        self.kills += 1;
    }

    fn revive(&mut self) {
        for number in 0..self.instances.len() {
            if self.instances[number].is_killed() {
                self.instances[number] = self.instance();
            }
        }
        self.tell();
    }

    fn tell(&self) {
        self.told.send_replace(self.instances.iter().map(|instance| instance.client).collect());
    }

    fn instance(&self) -> Instance {
        let (url, books) = (self.redis.url(), self.books());
        let arguments = [self.folder.path().as_os_str(), url.as_ref(), self.how.as_ref(), books.as_ref()];
        Instance::start(env!("CARGO_BIN_EXE_ledger-server"), &arguments)
    }

    /// How many places Redis knows of, of all limits on what is under way.
    pub async fn places(&self) -> u64 {
        let script = "local all = 0 \
                      for _, name in ipairs(redis.call('KEYS', 'palisade:limit:*')) do \
                        if redis.call('TYPE', name).ok == 'zset' then all = all + redis.call('ZCARD', name) end \
                      end return all";
        match self.redis.ask(&["EVAL", script, "0"]).await.unwrap() {
            redis::Value::Int(count) => u64::try_from(count).unwrap(),
            other => panic!("no count: {other:?}"),
        }
    }

    /// What all counters of Redis say that are not fresh: when they are, both counts, and when it is now.
    pub async fn counters(&self) -> Vec<[u64; 4]> {
        let list = |value| match value {
            redis::Value::Array(list) => list.into_iter().map(text).collect(),
            other => panic!("no list: {other:?}"),
        };
        let time: Vec<String> = list(self.redis.ask(&["TIME"]).await.unwrap());
        let now = format!("{}{:0>6}", time[0], time[1]).parse().unwrap();
        let mut names: Vec<String> = list(self.redis.ask(&["KEYS", "palisade:limit:*"]).await.unwrap());
        names.retain(|name| name != "palisade:limit:secret"); // which is no counter
        let mut counters = Vec::new();
        for name in names {
            let value = self.redis.ask(&["GET", &name]).await.unwrap();
            if value != redis::Value::Nil {
                let numbers: Vec<u64> =
                    text(value).split(' ').map(|number| number.parse().unwrap()).collect();
                counters.push([numbers[0], numbers[1], numbers[2], now]);
            }
        }
        counters
    }
}

fn text(value: redis::Value) -> String {
    let redis::Value::BulkString(bytes) = value else { panic!("no text: {value:?}") };
    String::from_utf8(bytes).unwrap()
}
