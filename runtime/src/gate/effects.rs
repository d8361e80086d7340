//! Step 15: the handler, under the operation's deadline.
//!
//! 1. An operation that may have effects runs in a task of its own: a client who leaves does not cancel it half way.
//! 2. A safe operation (RFC 9110 section 9.2.1: GET, HEAD) stays on the connection's task.
//! 3. Either way the deadline ends it, and a panic ends this request alone.
//! 4. A problem leaves only with a status that the document declares, or that palisade itself answers with.

use std::sync::Arc;

use http::Method;
use tokio::time::{Instant, timeout_at};

use super::visit::panic_message;
use crate::caller::Caller;
use crate::operation::Policy;
use crate::problem::{Problem, Rejection};
use crate::server::Served;

pub(super) async fn run<S, Op>(
    service: &Arc<S>,
    caller: Caller<Op>,
    input: Op::Input,
    deadline: Instant,
) -> Result<Op::Output, Rejection>
where
    S: Send + Sync + 'static,
    Op: Served<S>,
{
    let handled = if matches!(Op::POLICY.method, Method::GET | Method::HEAD) {
        timeout_at(deadline, Op::handle(service, caller, input)).await
    } else {
        let service = Arc::clone(service);
        let task =
            tokio::spawn(async move { timeout_at(deadline, Op::handle(&service, caller, input)).await });
        match task.await {
            Ok(handled) => handled,
            Err(failed) => return Err(crashed(failed)),
        }
    };
    match handled {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(problem)) => Err(judge(Op::POLICY, problem)),
        Err(_elapsed) => Err(Rejection::Deadline),
    }
}

fn crashed(failed: tokio::task::JoinError) -> Rejection {
    match failed.try_into_panic() {
        Ok(payload) => Rejection::Panicked(panic_message(payload.as_ref())),
        // The runtime is shutting down and dropped the task.
        Err(_cancelled) => Rejection::Deadline,
    }
}

/// Rule 4.
pub(crate) fn judge(policy: &Policy, problem: Problem) -> Rejection {
    match problem.is_ours() || policy.declares(problem.status()) {
        true => Rejection::Handler(problem),
        false => Rejection::Undeclared(problem),
    }
}
