//! An operation.

use super::{Callback, Parameter, Reader, RequestBody, Requirements, Response, Spanned};
use crate::annotation::OperationRules;
use crate::model::{Docs, Method};
use crate::source::span::Place;
use crate::source::tree::Member;

/// What stands under a method.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// The method's key.
    pub(crate) place: Place,
    pub(crate) id: Option<Spanned<String>>,
    pub(crate) tags: Vec<String>,
    pub(crate) docs: Docs,
    /// `externalDocs.url`
    pub(crate) elsewhere: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<RequestBody>,
    pub(crate) responses: Vec<Response>,
    /// What the server sends of its own accord after this operation, by name.
    pub(crate) callbacks: Vec<Callback>,
    pub(crate) security: Option<Requirements>,
    /// Where credentials of the schemes that it names stand beside `Authorization`: place and name.
    pub(crate) credentials: Vec<(String, String)>,
    /// A cookie that is a credential, of whichever scheme of the document.
    pub(crate) cookie: Option<String>,
    /// Its `x-palisade`.
    pub(crate) annotation: Option<Place>,
    pub(crate) rules: OperationRules,
}

impl<'d> Reader<'d> {
    pub(super) fn operation(&mut self, method: Method, member: &'d Member) -> Option<Operation> {
        let mut fields = self.fields(&member.node, "an operation")?.guarding();
        let id = self.string(&mut fields, "operationId");
        let tags = match self.array(&mut fields, "tags") {
            Some((tags, _)) => {
                tags.iter().filter_map(|tag| self.loose_text("tags", tag)).map(|tag| tag.value).collect()
            }
            None => Vec::new(),
        };
        let docs = self.docs(&mut fields, &["summary", "description", "deprecated"]);
        let elsewhere = self.external_docs(&mut fields);
        self.servers(&mut fields);
        let parameters = self.parameters(&mut fields);
        let body = match fields.get("requestBody") {
            Some(body) => self.request_body(&body.node),
            None => None,
        };
        let responses = self.responses(&mut fields);
        let callbacks = self.callbacks(&mut fields);
        let annotation = fields.peek("x-palisade").map(|node| node.place);
        let security = self.security(&mut fields);
        let rules = self.operation_rules(&mut fields);
        self.finish(fields);
        let place = member.key_place;
        Some(Operation {
            method,
            place,
            id,
            tags,
            docs,
            elsewhere,
            parameters,
            body,
            responses,
            callbacks,
            security,
            credentials: Vec::new(),
            cookie: None,
            annotation,
            rules,
        })
    }
}
