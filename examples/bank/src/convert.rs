//! From rows of the books to the types of the document.

use jiff::Timestamp;

use crate::api;
use crate::problem::Refusal;
use crate::store::{AccountRow, Currency, PayoutRow, TransferRow};

impl From<Currency> for api::Currency {
    fn from(currency: Currency) -> Self {
        match currency {
            Currency::Eur => Self::Eur,
            Currency::Usd => Self::Usd,
            Currency::Gbp => Self::Gbp,
        }
    }
}

impl From<api::Currency> for Currency {
    fn from(currency: api::Currency) -> Self {
        match currency {
            api::Currency::Eur => Self::Eur,
            api::Currency::Usd => Self::Usd,
            api::Currency::Gbp => Self::Gbp,
        }
    }
}

impl TryFrom<AccountRow> for api::Account {
    type Error = Refusal;

    fn try_from(row: AccountRow) -> Result<Self, Refusal> {
        Ok(Self {
            id: row.id,
            owner: row.owner,
            name: row.name,
            currency: row.currency.into(),
            balance: row.balance,
            frozen: row.frozen,
            created_at: Timestamp::from_microsecond(row.created_at)?,
        })
    }
}

impl TryFrom<TransferRow> for api::Transfer {
    type Error = Refusal;

    fn try_from(row: TransferRow) -> Result<Self, Refusal> {
        Ok(Self {
            id: row.id,
            from: row.sender,
            to: row.receiver,
            amount: row.amount,
            currency: row.currency.into(),
            note: row.note,
            client_ref: row.client_ref,
            created_at: Timestamp::from_microsecond(row.created_at)?,
        })
    }
}

impl TryFrom<PayoutRow> for api::Payout {
    type Error = Refusal;

    fn try_from(row: PayoutRow) -> Result<Self, Refusal> {
        Ok(Self {
            id: row.id,
            account: row.account,
            partner: row.partner,
            iban: row.iban,
            amount: row.amount,
            currency: row.currency.into(),
            purposes: row.purposes.lines().map(str::to_owned).collect(),
            created_at: Timestamp::from_microsecond(row.created_at)?,
        })
    }
}
