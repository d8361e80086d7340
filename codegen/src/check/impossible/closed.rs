//! Objects that refuse members which are not declared: by `additionalProperties` or `unevaluatedProperties`, or because
//! they declare members and say nothing of others, as `build` has it.

use foldhash::HashSet;

use super::Impossible;
use super::layers::Layer;
use crate::document::{Additional, SchemaId, Spanned};
use crate::source::span::Place;

/// Schemas of one value that are looked at for one name.
const MOST: usize = 1000;

/// That members which a schema does not declare are refused.
pub(super) struct Closed {
    /// Where it says so.
    pub(super) place: Place,
    /// Whether what it requires itself is let through, whatever it is.
    pub(super) takes_required: bool,
}

impl<'d> Impossible<'d> {
    /// Whether a schema refuses what it does not declare itself.
    pub(super) fn closed(&self, layer: &Layer<'d>) -> Option<Closed> {
        let schema = layer.schema;
        match schema.additional.as_ref().map(|additional| (additional.value, additional.place)) {
            Some((Additional::Allowed(false), place)) => {
                return Some(Closed { place, takes_required: false });
            }
            Some(_) => return None,
            None => {}
        }
        if schema.beyond.in_place().next().is_some() {
            return None;
        }
        if let Some(place) = self.refuses_the_rest(layer) {
            return Some(Closed { place, takes_required: false });
        }
        let by_default = is_closed_by_default(layer) && schema.declares_members();
        by_default.then_some(Closed { place: schema.place, takes_required: true })
    }

    /// Where a composed object is closed over all that is applied to it, and a member is described by none of that.
    pub(super) fn closed_over_all(&self, layer: &Layer<'d>, name: &Spanned<String>) -> Option<Place> {
        layer.schema.beyond.in_place().next()?;
        let by_default = is_closed_by_default(layer) && self.document.declares_members(layer.id);
        let place = self.refuses_the_rest(layer).or_else(|| by_default.then_some(layer.schema.place))?;
        let mut seen = HashSet::from_iter([layer.id]);
        let mut waiting = vec![layer.id];
        while let Some(id) = waiting.pop() {
            if self.may_describe(id, name, id == layer.id) || seen.len() > MOST {
                return None;
            }
            let schema = self.document.schema(id);
            let inner = schema.reference.into_iter().chain(schema.beyond.in_place());
            waiting.extend(inner.filter(|id| seen.insert(*id)));
        }
        Some(place)
    }

    /// Whether a schema describes a member, or others that it could be.
    fn may_describe(&self, id: SchemaId, name: &Spanned<String>, closes: bool) -> bool {
        let schema = self.document.schema(id);
        let patterns = &schema.beyond.pattern_properties;
        let matches = |pattern: &String| self.document.matches(pattern, &name.value);
        schema.properties.iter().flatten().any(|(known, _)| known.value == name.value)
            || patterns.iter().any(|(pattern, _)| matches(&pattern.value))
            || schema.additional.is_some()
            || (!closes && (schema.literal || schema.beyond.unevaluated_properties.is_some()))
    }

    /// `unevaluatedProperties: false`
    fn refuses_the_rest(&self, layer: &Layer<'d>) -> Option<Place> {
        let rest = layer.schema.beyond.unevaluated_properties?;
        self.reasons.get(&rest).map(|_| self.document.schema(rest).place)
    }
}

/// Whether nothing is said of members that are not declared, where that means that there are none.
fn is_closed_by_default(layer: &Layer<'_>) -> bool {
    let schema = layer.schema;
    let says = schema.additional.is_some()
        || schema.beyond.unevaluated_properties.is_some()
        || schema.rules.open.as_ref().is_some_and(|open| open.value);
    layer.whole && !says && !schema.literal && !layer.letter
}
