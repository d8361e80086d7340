//! The shared engine: one Redis for many instances.
//!
//! Rules:
//! 1. a change is one script, so it is made whole or not at all; so is a read;
//! 2. versions are of the whole store, and grow by the server's time also when it lost its memory;
//! 3. a connection takes a second at most, an answer half of one;
//! 4. while the server is left alone ([`Link`]), every request is refused at once;
//! 5. records end by the server's clock. One that is more than 30 seconds apart from ours refuses everything (`clock.lua`): one of
//!    the two was set, and by one that was set ahead a revocation is over, and a call that runs seems dead. What the server
//!    forgot by it is gone: that its keys end is not ours to decide;
//! 6. one that takes no writes because another server leads it, or because too few follow it, refuses everything, reads as well
//!    (`led.lua`): what it shows may be old. One that has not heard yet that another leads is found by the second alone, and one that
//!    takes writes though another leads it by neither.

mod address;
mod link;
mod suited;
#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use redis::Script;

pub use self::address::RedisServer;
pub(crate) use self::link::{Link, Patience};
pub(crate) use self::suited::COUNTERS;
use self::suited::RECORDS;
use super::{ALIKE, Engine, Expected, Key, Next, Record, StateError, Swapped};
use crate::authn::StoreFuture;
use crate::clock::Clock;

/// How long is waited for it, and who is told that it fails.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(1),
    answer: Duration::from_millis(500),
    whole: Duration::from_millis(1500),
    without: "requests that need it are refused",
    writes: false,
};
/// No record is kept longer, in milliseconds: the server adds them to its time. Some 35,000 years.
const LONGEST: u128 = 1 << 50;

pub(super) struct Shared {
    link: Link,
    get: Script,
    swap: Script,
    prefix: String,
    versions: String,
    clock: Clock,
}

/// Version and value, where there is a record, and for how many milliseconds it is still kept.
type Shown = (Option<String>, Option<Vec<u8>>, i64);

impl Shared {
    pub(super) async fn connect(
        server: &RedisServer,
        prefix: &str,
        clock: Clock,
    ) -> Result<Self, StateError> {
        Ok(Self {
            link: Link::open(server, PATIENCE, RECORDS).await?,
            get: Script::new(concat!(
                include_str!("clock.lua"),
                include_str!("led.lua"),
                include_str!("get.lua")
            )),
            swap: Script::new(concat!(
                include_str!("clock.lua"),
                include_str!("led.lua"),
                include_str!("swap.lua")
            )),
            prefix: prefix.to_owned(),
            versions: format!("{prefix}:versions"),
            clock,
        })
    }

    /// The time of this process, which the scripts compare with that of the server.
    fn time(&self) -> Result<String, StateError> {
        let now = self.clock.now().map_err(|_| StateError::Clock)?;
        Ok(now.wall().as_millis().to_string())
    }

    async fn look(&self, key: Key, bytes_of_none: usize) -> Result<Option<Record>, StateError> {
        let mut script = self.get.key(self.name(key));
        script.arg(self.time()?).arg(bytes_of_none);
        let (version, value, left, _): (_, _, _, Vec<u8>) =
            self.link.ask(async |redis| script.invoke_async(redis).await).await?;
        read((version, value, left))
    }

    fn name(&self, key: Key) -> String {
        format!("{}:{}", self.prefix, BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes()))
    }
}

impl Engine for Shared {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(self.look(key, 0))
    }

    fn get_alike(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(self.look(key, ALIKE))
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            let mut script = self.swap.key(self.name(key));
            script.key(&self.versions).arg(self.time()?);
            match expected {
                Expected::Nothing => script.arg(""),
                Expected::Version(version) => script.arg(version.to_string()),
            };
            match next {
                Next::Record { value, keep } => script.arg(value).arg(millis(keep)),
                Next::Nothing => script.arg("").arg("-1"),
            };
            let (made, shown): (bool, Shown) =
                self.link.ask(async |redis| script.invoke_async(redis).await).await?;
            match (made, shown) {
                (true, (Some(version), ..)) => Ok(Swapped::Made(number(&version)?)),
                (true, (None, ..)) => Err(unreadable()),
                (false, shown) => Ok(Swapped::Not(read(shown)?)),
            }
        })
    }
}

fn read(shown: Shown) -> Result<Option<Record>, StateError> {
    match shown {
        (None, None, _) => Ok(None),
        (Some(version), Some(value), left) => {
            let left = Duration::from_millis(u64::try_from(left).map_err(|_| unreadable())?);
            Ok(Some(Record { value, version: number(&version)?, left }))
        }
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

pub(crate) fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StateError {
    StateError::Engine(error.into())
}
