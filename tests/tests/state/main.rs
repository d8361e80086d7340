//! What a server remembers: every engine keeps the rules of `palisade::state`, by one suite.

#[cfg(target_os = "linux")]
mod disk;
mod embedded;
mod limits;
mod memory;
mod model;
mod page;
mod shared;
mod suite;
mod tls;
