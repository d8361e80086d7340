//! What is said of the files of a multipart body that only a text could keep: it stops generation.
//!
//! 1. Of a file its size is checked, which is its length in bytes, wherever that is said. A pattern, a format, a value, and
//!    whether two are the same ask for its text, and a file has none: inside of `not` and `if` everything would be let
//!    through, and elsewhere no file.
//! 2. An alternative of a choice that asks for a text is another than the file, and is left to choose.
//! 3. A part that is a file whatever else holds (`format: binary`), and that has no type of its own because more is said of
//!    it, would be a text.
//!
//! All of it holds of files in parts that are parts themselves, and of what is said of them by the forms around.

use foldhash::HashSet;

use super::Builder;
use super::files::says_text;
use super::stated::{Applied, Items, Stated, all_of, items, of_member};
use crate::document::{Document, JsonType, Media, Schema, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{ContentForm, TextFormat, Wire, WireKind};
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

const HELP: &str = "of a file `minLength` and `maxLength` are checked, which count its bytes: remove it, or describe the part as a text";

impl Builder<'_> {
    /// `None` after a finding.
    pub(super) fn files_are_no_text(&mut self, one: &Media, form: &ContentForm) -> Option<()> {
        let whole = all_of(self.document, one.schema);
        let item = all_of(self.document, one.item_schema);
        let Some(finding) = self.in_form(form, &whole, &item) else { return Some(()) };
        // a pattern beside `format: binary` is told where the string is read
        if self.findings.iter().all(|known| known.place() != finding.place()) {
            self.findings.push(finding);
        }
        None
    }

    /// Of a body of parts, of which as a whole and of whose items this is said.
    fn in_form(&mut self, form: &ContentForm, whole: &Stated, item: &Stated) -> Option<Finding> {
        match form {
            ContentForm::Multipart(fields) => self.in_members(fields, whole),
            ContentForm::Parts(wire) => self.in_items(wire, whole, Items::From(0), item),
            ContentForm::Places { fields, rest } => {
                let first = fields.len() - usize::from(*rest);
                fields.iter().enumerate().find_map(|(at, (_, wire))| {
                    let which = if at < first { Items::At(at) } else { Items::From(first) };
                    self.in_items(wire, whole, which, item)
                })
            }
            _ => None,
        }
    }

    fn in_members(&mut self, fields: &[(String, Wire)], wholes: &Stated) -> Option<Finding> {
        let document = self.document;
        let declared = wholes.iter().filter(|(_, applied)| *applied != Applied::Decides);
        let mut seen = HashSet::default();
        for (name, id) in declared.flat_map(|(id, _)| document.schema(*id).properties.iter().flatten()) {
            let wire = fields.iter().find(|(known, _)| *known == name.value).map(|(_, wire)| wire);
            let inner = wire.and_then(inner);
            let is_read = wire.is_some_and(is_read);
            // what is too much is not looked at, and the document refused
            if (inner.is_none() && !is_read && !is_file(document, *id))
                || !seen.insert(&*name.value)
                || !self.has_room(wholes.len())
            {
                continue;
            }
            let what = format!("the file `{}`", name.value);
            if let Some(inner) = inner {
                let listed = listed(document, wholes, &name.value).filter(|_| has_files(inner));
                let found = listed.map(|said| of_file(&what, said));
                let values = of_member(document, wholes, &name.value);
                match found.or_else(|| self.in_form(inner, &values, &Stated::new())) {
                    Some(found) => return Some(found),
                    None => continue,
                }
            }
            if !is_read && wire.is_some_and(|wire| !says_text(&wire.types)) {
                return Some(more_is_said(&what, document.schema(*id).place));
            }
            if let Some(said) = said_of_member(document, wholes, &name.value) {
                return Some(of_file(&what, said));
            }
        }
        None
    }

    /// Of parts without names that are written alike.
    fn in_items(&mut self, wire: &Wire, whole: &Stated, which: Items, item: &Stated) -> Option<Finding> {
        let document = self.document;
        if !self.has_room(whole.len()) {
            return None;
        }
        let mut values = items(document, whole, which);
        values.extend(item);
        let of_all = || whole.iter().find_map(|(id, _)| compared(document.schema(*id)));
        if let Some(inner) = inner(wire) {
            let said = has_files(inner).then(of_all).flatten().map(|said| of_file("a part", said));
            return said.or_else(|| self.in_form(inner, &values, &Stated::new()));
        }
        if is_read(wire) {
            let said = of_all().or_else(|| asked(document, &values));
            return said.map(|said| of_file("a part", said));
        }
        let is_file = is_binary(document, &values) && !says_text(&wire.types);
        let (first, _) = values.first().filter(|_| is_file)?;
        Some(more_is_said("a part", document.schema(*first).place))
    }
}

/// Whether it is read as bytes.
const fn is_read(wire: &Wire) -> bool {
    matches!(wire.kind, WireKind::File | WireKind::Files)
}

/// The parts that a part is.
fn inner(wire: &Wire) -> Option<&ContentForm> {
    match &wire.kind {
        WireKind::Parts(inner) => Some(inner),
        _ => None,
    }
}

/// Whether a file is among the parts, or the parts of these.
fn has_files(form: &ContentForm) -> bool {
    let is_one = |wire: &Wire| is_read(wire) || inner(wire).is_some_and(has_files);
    match form {
        ContentForm::Parts(wire) => is_one(wire),
        ContentForm::Multipart(fields) | ContentForm::Places { fields, .. } => {
            fields.iter().any(|(_, wire)| is_one(wire))
        }
        _ => false,
    }
}

/// What asks for the text of a member of a form, or of its items.
fn said_of_member(document: &Document, wholes: &Stated, name: &str) -> Option<(&'static str, Place)> {
    let values = of_member(document, wholes, name);
    let compared = || values.iter().find_map(|(id, _)| compared(document.schema(*id)));
    listed(document, wholes, name)
        .or_else(|| asked(document, &values))
        .or_else(compared)
        .or_else(|| asked(document, &items(document, &values, Items::From(0))))
}

fn of_file(what: &str, (keyword, place): (&str, Place)) -> Finding {
    let message = format!("`{keyword}` asks for the text of {what}, and bytes are no text");
    Finding::error(Code::NotSupported, message, place).help(HELP)
}

/// Whether these are bytes whatever else holds.
fn is_binary(document: &Document, stated: &Stated) -> bool {
    stated.iter().any(|(id, applied)| {
        let schema = document.schema(*id);
        let is_string = schema.types.iter().all(|kind| kind.value == JsonType::String);
        let format = schema.format.as_ref().map(|format| &*format.value);
        *applied == Applied::Must && format == Some("binary") && is_string
    })
}

/// Whether it is bytes whatever else holds, or a list of such.
fn is_file(document: &Document, id: SchemaId) -> bool {
    let stated = all_of(document, Some(id));
    is_binary(document, &stated) || is_binary(document, &items(document, &stated, Items::From(0)))
}

fn more_is_said(what: &str, place: Place) -> Finding {
    let message = format!("more is said of {what} than can be checked of bytes");
    Finding::error(Code::NotSupported, message, place).help(HELP)
}

/// The first keyword that asks for a text, and must hold or decides.
fn asked(document: &Document, stated: &Stated) -> Option<(&'static str, Place)> {
    let counts = stated.iter().filter(|(_, applied)| *applied != Applied::May);
    counts.map(|(id, _)| document.schema(*id)).find_map(of_text)
}

fn of_text(schema: &Schema) -> Option<(&'static str, Place)> {
    let is_text = |node: &Node| matches!(node.value, Value::String(_));
    let format = schema.format.as_ref().filter(|format| {
        let known = TextFormat::named(&format.value);
        known.is_some_and(|known| !matches!(known, TextFormat::Plain | TextFormat::Binary))
    });
    let values = schema.enumeration.as_ref().filter(|values| values.value.iter().any(is_text));
    let constant = schema.constant.as_ref().filter(|constant| is_text(constant));
    (schema.pattern.as_ref().map(|pattern| ("pattern", pattern.place)))
        .or_else(|| format.map(|format| ("format", format.place)))
        .or_else(|| values.map(|values| ("enum", values.place)))
        .or_else(|| constant.map(|constant| ("const", constant.place)))
}

/// Whether two files would have to be compared.
fn compared(schema: &Schema) -> Option<(&'static str, Place)> {
    let unique = schema.unique_items.as_ref().filter(|unique| unique.value);
    unique.map(|unique| ("uniqueItems", unique.place))
}

/// The first list of whole forms in which the file has a value.
fn listed(document: &Document, wholes: &Stated, name: &str) -> Option<(&'static str, Place)> {
    let has_file = |node: &&Node| node.get(name).is_some();
    wholes.iter().find_map(|(id, _)| {
        let schema = document.schema(*id);
        let values = schema.enumeration.iter().flat_map(|values| &values.value).find(has_file);
        let constant = schema.constant.as_ref().filter(has_file);
        values.map(|value| ("enum", value.place)).or_else(|| constant.map(|value| ("const", value.place)))
    })
}

#[cfg(test)]
mod tests {
    use crate::finding::{Code, Finding, Severity};
    use crate::front::understand;
    use crate::source::Source;

    /// What is found of a part `f`, and of more that is said of the form.
    fn found(part: &str, more: &str) -> Option<(Code, String)> {
        let form = format!("{{ type: object, properties: {{ f: {part}, g: {{ type: string }} }}{more} }}");
        found_of("multipart/form-data", &form)
    }

    fn found_of(media_type: &str, schema: &str) -> Option<(Code, String)> {
        let text = format!(
            "openapi: 3.2.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      requestBody: {{ content: {{ {media_type}: {{ schema: {schema} }} }} }}\n      responses: {{ '204': {{ description: ok }} }}\n"
        );
        let findings = understand(&Source::text("a.yaml", text)).err()?;
        let only = |found: &Finding| (found.code(), found.message().to_owned());
        let errors: Vec<_> = findings.iter().filter(|found| found.severity() == Severity::Error).collect();
        assert_eq!(errors.len(), 1, "{findings}");
        errors.first().map(|found| only(found))
    }

    const FILE: &str = "{ type: string, format: binary }";

    #[test]
    fn what_asks_for_the_text_of_a_file_stops_generation() {
        let text = "asks for the text of the file `f`";
        for more in [
            ", not: { properties: { f: { pattern: a } } }",
            ", not: { properties: { f: { const: a } } }",
            ", not: { properties: { f: { enum: [a, b] } } }",
            ", not: { properties: { f: { format: uuid } } }",
            ", not: { patternProperties: { '^f': { pattern: a } } }",
            ", not: { additionalProperties: { pattern: a } }",
            ", not: { properties: { f: { anyOf: [{ not: { pattern: a } }, { maxLength: 2 }] } } }",
            ", not: { const: { f: a } }",
            ", not: { allOf: [{ properties: { f: { not: { pattern: a } } } }, { required: [g] }] }",
            ", if: { properties: { f: { pattern: a } } }, then: { required: [g] }",
            ", if: { required: [g] }, then: { properties: { f: { pattern: a } } }",
            ", dependentSchemas: { g: { properties: { f: { pattern: a } } } }",
        ] {
            for part in [FILE, "{}", "{ contentMediaType: image/png }", "{ maxLength: 5 }"] {
                let (code, message) = found(part, more).unwrap_or_else(|| panic!("{part}{more}"));
                assert!(code == Code::NotSupported && message.contains(text), "{part}{more}: {message}");
            }
        }
        for list in ["uniqueItems: true", "contains: { pattern: a }"] {
            let (code, _) = found(&format!("{{ type: array, items: {FILE}, {list} }}"), "").unwrap();
            assert_eq!(code, Code::NotSupported, "{list}");
        }
        let parts = format!("{{ type: array, items: {FILE}, uniqueItems: true }}");
        assert!(
            found_of("multipart/mixed", &parts)
                .unwrap()
                .1
                .contains("`uniqueItems` asks for the text of a part")
        );
    }

    /// The same of a media type with what stands beside its schema.
    fn found_in(media_type: &str, schema: &str, encodings: &str) -> Option<(Code, String)> {
        found_of(media_type, &format!("{schema}, {encodings}"))
    }

    #[test]
    fn files_inside_of_parts_and_at_places_are_no_text() {
        let inner =
            "encoding: { i: { contentType: multipart/mixed, encoding: { f: { contentType: image/png } } } }";
        let form = |inner: &str, more: &str| {
            format!(
                "{{ type: object, properties: {{ i: {{ type: object, properties: {{ f: {FILE} }}{inner} }}, g: {{ type: string }} }}{more} }}"
            )
        };
        for (own, more) in [
            (", not: { properties: { f: { pattern: a } } }", ""),
            (", not: { const: { f: a } }", ""),
            (
                "",
                ", if: { properties: { i: { properties: { f: { pattern: a } } } } }, then: { required: [g] }",
            ),
            ("", ", not: { const: { i: { f: a } } }"),
        ] {
            let (code, message) = found_in("multipart/form-data", &form(own, more), inner).unwrap();
            assert!(
                code == Code::NotSupported && message.contains("asks for the text of the file"),
                "{message}"
            );
        }
        let fine = form(", not: { properties: { f: { maxLength: 3 } } }", ", not: { required: [g] }");
        assert_eq!(found_in("multipart/form-data", &fine, inner), None);
        let list = |more: &str| format!("{{ type: array, items: {{ type: array, items: {FILE}{more} }} }}");
        let parts =
            "itemEncoding: { contentType: multipart/mixed, itemEncoding: { contentType: image/png } }";
        let (_, message) = found_in("multipart/mixed", &list(", uniqueItems: true"), parts).unwrap();
        assert!(message.contains("`uniqueItems` asks for the text of a part"), "{message}");
        assert_eq!(found_in("multipart/mixed", &list(", maxItems: 2"), parts), None);
        for (said, refused) in [
            ("type: string, format: binary, not: { pattern: a }", true),
            ("type: string, format: binary, enum: [a]", true),
            ("contentMediaType: image/png, not: { pattern: a }", true),
            ("contentMediaType: image/png, enum: [a]", true),
            ("type: string, format: binary, maxLength: 3", false),
            ("type: string, pattern: a", false),
        ] {
            for places in [
                format!("prefixItems: [{{ type: string }}, {{ {said} }}]"),
                format!("prefixItems: [{{ type: string }}], items: {{ {said} }}"),
            ] {
                let found = found_of("multipart/mixed", &format!("{{ type: array, {places} }}"));
                assert_eq!(found.is_some(), refused, "{places}: {found:?}");
                assert!(
                    found.is_none_or(
                        |(code, message)| code == Code::NotSupported && message.contains("a part")
                    )
                );
            }
        }
    }

    #[test]
    fn a_file_of_which_more_is_said_is_no_text() {
        for more in [
            "not: { maxLength: 3 }",
            "if: { maxLength: 3 }, then: { minLength: 2 }",
            "anyOf: [{ maxLength: 3 }, { minLength: 9 }]",
            "enum: [a]",
            "const: a",
        ] {
            for part in ["type: string, format: binary", "contentMediaType: image/png"] {
                let (code, message) = found(&format!("{{ {part}, {more} }}"), "").unwrap();
                assert!(code == Code::NotSupported && message.starts_with("more is said of the file `f`"));
            }
        }
        // told where the string is read, and once
        assert_eq!(found("{ type: string, format: binary, pattern: a }", "").unwrap().0, Code::Contradiction);
    }

    #[test]
    fn sizes_and_names_and_texts_are_checked_as_they_are() {
        for more in [
            "",
            ", not: { properties: { f: { maxLength: 3 } } }",
            ", if: { properties: { f: { type: string, minLength: 3 } } }, then: { required: [g] }",
            ", if: { properties: { g: { pattern: a } } }, then: { required: [f] }",
            ", not: { properties: { g: { const: a } } }, propertyNames: { minLength: 1 }, dependentRequired: { f: [g] }",
            ", not: { properties: { f: { const: null } } }",
        ] {
            assert_eq!(found(FILE, more), None, "{more}");
        }
        // a file or a text: the one that is no text is the file
        assert_eq!(
            found("{ oneOf: [{ type: string, format: binary }, { type: string, pattern: '^a' }] }", ""),
            None
        );
        assert_eq!(found("{ type: string, pattern: a, not: { const: a } }", ""), None);
        let text = format!(
            "{{ type: object, properties: {{ f: {FILE} }}, not: {{ properties: {{ f: {{ pattern: a }} }} }} }}"
        );
        assert_eq!(found_of("application/json", &text), None);
    }
}
