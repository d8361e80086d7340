//! The gate: every step of a request, in order, in one place.
//!
//! The numbers are the design's. [`Server`](crate::Server) runs steps 1 to 16; an application that adopts operations
//! runs 1 and 2 in [`Gate::layer`](crate::Gate::layer) and 4 to 13 in the extractor, through the same functions.
//!
//! | step | function | refuses with |
//! |---|---|---|
//! | 0 connection caps, header deadline and size | [`serve`](crate::serve) | close, 400, 431 |
//! | 1 request id, client address, panic guard, headers of every answer | [`Visit::open`], [`Visit::close`] | 500 |
//! | 2 room for its priority, at work or waiting, plaintext check, limits by address and of all together, also on what is under way | [`Visit::arrive`] | 403, 429, 503 |
//! | 3 route | [`Routes::find`](crate::server::Routes) | 404, 405 |
//! | 4 deadline, declared length of the body | [`enter`] | 413, 504 |
//! | 6 authenticate, unless as many attempts have failed as may | [`enter`] | 401, 400, 429, 503 |
//! | 7 what a token is bound to, whether it was revoked, how and when its user logged in | [`enter`] | 401, 429, 503 |
//! | 8 authorize: scopes | [`enter`] | 403 |
//! | 9 limits by principal, by parameters of the path | [`enter`] | 429 |
//! | 10 parameters, the form of an `Idempotency-Key` | [`admit`] | 400 |
//! | 11 body: media type, size, strict decode, validation | [`admit`] | 400, 408, 413, 415, 422, 503 |
//! | 11 limits by members of the body | [`admit`] | 429 |
//! | 11 media types of the answer | [`handle`] | 406 |
//! | 12 object: whose is it | [`admit`] | 404 |
//! | 13 cursor | [`admit`] | 400 |
//! | 13 a place among the handlers at work, waited for | [`admit`] | 503 |
//! | 13 a login: as many attempts have failed as may | [`admit`] | 429 |
//! | 14 idempotency: the key claimed, the answer of the first call again, or neither | [`handle`] | 409, 422, 429, 503 |
//! | 14 an audited call: told of before it is done | [`handle`] | 503 |
//! | 15 handler, spawned where it has effects | [`handle`] | what the document declares |
//! | 16 answer: only declared, only conforming | [`handle`] | 500 |
//!
//! Step 5 of the design, what failed before, is part of step 6: [`attempts`](crate::authn::attempts).

mod allowance;
mod audited;
mod builder;
mod effects;
mod fault;
mod head;
mod limits;
mod load;
mod object;
mod once;
mod passed;
mod prepared;
mod request_id;
mod told;
mod unread;
mod visit;
mod walk;
mod walkers;
mod witness;

use std::future::Future;

use axum::body::Body;
use axum::response::Response;
use futures_util::TryFutureExt;
use http::request::Parts;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::audited::Audited;
pub use self::builder::GateBuilder;
pub(crate) use self::effects::judge;
pub(crate) use self::head::names_one_host;
pub(crate) use self::passed::{CursorScope, Passed};
pub use self::prepared::Gate;
pub(crate) use self::prepared::Prepared;
pub(crate) use self::request_id::REQUEST_ID;
pub use self::request_id::RequestId;
pub(crate) use self::unread::Counted;
pub(crate) use self::visit::{Visit, guarded};
pub(crate) use self::witness::Witness;
use crate::answer::Accept;
use crate::authn::{self, Denied, step_up};
use crate::authz::{self, Authorized};
use crate::caller::Caller;
use crate::idempotency::Call;
use crate::input::{self, Fingerprint, Input, InputError, Parameters, Refused};
use crate::operation::Operation;
use crate::problem::Rejection;
use crate::server::Served;

/// A request that reached an operation: what the router cut out of it, and what is left to read.
pub(crate) struct Request<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) body: Body,
    /// The path parameters, still percent-encoded, in the order of the template.
    pub(crate) captures: Captures<'a>,
}

/// The segments that the template's parameters matched.
pub(crate) type Captures<'a> = &'a [&'a str];

/// What steps 4 to 9 look at.
struct Asked<'a> {
    parts: &'a Parts,
    captures: Captures<'a>,
}

/// Proof that steps 4 to 9 passed.
pub(crate) struct Entered {
    authorized: Authorized,
    deadline: Instant,
}

/// Steps 4 to 9: nothing of the input has been looked at yet but its declared length.
async fn enter(at: &Prepared, visit: &mut Visit, request: &Asked<'_>) -> Result<Entered, Rejection> {
    let Asked { parts, captures } = *request;
    let policy = at.policy();
    let deadline = Instant::now() + policy.timeout;
    input::declared_length(policy.body.as_ref(), &parts.headers).map_err(Rejection::Input)?; // 4
    // before the credentials, which are judged by it, and so that their refusal gives one
    visit.give_nonce(in_time(deadline, at.security().nonce(visit.now())).await?);
    let (local, now, attempts) = (visit.is_local(), visit.now(), visit.attempts());
    let authenticated =
        in_time(deadline, authn::authenticate(at.security(), parts, local, now, &attempts)).await?;
    let authenticated = authenticated.map_err(|reason| at.denied(reason))?; // 6, 7
    let first = at.first_held(&authenticated);
    visit.identify(first, first);
    let login = step_up::check(policy.step_up.as_ref(), &authenticated, visit.now());
    login.map_err(|reason| at.insufficient(reason, &authenticated))?; // 7
    let authorized = authz::authorize(authenticated).map_err(|reason| at.forbidden(reason))?; // 8
    visit.identify(authorized.principal(), authorized.of_tenant());
    visit.count_by(at.limits().of_path(captures));
    in_time(deadline, visit.spend(&at.limits().by_principal)).await??; // 9
    Ok(Entered { authorized, deadline })
}

/// A step that waits for something else waits no longer than the operation may take.
///
/// No `async fn`, which would hold the step twice: once as it came, once while it waits for it.
fn in_time<T>(
    deadline: Instant,
    step: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Rejection>> {
    timeout_at(deadline, step).map_err(|_| Rejection::Deadline)
}

/// What steps 4 to 13 let through.
pub(crate) struct Admitted<Op, I> {
    pub(crate) caller: Caller<Op>,
    pub(crate) input: I,
    pub(crate) deadline: Instant,
    /// For step 14, where the call has a key.
    pub(crate) call: Option<Call>,
}

/// Steps 4 to 13: what a handler needs, or why it does not run.
pub(crate) async fn admit<Op: Operation, I: Input>(
    at: &Prepared,
    visit: &mut Visit,
    request: Request<'_>,
) -> Result<Admitted<Op, I>, Rejection> {
    let Request { parts, body, captures } = request;
    let Entered { authorized, deadline } = enter(at, visit, &Asked { parts, captures }).await?;
    let query = at.security().without_keys(parts.uri.query());
    let mut parameters = Parameters::new(at.policy(), captures, query.as_deref(), &parts.headers);
    let decoded = I::parameters(&mut parameters);
    let cursor = parameters.cursor();
    let mut print = at.keeps_answers().then(|| parameters.fingerprint());
    let decoded = parameters.finish(decoded).map_err(Rejection::Input)?; // 10
    let key = at.client_key(&parts.headers)?; // 10
    let receiver = visit.receiver(at.policy().body.as_ref(), I::receiving);
    let received = timeout_at(deadline, receiver.receive(&parts.headers, body)).await;
    let sent = received.map_err(|_| InputError::Slow).flatten().map_err(Rejection::Input)?;
    print.iter_mut().for_each(|print: &mut Fingerprint| print.body(sent.as_ref()));
    let told = at.limits().of_body(sent.as_ref());
    let account = at.account(sent.as_ref());
    let form = sent.as_ref().filter(|sent| sent.is_form());
    let token = form.and_then(|_| at.security().token_of(&parts.headers));
    let sent = sent.map(|sent| sent.beside_token(token.is_some()));
    let payload = I::body(sent).map_err(|refused| match (refused, token) {
        (Refused::SecondToken, Some(scheme)) => at.denied(Denied::twice(scheme)),
        (refused, _) => Rejection::Input(refused.into()),
    })?; // 11
    visit.count_by(told);
    in_time(deadline, visit.spend(&at.limits().by_body)).await??; // 11
    let owned = object::own(at, &authorized, captures, deadline).await?; // 12
    let cursor = at.open_cursor(&authorized, cursor, visit.now())?; // 13
    visit.walk(cursor.as_ref().and_then(|scope| scope.walk(query.as_deref())));
    let call = key.zip(print).and_then(|(key, print)| at.call(&authorized, key, print.finish(), deadline));
    let passed = Passed::new(authorized, owned, cursor, visit.request_id());
    visit.begin(at.policy().priority, deadline).await?; // 13
    if at.policy().login.is_some() {
        in_time(deadline, visit.attempt(at.policy().id, account)).await??; // 13
    }
    Ok(Admitted { caller: Caller::new(passed), input: I::assemble(decoded, payload), deadline, call })
}

/// Steps 4 to 16 for an operation of a generated server.
pub(crate) async fn handle<S, Op>(
    at: &Prepared,
    service: &std::sync::Arc<S>,
    visit: &mut Visit,
    request: Request<'_>,
) -> Result<Response, Rejection>
where
    S: Send + Sync + 'static,
    Op: Served<S>,
{
    let accept = Accept::of(&request.parts.headers);
    let Admitted { caller, input, deadline, call } = admit::<Op, Op::Input>(at, visit, request).await?;
    let produces = <Op::Output as crate::answer::Output>::PRODUCES;
    if !accept.takes_any(produces) {
        return Err(Rejection::NotAcceptable); // 11
    }
    let caller = match produces {
        [] => caller,
        [one] => caller.preferring(Some(one)),
        all => caller.preferring(accept.best(all).copied()),
    };
    match call.map(|call| call.accepting(accept)) {
        Some(call) => once::run::<S, Op>(at, service, visit, caller, input, call).await, // 14 to 16
        None => {
            let audited = Audited::begin(visit.gate(), &visit.witness(), deadline).await?; // 14
            let answer = effects::run::<S, Op>(service, visit, caller, input, deadline, audited).await?; // 15, 16
            Ok(answer.into_response(accept))
        }
    }
}
