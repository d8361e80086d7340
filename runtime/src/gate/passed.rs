//! What the gate leaves behind for the handler: the proofs, and the cursor's scope.

use std::sync::Arc;

use super::RequestId;
use super::object::Owned;
use super::walk::{Sealed, Walk};
use crate::authn::{Identity, Principal};
use crate::authz::Authorized;
use crate::cursor::{
    self, Binding, CursorKeys, Direction, Filters, Leads, Opened, PageFrom, Position, SealedCursor, Side,
};
use crate::idempotency::Claim;
use crate::operation::{Document, Policy};
use crate::problem::Problem;

/// Every step passed. Its fields are the proofs, so it cannot be made with one missing.
pub(crate) struct Passed {
    authorized: Authorized,
    _owned: Owned,
    cursor: Option<CursorScope>,
    request_id: RequestId,
    /// The key of the call, where it has one.
    claim: Option<Arc<Claim>>,
    /// Of the media types of an answer that works, the one that the client likes best.
    preferred: Option<&'static str>,
}

/// What a cursor of this request is bound to, and the position that one was opened to.
pub(crate) struct CursorScope {
    pub(crate) keys: Arc<CursorKeys>,
    pub(crate) policy: &'static Policy,
    pub(crate) document: &'static Document,
    pub(crate) filters: Filters,
    pub(crate) opened: Option<Opened>,
    /// What the handler seals.
    pub(crate) sealed: Arc<Sealed>,
    pub(crate) expires: u64,
}

impl CursorScope {
    /// Which page of a walk the request asks for.
    fn page(&self) -> u32 {
        self.opened.as_ref().map_or(1, Opened::page)
    }

    /// What the request asks of the list.
    pub(super) fn walk(&self, query: Option<&str>) -> Option<Walk> {
        let pagination = self.policy.pagination.as_ref()?;
        Some(Walk::new(self.page(), Arc::clone(&self.sealed), query, pagination.cursor))
    }

    pub(crate) fn binding<'a>(&'a self, principals: &'a [Identity<'a>]) -> Binding<'a> {
        Binding {
            operation: self.policy.id,
            document: self.document.hash,
            principals,
            filters: &self.filters,
        }
    }
}

impl Passed {
    pub(super) fn new(
        authorized: Authorized,
        owned: Owned,
        cursor: Option<CursorScope>,
        request_id: RequestId,
    ) -> Self {
        Self { authorized, _owned: owned, cursor, request_id, claim: None, preferred: None }
    }

    /// Step 14: the key is claimed.
    pub(crate) fn claimed(self, claim: Arc<Claim>) -> Self {
        Self { claim: Some(claim), ..self }
    }

    /// Step 11: the client accepts one of these.
    pub(crate) fn preferring(self, preferred: Option<&'static str>) -> Self {
        Self { preferred, ..self }
    }

    pub(crate) const fn preferred(&self) -> Option<&'static str> {
        self.preferred
    }

    pub(crate) fn claim(&self) -> Option<&Claim> {
        self.claim.as_deref()
    }

    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.authorized.principal()
    }

    pub(crate) fn principals(&self) -> &[Principal] {
        self.authorized.principals()
    }

    pub(crate) fn tenant(&self) -> Option<&str> {
        self.authorized.tenant()
    }

    pub(crate) fn request_id(&self) -> RequestId {
        self.request_id
    }

    fn opened(&self) -> Option<&Opened> {
        self.cursor.as_ref()?.opened.as_ref()
    }

    /// Where the page that is asked for begins.
    pub(crate) fn from<D: Direction, P: Position>(&self) -> Result<D::From<P>, Problem> {
        let from = self.opened().map_or(Ok(PageFrom::Start), Opened::from);
        from.map(D::of).map_err(|reason| Problem::invalid_cursor(reason.reason()))
    }

    /// On which side of its position the page lies, where a cursor was sent.
    pub(crate) fn side(&self) -> Option<Side> {
        self.opened().map(Opened::side)
    }

    pub(crate) fn seal<P: Position>(&self, position: &P, side: Side) -> Result<SealedCursor, Problem> {
        let scope = self.cursor.as_ref().ok_or_else(|| Problem::internal("no cursor scope"))?;
        let leads = Leads { side, page: scope.page().saturating_add(1), expiry: scope.expires };
        let callers = self.authorized.identities();
        let sealed = cursor::seal(&scope.keys, &scope.binding(&callers), position, leads);
        let sealed = sealed.map_err(Problem::internal)?;
        scope.sealed.note(side, &sealed);
        Ok(sealed)
    }
}
