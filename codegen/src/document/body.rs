//! Request bodies and media types.

use super::read::overlay;
use super::{Fields, Reader, SchemaId, Spanned};
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::source::span::Place;
use crate::source::tree::Node;

/// `requestBody`
#[derive(Debug)]
pub(crate) struct RequestBody {
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) content: Vec<Media>,
    pub(crate) docs: Docs,
}

/// An entry of `content`.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) name: Spanned<String>,
    pub(crate) schema: Option<SchemaId>,
    pub(crate) examples: Vec<Node>,
}

impl<'d> Reader<'d> {
    pub(super) fn request_body(&mut self, node: &'d Node) -> Option<RequestBody> {
        let place = node.place;
        let (node, said) = self.follow(node, "requestBodies")?;
        let mut fields = self.fields(node, "a request body")?;
        let docs = overlay(said, self.docs(&mut fields, &["description"]));
        let required = self.boolean(&mut fields, "required").is_some_and(|flag| flag.value);
        if fields.peek("content").is_none() {
            self.missing(&fields, "content");
        }
        let content = self.content(&mut fields);
        self.finish(fields);
        Some(RequestBody { place, required, content, docs })
    }

    pub(super) fn content(&mut self, fields: &mut Fields<'d>) -> Vec<Media> {
        let mut media = Vec::new();
        for member in self.map(fields, "content") {
            let Some(mut fields) = self.fields(&member.node, "a media type") else { continue };
            let schema = fields.get("schema").map(|schema| self.schema(&schema.node));
            let examples = self.examples(&mut fields);
            if let Some(encoding) = fields.get("encoding") {
                let message = "`encoding` is not supported yet";
                self.push(Finding::error(Code::NotSupported, message, encoding.key_place));
            }
            self.finish(fields);
            let name = Spanned::new(member.key.to_string(), member.key_place);
            media.push(Media { name, schema, examples });
        }
        media
    }
}
