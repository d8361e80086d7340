//! Schemas: one form for 3.0 and 3.1, in a table, so that recursion is a matter of ids.

use super::read::is_extension;
use super::{Fields, Reader, Spanned};
use crate::annotation::SchemaRules;
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::normalise::number::Decimal;
use crate::normalise::{Bounds, Version};
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Counts the schemas of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SchemaId(usize);

#[expect(
    clippy::indexing_slicing,
    reason = "ids are made by the reader from the very table they are used with"
)]
pub(super) fn entry(schemas: &[Schema], id: SchemaId) -> &Schema {
    &schemas[id.0]
}

/// The types of JSON Schema, `null` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonType {
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// The keywords of a schema as they are written, 3.0's forms turned into those of 3.1.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) place: Place,
    /// `$ref`; then only prose stands beside it.
    pub(crate) reference: Option<SchemaId>,
    pub(crate) reference_place: Place,
    pub(crate) types: Vec<Spanned<JsonType>>,
    /// `null` among the types.
    pub(crate) nullable: bool,
    pub(crate) enumeration: Option<Spanned<Vec<Node>>>,
    pub(crate) constant: Option<Node>,
    pub(crate) default: Option<Node>,
    pub(crate) examples: Vec<Node>,
    pub(crate) docs: Docs,
    pub(crate) format: Option<Spanned<String>>,
    pub(crate) bounds: Bounds,
    pub(crate) min_length: Option<Spanned<u64>>,
    pub(crate) max_length: Option<Spanned<u64>>,
    pub(crate) pattern: Option<Spanned<String>>,
    pub(crate) items: Option<SchemaId>,
    pub(crate) min_items: Option<Spanned<u64>>,
    pub(crate) max_items: Option<Spanned<u64>>,
    pub(crate) unique_items: Option<Spanned<bool>>,
    /// `None`: not stated, which is not the same as `{}`.
    pub(crate) properties: Option<Vec<(Spanned<String>, SchemaId)>>,
    pub(crate) required: Vec<Spanned<String>>,
    pub(crate) additional: Option<Spanned<Additional>>,
    pub(crate) min_properties: Option<Spanned<u64>>,
    pub(crate) max_properties: Option<Spanned<u64>>,
    pub(crate) rules: SchemaRules,
}

/// `additionalProperties`
#[derive(Clone, Copy, Debug)]
pub(crate) enum Additional {
    Allowed(bool),
    Each(SchemaId),
}

/// Assertions that are not enforced yet. They stop generation: what is written must hold.
const LATER: &[&str] = &["oneOf", "anyOf", "allOf", "not", "discriminator", "readOnly", "writeOnly"];

/// The same, of OpenAPI 3.1 only (JSON Schema 2020-12).
const LATER_31: &[&str] = &[
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "additionalItems",
    "$defs",
    "definitions",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$schema",
    "$vocabulary",
];

impl Schema {
    /// A schema that says nothing yet.
    fn empty(place: Place) -> Self {
        Self {
            place,
            reference: None,
            reference_place: place,
            types: Vec::new(),
            nullable: false,
            enumeration: None,
            constant: None,
            default: None,
            examples: Vec::new(),
            docs: Docs::default(),
            format: None,
            bounds: Bounds::default(),
            min_length: None,
            max_length: None,
            pattern: None,
            items: None,
            min_items: None,
            max_items: None,
            unique_items: None,
            properties: None,
            required: Vec::new(),
            additional: None,
            min_properties: None,
            max_properties: None,
            rules: SchemaRules::default(),
        }
    }
}

impl<'d> Reader<'d> {
    /// The id of the schema at `node`. It is read by [`Reader::finish_schemas`], not here: references may chain for ever.
    pub(crate) fn schema(&mut self, node: &'d Node) -> SchemaId {
        let key = std::ptr::from_ref(node);
        if let Some(id) = self.schema_ids.get(&key) {
            return *id;
        }
        let id = SchemaId(self.schemas.len());
        self.schemas.push(None);
        self.schema_ids.insert(key, id);
        self.waiting.push((id, node));
        id
    }

    /// Reads every schema that was asked for, and those that they ask for.
    pub(super) fn finish_schemas(&mut self) {
        while let Some((id, node)) = self.waiting.pop() {
            let schema = self.read_schema(node);
            if let Some(slot) = self.schemas.get_mut(id.0) {
                *slot = Some(schema);
            }
        }
    }

    pub(super) fn take_schemas(&mut self) -> Vec<Schema> {
        std::mem::take(&mut self.schemas).into_iter().flatten().collect()
    }

    fn read_schema(&mut self, node: &'d Node) -> Schema {
        let mut schema = Schema::empty(node.place);
        if let (Value::Bool(allowed), Version::V31) = (&node.value, self.version) {
            if !allowed {
                let message = "the schema `false` is not supported yet";
                self.push(Finding::error(Code::NotSupported, message, node.place));
            }
            return schema;
        }
        let Some(mut fields) = self.fields(node, "a schema") else { return schema };
        self.prose(&mut fields, &mut schema);
        if self.referenced(&mut fields, &mut schema) {
            return schema;
        }
        self.types(&mut fields, &mut schema);
        self.values(&mut fields, &mut schema);
        schema.format = self.string(&mut fields, "format");
        schema.bounds = self.bounds(&mut fields);
        self.text_keywords(&mut fields, &mut schema);
        self.array_keywords(&mut fields, &mut schema);
        self.object_keywords(&mut fields, &mut schema);
        schema.rules = self.schema_rules(&mut fields);
        self.later(&mut fields);
        self.finish(fields);
        schema
    }

    fn prose(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        schema.docs.summary = self.string(fields, "title").map(|text| text.value);
        schema.docs.description = self.string(fields, "description").map(|text| text.value);
        schema.docs.deprecated = self.boolean(fields, "deprecated").is_some_and(|flag| flag.value);
        schema.examples.extend(fields.get("example").map(|member| member.node.clone()));
        if self.version == Version::V31 {
            if let Some((examples, _)) = self.array(fields, "examples") {
                schema.examples.extend(examples.iter().cloned());
            }
            fields.accept(&["$comment"]);
        }
        self.external_docs(fields);
        // XML is not served, so how it would be written says nothing
        fields.accept(&["xml"]);
    }

    /// `$ref`, or an `allOf` of one `$ref`: what the tools of 3.0 write to put prose beside a reference.
    fn referenced(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) -> bool {
        let direct = fields.get("$ref");
        let (reference, holder) = match direct {
            Some(member) => (&member.node, "$ref"),
            None => match single_reference(fields) {
                Some(node) => (node, "allOf"),
                None => return false,
            },
        };
        schema.reference_place = reference.place;
        match self.library.follow(reference, Some("schemas")) {
            Ok(target) => schema.reference = Some(self.schema(target)),
            Err(finding) => self.push(*finding),
        }
        let known = [
            "$ref",
            "allOf",
            "title",
            "description",
            "deprecated",
            "example",
            "examples",
            "$comment",
            "externalDocs",
            "xml",
        ];
        for member in fields.members() {
            let key = &*member.key;
            let free = known.contains(&key) && !(key == "allOf" && holder == "$ref");
            if key == "x-palisade" {
                let finding = Finding::error(
                    Code::NotSupported,
                    "`x-palisade` beside a reference is not supported yet",
                    member.key_place,
                );
                self.push(finding.help("state it at the schema that is referred to"));
            } else if is_extension(key) {
                self.extension(member, "a schema");
            } else if !free {
                let message = match self.version {
                    Version::V30 => format!("`{key}` beside a reference has no effect in OpenAPI 3.0"),
                    Version::V31 => format!("`{key}` beside a reference is not supported yet"),
                };
                let finding = Finding::error(Code::NotSupported, message, member.key_place);
                self.push(
                    finding
                        .help("write the schema out here, or state the keyword at the schema it refers to"),
                );
            }
        }
        true
    }

    fn values(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        schema.default = fields.get("default").map(|member| member.node.clone());
        if let Some((values, place)) = self.array(fields, "enum") {
            if values.is_empty() {
                let finding = Finding::error(Code::Contradiction, "an empty `enum` allows nothing", place);
                self.push(finding.help("name the values, or leave it out"));
            }
            schema.enumeration = Some(Spanned::new(values.to_vec(), place));
        }
        if self.version == Version::V31 {
            schema.constant = fields.get("const").map(|member| member.node.clone());
        }
    }

    fn text_keywords(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        schema.min_length = self.count(fields, "minLength");
        schema.max_length = self.count(fields, "maxLength");
        schema.pattern = self.string(fields, "pattern");
    }

    fn array_keywords(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        if let Some(items) = fields.get("items") {
            if items.node.as_array().is_some() {
                let message = "`items` as an array of schemas is not supported";
                self.push(
                    Finding::error(Code::NotSupported, message, items.key_place)
                        .help("one schema describes all items"),
                );
            } else {
                schema.items = Some(self.schema(&items.node));
            }
        }
        // OpenAPI 3.0.3 section 4.7.24.1: `items` must be present if the type is `array`
        let bare = schema.items.is_none() && fields.peek("items").is_none();
        if self.version == Version::V30
            && bare
            && schema.types.iter().any(|kind| kind.value == JsonType::Array)
        {
            self.missing(fields, "items");
        }
        schema.min_items = self.count(fields, "minItems");
        schema.max_items = self.count(fields, "maxItems");
        schema.unique_items = self.boolean(fields, "uniqueItems");
    }

    fn object_keywords(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        if fields.peek("properties").is_some() {
            let members = self.map(fields, "properties");
            let one = |member: &'d crate::source::tree::Member, reader: &mut Self| {
                (Spanned::new(member.key.to_string(), member.key_place), reader.schema(&member.node))
            };
            schema.properties = Some(members.into_iter().map(|member| one(member, self)).collect());
        }
        if let Some(required) = fields.get("required") {
            match required.node.as_array() {
                Some(names) => {
                    schema.required = names.iter().filter_map(|name| self.text("required", name)).collect();
                }
                None => {
                    let message =
                        format!("`required` of a schema is an array of names, not {}", required.node.kind());
                    let help = "list it at the object: `required: [name]`";
                    self.push(Finding::error(Code::WrongType, message, required.node.place).help(help));
                }
            }
        }
        if let Some(additional) = fields.get("additionalProperties") {
            let value = match additional.node.as_bool() {
                Some(allowed) => Additional::Allowed(allowed),
                None => Additional::Each(self.schema(&additional.node)),
            };
            schema.additional = Some(Spanned::new(value, additional.key_place));
        }
        schema.min_properties = self.count(fields, "minProperties");
        schema.max_properties = self.count(fields, "maxProperties");
    }

    fn later(&mut self, fields: &mut Fields<'d>) {
        let newer: &[&'static str] = if self.version == Version::V31 { LATER_31 } else { &[] };
        for keyword in LATER.iter().chain(newer) {
            let Some(member) = fields.get(keyword) else { continue };
            // `readOnly: false` asks for nothing
            if matches!(*keyword, "readOnly" | "writeOnly") && member.node.as_bool() == Some(false) {
                continue;
            }
            let message = format!("the schema keyword `{keyword}` is not supported yet");
            let finding = Finding::error(Code::NotSupported, message, member.key_place);
            self.push(finding.help("palisade 0.1 cannot enforce it, and leaves nothing unenforced"));
        }
    }

    /// A non-negative integer.
    fn count(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Option<Spanned<u64>> {
        let node = &fields.get(key)?.node;
        let count = match &node.value {
            Value::Number(text) => Decimal::parse(text).and_then(|number| number.to_integer()),
            _ => None,
        };
        match count.and_then(|count| u64::try_from(count).ok()) {
            Some(count) => Some(Spanned::new(count, node.place)),
            None => {
                let message = format!("`{key}` is a whole number, zero or more");
                self.push(Finding::error(Code::WrongType, message, node.place));
                None
            }
        }
    }
}

/// The `$ref` inside `allOf: [{ $ref: .. }]` where only prose stands beside `allOf`.
fn single_reference<'n>(fields: &Fields<'n>) -> Option<&'n Node> {
    let [only] = fields.peek("allOf")?.as_array()? else { return None };
    let object = only.as_object()?;
    let prose = ["title", "description", "deprecated", "example", "examples", "externalDocs", "allOf"];
    let all_prose =
        fields.members().iter().all(|member| prose.contains(&&*member.key) || member.key.starts_with("x-"));
    if object.members().len() == 1 && all_prose { only.get("$ref") } else { None }
}

impl JsonType {
    /// As the standard writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}
