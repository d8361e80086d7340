//! Choices of which no alternative is left, and what `not` rules out.

use super::layers::{Kind, Layer, Layers};
use super::{Impossible, Reason, clash, has_type, is_only_types};
use crate::document::{Document, JsonType, SchemaId};

impl<'d> Impossible<'d> {
    /// Why a `oneOf` or `anyOf` of the layers has no alternative that goes with the others.
    pub(super) fn choices(&self, layers: &Layers<'d>, depth: usize) -> Option<Reason> {
        layers.all.iter().filter(|layer| !layer.lets_null && !layer.chosen).find_map(|layer| {
            let beyond = &layer.schema.beyond;
            let lists = [("oneOf", &beyond.one_of), ("anyOf", &beyond.any_of)];
            lists.into_iter().find_map(|(word, list)| {
                // one of one that needs no discriminator is a layer
                if list.is_empty() || beyond.certain().any(|id| list.contains(&id)) {
                    return None;
                }
                let first = self.document.schema(*list.first()?).place;
                list.iter().all(|one| self.is_left_out(layers, layer, *one, depth)).then(|| {
                    let message =
                        format!("no alternative of `{word}` can be satisfied together with the rest");
                    let clash = clash(message, first, (layer.place_of_types(), "what stands beside"));
                    Reason::of(clash.help("correct one of the alternatives, or what stands beside them"))
                })
            })
        })
    }

    /// Whether an alternative leaves nothing of what the layers allow.
    fn is_left_out(
        &self,
        layers: &Layers<'d>,
        holder: &Layer<'d>,
        alternative: SchemaId,
        depth: usize,
    ) -> bool {
        let mut others = layers.clone();
        // its other alternatives are not asked again
        others.all.retain(|layer| layer.id != holder.id);
        let bare = Layer { chosen: true, ..holder.clone() };
        others.all.push(bare);
        let chosen = others.and(self.document, alternative);
        chosen.is_some_and(|chosen| self.judged(&chosen, depth + 1).is_some())
    }
}

/// Whether `not` refuses every value of a kind.
pub(super) fn ruled_out(document: &Document, layers: &Layers<'_>, kind: Kind) -> Option<Reason> {
    let whole = layers.are_whole();
    layers.all.iter().find_map(|layer| {
        let not = layer.schema.beyond.not.filter(|_| !(kind == Kind::Null && layer.lets_null))?;
        let refused = document.schema(document.target(not));
        if !is_only_types(refused) {
            return None;
        }
        if refused.types.is_empty() && !refused.takes_only_null() {
            return Some(Reason::Never(refused.place));
        }
        let has = match kind {
            Kind::Null => refused.nullable,
            Kind::Boolean => has_type(refused, JsonType::Boolean),
            Kind::Number => {
                has_type(refused, JsonType::Number) || (whole && has_type(refused, JsonType::Integer))
            }
            Kind::Text => has_type(refused, JsonType::String),
            Kind::Array => has_type(refused, JsonType::Array),
            Kind::Object => has_type(refused, JsonType::Object),
        };
        let place = refused.types.first().map_or(refused.place, |kind| kind.place);
        has.then(|| {
            let word = if kind == Kind::Number && whole { "integer" } else { kind.word() };
            let message = format!("every {word} is what `not` refuses");
            let help = "let `not` refuse less, or allow another type";
            Reason::of(clash(message, place, (layer.place_of_types(), "what is allowed")).help(help))
        })
    })
}
