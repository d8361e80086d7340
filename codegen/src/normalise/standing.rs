//! Where schemas stand.
//!
//! What decides about something else (`not`, `if`, `contains`, `propertyNames`) is read to the letter: a type that is only
//! implied would turn a refusal into a permission. And what a value need not satisfy (a condition, one alternative among
//! others) may be what nothing satisfies: that is a mistake only where every value has to.

use foldhash::HashSet;

use crate::document::{Additional, Document, Parameter, Schema, SchemaId};

/// What is known of the schemas of a document, those that merging adds included.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    conditions: HashSet<SchemaId>,
    optional: HashSet<SchemaId>,
    narrowed: HashSet<SchemaId>,
    /// Those of what is served and sent come first.
    roots: Vec<SchemaId>,
    served: usize,
}

impl Standing {
    pub(super) fn of(document: &Document) -> Self {
        let decides = document.ids().flat_map(|id| {
            let beyond = &document.schema(id).beyond;
            [beyond.not, beyond.condition, beyond.contains, beyond.property_names].into_iter().flatten()
        });
        let conditions = reached(document, decides.collect(), every);
        let served = served(document);
        let used = reached(document, served.clone(), every);
        let components = document.components.iter().map(|(_, id)| *id);
        let unused = components.filter(|id| !used.contains(id));
        let count = served.len();
        let roots: Vec<SchemaId> = served.into_iter().chain(unused).collect();
        let certain = reached(document, roots.clone(), certain);
        let optional = document.ids().filter(|id| !certain.contains(id)).collect();
        Self { conditions, optional, narrowed: HashSet::default(), roots, served: count }
    }

    /// The schemas of whole values: of what is served and sent, and the components that nothing uses.
    pub(crate) fn roots(&self) -> &[SchemaId] {
        &self.roots
    }

    /// Those of what is served and sent alone.
    pub(crate) fn served(&self) -> &[SchemaId] {
        self.roots.get(..self.served).unwrap_or_default()
    }

    /// The schemas that the document uses somewhere.
    pub(crate) fn used(&self, document: &Document) -> HashSet<SchemaId> {
        reached(document, self.roots.clone(), every)
    }

    /// Whether it decides about something else, here or elsewhere.
    pub(crate) fn is_condition(&self, id: SchemaId) -> bool {
        self.conditions.contains(&id)
    }

    /// Whether no value has to satisfy it.
    pub(crate) fn is_optional(&self, id: SchemaId) -> bool {
        self.optional.contains(&id)
    }

    /// Whether it is what every value has to satisfy, as one alternative narrows it.
    pub(crate) fn is_narrowed(&self, id: SchemaId) -> bool {
        self.narrowed.contains(&id)
    }

    /// The schemas that describe a whole value, not only what is applied to it beside others. A component that nothing uses
    /// but to apply it is none of them.
    pub(crate) fn wholes(&self, document: &Document) -> HashSet<SchemaId> {
        let applied = document.schemas().iter().flat_map(|schema| schema.beyond.in_place());
        let applied: HashSet<SchemaId> = applied.map(|id| document.target(id)).collect();
        let mut seen = HashSet::default();
        let mut waiting: Vec<(SchemaId, bool)> =
            self.roots.iter().map(|root| (*root, !applied.contains(root))).collect();
        while let Some((id, whole)) = waiting.pop() {
            if seen.insert((id, whole)) {
                let schema = document.schema(id);
                let beside: HashSet<SchemaId> = schema.beyond.in_place().collect();
                let inside = values(schema).chain(schema.beyond.all()).filter(|id| !beside.contains(id));
                waiting.extend(inside.map(|id| (id, true)));
                waiting.extend(schema.reference.map(|id| (id, whole)));
                waiting.extend(beside.iter().map(|id| (*id, false)));
            }
        }
        seen.into_iter().filter_map(|(id, whole)| whole.then_some(id)).collect()
    }

    /// A schema that was composed of others stands where they do.
    pub(crate) fn compose(&mut self, composed: SchemaId, parts: &[SchemaId]) {
        if parts.iter().any(|part| self.conditions.contains(part)) {
            self.conditions.insert(composed);
        }
        let optional = parts.iter().filter(|part| self.optional.contains(part)).count();
        if optional == parts.len() {
            self.optional.insert(composed);
        } else if optional > 0 || parts.iter().any(|part| self.narrowed.contains(part)) {
            self.narrowed.insert(composed);
        }
    }
}

/// The schemas of what is served and sent.
fn served(document: &Document) -> Vec<SchemaId> {
    let mut found = Vec::new();
    let items = document.paths.iter().chain(document.outgoing());
    for item in items {
        let of = |parameter: &Parameter| parameter.schema;
        found.extend(item.parameters.iter().filter_map(of));
        for operation in &item.operations {
            found.extend(operation.parameters.iter().filter_map(of));
            let answers = operation.responses.iter().flat_map(|response| &response.content);
            let media = operation.body.iter().flat_map(|body| &body.content).chain(answers);
            found.extend(media.flat_map(|media| media.schema.into_iter().chain(media.item_schema)));
            let headers = operation.responses.iter().flat_map(|response| &response.headers);
            found.extend(headers.filter_map(|header| header.schema));
        }
    }
    found
}

fn reached(
    document: &Document,
    mut waiting: Vec<SchemaId>,
    inside: fn(&Schema) -> Vec<SchemaId>,
) -> HashSet<SchemaId> {
    let mut found = HashSet::default();
    while let Some(id) = waiting.pop() {
        if found.insert(id) {
            waiting.extend(inside(document.schema(id)));
        }
    }
    found
}

/// Every schema inside.
fn every(schema: &Schema) -> Vec<SchemaId> {
    values(schema).chain(schema.reference).chain(schema.beyond.all()).collect()
}

/// Those that a value has to satisfy, or what is in it.
fn certain(schema: &Schema) -> Vec<SchemaId> {
    let beyond = &schema.beyond;
    let patterns = beyond.pattern_properties.iter().map(|(_, id)| *id);
    let rest = beyond.unevaluated_items.into_iter().chain(beyond.unevaluated_properties);
    let inside = patterns.chain(rest).chain(beyond.prefix_items.iter().copied());
    values(schema).chain(schema.reference).chain(inside).chain(beyond.clone().take_certain()).collect()
}

fn values(schema: &Schema) -> impl Iterator<Item = SchemaId> {
    let each = match schema.additional.as_ref().map(|additional| additional.value) {
        Some(Additional::Each(each)) => Some(each),
        _ => None,
    };
    let properties = schema.properties.iter().flatten().map(|(_, id)| *id);
    properties.chain(schema.items).chain(each)
}
