//! Files: spooled as they arrive, within what the document and the server allow, and gone when nobody holds them.
#![deny(warnings)]

mod bench;
mod bodies;
mod disk;
mod parts;

/// The generated module.
#[allow(clippy::all, missing_docs, reason = "linted where it is a golden")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/uploads.rs"));
}
