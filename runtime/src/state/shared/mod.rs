//! The shared engine: one Redis for many instances.
//!
//! Rules:
//! 1. a change is one script, so it is made whole or not at all; a read is one command;
//! 2. versions are of the whole store, and grow by the server's time also when it lost its memory;
//! 3. a connection takes a second at most, an answer half of one; nothing is asked twice within a request;
//! 4. a server that fails is left alone for a while ([`Breaker`]); meanwhile every request is refused at once;
//! 5. a connection that hangs is not kept: with the breaker, a new one begins.

mod breaker;
mod durability;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use redis::{
    Client, Cmd, IntoConnectionInfo, RedisError, RedisResult, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use self::breaker::{Breaker, Turn};
use super::{Engine, Expected, Key, Next, Record, StateError, Swapped};
use crate::authn::StoreFuture;

const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_millis(500);
/// What is asked at the start takes no longer.
const START: Duration = Duration::from_secs(3);
/// Failures without a success between them until nobody asks any more.
const FAILURES: u32 = 5;
/// For how long nobody asks then. Longer than one who asks can take.
const REST: Duration = Duration::from_secs(2);
/// Requests that are on the way at once. The others wait for one of them, in bounded time.
const AT_ONCE: usize = 1024;
/// No record is kept longer, in milliseconds: the server adds them to its time. Some 35,000 years.
const LONGEST: u128 = 1 << 50;

pub(super) struct Shared {
    client: Client,
    connection: ArcSwap<ConnectionManager>,
    swap: Script,
    prefix: String,
    versions: String,
    breaker: Mutex<Breaker>,
    started: Instant,
}

/// Version and value, where there is a record.
type Shown = (Option<String>, Option<Vec<u8>>);

impl Shared {
    pub(super) async fn connect(url: &str, prefix: &str) -> Result<Self, StateError> {
        // an address may hold a password: no error shows it
        if url.starts_with("rediss:") {
            return Err(failed(
                "`rediss://` (TLS) is not supported: use `redis://` on a network that is trusted",
            ));
        }
        if !url.starts_with("redis://") {
            return Err(failed("the address of the state is not one of `redis://`"));
        }
        let info =
            url.into_connection_info().map_err(|_| failed("the address of the state cannot be read"))?;
        let client = Client::open(info).map_err(failed)?;
        let connection = connection(&client).map_err(failed)?;
        tokio::time::timeout(START, durability::check(&connection)).await.unwrap_or(Err(StateError::Late))?;
        Ok(Self {
            client,
            connection: ArcSwap::from_pointee(connection),
            swap: Script::new(include_str!("swap.lua")),
            prefix: prefix.to_owned(),
            versions: format!("{prefix}:versions"),
            breaker: Mutex::new(Breaker::new(FAILURES, REST)),
            started: Instant::now(),
        })
    }

    /// What comes of one request, in bounded time, unless the server is left alone.
    async fn ask<T>(
        &self,
        request: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, StateError> {
        if !self.breaker(|breaker, now| breaker.admits(now)) {
            return Err(failed("the server of the state failed, and is left alone for a moment"));
        }
        let mut connection = ConnectionManager::clone(&self.connection.load());
        let answered = tokio::time::timeout(CONNECT + ANSWER, request(&mut connection)).await;
        let answered = answered.map_or(Err(StateError::Late), |answered| answered.map_err(judge));
        self.note(answered.as_ref().err());
        answered
    }

    /// Tells the breaker, and the operator what changed.
    fn note(&self, error: Option<&StateError>) {
        let turn = self.breaker(|breaker, now| match error {
            // it answered
            None | Some(StateError::Full) => breaker.succeeded(),
            Some(_) => breaker.failed(now),
        });
        let why = error.map(ToString::to_string).unwrap_or_default();
        match turn {
            Turn::Opened => {
                tracing::error!(target: "palisade::state", why, "Redis fails: requests that need it are refused");
            }
            Turn::StillOpen => tracing::warn!(target: "palisade::state", why, "Redis still fails"),
            Turn::Closed => tracing::info!(target: "palisade::state", "Redis answers again"),
            Turn::None => {}
        }
        if matches!(turn, Turn::Opened | Turn::StillOpen) {
            match connection(&self.client) {
                Ok(new) => self.connection.store(new.into()),
                Err(error) => {
                    tracing::error!(target: "palisade::state", %error, "no new connection to Redis")
                }
            }
        }
    }

    fn breaker<T>(&self, act: impl FnOnce(&mut Breaker, Duration) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner), self.started.elapsed())
    }

    fn name(&self, key: Key) -> String {
        format!("{}:{}", self.prefix, BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes()))
    }
}

impl Engine for Shared {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(async move {
            let mut command = Cmd::new();
            command.arg("HMGET").arg(self.name(key)).arg("version").arg("value");
            let shown: Shown = self.ask(async |redis| command.query_async(redis).await).await?;
            read(shown)
        })
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            let mut script = self.swap.key(self.name(key));
            script.key(&self.versions);
            match expected {
                Expected::Nothing => script.arg(""),
                Expected::Version(version) => script.arg(version.to_string()),
            };
            match next {
                Next::Record { value, keep } => script.arg(value).arg(millis(keep)),
                Next::Nothing => script.arg("").arg("-1"),
            };
            let (made, version, value): (bool, Option<String>, Option<Vec<u8>>) =
                self.ask(async |redis| script.invoke_async(redis).await).await?;
            match (made, version) {
                (true, Some(version)) => Ok(Swapped::Made(number(&version)?)),
                (true, None) => Err(unreadable()),
                (false, version) => Ok(Swapped::Not(read((version, value))?)),
            }
        })
    }
}

/// One that begins with the first request. What is not connected is not tried twice for one request.
fn connection(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(ANSWER))
        .set_number_of_retries(0)
        .set_concurrency_limit(AT_ONCE);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

fn judge(error: RedisError) -> StateError {
    match error.code() {
        Some("OOM") => StateError::Full,
        _ if error.is_timeout() => StateError::Late,
        _ => failed(error),
    }
}

fn read(shown: Shown) -> Result<Option<Record>, StateError> {
    match shown {
        (None, None) => Ok(None),
        (Some(version), Some(value)) => Ok(Some(Record { value, version: number(&version)? })),
        _ => Err(unreadable()),
    }
}

fn number(text: &str) -> Result<u64, StateError> {
    text.parse().map_err(|_| unreadable())
}

/// Rounded up: no record ends before its time.
fn millis(time: Duration) -> String {
    time.as_nanos().div_ceil(1_000_000).min(LONGEST).to_string()
}

fn unreadable() -> StateError {
    failed("Redis holds what nobody wrote under this prefix")
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StateError {
    StateError::Engine(error.into())
}
