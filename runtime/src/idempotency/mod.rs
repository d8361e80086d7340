//! Calls that may be sent again without being done again: the first call under a key claims it, and its answer is kept for
//! those that follow (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! | file | what |
//! |---|---|
//! | `key` | the key that a client gives its call |
//! | `strength` | whether nobody guesses it |
//! | `decide` | what becomes of a call, by what is kept under its key |
//! | `name` | what a call is kept under |
//! | `call` | claiming the key of a call |
//! | `claim` | what became of the call that claimed it |
//! | `abandoned` | claims of calls that did not run |
//! | `kept` | an answer as it is kept |
//! | `keys` | how records are sealed |
//! | `ledger` | a record that the application commits together with its effect |
//! | `asked` | how it is asked, and when it is left alone |
//! | `refusal` | why a call is neither done nor answered |
//!
//! Rules:
//! 1. A record is kept under operation, principals and key together: another caller's key is another record, and nobody
//!    learns whose keys there are. A record says nothing to who reads the state: it is sealed.
//! 2. A claim is one atomic insert. Its version is its fencing token: who comes late, after the key was claimed anew, changes
//!    nothing, and gets the answer of the one who did, or 409 while there is none. It is leased by the clock of the state, in
//!    memory and in a file one that nobody sets: what the clock of an instance says makes no call seem dead that runs.
//! 3. What a handler answered is kept, whatever it is, before the first byte leaves; but 401, 403 and 429 are not kept, and
//!    the key is free again. A call that was refused before its handler never had it.
//! 4. A state that cannot be asked refuses the call: no handler runs unprotected, and what it claimed late is taken back.
//!    When it cannot keep the answer of a handler that ran, the key stays *unknown*; the client gets the answer when no other
//!    can come after it (`rerun: never`, or the ledger has it), else 503: the handler may run again, and one call has one
//!    answer. So it is, too, where there is a ledger and it does not take the answer.
//! 5. Each principal has so many keys in a day ([`KeptAnswers::calls_per_day`]) and so many bytes of what is kept under them
//!    ([`KeptAnswers::bytes_per_day`]), each answer 768 KiB, and the state its room: when it is full, 503.

mod abandoned;
mod asked;
mod call;
mod claim;
mod decide;
mod kept;
mod key;
mod keys;
mod ledger;
mod name;
#[cfg(feature = "postgres")]
mod postgres;
mod refusal;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod strength;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use self::abandoned::Followed;
use self::asked::Asked;
pub(crate) use self::call::{Call, Claimed};
pub(crate) use self::claim::Claim;
pub(crate) use self::kept::Kept;
pub(crate) use self::key::{ClientKey, KeyFault};
pub use self::keys::AnswerKeys;
pub use self::ledger::{CommitError, Ledger, LedgerError, Line, Once, Transaction};
#[cfg(feature = "postgres")]
pub use self::postgres::{POSTGRES_TABLE, PostgresLedger};
pub(crate) use self::refusal::Refusal;
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SQLITE_TABLE, SqliteLedger};
use crate::cursor::CursorKeyError;
use crate::problem::Problem;
use crate::state::State;

/// How long after its deadline a call counts as running.
const MARGIN: Duration = Duration::from_secs(30);
/// How many keys a principal has in a day.
const CALLS_PER_DAY: u32 = 10_000;
/// How many bytes of answers: some 6 KiB for each of those keys. A state in a file, which has room for 4 GiB unless something is
/// said, is not filled by a few principals.
const BYTES_PER_DAY: u64 = 64 << 20;

/// Keeps the answers of a server's idempotent operations.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use palisade::{AnswerKeys, KeptAnswers, State};
///
/// let keys = AnswerKeys::from_list("2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=")?;
/// let answers = KeptAnswers::new(State::memory(), keys).calls_per_day(50_000);
/// # drop(answers);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeptAnswers {
    state: State,
    keys: Arc<AnswerKeys>,
    ledger: Option<Arc<Asked>>,
    recover: Option<Arc<Recover>>,
    margin: Duration,
    calls_per_day: u32,
    bytes_per_day: u64,
    followed: Followed,
}

type Recover = dyn Fn(Unsettled) -> Recovering + Send + Sync;
type Recovering = Pin<Box<dyn Future<Output = Result<Recovered, Problem>> + Send>>;

/// A call of which nobody knows what became of it, for [`KeptAnswers::recover`].
#[derive(Clone)]
#[non_exhaustive]
pub struct Unsettled {
    /// `operationId`.
    pub operation: &'static str,
    /// Who vouches for the caller.
    pub issuer: String,
    /// Who called.
    pub subject: String,
    /// For which tenant, where a credential of the call names one: as [`Caller::tenant`](crate::Caller::tenant) says it.
    pub tenant: Option<String>,
    /// The key of the call, without quotes.
    pub key: String,
}

/// What the application found out about an [`Unsettled`] call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It was not done and will not be: the handler runs.
    NotDone,
    /// Nobody knows: the call is refused.
    Unknown,
}

impl KeptAnswers {
    /// In this state, sealed by these keys.
    #[must_use]
    pub fn new(state: State, keys: AnswerKeys) -> Self {
        Self {
            state,
            keys: Arc::new(keys),
            ledger: None,
            recover: None,
            margin: MARGIN,
            calls_per_day: CALLS_PER_DAY,
            bytes_per_day: BYTES_PER_DAY,
            followed: Followed::default(),
        }
    }

    /// Of this process alone, and gone when it ends: for tests, and beside a [`Ledger`].
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn in_memory() -> Result<Self, CursorKeyError> {
        Ok(Self::new(State::memory(), AnswerKeys::generate()?))
    }

    /// Where the application commits a call together with its effect ([`Once::commit_with`]): asked before a handler runs,
    /// and about every call of which nothing else is known.
    #[must_use]
    pub fn ledger(mut self, ledger: impl Ledger) -> Self {
        self.ledger = Some(Arc::new(Asked::new(ledger)));
        self
    }

    /// Asks the application about a call of which nobody knows what became of it, before it is refused.
    #[must_use]
    pub fn recover<F, Fut>(mut self, ask: F) -> Self
    where
        F: Fn(Unsettled) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Recovered, Problem>> + Send + 'static,
    {
        self.recover = Some(Arc::new(move |call| Box::pin(ask(call))));
        self
    }

    /// How many keys a principal may use in a day, 10,000 when nothing is said; over it, 429. Each process counts for
    /// itself, unless instances [share their limits](crate::Settings::limits_in). A call that is sent again is not counted again.
    #[must_use]
    pub fn calls_per_day(mut self, calls: u32) -> Self {
        self.calls_per_day = calls;
        self
    }

    /// How many bytes of answers a principal may have kept in a day, 64 MiB when nothing is said; over it, 429. Counted in
    /// kibibytes, where keys are. A call is charged the longest answer that its document allows before its handler runs, and
    /// what the answer did not take is given back: no number of calls at once gets more kept than that.
    #[must_use]
    pub fn bytes_per_day(mut self, bytes: u64) -> Self {
        self.bytes_per_day = bytes;
        self
    }

    /// How long after its deadline a call counts as running, by the clock of the state, 30 seconds when nothing is said.
    #[must_use]
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    pub(crate) const fn most_calls(&self) -> u32 {
        self.calls_per_day
    }

    pub(crate) const fn most_bytes(&self) -> u64 {
        self.bytes_per_day
    }
}

impl fmt::Debug for KeptAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptAnswers").field("ledger", &self.ledger.is_some()).finish_non_exhaustive()
    }
}

/// Without the subject and the key, which are personal.
impl fmt::Debug for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsettled").field("operation", &self.operation).finish_non_exhaustive()
    }
}
