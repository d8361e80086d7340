//! Schemas that no value satisfies.
//!
//! 1. Two bounds of one kind in one schema that leave nothing between them (`minimum: 10, maximum: 1`) are a slip
//!    wherever a value has to satisfy what stands there.
//! 2. Else a schema is judged together with what certainly holds beside it ([`layers`]), one kind of values after the other:
//!    it is impossible when its types, its [`numbers`], [`texts`], [`arrays`], [`objects`] and [`choices`] leave none of them.
//! 3. What is impossible makes impossible what cannot do without it: whoever refers to it, requires it as a member, needs
//!    an item of it. The smallest set of schemas of which that holds is meant; what never ends is for `endless`.
//! 4. An error is what the value of an operation, or of a component that nothing uses, cannot do without. Elsewhere it is
//!    a remark, and `false` says what it means, as a component that nothing uses does too.
//! 5. Where something is too large or too deep to be judged, or `null` passes, it is possible: the runtime checks all of it.

mod arrays;
mod choices;
mod closed;
mod layers;
mod numbers;
mod objects;
#[cfg(test)]
mod tests;
mod texts;

use std::cell::Cell;

use foldhash::{HashMap, HashSet};

use crate::document::{Document, JsonType, Schema, SchemaId};
use crate::finding::{Code, Finding, Findings};
use crate::source::span::Place;
use layers::{Kind, Layer, Layers};

/// How often all schemas are looked at for what follows from others.
const ROUNDS: usize = 32;
/// How often layers are judged for one schema, and inside each other.
const MOST: usize = 500;
const DEEPEST: usize = 4;

/// Rejects what no value satisfies.
pub(super) fn satisfiable(document: &Document, findings: &mut Findings) {
    let impossible = Impossible::of(document);
    let needed = impossible.needed(document.standing.roots());
    let needed_by_values = impossible.needed(document.standing.served());
    let mut push = |finding: Finding, stops: bool| {
        findings.push(if stops { finding } else { finding.without_stopping() });
    };
    let used = document.standing.used(document);
    for id in document.ids() {
        // what is not used was made of an alternative and what stands beside the choice
        let asked = used.contains(&id) && !document.standing.is_optional(id);
        let stops = asked || needed.contains(&id);
        for clash in bounds(document.schema(id)) {
            push(clash, stops);
        }
    }
    for id in document.ids().filter(|id| used.contains(id)) {
        match impossible.reasons.get(&id) {
            Some(Reason::Clash(clash)) => push(Finding::clone(clash), needed.contains(&id)),
            Some(Reason::Never(place)) if needed_by_values.contains(&id) => {
                let message = "nothing is allowed here, where a value has to be";
                let finding = Finding::error(Code::Contradiction, message, *place);
                push(finding.help("say what is allowed, or leave it out"), true);
            }
            _ => {}
        }
    }
}

/// Why no value satisfies a schema.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// It says so: `false`, `not: {}`.
    Never(Place),
    /// By this one, which has its own finding.
    Follows(SchemaId),
    /// What it says does not go together.
    Clash(Box<Finding>),
}

impl Reason {
    fn of(finding: Finding) -> Self {
        Self::Clash(Box::new(finding))
    }
}

/// What does not go together, and where the other part of it stands.
fn clash(message: impl Into<String>, place: Place, (other, label): (Place, &str)) -> Finding {
    let finding = Finding::error(Code::Contradiction, message, place);
    if other == place { finding } else { finding.related(other, label) }
}

/// Bounds of one kind that nothing is within.
fn bounds(schema: &Schema) -> impl Iterator<Item = Finding> {
    let counts = [
        ("minLength", &schema.min_length, "maxLength", &schema.max_length),
        ("minItems", &schema.min_items, "maxItems", &schema.max_items),
        ("minProperties", &schema.min_properties, "maxProperties", &schema.max_properties),
    ];
    let counts = counts.into_iter().filter_map(|(low_word, low, high_word, high)| {
        let (low, high) = (low.as_ref()?, high.as_ref()?);
        (low.value > high.value).then(|| beyond((low_word, low.place), (high_word, high.place)))
    });
    counts.chain(numbers::bounds(schema))
}

fn beyond((low, low_place): (&str, Place), (high, high_place): (&str, Place)) -> Finding {
    let message = format!("no value is within `{low}` and `{high}`");
    clash(message, low_place, (high_place, "the other bound")).help("swap them, or correct one")
}

/// The schemas that no value satisfies, as far as they are known.
struct Impossible<'d> {
    document: &'d Document,
    reasons: HashMap<SchemaId, Reason>,
    /// The schemas that describe a whole value somewhere, and not only what holds beside others.
    wholes: HashSet<SchemaId>,
    /// How often layers may still be judged for the schema that is looked at.
    left: Cell<usize>,
}

impl<'d> Impossible<'d> {
    fn of(document: &'d Document) -> Self {
        let wholes = document.standing.wholes(document);
        let mut all = Self { document, reasons: HashMap::default(), wholes, left: Cell::new(0) };
        // what is inside of a schema was read after it, so that most of what follows does in the first round
        let ids: Vec<SchemaId> = document.ids().collect();
        for _ in 0..ROUNDS {
            let before = all.reasons.len();
            for id in ids.iter().rev() {
                if !all.reasons.contains_key(id)
                    && let Some(reason) = all.reason(*id)
                {
                    all.reasons.insert(*id, reason);
                }
            }
            if all.reasons.len() == before {
                break;
            }
        }
        all
    }

    /// What a value of one of these cannot do without.
    fn needed(&self, roots: &[SchemaId]) -> HashSet<SchemaId> {
        let mut needed = HashSet::default();
        let mut waiting = roots.to_vec();
        while let Some(id) = waiting.pop() {
            let Some(reason) = self.reasons.get(&id) else { continue };
            if needed.insert(id)
                && let Reason::Follows(on) = reason
            {
                waiting.push(*on);
            }
        }
        needed
    }

    fn reason(&self, id: SchemaId) -> Option<Reason> {
        self.left.set(MOST);
        if self.document.schema(id).reference.is_some() {
            return self.known(id).map(|(target, _)| Reason::Follows(target));
        }
        self.judged(&Layers::of(self.document, &[id], self.wholes.contains(&id))?, 0)
    }

    /// Why nothing satisfies all of these layers.
    fn judged(&self, layers: &Layers<'d>, depth: usize) -> Option<Reason> {
        let left = self.left.get();
        if left == 0 || depth > DEEPEST || layers.let_null_pass() {
            return None;
        }
        self.left.set(left - 1);
        if let Some(listed) = layers.listed(self.document) {
            return listed.map(Reason::of);
        }
        let mut first = None;
        for kind in Kind::ALL.into_iter().filter(|kind| layers.allow(*kind)) {
            match self.refused(layers, kind, depth) {
                Some(reason) => first = first.or(Some(reason)),
                None => return self.choices(layers, depth),
            }
        }
        first.or_else(|| layers.types_differ().map(Reason::of))
    }

    /// Why no value of this kind satisfies the layers.
    fn refused(&self, layers: &Layers<'d>, kind: Kind, depth: usize) -> Option<Reason> {
        if let Some(never) = layers.never(kind) {
            return Some(Reason::Never(never));
        }
        let own = match kind {
            Kind::Null | Kind::Boolean => None,
            Kind::Number => numbers::refused(layers),
            Kind::Text => texts::refused(layers),
            Kind::Array => self.no_array(layers, depth),
            Kind::Object => self.no_object(layers, depth),
        };
        own.or_else(|| choices::ruled_out(self.document, layers, kind))
    }

    /// What is known of a schema, or of the one that it refers to.
    fn known(&self, id: SchemaId) -> Option<(SchemaId, &Reason)> {
        let end = self.document.end(id);
        self.reasons.get(&end.target).filter(|_| !end.widened).map(|reason| (end.target, reason))
    }

    /// By a schema that something cannot do without: its own reason, or that it is needed where it says `false`.
    fn by(&self, id: SchemaId, clash: impl FnOnce(Place) -> Finding) -> Option<Reason> {
        Some(match self.known(id)? {
            (_, Reason::Never(place)) => Reason::of(clash(*place)),
            (target, _) => Reason::Follows(target),
        })
    }

    /// Why no value is all that these schemas say: one of them, or all together.
    fn together(&self, ids: &[SchemaId], depth: usize, clash: impl Fn(Place) -> Finding) -> Option<Reason> {
        if let Some(reason) = ids.iter().find_map(|id| self.by(*id, &clash)) {
            return Some(reason);
        }
        let [_, other, ..] = ids else { return None };
        self.judged(&Layers::of(self.document, ids, true)?, depth + 1)?;
        Some(Reason::of(clash(self.document.schema(*other).place)))
    }
}

/// The largest, or the smallest, of what several layers state, with the layer.
fn tightest<'l, 'd, T>(
    layers: &'l Layers<'d>,
    stated: impl Fn(&Layer<'d>) -> Option<T>,
    tighter: impl Fn(&T, &T) -> bool,
) -> Option<(T, &'l Layer<'d>)> {
    let all = layers.all.iter().filter_map(|layer| Some((stated(layer)?, layer)));
    all.reduce(|one, other| if tighter(&other.0, &one.0) { other } else { one })
}

/// Whether a schema says nothing at all of values of some types but that they are of them.
fn is_only_types(schema: &Schema) -> bool {
    !schema.never && !schema.constrains() && schema.beyond.is_empty() && schema.reference.is_none()
}

fn has_type(schema: &Schema, kind: JsonType) -> bool {
    schema.types.iter().any(|known| known.value == kind)
}
