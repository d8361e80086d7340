//! The members that an object describes, itself or over all that is applied to it, and those that are let in although
//! nothing describes them.

use foldhash::HashSet;

use super::Builder;
use super::kind::undeclared;
use crate::document::{Document, Schema as Written, SchemaId};

/// Schemas of one value that are looked at.
const MOST: usize = 1000;

/// What is said of the members of a value.
pub(crate) struct Described<'d> {
    pub(crate) names: HashSet<&'d str>,
    pub(crate) patterns: Vec<&'d str>,
    /// The members that have to be there whatever alternative holds.
    pub(crate) required: Vec<&'d str>,
    /// Whether something speaks of all others.
    pub(crate) others: bool,
}

/// Of a schema, with all that may be applied to the same value. `None`: it is too much.
pub(crate) fn described(document: &Document, id: SchemaId) -> Option<Described<'_>> {
    let mut found =
        Described { names: HashSet::default(), patterns: Vec::new(), required: Vec::new(), others: false };
    let mut seen = HashSet::default();
    let mut waiting = vec![(id, true)];
    while let Some((at, certain)) = waiting.pop() {
        if !seen.insert((at, certain)) {
            continue;
        }
        if seen.len() > MOST {
            return None;
        }
        let schema = document.schema(at);
        let beyond = &schema.beyond;
        found.names.extend(schema.properties.iter().flatten().map(|(name, _)| &*name.value));
        found.patterns.extend(beyond.pattern_properties.iter().map(|(pattern, _)| &*pattern.value));
        let rest = schema.literal || beyond.unevaluated_properties.is_some();
        found.others |= schema.additional.is_some() || (rest && at != id);
        if certain {
            found.required.extend(schema.required.iter().map(|name| &*name.value));
            waiting.extend(schema.reference.into_iter().chain(beyond.certain()).map(|id| (id, true)));
        }
        waiting.extend(schema.reference.into_iter().chain(beyond.in_place()).map(|id| (id, false)));
    }
    Some(found)
}

impl Builder<'_> {
    /// The members of a closed object that are required and that nothing describes: any value will do.
    pub(super) fn undeclared(&self, id: SchemaId) -> Vec<String> {
        let written = self.document.schema(id);
        if is_closed_alone(written) && written.additional.is_none() {
            return undeclared(written).map(|name| name.value.clone()).collect();
        }
        let closed = written.beyond.unevaluated_properties.is_none() && self.closes_as_a_whole(id);
        let whole = closed.then(|| described(self.document, id)).flatten();
        let Some(whole) = whole else { return Vec::new() };
        let mut known = whole.names;
        whole.required.into_iter().filter(|name| known.insert(name)).map(str::to_owned).collect()
    }

    /// Whether a composed schema declares members and says nothing of others.
    pub(super) fn closes_as_a_whole(&self, id: SchemaId) -> bool {
        let written = self.document.schema(id);
        if written.additional.is_some() || written.beyond.in_place().next().is_none() {
            return false;
        }
        self.document.declares_members(id)
    }
}

/// Declared members, on their own: nothing beside that could declare more.
pub(super) fn is_closed_alone(written: &Written) -> bool {
    written.declares_members()
        && written.beyond.in_place().next().is_none()
        && written.beyond.unevaluated_properties.is_none()
}
