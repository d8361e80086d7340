//! How much an engine holds, in records and in bytes.
//!
//! 1. Each record counts with its value and what an engine needs beside it.
//! 2. A new one is refused when there are as many as there may be, or when it leaves less than an eighth of the bytes: what is
//!    there may grow into that. A call that has a claim gets its answer.
//! 3. What takes no more room than it had is never refused.
//! 4. Records of calls leave a quarter of both to the others, those of callers an eighth ([`Key::priority`]).

use super::Key;
use crate::operation::Priority;

/// Room that is there for however few records: some of them may be long.
const AT_LEAST: u64 = 16 << 20;
/// What an engine needs for a record beside its value: its key twice, its end and its version.
const BESIDE: u64 = 128;

/// How much there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    records: usize,
    bytes: u64,
    /// Of the bytes, what new records fill (rule 2).
    new: u64,
}

/// How much is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    pub(super) records: usize,
    pub(super) bytes: u64,
}

impl Room {
    /// For so many records, of so many bytes on the average.
    pub(super) const fn of(records: usize, average: u64) -> Self {
        let bytes = average.saturating_mul(records as u64).saturating_add(AT_LEAST);
        Self { records, bytes, new: bytes - bytes / 8 }
    }

    /// What there is for a record under `key` (rule 4).
    pub(super) const fn of_key(self, key: Key) -> Self {
        let part = match key.priority() {
            Priority::Batch => 4,
            Priority::Normal => 8,
            Priority::Critical => return self,
        };
        let left = self.new / part;
        Self {
            records: self.records - self.records / part as usize,
            bytes: self.bytes - left,
            new: self.new - left,
        }
    }

    /// Whether a value of `after` bytes may stand where one of `before` stands, or none.
    pub(super) fn takes(&self, held: Held, before: Option<usize>, after: usize) -> bool {
        let freed = before.map_or(0, cost);
        let bytes = held.bytes.saturating_sub(freed).saturating_add(cost(after));
        match before {
            None => held.records < self.records && bytes <= self.new,
            Some(_) => cost(after) <= freed || bytes <= self.bytes,
        }
    }
}

/// Rule 1.
pub(super) fn cost(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX).saturating_add(BESIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { records: 3, bytes: 8_000, new: 7_000 };

    fn held(records: usize, bytes: u64) -> Held {
        Held { records, bytes }
    }

    #[test]
    fn a_new_record_leaves_room_for_what_is_there() {
        let longest = usize::try_from(7_000 - BESIDE).unwrap();
        assert!(ROOM.takes(held(0, 0), None, longest) && !ROOM.takes(held(0, 0), None, longest + 1));
        assert!(ROOM.takes(held(2, 6_000), None, 800) && !ROOM.takes(held(3, 300), None, 1));
        // which may grow into it
        assert!(ROOM.takes(held(3, 7_000), Some(0), 1_000) && !ROOM.takes(held(3, 7_000), Some(0), 1_001));
    }

    #[test]
    fn calls_leave_room_to_callers_and_both_to_what_must_have_it() {
        use crate::state::Kind;
        let room = Room { records: 8, bytes: 8_000, new: 7_000 };
        let takes =
            |kind, held, before, after| room.of_key(Key::new(kind, &[b"a"])).takes(held, before, after);
        let records = |kind| (0..=8).find(|count| !takes(kind, held(*count, 0), None, 1)).unwrap();
        let bytes = |kind| (0..).find(|bytes| !takes(kind, held(0, *bytes), None, 0)).unwrap() + BESIDE - 1;
        // what is there grows into an eighth of its own
        let grown = |kind| (0..).find(|more| !takes(kind, held(1, BESIDE), Some(0), *more)).unwrap() - 1;
        let most = |kind| (records(kind), bytes(kind), grown(kind) as u64 + BESIDE);
        for kind in [Kind::Answer, Kind::Login] {
            assert_eq!(most(kind), (6, 5_250, 6_250), "{kind:?}");
        }
        for kind in [Kind::Proof, Kind::Session, Kind::Family] {
            assert_eq!(most(kind), (7, 6_125, 7_125), "{kind:?}");
        }
        for kind in [Kind::Revocation, Kind::ApiKey, Kind::Limit, Kind::Application] {
            assert_eq!(most(kind), (8, 7_000, 8_000), "{kind:?}");
        }
    }

    #[test]
    fn what_takes_no_more_than_it_had_is_taken() {
        let over = held(3, 9_000);
        assert!(ROOM.takes(over, Some(500), 500) && ROOM.takes(over, Some(500), 0));
        assert!(!ROOM.takes(over, Some(500), 501));
    }
}
