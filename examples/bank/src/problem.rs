//! What the bank refuses, and what its clients are told.

use std::error::Error;
use std::fmt;

use crate::api;

/// Why the bank did not do what it was asked to.
///
/// The derive holds every status against the document, and shows clients nothing but status, code and message.
#[derive(Debug, palisade::Problem)]
#[problem(operations(api::CreateTransfer, api::CreatePayout))]
pub enum Refusal {
    /// The account has less than was asked for.
    #[problem(
        status = 409,
        code = "insufficient_funds",
        message = "there is not enough money on the account"
    )]
    InsufficientFunds,
    /// The account is frozen.
    #[problem(status = 409, code = "account_frozen", message = "the account is frozen; talk to the bank")]
    AccountFrozen,
    /// No account has the id that was to receive.
    #[problem(status = 409, code = "unknown_receiver", message = "no account can receive under this id")]
    UnknownReceiver,
    /// The two accounts have different currencies.
    #[problem(
        status = 409,
        code = "currency_mismatch",
        message = "both accounts must have the same currency"
    )]
    CurrencyMismatch,
    /// Sender and receiver are one account.
    #[problem(status = 409, code = "same_account", message = "sender and receiver are the same account")]
    SameAccount,
    /// The receiver would have more than the books can hold.
    #[problem(status = 409, code = "receiver_full", message = "the receiver cannot take this much")]
    ReceiverFull,
    /// There is no such account.
    #[problem(status = 404, code = "not_found", message = "there is no such account")]
    NoSuchAccount,
    /// The books could not be read or written.
    #[problem(status = 500, code = "internal", message = "the bank could not do it; nothing has moved")]
    Books(#[from] sqlx::Error),
    /// The books hold a time that no calendar has.
    #[problem(status = 500, code = "internal", message = "the bank could not do it; nothing has moved")]
    Calendar(#[from] jiff::Error),
}

/// For the operator's eyes: what clients see is above.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Books(error) => write!(f, "the books cannot be read or written: {error}"),
            Self::Calendar(error) => write!(f, "the books hold a time that no calendar has: {error}"),
            refused => write!(f, "refused: {refused:?}"),
        }
    }
}

impl Error for Refusal {}
