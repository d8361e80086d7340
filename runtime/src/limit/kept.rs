//! Counters that outlast their process: they are written to a state, and the next process begins with them.
//!
//! Rules:
//! 1. the counters in memory decide, and no request waits for what is kept;
//! 2. what has changed is written once a second, and when the server stops: who kills it makes it forget a second;
//! 3. kept is what still says something in a minute: the counters of long windows, and not those of every request;
//! 4. their times are those of the day, so windows begin where they did before. The clock that is counted by goes on from the
//!    time of day at which the server was built, and is not set;
//! 5. their keys are hashes under a secret that lies in the state: an identity is not there as text.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use siphasher::sip::SipHasher13;
use tokio::sync::Mutex;

use super::SECOND;
use super::key::Keyer;
use super::log::{self, Units};
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
/// What one that keeps a log takes at most: its key, how many units there are, and when each ends.
const BYTES_OF_LOG: usize = 8 + 8 + 8 * log::MOST;
/// As many of those fit a record.
pub(super) const MOST_LOGS: usize = LONGEST / BYTES_OF_LOG;
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
            let records = join_all((0..of.shards()).map(|shard| state.get(of.key(shard)))).await;
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
        for (shard, record) in std::mem::take(&mut self.found).into_iter().enumerate() {
            let Some(Record { value, .. }) = record else { continue };
            if shard < SHARDS {
                value.as_chunks().0.iter().for_each(|bytes| table.restore(read(bytes)));
            } else {
                read_logs(&value).for_each(|(key, units)| table.restore_log(key, units));
            }
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
        let (value, last) = kept_of(table, number, now);
        let print = print(&value);
        if shard.print == Some(print) {
            return Ok(());
        }
        let expected = shard.version.map_or(Expected::Nothing, Expected::Version);
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

/// Rule 3: what is kept of a shard, and when the last of it is over.
fn kept_of(table: &Table, shard: usize, now: u64) -> (Vec<u8>, Option<u64>) {
    let worth = now.saturating_add(WORTH);
    if shard < SHARDS {
        let counters = table.counters(shard, worth);
        let last = counters.iter().map(|counter| counter.state.fresh_at).max();
        return (counters.iter().flat_map(bytes).collect(), last);
    }
    let logs = table.logs(shard, worth);
    let last = logs.iter().filter_map(|(_, units)| units.last().copied()).max();
    (logs.iter().flat_map(|(key, units)| bytes_of_log(*key, units)).collect(), last)
}

impl Of {
    /// Of attempts none keeps a log.
    const fn shards(self) -> usize {
        match self {
            Self::Document => SHARDS * 2,
            Self::Attempts | Self::AttemptsOfKnown => SHARDS,
        }
    }

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

/// Its units without those that were never used. Those that have ended stay: what does not change is not written again.
fn bytes_of_log(key: u64, units: &Units) -> Vec<u8> {
    let used = units.iter().filter(|unit| **unit > 0);
    let count = used.clone().count() as u64;
    [key, count].iter().chain(used).flat_map(|number| number.to_le_bytes()).collect()
}

fn read_logs(bytes: &[u8]) -> impl Iterator<Item = (u64, Units)> {
    let mut numbers = bytes.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number));
    std::iter::from_fn(move || {
        let (key, count) = (numbers.next()?, usize::try_from(numbers.next()?).ok()?);
        let mut units = [0; log::MOST];
        let (_, used) = units.split_at_mut_checked(log::MOST.checked_sub(count)?)?;
        for unit in used {
            *unit = numbers.next()?;
        }
        units.sort_unstable(); // as they were, unless somebody else has written them
        Some((key, units))
    })
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
