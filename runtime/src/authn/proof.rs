//! The proof that a request was authenticated. Only this module's parent makes one.

use super::{OfEach, Principal, prepared::Prepared};

/// Credentials that were verified for one operation, before anybody asked what they may do.
///
/// It borrows the operation's own alternatives, so that it cannot be shown to another operation. It has no public
/// constructor, and [`authorize`](crate::authz::authorize) consumes it.
pub(crate) struct Authenticated<'p> {
    prepared: &'p Prepared,
    /// The principal of each scheme that the operation names, in the order of `prepared`.
    held: OfEach<Option<Principal>>,
}

impl<'p> Authenticated<'p> {
    pub(in crate::authn) fn assertion(prepared: &'p Prepared, held: OfEach<Option<Principal>>) -> Self {
        Self { prepared, held }
    }

    pub(crate) fn prepared(&self) -> &'p Prepared {
        self.prepared
    }

    /// Everybody who was verified, in the order of `prepared`.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Principal> {
        self.held.iter().flatten()
    }

    /// The principal that the scheme at `index` of the operation verified.
    pub(crate) fn held(&self, index: usize) -> Option<&Principal> {
        self.held.get(index).and_then(Option::as_ref)
    }
}
