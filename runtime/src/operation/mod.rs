//! The facts that generated code states: one constant [`Policy`] an operation, one [`Document`] a module.
//!
//! Nothing here decides anything. A reviewer reads these values in the generated file; the gate acts on them.

mod limit;
mod policy;
mod scheme;

pub use self::limit::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per};
pub use self::policy::{
    Access, Alternative, Body, Idempotency, Location, Login, Need, Ownership, Pagination, Parameter, Policy,
    Priority, Replays, Rerun, Status, StepUp,
};
pub use self::scheme::{
    Algorithm, Binding, CertificateRules, KeyLocation, KeyRules, Revocation, Scheme, SchemeKind, SubjectName,
    Token, TokenRules,
};
use crate::cursor::Direction;

/// An operation of a document: a type that stands for it, and its policy.
///
/// Implemented by generated code and by `#[derive(Operation)]`.
pub trait Operation: Sized + Send + Sync + 'static {
    /// What the document says about this operation.
    const POLICY: &'static Policy;
    /// The document it stands in.
    const DOCUMENT: &'static Document;
}

/// An operation that no caller reaches without a credential: every alternative of its security names a scheme.
///
/// It gives [`Caller::principal`](crate::Caller::principal) without an `Option`.
pub trait Secured: Operation {}

/// An operation whose list is walked by cursor.
pub trait Paginated: Operation {
    /// [`Forward`](crate::Forward), or [`BothWays`](crate::BothWays) where the document names `previous`.
    type Direction: Direction;
}

/// An operation whose answers are kept, so that a call may be sent again without being done again.
pub trait Idempotent: Operation {
    /// Its declared answers.
    type Output: crate::answer::Output + Clone;
}

/// What a document says for all its operations.
#[derive(Debug)]
pub struct Document {
    /// `info.title`.
    pub title: &'static str,
    /// `info.version`.
    pub version: &'static str,
    /// SHA-256 of everything that was read to generate from it, in hexadecimal.
    pub hash: &'static str,
    /// The security schemes, in the order of the document.
    pub schemes: &'static [Scheme],
    /// The document's own limits by address and globally: they count what matches no operation, too.
    pub limits: &'static [Limit],
    /// What refusals look like.
    pub errors: ErrorForm,
}

/// What the body of a refusal looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorForm {
    /// `{"error":{"code","message","timestamp","request_id"}}`, as `application/json`.
    #[default]
    Envelope,
    /// Problem details (RFC 9457), as `application/problem+json`.
    ProblemJson,
}
