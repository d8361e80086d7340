//! Operations of a document in an axum application that exists: what `#[derive(palisade::Operation)]` stands on.
//!
//! ```ignore
//! let gate = Gate::builder().bearer("oauth", jwt).operation::<GetAccount>().build()?;
//! let app = Router::new()
//!     .route(GetAccount::PATH, get(get_account))
//!     .layer(gate.layer())
//!     .with_state(App { gate, .. });
//!
//! async fn get_account(op: GetAccount) -> Result<Json<Account>, Problem> { .. }
//! ```
//!
//! The layer is the door: it runs step 1 on the way in, and deadline, panic guard, envelope and headers on the way out.
//! The extractor runs steps 2 and 4 to 13 through the functions that a generated server runs. An extractor without
//! its layer, an operation that was not given to the gate, a route with another path or method than the document's:
//! each refuses, because a control that is not wired must not look as if it held.

mod desk;
mod field;
mod guarded;
mod layer;
mod template;

use axum::extract::{FromRef, Request as HttpRequest};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::request::Parts;

use self::desk::Desk;
pub use self::field::{Agrees, Stated, stated};
pub use self::guarded::Guarded;
pub use self::layer::{GateLayer, GateService};
use crate::caller::Caller;
use crate::gate::{self, Admitted, Audited, Gate, Request, Visit};
use crate::input::Input;
use crate::operation::Operation;
use crate::problem::{Problem, Rejection};

/// What is read of a request for an operation. Implemented by `#[derive(palisade::Operation)]`.
pub trait Reads: Operation {
    /// The input, as the document declares it.
    type Input: Input;
}

/// An operation that is a handler's argument. Implemented by `#[derive(palisade::Operation)]`.
pub trait Adopted: Reads {
    /// The argument, once every step has passed.
    fn adopt(caller: Caller<Self>, input: Self::Input) -> Self;
}

/// Steps 2, 4 to 13 and the audit of 14 for a request that axum routed to a handler.
///
/// # Errors
/// The answer that the client gets instead of the handler's.
pub async fn adopt<Op, S>(request: HttpRequest, state: &S) -> Result<Op, Response>
where
    Op: Adopted,
    Gate: FromRef<S>,
{
    let gate = Gate::from_ref(state);
    let (mut parts, body) = request.into_parts();
    let Some(desk) = parts.extensions.get::<Desk>().cloned() else {
        let mut visit = Visit::open(&gate, &mut parts);
        return Err(visit.close(Err(Rejection::Handler(miswired("the route has no `gate.layer()`")))).await);
    };
    if !desk.belongs_to(&gate) {
        return Err(miswired("the route has the `layer()` of another gate").into_response());
    }
    let Some(mut case) = desk.take() else {
        return Err(miswired("the handler extracts two operations").into_response());
    };
    match steps::<Op>(&gate, &mut case.visit, &parts, body).await {
        Ok((Admitted { caller, input, deadline, .. }, audited)) => {
            case.pass(Op::POLICY, audited);
            desk.due(deadline);
            Ok(Op::adopt(caller, input))
        }
        Err(rejection) => Err(case.refuse(rejection).await),
    }
}

async fn steps<Op: Adopted>(
    gate: &Gate,
    visit: &mut Visit,
    parts: &Parts,
    body: axum::body::Body,
) -> Result<(Admitted<Op, Op::Input>, Option<Audited>), Rejection> {
    let policy = Op::POLICY;
    let fault = |fault| Rejection::Handler(miswired(fault));
    let prepared =
        gate.prepared_for::<Op>().ok_or_else(|| fault("the operation was not given to the gate"))?;
    visit.arrive(Some(&prepared)).await?; // 2
    if parts.method.as_str() != policy.method {
        // `axum::routing::get` answers HEAD as well; the document may not.
        let allow = HeaderValue::from_str(policy.method);
        return Err(Rejection::NoMethod { allow: allow.unwrap_or_else(|_| HeaderValue::from_static("")) });
    }
    let captures = template::captures(policy.path, parts.uri.path())
        .ok_or_else(|| fault("the route's path is not the document's: use `PATH` of the operation"))?;
    let request = Request { parts, body, captures: &captures };
    let admitted = gate::admit::<Op, Op::Input>(&prepared, visit, request).await?; // 4 to 13
    let audited = Audited::begin(gate, &visit.witness(), admitted.deadline).await?; // 14
    Ok((admitted, audited))
}

/// A fault of the application, not of the client.
fn miswired(fault: &'static str) -> Problem {
    Problem::internal(fault)
}

#[cfg(test)]
mod tests;
