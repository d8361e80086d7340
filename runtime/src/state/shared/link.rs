//! The way to a Redis: one connection for all requests, which is left alone while it fails.
//!
//! Rules:
//! 1. what is asked takes no longer than it may, and is not asked twice;
//! 2. a server that fails is left alone for a while ([`Breaker`]); meanwhile there is no answer at once. One without room fails
//!    where all that is asked is to write, and answers where it can be read;
//! 3. a connection that hangs is not kept: with the breaker, a new one begins.

use std::time::Duration;

use arc_swap::ArcSwap;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, RedisResult};

use super::address::RedisServer;
use super::failed;
use super::suited::{self, Need};
use crate::breaker::{Breaker, Leave, Turn};
use crate::state::StateError;

/// What is asked at the start takes no longer.
const START: Duration = Duration::from_secs(3);
/// Failures without a success between them until nobody asks any more.
const FAILURES: u32 = 5;
/// For how long nobody asks then. Longer than one who asks can take.
const REST: Duration = Duration::from_secs(2);
/// Requests that are on the way at once. The others wait for one of them, in bounded time.
const AT_ONCE: usize = 1024;

/// How long is waited, and what is done without it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For a connection.
    pub(crate) connect: Duration,
    /// For an answer.
    pub(crate) answer: Duration,
    /// For both together.
    pub(crate) whole: Duration,
    /// What the operator is told of an outage.
    pub(crate) without: &'static str,
    /// A server without room is of no use.
    pub(crate) writes: bool,
}

pub(crate) struct Link {
    client: Client,
    /// Host and port, for the log: an application may use more than one.
    server: String,
    connection: ArcSwap<ConnectionManager>,
    breaker: Breaker,
    patience: Patience,
}

impl Link {
    /// To a server that answers now and is what `needs` say; it is warned of what it is not.
    pub(crate) async fn open(
        server: &RedisServer,
        patience: Patience,
        needs: &[Need],
    ) -> Result<Self, StateError> {
        let client = server.client()?;
        let server = client.get_connection_info().addr().to_string();
        let connection = connection(&client, patience).map_err(failed)?;
        let checked = tokio::time::timeout(START, suited::check(&server, &connection, needs)).await;
        checked.unwrap_or(Err(StateError::Late))?;
        Ok(Self {
            client,
            server,
            connection: ArcSwap::from_pointee(connection),
            breaker: Breaker::new(FAILURES, REST),
            patience,
        })
    }

    /// What comes of one request, in bounded time, unless the server is left alone.
    pub(crate) async fn ask<T>(
        &self,
        request: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, StateError> {
        self.ask_within(self.patience.whole, request).await
    }

    /// The same in less time.
    pub(crate) async fn ask_within<T>(
        &self,
        time: Duration,
        request: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, StateError> {
        let leave = self.breaker.admits().map_err(failed)?;
        let mut connection = ConnectionManager::clone(&self.connection.load());
        let answered = tokio::time::timeout(time.min(self.patience.whole), request(&mut connection)).await;
        let answered = answered.map_or(Err(StateError::Late), |answered| answered.map_err(judge));
        self.note(leave, answered.as_ref().err());
        answered
    }

    /// Tells the breaker, and the operator what changed.
    fn note(&self, leave: Leave<'_>, error: Option<&StateError>) {
        let turn = match error {
            None => leave.succeeded(),
            Some(StateError::Full) if !self.patience.writes => leave.succeeded(), // it answered
            Some(_) => leave.failed(),
        };
        let why = error.map(ToString::to_string).unwrap_or_default();
        let server = &*self.server;
        match self.breaker.news(turn) {
            Turn::Opened => {
                tracing::error!(target: "palisade::state", server, why, "Redis fails: {}", self.patience.without);
            }
            Turn::StillOpen => tracing::warn!(target: "palisade::state", server, why, "Redis still fails"),
            Turn::Closed => tracing::info!(target: "palisade::state", server, "Redis answers again"),
            Turn::None => {}
        }
        if matches!(turn, Turn::Opened | Turn::StillOpen) {
            match connection(&self.client, self.patience) {
                Ok(new) => self.connection.store(new.into()),
                Err(error) => {
                    tracing::error!(target: "palisade::state", server, %error, "no new connection to Redis")
                }
            }
        }
    }
}

/// One that begins with the first request. What is not connected is not tried twice for one request.
fn connection(client: &Client, patience: Patience) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(patience.connect))
        .set_response_timeout(Some(patience.answer))
        .set_number_of_retries(0)
        .set_concurrency_limit(AT_ONCE);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

pub(super) fn judge(error: RedisError) -> StateError {
    match error.code() {
        Some("OOM") => StateError::Full,
        Some("CLOCK") => StateError::Clock,
        _ if error.is_timeout() => StateError::Late,
        _ => failed(error),
    }
}
