//! Step 14: a call that may be sent again, and is done once.
//!
//! 1. The claim, the handler and the record are one task: a client who leaves stops none of them.
//! 2. Who is not the first runs no handler, and what the limits of its principal were charged is taken back, also where the answer
//!    of before cannot be told of (8). The steps before this one have let it pass, as they do every call: who may not call any more
//!    gets no answer of before.
//! 3. What the handler answered is kept, also a refusal and a failure: it ran, and may have done something. Where it may run
//!    again, what is not kept is not sent: the next run may answer otherwise.
//! 4. 401, 403 and 429 are not kept: they are about the caller, not about the call.
//! 5. A panic and the deadline leave a call of which nobody knows. So does a failure after the handler wrote the call into a
//!    transaction: whether that was committed, the ledger says.
//! 6. When another run was committed first, its answer is this one's, whatever the handler made of it: it may have refused
//!    because of what that run did. So the ledger is asked again about what was not committed, and what is kept is entered
//!    there: a run that is committed later would be a second answer.
//! 7. A handler that answers otherwise than it wrote into a transaction did not commit that, or the ledger has it: it is taken
//!    for one that wrote nothing.
//! 8. An audited call is told of before its handler runs, when the key is claimed, and before an answer is given again
//!    ([`audited`](super::audited)). Where that cannot be stored, the key is free again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::Response;
use http::StatusCode;
use tokio::time::Instant;

use super::allowance::{Allowance, Taken};
use super::audited::{replayed, telling};
use super::visit::refusal;
use super::{Audited, Gate, Prepared, Visit, Witness, effects, guarded};
use crate::answer::Answer;
use crate::breaker::Leave;
use crate::caller::Caller;
use crate::idempotency::{Call, Claim, Claimed, Kept};
use crate::problem::{Problem, Rejection, outward};
use crate::server::Served;

pub(super) async fn run<S, Op>(
    at: &Prepared,
    service: &Arc<S>,
    visit: &mut Visit,
    caller: Caller<Op>,
    input: Op::Input,
    call: Call,
) -> Result<Response, Rejection>
where
    S: Send + Sync + 'static,
    Op: Served<S>,
{
    let (service, witness, gate) = (Arc::clone(service), visit.witness(), visit.gate().clone());
    let (allowance, deadline) = (at.allowance().cloned(), call.deadline());
    let is_replay = Arc::new(AtomicBool::new(false));
    let replays = Arc::clone(&is_replay);
    // 1
    let answered = effects::spawned(visit, async move {
        let claim = match call.claim().await.map_err(Rejection::Idempotency)? {
            Claimed::Replay(kept) => {
                replays.store(true, Ordering::Relaxed); // 2
                let again = kept.again();
                replayed(&witness, deadline, again.status()).await?; // 8
                return Ok(again);
            }
            Claimed::Mine(claim) => claim,
        };
        let Begun { taken, audited, leave } = match begin(&claim, allowance.as_deref(), &gate, &witness).await
        {
            Ok(begun) => begun,
            Err(rejection) => {
                claim.give_up().await;
                return Err(rejection);
            }
        };
        let caller = caller.claimed(Arc::clone(&claim));
        let answering = effects::answered::<S, Op>(&service, caller, input, claim.deadline());
        let settling = async { settle(&claim, guarded(answering).await, &witness).await };
        let settled = telling(audited, settling, Response::status).await;
        drop(leave); // what was written has said more; where nothing was, another run may say it
        if let Some(taken) = taken {
            taken.settle(claim.length(), &gate).await;
        }
        settled
    })
    .await;
    if is_replay.load(Ordering::Relaxed) {
        visit.note_replay(); // 2
    }
    answered
}

/// A run that begins.
struct Begun<'c> {
    /// What is charged for it.
    taken: Option<Taken>,
    /// Whom its end is told to.
    audited: Option<Audited>,
    /// Where the ledger took no lines: it may say whether it does again.
    leave: Option<Leave<'c>>,
}

async fn begin<'c>(
    claim: &'c Claim,
    allowance: Option<&Allowance>,
    gate: &Gate,
    witness: &Witness,
) -> Result<Begun<'c>, Rejection> {
    let (taken, leave) = may_begin(claim, allowance, gate, witness).await?;
    match Audited::begin(gate, witness, claim.deadline()).await {
        Ok(audited) => Ok(Begun { taken, audited, leave }), // 8
        Err(rejection) => {
            if let Some(taken) = taken {
                taken.undo(gate).await;
            }
            Err(rejection)
        }
    }
}

/// Whether there is time left, the ledger takes what comes of it, and what is kept of this principal leaves room.
async fn may_begin<'c>(
    claim: &'c Claim,
    allowance: Option<&Allowance>,
    gate: &Gate,
    witness: &Witness,
) -> Result<(Option<Taken>, Option<Leave<'c>>), Rejection> {
    if Instant::now() >= claim.deadline() {
        return Err(Rejection::Deadline);
    }
    let leave = claim.begins().map_err(Rejection::Idempotency)?;
    let taken = match allowance {
        Some(allowance) => Some(allowance.take(claim.is_first(), gate, witness).await?),
        None => None,
    };
    Ok((taken, leave))
}

/// Keeps what became of the call, and says what the client gets.
async fn settle(
    claim: &Claim,
    outcome: Result<Answer, Rejection>,
    witness: &Witness,
) -> Result<Response, Rejection> {
    let made = match outcome {
        Ok(answer) => {
            let (kept, first) = kept(claim, answer.into_response(claim.accept())).await?;
            if !claim.has_written(&kept) {
                claim.withdraw(); // 7
            }
            Ok((kept, first))
        }
        Err(rejection) => {
            if outward(&rejection).status.is_client_error() {
                claim.withdraw(); // 7
            }
            Err(rejection)
        }
    };
    if claim.may_be_overtaken() {
        match claim.recall().await {
            Ok(Some(kept)) => return Ok(kept.again()), // 6
            Ok(None) => {}
            Err(refusal) => {
                claim.forget_outcome().await;
                return Err(Rejection::Idempotency(refusal));
            }
        }
    }
    let rejection = match made {
        Ok((_, first)) if is_of_the_caller(first.status()) && !claim.is_written() => {
            claim.release().await; // 4
            return Ok(first);
        }
        Ok((kept, first)) => return claim.keep(kept, first).await, // 3
        Err(rejection) => rejection,
    };
    let outward = outward(&rejection);
    let unknown = matches!(rejection, Rejection::Panicked(_) | Rejection::Deadline)
        || claim.is_written()
        || claim.is_repeated();
    if unknown {
        claim.forget_outcome().await; // 5
        return Err(rejection);
    }
    if is_of_the_caller(outward.status) {
        claim.release().await; // 4
        return Err(rejection);
    }
    witness.report(&rejection, &outward); // also where the client gets another answer
    let (kept, first) = kept(claim, refusal(&outward, witness)).await?;
    claim.keep(kept, first).await // 3
}

/// The answer as it is kept, and as it is sent. Of one that cannot be read nobody knows.
async fn kept(claim: &Claim, answer: Response) -> Result<(Kept, Response), Rejection> {
    match Kept::of(answer).await {
        Ok(made) => Ok(made),
        Err(error) => {
            claim.forget_outcome().await;
            Err(Rejection::Handler(Problem::internal(error)))
        }
    }
}

/// Rule 4.
fn is_of_the_caller(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS)
}
