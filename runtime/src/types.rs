//! The types that generated code gives to the values of a document, to name them without a dependency of one's own.
//!
//! | in the document | in Rust |
//! |---|---|
//! | `format: uuid` | [`Uuid`] |
//! | `format: date-time` | [`Timestamp`] |
//! | `format: date` | [`Date`] |
//! | `format: ipv4`, `ipv6` | [`Ipv4Addr`], [`Ipv6Addr`] |
//! | `format: password` | [`Password`] |
//! | `format: binary` | [`Upload`]; as a whole answer [`Bytes`] |
//! | a schema that says nothing | [`Json`] |

pub use std::net::{Ipv4Addr, Ipv6Addr};

pub use bytes::Bytes;
pub use jiff::{Timestamp, civil::Date};
pub use uuid::Uuid;

pub use crate::input::{Json, Password, Upload};
