//! Where the server keeps what outlasts a request: the state, the keys of the answers in it, and shared counters of limits.
//!
//! Rules:
//! 1. without a word the state is memory, which ends with the process; `state_file` is redb, `state_url` is Redis;
//! 2. answers in memory are sealed by a key of their own where none is given. In a state that lasts, which others read, keys are
//!    needed: a key that ends with the process would leave answers that nobody opens;
//! 3. limits outlast the process in the file of `state_file`, which is of one process alone;
//! 4. shared counters need the number of instances, which says what each lets through while Redis is away.

use super::{Config, LoadError, error::Faults, key::Key, list_or_file, rivals};
use crate::{AnswerKeys, Clock, KeptAnswers, KeptLimits, Settings, State};

static STATE: Key = Key::top("state");
static STATE_FILE: Key = Key::top("state_file");
static STATE_URL: Key = Key::top("state_url");
static STATE_RECORDS: Key = Key::top("state_records");
pub(super) static ANSWER_KEYS: Key = Key::top("answer_keys");
pub(super) static ANSWER_KEYS_FILE: Key = Key::top("answer_keys_file");
static LIMITS_URL: Key = Key::top("limits_url");
static LIMITS_INSTANCES: Key = Key::top("limits_instances");

/// What can be seen of the values alone.
pub(super) fn check(config: &super::Values, faults: &mut Faults) {
    let state = rivals(config, &[&STATE, &STATE_FILE, &STATE_URL], faults);
    if state == Some(&STATE)
        && let Some(other) = config.text(&STATE, faults).filter(|engine| *engine != "memory")
    {
        let why =
            format!("`{other}` is no engine: it is `memory`, or `{STATE_FILE}` or `{STATE_URL}` is given");
        faults.add(&STATE, why);
    }
    if let Some(records) = config.text(&STATE_RECORDS, faults).map(str::parse::<usize>) {
        if !matches!(records, Ok(1..)) {
            faults.add(&STATE_RECORDS, "is no whole number from 1 on");
        } else if state == Some(&STATE_URL) {
            faults.add(&STATE_RECORDS, format!("is not for `{STATE_URL}`: a Redis has its own `maxmemory`"));
        }
    }
    rivals(config, &[&ANSWER_KEYS, &ANSWER_KEYS_FILE], faults);
    let instances = config.text(&LIMITS_INSTANCES, faults);
    match (config.text(&LIMITS_URL, faults), instances.map(str::parse::<u32>)) {
        (None, None) | (Some(_), Some(Ok(1..))) => {}
        (Some(_), None) => faults.add(
            &LIMITS_INSTANCES,
            "is missing: it says what part of a limit this instance lets through while Redis is away",
        ),
        (None, Some(_)) => faults.add(&LIMITS_URL, format!("is missing beside `{LIMITS_INSTANCES}`")),
        (Some(_), Some(Err(_) | Ok(0))) => faults.add(&LIMITS_INSTANCES, "is no whole number from 1 on"),
    }
}

impl Config {
    /// What the server remembers from one request to the next: in memory, in the file of `state_file`, or in the Redis of
    /// `state_url`. Clones of it share it; a file is opened once.
    ///
    /// # Errors
    /// When the file cannot be opened or the Redis not asked now, or palisade was built without the engine.
    pub async fn state(&self) -> Result<State, LoadError> {
        let mut faults = Faults::default();
        let made = match rivals(&self.values, &[&STATE, &STATE_FILE, &STATE_URL], &mut faults) {
            Some(key) if *key == STATE_FILE => {
                let path = self.values.text(&STATE_FILE, &mut faults).map(|path| self.path(path));
                path.map(|path| {
                    opened(&path, self.records()).map_err(|why| (key, format!("`{}`: {why}", path.display())))
                })
            }
            Some(key) if *key == STATE_URL => match self.values.text(&STATE_URL, &mut faults) {
                Some(url) => Some(asked(url).await.map_err(|why| (key, why))),
                None => None,
            },
            _ => Some(Ok(State::memory_of(self.records(), Clock::system()))),
        };
        let made = made.and_then(|made| made.map_err(|(key, why)| faults.add(key, why)).ok());
        faults.finish(&self.file, || made)
    }

    /// How many records there is room for.
    fn records(&self) -> usize {
        let said = self.values.text(&STATE_RECORDS, &mut Faults::default());
        said.and_then(|records| records.parse().ok()).unwrap_or(State::RECORDS)
    }

    /// The answers of idempotent operations, in this state.
    ///
    /// # Errors
    /// When their keys cannot be used, or are missing for a state that lasts.
    pub fn answers(&self, state: State) -> Result<KeptAnswers, LoadError> {
        let mut faults = Faults::default();
        let state_key = rivals(&self.values, &[&STATE, &STATE_FILE, &STATE_URL], &mut faults);
        let lasts = state_key.is_some_and(|key| *key != STATE);
        let given = rivals(&self.values, &[&ANSWER_KEYS, &ANSWER_KEYS_FILE], &mut faults);
        let keys = match given {
            None if lasts => {
                let why = format!(
                    "is missing, and so is `{ANSWER_KEYS}`: answers that outlast this process are sealed by them"
                );
                faults.add(&ANSWER_KEYS_FILE, why);
                None
            }
            None => AnswerKeys::generate().map_err(|error| faults.add(&ANSWER_KEYS, error.to_string())).ok(),
            Some(key) => {
                let list = list_or_file(self, &ANSWER_KEYS, &ANSWER_KEYS_FILE, key, &mut faults);
                let read = |list: &str| AnswerKeys::from_list(list).map_err(|error| error.to_string());
                list.and_then(|list| read(&list).map_err(|why| faults.add(key, why)).ok())
            }
        };
        faults.finish(&self.file, || keys.map(|keys| KeptAnswers::new(state, keys)))
    }

    /// The file of the keys that seal answers, where it is configured.
    #[must_use]
    pub fn answer_keys_file(&self) -> Option<std::path::PathBuf> {
        self.values.text(&ANSWER_KEYS_FILE, &mut Faults::default()).map(|path| self.path(path))
    }

    /// The settings of the server: its trusted proxies, its public origin, and the counters that its limits share with other
    /// instances where `limits_url` names their Redis.
    ///
    /// # Errors
    /// When that Redis cannot be asked now, or palisade was built without it.
    pub async fn settings(&self) -> Result<Settings, LoadError> {
        let mut faults = Faults::default();
        let (url, instances) =
            (self.values.text(&LIMITS_URL, &mut faults), self.values.text(&LIMITS_INSTANCES, &mut faults));
        let settings = match url.zip(instances.and_then(|instances| instances.parse().ok())) {
            None => Ok(self.settings.clone()),
            Some((url, instances)) => shared(self.settings.clone(), url, instances).await,
        };
        let settings = settings.map_err(|why| faults.add(&LIMITS_URL, why)).ok();
        faults.finish(&self.file, || settings)
    }

    /// These settings, with limits that go on after a restart where they were before it, when `state` is that of `state_file`.
    ///
    /// # Errors
    /// When what is kept of them cannot be read.
    pub async fn limits_kept(&self, settings: Settings, state: State) -> Result<Settings, LoadError> {
        let mut faults = Faults::default();
        let given = rivals(&self.values, &[&STATE, &STATE_FILE, &STATE_URL], &mut faults);
        let settings = match given.filter(|key| **key == STATE_FILE) {
            None => Some(settings),
            Some(key) => match KeptLimits::load(state).await {
                Ok(kept) => Some(settings.limits_kept(kept)),
                Err(error) => {
                    faults.add(key, error.to_string());
                    None
                }
            },
        };
        faults.finish(&self.file, || settings)
    }
}

#[cfg(feature = "redb")]
fn opened(path: &std::path::Path, records: usize) -> Result<State, String> {
    State::open_of(path, records, Clock::system()).map_err(|error| error.to_string())
}

#[cfg(not(feature = "redb"))]
fn opened(_: &std::path::Path, _: usize) -> Result<State, String> {
    Err(without("redb"))
}

#[cfg(feature = "redis")]
async fn asked(url: &str) -> Result<State, String> {
    State::redis(url).await.map_err(|error| error.to_string())
}

#[cfg(not(feature = "redis"))]
async fn asked(_: &str) -> Result<State, String> {
    Err(without("redis"))
}

#[cfg(feature = "redis")]
async fn shared(settings: Settings, url: &str, instances: u32) -> Result<Settings, String> {
    let limits = crate::SharedLimits::redis(url, instances).await;
    limits.map(|limits| settings.limits_in(limits)).map_err(|error| error.to_string())
}

#[cfg(not(feature = "redis"))]
async fn shared(_: Settings, _: &str, _: u32) -> Result<Settings, String> {
    Err(without("redis"))
}

#[cfg(not(all(feature = "redb", feature = "redis")))]
fn without(feature: &str) -> String {
    format!("palisade was built without it: add \"{feature}\" to its features in Cargo.toml")
}
