//! The command line as scripts and people meet it: the built binary, real folders, real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod generate;
mod keys;
mod scaffold;
mod support;
