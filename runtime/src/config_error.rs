//! What is missing or contradictory when a server is built: everything at once, before the first request.

use std::error::Error;
use std::fmt;

/// A server that is not complete does not start. Holds every fault that was found.
pub struct ConfigError {
    faults: Vec<String>,
}

impl ConfigError {
    pub(crate) fn new(faults: Vec<String>) -> Self {
        Self { faults }
    }

    pub(crate) fn unknown_operation(id: &str) -> Self {
        Self::new(vec![format!("operation `{id}` was not given to the gate")])
    }

    pub(crate) fn route(path: &str) -> Self {
        Self::new(vec![format!("path `{path}` has an operation twice")])
    }

    /// Each fault, in the order of the document.
    pub fn faults(&self) -> impl Iterator<Item = &str> {
        self.faults.iter().map(String::as_str)
    }
}

/// As it is displayed: a `main` that returns it prints it so.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server is not complete:")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl Error for ConfigError {}
