//! A key that is claimed: keeping what became of its call.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::response::Response;
use tokio::time::Instant;

use super::Refusal;
use super::abandoned::Mark;
use super::asked::Asks;
use super::call::Call;
use super::decide::{Decision, Entry, Stage, decide};
use super::kept::Kept;
use super::ledger::{LedgerError, Line};
use crate::answer::Accept;
use crate::breaker::Leave;
use crate::operation::Rerun;
use crate::problem::Rejection;
use crate::sealing::OVERHEAD;
use crate::state::{Expected, LONGEST, Next, Record, StateError, Swapped};

/// A key that is claimed.
pub(crate) struct Claim {
    call: Call,
    /// The fencing token.
    version: u64,
    /// Whether nothing was kept under the key before.
    first: bool,
    /// What the handler wrote into a transaction of its own, as a digest.
    written: Mutex<Option<[u8; 32]>>,
    repeated: AtomicBool,
    /// Of what was put under the key since, in bytes.
    length: AtomicUsize,
}

impl Claim {
    pub(super) fn new(call: Call, version: u64, first: bool) -> Self {
        let (written, repeated) = (Mutex::new(None), AtomicBool::new(false));
        Self { call, version, first, written, repeated, length: AtomicUsize::new(0) }
    }

    pub(crate) const fn is_first(&self) -> bool {
        self.first
    }

    /// How many bytes are kept of what became of it, as far as is known.
    pub(crate) fn length(&self) -> usize {
        self.length.load(Ordering::SeqCst)
    }

    pub(crate) const fn deadline(&self) -> Instant {
        self.call.deadline
    }

    /// The leave for its handler to begin: of a ledger that takes no lines, nobody would learn what came of it.
    pub(crate) fn begins(&self) -> Result<Option<Leave<'_>>, Refusal> {
        let ledger = self.call.answers.ledger.as_ref();
        let begins = ledger.map(|ledger| ledger.begins()).transpose();
        begins.map_err(|left_alone| LedgerError::from(left_alone).into())
    }

    pub(crate) fn accept(&self) -> Accept<'_> {
        Accept::of(&self.call.accept)
    }

    /// Keeps the answer, and says what is sent: the `first` time. Rules 3 and 4 of the module.
    ///
    /// # Errors
    /// When it is not kept, and another run may make another.
    pub(crate) async fn keep(&self, kept: Kept, first: Response) -> Result<Response, Rejection> {
        match self.enter(&kept).await {
            Ok(None) => {}
            Ok(Some(other)) => return Ok(other.again()),
            Err(refusal) => {
                self.forget_outcome().await;
                return Err(Rejection::Idempotency(refusal));
            }
        }
        let recorded = self.record(bounded(kept)).await;
        let other = match recorded {
            Ok(Swapped::Made(_)) => return Ok(first),
            Ok(Swapped::Not(Some(found))) => self.overtaken(&found),
            // no other answer comes after this one
            _ if self.call.rule.rerun == Rerun::Never => return Ok(first),
            Ok(Swapped::Not(None)) => Err(Refusal::Running),
            Err(refusal) => Err(refusal),
        };
        if self.is_written()
            && let Ok(Some(kept)) = self.call.committed(Asks::AfterIt).await
        {
            return Ok(kept.again());
        }
        other.map(Kept::again).map_err(Rejection::Idempotency)
    }

    /// Writes the answer into the ledger, where the handler did not. Another one: that of the run which was committed first.
    async fn enter(&self, kept: &Kept) -> Result<Option<Kept>, Refusal> {
        let Some(ledger) = &self.call.answers.ledger else { return Ok(None) };
        if self.is_written() {
            ledger.was_told();
            return Ok(None);
        }
        match ledger.insert(self.line(kept.clone())?).await {
            Ok(()) => {
                self.wrote(kept);
                Ok(None)
            }
            Err(LedgerError::Repeated) => Ok(Some(self.recall().await?.ok_or(Refusal::Unknown)?)),
            Err(error) => Err(error.into()),
        }
    }

    /// The answer of the run that claimed the key anew, or that there is none yet.
    fn overtaken(&self, record: &Record) -> Result<Kept, Refusal> {
        match decide(Some(self.call.found(record)?), &self.call.print, Rerun::Never) {
            Decision::Replay(kept) => Ok(kept),
            Decision::OtherCall => Err(Refusal::OtherCall),
            _ => Err(Refusal::Running),
        }
    }

    /// What another run of this call committed, if it did: then this one was done before.
    pub(crate) async fn recall(&self) -> Result<Option<Kept>, Refusal> {
        self.recall_as(Asks::AfterIt).await
    }

    pub(super) async fn recall_as(&self, when: Asks) -> Result<Option<Kept>, Refusal> {
        let committed = self.call.committed(when).await?;
        if let Some(kept) = &committed {
            _ = self.record(Stage::Done(kept.clone())).await;
        }
        Ok(committed)
    }

    /// Whether another run may have been committed while this one was not: it was cut off, and its commit under way. Where the
    /// handler may not run again that can be as well: its state forgot it, or the application said that it was not done.
    pub(crate) fn may_be_overtaken(&self) -> bool {
        self.is_repeated() || (self.has_ledger() && !self.is_written())
    }

    /// Nobody knows what became of it.
    pub(crate) async fn forget_outcome(&self) {
        _ = self.record(Stage::Unknown).await;
    }

    /// The key is free again: the call came to nothing.
    pub(crate) async fn release(&self) {
        let Call { answers, key, .. } = &self.call;
        let released = answers.state.swap(*key, Expected::Version(self.version), Next::Nothing).await;
        if released.as_ref().is_err_and(StateError::may_be_done) {
            self.call.abandoned(Mark::Version(self.version)).settle().await;
        }
        self.tell(&released.map_err(Refusal::from));
    }

    /// The handler did not run: the key is free again, or what is known of a run before it stays.
    pub(crate) async fn give_up(&self) {
        match self.first {
            true => self.release().await,
            false => self.forget_outcome().await,
        }
    }

    /// Whether the handler wrote the call into a transaction of its own.
    pub(crate) fn is_written(&self) -> bool {
        self.written().is_some()
    }

    /// Whether what it wrote there is this answer.
    pub(crate) fn has_written(&self, kept: &Kept) -> bool {
        *self.written() == Some(kept.digest())
    }

    /// It answers otherwise than it wrote: that was not committed, or the ledger has it.
    pub(crate) fn withdraw(&self) {
        *self.written() = None;
    }

    fn written(&self) -> MutexGuard<'_, Option<[u8; 32]>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it found there that another run had.
    pub(crate) fn is_repeated(&self) -> bool {
        self.repeated.load(Ordering::SeqCst)
    }

    /// The line of the ledger that says this call was done, with this answer.
    pub(super) fn line(&self, kept: Kept) -> Result<Line, Refusal> {
        let value = self.call.sealed(bounded(kept))?;
        Ok(Line { key: *self.call.key.as_bytes(), value, keep: self.call.entered_for() })
    }

    pub(super) const fn has_ledger(&self) -> bool {
        self.call.answers.ledger.is_some()
    }

    pub(super) fn wrote(&self, kept: &Kept) {
        *self.written() = Some(kept.digest());
    }

    pub(super) fn repeats(&self) {
        self.repeated.store(true, Ordering::SeqCst);
    }

    /// Once more when nobody said whether it was made: the version makes sure that it is made once.
    async fn record(&self, stage: Stage) -> Result<Swapped, Refusal> {
        let recorded = self.put(stage).await;
        self.tell(&recorded);
        recorded
    }

    async fn put(&self, stage: Stage) -> Result<Swapped, Refusal> {
        let (value, expected) = (self.call.sealed(stage)?, Expected::Version(self.version));
        self.length.store(value.len(), Ordering::SeqCst); // whether or not anybody says that it was made
        let Call { answers, key, rule, .. } = &self.call;
        let next = || Next::Record { value: value.clone(), keep: rule.ttl };
        let recorded = match answers.state.swap(*key, expected, next()).await {
            Err(error) if error.may_be_done() => {
                let again = answers.state.swap(*key, expected, next()).await;
                // the first one was made after all: it is there, under a later version
                again.map(|swapped| match swapped {
                    Swapped::Not(Some(found)) if found.value == value => Swapped::Made(found.version),
                    swapped => swapped,
                })
            }
            recorded => recorded,
        };
        Ok(recorded?)
    }

    /// What went wrong with a record of a call that ran is for the operator, whatever the client gets.
    fn tell(&self, recorded: &Result<Swapped, Refusal>) {
        let operation = self.call.operation;
        match recorded {
            Ok(Swapped::Made(_)) => {}
            Ok(Swapped::Not(_)) => {
                tracing::warn!(target: "palisade::idempotency", operation, "a call ended after its key was claimed anew");
            }
            Err(error) => {
                tracing::error!(target: "palisade::idempotency", operation, %error, "what became of a call could not be kept");
            }
        }
    }
}

/// What is more than a record takes is not kept. The document bounds bodies; nothing bounds what stands beside them.
fn bounded(kept: Kept) -> Stage {
    let entry = Entry { print: [0; 32], stage: Stage::Done(kept) };
    let length = entry.to_bytes().len().saturating_add(OVERHEAD);
    if length <= LONGEST { entry.stage } else { Stage::Unkept }
}
#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn what_is_more_than_a_record_takes_is_done_and_not_kept() {
        let of = async |length: usize| {
            let answer = Response::new(Body::from("a".repeat(length)));
            bounded(Kept::of(answer).await.unwrap().0)
        };
        let beside = Entry { print: [0; 32], stage: of(0).await }.to_bytes().len() + OVERHEAD;
        assert!(matches!(of(LONGEST - beside).await, Stage::Done(_)));
        assert_eq!(of(LONGEST - beside + 1).await, Stage::Unkept);
    }
}
