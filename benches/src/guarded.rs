//! The same operations, generated and guarded by palisade.

use std::io;

use palisade::{ApiKeys, Caller, Jwt, KeptAnswers, Problem, Secret, Server, serve};

use crate::credentials;

#[allow(unreachable_pub, reason = "the module is private to this binary")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/openapi.rs"));
}

struct Shop;

impl api::Items for Shop {
    async fn get_item(
        &self,
        _: Caller<api::GetItem>,
        input: api::GetItemInput,
    ) -> Result<api::GetItemOutput, Problem> {
        Ok(api::GetItemOutput::Ok(item(input.item_id, input.detail)))
    }

    async fn get_signed_item(
        &self,
        _: Caller<api::GetSignedItem>,
        input: api::GetSignedItemInput,
    ) -> Result<api::GetSignedItemOutput, Problem> {
        Ok(api::GetSignedItemOutput::Ok(item(input.item_id, input.detail)))
    }
}

impl api::Orders for Shop {
    async fn create_order(
        &self,
        _: Caller<api::CreateOrder>,
        input: api::CreateOrderInput,
    ) -> Result<api::CreateOrderOutput, Problem> {
        Ok(api::CreateOrderOutput::Created(recorded(&input.body)?))
    }

    async fn create_order_once(
        &self,
        _: Caller<api::CreateOrderOnce>,
        input: api::CreateOrderOnceInput,
    ) -> Result<api::CreateOrderOnceOutput, Problem> {
        Ok(api::CreateOrderOnceOutput::Created(recorded(&input.body)?))
    }
}

/// Whether it is an order.
pub(crate) fn is_order(body: &[u8]) -> bool {
    palisade::measure::body::<api::Order>(body)
}

fn recorded(order: &api::Order) -> Result<api::Recorded, Problem> {
    Ok(api::Recorded { lines: i64::try_from(order.lines.len()).map_err(Problem::internal)? })
}

fn item(id: palisade::types::Uuid, detail: i32) -> api::Item {
    api::Item { id, name: "a thing".to_owned(), price: 1250, detail }
}

pub(crate) async fn serve_guarded() -> io::Result<()> {
    let keys = ApiKeys::from_file(std::env::var(credentials::KEYS).map_err(io::Error::other)?)
        .map_err(io::Error::other)?;
    let server = guarded(keys, KeptAnswers::in_memory().map_err(io::Error::other)?)?;
    serve(server).listener(crate::listener().await?).await.map_err(io::Error::other)
}

pub(crate) fn guarded(keys: ApiKeys, answers: KeptAnswers) -> io::Result<Server> {
    let secret = Secret::new(credentials::SECRET.to_vec());
    let jwt = Jwt::new(palisade::JwkSet::from_secret(&secret).map_err(io::Error::other)?);
    api::server(Shop).key(keys).token(jwt).idempotency(answers).build().map_err(io::Error::other)
}
