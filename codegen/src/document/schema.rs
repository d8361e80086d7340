//! Schemas: one form for 3.0 and 3.1, in a table, so that recursion is a matter of ids.

use std::cell::OnceCell;

use super::beyond::Beyond;
use super::{Fields, Reader, Spanned};
use crate::annotation::SchemaRules;
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::normalise::number::Decimal;
use crate::normalise::{Bounds, Draft, Version};
use crate::resolve::Scope;
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Counts the schemas of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SchemaId(usize);

impl SchemaId {
    pub(super) const fn at(position: usize) -> Self {
        Self(position)
    }

    pub(crate) const fn position(self) -> usize {
        self.0
    }
}

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
    /// Whether it is read to the letter of JSON Schema (`$schema` says so, or `open`): no type is implied by its keywords.
    pub(crate) literal: bool,
    /// Whether it was made of others, which have had their own findings.
    pub(crate) merged: bool,
    /// The schema `false`.
    pub(crate) never: bool,
    /// `$ref`; then only prose stands beside it.
    pub(crate) reference: Option<SchemaId>,
    pub(crate) reference_place: Place,
    pub(crate) types: Vec<Spanned<JsonType>>,
    /// `null` among the types.
    pub(crate) nullable: bool,
    /// `null` is allowed whatever is said here (3.0's `nullable`), where no type is stated.
    pub(crate) widens: bool,
    /// `null` is an alternative to everything that is said here.
    pub(crate) or_null: bool,
    /// `{ nullable: true }` (3.0), as an alternative beside others what `{ type: "null" }` is since.
    pub(crate) only_nullable: bool,
    pub(crate) enumeration: Option<Spanned<Vec<Node>>>,
    pub(crate) constant: Option<Node>,
    /// What is said of values that are listed.
    pub(crate) titles: Vec<(Node, Docs)>,
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
    /// `readOnly`
    pub(crate) read_only: Option<Place>,
    /// `writeOnly`
    pub(crate) write_only: Option<Place>,
    pub(crate) beyond: Beyond,
    /// What it is as a type, if it is composed.
    pub(crate) view: Option<View>,
    pub(crate) rules: SchemaRules,
}

/// `additionalProperties`
#[derive(Clone, Copy, Debug)]
pub(crate) enum Additional {
    Allowed(bool),
    Each(SchemaId),
}

/// A composed schema as a type: whatever its keywords let through is described by it.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// One struct.
    One(SchemaId),
    /// One of several types.
    Choice(Choice),
}

/// A choice between schemas.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) alternatives: Vec<Alternative>,
    /// `oneOf`, not `anyOf`.
    pub(crate) exactly_one: bool,
    /// How many further alternatives are `null`.
    pub(crate) nulls: usize,
    /// Whether `null` is allowed beside the choice (3.0's `nullable`).
    pub(crate) widened: bool,
    /// Whether conditions beside it have a say about `null` as well.
    pub(crate) judged: bool,
    /// The schema whose `oneOf` or `anyOf` it is, with its discriminator; a list of types has none.
    pub(crate) holder: Option<SchemaId>,
    /// What was found out about it. Nothing is found out of one that leads to itself.
    pub(crate) said: OnceCell<Said>,
}

/// What is known of a choice once its alternatives are known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// Whether it is one between types that are worth having.
    pub(crate) expressible: bool,
    /// Whether `null` satisfies it.
    pub(crate) takes_null: bool,
}

/// An alternative of a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alternative {
    /// What a value of it is, with all that stands beside the choice.
    pub(crate) schema: SchemaId,
    /// As the document lists it.
    pub(crate) written: SchemaId,
}

/// Keywords of JSON Schema that change what references or other keywords mean, or mean nothing in this version.
const REFUSED_31: &[&str] = &["additionalItems", "$recursiveRef", "$recursiveAnchor", "$vocabulary"];

impl Schema {
    /// A schema that says nothing yet.
    pub(crate) fn empty(place: Place) -> Self {
        Self {
            place,
            literal: false,
            merged: false,
            never: false,
            reference: None,
            reference_place: place,
            types: Vec::new(),
            nullable: false,
            widens: false,
            or_null: false,
            only_nullable: false,
            enumeration: None,
            constant: None,
            titles: Vec::new(),
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
            read_only: None,
            write_only: None,
            beyond: Beyond::default(),
            view: None,
            rules: SchemaRules::default(),
        }
    }
}

impl Schema {
    /// Whether it is `{ type: "null" }`.
    pub(crate) fn is_only_null(&self) -> bool {
        self.nullable
            && self.types.is_empty()
            && self.reference.is_none()
            && !self.constrains()
            && self.beyond.first.is_none()
    }

    /// Whether `null` is the one type it allows: `type: "null"`, whatever else it says.
    pub(crate) fn takes_only_null(&self) -> bool {
        self.nullable && self.types.is_empty() && !self.widens && self.reference.is_none()
    }

    /// Whether it is a constant that its type, if it states one, allows.
    pub(crate) fn is_only_constant(&self) -> bool {
        let bare = Self { constant: None, types: Vec::new(), ..self.clone() };
        let typed = match self.constant.as_ref().map(|constant| &constant.value) {
            Some(Value::String(_)) => self.types.iter().all(|kind| kind.value == JsonType::String),
            Some(Value::Bool(_)) => self.types.iter().all(|kind| kind.value == JsonType::Boolean),
            // an integer of the type `integer` or `number`; no type says more of it
            Some(Value::Number(text)) => match self.types.as_slice() {
                [] => true,
                [only] if only.value == JsonType::Integer => {
                    Decimal::parse(text).is_some_and(|value| value.is_whole())
                }
                [only] => only.value == JsonType::Number,
                _ => false,
            },
            _ => false,
        };
        typed
            && self.reference.is_none()
            && self.beyond.first.is_none()
            && !self.nullable
            && !bare.says_something()
    }

    /// Whether it asserts anything beside what it is composed of.
    pub(crate) fn says_something(&self) -> bool {
        !self.types.is_empty() || self.takes_only_null() || self.never || self.constrains()
    }

    /// Whether it narrows the texts and numbers of its types.
    pub(crate) fn narrows(&self) -> bool {
        self.min_length.is_some()
            || self.max_length.is_some()
            || self.pattern.is_some()
            || self.format.is_some()
            || self.bounds.any().is_some()
    }

    fn constrains(&self) -> bool {
        let counts = [
            &self.min_length,
            &self.max_length,
            &self.min_items,
            &self.max_items,
            &self.min_properties,
            &self.max_properties,
        ];
        counts.into_iter().any(Option::is_some)
            || self.enumeration.is_some()
            || self.constant.is_some()
            || self.bounds.any().is_some()
            || self.pattern.is_some()
            || self.format.is_some()
            || self.items.is_some()
            || self.unique_items.is_some()
            || self.properties.is_some()
            || self.additional.is_some()
            || self.rules.open.is_some()
            || !self.required.is_empty()
    }

    /// Whether it declares members, by name or by a pattern.
    pub(crate) fn declares_members(&self) -> bool {
        self.properties.as_ref().is_some_and(|properties| !properties.is_empty())
            || !self.beyond.pattern_properties.is_empty()
    }

    /// How much of it there is to copy.
    pub(crate) fn weight(&self) -> usize {
        let listed = self.enumeration.as_ref().map_or(0, |values| values.value.len());
        1 + self.properties.as_ref().map_or(0, Vec::len) + self.required.len() + listed + self.titles.len()
    }

    /// Whether members that it does not declare are refused or judged.
    pub(crate) fn restricts_others(&self) -> bool {
        matches!(
            self.additional.as_ref().map(|additional| additional.value),
            Some(Additional::Allowed(false) | Additional::Each(_))
        )
    }
}

/// A schema that is still to be read, under what is in force where it stands.
pub(super) struct Waiting<'d> {
    id: SchemaId,
    node: &'d Node,
    literal: bool,
    scope: Scope,
}

impl<'d> Reader<'d> {
    /// The id of the schema at `node`. It is read by [`Reader::finish_schemas`], not here: references may chain for ever.
    pub(crate) fn schema(&mut self, node: &'d Node) -> SchemaId {
        let scope = self.scopes.enter(&self.identities, self.scope, node);
        let key = (std::ptr::from_ref(node), scope);
        if let Some(id) = self.schema_ids.get(&key) {
            return *id;
        }
        let id = SchemaId(self.schemas.len());
        self.schemas.push(None);
        self.schema_ids.insert(key, id);
        if scope != Scope::default() && !self.scopes.has_room() {
            let message = "the schemas that `$dynamicRef` leads to are too many";
            let finding = Finding::error(Code::NotSupported, message, node.place);
            self.push(finding.help("nest fewer schemas that declare a `$dynamicAnchor`"));
            if let Some(slot) = self.schemas.get_mut(id.0) {
                *slot = Some(Schema::empty(node.place));
            }
        } else {
            self.waiting.push(Waiting { id, node, literal: self.literal, scope });
        }
        id
    }

    /// Reads every schema that was asked for, and those that they ask for.
    pub(super) fn finish_schemas(&mut self) {
        let (literal, scope) = (self.literal, self.scope);
        while let Some(next) = self.waiting.pop() {
            (self.literal, self.scope) = (next.literal, next.scope);
            let schema = self.read_schema(next.node);
            if let Some(slot) = self.schemas.get_mut(next.id.0) {
                *slot = Some(schema);
            }
        }
        (self.literal, self.scope) = (literal, scope);
    }

    pub(super) fn take_schemas(&mut self) -> Vec<Schema> {
        std::mem::take(&mut self.schemas).into_iter().flatten().collect()
    }

    fn read_schema(&mut self, node: &'d Node) -> Schema {
        let mut schema = Schema::empty(node.place);
        if let (Value::Bool(allowed), Version::V31) = (&node.value, self.version) {
            schema.never = !allowed;
            return schema;
        }
        let Some(mut fields) = self.fields(node, "a schema") else { return schema };
        self.dialect_of_schema(&mut fields);
        self.draft = self.identities.draft(node);
        self.literal |= self.identities.stated_draft(node).is_some();
        if self.version == Version::V31 && fields.peek("$defs").is_some() {
            // before the references into them are followed, so that they are read in the same dialect
            for member in self.map(&mut fields, "$defs") {
                self.schema(&member.node);
            }
        }
        self.prose(&mut fields, &mut schema);
        self.access(&mut fields, &mut schema);
        self.identified(node, &fields);
        if self.referenced(node, &mut fields, &mut schema) {
            return schema;
        }
        self.types(&mut fields, &mut schema);
        self.values(&mut fields, &mut schema);
        schema.format = self.string(&mut fields, "format");
        schema.bounds = self.bounds(&mut fields);
        self.text_keywords(&mut fields, &mut schema);
        self.array_keywords(&mut fields, &mut schema);
        self.object_keywords(&mut fields, &mut schema);
        schema.beyond = Beyond { reference: schema.beyond.reference, ..self.beyond(&mut fields) };
        if schema.beyond.reference.is_some() {
            schema.beyond.first = Some(("$ref", schema.reference_place));
        }
        schema.beyond.all_of.extend(self.second_reference(node, &mut fields));
        schema.rules = self.schema_rules(&mut fields);
        schema.literal = self.literal || schema.rules.open.as_ref().is_some_and(|open| open.value);
        self.later_keywords(&fields);
        schema.format = schema.format.take().or_else(|| self.binary(&fields, &schema));
        self.unread(&mut fields);
        self.finish(fields);
        schema
    }

    /// A schema that states its dialect is read to the letter of it, and so are those inside.
    fn dialect_of_schema(&mut self, fields: &mut Fields<'d>) {
        if self.version == Version::V30 {
            return;
        }
        let Some(dialect) = self.string(fields, "$schema") else { return };
        if Draft::stated(&dialect.value).is_some() {
            self.literal = true;
        } else if crate::normalise::is_known_dialect(&dialect.value) {
            self.literal = false;
        } else {
            let message = format!("the schema dialect `{}` is not supported", dialect.value);
            let help = "leave `$schema` out: the dialect of OpenAPI 3.1 is the default";
            self.push(Finding::error(Code::NotSupported, message, dialect.place).help(help));
        }
    }

    /// A keyword that the stated draft does not have yet would be passed over.
    fn later_keywords(&mut self, fields: &Fields<'d>) {
        if self.version == Version::V30 {
            return;
        }
        let draft = self.draft;
        for member in fields.members().iter().filter(|member| draft.lacks(&member.key)) {
            let message = format!("the draft that `$schema` states has no keyword `{}`", member.key);
            let finding = Finding::error(Code::KeywordWithoutEffect, message, member.key_place);
            self.push(finding.help("state a newer draft, or leave `$schema` out"));
        }
    }

    /// `readOnly: false` asks for nothing.
    fn access(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        schema.read_only = self.boolean(fields, "readOnly").filter(|flag| flag.value).map(|flag| flag.place);
        schema.write_only =
            self.boolean(fields, "writeOnly").filter(|flag| flag.value).map(|flag| flag.place);
        if let (Some(place), Some(other)) = (schema.read_only, schema.write_only) {
            let message = "a value that is both `readOnly` and `writeOnly` can never be there";
            self.push(Finding::error(Code::Contradiction, message, place).related(other, "the other"));
        }
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
        _ = self.external_docs(fields);
        // XML is not served, so how it would be written says nothing
        fields.accept(&["xml"]);
    }

    fn values(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        schema.default = fields.get("default").map(|member| member.node.clone());
        if let Some((values, place)) = self.array(fields, "enum") {
            if values.is_empty() {
                let finding = Finding::warning(Code::Contradiction, "an empty `enum` allows nothing", place);
                self.push(finding.help("name the values, or leave it out"));
            }
            schema.enumeration = Some(Spanned::new(values.to_vec(), place));
        }
        // 3.0 has no `const`; who writes it there means it
        schema.constant = fields.get("const").map(|member| member.node.clone());
    }

    fn text_keywords(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        schema.min_length = self.count(fields, "minLength");
        schema.max_length = self.count(fields, "maxLength");
        schema.pattern = self.string(fields, "pattern");
    }

    fn array_keywords(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        if self.has_positional_items(fields) {
            // up to draft-07: what `prefixItems` and `items` say since (the first are read with `Beyond`)
            schema.items = fields.get("additionalItems").map(|others| self.schema(&others.node));
        } else if let Some(items) = fields.get("items") {
            if items.node.as_array().is_some() {
                let message = "`items` as an array of schemas is not supported";
                self.push(
                    Finding::error(Code::NotSupported, message, items.key_place)
                        .help("one schema describes all items; the first ones stand in `prefixItems`"),
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

    /// Whether `items` describes the items one by one.
    pub(super) fn has_positional_items(&self, fields: &Fields<'d>) -> bool {
        self.draft < Draft::Newest && fields.peek("items").is_some_and(|items| items.as_array().is_some())
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

    /// What annotates, what only holds other schemas, and what is refused because it would change the rest.
    fn unread(&mut self, fields: &mut Fields<'d>) {
        if self.version == Version::V30 {
            return;
        }
        fields.accept(&["definitions", "$id", "$anchor", "$dynamicAnchor"]);
        if self.draft < Draft::Newest {
            fields.accept(&[self.draft.id(), "additionalItems"]);
        }
        // all bytes are those
        let any = |member: &&crate::source::tree::Member| matches!(&member.node.value, Value::String(text) if &**text == "application/octet-stream");
        for member in self.content_keywords(fields).into_iter().filter(|member| !any(member)) {
            let message = format!("`{}` is not checked: it says how the text is read elsewhere", member.key);
            self.push(Finding::warning(Code::UnknownFormat, message, member.key_place));
        }
        for keyword in REFUSED_31 {
            if self.draft < Draft::Newest && *keyword == "additionalItems" {
                continue; // it says nothing beside an `items` that is one schema
            }
            let Some(member) = fields.get(keyword) else { continue };
            let message = format!("the schema keyword `{keyword}` is not supported");
            let finding = Finding::error(Code::NotSupported, message, member.key_place);
            self.push(finding.help("JSON Schema 2020-12 has other words for it, or none"));
        }
    }

    /// The `format: binary` of 3.0, as it is written since (OpenAPI 3.1 section 4.8.14.2): a string that is no text, by its
    /// media type, and not encoded.
    fn binary(&self, fields: &Fields<'d>, schema: &Schema) -> Option<Spanned<String>> {
        if self.version == Version::V30
            || fields.peek("contentEncoding").is_some()
            || schema.pattern.is_some()
        {
            return None;
        }
        let node = fields.peek("contentMediaType")?;
        let Value::String(media_type) = &node.value else { return None };
        let media_type = media_type.to_ascii_lowercase();
        let raw =
            ["image/", "audio/", "video/", "application/octet-stream", "application/pdf", "application/zip"];
        let is_raw = raw.iter().any(|kind| media_type.starts_with(kind)) && !media_type.ends_with("+xml");
        is_raw.then(|| Spanned::new("binary".to_owned(), node.place))
    }

    fn content_keywords(&mut self, fields: &mut Fields<'d>) -> Vec<&'d crate::source::tree::Member> {
        let all = ["contentEncoding", "contentMediaType", "contentSchema"];
        all.into_iter().filter_map(|keyword| fields.get(keyword)).collect()
    }

    /// A non-negative integer.
    pub(super) fn count(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Option<Spanned<u64>> {
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

impl JsonType {
    /// In the words of a message.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }

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
