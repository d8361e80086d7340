//! What stands in the file: plain bytes, so that no other version of the library reads them otherwise.
//!
//! - `records`: key (32) -> version (8), end (8), value;
//! - `ends`: end (8), key (32) -> nothing, in the order in which records end;
//! - `facts`: the format, the last version, the latest time of a change, and what the records cost (8 each).
//!
//! Numbers are big-endian; times are milliseconds since 1970.

use std::time::Duration;

use redb::{
    Database, ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction,
};

use super::time::{Millis, Time};
use super::{failed, rounded_up};
use crate::state::room::{Held, Room, cost};
use crate::state::{Expected, Key, Next, Record, StateError, Swapped};

type Bytes = &'static [u8];
/// Of a key, which is all that is written of it.
type Digest = [u8; 32];
type Definition = TableDefinition<'static, Bytes, Bytes>;

const RECORDS: Definition = TableDefinition::new("records");
const ENDS: Definition = TableDefinition::new("ends");
const FACTS: Definition = TableDefinition::new("facts");

const FORMAT: &[u8] = b"format";
const VERSIONS: &[u8] = b"versions";
const LATEST: &[u8] = b"latest";
const COST: &[u8] = b"cost";
const THIS_FORMAT: u64 = 1;

/// Version and end stand before a value.
const BEFORE_VALUE: usize = 16;
/// What has ended and makes room for one record, at most.
const SWEPT_FOR_ONE: usize = 32;

/// Makes the tables of a new file, and refuses one that another format wrote. What the records of a file cost is counted once,
/// where a build wrote it that did not.
pub(super) fn prepare(file: &Database) -> Result<(), StateError> {
    let writing = file.begin_write().map_err(failed)?;
    {
        let mut tables = Tables::open(&writing)?;
        match fact(&tables.facts, FORMAT)? {
            Some(THIS_FORMAT) => {}
            None => tables.state(FORMAT, THIS_FORMAT)?,
            Some(other) => return Err(failed(format!("the file has format {other}, not {THIS_FORMAT}"))),
        }
        if fact(&tables.facts, COST)?.is_none() {
            let all = tables.cost()?;
            tables.state(COST, all)?;
        }
    }
    writing.commit().map_err(failed)
}

/// The record under `key` that has not ended.
pub(super) fn read(seen: &ReadTransaction, key: Key, time: &Time) -> Result<Option<Record>, StateError> {
    let facts = seen.open_table(FACTS).map_err(failed)?;
    let now = time.now(fact(&facts, LATEST)?)?;
    let records = seen.open_table(RECORDS).map_err(failed)?;
    Ok(find(&records, key)?.filter(|found| found.end > now).map(|found| found.shown(now)))
}

/// Whether the first record to end has ended.
pub(super) fn has_ended(seen: &ReadTransaction, time: &Time) -> Result<bool, StateError> {
    let facts = seen.open_table(FACTS).map_err(failed)?;
    let now = time.now(fact(&facts, LATEST)?)?;
    let ends = seen.open_table(ENDS).map_err(failed)?;
    Ok(first_end(&ends)?.is_some_and(|(end, _)| end <= now))
}

/// A record with its end.
struct Found {
    value: Vec<u8>,
    version: u64,
    end: Millis,
}

impl Found {
    fn shown(self, now: Millis) -> Record {
        let left = Duration::from_millis(self.end.saturating_sub(now));
        Record { value: self.value, version: self.version, left }
    }
}

/// The tables, while they are written.
pub(super) struct Tables<'a> {
    records: Table<'a, Bytes, Bytes>,
    ends: Table<'a, Bytes, Bytes>,
    facts: Table<'a, Bytes, Bytes>,
}

impl<'a> Tables<'a> {
    pub(super) fn open(writing: &'a WriteTransaction) -> Result<Self, StateError> {
        Ok(Self {
            records: writing.open_table(RECORDS).map_err(failed)?,
            ends: writing.open_table(ENDS).map_err(failed)?,
            facts: writing.open_table(FACTS).map_err(failed)?,
        })
    }

    /// The time of the changes that are made, which the file knows from now on.
    pub(super) fn begin(&mut self, time: &Time) -> Result<Millis, StateError> {
        let now = time.now(fact(&self.facts, LATEST)?)?;
        self.state(LATEST, now)?;
        Ok(now)
    }

    /// Makes one change, when what is there is what is expected.
    pub(super) fn swap(
        &mut self,
        (key, expected, next): (Key, Expected, Next),
        now: Millis,
        room: Room,
    ) -> Result<Swapped, StateError> {
        let there = find(&self.records, key)?;
        let (found, over) = match there {
            Some(found) if found.end <= now => (None, Some(found.end)),
            found => (found, None),
        };
        let same = match (expected, &found) {
            (Expected::Nothing, None) => true,
            (Expected::Version(version), Some(found)) => found.version == version,
            _ => false,
        };
        if !same {
            return Ok(Swapped::Not(found.map(|found| found.shown(now))));
        }
        let Next::Record { value, keep } = next else {
            let Some(found) = found else { return Ok(Swapped::Made(0)) };
            self.remove(*key.as_bytes(), found.end)?;
            return Ok(Swapped::Made(found.version));
        };
        if let Some(end) = over {
            self.remove(*key.as_bytes(), end)?;
        }
        let before = found.as_ref().map(|found| found.value.len());
        self.make_room(before, value.len(), now, room.of_key(key))?;
        if let Some(found) = found {
            self.remove(*key.as_bytes(), found.end)?;
        }
        let version =
            fact(&self.facts, VERSIONS)?.unwrap_or_default().checked_add(1).ok_or(StateError::Full)?;
        self.state(VERSIONS, version)?;
        self.insert(key, version, now.saturating_add(rounded_up(keep)), &value)?;
        Ok(Swapped::Made(version))
    }

    /// Removes at most `bound` records that have ended, the first to end first. Says how many.
    pub(super) fn sweep(&mut self, now: Millis, bound: usize) -> Result<usize, StateError> {
        for swept in 0..bound {
            match first_end(&self.ends)? {
                Some((end, key)) if end <= now => self.remove(key, end)?,
                _ => return Ok(swept),
            }
        }
        Ok(bound)
    }

    fn make_room(
        &mut self,
        before: Option<usize>,
        after: usize,
        now: Millis,
        room: Room,
    ) -> Result<(), StateError> {
        if room.takes(self.held()?, before, after) {
            return Ok(());
        }
        self.sweep(now, SWEPT_FOR_ONE)?;
        if room.takes(self.held()?, before, after) { Ok(()) } else { Err(StateError::Full) }
    }

    fn held(&self) -> Result<Held, StateError> {
        let records = usize::try_from(self.records.len().map_err(failed)?).unwrap_or(usize::MAX);
        let bytes = fact(&self.facts, COST)?.ok_or_else(|| failed("the file does not say what it holds"))?;
        Ok(Held { records, bytes })
    }

    /// What all records cost.
    fn cost(&self) -> Result<u64, StateError> {
        let mut all = 0_u64;
        for record in self.records.iter().map_err(failed)? {
            let (_, bytes) = record.map_err(failed)?;
            all = all.saturating_add(cost_of(bytes.value()));
        }
        Ok(all)
    }

    fn insert(&mut self, key: Key, version: u64, end: Millis, value: &[u8]) -> Result<(), StateError> {
        let bytes = [&version.to_be_bytes(), &end.to_be_bytes(), value].concat();
        self.records.insert(key.as_bytes().as_slice(), bytes.as_slice()).map_err(failed)?;
        let nothing: &[u8] = &[];
        self.ends.insert(end_of(*key.as_bytes(), end).as_slice(), nothing).map_err(failed)?;
        self.state(COST, self.held()?.bytes.saturating_add(cost(value.len())))
    }

    fn remove(&mut self, key: Digest, end: Millis) -> Result<(), StateError> {
        let removed = self.records.remove(key.as_slice()).map_err(failed)?;
        let freed = removed.map(|bytes| cost_of(bytes.value()));
        self.ends.remove(end_of(key, end).as_slice()).map_err(failed)?;
        self.state(COST, self.held()?.bytes.saturating_sub(freed.unwrap_or_default()))
    }

    fn state(&mut self, name: &[u8], number: u64) -> Result<(), StateError> {
        self.facts.insert(name, number.to_be_bytes().as_slice()).map_err(failed)?;
        Ok(())
    }
}

/// Of a record as it stands in the file.
fn cost_of(bytes: &[u8]) -> u64 {
    cost(bytes.len().saturating_sub(BEFORE_VALUE))
}

fn end_of(key: Digest, end: Millis) -> Vec<u8> {
    [end.to_be_bytes().as_slice(), &key].concat()
}

fn find(records: &impl ReadableTable<Bytes, Bytes>, key: Key) -> Result<Option<Found>, StateError> {
    let Some(bytes) = records.get(key.as_bytes().as_slice()).map_err(failed)? else { return Ok(None) };
    let (version, rest) = number(bytes.value())?;
    let (end, value) = number(rest)?;
    Ok(Some(Found { value: value.to_vec(), version, end }))
}

fn first_end(ends: &impl ReadableTable<Bytes, Bytes>) -> Result<Option<(Millis, Digest)>, StateError> {
    let Some((first, _)) = ends.first().map_err(failed)? else { return Ok(None) };
    let (end, key) = number(first.value())?;
    Ok(Some((end, key.try_into().map_err(failed)?)))
}

fn fact(facts: &impl ReadableTable<Bytes, Bytes>, name: &[u8]) -> Result<Option<u64>, StateError> {
    let Some(bytes) = facts.get(name).map_err(failed)? else { return Ok(None) };
    Ok(Some(number(bytes.value())?.0))
}

fn number(bytes: &[u8]) -> Result<(u64, &[u8]), StateError> {
    let (number, rest) =
        bytes.split_first_chunk().ok_or_else(|| failed("the file holds what nobody wrote"))?;
    Ok((u64::from_be_bytes(*number), rest))
}
