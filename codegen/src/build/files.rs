//! Parts of a multipart form of which no type is said: files.
//!
//! Without `type` such a part is `application/octet-stream`, or what `contentType` says (OpenAPI 3.1 section 4.8.15), so
//! any bytes will do. In JSON the same schema takes any JSON: what refers to a schema with such members is another type
//! in a form.

use super::Builder;
use super::content::{is_json, is_text};
use super::wire::Flat;
use crate::document::Media;
use crate::model::{
    Array, Counts, Definition, Member, Object, Origin, Schema, Shape, Text, TextFormat, Type, TypeId,
};

impl Builder<'_> {
    /// The schema of a form, its parts without a type being files.
    pub(super) fn with_files(&mut self, one: &Media, schema: Schema, path: &[String]) -> Schema {
        let Some((id, object)) = self.object_of(&schema) else { return schema };
        let members: Vec<Member> = object.members.iter().map(|member| self.as_file(one, member)).collect();
        if members == object.members || !self.has_room(members.len()) {
            return schema;
        }
        let Some(known) = self.types.get(id).cloned() else { return schema };
        let refers = one.schema.is_some_and(|id| self.document.schema(id).reference.is_some());
        let (id, origin) = match known.origin {
            origin @ Origin::Inline(_) if !refers => (id, origin),
            _ => (self.types.declare(), Origin::Inline(path.to_vec())),
        };
        let shape = Shape::Object(Object { members, ..object });
        self.types.define(id, Definition { origin, shape, docs: known.docs, examples: known.examples });
        Schema { ty: Type::Named(id), ..schema }
    }

    fn object_of(&self, schema: &Schema) -> Option<(TypeId, Object)> {
        let Type::Named(id) = &schema.ty else { return None };
        match &self.types.get(*id)?.shape {
            Shape::Alias(alias) => self.object_of(alias),
            Shape::Object(object) => Some((*id, object.clone())),
            _ => None,
        }
    }

    fn as_file(&self, one: &Media, member: &Member) -> Member {
        let encoding = one.encoding.iter().find(|(name, _)| name.value == member.name);
        let types = encoding.map(|(_, encoding)| encoding.types.as_slice()).unwrap_or_default();
        let is_told = !types.is_empty() && types.iter().all(|one| is_json(one) || is_text(one));
        let ty = match self.flat(&member.schema, 0) {
            _ if is_told || member.default.is_some() => None,
            Flat::Any => Some(file()),
            Flat::List(items) if *items == Flat::Any => self
                .array_of(&member.schema)
                .map(|array| Type::Array(Box::new(Array { items: Schema::of(file()), ..array.clone() }))),
            _ => None,
        };
        match ty {
            Some(ty) => Member { schema: Schema { ty, ..member.schema.clone() }, ..member.clone() },
            None => member.clone(),
        }
    }

    fn array_of<'a>(&'a self, schema: &'a Schema) -> Option<&'a Array> {
        match &schema.ty {
            Type::Array(array) => Some(array),
            Type::Named(id) => match &self.types.get(*id)?.shape {
                Shape::Alias(alias) => self.array_of(alias),
                _ => None,
            },
            _ => None,
        }
    }
}

fn file() -> Type {
    Type::Text(Text { format: TextFormat::Binary, length: Counts::default(), pattern: None })
}
