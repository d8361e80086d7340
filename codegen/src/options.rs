//! Choices of whoever generates. There are few: what decides about a server stands in its document.

use std::path::{Path, PathBuf};

use crate::source::Source;

/// Choices of whoever generates.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    file_name: Option<String>,
    assume_public: Option<String>,
    root: Option<PathBuf>,
}

impl Options {
    /// What the header of the generated file calls the document, in place of the name of the file that is read. For
    /// documents that are read from a copy.
    #[must_use]
    pub fn named(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = Some(file_name.into());
        self
    }

    /// Generates operations that say nothing of security as public, for this reason. For adopting a document whose owner
    /// has not annotated it yet. Never silent: a warning names the operations, the header of the generated file lists
    /// them, and the policy of each carries the reason.
    #[must_use]
    pub fn assume_public(mut self, reason: impl Into<String>) -> Self {
        self.assume_public = Some(reason.into());
        self
    }

    /// Files that the document refers to may lie anywhere below this folder, in place of the document's own.
    #[must_use]
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// The folder below which files may be read, if it is not the document's own.
    pub(crate) fn root_folder(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The reason, if what says nothing of security is assumed to be public.
    pub(crate) fn assumption(&self) -> Option<&str> {
        self.assume_public.as_deref()
    }

    /// Without the folder: the same document gives the same bytes wherever it stands.
    pub(crate) fn file_name(&self, source: &Source) -> String {
        let name = self.file_name.as_deref().unwrap_or_else(|| source.name());
        name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_file_unless_it_is_given() {
        let source = Source::file("some/where/openapi.yaml");
        assert_eq!(Options::default().file_name(&source), "openapi.yaml");
        assert_eq!(Options::default().named("bank.yaml").file_name(&source), "bank.yaml");
    }
}
