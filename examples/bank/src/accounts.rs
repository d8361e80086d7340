//! What is tagged `Accounts`, and the account that a request is about.

use palisade::{Caller, Problem};

use crate::api;
use crate::store::{AccountRow, Store};

/// Shows customers their accounts.
#[derive(Debug)]
pub struct Accounts {
    pub(crate) store: Store,
}

impl api::Accounts for Accounts {
    async fn list_accounts(
        &self,
        caller: Caller<api::ListAccounts>,
        input: api::ListAccountsInput,
    ) -> Result<api::ListAccountsOutput, Problem> {
        let owner = caller.principal().subject();
        let rows = self.store.accounts_of(owner, input.currency.map(Into::into)).await?;
        let data = rows.into_iter().map(api::Account::try_from).collect::<Result<_, _>>()?;
        Ok(api::ListAccountsOutput::Ok(api::AccountList { data }))
    }

    async fn get_account(
        &self,
        _caller: Caller<api::GetAccount>, // the gate has compared the owner already
        input: api::GetAccountInput,
    ) -> Result<api::GetAccountOutput, Problem> {
        let row = self.store.account(input.account_id).await?.ok_or_else(Problem::not_found)?;
        Ok(api::GetAccountOutput::Ok(row.try_into()?))
    }
}

impl api::ResolveAccount for Accounts {
    type Account = AccountRow;

    async fn resolve_account(&self, id: &str) -> Result<Option<AccountRow>, Problem> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(self.store.account(id).await?)
    }
}
