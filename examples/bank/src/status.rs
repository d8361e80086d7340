//! What is tagged `Status`.

use jiff::Timestamp;
use palisade::{Caller, Problem};

use crate::api;

/// Says whether the bank is open.
#[derive(Debug)]
pub(crate) struct Status;

impl api::Status for Status {
    async fn get_status(
        &self,
        _caller: Caller<api::GetStatus>,
        _input: api::GetStatusInput,
    ) -> Result<api::GetStatusOutput, Problem> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(api::GetStatusOutput::Ok(api::BankStatus { open: true, version, time: Timestamp::now() }))
    }
}
