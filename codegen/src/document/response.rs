//! Responses.

use super::parameter::is_token;
use super::read::{is_extension, overlay};
use super::{Fields, Media, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::source::tree::Node;

/// An entry of `responses`.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: Spanned<String>,
    pub(crate) content: Vec<Media>,
    pub(crate) docs: Docs,
}

/// What the runtime sends by itself, whether declared or not.
const SENT: [&str; 10] = [
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "retry-after",
    "www-authenticate",
];

impl<'d> Reader<'d> {
    pub(super) fn responses(&mut self, operation: &mut Fields<'d>) -> Vec<Response> {
        let Some(member) = operation.get("responses") else {
            // 3.1 lets an operation say nothing about its answers; then there is nothing that a handler could return
            self.missing(operation, "responses");
            return Vec::new();
        };
        let mut responses = Vec::new();
        let Some(object) = member.node.as_object() else {
            self.wrong_type("responses", "an object", &member.node);
            return responses;
        };
        for member in object.members() {
            if is_extension(&member.key) {
                self.extension(member, "the responses");
                continue;
            }
            let status = Spanned::new(member.key.to_string(), member.key_place);
            if let Some((content, docs)) = self.response(&member.node) {
                responses.push(Response { status, content, docs });
            }
        }
        if object.members().is_empty() {
            let finding =
                Finding::error(Code::MissingMember, "an operation without a response", member.key_place);
            self.push(finding.help("declare at least the answer of a call that works"));
        }
        responses
    }

    pub(super) fn response(&mut self, node: &'d Node) -> Option<(Vec<Media>, Docs)> {
        let (node, said) = self.follow(node, "responses")?;
        let mut fields = self.fields(node, "a response")?;
        if fields.peek("description").is_none() {
            self.missing(&fields, "description");
        }
        let docs = overlay(said, self.docs(&mut fields, &["description"]));
        for member in self.map(&mut fields, "headers") {
            self.header(&member.key, member.key_place, &member.node);
        }
        let content = self.content(&mut fields);
        if let Some(links) = fields.get("links") {
            self.ungenerated(links, "links are hints to clients");
        }
        self.finish(fields);
        Some((content, docs))
    }

    /// Read for its form; handlers cannot set declared headers yet.
    pub(super) fn header(&mut self, name: &str, place: crate::source::span::Place, node: &'d Node) {
        let Some((node, _)) = self.follow(node, "headers") else { return };
        let Some(mut fields) = self.fields(node, "a header") else { return };
        self.docs(&mut fields, &["description", "deprecated"]);
        for flag in ["required", "allowEmptyValue", "allowReserved", "explode"] {
            self.boolean(&mut fields, flag);
        }
        self.string(&mut fields, "style");
        self.examples(&mut fields);
        let schema = fields.get("schema");
        let content = self.content(&mut fields);
        match schema {
            Some(schema) if content.is_empty() => {
                self.schema(&schema.node);
            }
            Some(schema) => {
                let message = "a header has `schema` or `content`, not both";
                self.push(
                    Finding::error(Code::InvalidValue, message, schema.key_place).help("keep `schema`"),
                );
            }
            None if content.len() > 1 => {
                let message = "the `content` of a header has exactly one media type";
                self.push(Finding::error(Code::InvalidValue, message, fields.place));
            }
            None => {}
        }
        self.finish(fields);
        if !is_token(name) {
            let message = format!("`{name}` is no header name");
            self.push(Finding::error(Code::InvalidValue, message, place));
        }
        let folded = name.to_ascii_lowercase();
        if !SENT.contains(&&*folded) && !self.reported_headers.contains(&folded) {
            self.reported_headers.push(folded);
            let message = format!("handlers cannot set the declared header `{name}` yet");
            self.push(Finding::warning(Code::Ungenerated, message, place));
        }
    }
}
