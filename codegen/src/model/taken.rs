//! The names that a value takes among the pairs of a query, a form or cookies.

use super::{Style, Wire, WireKind};

/// A parameter or a member of a form, by its own name and how it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken<'w> {
    pub(crate) name: &'w str,
    pub(crate) wire: &'w Wire,
}

impl<'w> Taken<'w> {
    /// A name that both would take.
    pub(crate) fn shared(self, other: Self) -> Option<String> {
        let mut names = self.names().into_iter().filter(|name| other.takes(name));
        let mut others = other.names().into_iter().filter(|name| self.takes(name));
        let both_spread = self.spread().zip(other.spread());
        // what is whose would depend on which of them is read first
        let any_other = both_spread.is_some_and(|((_, one_open), (_, other_open))| one_open || other_open);
        names.next().or_else(|| others.next()).or_else(|| any_other.then(|| "any other name".to_owned()))
    }

    /// The members of an object that stand as names of their own, and whether it takes every other name.
    pub(crate) fn spread(self) -> Option<(&'w [String], bool)> {
        let own_names = matches!(
            self.wire.style,
            Style::Form | Style::Cookie | Style::SpaceDelimited | Style::PipeDelimited
        ) && self.wire.explode;
        match &self.wire.kind {
            WireKind::Object(members, open) if own_names => Some((members, *open)),
            _ => None,
        }
    }

    /// Names that it takes: those that are known, and one of those that brackets make of its own.
    fn names(self) -> Vec<String> {
        let name = self.name;
        match self.spread() {
            Some((members, _)) => members.to_vec(),
            None if self.wire.style != Style::DeepObject => vec![name.to_owned()],
            None if self.wire.kind == WireKind::Either => vec![name.to_owned(), format!("{name}[]")],
            None => vec![format!("{name}[]")],
        }
    }

    pub(crate) fn takes(self, name: &str) -> bool {
        match self.spread() {
            Some((members, _)) => members.iter().any(|member| member == name),
            None if self.wire.style == Style::DeepObject => {
                let rest = name.strip_prefix(self.name);
                let plain = self.wire.kind == WireKind::Either;
                rest.is_some_and(|rest| rest.starts_with('[') || (plain && rest.is_empty()))
            }
            None => self.name == name,
        }
    }
}
