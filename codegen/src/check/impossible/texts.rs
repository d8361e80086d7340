//! Texts: lengths, and what the values of a format are.

use super::layers::{Layer, Layers};
use super::{Reason, beyond, clash, tightest};
use crate::document::Spanned;
use crate::finding::Finding;
use crate::model::TextFormat;
use crate::source::span::Place;

/// A length, by the word that states it.
type Length = (u64, &'static str, Place);

/// Why no text satisfies all of the layers.
pub(super) fn refused(layers: &Layers<'_>) -> Option<Reason> {
    if let Some(clash) = formats(layers) {
        return Some(Reason::of(clash));
    }
    let (low, low_layer) = tightest(layers, least, |one, other| one.0 > other.0)?;
    let (high, high_layer) = tightest(layers, most, |one, other| one.0 < other.0)?;
    if low.0 <= high.0 {
        return None;
    }
    let format = [low.1, high.1].contains(&"format");
    Some(if format {
        let message = match low.1 {
            "format" => format!("no value of this format is as short as `{}` asks for", high.1),
            _ => format!("no value of this format is as long as `{}` asks for", low.1),
        };
        let (bound, format) = if low.1 == "format" { (high, low) } else { (low, high) };
        let clash = clash(message, bound.2, (format.2, "the format"));
        Reason::of(clash.help("correct the length, or leave it to the format"))
    } else if low_layer.id == high_layer.id {
        Reason::Follows(low_layer.id)
    } else {
        Reason::of(beyond((low.1, low.2), (high.1, high.2)))
    })
}

/// Two formats that no text has both.
fn formats(layers: &Layers<'_>) -> Option<Finding> {
    let mut known = layers.all.iter().filter_map(format);
    let (first, place) = known.next()?;
    let (_, other) = known.find(|(other, _)| first.excludes(*other))?;
    let clash = clash("no text is of both formats", place, (other, "the other format"));
    Some(clash.help("keep one of the formats"))
}

fn format(layer: &Layer<'_>) -> Option<(TextFormat, Place)> {
    let format = layer.schema.format.as_ref()?;
    Some((TextFormat::named(&format.value)?, format.place))
}

fn least(layer: &Layer<'_>) -> Option<Length> {
    let stated = stated(layer.schema.min_length.as_ref(), "minLength");
    let format = format(layer).map(|(format, place)| (format.lengths().0, "format", place));
    stated.into_iter().chain(format).max_by_key(|length| length.0)
}

fn most(layer: &Layer<'_>) -> Option<Length> {
    let stated = stated(layer.schema.max_length.as_ref(), "maxLength");
    let format = format(layer).map(|(format, place)| (format.lengths().1, "format", place));
    stated.into_iter().chain(format).min_by_key(|length| length.0)
}

fn stated(length: Option<&Spanned<u64>>, word: &'static str) -> Option<Length> {
    length.map(|length| (length.value, word, length.place))
}
