//! What is tagged `Admin`.

use palisade::{Caller, Problem};

use crate::api;
use crate::store::Store;

/// Freezes accounts.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) store: Store,
}

impl api::Admin for Admin {
    async fn set_freeze(
        &self,
        caller: Caller<api::SetFreeze>,
        input: api::SetFreezeInput,
    ) -> Result<api::SetFreezeOutput, Problem> {
        let api::Freeze { frozen, reason } = input.body;
        let decided_by = caller.principal().subject();
        let row = self.store.set_frozen(input.account_id, frozen, &reason, decided_by).await?;
        Ok(api::SetFreezeOutput::Ok(row.ok_or_else(Problem::not_found)?.try_into()?))
    }
}
