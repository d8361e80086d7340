//! Operations: what comes in, what goes out, and under which policy.

use std::time::Duration;

use super::{Access, Docs, Idempotency, LimitId, Login, Ownership, Pagination, PathTemplate, Schema, StepUp};

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
    /// How and when its user must have logged in, if that matters.
    pub step_up: Option<StepUp>,
    /// The limits that apply: document, path, operation, in the order of the document.
    pub limits: Vec<LimitId>,
    /// How many a request counts as under each of them.
    pub cost: u32,
    /// Deadline for the whole operation.
    pub timeout: Duration,
    /// What it gives way to when there is too much to do.
    pub priority: Priority,
    /// Whether calls that are done are told of as well.
    pub audit: bool,
    /// The object it is about, if it is about one.
    pub ownership: Option<Ownership>,
    /// How its list is walked, if it is a list.
    pub pagination: Option<Pagination>,
    /// Whether a call that is sent again is not done again.
    pub idempotency: Option<Idempotency>,
    /// Whether a call is an attempt to log in.
    pub login: Option<Login>,
}

/// How much an operation matters when there is more to do than can be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// It gives way to none.
    Critical,
    /// It gives way to what is critical.
    #[default]
    Normal,
    /// It gives way to all others.
    Batch,
}

/// Methods of OpenAPI.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Of `additionalOperations`, with the capitals that the document gives it.
    Other(String),
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
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
            Self::Other(name) => name,
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
    /// What it must be.
    pub schema: Schema,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What stands in when it is absent. It conforms to the schema.
    pub default: Option<Literal>,
    /// How it is written.
    pub wire: Wire,
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
    /// All of the query.
    QueryString,
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
            Self::QueryString => "querystring",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// How a value is written as text: a parameter, a member of a form, a header of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The style.
    pub style: Style,
    /// Whether each value of an array or object has its name.
    pub explode: bool,
    /// What is written.
    pub kind: WireKind,
    /// Whether it is a scalar of one type, or a list of such.
    pub typed: bool,
    /// `allowEmptyValue`
    pub empty: bool,
    /// `encoding.contentType`: the media types that a part of a multipart body may have.
    pub types: Vec<String>,
    /// The most bytes of a file of a multipart body.
    pub most: Option<usize>,
    /// `encoding.headers`: the header fields of a part of a multipart body, and how each is written.
    pub headers: Vec<(String, Self)>,
    /// Whether a part that leaves has this header field.
    pub required: bool,
}

/// The styles (RFC 6570 forms, and what OpenAPI adds to them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of OpenAPI")]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
    /// Of OpenAPI 3.2.
    Cookie,
}

impl Style {
    /// Every style with the word of OpenAPI.
    pub const WORDS: [(&'static str, Self); 8] = [
        ("simple", Self::Simple),
        ("label", Self::Label),
        ("matrix", Self::Matrix),
        ("form", Self::Form),
        ("spaceDelimited", Self::SpaceDelimited),
        ("pipeDelimited", Self::PipeDelimited),
        ("deepObject", Self::DeepObject),
        ("cookie", Self::Cookie),
    ];

    /// The word of OpenAPI.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, style)| *style == self).map_or("", |(word, _)| word)
    }

    /// The style of a place where the document says nothing (OpenAPI 3.1 section 4.8.12.2).
    #[must_use]
    pub const fn default_of(location: Location) -> Self {
        match location {
            Location::Path | Location::Header => Self::Simple,
            Location::Query | Location::QueryString | Location::Cookie => Self::Form,
        }
    }

    /// Whether each value has its name where the document says nothing (OpenAPI 3.2 section 4.12.2.2).
    #[must_use]
    pub const fn explodes(self) -> bool {
        matches!(self, Self::Form | Self::Cookie)
    }

    /// The styles of a place (OpenAPI 3.1 section 4.8.12.3, OpenAPI 3.2 section 4.12.3).
    #[must_use]
    pub const fn of(location: Location) -> &'static [Self] {
        match location {
            Location::Path => &[Self::Simple, Self::Label, Self::Matrix],
            Location::Query => &[Self::Form, Self::SpaceDelimited, Self::PipeDelimited, Self::DeepObject],
            // its media type says how it is written
            Location::QueryString => &[],
            Location::Header => &[Self::Simple],
            Location::Cookie => &[Self::Form, Self::Cookie],
        }
    }
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireKind {
    /// One text.
    Scalar,
    /// Texts.
    List,
    /// Texts by name: of these members, and of others where they are let through.
    Object(Vec<String>, bool),
    /// A JSON text.
    Json,
    /// JSON texts.
    JsonList,
    /// A file.
    File,
    /// Files.
    Files,
    /// Parts, in a part.
    Parts(Box<ContentForm>),
    /// One text, texts, or names in brackets: the schema alone says which.
    Either,
    /// A text of `application/x-www-form-urlencoded`: how each declared member is written.
    Form(Vec<(String, Wire)>),
    /// The same where the schema alone says what the members are: how those are written that are not as all others.
    FreeForm(Vec<(String, Wire)>),
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Body {
    /// What is accepted, at least one, each of a form or a schema of its own.
    pub contents: Vec<Content>,
    /// Media types and ranges that are not accepted although a range of `contents` takes them: their own schema cannot be
    /// enforced.
    pub refused: Vec<String>,
    /// Whether a request without one is refused.
    pub required: bool,
    /// Largest accepted size in bytes.
    pub max: usize,
    /// Deepest accepted nesting.
    pub depth: usize,
    /// What the document says about it.
    pub docs: Docs,
}

/// Media types that carry the same.
#[derive(Clone, Debug)]
pub struct Content {
    /// As the document writes them, e.g. `application/json`; in an answer a range only of bytes.
    pub media_types: Vec<String>,
    /// How it is read and written.
    pub form: ContentForm,
    /// What it carries.
    pub schema: Schema,
    /// The header fields of the parts of a multipart body, where some are declared: by part, or of parts without names a list.
    pub part_headers: Option<Schema>,
    /// The examples that the document gives, in its order.
    pub examples: Vec<Literal>,
}

impl Content {
    /// Whether it is bytes of any media type within a range.
    pub(crate) fn is_range_of_bytes(&self) -> bool {
        let is_range = |name: &String| name.split(';').next().is_some_and(|essence| essence.contains('*'));
        self.form == ContentForm::Bytes && self.media_types.iter().any(is_range)
    }
}

/// How a content is read and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentForm {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`: how each declared member is written.
    Form(Vec<(String, Wire)>),
    /// The same where the schema alone says what the members are: how those are written that are not as all others.
    FreeForm(Vec<(String, Wire)>),
    /// Parts that have names, the same.
    Multipart(Vec<(String, Wire)>),
    /// Parts of a list, in its order: how each is written.
    Parts(Box<Wire>),
    /// Parts that are told by their places.
    Places {
        /// How each is written, and which member it is.
        fields: Vec<(String, Wire)>,
        /// Whether the last of these is the list of all others.
        rest: bool,
    },
    /// Text.
    Text,
    /// Bytes as they come.
    Bytes,
    /// A stream of items.
    Stream(Framing),
    /// Values that stand one after the other, as a list.
    Records {
        /// How one is told from the next.
        framing: Framing,
        /// Whether what an event says is JSON, and no text. `None`: its schema takes both.
        json: Option<bool>,
    },
}

/// How an item of a stream is told from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// It is JSON on a line.
    Line,
    /// It is JSON between a record separator and a line feed (RFC 7464).
    Record,
    /// It is the data of a server-sent event, JSON or text.
    Data,
    /// It is a server-sent event: what it is an object of are the fields.
    Event,
}

impl ContentForm {
    /// A word for it, of which names are made.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form(_) | Self::FreeForm(_) => "form",
            Self::Multipart(_) | Self::Parts(_) | Self::Places { .. } => "multipart",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Stream(framing) | Self::Records { framing, .. } => match framing {
                Framing::Line | Framing::Record => "lines",
                Framing::Data | Framing::Event => "events",
            },
        }
    }
}

/// A header of an answer that the handler sets.
#[derive(Clone, Debug)]
pub struct Header {
    /// Its name, as in the document.
    pub name: String,
    /// What it must be.
    pub schema: Schema,
    /// Whether an answer always has it.
    pub required: bool,
    /// How it is written.
    pub wire: Wire,
    /// Whether each line of its text is a field of its own: cookies, as `content`.
    pub lines: bool,
    /// What the document says about it.
    pub docs: Docs,
}

/// A declared response.
#[derive(Clone, Debug)]
pub struct Response {
    /// Which statuses it is for.
    pub status: StatusKey,
    /// What it carries, if anything: one of these.
    pub contents: Vec<Content>,
    /// The headers that its handler sets.
    pub headers: Vec<Header>,
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
