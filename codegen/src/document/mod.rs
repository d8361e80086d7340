//! An OpenAPI document as it is written: typed, references followed, a place on everything, 3.0 and 3.1 in one form.

mod assume;
mod beyond;
mod body;
mod by_uri;
mod components;
mod counted;
mod credentials;
mod derived;
mod encoding;
mod example;
mod extension;
mod fields;
mod follow;
mod info;
mod keywords;
mod link;
mod media_type;
mod operation;
mod outgoing;
mod parameter;
mod path_item;
mod read;
mod reference;
mod response;
mod root;
pub(crate) mod schema;
mod security;
mod undefined;
mod xml;

use std::cell::Cell;

use foldhash::{HashMap, HashSet};

use crate::annotation::DocumentRules;
use crate::build::Matchers;
use crate::model::{AssumedPublic, Docs};
use crate::normalise::standing::Standing;
use crate::source::tree::Node;

pub(crate) use beyond::{Beyond, Discriminator};
pub(crate) use body::{Media, RequestBody};
pub(crate) use credentials::ACCESS_TOKEN;
use derived::Derived;
pub(crate) use derived::End;
pub(crate) use encoding::{Encoding, Inside};
pub(crate) use fields::Fields;
pub(crate) use media_type::MediaType;
pub(crate) use operation::Operation;
pub(crate) use outgoing::Callback;
pub(crate) use parameter::Parameter;
pub(crate) use path_item::PathItem;
pub(crate) use read::{Reader, Spanned};
pub(crate) use response::{Header, Response};
pub(crate) use root::read;
pub(crate) use schema::{Additional, Alternative, Choice, JsonType, Said, Schema, SchemaId, View};
pub(crate) use security::{Need, Requirement, Requirements, Scheme, SchemeForm};

/// The whole document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) title: String,
    pub(crate) version: String,
    /// Whether it is no document of OpenAPI 3.0.
    pub(crate) since_3_1: bool,
    pub(crate) docs: Docs,
    /// `externalDocs.url`
    pub(crate) elsewhere: Option<String>,
    pub(crate) tags: Vec<(String, Docs)>,
    pub(crate) security: Option<Requirements>,
    pub(crate) rules: DocumentRules,
    pub(crate) paths: Vec<PathItem>,
    pub(crate) schemes: Vec<Scheme>,
    /// What the server sends of its own accord; a template is the name of a webhook.
    pub(crate) webhooks: Vec<PathItem>,
    /// Those of `components`, used or not: a fault is found where it stands.
    component_paths: Vec<PathItem>,
    /// `components.schemas` in order.
    pub(crate) components: Vec<(Spanned<String>, SchemaId)>,
    /// Those of other files, as far as they were read.
    components_elsewhere: Vec<(Spanned<String>, SchemaId)>,
    /// What nobody decided about and is served as public all the same, by the choice of whoever generates.
    pub(crate) assumed: Option<AssumedPublic>,
    schemas: Vec<Schema>,
    /// The schemas that are applied together with others: what they lack, the others may have.
    branches: HashSet<SchemaId>,
    /// What was composed, by what it was composed of, and the other way round.
    composed: HashMap<Vec<SchemaId>, SchemaId>,
    parts: HashMap<SchemaId, Vec<SchemaId>>,
    /// The schemas that have been merged, or cannot be.
    settled: HashSet<SchemaId>,
    derived: Derived,
    /// The first component that each schema is, in the order of [`Self::components_anywhere`].
    names: HashMap<SchemaId, usize>,
    scheme_names: HashMap<String, usize>,
    /// How much may still be made of the schemas that were written.
    room: Cell<usize>,
    patterns: Matchers,
    pub(crate) standing: Standing,
}

/// Schemas, members and values that composing may add to a document, or look at again, for each that is written, and
/// some more. Where it ends what is composed stays so: the keywords decide, and the value is JSON.
const GROWTH: usize = 4;
const ROOM: usize = 10_000;

impl Document {
    pub(crate) fn schema(&self, id: SchemaId) -> &Schema {
        schema::entry(&self.schemas, id)
    }

    /// Whether a schema is applied together with others.
    pub(crate) fn is_branch(&self, id: SchemaId) -> bool {
        self.branches.contains(&id)
    }

    /// Puts another schema where one was.
    pub(crate) fn replace(&mut self, id: SchemaId, schema: Schema) {
        if let Some(slot) = self.schemas.get_mut(id.position()) {
            *slot = schema;
        }
    }

    /// A schema that is satisfied by what satisfies both: one for each set of schemas, however it came together, so that
    /// types which refine their own members end.
    pub(crate) fn composed(&mut self, one: SchemaId, other: SchemaId) -> SchemaId {
        let mut parts: Vec<SchemaId> = [one, other].into_iter().flat_map(|id| self.parts(id)).collect();
        parts.sort_unstable();
        parts.dedup();
        if let [_] = parts.as_slice() {
            return one;
        }
        if let Some(known) = self.composed.get(&parts) {
            return *known;
        }
        let id = self.compose(one, other);
        self.standing.compose(id, &[one, other]);
        self.composed.insert(parts.clone(), id);
        self.parts.insert(id, parts);
        id
    }

    /// What was composed to make a schema; itself, when that is what was written. An alias that says nothing of its own
    /// is what it refers to.
    fn parts(&self, id: SchemaId) -> Vec<SchemaId> {
        let mut at = id;
        for _ in 0..self.schemas.len() {
            let schema = self.schema(at);
            let own = schema.nullable || schema.read_only.is_some() || schema.write_only.is_some();
            match schema.reference.filter(|_| !own && schema.default.is_none()) {
                Some(next) => at = next,
                None => break,
            }
        }
        self.parts.get(&at).cloned().unwrap_or_else(|| vec![at])
    }

    fn compose(&mut self, one: SchemaId, other: SchemaId) -> SchemaId {
        let first = self.schema(one);
        let mut schema = Schema::empty(first.place);
        schema.beyond.first = Some(("allOf", self.schema(other).place));
        schema.beyond.all_of = vec![one, other];
        schema.merged = true;
        schema.docs = first.docs.clone();
        self.add(schema)
    }

    /// A schema that nobody wrote: what it lacks, others have.
    pub(crate) fn add(&mut self, schema: Schema) -> SchemaId {
        let id = SchemaId::at(self.schemas.len());
        self.schemas.push(schema);
        self.branches.insert(id);
        id
    }

    /// Remembers that a schema has been merged, or cannot be.
    pub(crate) fn settle(&mut self, id: SchemaId) {
        self.settled.insert(id);
    }

    pub(crate) fn is_settled(&self, id: SchemaId) -> bool {
        self.settled.contains(&id)
    }

    /// The schema at a position.
    pub(crate) fn id(&self, position: usize) -> Option<SchemaId> {
        (position < self.schemas.len()).then_some(SchemaId::at(position))
    }

    /// The ids of all schemas.
    pub(crate) fn ids(&self) -> impl Iterator<Item = SchemaId> + use<> {
        (0..self.schemas.len()).map(SchemaId::at)
    }

    pub(crate) fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    /// The schema that `id` refers to in the end, through references that say nothing of their own.
    pub(crate) fn target(&self, id: SchemaId) -> SchemaId {
        self.end(id).target
    }

    /// The same, with what the references on the way say.
    pub(crate) fn end(&self, id: SchemaId) -> End {
        // what was added refers to nothing
        let itself = || End { target: id, widened: false, or_null: self.schema(id).or_null, links: 0 };
        self.derived.ends.get(id.position()).copied().unwrap_or_else(itself)
    }

    /// Whether a schema, or one that certainly holds of what it holds of, is `readOnly` and `writeOnly`.
    pub(crate) fn access(&self, id: SchemaId) -> (bool, bool) {
        let is = |list: &[bool]| list.get(id.position()) == Some(&true);
        (is(&self.derived.read_only), is(&self.derived.write_only))
    }

    /// Whether a schema declares members, or one does that may be applied to the same value.
    pub(crate) fn declares_members(&self, id: SchemaId) -> bool {
        self.derived.declares.get(id.position()) == Some(&true)
    }

    /// Looks at where references lead. Whoever changes one looks again.
    pub(crate) fn follow_references(&mut self) {
        self.derived.ends = derived::ends(&self.schemas);
    }

    /// Looks at all schemas together, once none is added any more.
    pub(crate) fn derive(&mut self) {
        self.derived = Derived::of(&self.schemas);
    }

    /// Says how much may be made of what was written.
    fn make_room(&mut self) {
        let written = self.schemas.iter().map(Schema::weight).sum::<usize>();
        self.room.set(written.saturating_mul(GROWTH).saturating_add(ROOM));
    }

    /// Whether there is room to make, or to look at, this much more.
    pub(crate) fn has_room(&self, much: usize) -> bool {
        let left = self.room.get().saturating_sub(much);
        self.room.set(left);
        left > 0
    }

    /// Whether a text matches a pattern, as at run time. A pattern that does not translate has its own finding.
    pub(crate) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.patterns.matches(pattern, text)
    }

    /// `components.schemas` of the document, and those of other files.
    pub(crate) fn components_anywhere(&self) -> impl Iterator<Item = &(Spanned<String>, SchemaId)> {
        self.components.iter().chain(&self.components_elsewhere)
    }

    /// The name of the component that a schema is, in whichever file.
    pub(crate) fn component_anywhere(&self, id: SchemaId) -> Option<&Spanned<String>> {
        self.components_anywhere().nth(*self.names.get(&id)?).map(|(name, _)| name)
    }

    /// The name of the component of the document that a schema is.
    pub(crate) fn component(&self, id: SchemaId) -> Option<&Spanned<String>> {
        self.components.get(*self.names.get(&id)?).map(|(name, _)| name)
    }

    /// The default of a value of this schema: its own, or that of a schema that certainly holds of it (a default is an
    /// annotation, JSON Schema 2020-12 section 7.7). What refines another stands behind it, so the last one is meant.
    pub(crate) fn default_of(&self, id: SchemaId) -> Option<&Node> {
        let mut seen = HashSet::default();
        let has_one = |id: &SchemaId| self.derived.defaulted.get(id.position()) != Some(&false);
        let mut waiting: Vec<SchemaId> = [id].into_iter().filter(has_one).collect();
        while let Some(id) = waiting.pop() {
            let schema = self.schema(id);
            if schema.default.is_some() {
                return schema.default.as_ref();
            }
            if seen.insert(id) {
                let holds = schema.reference.into_iter().chain(schema.beyond.certain());
                waiting.extend(holds.filter(has_one));
            }
        }
        None
    }

    pub(crate) fn scheme(&self, name: &str) -> Option<&Scheme> {
        self.schemes.get(*self.scheme_names.get(name)?)
    }

    /// Each operation with the path it stands under.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&PathItem, &Operation)> {
        self.paths.iter().flat_map(|item| item.operations.iter().map(move |operation| (item, operation)))
    }

    /// The same of every path, whoever sends its requests and whether anything refers to it.
    pub(crate) fn operations_anywhere(&self) -> impl Iterator<Item = (&PathItem, &Operation)> {
        let items = self.paths.iter().chain(self.outgoing()).chain(&self.component_paths);
        items.flat_map(|item| item.operations.iter().map(move |operation| (item, operation)))
    }

    /// The paths of what the server sends of its own accord.
    pub(crate) fn outgoing(&self) -> impl Iterator<Item = &PathItem> {
        let callbacks = self.operations().flat_map(|(_, operation)| &operation.callbacks);
        self.webhooks.iter().chain(callbacks.flat_map(|callback| &callback.items))
    }
}
