//! What is said of the files of a multipart body that only a text could keep: it stops generation.
//!
//! 1. Of a file its size is checked, which is its length in bytes, wherever that is said. A pattern, a format, a value, and
//!    whether two are the same ask for its text, and a file has none: inside of `not` and `if` everything would be let
//!    through, and elsewhere no file.
//! 2. An alternative of a choice that asks for a text is another than the file, and is left to choose.
//! 3. A part that is a file whatever else holds (`format: binary`), and that has no type of its own because more is said of
//!    it, would be a text.

use foldhash::HashSet;

use super::Builder;
use super::files::is_told;
use crate::document::{Additional, Document, JsonType, Media, Schema, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{ContentForm, TextFormat, Wire, WireKind};
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

const HELP: &str = "of a file `minLength` and `maxLength` are checked, which count its bytes: remove it, or describe the part as a text";

/// How a schema is applied to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Applied {
    /// It must hold, as far as what it depends on is there.
    Must,
    /// One of several that may hold.
    May,
    /// It decides about something else.
    Decides,
}

/// Schemas of one value.
type Stated = Vec<(SchemaId, Applied)>;

impl Builder<'_> {
    /// `None` after a finding.
    pub(super) fn files_are_no_text(&mut self, one: &Media, form: &ContentForm) -> Option<()> {
        let document = self.document;
        let finding = match (form, one.schema, one.item_schema) {
            (ContentForm::Multipart(fields), Some(form), _) => self.in_form(one, fields, form),
            (ContentForm::Parts(wire), whole, item) if wire.kind == WireKind::File => {
                let items = all_items(document, whole, item);
                let list = whole.map(|whole| in_place(document, vec![(whole, Applied::Must)]));
                let said = list.iter().flatten().find_map(|(id, _)| compared(document.schema(*id)));
                said.or_else(|| asked(document, &items)).map(|said| of_file("a part", said))
            }
            _ => None,
        };
        let Some(finding) = finding else { return Some(()) };
        // a pattern beside `format: binary` is told where the string is read
        if self.findings.iter().all(|known| known.place() != finding.place()) {
            self.findings.push(finding);
        }
        None
    }

    fn in_form(&mut self, one: &Media, fields: &[(String, Wire)], form: SchemaId) -> Option<Finding> {
        let document = self.document;
        let wholes = in_place(document, vec![(form, Applied::Must)]);
        let declared = wholes.iter().filter(|(_, applied)| *applied != Applied::Decides);
        let mut seen = HashSet::default();
        for (name, id) in declared.flat_map(|(id, _)| document.schema(*id).properties.iter().flatten()) {
            let wire = fields.iter().find(|(known, _)| *known == name.value).map(|(_, wire)| &wire.kind);
            let is_read = matches!(wire, Some(WireKind::File | WireKind::Files));
            // what is too much is not looked at, and the document refused
            if (!is_read && !is_file(document, *id))
                || !seen.insert(&*name.value)
                || !self.has_room(wholes.len())
            {
                continue;
            }
            let encoding = one.encoding.iter().find(|(known, _)| known.value == name.value);
            if !is_read && wire.is_some() && !is_told(encoding.map(|(_, encoding)| encoding)) {
                let message =
                    format!("more is said of the file `{}` than can be checked of bytes", name.value);
                let place = document.schema(*id).place;
                return Some(Finding::error(Code::NotSupported, message, place).help(HELP));
            }
            if let Some(said) = said_of_member(document, &wholes, &name.value) {
                return Some(of_file(&format!("the file `{}`", name.value), said));
            }
        }
        None
    }
}

/// What asks for the text of a member of a form, or of its items.
fn said_of_member(document: &Document, wholes: &Stated, name: &str) -> Option<(&'static str, Place)> {
    let values = of_member(document, wholes, name);
    let compared = || values.iter().find_map(|(id, _)| compared(document.schema(*id)));
    listed(document, wholes, name)
        .or_else(|| asked(document, &values))
        .or_else(compared)
        .or_else(|| asked(document, &items(document, &values)))
}

fn all_items(document: &Document, whole: Option<SchemaId>, item: Option<SchemaId>) -> Stated {
    let start = |id: Option<SchemaId>| id.map(|id| (id, Applied::Must)).into_iter().collect();
    let mut items = items(document, &in_place(document, start(whole)));
    items.extend(in_place(document, start(item)));
    items
}

fn of_file(what: &str, (keyword, place): (&str, Place)) -> Finding {
    let message = format!("`{keyword}` asks for the text of {what}, and bytes are no text");
    Finding::error(Code::NotSupported, message, place).help(HELP)
}

/// With all that is applied to the same value, each once in each way.
fn in_place(document: &Document, start: Stated) -> Stated {
    let (mut seen, mut waiting, mut all) = (HashSet::default(), start, Vec::new());
    while let Some((id, applied)) = waiting.pop() {
        if !seen.insert((id, applied)) {
            continue;
        }
        all.push((id, applied));
        let schema = document.schema(id);
        let beyond = &schema.beyond;
        let certain = schema.reference.into_iter().chain(beyond.certain());
        let decides = beyond.not.into_iter().chain(beyond.condition);
        let chosen = beyond.any_of.iter().chain(&beyond.one_of).copied();
        let dependent = beyond.dependent_schemas.iter().map(|(_, id)| *id);
        let later = dependent.chain(beyond.then).chain(beyond.otherwise);
        let may = if applied == Applied::Must { Applied::May } else { applied };
        waiting.extend(certain.chain(later).map(|id| (id, applied)));
        waiting.extend(chosen.map(|id| (id, may)));
        waiting.extend(decides.map(|id| (id, Applied::Decides)));
    }
    all
}

/// What is said of a member of these objects.
fn of_member(document: &Document, wholes: &Stated, name: &str) -> Stated {
    let mut stated = Vec::new();
    for (id, applied) in wholes {
        let schema = document.schema(*id);
        let declared = schema.properties.iter().flatten().filter(|(known, _)| known.value == name);
        let matching = schema.beyond.pattern_properties.iter();
        let matching = matching.filter(|(pattern, _)| document.matches(&pattern.value, name));
        let mut own: Vec<SchemaId> = declared.chain(matching).map(|(_, id)| *id).collect();
        let others = schema.additional.as_ref().map(|additional| additional.value);
        match others {
            Some(Additional::Each(each)) if own.is_empty() => own.push(each),
            _ => own.extend(schema.beyond.unevaluated_properties.filter(|_| own.is_empty())),
        }
        stated.extend(own.into_iter().map(|id| (id, *applied)));
    }
    in_place(document, stated)
}

/// What is said of the items of these lists.
fn items(document: &Document, lists: &Stated) -> Stated {
    let mut stated = Vec::new();
    for (id, applied) in lists {
        let schema = document.schema(*id);
        let beyond = &schema.beyond;
        let items = schema.items.iter().chain(&beyond.prefix_items).chain(&beyond.unevaluated_items);
        stated.extend(items.map(|id| (*id, *applied)));
        stated.extend(beyond.contains.map(|id| (id, Applied::Decides)));
    }
    in_place(document, stated)
}

/// Whether it is bytes whatever else holds, or a list of such.
fn is_file(document: &Document, id: SchemaId) -> bool {
    let stated = in_place(document, vec![(id, Applied::Must)]);
    let is_binary = |(id, applied): &(SchemaId, Applied)| {
        let schema = document.schema(*id);
        let is_string = schema.types.iter().all(|kind| kind.value == JsonType::String);
        let format = schema.format.as_ref().map(|format| &*format.value);
        *applied == Applied::Must && format == Some("binary") && is_string
    };
    stated.iter().any(is_binary) || items(document, &stated).iter().any(is_binary)
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
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      requestBody: {{ content: {{ {media_type}: {{ schema: {schema} }} }} }}\n      responses: {{ '204': {{ description: ok }} }}\n"
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
