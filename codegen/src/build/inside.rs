//! Parts that are parts themselves: an `encoding` inside of an encoding (OpenAPI 3.2 section 4.15.3).
//!
//! What such a part is, is built as the content of a body is. How it is written is kept until the field asks that it stands in:
//! by that, as encodings of one place (aliases of YAML, media types by reference) stand in several.

use super::Builder;
use super::direction::Direction;
use super::left_out::LeftOut;
use super::properties;
use super::stream::is_list;
use super::types::with;
use super::wire::wire;
use crate::document::{Encoding, Inside, Media, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{ContentForm, Schema, Style, Wire, WireKind};
use crate::source::span::Place;

/// How many bodies of parts stand in each other, below the first.
const DEEPEST: usize = 3;

/// The name of each item of parts without names.
pub(super) const ITEM: &str = "item";

/// Where a part stands that is parts itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stand {
    /// Of its encodings.
    place: Place,
    field: String,
    /// In so many bodies of parts.
    deep: usize,
}

impl Builder<'_> {
    /// The members of a form that are parts themselves. `None` after a finding.
    pub(super) fn members_in_parts(
        &mut self,
        one: &Media,
        schema: &Schema,
        path: &[String],
    ) -> Option<Vec<(String, Schema)>> {
        let mut members = Vec::new();
        for (name, encoding) in &one.encoding {
            let Some(inside) = encoding.inside.as_deref() else { continue };
            let known = one.schema.map(|id| properties(self.document, id)).unwrap_or_default();
            let Some((_, id)) = known.iter().find(|(known, _)| known.value == name.value) else {
                return self.not_inside(inside.place, "what is no declared member");
            };
            if self.object_of(schema).is_none() {
                return self.not_inside(inside.place, "a form that is no single object");
            }
            if is_list(self.document, *id) {
                // OpenAPI 3.2 section 4.14.4.1: it would be the encoding of each item
                return self.not_inside(inside.place, "each item of an array that has a name");
            }
            members.push((name.value.clone(), self.in_parts(inside, Some(*id), path, &name.value)?));
        }
        Some(members)
    }

    /// What the items are where they are parts themselves. `None` after a finding.
    pub(super) fn items_in_parts(
        &mut self,
        one: &Media,
        encoding: &Encoding,
        path: &[String],
    ) -> Option<Option<Schema>> {
        let Some(inside) = encoding.inside.as_deref() else { return Some(None) };
        let whole = one.schema.map(|id| self.document.schema(self.document.target(id)));
        let items = one.item_schema.or_else(|| whole?.items);
        self.in_parts(inside, items, path, ITEM).map(Some)
    }

    /// What a part is that is parts itself. `None` after a finding.
    pub(super) fn in_parts(
        &mut self,
        inside: &Inside,
        id: Option<SchemaId>,
        path: &[String],
        field: &str,
    ) -> Option<Schema> {
        if self.direction == Direction::Answer {
            return self.not_inside(inside.place, "a part of what leaves");
        }
        if self.deep_inside == DEEPEST {
            return self.not_inside(inside.place, "parts that are deeper than three bodies of parts");
        }
        let one = Media {
            name: inside.name.clone(),
            shared: true,
            schema: id,
            item_schema: None,
            encoding: inside.encoding.clone(),
            prefix_encoding: inside.prefix_encoding.clone(),
            item_encoding: inside.item_encoding.clone(),
            examples: Vec::new(),
        };
        if one.encodings().any(|encoding| !encoding.headers.is_empty()) {
            return self.not_inside(inside.place, "a part whose own parts have header fields");
        }
        id.map_or(Some(()), |id| self.goes_this_way(id))?;
        let family = self.family_of(&one, self.direction);
        let named = self.is_by_place(&one).then(|| self.with_names(&one));
        let written = named.as_ref().unwrap_or(&one);
        self.deep_inside += 1;
        let formed = self.formed(&one, written, family, self.direction, &with(path, field));
        self.deep_inside -= 1;
        match formed? {
            Ok((
                form @ (ContentForm::Multipart(_) | ContentForm::Parts(_) | ContentForm::Places { .. }),
                schema,
            )) => {
                self.forms_inside.insert(self.stand(inside, field), form);
                Some(schema)
            }
            Ok(_) => self.left_inside(&one, LeftOut::FormOfNoObject),
            Err(why) => self.left_inside(&one, why),
        }
    }

    fn left_inside<T>(&mut self, one: &Media, why: LeftOut) -> Option<T> {
        self.left_out(one, why, self.direction, true);
        None
    }

    fn stand(&self, inside: &Inside, field: &str) -> Stand {
        Stand { place: inside.place, field: field.to_owned(), deep: self.deep_inside }
    }

    /// How a field is written whose part is parts itself.
    pub(super) fn wire_of_parts(&self, encoding: Option<&Encoding>, field: &str) -> Option<Wire> {
        let encoding = encoding?;
        let form = self.forms_inside.get(&self.stand(encoding.inside.as_deref()?, field))?;
        let kind = WireKind::Parts(Box::new(form.clone()));
        Some(Wire { types: encoding.types.clone(), ..wire(Style::Form, true, kind) })
    }

    fn not_inside<T>(&mut self, place: Place, what: &str) -> Option<T> {
        let message = format!("encodings inside of {what} are not supported yet");
        let finding = Finding::error(Code::NotSupported, message, place);
        self.findings.push(finding.help(
            "say `contentType: application/json`, or describe the value as `{}`: a file that the handler reads",
        ));
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, Source, generate};

    /// How the parts are written, of this media type.
    fn wires(schema: &str, encodings: &str) -> String {
        let text = format!(
            "openapi: 3.2.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      requestBody: {{ content: {{ multipart/related: {{ schema: {schema}, {encodings} }} }} }}\n      responses: {{ '204': {{ description: ok }} }}\n"
        );
        let code = generate(&Source::text("a.yaml", text), &Options::default()).unwrap().code();
        let (_, receiving) = code.split_once("fn receiving").unwrap();
        receiving.split_once("Receiving::Whole").unwrap().0.split_whitespace().collect()
    }

    #[test]
    fn encodings_that_are_an_alias_are_those_of_their_own_field() {
        let inner = "type: object, properties: { x: { type: string }";
        let schema = format!(
            "{{ type: object, properties: {{ a: {{ {inner} }} }}, b: {{ {inner}, y: {{ type: array, items: {{ type: string }} }} }} }} }} }}"
        );
        let written = "{ contentType: multipart/mixed, encoding: { x: { contentType: text/plain } } }";
        let alias = wires(&schema, &format!("encoding: {{ a: &e {written}, b: *e }}"));
        assert_eq!(alias, wires(&schema, &format!("encoding: {{ a: {written}, b: {written} }}")));
        assert!(alias.contains("Wire::text(\"y\")"), "{alias}");
        let deep = format!(
            "{{ type: object, properties: {{ b: {{ {inner} }} }}, a: {{ type: object, properties: {{ b: {{ {inner}, y: {{ type: string }} }} }} }} }} }} }}"
        );
        let around = |inner: &str| format!("{{ contentType: multipart/mixed, encoding: {{ b: {inner} }} }}");
        let alias = wires(&deep, &format!("encoding: {{ b: &e {written}, a: {} }}", around("*e")));
        assert_eq!(alias, wires(&deep, &format!("encoding: {{ b: {written}, a: {} }}", around(written))));
        let list = |items: &str| format!("{{ type: array, items: {{ type: {items} }} }}");
        let places =
            format!("{{ type: array, prefixItems: [{}, {}], items: false }}", list("string"), list("object"));
        let written = "{ contentType: multipart/mixed, itemEncoding: {} }";
        let alias = wires(&places, &format!("prefixEncoding: [&e {written}, *e]"));
        assert_eq!(alias, wires(&places, &format!("prefixEncoding: [{written}, {written}]")));
    }
}
