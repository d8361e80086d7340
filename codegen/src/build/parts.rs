//! `encoding.headers`: what stands in the heads of the parts of a multipart body, as types of its own beside the form's.
//!
//! A struct for each part that declares some, and one of all of these. Parts may be left out, so each is optional; one
//! whose name is repeated has a list, and so have those behind the first of parts with places. Of parts without names there is
//! a list of one struct.

use super::Builder;
use super::direction::Direction;
use super::form::list_of;
use super::types::with;
use crate::document::{Encoding, Media, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{Definition, Docs, Member, Object, Origin, Schema, Shape, Type, Wire, WireKind};

impl Builder<'_> {
    /// The type of all header fields, which the fields of the form learn of. `rest` is the name of a field that is many parts,
    /// whatever each of them is. `None` after a finding.
    pub(super) fn part_headers(
        &mut self,
        one: &Media,
        fields: &mut [(String, Wire)],
        rest: Option<&str>,
        path: &[String],
    ) -> Option<Option<Schema>> {
        let mut parts = Vec::new();
        for (name, encoding) in one.encoding.iter().filter(|(_, encoding)| !encoding.headers.is_empty()) {
            let Some((_, wire)) = fields.iter_mut().find(|(field, _)| *field == name.value) else {
                let message = format!("the headers of `{}`, which is no member", name.value);
                let finding = Finding::error(Code::UndeclaredProperty, message, name.place);
                self.findings.push(finding.help("declare it under `properties`"));
                return None;
            };
            let schema = self.headers_of(encoding, wire, &with(path, &name.value))?;
            let many = is_many(wire) || rest == Some(&*name.value);
            let schema = if many { list_of(schema) } else { schema };
            parts.push(Member { required: false, ..member(&name.value, schema) });
        }
        Some((!parts.is_empty()).then(|| self.headers_type(parts, &with(path, "part headers"))))
    }

    /// Those of parts that have no names: a list, with one for each. `None` after a finding.
    pub(super) fn headers_in_order(
        &mut self,
        one: &Media,
        item: &mut Wire,
        path: &[String],
    ) -> Option<Option<Schema>> {
        let encoding = one.item_encoding.as_ref().map(|encoding| &encoding.value);
        let Some(encoding) = encoding.filter(|encoding| !encoding.headers.is_empty()) else {
            return Some(None);
        };
        Some(Some(list_of(self.headers_of(encoding, item, &with(path, "part"))?)))
    }

    /// Those of one part.
    fn headers_of(&mut self, encoding: &Encoding, wire: &mut Wire, path: &[String]) -> Option<Schema> {
        let mut members = Vec::new();
        for written in &encoding.headers {
            self.is_free_to_say(&written.name)?;
            let header = self.header(written, path)?;
            let required = header.required && self.direction == Direction::Answer;
            // all of them are read by one method, whatever their type
            wire.headers.push((header.name.clone(), Wire { typed: false, required, ..header.wire }));
            members.push(Member {
                required: header.required,
                docs: header.docs,
                ..member(&header.name, header.schema)
            });
        }
        Some(self.headers_type(members, &with(path, "headers")))
    }

    /// Rejects what the head of a part of an answer says anyway. `None` after a finding.
    fn is_free_to_say(&mut self, name: &Spanned<String>) -> Option<()> {
        let own = ["content-disposition", "content-transfer-encoding"];
        let is_own = own.iter().any(|own| name.value.eq_ignore_ascii_case(own));
        if self.direction != Direction::Answer || !is_own {
            return Some(());
        }
        let message = format!("`{}` of a part of an answer is not the handler's to say", name.value);
        let finding = Finding::error(Code::NotSupported, message, name.place);
        self.findings.push(
            finding.help("remove it: the server writes what tells a part by its name, or a file by that"),
        );
        None
    }

    fn headers_type(&mut self, members: Vec<Member>, path: &[String]) -> Schema {
        let shape = Shape::Object(Object { members, others: None, shape: None });
        let id = self.types.declare();
        let origin = Origin::Inline(path.to_vec());
        self.types.define(id, Definition { origin, docs: Docs::default(), shape, examples: Vec::new() });
        Schema::of(Type::Named(id))
    }
}

/// Whether parts of this name may be several.
const fn is_many(wire: &Wire) -> bool {
    match wire.kind {
        // its items stand in one text otherwise
        WireKind::List => wire.explode,
        WireKind::JsonList | WireKind::Files | WireKind::Either => true,
        _ => false,
    }
}

fn member(name: &str, schema: Schema) -> Member {
    let name = name.to_owned();
    Member { name, schema, required: true, default: None, docs: Docs::default(), examples: Vec::new() }
}
