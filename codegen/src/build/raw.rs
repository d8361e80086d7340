//! Schemas that bytes satisfy, whatever they are: nothing is said but how many there may be.
//!
//! 1. `{}`, and `type: string` without a pattern and of no format but `binary`.
//! 2. Without `type`, where the content is raw: the lengths alone, beside a `contentMediaType` (OpenAPI 3.1 section 4.4.2,
//!    "Working with Binary Data"). They count octets there (OpenAPI 3.2 section 4.14.3, "Binary Streams").

use super::Builder;
use crate::document::Media;
use crate::model::{Counts, Keyword, Schema, Shape, ShapeId, Text, TextFormat, Type};

impl Builder<'_> {
    /// Whether the bytes alone satisfy a schema, but for their count. Rule 1.
    pub(super) fn bytes(&self, schema: &Schema) -> Option<Counts> {
        match &schema.ty {
            Type::Any => Some(Counts::default()),
            Type::Text(Text {
                format: TextFormat::Plain | TextFormat::Binary,
                length,
                pattern: None,
                ..
            }) => Some(*length),
            Type::Named(id) => match self.types.get(*id).map(|definition| &definition.shape) {
                Some(Shape::Alias(alias)) => self.bytes(alias),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same of what is no JSON and no text. Rules 1 and 2. The shapes have been read.
    pub(super) fn raw(&mut self, one: &Media, schema: &Schema) -> Option<Counts> {
        let schema = self.file_of(schema, self.is_own(one)).unwrap_or_else(|| schema.clone());
        self.bytes(&schema)
    }

    /// The lengths that a schema without a type says, and nothing else. Rule 2.
    pub(super) fn untyped(&self, schema: &Schema) -> Option<Counts> {
        let Type::Named(id) = &schema.ty else {
            return (schema.ty == Type::Any).then(Counts::default);
        };
        match self.types.get(*id).map(|definition| &definition.shape)? {
            Shape::Alias(alias) => self.untyped(alias),
            Shape::Checked(shape) => self.lengths_alone(*shape),
            _ => None,
        }
    }

    fn lengths_alone(&self, shape: ShapeId) -> Option<Counts> {
        match self.shapes.get(shape.position())?.0.as_slice() {
            [] => Some(Counts::default()),
            [Keyword::Length(min, max)] => Some(Counts { min: Some(*min).filter(|min| *min > 0), max: *max }),
            _ => None,
        }
    }

    /// Whether it is a text of any kind, of so many characters.
    pub(super) fn counts_characters(&self, schema: &Schema) -> bool {
        match &schema.ty {
            Type::Text(text) => text.format == TextFormat::Plain && text.length != Counts::default(),
            Type::Named(id) => match self.types.get(*id).map(|definition| &definition.shape) {
                Some(Shape::Alias(alias)) => self.counts_characters(alias),
                _ => false,
            },
            _ => false,
        }
    }
}
