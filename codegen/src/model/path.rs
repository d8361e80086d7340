//! Path templates.

/// A path template, e.g. `/accounts/{accountId}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    /// As the document writes it.
    pub text: String,
    /// Its segments, without the slashes between them.
    pub segments: Vec<Segment>,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this text (may be empty: `/a/` ends in an empty segment).
    Literal(String),
    /// A whole segment that is a path parameter of this name.
    Parameter(String),
}
