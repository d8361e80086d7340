//! Steps 15 and 16: the handler, under the operation's deadline, and whether its answer is a declared and conforming one.
//!
//! 1. An operation that may have effects runs in a task of its own: a client who leaves does not cancel it half way.
//! 2. A safe operation (RFC 9110 section 9.2.1: GET, HEAD) stays on the connection's task.
//! 3. Either way the deadline ends it, and a panic ends this request alone.
//! 4. A problem leaves only with a status that the document declares, or that palisade itself answers with.
//! 5. Whose client has left is still reported when it fails, and waited for when the server stops.
//! 6. It is under way until then: who leaves does not make room for another.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::lazy;
use http::StatusCode;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::audited::telling;
use super::{Audited, Visit, guarded};
use crate::answer::{Answer, Output, Unfit};
use crate::caller::Caller;
use crate::event::storing;
use crate::operation::Policy;
use crate::problem::{Problem, Rejection};
use crate::server::Served;

pub(super) async fn run<S, Op>(
    service: &Arc<S>,
    visit: &mut Visit,
    caller: Caller<Op>,
    input: Op::Input,
    deadline: Instant,
    audited: Option<Audited>,
) -> Result<Answer, Rejection>
where
    S: Send + Sync + 'static,
    Op: Served<S>,
{
    if matches!(Op::POLICY.method, "GET" | "HEAD") {
        return telling(audited, answered::<S, Op>(service, caller, input, deadline), status).await;
    }
    let service = Arc::clone(service);
    let work =
        async move { telling(audited, answered::<S, Op>(&service, caller, input, deadline), status).await };
    spawned(visit, work).await
}

fn status(answer: &Answer) -> StatusCode {
    // conforming answers have one
    StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Rules 1, 3 and 5.
pub(super) async fn spawned<T: Send + 'static>(
    visit: &mut Visit,
    work: impl Future<Output = Result<T, Rejection>> + Send + 'static,
) -> Result<T, Rejection> {
    let (witness, running, held) = (visit.witness(), visit.effects().begin(), visit.held());
    let place = visit.give_place();
    let (tell, told) = oneshot::channel();
    let sink = witness.events.clone();
    let work = guarded(work).map(move |outcome| {
        if let Err(Err(rejection)) = tell.send(outcome) {
            witness.report_unanswered(&rejection); // 5
        }
        drop((running, held, place)); // 6
    });
    tokio::spawn(storing(sink, work));
    // The task is dropped without an answer only when the runtime shuts down.
    told.await.unwrap_or(Err(Rejection::Deadline))
}

/// No `async fn`, which would hold the caller and the input twice. The method is called when this is polled, so that one which
/// panics before it gives a future panics no earlier than others.
pub(super) fn answered<S, Op>(
    service: &S,
    caller: Caller<Op>,
    input: Op::Input,
    deadline: Instant,
) -> impl Future<Output = Result<Answer, Rejection>> + Send
where
    S: Sync,
    Op: Served<S>,
{
    let handling = lazy(move |_| Op::handle(service, caller, input)).flatten();
    timeout_at(deadline, handling).map(|outcome| match outcome {
        Ok(Ok(output)) => conforming(Op::POLICY, output),
        Ok(Err(problem)) => Err(judge(Op::POLICY, problem)),
        Err(_elapsed) => Err(Rejection::Deadline),
    })
}

/// Step 16.
fn conforming(policy: &Policy, output: impl Output) -> Result<Answer, Rejection> {
    let answer = output.answer().map_err(Rejection::Unfit)?;
    match policy.declares(answer.status()) {
        true => Ok(answer),
        false => Err(Rejection::Unfit(Unfit::Status(answer.status()))),
    }
}

/// Rule 4.
pub(crate) fn judge(policy: &Policy, problem: Problem) -> Rejection {
    match problem.is_ours() || policy.declares(problem.status()) {
        true => Rejection::Handler(problem),
        false => Rejection::Undeclared(problem),
    }
}
