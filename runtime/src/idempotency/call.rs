//! A call that may be sent again: claiming its key.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::abandoned::{Abandoned, Mark};
use super::asked::Asks;
use super::claim::Claim;
use super::decide::{Decision, Entry, Found, Owner, Print, Stage, decide};
use super::kept::Kept;
use super::key::ClientKey;
use super::{KeptAnswers, Recovered, Refusal, Unsettled, name};
use crate::answer::Accept;
use crate::authn::Principal;
use crate::authz::Authorized;
use crate::operation::{Idempotency, Policy, Rerun};
use crate::problem::Problem;
use crate::state::{Expected, Key, Next, Record, StateError, Swapped};

/// How often a claim is tried when others claim or release the key at the same time.
const ATTEMPTS: usize = 4;

/// A call under a key, once everything else has let it pass.
pub(crate) struct Call {
    pub(super) answers: KeptAnswers,
    pub(super) rule: &'static Idempotency,
    pub(super) operation: &'static str,
    pub(super) key: Key,
    pub(super) print: Print,
    client: ClientKey,
    principal: Principal,
    /// The tenant that the handler would be told.
    tenant: Option<String>,
    /// The `Accept` lines of the request: what its answer is written by.
    pub(super) accept: HeaderMap,
    timeout: Duration,
    pub(super) deadline: Instant,
}

/// What became of a claim.
pub(crate) enum Claimed {
    /// The key is this call's: its handler runs.
    Mine(Arc<Claim>),
    /// The call was answered before, with this.
    Replay(Kept),
}

impl Call {
    /// `None` for nobody in particular, whom the document of an idempotent operation does not let in.
    pub(crate) fn new(
        answers: KeptAnswers,
        policy: &'static Policy,
        authorized: &Authorized,
        client: ClientKey,
        print: Print,
        deadline: Instant,
    ) -> Option<Self> {
        let (rule, principal) = (policy.idempotency.as_ref()?, authorized.principal()?.clone());
        let key = name::of(policy.id, client.as_str(), &authorized.identities());
        let tenant = authorized.tenant().map(str::to_owned);
        let (operation, timeout, accept) = (policy.id, policy.timeout, HeaderMap::new());
        Some(Self {
            answers,
            rule,
            operation,
            key,
            print,
            client,
            principal,
            tenant,
            accept,
            timeout,
            deadline,
        })
    }

    /// With the `Accept` lines of its request.
    pub(crate) fn accepting(mut self, accept: Accept<'_>) -> Self {
        self.accept = accept.lines();
        self
    }

    /// Until when it is to be answered.
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
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
        let claim = Claim::new(self, version, first);
        match claim.recall_as(Asks::BeforeTheHandler).await {
            Ok(None) => Ok(Claimed::Mine(Arc::new(claim))),
            Ok(Some(kept)) => Ok(Claimed::Replay(kept)),
            Err(refusal) => {
                claim.give_up().await;
                Err(refusal)
            }
        }
    }

    /// Nobody knows: the ledger is asked, then the application. An answer: it was done. `None`: it was not.
    async fn recover(&self, version: u64) -> Result<Option<Kept>, Refusal> {
        if let Some(kept) = self.committed(Asks::BeforeTheHandler).await? {
            // whoever asks next finds it as well, here or there
            _ = self.put(Expected::Version(version), Stage::Done(kept.clone()), self.rule.ttl).await;
            return Ok(Some(kept));
        }
        let Some(ask) = &self.answers.recover else { return Err(Refusal::Unknown) };
        let call = Unsettled {
            operation: self.operation,
            issuer: self.principal.issuer().to_owned(),
            subject: self.principal.subject().to_owned(),
            tenant: self.tenant.clone(),
            key: self.client.as_str().to_owned(),
        };
        let asked = tokio::time::timeout_at(self.deadline, ask(call)).await;
        match asked.map_err(|_| Refusal::Recovery(Problem::unavailable()))?.map_err(Refusal::Recovery)? {
            Recovered::NotDone => Ok(None),
            Recovered::Unknown => Err(Refusal::Unknown),
        }
    }

    /// What the application committed of it.
    pub(super) async fn committed(&self, when: Asks) -> Result<Option<Kept>, Refusal> {
        let Some(ledger) = &self.answers.ledger else { return Ok(None) };
        let Some(value) = ledger.find(*self.key.as_bytes(), when).await? else {
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

    pub(super) fn abandoned(&self, by: Mark) -> Abandoned {
        Abandoned { answers: self.answers.clone(), key: self.key, by }
    }

    /// The time until the deadline, and the margin.
    fn lease(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).saturating_add(self.answers.margin)
    }

    /// For how long a line of this call is needed. While its record in the state says that nobody knows, another run may begin,
    /// and asks the ledger within its own time.
    pub(super) fn entered_for(&self) -> Duration {
        self.lease().saturating_add(self.rule.ttl).saturating_add(self.timeout)
    }

    async fn put(&self, expected: Expected, stage: Stage, keep: Duration) -> Result<Swapped, Refusal> {
        let value = self.sealed(stage)?;
        Ok(self.answers.state.swap(self.key, expected, Next::Record { value, keep }).await?)
    }

    pub(super) fn sealed(&self, stage: Stage) -> Result<Vec<u8>, Refusal> {
        let bytes = Entry { print: self.print, stage }.to_bytes();
        Ok(self.answers.keys.seal(&self.key, bytes)?)
    }

    pub(super) fn found(&self, record: &Record) -> Result<Found, Refusal> {
        Ok(Found { entry: self.open(&record.value)?, version: record.version, left: record.left })
    }

    fn open(&self, value: &[u8]) -> Result<Entry, Refusal> {
        let plain = self.answers.keys.open(&self.key, value)?;
        Entry::read(&plain).ok_or(Refusal::Unreadable("the record is of no version that is known"))
    }
}

fn owner() -> Result<Owner, Refusal> {
    let mut owner = [0; 16];
    crate::random::fill(&mut owner).map_err(|_| Refusal::Unreadable("no random bytes"))?;
    Ok(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two claims of one owner would be taken for each other.
    #[test]
    fn no_claim_has_an_owner_without_random_bytes() {
        let _failing = crate::random::failing::begin();
        assert!(matches!(owner(), Err(Refusal::Unreadable("no random bytes"))));
    }
}
