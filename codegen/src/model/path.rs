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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Exactly this text (may be empty: `/a/` ends in an empty segment).
    Literal(String),
    /// A whole segment that is a path parameter of this name.
    Parameter(String),
    /// Literals and parameters in turn: the text before each parameter with its name, and the text behind the last.
    Mixed(Vec<(String, String)>, String),
}

impl Segment {
    /// The parameters in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let (whole, mixed): (Option<&str>, &[(String, String)]) = match self {
            Self::Literal(_) => (None, &[]),
            Self::Parameter(name) => (Some(name), &[]),
            Self::Mixed(parts, _) => (None, parts),
        };
        whole.into_iter().chain(mixed.iter().map(|(_, name)| name.as_str()))
    }

    /// What all segments are that match the same text, whatever their parameters are called.
    #[must_use]
    pub fn without_names(&self) -> Self {
        match self {
            Self::Literal(text) => Self::Literal(text.clone()),
            Self::Parameter(_) => Self::Parameter(String::new()),
            Self::Mixed(parts, end) => {
                let parts = parts.iter().map(|(text, _)| (text.clone(), String::new()));
                Self::Mixed(parts.collect(), end.clone())
            }
        }
    }
}
