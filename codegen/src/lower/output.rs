//! Outputs: a variant for each declared response.

use proc_macro2::Ident;

use super::check::{Check, checks};
use super::ident::Case;
use super::input::{ContentPlan, contents, one_type};
use super::names::Names;
use super::plan::Patterns;
use super::table::Table;
use super::types::RustType;
use crate::model::{Api, Docs, Header, Operation, Response, StatusKey};

/// The declared answers of an operation.
#[derive(Debug)]
pub(crate) struct OutputPlan<'a> {
    pub(crate) variants: Vec<VariantPlan<'a>>,
}

/// A declared answer.
#[derive(Debug)]
pub(crate) struct VariantPlan<'a> {
    pub(crate) ident: Ident,
    pub(crate) status: StatusKey,
    pub(crate) docs: &'a Docs,
    /// The type of what it carries, if it carries anything.
    pub(crate) body: Option<RustType>,
    pub(crate) contents: Vec<ContentPlan<'a>>,
    /// The enumeration of its contents, where there are several.
    pub(crate) choice: Option<Ident>,
    /// The struct of its headers, where there are any.
    pub(crate) headers: Option<HeadersPlan<'a>>,
}

/// The headers of an answer, as a struct.
#[derive(Debug)]
pub(crate) struct HeadersPlan<'a> {
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<HeaderPlan<'a>>,
}

/// A header, as a field.
#[derive(Debug)]
pub(crate) struct HeaderPlan<'a> {
    pub(crate) field: Ident,
    pub(crate) header: &'a Header,
    /// The type of the value; an optional field holds an `Option` of it.
    pub(crate) ty: RustType,
    pub(crate) checks: Vec<Check>,
}

impl VariantPlan<'_> {
    /// Whether the handler chooses the status.
    pub(crate) const fn chooses(&self) -> bool {
        !matches!(self.status, StatusKey::Exactly(_))
    }
}

/// The answers of `operation`.
pub(super) fn output<'a>(
    api: &'a Api,
    table: &Table<'a>,
    operation: &'a Operation,
    module: &mut Names,
    patterns: &mut Patterns,
) -> OutputPlan<'a> {
    let mut names = Names::default();
    let variant = |response: &'a Response| {
        let called = status_name(response.status);
        let mut contents = contents(api, table, &response.contents, patterns);
        let ranges = contents.iter_mut().filter(|plan| plan.content.is_range_of_bytes());
        ranges.for_each(|content| content.ty = RustType::TypedBytes);
        let named = |module: &mut Names, what: &str| {
            module.take(&format!("{} {called} {what}", operation.id), Case::Upper)
        };
        let choice = (contents.len() > 1).then(|| named(module, "content"));
        let headers = (!response.headers.is_empty()).then(|| {
            let fields = headers(api, table, &response.headers, patterns);
            HeadersPlan { ident: named(module, "headers"), fields }
        });
        VariantPlan {
            ident: names.take(&called, Case::Upper),
            status: response.status,
            docs: &response.docs,
            body: (!contents.is_empty()).then(|| one_type(&contents, choice.as_ref())),
            contents,
            choice,
            headers,
        }
    };
    OutputPlan { variants: operation.responses.iter().map(variant).collect() }
}

fn headers<'a>(
    api: &'a Api,
    table: &Table<'a>,
    headers: &'a [Header],
    patterns: &mut Patterns,
) -> Vec<HeaderPlan<'a>> {
    let mut names = Names::default();
    let plan = |header: &'a Header| HeaderPlan {
        field: names.take(&header.name, Case::Snake),
        header,
        ty: table.rust(&header.schema),
        checks: checks(api, patterns, &header.schema),
    };
    headers.iter().map(plan).collect()
}

/// What a status is called: its phrase in the IANA registry of HTTP status codes.
fn status_name(status: StatusKey) -> String {
    let name = match status {
        StatusKey::Default => "default",
        StatusKey::Range(1) => "informational",
        StatusKey::Range(2) => "success",
        StatusKey::Range(3) => "redirection",
        StatusKey::Range(4) => "client error",
        StatusKey::Range(_) => "server error",
        StatusKey::Exactly(code) => return phrase(code).map_or_else(|| format!("status {code}"), Into::into),
    };
    name.into()
}

fn phrase(code: u16) -> Option<&'static str> {
    Some(match code {
        100 => "continue",
        101 => "switching protocols",
        102 => "processing",
        103 => "early hints",
        200 => "ok",
        201 => "created",
        202 => "accepted",
        203 => "non authoritative information",
        204 => "no content",
        205 => "reset content",
        206 => "partial content",
        207 => "multi status",
        208 => "already reported",
        226 => "im used",
        300 => "multiple choices",
        301 => "moved permanently",
        302 => "found",
        303 => "see other",
        304 => "not modified",
        305 => "use proxy",
        307 => "temporary redirect",
        308 => "permanent redirect",
        400 => "bad request",
        401 => "unauthorized",
        402 => "payment required",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        406 => "not acceptable",
        407 => "proxy authentication required",
        408 => "request timeout",
        409 => "conflict",
        410 => "gone",
        411 => "length required",
        412 => "precondition failed",
        413 => "content too large",
        414 => "uri too long",
        415 => "unsupported media type",
        416 => "range not satisfiable",
        417 => "expectation failed",
        418 => "im a teapot",
        421 => "misdirected request",
        422 => "unprocessable content",
        423 => "locked",
        424 => "failed dependency",
        425 => "too early",
        426 => "upgrade required",
        428 => "precondition required",
        429 => "too many requests",
        431 => "request header fields too large",
        451 => "unavailable for legal reasons",
        500 => "internal server error",
        501 => "not implemented",
        502 => "bad gateway",
        503 => "service unavailable",
        504 => "gateway timeout",
        505 => "http version not supported",
        506 => "variant also negotiates",
        507 => "insufficient storage",
        508 => "loop detected",
        511 => "network authentication required",
        _ => return None,
    })
}
