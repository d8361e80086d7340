//! Inheritance: a schema with a `discriminator` and no alternatives, which others extend by `allOf`, stands for whichever
//! of them the member names (OpenAPI 3.1 section 4.8.25). It becomes the choice among them.
//!
//! 1. Its alternatives are the components that extend it, directly or through one another, in whichever file, those of its mapping, and its
//!    default.
//! 2. It is an alternative itself, by its own name, unless its mapping leaves it out.
//! 3. Who extends it extends what it says, not the choice.
//! 4. One that nobody extends stays as it is.

use foldhash::{HashMap, HashSet};

use crate::document::{Beyond, Discriminator, Document, Schema, SchemaId, Spanned};

/// Makes a choice of every schema that others extend under a discriminator.
pub(super) fn inheritance(document: &mut Document) {
    let extended = extended(document);
    let components = document.components_anywhere().map(|(_, id)| *id);
    let inherited = |id: &SchemaId| document.schema(*id).is_inherited() && extended.contains_key(id);
    let parents: Vec<SchemaId> = components.filter(inherited).collect();
    // what each says of itself
    let mut bases: HashMap<SchemaId, SchemaId> = HashMap::default();
    for parent in &parents {
        let own = document.schema(*parent).clone();
        let beyond = Beyond { discriminator: None, ..own.beyond.clone() };
        let base = Schema { beyond, nullable: false, widens: false, or_null: false, default: None, ..own };
        bases.insert(*parent, document.add(base));
    }
    for parent in &parents {
        let choice = choice(document, *parent, &extended, &bases);
        extend_base(document, *parent, &extended, &bases);
        document.replace(*parent, choice);
    }
}

/// The components that extend a schema themselves, by that schema.
fn extended(document: &Document) -> HashMap<SchemaId, Vec<SchemaId>> {
    let mut extended: HashMap<SchemaId, Vec<SchemaId>> = HashMap::default();
    for (_, id) in document.components_anywhere() {
        for (_, parent) in extends(document, document.schema(*id)) {
            extended.entry(parent).or_default().push(*id);
        }
    }
    extended
}

/// What a schema extends: where it says so, and what it is.
fn extends(document: &Document, schema: &Schema) -> Vec<(Option<SchemaId>, SchemaId)> {
    let listed =
        schema.beyond.all_of.iter().filter_map(|id| Some((Some(*id), document.schema(*id).reference?)));
    let all = listed.chain(schema.beyond.reference.map(|id| (None, id)));
    all.map(|(at, id)| (at, document.target(id))).collect()
}

/// Everything that extends a schema, in the order of the document.
fn descendants(
    document: &Document,
    parent: SchemaId,
    extended: &HashMap<SchemaId, Vec<SchemaId>>,
) -> Vec<(Spanned<String>, SchemaId)> {
    let mut found = HashSet::from_iter([parent]);
    let mut waiting = vec![parent];
    while let Some(id) = waiting.pop() {
        let children = extended.get(&id).into_iter().flatten();
        waiting.extend(children.filter(|child| found.insert(**child)));
    }
    found.remove(&parent);
    document.components_anywhere().filter(|(_, id)| found.contains(id)).cloned().collect()
}

fn choice(
    document: &mut Document,
    parent: SchemaId,
    extended: &HashMap<SchemaId, Vec<SchemaId>>,
    bases: &HashMap<SchemaId, SchemaId>,
) -> Schema {
    let own = document.schema(parent).clone();
    let Some(written) = own.beyond.discriminator.clone() else { return own };
    let base = |id: SchemaId| bases.get(&id).copied();
    let named = document.components_anywhere().find(|(_, id)| *id == parent).cloned();
    let is_mapped = written.mapping.iter().any(|(_, id)| document.target(*id) == parent);
    let itself = named.filter(|_| written.mapping.is_empty() || is_mapped);
    let mapped = written.mapping.iter().map(|(word, id)| (word.clone(), document.target(*id)));
    let mapped = mapped.filter(|(_, id)| *id != parent);
    let default = written.default.as_ref().map(|default| document.target(default.value));
    let default = document.components_anywhere().find(|(_, id)| Some(*id) == default).cloned();
    let all = descendants(document, parent, extended).into_iter().chain(mapped).chain(itself).chain(default);
    let mut alternatives: Vec<(Spanned<String>, SchemaId)> = Vec::new();
    for (name, id) in all {
        if alternatives.iter().all(|(_, known)| *known != id) {
            alternatives.push((name, id));
        }
    }
    let mut mapping: Vec<(Spanned<String>, SchemaId)> = Vec::new();
    for (word, id) in &written.mapping {
        let target = document.target(*id);
        mapping.push((word.clone(), base(target).unwrap_or(target)));
    }
    for (name, id) in &alternatives {
        // what has no name of its own any more
        if let Some(base) = base(*id).filter(|base| mapping.iter().all(|(_, known)| known != base)) {
            mapping.push((name.clone(), base));
        }
    }
    let place = written.property.place;
    let refer = |id: SchemaId| Schema {
        reference: Some(base(id).unwrap_or(id)),
        merged: true,
        ..Schema::empty(place)
    };
    let alternatives: Vec<Schema> = alternatives.iter().map(|(_, id)| refer(*id)).collect();
    let one_of = alternatives.into_iter().map(|one| document.add(one)).collect();
    let default = written.default.map(|default| {
        let target = document.target(default.value);
        Spanned::new(base(target).unwrap_or(target), default.place)
    });
    let discriminator = Some(Discriminator { mapping, default, ..written });
    Schema {
        literal: own.literal,
        nullable: own.nullable,
        widens: own.nullable,
        default: own.default,
        examples: own.examples,
        docs: own.docs,
        read_only: own.read_only,
        write_only: own.write_only,
        beyond: Beyond { one_of, discriminator, first: Some(("discriminator", place)), ..Beyond::default() },
        ..Schema::empty(own.place)
    }
}

/// Whoever extends the choice extends what its schema says.
fn extend_base(
    document: &mut Document,
    parent: SchemaId,
    extended: &HashMap<SchemaId, Vec<SchemaId>>,
    bases: &HashMap<SchemaId, SchemaId>,
) {
    let Some(base) = bases.get(&parent).copied() else { return };
    for child in extended.get(&parent).into_iter().flatten() {
        // one that is a choice itself says it in its base
        for id in [Some(*child), bases.get(child).copied()].into_iter().flatten() {
            let mut schema = document.schema(id).clone();
            for (at, _) in extends(document, &schema).into_iter().filter(|(_, extended)| *extended == parent)
            {
                match at {
                    Some(at) => {
                        let alias = Schema { reference: Some(base), ..document.schema(at).clone() };
                        document.replace(at, alias);
                    }
                    None => schema.beyond.reference = Some(base),
                }
            }
            document.replace(id, schema);
        }
    }
}
