//! What is wrong with an input, for the client: where, which rule of the document, and a sentence.
//!
//! None of the three carries anything that the client submitted: the pointer is made of the document's names and of
//! positions, the rule is a word of ours, the message is made of the document's facts.

use std::borrow::Cow;

use serde::Serialize;

use super::At;
use crate::operation::Location;

/// No more than these are told. A body of a thousand mistakes must not make an answer of a thousand lines.
const MOST: usize = 32;

/// One place of an input that is not what the document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which part of the request.
    #[serde(rename = "in")]
    pub section: Section,
    /// Where in it: a JSON pointer (RFC 6901). For a parameter, `/` and its name.
    pub pointer: String,
    /// The rule: a keyword of JSON Schema where there is one.
    pub rule: &'static str,
    /// The rule in words, with the document's values.
    pub message: Cow<'static, str>,
}

/// The parts of a request that carry input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the words of OpenAPI")]
pub enum Section {
    Body,
    Path,
    Query,
    Header,
    Cookie,
}

impl From<Location> for Section {
    fn from(location: Location) -> Self {
        match location {
            Location::Path => Self::Path,
            Location::Query | Location::QueryString => Self::Query,
            Location::Header => Self::Header,
            Location::Cookie => Self::Cookie,
        }
    }
}

/// Every violation that was found, up to 32. Allocates nothing until there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Violations {
    list: Vec<Violation>,
    #[serde(skip)]
    shaped: bool,
}

impl Violations {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { list: Vec::new(), shaped: false }
    }

    /// Of a value whose reading held it against its schema already, wherever its type is not all that the schema says.
    pub(super) const fn of_read() -> Self {
        Self { list: Vec::new(), shaped: true }
    }

    /// Whether what is looked at was held against its schema as a whole.
    pub(super) const fn is_shaped(&self) -> bool {
        self.shaped
    }

    /// Runs `look` inside a value that was held against its schema as a whole.
    pub(super) fn in_shaped<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.shaped, true);
        let found = look(self);
        self.shaped = before;
        found
    }

    /// Adds one, unless there are enough.
    pub fn push(&mut self, at: &At<'_>, rule: &'static str, message: impl Into<Cow<'static, str>>) {
        if !self.is_full() {
            let violation =
                Violation { section: at.section(), pointer: at.pointer(), rule, message: message.into() };
            self.list.push(violation);
        }
    }

    /// Adds those of another list, as far as there is place.
    pub(super) fn append(&mut self, other: Self) {
        self.list.extend(other.list);
        self.list.truncate(MOST);
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Violation> {
        self.list.iter_mut()
    }

    /// Whether there is no use in looking for more.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.list.len() >= MOST
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether all is well.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Each of them, in the order of the document.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_at_thirty_two() {
        let mut violations = Violations::new();
        assert!(violations.is_empty());
        for index in 0..31 {
            violations.push(&At::root().index(index), "type", "x");
        }
        assert!(!violations.is_full());
        for index in 31..100 {
            violations.push(&At::root().index(index), "type", "x");
        }
        assert!(violations.is_full());
        assert_eq!(violations.len(), 32);
        assert_eq!(violations.iter().next_back().map(|last| last.pointer.as_str()), Some("/31"));
    }

    #[test]
    fn serializes_as_a_list_with_the_part() {
        let mut violations = Violations::new();
        violations.push(&At::parameter(Location::Query, "limit"), "maximum", "must be at most 100");
        let text = serde_json::to_string(&violations).unwrap();
        assert_eq!(
            text,
            r#"[{"in":"query","pointer":"/limit","rule":"maximum","message":"must be at most 100"}]"#
        );
    }
}
