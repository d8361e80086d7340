//! What becomes of a call, decided by what is kept under its key. [`decide`] is one pure function. Rules:
//!
//! 1. nothing is kept: the call is the first, and claims the key;
//! 2. what is kept is of another call: 422, however far that one came. The fingerprints are compared in constant time;
//! 3. the first call runs: 409, try again later. It runs until its lease ends: the time it may take, and what clocks may
//!    differ by;
//! 4. the first call is done: its answer, again;
//! 5. its answer was more than is kept: 409. It is done, and is not done again;
//! 6. nobody knows what became of it, because its lease ended without an answer (its process did), or it panicked or took
//!    too long: *unknown*. That is not free: the effect may be there. Where the document says that the handler may run again
//!    (`rerun: safe`), the call claims the key anew, by the version it saw; else it is for whoever may know to say.

use subtle::ConstantTimeEq;

use super::kept::{Kept, take};
use crate::operation::Rerun;
use crate::state::Expected;

/// What two calls have in common that ask for the same.
pub(crate) type Print = [u8; 32];
/// Who claimed a key: drawn for each call.
pub(super) type Owner = [u8; 16];

/// What is kept under a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) print: Print,
    pub(super) stage: Stage,
}

/// How far a call came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its handler may run, until this second since 1970.
    Running { owner: Owner, until: u64 },
    /// Nobody knows.
    Unknown,
    /// It was answered.
    Done(Kept),
    /// It was answered, with more than is kept.
    Unkept,
}

/// What becomes of the call that came now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It may run, if nobody changes what was seen.
    Claim(Expected),
    /// It gets this.
    Replay(Kept),
    /// 422
    OtherCall,
    /// 409, and later again.
    Running,
    /// 409
    Unkept,
    /// Of this version.
    Unknown(u64),
}

/// Decides. `found` is what is kept, with its version.
pub(super) fn decide(found: Option<(Entry, u64)>, print: &Print, now: u64, rerun: Rerun) -> Decision {
    let Some((entry, version)) = found else { return Decision::Claim(Expected::Nothing) }; // 1
    if !bool::from(entry.print.ct_eq(print)) {
        return Decision::OtherCall; // 2
    }
    match (entry.stage, rerun) {
        (Stage::Running { until, .. }, _) if now < until => Decision::Running, // 3
        (Stage::Done(kept), _) => Decision::Replay(kept),                      // 4
        (Stage::Unkept, _) => Decision::Unkept,                                // 5
        (Stage::Running { .. } | Stage::Unknown, Rerun::Safe) => Decision::Claim(Expected::Version(version)), // 6
        (Stage::Running { .. } | Stage::Unknown, Rerun::Never) => Decision::Unknown(version), // 6
    }
}

impl Entry {
    /// `fingerprint 32 | stage 1 | what the stage has`
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(&self.print);
        match &self.stage {
            Stage::Running { owner, until } => {
                out.push(1);
                out.extend_from_slice(owner);
                out.extend_from_slice(&until.to_be_bytes());
            }
            Stage::Unknown => out.push(2),
            Stage::Done(kept) => {
                out.push(3);
                kept.write(&mut out);
            }
            Stage::Unkept => out.push(4),
        }
        out
    }

    /// `None`: nobody wrote this.
    pub(super) fn read(mut from: &[u8]) -> Option<Self> {
        let print = take(&mut from)?;
        let [stage] = take(&mut from)?;
        let stage = match stage {
            1 => {
                let owner = take(&mut from)?;
                let until = u64::from_be_bytes(take(&mut from)?);
                from.is_empty().then_some(Stage::Running { owner, until })?
            }
            2 => from.is_empty().then_some(Stage::Unknown)?,
            3 => Stage::Done(Kept::read(from)?),
            4 => from.is_empty().then_some(Stage::Unkept)?,
            _ => return None,
        };
        Some(Self { print, stage })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::Response;

    use super::*;

    const PRINT: Print = [7; 32];
    const NOW: u64 = 1_800_000_000;

    fn running(until: u64) -> Stage {
        Stage::Running { owner: [1; 16], until }
    }

    fn decided(stage: Stage, rerun: Rerun) -> Decision {
        decide(Some((Entry { print: PRINT, stage }, 5)), &PRINT, NOW, rerun)
    }

    async fn kept() -> Kept {
        Kept::of(Response::new(Body::from("{}"))).await.unwrap().0
    }

    #[tokio::test]
    async fn each_stage_decides() {
        let kept = kept().await;
        assert_eq!(decide(None, &PRINT, NOW, Rerun::Never), Decision::Claim(Expected::Nothing));
        for rerun in [Rerun::Never, Rerun::Safe] {
            assert_eq!(decided(running(NOW + 1), rerun), Decision::Running);
            assert_eq!(decided(Stage::Done(kept.clone()), rerun), Decision::Replay(kept.clone()));
            assert_eq!(decided(Stage::Unkept, rerun), Decision::Unkept);
        }
        for unknown in [|| running(NOW), || running(0), || Stage::Unknown] {
            assert_eq!(decided(unknown(), Rerun::Never), Decision::Unknown(5));
            assert_eq!(decided(unknown(), Rerun::Safe), Decision::Claim(Expected::Version(5)));
        }
    }

    #[tokio::test]
    async fn another_call_under_the_key_gets_nothing_of_the_first() {
        for stage in [running(NOW + 1), running(0), Stage::Unknown, Stage::Done(kept().await), Stage::Unkept]
        {
            let found = Some((Entry { print: PRINT, stage }, 5));
            assert_eq!(decide(found, &[8; 32], NOW, Rerun::Safe), Decision::OtherCall);
        }
    }

    #[tokio::test]
    async fn every_stage_is_read_as_it_was_written() {
        for stage in [running(9), Stage::Unknown, Stage::Done(kept().await), Stage::Unkept] {
            let entry = Entry { print: PRINT, stage };
            let bytes = entry.to_bytes();
            assert_eq!(Entry::read(&bytes).as_ref(), Some(&entry));
            for length in 0..37.min(bytes.len()) {
                assert_eq!(Entry::read(&bytes[..length]), None, "{length}");
            }
        }
        assert_eq!(Entry::read(&[[7; 33].as_slice(), &[0]].concat()), None);
    }
}
