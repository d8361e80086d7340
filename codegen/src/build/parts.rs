//! `encoding.headers`: what stands in the heads of the parts of a multipart body, as types of its own beside the form's.
//!
//! A struct for each part that declares some, and one of all of these. Parts may be left out, so each is optional; one
//! whose name is repeated has a list.

use super::Builder;
use super::content::list_of;
use super::direction::Direction;
use super::types::with;
use crate::document::{Encoding, Media};
use crate::finding::{Code, Finding};
use crate::model::{Definition, Docs, Member, Object, Origin, Schema, Shape, Type, Wire, WireKind};

impl Builder<'_> {
    /// The type of all header fields, which the fields of the form learn of. `None` after a finding.
    pub(super) fn part_headers(
        &mut self,
        one: &Media,
        fields: &mut [(String, Wire)],
        path: &[String],
    ) -> Option<Option<Schema>> {
        let mut parts = Vec::new();
        if let Some((name, _)) = one.encoding.iter().find(|(_, encoding)| !encoding.headers.is_empty())
            && self.direction == Direction::Answer
        {
            let message = "header fields of the parts of an answer are not supported yet";
            let finding = Finding::error(Code::NotSupported, message, name.place);
            self.findings
                .push(finding.help("remove `headers`, or describe what they say as a member of its own"));
            return None;
        }
        for (name, encoding) in one.encoding.iter().filter(|(_, encoding)| !encoding.headers.is_empty()) {
            let Some((_, wire)) = fields.iter_mut().find(|(field, _)| *field == name.value) else {
                let message = format!("the headers of `{}`, which is no member", name.value);
                let finding = Finding::error(Code::UndeclaredProperty, message, name.place);
                self.findings.push(finding.help("declare it under `properties`"));
                return None;
            };
            let schema = self.headers_of(encoding, wire, &with(path, &name.value))?;
            let many =
                matches!(wire.kind, WireKind::List | WireKind::JsonList | WireKind::Files | WireKind::Either);
            let schema = if many { list_of(schema) } else { schema };
            parts.push(Member { required: false, ..member(&name.value, schema) });
        }
        Some((!parts.is_empty()).then(|| self.headers_type(parts, &with(path, "part headers"))))
    }

    /// Those of one part.
    fn headers_of(&mut self, encoding: &Encoding, wire: &mut Wire, path: &[String]) -> Option<Schema> {
        let mut members = Vec::new();
        for written in &encoding.headers {
            let header = self.header(written, path)?;
            // all of them are read by one method, whatever their type
            wire.headers.push((header.name.clone(), Wire { typed: false, ..header.wire }));
            members.push(Member {
                required: header.required,
                docs: header.docs,
                ..member(&header.name, header.schema)
            });
        }
        Some(self.headers_type(members, &with(path, "headers")))
    }

    fn headers_type(&mut self, members: Vec<Member>, path: &[String]) -> Schema {
        let shape = Shape::Object(Object { members, others: None, shape: None });
        let id = self.types.declare();
        let origin = Origin::Inline(path.to_vec());
        self.types.define(id, Definition { origin, docs: Docs::default(), shape, examples: Vec::new() });
        Schema::of(Type::Named(id))
    }
}

fn member(name: &str, schema: Schema) -> Member {
    let name = name.to_owned();
    Member { name, schema, required: true, default: None, docs: Docs::default(), examples: Vec::new() }
}
