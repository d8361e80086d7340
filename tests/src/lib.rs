//! Servers over real sockets, and what tests need to talk to them. Tests panic when they fail: that is their way.

pub mod attacks;
pub mod authority;
pub mod client;
pub mod compiled;
pub mod corpus;
pub mod dice;
pub mod events;
pub mod faulty;
pub mod gate;
pub mod instance;
pub mod json;
pub mod ledger;
pub mod postgres_server;
pub mod provider;
pub mod proxy_header;
pub mod redis_server;
pub mod tokens;
pub mod waiting;
pub mod wire;
