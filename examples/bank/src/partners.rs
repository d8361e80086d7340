//! What is tagged `Partners`.

use palisade::{Caller, Problem};

use crate::api::{self, Currency};
use crate::store::{PayoutOrder, Store};

/// Quotes rates, and pays out on a customer's behalf.
#[derive(Debug)]
pub(crate) struct Partners {
    pub(crate) store: Store,
}

const CURRENCIES: [Currency; 3] = [Currency::Eur, Currency::Usd, Currency::Gbp];

impl api::Partners for Partners {
    async fn get_rate(
        &self,
        _caller: Caller<api::GetRate>,
        input: api::GetRateInput,
    ) -> Result<api::GetRateOutput, Problem> {
        let quote = match input.quote {
            api::GetRateQuote::Eur => Currency::Eur,
            api::GetRateQuote::Usd => Currency::Usd,
            api::GetRateQuote::Gbp => Currency::Gbp,
        };
        Ok(api::GetRateOutput::Ok(rate(input.base, quote)))
    }

    async fn list_rates(
        &self,
        _caller: Caller<api::ListRates>,
        _input: api::ListRatesInput,
    ) -> Result<api::ListRatesOutput, Problem> {
        let pairs = CURRENCIES.iter().flat_map(|base| CURRENCIES.iter().map(move |quote| (*base, *quote)));
        let data =
            pairs.filter(|(base, quote)| base != quote).map(|(base, quote)| rate(base, quote)).collect();
        Ok(api::ListRatesOutput::Ok(api::RateList { data }))
    }

    async fn create_payout(
        &self,
        caller: Caller<api::CreatePayout>,
        input: api::CreatePayoutInput,
    ) -> Result<api::CreatePayoutOutput, Problem> {
        // The customer owns the account: the gate saw to it. Who asked on the customer's behalf is the key's owner.
        let partner =
            caller.identity_of("partner").ok_or_else(|| Problem::internal("a payout without its key"))?;
        let order = PayoutOrder {
            account: input.account_id,
            partner: partner.subject().to_owned(),
            iban: input.body.iban,
            amount: input.body.amount,
            purposes: input.body.purposes.unwrap_or_default(),
        };
        let row = self.store.pay_out(order).await?;
        Ok(api::CreatePayoutOutput::Created(row.try_into()?))
    }
}

/// What one `base` is worth: a real bank would ask its market desk.
fn rate(base: Currency, quote: Currency) -> api::Rate {
    let euros = |currency| match currency {
        Currency::Eur => 1_000_000,
        Currency::Usd => 920_000,
        Currency::Gbp => 1_180_000,
    };
    api::Rate { base, quote, micros: euros(base) * 1_000_000 / euros(quote) }
}
