//! [`Seen`]: the annotations that `unevaluatedProperties` and `unevaluatedItems` look back at (JSON Schema 2020-12
//! core, section 11).

use std::collections::BTreeSet;

/// The members and items that a schema, with the schemas it applies in place, has evaluated.
#[derive(Debug, Default)]
pub(super) struct Seen<'v> {
    all_members: bool,
    members: BTreeSet<&'v str>,
    /// As many from the start.
    items: usize,
    /// Those that `contains` found beyond.
    further: BTreeSet<usize>,
}

impl<'v> Seen<'v> {
    pub(super) fn member(&mut self, name: &'v str) {
        self.members.insert(name);
    }

    pub(super) const fn all_members(&mut self) {
        self.all_members = true;
    }

    pub(super) fn items(&mut self, until: usize) {
        self.items = self.items.max(until);
    }

    pub(super) fn item(&mut self, index: usize) {
        self.further.insert(index);
    }

    pub(super) fn has_member(&self, name: &str) -> bool {
        self.all_members || self.members.contains(name)
    }

    pub(super) fn has_item(&self, index: usize) -> bool {
        index < self.items || self.further.contains(&index)
    }

    /// Takes over what a schema that held has seen. Of one that did not, nothing counts.
    pub(super) fn take(&mut self, other: Self) {
        self.all_members |= other.all_members;
        self.items = self.items.max(other.items);
        self.members.extend(other.members);
        self.further.extend(other.further);
    }
}
