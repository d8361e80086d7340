//! `components`: read whole, so that a fault in a part that nobody uses is found as well.

use super::by_uri::is_component_name;
use super::{Callback, Fields, PathItem, Reader, SchemaId, Scheme, Spanned};
use crate::finding::{Code, Finding};
use crate::normalise::Version;
use crate::source::tree::Member;

/// What the others refer to, and what is checked where it stands.
#[derive(Default)]
pub(super) struct Components {
    pub(super) schemes: Vec<Scheme>,
    pub(super) schemas: Vec<(Spanned<String>, SchemaId)>,
    /// Path items, those of callbacks among them.
    pub(super) paths: Vec<PathItem>,
}

impl<'d> Reader<'d> {
    pub(super) fn components(&mut self, document: &mut Fields<'d>) -> Components {
        let Some(member) = document.get("components") else { return Components::default() };
        let Some(mut fields) = self.fields(&member.node, "`components`").map(Fields::guarding) else {
            return Components::default();
        };
        let schemes = self.named(&mut fields, "securitySchemes");
        let schemes =
            schemes.into_iter().filter_map(|member| self.scheme(key_of(member), &member.node)).collect();
        let schemas = self.named(&mut fields, "schemas");
        let schemas = schemas.into_iter().map(|member| (key_of(member), self.schema(&member.node))).collect();
        for member in self.named(&mut fields, "parameters") {
            self.parameter(&member.node);
        }
        for member in self.named(&mut fields, "requestBodies") {
            self.request_body(&member.node);
        }
        for member in self.named(&mut fields, "responses") {
            self.response(&member.node);
        }
        for member in self.named(&mut fields, "headers") {
            self.component_header(member);
        }
        for member in self.named(&mut fields, "examples") {
            self.example(&member.node);
        }
        for member in self.named(&mut fields, "links") {
            self.link(member);
        }
        let mut paths = self.component_callbacks(&mut fields);
        if self.version == Version::V31 {
            let items = self.named(&mut fields, "pathItems");
            paths.extend(items.into_iter().filter_map(|member| self.path_item(member)));
        }
        if self.since_3_2 {
            for member in self.named(&mut fields, "mediaTypes") {
                self.component_media_type(member);
            }
        }
        self.finish(fields);
        Components { schemes, schemas, paths }
    }

    fn component_callbacks(&mut self, components: &mut Fields<'d>) -> Vec<PathItem> {
        let members = self.named(components, "callbacks");
        self.sends = true;
        let callbacks: Vec<Callback> =
            members.into_iter().filter_map(|member| self.callback(member)).collect();
        self.sends = false;
        callbacks.into_iter().flat_map(|callback| callback.items).collect()
    }

    /// Of whichever media type it is: one that has parts may say most.
    fn component_media_type(&mut self, member: &'d Member) {
        if let Some((node, _)) = self.follow(&member.node, "mediaTypes") {
            self.media_type(Spanned::new("multipart/form-data".to_owned(), member.key_place), true, node);
        }
    }

    fn component_header(&mut self, member: &'d Member) {
        // its name here is not the name on the wire, so only the form counts
        self.header("x", member.key_place, &member.node);
    }

    /// The members of one part. Their names are restricted (OpenAPI 3.1 section 4.8.7.1).
    fn named(&mut self, components: &mut Fields<'d>, part: &'static str) -> Vec<&'d Member> {
        let members = self.map(components, part);
        for member in &members {
            if !is_component_name(&member.key) {
                let message = format!("`{}` is no name for a component", member.key);
                let finding = Finding::error(Code::InvalidValue, message, member.key_place);
                self.push(finding.help("names consist of letters, digits, `.`, `-` and `_`"));
            }
        }
        members
    }
}

fn key_of(member: &Member) -> Spanned<String> {
    Spanned::new(member.key.to_string(), member.key_place)
}
