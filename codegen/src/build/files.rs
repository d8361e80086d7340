//! Parts of a multipart body of which no type is said: files. And parts that have no names.
//!
//! Without `type` such a part is `application/octet-stream`, or what `contentType` says (OpenAPI 3.1 section 4.8.15), so
//! any bytes will do, of any length or of those that are said. In JSON the same schema takes any JSON: what refers to a schema with such members is another type
//! in a form.

use super::Builder;
use super::family::{Family, is_json, is_text};
use super::inside::ITEM;
use super::left_out::LeftOut;
use super::wire::Flat;
use crate::document::{Encoding, Media};
use crate::model::{
    Array, ContentForm, Counts, Definition, Member, Object, Origin, Schema, Shape, Text, TextFormat, Type,
    TypeId, WireKind,
};

impl Builder<'_> {
    /// The schema of a form, its parts without a type being files.
    pub(super) fn with_files(
        &mut self,
        one: &Media,
        schema: Schema,
        path: &[String],
        inner: &[(String, Schema)],
    ) -> Schema {
        let Some((id, object)) = self.object_of(&schema) else { return schema };
        let own = self.is_own(one);
        let members =
            object.members.iter().map(|member| match inner.iter().find(|(name, _)| *name == member.name) {
                Some((_, schema)) => Member { schema: schema.clone(), ..member.clone() },
                None => self.as_file(one, member, own),
            });
        let members: Vec<Member> = members.collect();
        if members == object.members || !self.has_room(members.len()) {
            return schema;
        }
        let Some(known) = self.types.get(id).cloned() else { return schema };
        let (id, origin) = match known.origin {
            origin @ Origin::Inline(_) if own => (id, origin),
            _ => (self.types.declare(), Origin::Inline(path.to_vec())),
        };
        let shape = Shape::Object(Object { members, ..object });
        self.types.define(id, Definition { origin, shape, docs: known.docs, examples: known.examples });
        Schema { ty: Type::Named(id), ..schema }
    }

    /// Parts that have no names, one for each item (OpenAPI 3.2 section 4.14.4.2). `None` after a finding.
    pub(super) fn in_order(
        &mut self,
        one: &Media,
        schema: Schema,
        path: &[String],
    ) -> Option<Result<(ContentForm, Schema), LeftOut>> {
        let Some(array) = self.array_of(&schema).cloned() else {
            return Some(Err(self.form_of_no_object(one)));
        };
        let encoding = one.item_encoding.as_ref().map(|encoding| &encoding.value);
        let place = one.item_encoding.as_ref().map_or(one.name.place, |encoding| encoding.place);
        let inner = match encoding {
            Some(encoding) => self.items_in_parts(one, encoding, path)?,
            None => None,
        };
        let file = if is_told(encoding) { None } else { self.file_of(&array.items, self.is_own(one)) };
        let schema = match inner.or(file) {
            Some(items) => Schema::of(Type::Array(Box::new(Array { items, ..array }))),
            None => schema,
        };
        let Flat::List(item) = self.flat(&schema, 0) else { return Some(Err(self.form_of_no_object(one))) };
        let wire = match self.wire_of_parts(encoding, ITEM) {
            Some(wire) => wire,
            None => self.field(encoding, &item, Family::Multipart, place)?,
        };
        let is_one_part = !matches!(wire.kind, WireKind::List | WireKind::JsonList | WireKind::Files);
        Some(if is_one_part {
            Ok((ContentForm::Parts(Box::new(wire)), schema))
        } else {
            Err(LeftOut::ListInAPart)
        })
    }

    pub(super) fn object_of(&self, schema: &Schema) -> Option<(TypeId, Object)> {
        let Type::Named(id) = &schema.ty else { return None };
        match &self.types.get(*id)?.shape {
            Shape::Alias(alias) => self.object_of(alias),
            Shape::Object(object) => Some((*id, object.clone())),
            _ => None,
        }
    }

    pub(super) fn as_file(&mut self, one: &Media, member: &Member, own: bool) -> Member {
        let encoding = one.encoding.iter().find(|(name, _)| name.value == member.name);
        if is_told(encoding.map(|(_, encoding)| encoding)) || member.default.is_some() {
            return member.clone();
        }
        let mut file = self.file_of(&member.schema, own);
        if let (None, Some(array)) = (&file, self.array_of(&member.schema).cloned()) {
            let items = self.file_of(&array.items, own);
            file = items.map(|items| Schema::of(Type::Array(Box::new(Array { items, ..array }))));
        }
        match file {
            Some(Schema { ty, .. }) => {
                Member { schema: Schema { ty, ..member.schema.clone() }, ..member.clone() }
            }
            None => member.clone(),
        }
    }

    /// Whether nobody else can refer to the inline types of a media type.
    pub(super) fn is_own(&self, one: &Media) -> bool {
        let schema = one.schema.or(one.item_schema);
        !one.shared && schema.is_some_and(|id| self.document.schema(id).reference.is_none())
    }

    /// What has no type, as a file. An inline type that nothing else refers to becomes a name for it.
    pub(super) fn file_of(&mut self, schema: &Schema, own: bool) -> Option<Schema> {
        let file = Schema::of(file(self.untyped(schema)?));
        let Type::Named(id) = &schema.ty else { return Some(file) };
        let known = self.types.get(*id).filter(|known| own && matches!(known.origin, Origin::Inline(_)));
        let Some(known) = known.cloned() else { return Some(file) };
        self.types.define(*id, Definition { shape: Shape::Alias(file), ..known });
        Some(schema.clone())
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

/// Whether the encoding says that a part is JSON or text.
pub(super) fn is_told(encoding: Option<&Encoding>) -> bool {
    says_text(encoding.map(|encoding| encoding.types.as_slice()).unwrap_or_default())
}

/// Whether these types are all JSON or text.
pub(super) fn says_text(types: &[String]) -> bool {
    !types.is_empty() && types.iter().all(|one| is_json(one) || is_text(one))
}

/// Bytes, so many of them.
pub(super) const fn file(length: Counts) -> Type {
    Type::Text(Text { format: TextFormat::Binary, length, pattern: None, encoded: false })
}

#[cfg(test)]
mod tests {
    use crate::{Options, Source, generate};

    /// OpenAPI 3.2 section 4.14: one media type may be that of a form and of JSON.
    #[test]
    fn what_is_a_file_in_a_form_stays_json_in_json() {
        let content = |first: &str, second: &str| {
            let text = format!(
                "openapi: 3.2.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      requestBody: {{ content: {{ {first}: {{ $ref: '#/components/mediaTypes/M' }}, {second}: {{ $ref: '#/components/mediaTypes/M' }} }} }}\n      responses: {{ '204': {{ description: ok }} }}\ncomponents: {{ mediaTypes: {{ M: {{ schema: {{ type: object, properties: {{ f: {{ maxLength: 5 }}, g: {{}} }} }} }} }} }}\n"
            );
            let output = generate(&Source::text("a.yaml", text), &Options::default()).unwrap();
            let code = output.code();
            [
                "pub g: Option<p::Json>",
                "pub f: Option<p::Upload>",
                "pub g: Option<p::Upload>",
                "(pub p::Json)",
            ]
            .map(|words| code.matches(words).count())
        };
        assert_eq!(content("application/json", "multipart/form-data"), [1, 1, 1, 1]);
        assert_eq!(content("multipart/form-data", "application/json"), [1, 1, 1, 1]);
    }
}
