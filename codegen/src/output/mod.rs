//! From tokens to a file: formatting, header, writing; and what else is known about a generated module.

mod format;
mod header;
mod layout;
mod nodes;
mod threads;
mod write;

use std::path::PathBuf;

use proc_macro2::TokenStream;

use crate::emit::Emission;
use crate::finding::Findings;
use crate::lower::lower;
use crate::model::{Api, CheckedApi};
use crate::operation_facts::{OperationFacts, operation_facts};
use crate::outline::{Outline, outline};
use crate::source::Sources;

pub use write::{is_current, write_if_changed};

pub(crate) use format::Text;
pub(crate) use header::{header, sha256};

/// A generated module, and what it was generated from.
#[derive(Debug)]
pub struct Output {
    api: CheckedApi,
    sources: Sources,
    warnings: Findings,
    file_name: String,
    hash: String,
}

impl Output {
    pub(crate) const fn new(
        api: CheckedApi,
        sources: Sources,
        warnings: Findings,
        file_name: String,
        hash: String,
    ) -> Self {
        Self { api, sources, warnings, file_name, hash }
    }

    /// The text of the generated file: header, then the formatted module.
    #[must_use]
    pub fn code(&self) -> String {
        let mut text = Text(header(&self.file_name, &self.hash, self.api().assumed.as_ref()));
        threads::text(&self.api, &self.hash).iter().for_each(|part| text.append(part));
        text.0
    }

    /// The module as tokens, for a macro. It says the same as [`Output::code`], whose header is a comment.
    #[must_use]
    pub fn tokens(&self) -> TokenStream {
        let plan = lower(&self.api);
        let emission = Emission::of(&plan, &self.hash);
        emission.pieces().iter().map(|piece| emission.write(piece)).collect()
    }

    /// Every file on disk that was read, the document first. Whoever caches the output watches these.
    #[must_use]
    pub fn files_read(&self) -> Vec<PathBuf> {
        self.sources.files().iter().filter_map(|file| file.path.clone()).collect()
    }

    /// What should be looked at, though it does not stop generation.
    #[must_use]
    pub const fn warnings(&self) -> &Findings {
        &self.warnings
    }

    /// What the document means.
    #[must_use]
    pub const fn api(&self) -> &Api {
        self.api.api()
    }

    /// SHA-256 over every file that was read, in hexadecimal, as in the header.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The names of the module, for a scaffold.
    #[must_use]
    pub fn outline(&self) -> Outline {
        outline(&lower(&self.api))
    }

    /// One operation by its `operationId`, for a derive. `types` is the path of the generated module.
    #[must_use]
    pub fn operation_facts(&self, id: &str, types: Option<&TokenStream>) -> Option<OperationFacts> {
        operation_facts(&lower(&self.api), &self.hash, id, types)
    }
}
