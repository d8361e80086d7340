//! Reads schemas, keyword by keyword: one after the other and not inside each other, for references may chain for ever.

use super::beyond::Beyond;
use super::counted::{Counted, counted};
use super::schema::{Additional, JsonType, Schema, SchemaId};
use super::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::normalise::number::Decimal;
use crate::normalise::{Draft, Version};
use crate::resolve::Scope;
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Keywords of JSON Schema that change what references or other keywords mean, or mean nothing in this version.
const REFUSED_31: &[&str] = &["additionalItems", "$recursiveRef", "$recursiveAnchor", "$vocabulary"];

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
        let id = SchemaId::at(self.schemas.len());
        self.schemas.push(None);
        self.schema_ids.insert(key, id);
        if scope != Scope::default() && !self.scopes.has_room() {
            let message = "the schemas that `$dynamicRef` leads to are too many";
            let finding = Finding::error(Code::NotSupported, message, node.place);
            self.push(finding.help("nest fewer schemas that declare a `$dynamicAnchor`"));
            if let Some(slot) = self.schemas.get_mut(id.position()) {
                *slot = Some(Schema::empty(node.place));
            }
        } else {
            self.waiting.push(Waiting { id, node, literal: self.literal, scope });
        }
        id
    }

    /// One that nobody wrote, which takes anything.
    pub(super) fn unwritten(&mut self, place: Place) -> SchemaId {
        let id = SchemaId::at(self.schemas.len());
        self.schemas.push(Some(Schema::empty(place)));
        id
    }

    /// Reads every schema that was asked for, and those that they ask for.
    pub(super) fn finish_schemas(&mut self) {
        self.read_waiting();
        if self.schemas.iter().flatten().any(Schema::is_inherited) {
            // what extends it may stand in any file, and nothing has to refer to it
            self.library.components_elsewhere().for_each(|member| {
                self.schema(&member.node);
            });
            self.read_waiting();
        }
    }

    /// The components of other files that were read.
    pub(super) fn components_elsewhere(&self) -> Vec<(Spanned<String>, SchemaId)> {
        let named = self.library.components_elsewhere().filter_map(|member| {
            let id = self.schema_ids.get(&(std::ptr::from_ref(&member.node), Scope::default()))?;
            Some((Spanned::new(member.key.to_string(), member.key_place), *id))
        });
        named.collect()
    }

    fn read_waiting(&mut self) {
        let (literal, scope) = (self.literal, self.scope);
        while let Some(next) = self.waiting.pop() {
            (self.literal, self.scope) = (next.literal, next.scope);
            let schema = self.read_schema(next.node);
            if let Some(slot) = self.schemas.get_mut(next.id.position()) {
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
        schema.beyond = Beyond { reference: schema.beyond.reference, ..self.beyond(node, &mut fields) };
        if schema.beyond.reference.is_some() {
            schema.beyond.first = Some(("$ref", schema.reference_place));
        }
        schema.beyond.all_of.extend(self.second_reference(node, &mut fields));
        schema.rules = self.schema_rules(&mut fields);
        schema.literal = self.literal || schema.rules.open.as_ref().is_some_and(|open| open.value);
        self.later_keywords(&fields);
        schema.encoded = self.version != Version::V30 && fields.peek("contentEncoding").is_some();
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
            let finding = Finding::error(Code::Contradiction, message, place).related(other, "the other");
            self.push(finding.help("keep one of the two"));
        }
    }

    fn prose(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        schema.docs.summary = self.string(fields, "title").map(|text| text.value);
        schema.docs.description = self.string(fields, "description").map(|text| text.value);
        schema.docs.deprecated = self.boolean(fields, "deprecated").is_some_and(|flag| flag.value);
        schema.examples.extend(fields.get("example").map(|member| member.node.clone()));
        if self.version == Version::V31 {
            if let Some(member) = fields.get("examples") {
                self.listed_examples(&member.node, schema);
            }
            fields.accept(&["$comment"]);
        }
        _ = self.external_docs(fields);
        self.xml(fields);
    }

    /// They bind nobody, so that an object of them, as parameters have it, stops nothing.
    fn listed_examples(&mut self, node: &Node, schema: &mut Schema) {
        match node.as_array() {
            Some(examples) => schema.examples.extend(examples.iter().cloned()),
            None => {
                let message =
                    format!("`examples` of a schema is an array, not {}: it is passed over", node.kind());
                let finding = Finding::warning(Code::WrongType, message, node.place);
                self.push(finding.help("write a list of values"));
            }
        }
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
        let Some(pattern) = &mut schema.pattern else { return };
        let Some(Counted { pattern: uncounted, min, max }) = counted(&pattern.value) else { return };
        pattern.value = uncounted;
        if min > schema.min_length.as_ref().map_or(0, |said| said.value) {
            schema.min_length = Some(Spanned::new(min, pattern.place));
        }
        if let Some(max) = max
            && schema.max_length.as_ref().is_none_or(|said| said.value > max)
        {
            schema.max_length = Some(Spanned::new(max, pattern.place));
        }
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
        // validation, section 8.2: what such a string holds must not be judged where nobody asked for it
        for member in self.content_keywords(fields).into_iter().filter(|member| !any(member)) {
            let says = match &*member.key {
                "contentMediaType" => "what the text is, or the bytes are",
                _ => "how the text is read elsewhere",
            };
            let message = format!("`{}` is not checked: it says {says}", member.key);
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
        if self.version == Version::V30 || schema.encoded || schema.pattern.is_some() {
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

    /// A non-negative integer. More than can be counted is as much as that.
    pub(super) fn count(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Option<Spanned<u64>> {
        let node = &fields.get(key)?.node;
        let count = match &node.value {
            Value::Number(text) => Decimal::parse(text).filter(|it| it.is_whole() && !it.is_negative()),
            _ => None,
        };
        let most =
            |count: Decimal| count.to_integer().map_or(u64::MAX, |it| u64::try_from(it).unwrap_or(u64::MAX));
        match count.map(most) {
            Some(count) => Some(Spanned::new(count, node.place)),
            None => {
                let message = format!("`{key}` is a whole number, zero or more");
                let finding = Finding::error(Code::WrongType, message, node.place);
                self.push(finding.help(format!("write `{key}: 1`, without quotation marks")));
                None
            }
        }
    }
}
