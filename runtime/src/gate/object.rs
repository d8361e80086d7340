//! Step 12: whose object is it?
//!
//! 1. An operation about no object passes.
//! 2. Who holds the rule's `or-scope` passes.
//! 3. Otherwise the resolver finds the object by the path parameter *before* the handler runs.
//! 4. The owner attribute must equal the principal's subject. A missing attribute, a principal without a subject, an
//!    object that is not there: refused, and the client cannot tell which.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use super::{Captures, Prepared, in_time};
use crate::authz::Authorized;
use crate::problem::Rejection;

/// Proof that step 12 passed.
pub(crate) struct Owned(());

pub(super) async fn own(
    at: &Prepared,
    authorized: &Authorized,
    captures: Captures<'_>,
    deadline: Instant,
) -> Result<Owned, Rejection> {
    let Some(rule) = at.ownership() else { return Ok(Owned(())) }; // 1
    let principal = authorized.principal().ok_or(Rejection::NotOwner)?;
    if rule.facts.or_scope.is_some_and(|scope| authorized.grants(scope)) {
        return Ok(Owned(())); // 2
    }
    let id = captures.get(rule.capture).and_then(|raw| decoded(raw)).ok_or(Rejection::NoObject)?;
    let resolving = rule.resolver.resolve(id.into_owned());
    let found = in_time(deadline, resolving).await?.map_err(Rejection::ResolverFailed)?; // 3
    let attributes = found.ok_or(Rejection::NoObject)?;
    match attributes.owner_is(rule.facts.owner, principal.subject()) {
        true => Ok(Owned(())),
        false => Err(Rejection::NotOwner), // 4
    }
}

/// Decoded once; the parameter itself was validated in step 10 from the same bytes.
fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(raw).decode_utf8().ok()
}
