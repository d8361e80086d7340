//! Step 14: a call that is sent again is not done again.
#![deny(warnings)]

mod callers;
mod clocks;
mod desk;
mod keys;
mod killed;
mod ledger;
mod ledger_clocks;
mod ledger_outage;
mod outcomes;
mod page;
mod postgres;
mod replays;
mod shared;
mod sqlite;
mod states;
