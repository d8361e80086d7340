//! The proof that every rule of `check` held.

use super::Api;

/// An [`Api`] that `check` let through. Lowering takes nothing else, so what was not checked cannot be emitted.
#[derive(Clone, Debug)]
pub struct CheckedApi(Api);

impl CheckedApi {
    /// For `check` alone (and for tests of the stages behind it), after its last rule.
    pub(crate) const fn after_every_rule(api: Api) -> Self {
        Self(api)
    }

    /// What was checked.
    #[must_use]
    pub const fn api(&self) -> &Api {
        &self.0
    }
}
