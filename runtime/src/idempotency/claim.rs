//! A call that may be sent again: claiming its key, and keeping what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use axum::response::Response;
use http::HeaderMap;
use tokio::time::Instant;

use super::abandoned::{Abandoned, Mark};
use super::decide::{Decision, Entry, Found, Owner, Print, Stage, decide};
use super::kept::Kept;
use super::key::ClientKey;
use super::ledger::{self, Line};
use super::{KeptAnswers, Recovered, Refusal, Unsettled};
use crate::answer::Accept;
use crate::authn::Principal;
use crate::authz::Authorized;
use crate::clock::Clock;
use crate::operation::{Idempotency, Policy, Rerun};
use crate::problem::{Problem, Rejection};
use crate::sealing::OVERHEAD;
use crate::state::{Expected, Key, Kind, LONGEST, Next, Record, StateError, Swapped};

/// How often a claim is tried when others claim or release the key at the same time.
const ATTEMPTS: usize = 4;

/// A call under a key, once everything else has let it pass.
pub(crate) struct Call {
    answers: KeptAnswers,
    rule: &'static Idempotency,
    operation: &'static str,
    key: Key,
    print: Print,
    client: ClientKey,
    principal: Principal,
    /// The `Accept` lines of the request: what its answer is written by.
    accept: HeaderMap,
    clock: Clock,
    deadline: Instant,
}

/// What became of a claim.
pub(crate) enum Claimed {
    /// The key is this call's: its handler runs.
    Mine(Arc<Claim>),
    /// The call was answered before, with this.
    Replay(Kept),
}

/// A key that is claimed.
pub(crate) struct Claim {
    call: Call,
    /// The fencing token.
    version: u64,
    /// Whether nothing was kept under the key before.
    first: bool,
    written: AtomicBool,
    repeated: AtomicBool,
    /// Of what was put under the key since, in bytes.
    length: AtomicUsize,
}

impl Call {
    /// Everybody whose credential counted is in what it is kept under: with another partner beside them it is another call.
    /// `None` for nobody in particular, whom the document of an idempotent operation does not let in.
    pub(crate) fn new(
        answers: KeptAnswers,
        policy: &'static Policy,
        authorized: &Authorized,
        client: ClientKey,
        print: Print,
        (clock, deadline): (Clock, Instant),
    ) -> Option<Self> {
        let (rule, principal) = (policy.idempotency.as_ref()?, authorized.principal()?.clone());
        let mut parts = vec![policy.id.as_bytes(), client.as_str().as_bytes()];
        for principal in authorized.principals() {
            parts.extend([principal.issuer().as_bytes(), principal.subject().as_bytes()]);
        }
        let key = Key::new(Kind::Answer, &parts);
        let (operation, accept) = (policy.id, HeaderMap::new());
        Some(Self { answers, rule, operation, key, print, client, principal, accept, clock, deadline })
    }

    /// With the `Accept` lines of its request.
    pub(crate) fn accepting(mut self, accept: Accept<'_>) -> Self {
        self.accept = accept.lines();
        self
    }

    /// Claims the key, or finds out why not, within the deadline of the operation. Rules 1 and 2 of the module.
    pub(crate) async fn claim(self) -> Result<Claimed, Refusal> {
        let owner = owner()?;
        let (deadline, late) = (self.deadline, self.abandoned(Mark::Owner(owner)));
        let claimed = tokio::time::timeout_at(deadline, self.claim_as(owner)).await;
        claimed.unwrap_or_else(|_| {
            tokio::spawn(late.settle()); // not in the way of the answer
            Err(Refusal::State(StateError::Late))
        })
    }

    async fn claim_as(self, owner: Owner) -> Result<Claimed, Refusal> {
        let mut expected = Expected::Nothing;
        for _ in 0..ATTEMPTS {
            let stage = Stage::Running { owner, beyond: self.rule.ttl.as_secs() };
            let found = match self.put(expected, stage, self.lease().saturating_add(self.rule.ttl)).await {
                Ok(Swapped::Made(version)) => {
                    return self.begin(version, expected == Expected::Nothing).await;
                }
                Ok(Swapped::Not(found)) => found,
                Err(refusal) => {
                    if matches!(&refusal, Refusal::State(error) if error.may_be_done()) {
                        self.abandoned(Mark::Owner(owner)).settle().await;
                    }
                    return Err(refusal);
                }
            };
            let found = found.map(|record| self.found(&record)).transpose()?;
            expected = match decide(found, &self.print, self.rule.rerun) {
                Decision::Claim(expected) => expected,
                Decision::Replay(kept) => return Ok(Claimed::Replay(kept)),
                Decision::OtherCall => return Err(Refusal::OtherCall),
                Decision::Running => return Err(Refusal::Running),
                Decision::Unkept => return Err(Refusal::Unkept),
                Decision::Unknown(version) => match self.recover(version).await? {
                    Some(kept) => return Ok(Claimed::Replay(kept)),
                    None => Expected::Version(version),
                },
            };
        }
        Err(Refusal::Running)
    }

    /// The key is claimed; what the application committed says whether that is for the first time.
    async fn begin(self, version: u64, first: bool) -> Result<Claimed, Refusal> {
        let (written, repeated) = (AtomicBool::new(false), AtomicBool::new(false));
        let claim = Claim { call: self, version, first, written, repeated, length: AtomicUsize::new(0) };
        match claim.call.committed().await {
            Ok(None) => Ok(Claimed::Mine(Arc::new(claim))),
            Ok(Some(kept)) => {
                _ = claim.record(Stage::Done(kept.clone())).await;
                Ok(Claimed::Replay(kept))
            }
            Err(refusal) => {
                claim.release().await;
                Err(refusal)
            }
        }
    }

    /// Nobody knows: the ledger is asked, then the application. An answer: it was done. `None`: it was not.
    async fn recover(&self, version: u64) -> Result<Option<Kept>, Refusal> {
        if let Some(kept) = self.committed().await? {
            // whoever asks next finds it as well, here or there
            _ = self.put(Expected::Version(version), Stage::Done(kept.clone()), self.rule.ttl).await;
            return Ok(Some(kept));
        }
        let Some(ask) = &self.answers.recover else { return Err(Refusal::Unknown) };
        let call = Unsettled {
            operation: self.operation,
            issuer: self.principal.issuer().to_owned(),
            subject: self.principal.subject().to_owned(),
            key: self.client.as_str().to_owned(),
        };
        let asked = tokio::time::timeout_at(self.deadline, ask(call)).await;
        match asked.map_err(|_| Refusal::Recovery(Problem::unavailable()))?.map_err(Refusal::Recovery)? {
            Recovered::NotDone => Ok(None),
            Recovered::Unknown => Err(Refusal::Unknown),
        }
    }

    /// What the application committed of it.
    async fn committed(&self) -> Result<Option<Kept>, Refusal> {
        let Some(ledger) = &self.answers.ledger else { return Ok(None) };
        let now = self.clock.now()?.unix();
        let Some(value) = ledger::find(ledger.as_ref(), *self.key.as_bytes(), now).await? else {
            return Ok(None);
        };
        let line = Found { entry: self.open(&value)?, version: 0, left: Duration::ZERO };
        match decide(Some(line), &self.print, Rerun::Never) {
            Decision::Replay(kept) => Ok(Some(kept)),
            Decision::Unkept => Err(Refusal::Unkept),
            Decision::OtherCall => Err(Refusal::OtherCall),
            _ => Err(Refusal::Unreadable("a line of the ledger is of no call that was done")),
        }
    }

    fn abandoned(&self, by: Mark) -> Abandoned {
        Abandoned { answers: self.answers.clone(), key: self.key, by }
    }

    /// The time until the deadline, and the margin.
    fn lease(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).saturating_add(self.answers.margin)
    }

    async fn put(&self, expected: Expected, stage: Stage, keep: Duration) -> Result<Swapped, Refusal> {
        let value = self.sealed(stage)?;
        Ok(self.answers.state.swap(self.key, expected, Next::Record { value, keep }).await?)
    }

    fn sealed(&self, stage: Stage) -> Result<Vec<u8>, Refusal> {
        let bytes = Entry { print: self.print, stage }.to_bytes();
        Ok(self.answers.keys.seal(&self.key, bytes)?)
    }

    fn found(&self, record: &Record) -> Result<Found, Refusal> {
        Ok(Found { entry: self.open(&record.value)?, version: record.version, left: record.left })
    }

    fn open(&self, value: &[u8]) -> Result<Entry, Refusal> {
        let plain = self.answers.keys.open(&self.key, value)?;
        Entry::read(&plain).ok_or(Refusal::Unreadable("the record is of no version that is known"))
    }
}

impl Claim {
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

    pub(crate) fn accept(&self) -> Accept<'_> {
        Accept::of(&self.call.accept)
    }

    /// Keeps the answer, and says what is sent. Rules 3 and 4 of the module.
    ///
    /// # Errors
    /// When its body cannot be read: then nobody knows. And when it is not kept, and another run may make another.
    pub(crate) async fn keep(&self, answer: Response) -> Result<Response, Rejection> {
        let (kept, first) = match Kept::of(answer).await {
            Ok(kept) => kept,
            Err(error) => {
                self.forget_outcome().await;
                return Err(Rejection::Handler(Problem::internal(error)));
            }
        };
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
            && let Ok(Some(kept)) = self.call.committed().await
        {
            return Ok(kept.again());
        }
        other.map(Kept::again).map_err(Rejection::Idempotency)
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
        let committed = self.call.committed().await?;
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

    /// Whether the handler wrote the call into a transaction of its own.
    pub(crate) fn is_written(&self) -> bool {
        self.written.load(Ordering::SeqCst)
    }

    /// Whether it found there that another run had.
    pub(crate) fn is_repeated(&self) -> bool {
        self.repeated.load(Ordering::SeqCst)
    }

    /// The line of the ledger that says this call was done, with this answer.
    pub(super) async fn line(&self, answer: Response) -> Result<Line, Refusal> {
        let (kept, _) = Kept::of(answer).await.map_err(|_| Refusal::Unreadable("the answer"))?;
        let now = self.call.clock.now()?.unix();
        Ok(Line {
            key: *self.call.key.as_bytes(),
            value: self.call.sealed(bounded(kept))?,
            ends: now.saturating_add(self.call.rule.ttl.as_secs()),
            now,
        })
    }

    pub(super) const fn has_ledger(&self) -> bool {
        self.call.answers.ledger.is_some()
    }

    pub(super) fn wrote(&self) {
        self.written.store(true, Ordering::SeqCst);
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

fn owner() -> Result<Owner, Refusal> {
    let mut owner = [0; 16];
    SystemRandom::new().fill(&mut owner).map_err(|_| Refusal::Unreadable("no random bytes"))?;
    Ok(owner)
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
