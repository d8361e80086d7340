//! Step 14: a call that may be sent again, and is done once.
//!
//! 1. The claim, the handler and the record are one task: a client who leaves stops none of them.
//! 2. Who is not the first runs no handler, and what the limits of its principal were charged is taken back. The steps before
//!    this one have let it pass, as they do every call: who may not call any more gets no answer of before.
//! 3. What the handler answered is kept, also a refusal and a failure: it ran, and may have done something. Where it may run
//!    again, what is not kept is not sent: the next run may answer otherwise.
//! 4. 401, 403 and 429 are not kept: they are about the caller, not about the call.
//! 5. A panic and the deadline leave a call of which nobody knows. So does a failure after the handler wrote the call into a
//!    transaction: whether that was committed, the ledger says.
//! 6. When another run was committed first, its answer is this one's, whatever the handler made of it: it may have refused
//!    because of what that run did. So the ledger is asked again about what was not committed.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use tokio::time::Instant;

use super::visit::refusal_headers;
use super::{Gate, Prepared, Visit, Witness, effects, guarded};
use crate::answer::Answer;
use crate::authn::Principal;
use crate::caller::Caller;
use crate::idempotency::{Call, Claim, Claimed};
use crate::limit::seen::{Network, Seen};
use crate::limit::{Outage, Rule};
use crate::problem::{Outward, Rejection, envelope, outward};
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
    let limit = at.limit_of_keys().cloned();
    // 1
    let (response, is_replay) = effects::spawned(visit, async move {
        let claim = match call.claim().await.map_err(Rejection::Idempotency)? {
            Claimed::Replay(kept) => return Ok((kept.again(), true)), // 2
            Claimed::Mine(claim) => claim,
        };
        if let Err(rejection) = may_begin(&claim, limit.as_deref(), &gate, &witness).await {
            claim.release().await;
            return Err(rejection);
        }
        let caller = caller.claimed(Arc::clone(&claim));
        let answering = effects::answered::<S, Op>(&service, caller, input, claim.deadline());
        Ok((settle(&claim, guarded(answering).await, &witness).await?, false))
    })
    .await?;
    if is_replay {
        visit.note_replay(); // 2
    }
    Ok(response)
}

/// Whether there is time left, and a key for this principal. A call that was claimed anew was counted when it was the
/// first.
async fn may_begin(
    claim: &Claim,
    limit: Option<&Rule>,
    gate: &Gate,
    witness: &Witness,
) -> Result<(), Rejection> {
    if Instant::now() >= claim.deadline() {
        return Err(Rejection::Deadline);
    }
    let Some(rule) = limit.filter(|_| claim.is_first()) else { return Ok(()) };
    let principal = witness.principal.as_ref().map(Principal::identity);
    let principal = principal.map(|identity| (identity.issuer, identity.subject));
    let now = gate.settings().clock.now().map_err(|_| Rejection::ClockFailed)?.monotonic();
    let seen = Seen { from: Network::of(witness.address), principal, values: &[] };
    let charges = [rule.charge(&seen)];
    let micros = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
    let asking = gate.limiter().ask(micros, &charges, &seen);
    let decision = asking.await.map_err(|Outage(limit)| Rejection::Uncounted(limit))?;
    match decision.refused_by() {
        Some(limit) => Err(Rejection::Limited { limit, retry_after: decision.retry_after() }),
        None => Ok(()),
    }
}

/// Keeps what became of the call, and says what the client gets.
async fn settle(
    claim: &Claim,
    outcome: Result<Answer, Rejection>,
    witness: &Witness,
) -> Result<Response, Rejection> {
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
    let rejection = match outcome {
        Ok(answer) => {
            let response = answer.into_response(claim.accept());
            return match is_of_the_caller(response.status()) && !claim.is_written() {
                true => {
                    claim.release().await; // 4
                    Ok(response)
                }
                false => claim.keep(response).await, // 3
            };
        }
        Err(rejection) => rejection,
    };
    let outward = outward(&rejection);
    let unknown = matches!(rejection, Rejection::Panicked(_) | Rejection::Deadline)
        || (claim.is_written() && outward.status.is_server_error())
        || claim.is_repeated();
    if unknown {
        claim.forget_outcome().await; // 5
        return Err(rejection);
    }
    if is_of_the_caller(outward.status) && !claim.is_written() {
        claim.release().await; // 4
        return Err(rejection);
    }
    witness.report(&rejection, &outward); // also where the client gets another answer
    claim.keep(refusal(&outward, witness)).await // 3
}

/// As [`Visit::close`] writes it.
fn refusal(outward: &Outward<'_>, witness: &Witness) -> Response {
    let mut response = envelope(outward, witness.request_id.as_str());
    refusal_headers(outward, response.headers_mut());
    response
}

/// Rule 4.
fn is_of_the_caller(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS)
}
