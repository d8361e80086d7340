//! The generator of palisade: an annotated OpenAPI document in, a Rust module out that a reviewer can read.
//!
//! The macro `palisade::api!`, the build script entry [`Build`], `cargo palisade generate` and the tests all call
//! [`generate`], so the same document gives the same bytes whichever way it comes in.
//!
//! ```no_run
//! use palisade_codegen::{Options, Source, generate};
//!
//! match generate(&Source::file("openapi.yaml"), &Options::default()) {
//!     Ok(output) => std::fs::write("src/api.rs", output.code())?,
//!     Err(findings) => return Err(findings.render().into()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod annotation;
#[cfg(test)]
mod attacks;
mod build;
mod check;
mod circles;
mod document;
mod emit;
pub mod finding;
mod front;
mod lower;
pub mod mock;
pub mod model;
mod normalise;
pub mod operation_facts;
mod options;
pub mod outline;
pub mod output;
mod overlay;
mod resolve;
mod script;
pub mod source;
mod twins;

pub use finding::Findings;
pub use front::{Understood, understand, understand_with};
pub use options::Options;
pub use output::Output;
pub use script::Build;
pub use source::Source;

/// Generates the Rust module of a document. Nothing is written: see [`output::write_if_changed`].
///
/// # Errors
/// Every finding of the first stage that has an error, each with its place in the document.
pub fn generate(source: &Source, options: &Options) -> Result<Output, Findings> {
    let Understood { api, sources, warnings } = understand_with(source, options)?; // load, resolve, document, build, check
    let hash = output::sha256(sources.files().iter().map(|file| &*file.text));
    Ok(Output::new(api, sources, warnings, options.file_name(source), hash)) // lower, emit, output: when the text is asked for
}
