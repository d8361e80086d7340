//! What becomes of a call, decided by what is kept under its key. [`decide`] is one pure function. Rules:
//!
//! 1. nothing is kept: the call is the first, and claims the key;
//! 2. what is kept is of another call: 422, however far that one came. The fingerprints are compared in constant time;
//! 3. the first call runs: 409, try again later. It runs until its lease ends: the time it may take, and a margin. A lease ends by
//!    the clock by which its record ends, and by no other: how long that is kept yet is what tells. So no instance whose clock
//!    was set ahead takes a call for dead that runs, and one whose clock was set back does not wait for it longer;
//! 4. the first call is done: its answer, again;
//! 5. its answer was more than is kept: 409. It is done, and is not done again;
//! 6. nobody knows what became of it, because its lease ended without an answer (its process did), or it panicked or took
//!    too long: *unknown*. That is not free: the effect may be there. Where the document says that the handler may run again
//!    (`rerun: safe`), the call claims the key anew, by the version it saw; else it is for whoever may know to say.

use std::time::Duration;

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

/// An entry as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) version: u64,
    /// For how long it is still kept.
    pub(super) left: Duration,
}

/// How far a call came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its handler may run, until its record is kept for so many seconds yet.
    Running { owner: Owner, beyond: u64 },
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

/// Decides.
pub(super) fn decide(found: Option<Found>, print: &Print, rerun: Rerun) -> Decision {
    let Some(Found { entry, version, left }) = found else { return Decision::Claim(Expected::Nothing) }; // 1
    if !bool::from(entry.print.ct_eq(print)) {
        return Decision::OtherCall; // 2
    }
    match (entry.stage, rerun) {
        (Stage::Running { beyond, .. }, _) if left > Duration::from_secs(beyond) => Decision::Running, // 3
        (Stage::Done(kept), _) => Decision::Replay(kept),                                              // 4
        (Stage::Unkept, _) => Decision::Unkept,                                                        // 5
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
            Stage::Running { owner, beyond } => {
                out.push(5);
                out.extend_from_slice(owner);
                out.extend_from_slice(&beyond.to_be_bytes());
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
            // 1 was a lease by the clock of an instance
            2 => from.is_empty().then_some(Stage::Unknown)?,
            3 => Stage::Done(Kept::read(from)?),
            4 => from.is_empty().then_some(Stage::Unkept)?,
            5 => {
                let owner = take(&mut from)?;
                let beyond = u64::from_be_bytes(take(&mut from)?);
                from.is_empty().then_some(Stage::Running { owner, beyond })?
            }
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
    const LEFT: Duration = Duration::from_secs(3600);

    fn running(beyond: u64) -> Stage {
        Stage::Running { owner: [1; 16], beyond }
    }

    fn found(stage: Stage) -> Option<Found> {
        Some(Found { entry: Entry { print: PRINT, stage }, version: 5, left: LEFT })
    }

    fn decided(stage: Stage, rerun: Rerun) -> Decision {
        decide(found(stage), &PRINT, rerun)
    }

    async fn kept() -> Kept {
        Kept::of(Response::new(Body::from("{}"))).await.unwrap().0
    }

    #[tokio::test]
    async fn each_stage_decides() {
        let kept = kept().await;
        assert_eq!(decide(None, &PRINT, Rerun::Never), Decision::Claim(Expected::Nothing));
        for rerun in [Rerun::Never, Rerun::Safe] {
            assert_eq!(decided(running(3599), rerun), Decision::Running);
            assert_eq!(decided(Stage::Done(kept.clone()), rerun), Decision::Replay(kept.clone()));
            assert_eq!(decided(Stage::Unkept, rerun), Decision::Unkept);
        }
        for unknown in [|| running(3600), || running(u64::MAX), || Stage::Unknown] {
            assert_eq!(decided(unknown(), Rerun::Never), Decision::Unknown(5));
            assert_eq!(decided(unknown(), Rerun::Safe), Decision::Claim(Expected::Version(5)));
        }
    }

    #[tokio::test]
    async fn another_call_under_the_key_gets_nothing_of_the_first() {
        for stage in [running(0), running(3600), Stage::Unknown, Stage::Done(kept().await), Stage::Unkept] {
            assert_eq!(decide(found(stage), &[8; 32], Rerun::Safe), Decision::OtherCall);
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
        for stage in [0, 1, 6] {
            assert_eq!(Entry::read(&[[7; 32].as_slice(), &[stage], &[7; 24]].concat()), None, "{stage}");
        }
    }
}
