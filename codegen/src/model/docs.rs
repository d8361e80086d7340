//! Prose of a document.

/// What a document says about a thing, in its own words. Not yet fit for a Rust comment: `emit` sees to that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Docs {
    /// `summary`, or `title` of a schema.
    pub summary: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `deprecated`.
    pub deprecated: bool,
}

impl Docs {
    /// Only a description.
    #[must_use]
    pub fn described(text: impl Into<String>) -> Self {
        Self { description: Some(text.into()), ..Self::default() }
    }
}
