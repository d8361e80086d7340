//! What a server remembers from one request to the next: records under keys, in an engine.
//!
//! One layer for all that must be remembered, so that each engine is written and tested once. Whoever keeps something
//! decides what its records mean; an engine knows bytes, versions and when they end.
//!
//! Rules, of every engine:
//! 1. [`Engine::swap`] is atomic: of two that expect the same version, one is made;
//! 2. a version is never used twice under one key, not even after its record ended: it is a fencing token;
//! 3. a record is there until its time is over, and not a moment longer; a full engine refuses, it forgets nothing. It is
//!    full by records or by bytes (`room`);
//! 4. what was answered to be kept is kept, in the engines that last also after a crash;
//! 5. an engine that cannot say answers an error, in bounded time; the caller refuses its request.

#[cfg(feature = "redb")]
mod embedded;
mod memory;
mod room;
#[cfg(feature = "redis")]
pub(crate) mod shared;

#[cfg(feature = "redis")]
pub use self::shared::RedisServer;

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use smallvec::SmallVec;
use zeroize::Zeroize as _;

use self::memory::Memory;
use crate::authn::{StoreFuture, store};
use crate::breaker::LeftAlone;
use crate::clock::Clock;
use crate::operation::Priority;

/// Of a value, in bytes.
pub(crate) const LONGEST: usize = 1 << 20;
/// As long as the records that [`Engine::get_alike`] is asked for, in bytes.
pub(crate) const ALIKE: usize = 320;
/// How long an engine may take. One that is shared answers in a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a server remembers. Clones share it.
#[derive(Clone)]
pub struct State(Arc<dyn Engine>);

/// What keeps records. See the rules of the module.
pub trait Engine: Send + Sync + 'static {
    /// The record under `key`.
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError>;

    /// The same where nobody is to learn by waiting whether there is one: what is not there takes as long as a record of some 320
    /// bytes. An engine that does not do its part here is asked as by [`Engine::get`].
    fn get_alike(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        self.get(key)
    }

    /// Puts `next` in the place of what is there, when that is what `expected` says.
    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError>;
}

/// What a record is about: a digest of a [`Kind`] and of what names it there. An engine learns neither, and what gives way to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    digest: [u8; 32],
    priority: Priority,
}

/// The length of a part of a name, in eight bytes on every machine: names outlast them, and machines share them.
pub(crate) fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

/// What is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What was put there.
    pub value: Vec<u8>,
    /// Greater than that of every record that was under the key before.
    pub version: u64,
    /// For how long it is still kept, by the clock that it ends by. That is the engine's, and one for all that share it.
    pub left: Duration,
}

/// What must be under a key for a change of it to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No record.
    Nothing,
    /// The record of this version.
    Version(u64),
}

/// What a change puts under a key.
#[derive(Clone, PartialEq, Eq)]
pub enum Next {
    /// A record for so long, from now on.
    Record {
        /// Its bytes.
        value: Vec<u8>,
        /// How long.
        keep: Duration,
    },
    /// None.
    Nothing,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swapped {
    /// It was made, and the record has this version. A removal has that of what was removed.
    Made(u64),
    /// Something else was there: this.
    Not(Option<Record>),
}

/// Why an engine did not do what it was asked for, or nobody knows whether it did.
#[derive(Debug)]
#[non_exhaustive]
pub enum StateError {
    /// It has no room, and every record in it is needed.
    Full,
    /// The value is longer than a mebibyte.
    TooLong,
    /// It did not answer in time. What was asked for may still come to be.
    Late,
    /// The clock of the machine cannot be relied on, or that of the server of the state: they are apart.
    Clock,
    /// It failed.
    Engine(Box<dyn std::error::Error + Send + Sync>),
}

impl StateError {
    /// Whether what was asked for may have been done, or may be done yet.
    pub(crate) const fn may_be_done(&self) -> bool {
        matches!(self, Self::Late | Self::Engine(_))
    }

    /// Where nobody asks it, because it failed.
    pub(crate) fn left_alone(&self) -> Option<LeftAlone> {
        match self {
            Self::Engine(error) => error.downcast_ref().copied(),
            _ => None,
        }
    }
}

impl State {
    /// Records that there is room for, when nothing else is said.
    pub const RECORDS: usize = 100_000;

    /// In memory: of this process alone, and empty when it starts. For tests, and for what may be lost.
    #[must_use]
    pub fn memory() -> Self {
        Self::memory_of(Self::RECORDS, Clock::system())
    }

    /// The same with room for so many records, of 2.5 KiB on the average and 16 MiB beside that, by a clock.
    #[must_use]
    pub fn memory_of(records: usize, clock: Clock) -> Self {
        Self::new(Memory::new(records, clock))
    }

    /// In a file of this process, which outlasts it; it is made where it is not, for its owner alone. With room for
    /// 100,000 records.
    ///
    /// A change is answered when it is on the disk. The last clone to be dropped waits for what is being written.
    ///
    /// # Errors
    /// When the file cannot be used: also when it is open already, in this process or in another.
    #[cfg(feature = "redb")]
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self, StateError> {
        Self::open_of(path, Self::RECORDS, Clock::system())
    }

    /// The same with room for so many records, of 40 KiB on the average and 16 MiB beside that, by a clock.
    ///
    /// Records end by its wall time when the file is opened, and by its monotonic time from then on. A wall time that is before
    /// the latest time at which the file was written refuses everything with [`StateError::Clock`]: the clock was set back, and
    /// nobody knows which records ended. One that was set ahead before the file was opened ends records early, and once it is
    /// right again, the next opening is refused until that time has come.
    ///
    /// # Errors
    /// As [`State::open`].
    #[cfg(feature = "redb")]
    pub fn open_of(
        path: impl AsRef<std::path::Path>,
        records: usize,
        clock: Clock,
    ) -> Result<Self, StateError> {
        Ok(Self::new(embedded::Embedded::open(path.as_ref(), records, clock)?))
    }

    /// In the Redis at `redis://[user:password@]host[:port][/database]`, or `rediss://` ([`RedisServer`]), shared by all that
    /// use it. Its keys begin with `palisade:`. While its clock and ours are more than 30 seconds apart, everything is refused with
    /// [`StateError::Clock`].
    ///
    /// Redis 6.2 or later, or Valkey, no cluster, with `maxmemory-policy noeviction`, `appendonly yes` and
    /// `appendfsync always`: what is not so is warned of now.
    ///
    /// # Errors
    /// When the address is none of these, or the server cannot be asked now.
    #[cfg(feature = "redis")]
    pub async fn redis(server: impl Into<RedisServer>) -> Result<Self, StateError> {
        Self::redis_under(server, "palisade").await
    }

    /// The same with keys that begin with `prefix` and a colon: for several applications in one Redis.
    ///
    /// # Errors
    /// As [`State::redis`].
    #[cfg(feature = "redis")]
    pub async fn redis_under(server: impl Into<RedisServer>, prefix: &str) -> Result<Self, StateError> {
        Ok(Self::new(shared::Shared::connect(&server.into(), prefix, Clock::system()).await?))
    }

    /// In an engine of one's own.
    pub fn new(engine: impl Engine) -> Self {
        Self(Arc::new(engine))
    }

    /// The record under `key`.
    ///
    /// # Errors
    /// When the engine fails, or does not answer within two seconds.
    pub async fn get(&self, key: Key) -> Result<Option<Record>, StateError> {
        in_time(self.0.get(key)).await
    }

    /// The same in a time that does not tell whether there is one, as far as the engine can.
    pub(crate) async fn get_alike(&self, key: Key) -> Result<Option<Record>, StateError> {
        in_time(self.0.get_alike(key)).await
    }

    /// Puts `next` in the place of what is under `key`, when that is what `expected` says.
    ///
    /// # Errors
    /// When the value is longer than a mebibyte, the engine has no room, fails, or does not answer within two seconds: then
    /// it may have been made or not.
    pub async fn swap(&self, key: Key, expected: Expected, next: Next) -> Result<Swapped, StateError> {
        if matches!(&next, Next::Record { value, .. } if value.len() > LONGEST) {
            return Err(StateError::TooLong);
        }
        in_time(self.0.swap(key, expected, next)).await
    }

    /// Whether a change would be made now: one is, of a record that ends at once. What only reads is done also by an engine without
    /// room, and by a Redis that another one leads.
    pub(crate) async fn answers(&self) -> bool {
        let key = Key::new(Kind::Answer, &[b"palisade readiness"]); // of those that find no room first
        let next = Next::Record { value: Vec::new(), keep: Duration::ZERO };
        self.swap(key, Expected::Nothing, next).await.is_ok()
    }
}

async fn in_time<T>(asked: StoreFuture<'_, T, StateError>) -> Result<T, StateError> {
    store::in_time(asked, PATIENCE).await.unwrap_or(Err(StateError::Late))
}

/// The round after `round`, of what is ended together: later than every one before it, also when the record of those is gone, for it
/// is at least the time in seconds.
pub(crate) fn later_round(round: u64, now: u64) -> u64 {
    round.saturating_add(1).max(now)
}

/// For whom a record is kept: records of two kinds never share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Tokens that were revoked.
    Revocation,
    /// Families of refresh tokens, and the signing keys of their issuer.
    Family,
    /// Proofs of possession that were shown.
    Proof,
    /// Answers that are kept, so that a call is not done twice.
    Answer,
    /// Sessions of browsers.
    Session,
    /// Logins that came back, each good once.
    Login,
    /// API keys.
    ApiKey,
    /// Counters of limits.
    Limit,
    /// What the application keeps.
    Application,
}

impl Kind {
    const fn tag(self) -> u8 {
        match self {
            Self::Revocation => 1,
            Self::Family => 2,
            Self::Proof => 4,
            Self::Answer => 5,
            Self::Session => 7,
            Self::Login => 10,
            Self::ApiKey => 8,
            Self::Limit => 9,
            Self::Application => 6,
        }
    }

    const fn priority(self) -> Priority {
        match self {
            Self::Answer | Self::Login => Priority::Batch,
            Self::Proof | Self::Session | Self::Family => Priority::Normal,
            Self::Revocation | Self::ApiKey | Self::Limit | Self::Application => Priority::Critical,
        }
    }
}

impl Key {
    /// The key of what `parts` name together.
    #[must_use]
    pub fn new(kind: Kind, parts: &[&[u8]]) -> Self {
        // hashed at once: to call the library takes longer than a name does
        let whole = parts.iter().map(|part| length(part).len() + part.len()).sum::<usize>();
        let mut named: SmallVec<[u8; 256]> = SmallVec::with_capacity(1 + whole);
        named.push(kind.tag());
        for part in parts {
            // with its length, so that no part of the one can stand for a part of the other
            named.extend_from_slice(&length(part));
            named.extend_from_slice(part);
        }
        let digest = digest(&SHA256, &named).as_ref().first_chunk().copied().unwrap_or_default();
        named.as_mut_slice().zeroize(); // a part may be the id of a session
        Self { digest, priority: kind.priority() }
    }

    /// What gives way to what when there is not much room: new records of calls (`Batch`: answers that are kept, logins that come
    /// back) leave a quarter of it to the others, those of callers (`Normal`: proofs, sessions, families of tokens) an eighth to
    /// what must have room (`Critical`): so no flood of either keeps a token from being revoked.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.priority
    }

    /// The key of a session that has this digest.
    #[cfg(feature = "login")]
    pub(crate) const fn of_session(digest: [u8; 32]) -> Self {
        Self { digest, priority: Kind::Session.priority() }
    }

    /// The digest, for an engine to store under.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

// Values may hold what clients sent.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("version", &self.version).finish_non_exhaustive()
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { keep, .. } => f.debug_struct("Record").field("keep", keep).finish_non_exhaustive(),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the state has no room for another record"),
            Self::TooLong => f.write_str("the value of a record is longer than a mebibyte"),
            Self::Late => f.write_str("the state did not answer in time"),
            Self::Clock => {
                f.write_str("the clock of the machine, or of the server of the state, cannot be relied on")
            }
            Self::Engine(error) => write!(f, "the state failed: {error}"),
        }
    }
}

impl std::error::Error for StateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Engine(error) => Some(error.as_ref()),
            Self::Full | Self::TooLong | Self::Late | Self::Clock => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_later_than_those_before_it_with_their_record_and_without() {
        let first = later_round(0, 1_800_000_000);
        let second = later_round(first, 1_800_000_000);
        let third = later_round(second, 1_799_999_000);
        assert!(first < second && second < third, "within a second, and when the clock goes back");
        assert!(third < later_round(0, 1_800_003_600), "when the record is gone");
    }
}
