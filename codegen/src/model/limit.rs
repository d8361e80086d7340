//! Named rate limits.

use std::time::Duration;

/// A limit under `x-palisade.limits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// How many requests in [`Limit::window`], or at once.
    pub quota: u32,
    /// The time in which `quota` requests come back; zero for what is under way at once.
    pub window: Duration,
    /// How many may come at once; `quota` when the document says nothing, for windows and for logs.
    pub burst: u32,
    /// How it counts.
    pub counter: Counter,
    /// By what it counts, at least one; [`Per::Global`] stands alone.
    pub per: Vec<Per>,
    /// Whether operations share it.
    pub scope: Counting,
    /// Whether a request that succeeds counts as well.
    pub on: CountedOn,
    /// What holds while the counters that instances share cannot be asked.
    pub on_outage: OnOutage,
    /// Who is told where they stand.
    pub advertise: Advertise,
}

/// Who is told where they stand with a limit (`advertise`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advertise {
    /// `admitted`, the default.
    Admitted,
    /// `always`
    Always,
    /// `authenticated`
    Authenticated,
}

/// What holds while shared counters cannot be asked (`on-outage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutage {
    /// `local`, the default.
    Local,
    /// `deny`
    Deny,
    /// `allow`
    Allow,
}

/// What counts (`on`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedOn {
    /// `request`, the default.
    Request,
    /// `failure`
    Failure,
}

/// How a limit counts (`algorithm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// `token-bucket`, the default.
    TokenBucket,
    /// `sliding-window`
    SlidingWindow,
    /// `fixed-window`
    FixedWindow,
    /// `exact-log`
    ExactLog,
    /// `concurrency`
    Concurrency,
}

/// By what a limit counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Per {
    /// The client's address.
    Address,
    /// The network that it is of.
    Network,
    /// The authenticated principal.
    Principal,
    /// The tenant that the caller's credentials name.
    Tenant,
    /// Everybody together.
    Global,
    /// `path.<name>`: what stands at this parameter.
    Path(String),
    /// `body.<name>`: what stands at this member.
    Body(String),
}

impl Limit {
    /// Whether it counts without a look at anything but where a request comes from.
    #[must_use]
    pub fn is_of_strangers(&self) -> bool {
        self.per.iter().all(|part| part.is_of_origin() || *part == Per::Global)
    }
}

impl Per {
    /// Whether it counts by where requests come from.
    #[must_use]
    pub const fn is_of_origin(&self) -> bool {
        matches!(self, Self::Address | Self::Network)
    }
}

/// What a limit is shared over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// All operations that name it.
    Document,
    /// Each operation for itself.
    Operation,
}
