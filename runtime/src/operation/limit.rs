//! What a limit says: how many, in which time, of whom.

use std::time::Duration;

/// A named rate limit.
#[derive(Debug)]
pub struct Limit {
    /// Its name under `x-palisade.limits`.
    pub name: &'static str,
    /// How many requests in [`Limit::window`].
    pub quota: u32,
    /// The time in which `quota` requests come back, or that a window lasts.
    pub window: Duration,
    /// How many may come at once: what a bucket holds, the quota of a window.
    pub burst: u32,
    /// How it counts.
    pub counter: Counter,
    /// How many one request of this operation counts as.
    pub cost: u32,
    /// By what it counts: requests that have all of these in common share a counter. [`Per::Global`] stands alone.
    pub per: &'static [Per],
    /// Whether the operation is counted alone or together with all that name the limit.
    pub scope: Counting,
    /// Whether a request that succeeds counts as well.
    pub on: CountedOn,
    /// What holds while the counters that instances share cannot be asked.
    pub on_outage: OnOutage,
    /// Who is told where they stand.
    pub advertise: Advertise,
}

/// Who is told where they stand with a limit that concerns them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advertise {
    /// Who was authenticated, and everybody on a public operation.
    Admitted,
    /// Everybody, also before it is known who calls.
    Always,
    /// Who was authenticated.
    Authenticated,
}

/// What counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CountedOn {
    /// Every request.
    Request,
    /// Those that are answered with an error, and those that nobody waited for.
    Failure,
}

/// What holds of a limit while the counters that instances share cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnOutage {
    /// Each instance counts for itself, up to its share of the limit.
    Local,
    /// No request under it passes.
    Deny,
    /// It does not hold.
    Allow,
}

/// How a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counter {
    /// A bucket that holds `burst` tokens and gains `quota` of them in each `window`.
    TokenBucket,
    /// At most `quota` in the last `window`, told by the counts of this window and the one before.
    SlidingWindow,
    /// At most `quota` in each `window`: twice that around a boundary.
    FixedWindow,
    /// At most `quota` in any `window`, told by when each of them came. A quota is 64 at most.
    ExactLog,
    /// At most `quota` at once, each from when it comes until its answer has left. It has no `window`.
    Concurrency,
}

/// By what a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Per {
    /// The client's address (IPv6 by /64).
    Address,
    /// The network that the client's address is of: an IPv6 /48, or an IPv4 address alone.
    Network,
    /// The authenticated principal; who has none is counted by address.
    Principal,
    /// The tenant that the caller's credentials name, whoever calls for it; who names none is counted as a principal.
    Tenant,
    /// Everybody together.
    Global,
    /// What stands at this parameter of the path, whatever its case.
    Path(&'static str),
    /// What stands at this member of the body, whatever its case.
    Body(&'static str),
}

/// What a limit is shared over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// All operations that name the limit share it.
    Document,
    /// Each operation is counted for itself.
    Operation,
}

impl Per {
    /// Whether it counts by where requests come from.
    #[must_use]
    pub const fn is_of_origin(self) -> bool {
        matches!(self, Self::Address | Self::Network)
    }
}

impl Limit {
    /// Whether all callers share its one counter.
    #[must_use]
    pub const fn is_global(&self) -> bool {
        matches!(self.per, [Per::Global])
    }
}
