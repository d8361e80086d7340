//! Outputs: a variant for each declared response.

use proc_macro2::Ident;

use super::ident::Case;
use super::names::Names;
use super::table::Table;
use super::types::RustType;
use crate::model::{Docs, Operation, StatusKey};

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
    pub(crate) body: Option<RustType>,
    pub(crate) media_type: Option<&'a str>,
}

impl VariantPlan<'_> {
    /// Whether the handler chooses the status.
    pub(crate) const fn chooses(&self) -> bool {
        !matches!(self.status, StatusKey::Exactly(_))
    }
}

/// The answers of `operation`.
pub(super) fn output<'a>(table: &Table<'a>, operation: &'a Operation) -> OutputPlan<'a> {
    let mut names = Names::default();
    let variants = operation.responses.iter().map(|response| VariantPlan {
        ident: names.take(&status_name(response.status), Case::Upper),
        status: response.status,
        docs: &response.docs,
        body: response.content.as_ref().map(|content| table.rust(&content.schema)),
        media_type: response.content.as_ref().map(|content| content.media_type.as_str()),
    });
    OutputPlan { variants: variants.collect() }
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
