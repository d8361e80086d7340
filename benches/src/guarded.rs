//! The same operations, generated and guarded by palisade.

use std::io;

use palisade::{ApiKeys, Caller, Jwt, Problem, Secret, serve};

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
        let lines = i64::try_from(input.body.lines.len()).map_err(Problem::internal)?;
        Ok(api::CreateOrderOutput::Created(api::Recorded { lines }))
    }
}

fn item(id: palisade::types::Uuid, detail: i32) -> api::Item {
    api::Item { id, name: "a thing".to_owned(), price: 1250, detail }
}

pub(crate) async fn serve_guarded() -> io::Result<()> {
    let keys = ApiKeys::from_file(std::env::var(credentials::KEYS).map_err(io::Error::other)?)
        .map_err(io::Error::other)?;
    let secret = Secret::new(credentials::SECRET.to_vec());
    let jwt = Jwt::new(palisade::JwkSet::from_secret(&secret).map_err(io::Error::other)?);
    let server = api::server(Shop).key(keys).token(jwt).build().map_err(io::Error::other)?;
    serve(server).listener(crate::listener().await?).await.map_err(io::Error::other)
}
