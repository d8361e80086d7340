//! How much an engine holds, in records and in bytes.
//!
//! 1. Each record counts with its value and what an engine needs beside it.
//! 2. A new one is refused when there are as many as there may be, or when it leaves less than an eighth of the bytes: what is
//!    there may grow into that. A call that has a claim gets its answer.
//! 3. What takes no more room than it had is never refused.
//! 4. Of records that any request may make, new ones leave a quarter of both to the others ([`Key::gives_way`]).

use super::Key;

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
        match key.gives_way() {
            true => Self { records: self.records - self.records / 4, new: self.new - self.new / 4, ..self },
            false => self,
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
    fn what_any_request_makes_leaves_room_to_the_others() {
        use crate::state::Kind;
        let room = Room { records: 8, bytes: 8_000, new: 7_000 };
        let takes = |kind, held| room.of_key(Key::new(kind, &[b"a"])).takes(held, None, 1);
        for kind in [Kind::Answer, Kind::Proof] {
            assert!(
                takes(kind, held(5, 5_000)) && !takes(kind, held(6, 5_000)) && !takes(kind, held(5, 5_250))
            );
        }
        for kind in
            [Kind::Revocation, Kind::Family, Kind::Session, Kind::ApiKey, Kind::Limit, Kind::Application]
        {
            assert!(
                takes(kind, held(7, 6_500)) && !takes(kind, held(8, 6_500)) && !takes(kind, held(7, 7_000))
            );
        }
    }

    #[test]
    fn what_takes_no_more_than_it_had_is_taken() {
        let over = held(3, 9_000);
        assert!(ROOM.takes(over, Some(500), 500) && ROOM.takes(over, Some(500), 0));
        assert!(!ROOM.takes(over, Some(500), 501));
    }
}
