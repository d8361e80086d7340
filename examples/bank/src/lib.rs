//! A small bank: what a server looks like that palisade generates from an annotated document.
//!
//! `openapi.yaml` says who may do what; the build script turns it into [`api`]. The rest is the bank's own: its
//! [books](store), its [refusals](problem), and one type for each tag of the document that answers its operations.

/// Generated from `openapi.yaml`.
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/openapi.rs"));
}

mod accounts;
mod admin;
mod convert;
pub mod keys;
mod partners;
pub mod problem;
mod status;
pub mod store;
mod transfers;

use std::path::Path;

use palisade::{AnswerKeys, ApiKeys, ConfigError, CursorKeys, Jwt, KeptAnswers, Server, State};

use crate::accounts::Accounts;
use crate::admin::Admin;
use crate::partners::Partners;
use crate::problem::Refusal;
use crate::status::Status;
use crate::store::Store;
use crate::transfers::Transfers;

/// The bank: each field answers the operations of one tag.
#[derive(Debug, palisade::Service)]
pub struct Bank {
    #[serves(api::Status)]
    status: Status,
    #[serves(api::Accounts, api::ResolveAccount)]
    accounts: Accounts,
    #[serves(api::Transfers)]
    transfers: Transfers,
    #[serves(api::Partners)]
    partners: Partners,
    #[serves(api::Admin)]
    admin: Admin,
    books: Store,
}

impl Bank {
    /// Opens the bank whose books are in the folder `data`; founds it when there is none.
    pub async fn open(data: &Path) -> Result<Self, Refusal> {
        let store = Store::open(&data.join("bank.sqlite")).await?;
        Ok(Self {
            status: Status,
            accounts: Accounts { store: store.clone() },
            transfers: Transfers { store: store.clone() },
            partners: Partners { store: store.clone() },
            admin: Admin { store: store.clone() },
            books: store,
        })
    }

    /// Its books, e.g. to close them when the last request is answered.
    #[must_use]
    pub fn books(&self) -> &Store {
        &self.books
    }
}

/// The bank behind its gate: `build` compiles only when every part that the document needs is there.
pub fn server(
    bank: Bank,
    tokens: Jwt,
    partners: ApiKeys,
    cursors: CursorKeys,
    answers: AnswerKeys,
) -> Result<Server, ConfigError> {
    // what this process forgets when it ends, the books know
    let answers = KeptAnswers::new(State::memory(), answers).ledger(bank.books().ledger());
    api::server(bank).oauth(tokens).partner(partners).cursor_keys(cursors).idempotency(answers).build()
}
