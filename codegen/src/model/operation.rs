//! Operations: what comes in, what goes out, and under which policy.

use std::time::Duration;

use super::{Access, Docs, LimitId, Ownership, Pagination, PathTemplate, Schema};

/// A value that the document states (default, example, constant). It only ever feeds generated values, never a decision.
pub type Literal = serde_json::Value;

/// An operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `operationId`, unique in the document.
    pub id: String,
    /// The method.
    pub method: Method,
    /// The path it is under.
    pub path: PathTemplate,
    /// Its tags. The first one says which trait it belongs to.
    pub tags: Vec<String>,
    /// Summary, description, deprecation.
    pub docs: Docs,
    /// Every declared parameter, those of the path first, in the order of the document.
    pub parameters: Vec<Parameter>,
    /// The request body, if one is declared.
    pub body: Option<Body>,
    /// The declared responses, in the order of the document.
    pub responses: Vec<Response>,
    /// Who may call.
    pub access: Access,
    /// The limits that apply: document, path, operation, in the order of the document.
    pub limits: Vec<LimitId>,
    /// Deadline for the whole operation.
    pub timeout: Duration,
    /// The object it is about, if it is about one.
    pub ownership: Option<Ownership>,
    /// How its list is walked, if it is a list.
    pub pagination: Option<Pagination>,
}

/// Methods of OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the registered names speak for themselves")]
pub enum Method {
    Get,
    Put,
    Post,
    Delete,
    Options,
    Head,
    Patch,
    Trace,
    Query,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Patch => "PATCH",
            Self::Trace => "TRACE",
            Self::Query => "QUERY",
        }
    }
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name, as in the document.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// What it must be. Never `Object`, `Map` or `Any`, and an array only of scalars.
    pub schema: Schema,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What stands in when it is absent. It conforms to the schema.
    pub default: Option<Literal>,
    /// How an array of it is written.
    pub style: Style,
    /// An `example` of it, if the document gives one.
    pub example: Option<Literal>,
    /// What the document says about it.
    pub docs: Docs,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words of OpenAPI")]
pub enum Location {
    Path,
    Query,
    Header,
    Cookie,
}

impl Location {
    /// The word of OpenAPI.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// How the values of an array parameter are written (RFC 6570 forms that OpenAPI names).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `simple` in path and header, `form` without `explode` in query and cookie: `a,b`.
    Commas,
    /// `form` with `explode`: `x=a&x=b`.
    Repeated,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Body {
    /// The media type that is accepted, and what it carries.
    pub content: Content,
    /// Whether a request without one is refused.
    pub required: bool,
    /// Largest accepted size in bytes.
    pub max: usize,
    /// Deepest accepted nesting.
    pub depth: usize,
    /// What the document says about it.
    pub docs: Docs,
}

/// A media type and its schema. The media types of this release all carry JSON.
#[derive(Clone, Debug)]
pub struct Content {
    /// As the document writes it, e.g. `application/json`.
    pub media_type: String,
    /// What it carries.
    pub schema: Schema,
    /// The examples that the document gives, in its order.
    pub examples: Vec<Literal>,
}

/// A declared response.
#[derive(Clone, Debug)]
pub struct Response {
    /// Which statuses it is for.
    pub status: StatusKey,
    /// What it carries, if anything.
    pub content: Option<Content>,
    /// What the document says about it.
    pub docs: Docs,
}

/// The key of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusKey {
    /// One status, e.g. `201`.
    Exactly(u16),
    /// `1XX` to `5XX`: the hundred, 1 to 5.
    Range(u16),
    /// `default`.
    Default,
}
