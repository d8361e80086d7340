//! What is wrong with a configuration: key, file and environment variable of each fault, all at once.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::key::Key;

/// A configuration that cannot be used.
pub struct LoadError {
    file: PathBuf,
    faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Debug)]
struct Fault {
    /// The key and its variable, or the line.
    place: String,
    why: String,
}

/// Faults of one reading; it becomes an error when there are any.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, key: &Key, why: impl Into<String>) {
        let place = format!("`{key}` (or the variable {}): ", key.variable());
        self.0.push(Fault { place, why: why.into() });
    }

    pub(super) fn add_variable(&mut self, variable: &str, why: impl Into<String>) {
        self.0.push(Fault { place: format!("variable {variable}: "), why: why.into() });
    }

    pub(super) fn add_plain(&mut self, why: impl Into<String>) {
        self.0.push(Fault { place: String::new(), why: why.into() });
    }

    pub(super) fn finish<T>(self, file: &Path, value: impl FnOnce() -> Option<T>) -> Result<T, LoadError> {
        if let (true, Some(value)) = (self.0.is_empty(), value()) {
            return Ok(value);
        }
        Err(LoadError { file: file.to_owned(), faults: self.0 })
    }
}

impl LoadError {
    /// How many things are wrong.
    #[must_use]
    pub fn count(&self) -> usize {
        self.faults.len()
    }
}

/// As it is displayed: a `main` that returns it prints it so.
impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration `{}` cannot be used", self.file.display())?;
        for Fault { place, why } in &self.faults {
            write!(f, "\n  {place}{why}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}
