//! What a document means: no tokens of Rust, no JSON of the document, every default explicit.
//!
//! `build` makes an [`Api`] from a document, `check` turns it into a [`CheckedApi`], and only that can be lowered
//! to Rust. What inherits (document < path < operation) is resolved here; what a `$ref` named is an id.

mod checked;
mod definition;
mod docs;
mod ids;
mod keyword;
mod limit;
mod operation;
mod outgoing;
mod path;
mod policy;
mod refers;
mod scheme;
mod table;
mod taken;
mod types;

pub use checked::CheckedApi;
pub use definition::{Definition, Member, Object, Origin, Shape, Union, Variant, Word, WordValue, Words};
pub use docs::Docs;
pub use ids::{LimitId, ResourceId, SchemeId, TypeId};
pub use keyword::{Keyword, Keywords, Kind, ShapeId, Tagged, Value};
pub use limit::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per};
pub use operation::{
    Body, Content, ContentForm, Framing, Header, Literal, Location, Method, Operation, Parameter, Priority,
    Response, StatusKey, Style, Wire, WireKind,
};
pub use outgoing::{Cause, Outgoing};
pub use path::{PathTemplate, Segment};
pub use policy::{
    Access, Alternative, AssumedPublic, Attribute, AttributeKind, ErrorForm, Idempotency, Login, Need,
    Ownership, Pagination, Resource, Scope, StepUp,
};
pub(crate) use refers::Id;
pub use scheme::{
    Algorithm, Binding, CertificateRules, KeyLocation, KeyRules, Revocation, Scheme, SchemeKind, SchemeWord,
    SubjectName, Token, TokenRules,
};
pub use table::{TypeTable, TypeTableDraft};
pub(crate) use taken::Taken;
pub use types::{
    Around, Array, Bounds, Counts, Grammar, Integer, IntegerFormat, Map, Number, NumberFormat, Pattern,
    Schema, Text, TextFormat, Type,
};

/// A document, understood.
#[derive(Clone, Debug)]
pub struct Api {
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// `info.summary` and `info.description`.
    pub docs: Docs,
    /// The security schemes, in the order of the document. A [`SchemeId`] counts them.
    pub schemes: Vec<Scheme>,
    /// Every scope that a flow declares or an operation names, in the order of the document, each once.
    pub scopes: Vec<Scope>,
    /// The named limits, in the order of the document. A [`LimitId`] counts them.
    pub limits: Vec<Limit>,
    /// The limits that count what matches no operation: the document's own, by address or of all together.
    pub unmatched: Vec<LimitId>,
    /// What refusals look like.
    pub errors: ErrorForm,
    /// What object-level rules are about, in the order of the document. A [`ResourceId`] counts them.
    pub resources: Vec<Resource>,
    /// Every type that has a name of its own: component schemas, and inline objects and enumerations.
    pub types: TypeTable,
    /// The schemas that stay JSON. A [`ShapeId`] counts them.
    pub shapes: Vec<Keywords>,
    /// The tags that the document describes, in its order: the name and what it says.
    pub tags: Vec<(String, Docs)>,
    /// The operations, in the order of the document.
    pub operations: Vec<Operation>,
    /// Those among them that nobody decided about, if they were assumed to be public.
    pub assumed: Option<AssumedPublic>,
    /// What the server sends of its own accord: webhooks, then callbacks, in the order of the document.
    pub outgoing: Vec<Outgoing>,
}

impl Api {
    /// The scheme that `id` counts.
    #[must_use]
    pub fn scheme(&self, id: SchemeId) -> &Scheme {
        ids::entry(&self.schemes, id.position())
    }

    /// The limit that `id` counts.
    #[must_use]
    pub fn limit(&self, id: LimitId) -> &Limit {
        ids::entry(&self.limits, id.position())
    }

    /// The resource that `id` counts.
    #[must_use]
    pub fn resource(&self, id: ResourceId) -> &Resource {
        ids::entry(&self.resources, id.position())
    }
}
