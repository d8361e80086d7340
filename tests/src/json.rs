//! The server of `specs/json.yaml`.

use palisade::{Caller, Problem};

use crate::client::Client;

/// The generated module.
#[allow(clippy::all, reason = "linted where it is a golden")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/json.rs"));
}

use api::*;

/// The service.
#[derive(Debug)]
pub struct Service;

/// A server on a port of the system's choice.
pub async fn start() -> Client {
    let server = server(Service).build().expect("a complete server");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

impl Mirrors for Service {
    async fn mirror(&self, _: Caller<Mirror>, input: MirrorInput) -> Result<MirrorOutput, Problem> {
        Ok(MirrorOutput::Ok(input.body))
    }

    async fn take_texts(&self, _: Caller<TakeTexts>, _: TakeTextsInput) -> Result<TakeTextsOutput, Problem> {
        Ok(TakeTextsOutput::NoContent)
    }

    async fn take_pair(&self, _: Caller<TakePair>, _: TakePairInput) -> Result<TakePairOutput, Problem> {
        Ok(TakePairOutput::NoContent)
    }

    async fn take_page(&self, _: Caller<TakePage>, input: TakePageInput) -> Result<TakePageOutput, Problem> {
        let items: Vec<i64> = input.body.items;
        drop(items);
        Ok(TakePageOutput::NoContent)
    }
}
