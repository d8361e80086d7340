//! Numbers: bounds, whole numbers, multiples, and the range of the format.

use super::layers::{Layer, Layers};
use super::{Reason, beyond, clash, has_type, tightest};
use crate::build::is_whole;
use crate::document::{JsonType, Schema, Spanned};
use crate::finding::Finding;
use crate::model::IntegerFormat;
use crate::normalise::Bound;
use crate::normalise::number::{Decimal, End, has_multiple};
use crate::source::span::Place;

/// Bounds of one schema that nothing is within.
pub(super) fn bounds(schema: &Schema) -> impl Iterator<Item = Finding> {
    let bounds = &schema.bounds;
    let lower = [("minimum", &bounds.minimum, false), ("exclusiveMinimum", &bounds.exclusive_minimum, true)];
    let upper = [("maximum", &bounds.maximum, false), ("exclusiveMaximum", &bounds.exclusive_maximum, true)];
    lower.into_iter().flat_map(move |(low_word, low, low_sharp)| {
        upper.into_iter().filter_map(move |(high_word, high, high_sharp)| {
            let (low, high) = (low.as_ref()?, high.as_ref()?);
            is_empty(&low.value.value, &high.value.value, low_sharp || high_sharp)
                .then(|| beyond((low_word, low.place), (high_word, high.place)))
        })
    })
}

fn is_empty(low: &Decimal, high: &Decimal, sharp: bool) -> bool {
    low > high || (sharp && low == high)
}

/// A bound, or the end of the range of a format.
struct Edge {
    word: &'static str,
    value: Decimal,
    sharp: bool,
    place: Place,
    /// Where the bounds of its schema stand, if it is of a format.
    format: Option<Place>,
}

impl Edge {
    const fn end(&self) -> End<'_> {
        End { value: &self.value, sharp: self.sharp }
    }
}

/// Why no number is within all of the layers.
pub(super) fn refused(layers: &Layers<'_>) -> Option<Reason> {
    let higher = |one: &Edge, other: &Edge| (&one.value, one.sharp) > (&other.value, other.sharp);
    let lower = |one: &Edge, other: &Edge| (&one.value, !one.sharp) < (&other.value, !other.sharp);
    let (low, low_layer) = tightest(layers, |layer| edge(layer, true, higher), higher)?;
    let (high, high_layer) = tightest(layers, |layer| edge(layer, false, lower), lower)?;
    let by_format = low.format.or(high.format);
    if is_empty(&low.value, &high.value, low.sharp || high.sharp) && by_format.is_none() {
        return Some(if low_layer.id == high_layer.id {
            Reason::Follows(low_layer.id)
        } else {
            Reason::of(beyond((low.word, low.place), (high.word, high.place)))
        });
    }
    let steps = layers.all.iter().filter_map(|layer| layer.schema.bounds.multiple_of.as_ref());
    let steps: Vec<&Spanned<Bound>> = steps.collect();
    let mut all: Vec<Decimal> = steps.iter().map(|step| step.value.value.clone()).collect();
    if layers.are_whole() || by_format.is_some() {
        all.extend(Decimal::parse("1"));
    }
    if has_multiple(&all, low.end(), high.end())? {
        return None;
    }
    Some(Reason::of(match (by_format, steps.first()) {
        (Some(place), _) => {
            let message = "no integer of this format is within its bounds";
            let bound = if low.format.is_some() { high.place } else { low.place };
            clash(message, place, (bound, "the bound")).help("correct the bounds, or the format")
        }
        (None, Some(step)) => {
            let message = "no multiple of this is within the bounds";
            clash(message, step.place, (low.place, "the lower bound")).help("correct the step, or the bounds")
        }
        (None, None) => {
            let message = format!("no integer is within `{}` and `{}`", low.word, high.word);
            let help = "let a whole number in between, or allow every `number`";
            clash(message, low.place, (high.place, "the other bound")).help(help)
        }
    }))
}

/// The tightest end of one layer.
fn edge(layer: &Layer<'_>, low: bool, tighter: impl Fn(&Edge, &Edge) -> bool) -> Option<Edge> {
    let bounds = &layer.schema.bounds;
    let stated = match low {
        true => [("minimum", &bounds.minimum, false), ("exclusiveMinimum", &bounds.exclusive_minimum, true)],
        false => [("maximum", &bounds.maximum, false), ("exclusiveMaximum", &bounds.exclusive_maximum, true)],
    };
    let of = |bound: &Spanned<Bound>, word, sharp| Edge {
        word,
        value: bound.value.value.clone(),
        sharp,
        place: bound.place,
        format: None,
    };
    let stated = stated.into_iter().filter_map(|(word, bound, sharp)| Some(of(bound.as_ref()?, word, sharp)));
    // beside bounds that no integer has, a format of integers is not checked
    let whole = has_type(layer.schema, JsonType::Integer) || is_whole(layer.schema);
    let range = layer.schema.format.as_ref().filter(|_| whole).and_then(|format| {
        let (least, most) = IntegerFormat::of(&format.value)?.range();
        let value = Decimal::parse(&(if low { least } else { most }).to_string())?;
        let place = bounds.any().map_or(format.place, |(_, place)| place);
        Some(Edge { word: "format", value, sharp: false, place: format.place, format: Some(place) })
    });
    stated.chain(range).reduce(|one, other| if tighter(&other, &one) { other } else { one })
}
