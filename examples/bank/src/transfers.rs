//! What is tagged `Transfers`.

use palisade::{Caller, Holds, Problem};
use sqlx::SqliteConnection;

use crate::api::{self, scope};
use crate::problem::Refusal;
use crate::store::{self, Side, Store, TransferOrder, TransferRow};

/// Moves money, and shows where it went.
#[derive(Debug)]
pub(crate) struct Transfers {
    pub(crate) store: Store,
}

impl api::Transfers for Transfers {
    async fn create_transfer(
        &self,
        caller: Caller<api::CreateTransfer>,
        input: api::CreateTransferInput,
    ) -> Result<api::CreateTransferOutput, Problem> {
        let order = TransferOrder {
            from: input.account_id,
            to: input.body.to,
            amount: input.body.amount,
            note: input.body.note,
            client_ref: input.body.client_ref.flatten(),
        };
        let mut work = self.store.begin().await?;
        let row = post(&mut work, order, &caller).await?;
        let output = api::CreateTransferOutput::Created(row.try_into()?);
        // the call is done exactly when the money has moved, whenever this process ends
        caller.idempotency().commit_with(&mut work, &output).await?;
        work.commit().await.map_err(Refusal::from)?;
        Ok(output)
    }

    async fn list_transfers(
        &self,
        caller: Caller<api::ListTransfers>,
        input: api::ListTransfersInput,
    ) -> Result<api::ListTransfersOutput, Problem> {
        let side = match input.direction {
            None => Side::Both,
            Some(api::Direction::In) => Side::In,
            Some(api::Direction::Out) => Side::Out,
        };
        let after = caller.position()?;
        let limit = usize::try_from(input.limit).map_err(Problem::internal)?;
        // One more than the page has tells whether there is a next one, without counting.
        let rows = self.store.transfers(input.account_id, side, after, limit.saturating_add(1)).await?;
        let page = caller.page(rows, limit, TransferRow::place)?;
        let data = page.items.into_iter().map(api::Transfer::try_from).collect::<Result<_, _>>()?;
        Ok(api::ListTransfersOutput::Ok(api::TransferPage { data, next_cursor: page.next }))
    }
}

/// The one place that moves money asks for the right to: who does not hold `transfers:write` cannot call it.
async fn post(
    work: &mut SqliteConnection,
    order: TransferOrder,
    _right: &impl Holds<scope::TransfersWrite>,
) -> Result<TransferRow, Refusal> {
    store::post(work, order).await
}
