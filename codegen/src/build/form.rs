//! How content is read or written: what its media type and its schema make of it together.

use super::Builder;
use super::direction::Direction;
use super::event::framing;
use super::family::{Family, is_xml};
use super::files::file;
use super::left_out::LeftOut;
use super::places::form_of_places;
use super::range::is_of_any_type;
use super::stream::is_list;
use super::wire::Flat;
use crate::document::Media;
use crate::model::{Array, ContentForm, Counts, Framing, Schema, Text, Type};

/// The form, and the schema of what is in it. `Err` for what cannot be enforced.
pub(super) type Formed = Result<(ContentForm, Schema), LeftOut>;

impl Builder<'_> {
    /// How it is read or written. `None` after a finding.
    pub(super) fn form(
        &mut self,
        one: &Media,
        family: Family,
        schema: Schema,
        path: &[String],
    ) -> Option<Formed> {
        self.finish_shapes();
        match family {
            Family::Json => Some(Ok(self.json(one, schema))),
            Family::Parts => self.in_order(one, schema, path),
            Family::Places => {
                let flat = self.flat(&schema, 0);
                let fields = self.fields(one, &flat, Family::Multipart)?;
                Some(form_of_places(fields, &flat).map(|form| (form, schema)))
            }
            Family::Form | Family::Multipart => self.form_of_members(one, family, schema),
            // a text of any kind is one text, and not a list of them
            Family::Records(framing) if self.bytes(&schema).is_none() => {
                Some(self.records(one, framing, schema))
            }
            Family::Stream(Framing::Data) => {
                Some(Ok((ContentForm::Stream(framing(self.document, one)), schema)))
            }
            Family::Stream(framing) => Some(Ok((ContentForm::Stream(framing), schema))),
            Family::Text | Family::Records(_) | Family::Bytes => Some(self.whole(one, family, schema)),
        }
    }

    /// JSON, or what a range lets through that may be anything.
    fn json(&mut self, one: &Media, schema: Schema) -> (ContentForm, Schema) {
        if !one.name.value.contains('*') {
            return (ContentForm::Json, schema);
        }
        let counts = match self.flat(&schema, 0) {
            // a range of any type whose bytes are all that is said
            Flat::File(_) => Some(self.bytes(&schema).unwrap_or_default()),
            _ if self.direction != Direction::Answer && is_of_any_type(&one.name.value) => {
                self.untyped(&schema).and_then(|_| self.raw(one, &schema))
            }
            _ => None,
        };
        match counts {
            Some(counts) => (ContentForm::Bytes, Schema::of(file(counts))),
            None => (ContentForm::Json, schema),
        }
    }

    /// The members of an object, each in a field or a part of its own.
    fn form_of_members(&mut self, one: &Media, family: Family, schema: Schema) -> Option<Formed> {
        let flat = self.flat(&schema, 0);
        // of a form that is not one object, every part is read as the schema then says of its text
        let free = match &flat {
            Flat::Object(..) | Flat::Map(_) | Flat::Any => false,
            Flat::Free(free) if free.may_be_object() => true,
            _ => return Some(Err(self.form_of_no_object(one))),
        };
        let fields = self.fields(one, &flat, family)?;
        let form = match family {
            Family::Form if free => ContentForm::FreeForm(fields),
            Family::Form => ContentForm::Form(fields),
            _ => ContentForm::Multipart(fields),
        };
        Some(Ok((form, schema)))
    }

    /// A sequence that is read whole.
    fn records(&mut self, one: &Media, framing: Framing, schema: Schema) -> Formed {
        let is_whole = |id| is_list(self.document, id);
        let is_list = one.item_schema.is_some() || one.schema.is_some_and(is_whole);
        let schema = if is_list { schema } else { list_of(schema) };
        let events = framing == Framing::Data;
        let read = if events { self.events(one, &schema) } else { Some((framing, Some(true))) };
        let (framing, json) = read.ok_or(LeftOut::EventsByTheWhole)?;
        Ok((ContentForm::Records { framing, json }, schema))
    }

    /// A text, or bytes.
    fn whole(&mut self, one: &Media, family: Family, schema: Schema) -> Formed {
        match (family, self.flat(&schema, 0)) {
            (Family::Text, Flat::Scalar | Flat::Encoded) => return Ok((ContentForm::Text, schema)),
            (Family::Text, Flat::Free(free)) if free.may_be_scalar() => {
                return Ok((ContentForm::Text, schema));
            }
            (Family::Text, Flat::Any) => {
                return Ok((ContentForm::Text, Schema::of(Type::Text(Text::default()))));
            }
            // a length in characters is one that bytes do not have
            (Family::Bytes, _) if is_xml(&one.name.value) && self.counts_characters(&schema) => {
                return Ok((ContentForm::Text, schema));
            }
            _ => {}
        }
        match self.raw(one, &schema) {
            Some(counts) => Ok((ContentForm::Bytes, Schema::of(file(counts)))),
            None if family == Family::Text => Err(LeftOut::TextOfNoScalar),
            None => Err(LeftOut::Unread),
        }
    }
}

pub(super) fn list_of(items: Schema) -> Schema {
    Schema::of(Type::Array(Box::new(Array { items, counts: Counts::default(), unique: false })))
}
