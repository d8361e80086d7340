//! Why a call is neither done nor answered.

use std::fmt;

use super::key::KeyFault;
use super::ledger::LedgerError;
use crate::breaker::LeftAlone;
use crate::problem::Problem;
use crate::sealing::Unsealed;
use crate::state::StateError;

/// For the log; [`mapping`](crate::problem) says what the client sees of it.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The key is none, and the document may say where one reads about it.
    Key(KeyFault, Option<&'static str>),
    /// The key was used for another call.
    OtherCall,
    /// The first call still runs.
    Running,
    /// The first call is done, and its answer was more than is kept.
    Unkept,
    /// Nobody knows what became of the first call.
    Unknown,
    /// The state cannot be asked.
    State(StateError),
    /// What is kept cannot be read.
    Unreadable(&'static str),
    /// The ledger of the application cannot be asked.
    Ledger(LedgerError),
    /// The application could not find out about an unknown call.
    Recovery(Problem),
}

impl Refusal {
    /// Where nobody is asked, because they failed.
    pub(crate) fn left_alone(&self) -> Option<LeftAlone> {
        match self {
            Self::State(error) => error.left_alone(),
            Self::Ledger(LedgerError::LeftAlone(left)) => Some(LeftAlone(*left)),
            _ => None,
        }
    }
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<Unsealed> for Refusal {
    fn from(Unsealed(why): Unsealed) -> Self {
        Self::Unreadable(why)
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(fault, _) => write!(f, "idempotency_key_{}", fault.reason()),
            Self::OtherCall => f.write_str("idempotency_key_reused"),
            Self::Running => f.write_str("idempotency_call_runs"),
            Self::Unkept => f.write_str("idempotency_answer_not_kept"),
            Self::Unknown => f.write_str("idempotency_outcome_unknown"),
            Self::State(error) => write!(f, "idempotency_state: {}", error.to_string().escape_debug()),
            Self::Unreadable(why) => write!(f, "idempotency_unreadable: {why}"),
            Self::Ledger(error) => write!(f, "idempotency_ledger: {}", error.to_string().escape_debug()),
            Self::Recovery(problem) => write!(f, "idempotency_recovery: {}", problem.code()),
        }
    }
}
