//! Counters that outlast their process: they are written to a state, and the next process begins with them.
//!
//! Rules:
//! 1. the counters in memory decide, and no request waits for what is kept;
//! 2. what has changed is written once a second, and when the server stops: who kills it makes it forget a second;
//! 3. kept is what still says something in a minute: the counters of long windows, and not those of every request;
//! 4. their times are those of the day, so windows begin where they did before. The clock that is counted by goes on from the
//!    time of day at which the server was built, and is not set;
//! 5. their keys are hashes under a secret that lies in the state: an identity is not there as text.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use siphasher::sip::SipHasher13;
use tokio::sync::Mutex;

use super::SECOND;
use super::key::Keyer;
use super::memory::{Entry, SHARDS, Table};
use super::meter;
use crate::clock::Now;
use crate::state::{Expected, Key, Kind, LONGEST, Next, Record, State, StateError, Swapped};

/// Rule 2.
pub(crate) const PERIOD: Duration = Duration::from_secs(1);
/// Rule 3, in microseconds.
const WORTH: u64 = 60 * SECOND;
/// The secret is needed for as long as there are counters.
const SECRET_LASTS: Duration = Duration::from_secs(10 * 365 * 86_400);
/// What one counter takes in a record.
const BYTES: usize = 24;
/// Room for this many counters fits the records.
pub(crate) const MOST: usize = LONGEST / BYTES * SHARDS / 2;

/// Limits whose counters outlast the process.
///
/// A server that has them ([`Settings::limits_kept`](crate::Settings::limits_kept)) begins with the counters that were
/// written, and writes them once a second and when it stops. They are of one process at a time; instances share theirs by
/// [`SharedLimits`](crate::SharedLimits).
#[derive(Clone)]
pub struct KeptLimits {
    state: State,
    secret: [u8; 16],
    found: Arc<[Vec<Option<Record>>; TABLES.len()]>,
}

/// The counters that a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The limits of its document.
    Document,
    /// Attempts to authenticate that failed.
    Attempts,
    /// The same in networks that are known for the account.
    AttemptsOfKnown,
}

const TABLES: [Of; 3] = [Of::Document, Of::Attempts, Of::AttemptsOfKnown];

/// What is kept of one table.
pub(crate) struct Kept {
    state: State,
    of: Of,
    secret: [u8; 16],
    /// Where the time of day was when the clock that is counted by began, in microseconds.
    began: u64,
    found: Vec<Option<Record>>,
    written: Mutex<Written>,
}

/// What was written.
struct Written {
    shards: Vec<Shard>,
    is_failing: bool,
}

#[derive(Clone, Copy, Default)]
struct Shard {
    version: Option<u64>,
    /// Of its bytes.
    print: Option<u64>,
}

impl KeptLimits {
    /// Those that are kept in this state, where there are some.
    ///
    /// # Errors
    /// When the state cannot be asked.
    pub async fn load(state: State) -> Result<Self, StateError> {
        let secret = secret(&state).await?;
        let mut found = [const { Vec::new() }; TABLES.len()];
        for (of, found) in TABLES.into_iter().zip(&mut found) {
            let records = join_all((0..SHARDS).map(|shard| state.get(of.key(shard)))).await;
            *found = records.into_iter().collect::<Result<_, _>>()?;
        }
        Ok(Self { state, secret, found: Arc::new(found) })
    }

    /// Where they are kept, and the secret that lies there: for what belongs to them.
    pub(crate) fn place(&self) -> (State, [u8; 16]) {
        (self.state.clone(), self.secret)
    }

    /// What is kept of one table of a server that is built `now`.
    pub(crate) fn of(&self, of: Of, now: Now) -> Kept {
        let found = TABLES.iter().position(|table| *table == of).and_then(|place| self.found.get(place));
        let found = found.cloned().unwrap_or_default();
        let shard = |record: &Option<Record>| Shard {
            version: record.as_ref().map(|record| record.version),
            print: Some(print(record.as_ref().map_or(&[], |record| &record.value))),
        };
        let began = now.wall().saturating_sub(now.monotonic());
        Kept {
            state: self.state.clone(),
            of,
            secret: self.secret,
            began: u64::try_from(began.as_micros()).unwrap_or(u64::MAX),
            written: Mutex::new(Written { shards: found.iter().map(shard).collect(), is_failing: false }),
            found,
        }
    }
}

/// That of the state, which is made by the first that asks for it.
async fn secret(state: &State) -> Result<[u8; 16], StateError> {
    let key = Key::new(Kind::Limit, &[b"secret"]);
    let found = match state.get(key).await? {
        Some(record) => record,
        None => {
            let mut value = [0; 16];
            crate::random::fill(&mut value).map_err(|error| StateError::Engine(Box::new(error)))?;
            let next = Next::Record { value: value.to_vec(), keep: SECRET_LASTS };
            match state.swap(key, Expected::Nothing, next).await? {
                Swapped::Made(_) => return Ok(value),
                Swapped::Not(other) => other.ok_or(StateError::Late)?,
            }
        }
    };
    found.value.try_into().map_err(|_| StateError::Engine("the secret of limits is of another length".into()))
}

impl Kept {
    pub(super) fn keyer(&self) -> Keyer {
        Keyer::of(self.secret)
    }

    pub(super) const fn began(&self) -> u64 {
        self.began
    }

    /// Puts what was found into a new table. What finds no place there, because the table became smaller, is forgotten.
    pub(super) fn restore(&mut self, table: &Table) {
        for record in std::mem::take(&mut self.found).into_iter().flatten() {
            record.value.as_chunks().0.iter().for_each(|bytes| table.restore(read(bytes)));
        }
    }

    /// Writes what has changed. `now` is of the clock that is counted by.
    pub(super) async fn write(&self, table: &Table, now: u64) {
        let mut written = self.written.lock().await;
        let shards = written.shards.iter_mut().enumerate();
        let results =
            join_all(shards.map(|(number, shard)| self.write_shard(table, number, shard, now))).await;
        let failed = results.into_iter().find_map(Result::err);
        match &failed {
            Some(error) if !written.is_failing => {
                tracing::warn!(target: "palisade::state", %error, "limits are not kept: a restart forgets their counters");
            }
            None if written.is_failing => tracing::info!(target: "palisade::state", "limits are kept again"),
            _ => {}
        }
        written.is_failing = failed.is_some();
    }

    async fn write_shard(
        &self,
        table: &Table,
        number: usize,
        shard: &mut Shard,
        now: u64,
    ) -> Result<(), StateError> {
        let counters = table.counters(number, now.saturating_add(WORTH));
        let value: Vec<u8> = counters.iter().flat_map(bytes).collect();
        let print = print(&value);
        if shard.print == Some(print) {
            return Ok(());
        }
        let expected = shard.version.map_or(Expected::Nothing, Expected::Version);
        let last = counters.iter().map(|counter| counter.state.fresh_at).max();
        let next = last.map_or(Next::Nothing, |last| Next::Record {
            value,
            keep: Duration::from_micros(last.saturating_sub(now)),
        });
        // who does not hear what became of it finds out the next time
        *shard = match self.state.swap(self.of.key(number), expected, next).await? {
            Swapped::Made(version) => Shard { version: last.map(|_| version), print: Some(print) },
            Swapped::Not(other) => Shard { version: other.map(|record| record.version), print: None },
        };
        Ok(())
    }
}

impl Of {
    fn key(self, shard: usize) -> Key {
        let name: &[u8] = match self {
            Self::Document => b"document",
            Self::Attempts => b"attempts",
            Self::AttemptsOfKnown => b"attempts of known",
        };
        Key::new(Kind::Limit, &[name, &shard.to_le_bytes()])
    }
}

fn print(bytes: &[u8]) -> u64 {
    SipHasher13::new().hash(bytes)
}

fn bytes(Entry { key, state }: &Entry) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let numbers = [*key, state.fresh_at, state.counts];
    for (place, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
        *place = number.to_le_bytes();
    }
    bytes
}

fn read(bytes: &[u8; BYTES]) -> Entry {
    let mut numbers = bytes.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number));
    let mut next = || numbers.next().unwrap_or_default();
    let (key, fresh_at, counts) = (next(), next(), next());
    Entry { key, state: meter::State { fresh_at, counts } }
}

impl fmt::Debug for KeptLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptLimits")
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("of", &self.of).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::{Network, Seen};
    use super::super::{Limiter, SECOND};
    use super::*;
    use crate::clock::Clock;
    use crate::operation::{self, CountedOn, Counting, Limit, OnOutage, Per};

    const NOW: u64 = 1_800_000_000;

    const fn limit(name: &'static str, counter: operation::Counter, quota: u32, seconds: u64) -> Limit {
        let window = Duration::from_secs(seconds);
        let (per, scope, on) = (&[Per::Principal], Counting::Document, CountedOn::Request);
        let on_outage = OnOutage::Local;
        Limit { name, quota, window, burst: quota, counter, cost: 1, per, scope, on, on_outage }
    }

    static HOURLY: Limit = limit("hourly", operation::Counter::TokenBucket, 5, 3600);
    static DAILY: Limit = limit("daily", operation::Counter::FixedWindow, 5, 86_400);
    static SLIDING: Limit = limit("sliding", operation::Counter::SlidingWindow, 5, 86_400);
    static SHORT: Limit = limit("short", operation::Counter::TokenBucket, 5, 30);
    static LIMITS: [&Limit; 4] = [&HOURLY, &DAILY, &SLIDING, &SHORT];

    /// A server of its own each time.
    async fn built(state: &State, clock: &Clock) -> Limiter {
        let kept = KeptLimits::load(state.clone()).await.unwrap();
        Limiter::new(4096).kept(Some(kept.of(Of::Document, clock.now().unwrap())))
    }

    fn micros(clock: &Clock) -> u64 {
        u64::try_from(clock.now().unwrap().monotonic().as_micros()).unwrap()
    }

    fn passed(limiter: &Limiter, clock: &Clock, limit: &'static Limit, subject: &str) -> usize {
        let rule = limiter.rule(limit, "a");
        let from = Network::of("192.0.2.1".parse().unwrap());
        let seen = Seen {
            from,
            principal: Some(("https://id", subject)),
            tenant: None,
            is_claimed: false,
            values: &[],
        };
        let passes = || limiter.decide(micros(clock), &[rule.charge(&seen)]).refused_by().is_none();
        (0..9).filter(|_| passes()).count()
    }

    #[tokio::test]
    async fn the_next_process_begins_with_counters_of_long_windows() {
        let clock = Clock::fixed(NOW);
        let state = State::memory_of(1000, clock.clone());
        let first = built(&state, &clock).await;
        for limit in LIMITS {
            assert_eq!(passed(&first, &clock, limit, "alice"), 5, "{}", limit.name);
        }
        first.keep(micros(&clock)).await;
        assert_eq!(passed(&first, &clock, &HOURLY, "late"), 5, "after it was written");
        drop(first);
        // the clock of another process has another beginning
        let clock = Clock::fixed(NOW + 30);
        let next = built(&state, &clock).await;
        let again = LIMITS.map(|limit| passed(&next, &clock, limit, "alice"));
        assert_eq!(again, [0, 0, 0, 5], "all but what half a minute gave back");
        let others = LIMITS.map(|limit| passed(&next, &clock, limit, "bob"));
        assert_eq!(others, [5; 4]);
        assert_eq!(passed(&next, &clock, &HOURLY, "late"), 5, "of the last second nothing is known");
        clock.advance(Duration::from_secs(3570));
        assert_eq!(passed(&next, &clock, &HOURLY, "alice"), 5, "an hour after it was spent");
        let midnight = (NOW / 86_400 + 1) * 86_400;
        clock.advance(Duration::from_secs(midnight - NOW - 3600));
        assert_eq!(passed(&next, &clock, &DAILY, "alice"), 5, "the window ends where it did");
        assert!(passed(&next, &clock, &SLIDING, "alice") < 2, "and counts as the one before");
    }

    #[tokio::test]
    async fn what_does_not_change_is_not_written_and_what_is_over_is_removed() {
        let clock = Clock::fixed(NOW);
        let state = State::memory_of(1000, clock.clone());
        let limiter = built(&state, &clock).await;
        let shards = async || {
            let found = join_all((0..SHARDS).map(|shard| state.get(Of::Document.key(shard)))).await;
            found.into_iter().filter_map(|found| Some(found.unwrap()?.version)).collect::<Vec<_>>()
        };
        limiter.keep(micros(&clock)).await;
        assert!(shards().await.is_empty());
        passed(&limiter, &clock, &HOURLY, "alice");
        limiter.keep(micros(&clock)).await;
        let written = shards().await;
        assert_eq!(written.len(), 1);
        limiter.keep(micros(&clock)).await;
        assert_eq!(shards().await, written);
        clock.advance(Duration::from_secs(3600 - 60));
        limiter.keep(micros(&clock)).await;
        assert!(shards().await.is_empty(), "what is over in a minute");
        passed(&limiter, &clock, &HOURLY, "alice");
        limiter.keep(micros(&clock)).await;
        assert_eq!(shards().await.len(), 1);
    }

    #[tokio::test]
    async fn keys_are_hashed_under_the_secret_of_the_state() {
        let clock = Clock::fixed(NOW);
        let key = async |state: &State, limit: &'static Limit| {
            let from = Network::of("::1".parse().unwrap());
            let seen = Seen {
                from,
                principal: Some(("https://id", "alice")),
                tenant: None,
                is_claimed: false,
                values: &[],
            };
            built(state, &clock).await.rule(limit, "a").charge(&seen).key
        };
        let [one, other] = [(); 2].map(|()| State::memory_of(1000, clock.clone()));
        let hourly = key(&one, &HOURLY).await;
        assert_eq!(hourly, key(&one, &HOURLY).await);
        assert_ne!(hourly, key(&other, &HOURLY).await);
        // a limit that counts otherwise since then is another one
        static LONGER: Limit = limit("hourly", operation::Counter::TokenBucket, 5, 7200);
        static FIXED: Limit = limit("hourly", operation::Counter::FixedWindow, 5, 3600);
        assert_ne!(hourly, key(&one, &LONGER).await);
        assert_ne!(hourly, key(&one, &FIXED).await);
    }

    #[tokio::test]
    async fn a_state_that_fails_stops_nobody_and_is_written_again_when_it_does_not() {
        let clock = Clock::fixed(NOW);
        let state = State::memory_of(2, clock.clone()); // the secret, and one of two
        let limiter = built(&state, &clock).await;
        (0..50).for_each(|number| _ = passed(&limiter, &clock, &HOURLY, &format!("subject {number}")));
        limiter.keep(micros(&clock)).await;
        assert!(limiter.kept.as_ref().unwrap().written.lock().await.is_failing);
        clock.advance(Duration::from_micros(3600 * SECOND));
        limiter.keep(micros(&clock)).await;
        assert!(!limiter.kept.as_ref().unwrap().written.lock().await.is_failing);
    }
}
