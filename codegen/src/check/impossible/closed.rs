//! Objects that refuse members which are not declared: by `additionalProperties` or `unevaluatedProperties`, or because
//! they declare members and say nothing of others, as `build` has it.

use super::Impossible;
use super::layers::Layer;
use crate::build::{Described, described};
use crate::document::Additional;
use crate::source::span::Place;

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

    /// What is described, where a composed object is closed over all that is applied to it.
    pub(super) fn closed_over_all(&self, layer: &Layer<'d>) -> Option<(Place, Described<'d>)> {
        layer.schema.beyond.in_place().next()?;
        let stated = self.refuses_the_rest(layer);
        let by_default = is_closed_by_default(layer) && self.document.declares_members(layer.id);
        let place = stated.or_else(|| by_default.then_some(layer.schema.place))?;
        let mut described = described(self.document, layer.id).filter(|described| !described.others)?;
        // what it requires itself is let in where it does not say that nothing is
        described.names.extend(described.required.iter().filter(|_| stated.is_none()));
        Some((place, described))
    }

    /// `unevaluatedProperties: false`
    fn refuses_the_rest(&self, layer: &Layer<'d>) -> Option<Place> {
        let rest = layer.schema.beyond.unevaluated_properties?;
        self.known(rest).map(|_| self.document.schema(rest).place)
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
