//! Arrays: items that have to be there and cannot be.

use super::layers::{Layers, count};
use super::{Impossible, Reason, beyond, clash, tightest};
use crate::document::{Schema, SchemaId, Spanned};
use crate::finding::Finding;
use crate::source::span::Place;

/// Items that are looked at one by one.
const MOST: u64 = 64;

/// How many items have to be there, and by which word.
type Least = (u64, &'static str, Place);

impl<'d> Impossible<'d> {
    /// Why no array satisfies all of the layers.
    pub(super) fn no_array(&self, layers: &Layers<'d>, depth: usize) -> Option<Reason> {
        if let Some(reason) = layers.all.iter().find_map(|layer| self.contains_nothing(layer.schema)) {
            return Some(reason);
        }
        let stated = |min: Option<&Spanned<u64>>| min.map(|min| (min.value, "minItems", min.place));
        let of = |schema: &Schema| stated(schema.min_items.as_ref()).into_iter().chain(contained(schema));
        let most = |one: Least, other: Least| if other.0 > one.0 { other } else { one };
        let (least, layer) =
            tightest(layers, |layer| of(layer.schema).reduce(most), |one, other| one.0 > other.0)?;
        let highest =
            tightest(layers, |layer| layer.schema.max_items.clone(), |one, other| one.value < other.value);
        if let Some((high, high_layer)) = highest.filter(|(high, _)| high.value < least.0) {
            return Some(if least.1 == "minItems" && layer.id == high_layer.id {
                Reason::Follows(layer.id)
            } else {
                Reason::of(beyond((least.1, least.2), ("maxItems", high.place)))
            });
        }
        self.no_item(layers, least, depth).or_else(|| self.no_other(layers, least).map(Reason::of))
    }

    /// `contains` of what is nothing, or of more than is allowed.
    fn contains_nothing(&self, schema: &Schema) -> Option<Reason> {
        let contains = schema.beyond.contains?;
        let (least, word, place) = contained(schema)?;
        if let Some(most) = schema.beyond.max_contains.as_ref().filter(|most| most.value < least) {
            return Some(Reason::of(beyond((word, place), ("maxContains", most.place))));
        }
        self.by(contains, |never| {
            let message = "an item has to be what `contains` allows, and that is nothing";
            clash(message, never, (place, "what asks for it")).help("say what is contained, or leave it out")
        })
    }

    /// An item that has to be there and that its schemas refuse.
    fn no_item(&self, layers: &Layers<'d>, (least, word, place): Least, depth: usize) -> Option<Reason> {
        let listed = layers.all.iter().map(|layer| layer.schema.beyond.prefix_items.len()).max()?;
        let positions = usize::try_from(least.min(MOST)).ok()?.min(listed.saturating_add(1));
        (0..positions).find_map(|position| {
            let at = |schema: &Schema| {
                let item = schema.beyond.prefix_items.get(position).copied().or(schema.items);
                item.or_else(|| unevaluated(schema))
            };
            let ids: Vec<SchemaId> = layers.all.iter().filter_map(|layer| at(layer.schema)).collect();
            self.together(&ids, depth, |refused| {
                let message =
                    format!("`{word}` asks for an item at position {position}, where none is allowed");
                clash(message, place, (refused, "what refuses it")).help("ask for fewer items, or allow more")
            })
        })
    }

    /// Items that all differ, of fewer values than there must be.
    fn no_other(&self, layers: &Layers<'d>, (least, word, place): Least) -> Option<Finding> {
        let unique =
            layers.all.iter().find_map(|layer| layer.schema.unique_items.as_ref().filter(|is| is.value))?;
        if layers.all.iter().any(|layer| !layer.schema.beyond.prefix_items.is_empty()) {
            return None;
        }
        let items = layers.all.iter().filter_map(|layer| layer.schema.items);
        let values = items.filter_map(|items| count(self.document, items)).min()?;
        let too_few = u64::try_from(values).is_ok_and(|values| values < least);
        let message = format!("`{word}` asks for more items than there are values, which must differ");
        let clash = clash(message, place, (unique.place, "what has them differ"));
        too_few.then(|| clash.help("ask for fewer items, or let them be the same"))
    }
}

/// What an item is that nothing else describes, where nothing else could.
fn unevaluated(schema: &Schema) -> Option<SchemaId> {
    let alone = schema.beyond.contains.is_none() && schema.beyond.in_place().next().is_none();
    schema.beyond.unevaluated_items.filter(|_| alone)
}

/// How many items `contains` asks for.
fn contained(schema: &Schema) -> Option<Least> {
    let place = schema.beyond.contains.and(schema.beyond.first)?.1;
    Some(match &schema.beyond.min_contains {
        Some(least) => (least.value, "minContains", least.place),
        None => (1, "contains", place),
    })
    .filter(|least| least.0 > 0)
}
