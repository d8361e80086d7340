//! Named rate limits.

use std::time::Duration;

/// A limit under `x-palisade.limits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// How many requests in [`Limit::window`].
    pub quota: u32,
    /// The time in which `quota` requests come back.
    pub window: Duration,
    /// How many may come at once; `quota` when the document says nothing.
    pub burst: u32,
    /// Whom it counts.
    pub per: Per,
    /// Whether operations share it.
    pub scope: Counting,
}

/// Whom a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The client's address.
    Address,
    /// The authenticated principal.
    Principal,
    /// Everybody together.
    Global,
}

/// What a limit is shared over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// All operations that name it.
    Document,
    /// Each operation for itself.
    Operation,
}
