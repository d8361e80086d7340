//! From the document to its meaning: inheritance resolved, references become ids, defaults made explicit.
//!
//! What cannot be built has a finding, here or in `check`; nothing is built weaker than it is written, and no more than a
//! compiler takes.

mod apart;
mod choice;
mod content;
mod described;
mod direction;
mod discriminator;
mod edges;
mod event;
mod family;
pub(crate) mod field_name;
mod fields;
mod files;
mod form;
mod free;
mod halves;
mod inside;
mod keywords;
mod kind;
mod left_out;
mod literal;
mod look_around;
mod name;
mod nesting;
mod opaque;
mod operation;
mod outgoing;
mod parts;
pub(crate) mod path;
mod pattern;
mod places;
mod policy;
mod range;
mod raw;
mod scalar;
mod scheme;
mod size;
mod spelling;
mod stated;
mod stream;
mod types;
mod wire;

use foldhash::{HashMap, HashSet};

use crate::document::{Document, SchemaId, SchemeForm};
use crate::finding::Findings;
use crate::model::{
    Api, Attribute, ContentForm, Keywords, Pattern, Resource, Scheme, SchemeId, Scope, ShapeId, TypeId,
    TypeTableDraft,
};
use direction::Direction;
use keywords::Place;
use pattern::Refusal;
use types::Waiting;

pub(crate) use described::{Described, described};
pub(crate) use discriminator::{Untold, untold};
pub(crate) use kind::{implied, is_whole};
pub(crate) use literal::literal;
pub(crate) use name::operation_ids;
pub(crate) use operation::{
    answers, credential_within, find, identity, is_credential, is_for_a_proxy, is_ignored, is_interim,
    merged, properties, speaks_for_others, status,
};
pub(crate) use pattern::{Matchers, matches};
pub(crate) use policy::{authorize, step_up};

struct Builder<'d> {
    document: &'d Document,
    findings: &'d mut Findings,
    schemes: Vec<Scheme>,
    scheme_ids: HashMap<String, SchemeId>,
    types: TypeTableDraft,
    type_ids: HashMap<(SchemaId, Direction), TypeId>,
    /// The schemas that are another type in a request than in an answer, and which way it goes now.
    directed: HashSet<SchemaId>,
    direction: Direction,
    /// The schemas that are filled where members are absent.
    filled: HashSet<SchemaId>,
    /// Whether each schema, by position, is a list or a map of itself.
    nesting: Vec<bool>,
    component_ids: Vec<TypeId>,
    waiting: Vec<Waiting>,
    patterns: HashMap<String, Result<Pattern, Refusal>>,
    reported_formats: HashSet<String>,
    reported_choices: HashSet<SchemaId>,
    shapes: Vec<Keywords>,
    shape_ids: HashMap<(SchemaId, Place, Direction), ShapeId>,
    shapes_waiting: Vec<(ShapeId, SchemaId, Place, Direction)>,
    /// How much was made that is written out at its uses.
    made: usize,
    /// How the parts are written that a part is.
    forms_inside: HashMap<inside::Stand, ContentForm>,
    /// How many bodies of parts this one stands in.
    deep_inside: usize,
}

/// Builds the model. `None` when a part of it could not be built; then there are findings, or `check` has some.
pub(crate) fn build(document: &Document, findings: &mut Findings) -> Option<Api> {
    let schemes: Vec<Scheme> = document.schemes.iter().filter_map(scheme::scheme).collect();
    let scheme_ids = schemes.iter().enumerate().map(|(at, scheme)| (scheme.name.clone(), SchemeId::at(at)));
    let mut builder = Builder {
        document,
        findings,
        scheme_ids: scheme_ids.collect(),
        schemes,
        types: TypeTableDraft::default(),
        type_ids: HashMap::default(),
        directed: direction::directed(document),
        direction: Direction::Answer,
        filled: direction::filled(document),
        nesting: nesting::nesting(document),
        component_ids: Vec::new(),
        waiting: Vec::new(),
        patterns: HashMap::default(),
        reported_formats: HashSet::default(),
        reported_choices: HashSet::default(),
        forms_inside: HashMap::default(),
        deep_inside: 0,
        shapes: Vec::new(),
        shape_ids: HashMap::default(),
        shapes_waiting: Vec::new(),
        made: 0,
    };
    choice::settle(document);
    builder.components();
    let ids = operation_ids(document);
    let mut operations = Vec::new();
    for (id, (item, written)) in ids.iter().cloned().zip(document.operations()) {
        operations.push(builder.operation(id, item, written));
    }
    let outgoing = builder.outgoing(&ids);
    builder.finish_inline();
    builder.finish_shapes();
    let unmatched = builder.unmatched_limits();
    let made = builder.made;
    let api = Api {
        title: document.title.clone(),
        version: document.version.clone(),
        docs: document.docs.clone(),
        schemes: builder.schemes,
        scopes: scopes(document),
        limits: document.rules.limits.iter().map(|named| named.limit.clone()).collect(),
        unmatched,
        errors: document.rules.errors,
        resources: resources(document),
        types: builder.types.finish()?,
        shapes: builder.shapes,
        tags: document.tags.clone(),
        // one that could not be built has a finding; `check` looks at the others all the same
        operations: operations.into_iter().flatten().collect(),
        assumed: document.assumed.clone(),
        outgoing,
    };
    (!size::is_too_much(&api, made, findings)).then_some(api)
}

/// Those of the flows in the order of the document, then those that only requirements name.
fn scopes(document: &Document) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = Vec::new();
    let mut known: HashSet<&str> = HashSet::default();
    for scheme in &document.schemes {
        if let SchemeForm::OAuth2 { scopes: declared } = &scheme.form {
            for (name, text) in declared {
                if known.insert(name) {
                    scopes.push(Scope { name: name.clone(), description: Some(text.clone()) });
                }
            }
        }
    }
    let requirements = document.operations().filter_map(|(_, operation)| operation.security.as_ref());
    let needs = document.security.iter().chain(requirements).flat_map(|all| &all.alternatives);
    let named = needs.flat_map(|alternative| &alternative.needs).flat_map(|need| &need.scopes);
    for scope in named {
        if known.insert(&scope.value) {
            scopes.push(Scope::named(scope.value.clone()));
        }
    }
    scopes
}

fn resources(document: &Document) -> Vec<Resource> {
    let resources = document.rules.resources.iter();
    resources
        .map(|resource| Resource {
            name: resource.name.value.clone(),
            attributes: resource
                .attributes
                .iter()
                .map(|(name, kind)| Attribute { name: name.value.clone(), kind: *kind })
                .collect(),
        })
        .collect()
}
