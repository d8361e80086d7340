//! Sinks of security events, which can be away, and operations that are not done while nobody is told of them.
#![deny(warnings)]

mod adopted;
mod audit;
mod desk;
mod outage;
mod page;
