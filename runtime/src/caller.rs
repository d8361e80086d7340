//! [`Caller`]: the proof that the gate let a request through, and the rights it carries.
//!
//! A handler takes `Caller<Op>`. Its fields are private and its one constructor is the gate's, so a handler cannot run
//! without a decision. Scopes are types: `Caller<Op>` implements [`Holds<S>`] where *every* alternative of the
//! operation grants `S`, so that an inner function can ask for the right as an argument.

use std::fmt;
use std::marker::PhantomData;

use crate::authn::Principal;
use crate::cursor::{self, BothWays, Cut, Direction, Page, Position, SealedCursor, Side};
use crate::gate::{Passed, RequestId};
use crate::idempotency::{Claim, Once};
use crate::operation::{Idempotent, Operation, Paginated, Secured};
use crate::problem::Problem;

/// Who calls operation `Op`, after every check of the gate.
pub struct Caller<Op> {
    passed: Passed,
    operation: PhantomData<fn() -> Op>,
}

impl<Op: Operation> Caller<Op> {
    /// Only the gate makes one: `Passed` holds the proof of each step.
    pub(crate) fn new(passed: Passed) -> Self {
        Self { passed, operation: PhantomData }
    }

    pub(crate) fn claimed(self, claim: std::sync::Arc<Claim>) -> Self {
        Self { passed: self.passed.claimed(claim), ..self }
    }

    pub(crate) fn preferring(self, preferred: Option<&'static str>) -> Self {
        Self { passed: self.passed.preferring(preferred), ..self }
    }

    /// Of the media types in which a call that works is answered, the one that `Accept` likes best, for a handler that has a
    /// choice between several; of equals, the one that the document names first.
    ///
    /// `None` where one of those answers has no content.
    #[must_use]
    pub const fn preferred(&self) -> Option<&'static str> {
        self.passed.preferred()
    }

    /// The principal, if a credential was needed and given.
    #[must_use]
    pub fn identity(&self) -> Option<&Principal> {
        self.passed.principal()
    }

    /// Whom the credential of `scheme` stands for, if the alternative that let the request in asks for that scheme.
    ///
    /// For combinations: one scheme of a combination says who calls ([`Caller::identity`]); the others are here, as the
    /// partner beside its customer.
    #[must_use]
    pub fn identity_of(&self, scheme: &str) -> Option<&Principal> {
        self.passed.principals().iter().find(|principal| principal.scheme() == scheme)
    }

    /// The tenant for which the caller acts: the one that its credential names ([`Principal::tenant`]), or else another of the
    /// combination that let the request in. Credentials that name two tenants let nobody in.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.passed.tenant()
    }

    /// The id of this request, as the answer's `X-Request-Id` and the log have it.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.passed.request_id()
    }

    /// Whether the credential that opened the gate grants this scope.
    ///
    /// For rights that only some alternatives grant; what every alternative grants is a type, see [`Holds`].
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.identity().is_some_and(|principal| principal.grants(scope))
    }
}

impl<Op: Secured> Caller<Op> {
    /// The principal: every alternative of this operation's security names a scheme, so there is one.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        // The gate makes no `Caller` of a secured operation without a principal. Should that ever break, the answer is
        // an identity that owns nothing and holds no scope.
        self.identity().unwrap_or_else(|| Principal::nobody())
    }
}

impl<Op: Paginated> Caller<Op> {
    /// Where the page starts: the position that the cursor of the request carries, `None` on the first page. Where the document
    /// names `previous`, a [`PageFrom`](crate::PageFrom).
    ///
    /// # Errors
    /// 400 `invalid_cursor` when it carries another kind of position.
    pub fn position<P: Position>(&self) -> Result<<Op::Direction as Direction>::From<P>, Problem> {
        self.passed.from::<Op::Direction, P>()
    }

    /// The page of these rows, with the cursors of those beside it.
    ///
    /// `rows` begin at [`Caller::position`], and are read backwards where that says [`PageFrom::Before`](crate::PageFrom::Before).
    /// Read one more than `limit`: it is not shown, and says that there is a page beyond. `place` is the position of a row: the
    /// values that the list is sorted by, with a unique one last.
    ///
    /// # Errors
    /// 500 when `limit` is negative, the row beyond has the same position as the one beside it, which no page would show, or a
    /// cursor cannot be made.
    pub fn page<T, P: Position>(
        &self,
        rows: impl IntoIterator<Item = T>,
        limit: impl TryInto<usize>,
        place: impl Fn(&T) -> P,
    ) -> Result<Page<T>, Problem> {
        let limit = limit.try_into().map_err(|_| Problem::internal("no number of rows"))?;
        let cut = cursor::cut(rows, limit, self.passed.side(), &place).map_err(Problem::internal)?;
        let Cut { items, next, previous } = cut;
        let previous = previous && Op::Direction::BACK;
        let seal = |row: Option<&T>, side| row.map(|row| self.passed.seal(&place(row), side)).transpose();
        let next = seal(items.last().filter(|_| next), Side::After)?;
        let previous = seal(items.first().filter(|_| previous), Side::Before)?;
        Ok(Page { items, next, previous })
    }

    /// Seals the position after the last row of this page: bound to this principal, operation and these filters.
    ///
    /// # Errors
    /// 500 when the cursor cannot be made: no key, no randomness, or a position over 1 KiB.
    pub fn seal<P: Position>(&self, position: &P) -> Result<SealedCursor, Problem> {
        self.passed.seal(position, Side::After)
    }
}

impl<Op: Paginated<Direction = BothWays>> Caller<Op> {
    /// Seals the position of the first row of this page: the cursor leads to the page before it.
    ///
    /// # Errors
    /// As [`Caller::seal`].
    pub fn seal_previous<P: Position>(&self, position: &P) -> Result<SealedCursor, Problem> {
        self.passed.seal(position, Side::Before)
    }
}

impl<Op: Idempotent> Caller<Op> {
    /// This call, for a handler that commits it together with its effect.
    #[must_use]
    pub fn idempotency(&self) -> Once<'_, Op> {
        Once::new(self.passed.claim())
    }
}

impl<Op: Operation> fmt::Debug for Caller<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("operation", &Op::POLICY.id).finish_non_exhaustive()
    }
}

/// A scope of the document, as a type.
pub trait Scope {
    /// The scope, as the document writes it.
    const NAME: &'static str;
}

/// Stated by generated code: every alternative of this operation grants `S`.
///
/// Generated code evaluates [`Grants::CHECKED`] beside it, so a statement that the policy does not bear does not build.
#[diagnostic::on_unimplemented(
    message = "not every way into `{Self}` grants the scope `{S}`",
    note = "a right is held only where every alternative of the operation's `security` grants it"
)]
pub trait Grants<S: Scope>: Operation {
    /// Fails to compile where the policy does not grant `S` on every way in.
    const CHECKED: () =
        assert!(Self::POLICY.always_grants(S::NAME), "an alternative of the security lacks this scope");
}

/// The right to do what scope `S` allows.
///
/// Implemented by [`Caller`] alone. Ask for it where the effect is:
///
/// ```ignore
/// fn post(entry: Entry, right: &impl Holds<scope::TransfersWrite>) { .. }
/// ```
pub trait Holds<S: Scope>: sealed::Sealed {}

impl<Op, S> Holds<S> for Caller<Op>
where
    Op: Grants<S>,
    S: Scope,
{
}

mod sealed {
    pub trait Sealed {}
    impl<Op> Sealed for super::Caller<Op> {}
}
