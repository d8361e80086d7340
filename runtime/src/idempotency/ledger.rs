//! A ledger: where the application writes, in the transaction of the effect itself, that a call was done.
//!
//! The state knows of a call before its handler runs and after it ended; a process that ends in between leaves a call of
//! which nobody knows. A line that is committed together with the effect is there exactly when the effect is. Rules:
//! 1. the line has the answer, so a call that was done is answered as it was, though no answer of it was ever kept;
//! 2. the ledger is asked before a handler runs, after one that wrote no line, and about every call that is unknown;
//! 3. a line is there once: as long as it is there, a second run of the call cannot commit its effect. When it ends, the clock
//!    of the database says, and no instance;
//! 4. an answer that is kept and that the handler wrote no line for has one written before anybody gets it. Else the commit
//!    of a run that was cut off could come later, and the call would have two answers;
//! 5. a line is there for longer than what is kept of its call in the state: a call is forgotten there first.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::claim::Claim;
use super::kept::Kept;
use crate::answer::{Output, Unfit};
use crate::authn::StoreFuture;
use crate::breaker::LeftAlone;
use crate::operation::Idempotent;
use crate::problem::Problem;

/// Where lines are found that were committed. Implemented for SQLite and Postgres by features of those names.
pub trait Ledger: Send + Sync + 'static {
    /// The value of the line under `key` that has not ended, if one was committed.
    ///
    /// It must see every transaction that was committed before it is asked: a replica that lags behind does not.
    fn find(&self, key: [u8; 32]) -> StoreFuture<'_, Option<Vec<u8>>, LedgerError>;

    /// Writes the line in a transaction of its own, and commits it: the call came to this, and no other run of it may be
    /// committed any more. As [`Transaction::insert`] does, it waits for a transaction that holds a line with this key.
    fn insert(&self, line: Line) -> StoreFuture<'_, (), LedgerError>;
}

/// A transaction of the application, which takes a line. Implemented for those of sqlx by the features `sqlite` and
/// `postgres`.
pub trait Transaction: Send {
    /// Writes the line into the transaction. Lines that have ended may be removed.
    ///
    /// It must fail with [`LedgerError::Repeated`], or make the commit fail, when a line with this key is there or is
    /// committed first.
    fn insert(&mut self, line: Line) -> StoreFuture<'_, (), LedgerError>;
}

/// What says that a call was done.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// What names the call: a digest, unique in the ledger.
    pub key: [u8; 32],
    /// Its answer, sealed; about a mebibyte at most.
    pub value: Vec<u8>,
    /// How long it is needed from now on. It ends by the clock of the database: those of two instances may differ, and for
    /// one that is ahead a line would have ended that another relies on.
    pub keep: Duration,
}

impl Line {
    /// A line of one's own, to try an implementation of [`Transaction`] with.
    #[must_use]
    pub const fn new(key: [u8; 32], value: Vec<u8>, keep: Duration) -> Self {
        Self { key, value, keep }
    }
}

/// Why a ledger did not do what it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum LedgerError {
    /// The line is there already: the call was done.
    Repeated,
    /// It did not answer within two seconds. A line that it was to write may be there.
    Late,
    /// It failed several times, and is not asked for this long.
    LeftAlone(Duration),
    /// It failed.
    Store(Box<dyn Error + Send + Sync>),
}

/// Why a call could not be written into a transaction. The transaction must not be committed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CommitError {
    /// Another run of this call was committed first: this one must leave no effect. Whatever the handler answers, the
    /// client gets the answer of that one.
    Repeated,
    /// The ledger would not be asked: [`KeptAnswers::ledger`](crate::KeptAnswers::ledger) names none.
    NoLedger,
    /// The answer does not fit the document.
    Unfit(Unfit),
    /// The line could not be written.
    Failed(Box<dyn Error + Send + Sync>),
}

/// A call of an idempotent operation, for its handler: [`Caller::idempotency`](crate::Caller::idempotency).
pub struct Once<'a, Op> {
    claim: Option<&'a Claim>,
    operation: std::marker::PhantomData<fn() -> Op>,
}

impl<'a, Op: Idempotent> Once<'a, Op> {
    pub(crate) const fn new(claim: Option<&'a Claim>) -> Self {
        Self { claim, operation: std::marker::PhantomData }
    }

    /// Whether the call has a key; where the document requires one, it has.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.claim.is_some()
    }

    /// Writes into `transaction` that this call was done, with this answer. Commit it together with the effect: then both
    /// are there, or neither, and nothing is done twice. A call without a key writes nothing.
    ///
    /// # Errors
    /// When the line cannot be written: then do not commit.
    pub async fn commit_with<T: Transaction + ?Sized>(
        &self,
        transaction: &mut T,
        output: &Op::Output,
    ) -> Result<(), CommitError> {
        let Some(claim) = self.claim else { return Ok(()) };
        if !claim.has_ledger() {
            return Err(CommitError::NoLedger);
        }
        let answer = output.clone().answer().map_err(CommitError::Unfit)?;
        let answer = answer.into_response(claim.accept());
        let (kept, _) = Kept::of(answer).await.map_err(|error| CommitError::Failed(error.into()))?;
        let line =
            claim.line(kept.clone()).map_err(|refusal| CommitError::Failed(refusal.to_string().into()))?;
        match transaction.insert(line).await {
            Ok(()) => {
                claim.wrote(&kept);
                Ok(())
            }
            Err(LedgerError::Repeated) => {
                claim.repeats();
                Err(CommitError::Repeated)
            }
            Err(error) => Err(CommitError::Failed(error.into())),
        }
    }
}

/// The value holds an answer.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl<Op> fmt::Debug for Once<'_, Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("has_key", &self.claim.is_some()).finish_non_exhaustive()
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated => f.write_str("the call is in the ledger already"),
            Self::Late => f.write_str("the ledger did not answer in time"),
            Self::LeftAlone(_) => f.write_str("the ledger failed, and is left alone for a moment"),
            Self::Store(error) => write!(f, "the ledger failed: {error}"),
        }
    }
}

impl Error for LedgerError {}

impl From<LeftAlone> for LedgerError {
    fn from(LeftAlone(left): LeftAlone) -> Self {
        Self::LeftAlone(left)
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated => f.write_str("another run of this call was committed first"),
            Self::NoLedger => f.write_str("the kept answers have no ledger that could be asked"),
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Failed(error) => write!(f, "the call could not be written into the transaction: {error}"),
        }
    }
}

impl Error for CommitError {}

/// What the application could not commit is its server's fault.
impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        Self::internal(error)
    }
}
