//! Responses.

use super::extension::is_extension;
use super::follow::overlay;
use super::parameter::is_token;
use super::{Fields, Media, Reader, SchemaId, Spanned};
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::normalise::Version;
use crate::source::tree::Node;

/// An entry of `responses`.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: Spanned<String>,
    pub(crate) content: Vec<Media>,
    /// Those that a handler sets.
    pub(crate) headers: Vec<Header>,
    pub(crate) docs: Docs,
}

/// RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5.
const NO_CONTENT: [&str; 3] = ["204", "205", "304"];

/// An entry of `headers`.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: Spanned<String>,
    pub(crate) required: bool,
    pub(crate) explode: bool,
    /// Whether it has `content`.
    pub(crate) content: Option<Spanned<String>>,
    pub(crate) schema: Option<SchemaId>,
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

/// What says where an answer ends, and whether the connection does (RFC 9112 sections 6 and 9, RFC 9110 section 7.6.1).
const FRAMING: [&str; 7] =
    ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

impl<'d> Reader<'d> {
    pub(super) fn responses(&mut self, operation: &mut Fields<'d>) -> Vec<Response> {
        let Some(member) = operation.get("responses") else {
            return self.no_responses(operation);
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
            if let Some((mut content, headers, docs)) = self.response(&member.node) {
                if !content.is_empty() && NO_CONTENT.contains(&&*status.value) {
                    content.clear();
                    let message = format!(
                        "an answer with status {} has no body: `content` is passed over",
                        status.value
                    );
                    let finding = Finding::warning(Code::BodyWithoutMeaning, message, status.place);
                    self.push(finding.help("remove `content`, or answer with another status, such as 200"));
                }
                responses.push(Response { status, content, headers, docs });
            }
        }
        if object.members().iter().all(|member| is_extension(&member.key)) {
            let finding =
                Finding::error(Code::MissingMember, "an operation without a response", member.key_place);
            self.push(finding.help("declare at least the answer of a call that works"));
        }
        responses
    }

    /// Since 3.1 an operation may say nothing of its answers (OpenAPI 3.1 section 4.8.10). Then they have any status, and
    /// no body: nothing says what could stand in one.
    fn no_responses(&mut self, operation: &Fields<'d>) -> Vec<Response> {
        if self.version == Version::V30 {
            self.missing(operation, "responses");
            return Vec::new();
        }
        let message = "the operation says nothing of its answers: they have any status, and no body";
        let finding = Finding::warning(Code::Untyped, message, operation.place);
        self.push(finding.help("declare at least the answer of a call that works"));
        let status = Spanned::new("default".to_owned(), operation.place);
        vec![Response { status, content: Vec::new(), headers: Vec::new(), docs: Docs::default() }]
    }

    pub(super) fn response(&mut self, node: &'d Node) -> Option<(Vec<Media>, Vec<Header>, Docs)> {
        let (node, said) = self.follow(node, "responses")?;
        let mut fields = self.fields(node, "a response")?;
        // optional since OpenAPI 3.2 (section 4.17)
        if !self.since_3_2 && fields.peek("description").is_none() {
            self.missing(&fields, "description");
        }
        let docs = overlay(said, self.docs(&mut fields, &["description"]));
        if self.since_3_2 {
            self.string(&mut fields, "summary");
        }
        let members = self.map(&mut fields, "headers");
        let mut headers: Vec<Header> = Vec::new();
        for member in members {
            let Some(header) = self.header(&member.key, member.key_place, &member.node) else { continue };
            let same = |known: &&Header| known.name.value.eq_ignore_ascii_case(&header.name.value);
            let name = header.name.value.to_ascii_lowercase();
            if let Some(known) = headers.iter().find(same) {
                let message = format!("the header `{}` stands twice", header.name.value);
                let finding = Finding::error(Code::ParameterTwice, message, header.name.place);
                self.push(finding.related(known.name.place, "the other").help("describe it once"));
            } else if FRAMING.contains(&&*name) {
                let message = format!("`{}` is the server's to write", header.name.value);
                let finding = Finding::warning(Code::Ungenerated, message, header.name.place);
                self.push(finding.help("no handler sets it: leave it out"));
            } else if !SENT.contains(&&*name) {
                headers.push(header);
            }
        }
        let content = self.content(&mut fields);
        self.links(&mut fields);
        self.finish(fields);
        Some((content, headers, docs))
    }

    /// `None` for the one that `content` describes, and after a finding.
    pub(super) fn header(
        &mut self,
        name: &str,
        place: crate::source::span::Place,
        node: &'d Node,
    ) -> Option<Header> {
        let (node, said) = self.follow(node, "headers")?;
        let mut fields = self.fields(node, "a header")?;
        let docs = overlay(said, self.docs(&mut fields, &["description", "deprecated"]));
        let required = self.boolean(&mut fields, "required").is_some_and(|flag| flag.value);
        let explode = self.boolean(&mut fields, "explode").is_some_and(|flag| flag.value);
        for flag in ["allowEmptyValue", "allowReserved"] {
            if self.boolean(&mut fields, flag).is_some_and(|flag| flag.value) {
                self.without_effect_in(&fields, flag, "header");
            }
        }
        if let Some(style) = self.string(&mut fields, "style") {
            self.style_word(&style, Some(crate::model::Location::Header));
        }
        self.examples(&mut fields);
        // OpenAPI 3.1 section 4.8.21: the key names it, and where it stands is known
        for said in
            ["name", "in"].into_iter().filter_map(|said| fields.peek(said).map(|node| (said, node.place)))
        {
            let message = format!("a header has no member `{}`: its key is its name", said.0);
            self.push(Finding::error(Code::UnknownMember, message, said.1).help("remove it"));
        }
        fields.accept(&["name", "in"]);
        let (schema, content) = self.header_schema(&mut fields);
        self.finish(fields);
        if !is_token(name) {
            let message = format!("`{name}` is no header name");
            let finding = Finding::error(Code::InvalidValue, message, place);
            self.push(finding.help("a name is a token (RFC 9110 section 5.1), such as `X-Total`"));
            return None;
        }
        // `Content-Type` is described by `content` (OpenAPI 3.1 section 4.8.17.1)
        if name.eq_ignore_ascii_case("content-type") {
            return None;
        }
        let name = Spanned::new(name.to_owned(), place);
        Some(Header { name, required, explode, content, schema, docs })
    }

    /// The schema of a header, and the media type where `content` says it.
    fn header_schema(&mut self, fields: &mut Fields<'d>) -> (Option<SchemaId>, Option<Spanned<String>>) {
        let schema = fields.get("schema").map(|schema| self.schema(&schema.node));
        let has_content = fields.peek("content").is_some();
        let place_of_content = fields.peek("content").map_or(fields.place, |content| content.place);
        let content = self.content(fields);
        match (schema, content.as_slice()) {
            (Some(schema), []) => (Some(schema), None),
            (Some(_), _) => {
                let message = "a header has `schema` or `content`, not both";
                let finding = Finding::error(Code::InvalidValue, message, place_of_content);
                self.push(finding.help("keep `schema`"));
                (None, None)
            }
            (None, [one]) if one.item_schema.is_none() => {
                (Some(self.schema_of_content(one)), Some(one.name.clone()))
            }
            (None, []) if !has_content => {
                self.missing(fields, "schema");
                (None, None)
            }
            (None, _) => {
                let message = "the `content` of a header has exactly one media type, and no `itemSchema`";
                let finding = Finding::error(Code::InvalidValue, message, place_of_content);
                self.push(finding.help("keep one, or write `schema`"));
                (None, None)
            }
        }
    }
}
