//! Limits of several instances over sockets: one Redis counts for all, and each limit does as it says while it is away.

mod attempts;
mod bench;
mod counting;
mod outages;
mod under_way;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/shared.rs"));
}
