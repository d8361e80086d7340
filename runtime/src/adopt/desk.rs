//! The desk: where the layer leaves a request's visit for the extractor, and finds it again with what became of it.

use std::sync::Arc;

use axum::response::Response;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::Instant;

use crate::gate::{Audited, Gate, Visit, judge};
use crate::operation::Policy;
use crate::problem::{Problem, Rejection};

/// Travels with the request, as an extension of it. It belongs to one request, so its lock is never waited for.
#[derive(Clone)]
pub(super) struct Desk {
    gate: Gate,
    case: Arc<Mutex<Case>>,
    deadline: watch::Sender<Option<Instant>>,
}

/// A request's visit, and how far it came.
pub(super) struct Case {
    pub(super) visit: Visit,
    outcome: Outcome,
    /// Where its end is to be told.
    audited: Option<Audited>,
}

#[derive(Clone, Copy)]
enum Outcome {
    /// No operation of the document was extracted.
    Stranger,
    /// The gate let it through to this operation.
    Passed(&'static Policy),
    /// The gate refused it, and the answer is written.
    Refused,
}

impl Desk {
    pub(super) fn new(gate: &Gate, visit: Visit) -> Self {
        let case = Case { visit, outcome: Outcome::Stranger, audited: None };
        Self { gate: gate.clone(), case: Arc::new(Mutex::new(case)), deadline: watch::Sender::new(None) }
    }

    /// A limit or a key of one gate says nothing about another's operations.
    pub(super) fn belongs_to(&self, gate: &Gate) -> bool {
        self.gate.is(gate)
    }

    /// The case, for the extractor. `None` when an operation was extracted from this request before.
    pub(super) fn take(&self) -> Option<OwnedMutexGuard<Case>> {
        let case = Arc::clone(&self.case).try_lock_owned().ok()?;
        matches!(case.outcome, Outcome::Stranger).then_some(case)
    }

    /// From here on, the answer has until then.
    pub(super) fn due(&self, deadline: Instant) {
        self.deadline.send_replace(Some(deadline));
    }

    /// Ends when the deadline of the operation that was extracted is over; never when none was.
    pub(super) async fn overdue(&self) {
        let mut set = self.deadline.subscribe();
        let deadline = set.wait_for(Option::is_some).await.ok().and_then(|deadline| *deadline);
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    /// The answer as it leaves, whatever the handler made of it.
    pub(super) async fn close(&self, answered: Result<Response, Rejection>) -> Response {
        let mut case = self.case.lock().await;
        let answered = match (case.outcome, answered) {
            (Outcome::Passed(policy), Ok(answer)) => judged(policy, answer),
            (_, answered) => answered,
        };
        if let Some(audited) = case.audited.take() {
            audited.ended(answered.as_ref().map(Response::status));
        }
        match (case.outcome, answered) {
            // Again, should the handler have made another answer of the refusal.
            (Outcome::Refused, Ok(refusal)) => case.visit.dress(refusal),
            (Outcome::Passed(_), Ok(answer)) => case.visit.close(Ok(answer)).await,
            (Outcome::Stranger, Ok(answer)) => case.visit.close(unfolded(answer, Rejection::Handler)).await,
            (_, Err(rejection)) => case.visit.close(Err(rejection)).await,
        }
    }
}

impl Case {
    pub(super) fn pass(&mut self, policy: &'static Policy, audited: Option<Audited>) {
        self.outcome = Outcome::Passed(policy);
        self.audited = audited;
    }

    pub(super) async fn refuse(&mut self, rejection: Rejection) -> Response {
        self.outcome = Outcome::Refused;
        self.visit.close(Err(rejection)).await
    }
}

/// Step 16 for a handler that axum called: only statuses that the document declares leave.
fn judged(policy: &'static Policy, answer: Response) -> Result<Response, Rejection> {
    let answer = unfolded(answer, |problem| judge(policy, problem))?;
    match policy.declares(answer.status().as_u16()) {
        true => Ok(answer),
        false => Err(Rejection::Unfit(crate::answer::Unfit::Status(answer.status().as_u16()))),
    }
}

/// A `Problem` travels as an extension of its answer: the envelope is written here.
fn unfolded(mut answer: Response, reject: impl FnOnce(Problem) -> Rejection) -> Result<Response, Rejection> {
    match answer.extensions_mut().remove::<Problem>() {
        Some(problem) => Err(reject(problem)),
        None => Ok(answer),
    }
}
