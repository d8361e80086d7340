//! Schemas to types: components and inline objects and words get an entry in the table, the rest stands at its use.

use super::Builder;
use super::literal::literal;
use super::scalar::counts;
use crate::document::{Additional, JsonType, Schema as Written, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{
    Array, Definition, Docs, Literal, Map, Member, Object, Origin, Schema, Shape, Type, TypeId, Words,
};
use crate::source::tree::Node;

/// Arrays in arrays, through references: far more than any document nests.
const MAX_NESTING: usize = 64;

/// An inline type whose definition is still to be made.
pub(super) struct Waiting {
    id: TypeId,
    schema: SchemaId,
    path: Vec<String>,
}

impl Builder<'_> {
    /// Gives every component its id, then defines them and whatever they hold.
    pub(super) fn components(&mut self) {
        let components = &self.document.components;
        for (_, schema) in components {
            let id = self.types.declare();
            self.type_ids.entry(*schema).or_insert(id);
            self.component_ids.push(id);
        }
        for (at, (name, schema)) in components.iter().enumerate() {
            let Some(id) = self.component_ids.get(at).copied() else { continue };
            let shape = self.shape(*schema, std::slice::from_ref(&name.value));
            self.define(id, Origin::Component(name.value.clone()), *schema, shape);
        }
        self.finish_inline();
    }

    /// Defines the inline types that came up, and those that they hold.
    pub(super) fn finish_inline(&mut self) {
        while let Some(next) = self.waiting.pop() {
            let shape = self.shape(next.schema, &next.path);
            self.define(next.id, Origin::Inline(next.path), next.schema, shape);
        }
    }

    fn define(&mut self, id: TypeId, origin: Origin, schema: SchemaId, shape: Option<Shape>) {
        let written = self.document.schema(schema);
        // a definition that failed has its finding; something must stand there for the others to be looked at
        let shape = shape.unwrap_or(Shape::Alias(Schema::of(Type::Any)));
        let (docs, examples) = (written.docs.clone(), examples(written));
        self.types.define(id, Definition { origin, docs, shape, examples });
    }

    /// What a component or an inline type is.
    fn shape(&mut self, id: SchemaId, path: &[String]) -> Option<Shape> {
        let document = self.document;
        let written = document.schema(id);
        if let Some(target) = written.reference {
            let schema = self.schema(target, path, 0);
            return Some(Shape::Alias(Schema { nullable: false, ..schema? }));
        }
        match self.kind(written)? {
            Kind::Words(words) => Some(Shape::Words(Words { words })),
            Kind::Is(JsonType::Object) if is_struct(written) => self.object(written, path).map(Shape::Object),
            _ => {
                let schema = self.inline(id, path, 0)?;
                Some(Shape::Alias(Schema { nullable: false, ..schema }))
            }
        }
    }

    /// What a value must be at a place of use.
    pub(super) fn schema(&mut self, id: SchemaId, path: &[String], depth: usize) -> Option<Schema> {
        let document = self.document;
        let nullable = self.nullable(id);
        if let Some(named) = self.type_ids.get(&id) {
            return Some(Schema { ty: Type::Named(*named), nullable });
        }
        let written = document.schema(id);
        if depth > MAX_NESTING {
            let message = "this type nests without an object in between, and does not end";
            self.findings.push(Finding::error(Code::Endless, message, written.place));
            return None;
        }
        if let Some(target) = written.reference {
            let schema = self.schema(target, path, depth + 1)?;
            return Some(Schema { nullable, ..schema });
        }
        self.inline(id, path, depth)
    }

    fn inline(&mut self, id: SchemaId, path: &[String], depth: usize) -> Option<Schema> {
        let document = self.document;
        let written = document.schema(id);
        let ty = match self.kind(written)? {
            Kind::Any => Type::Any,
            Kind::Words(_) => Type::Named(self.declare_inline(id, path)),
            Kind::Is(JsonType::Boolean) => Type::Boolean,
            Kind::Is(JsonType::Integer) => Type::Integer(self.integer(written)?),
            Kind::Is(JsonType::Number) => Type::Number(self.number(written)?),
            Kind::Is(JsonType::String) => Type::Text(self.string(written)?),
            Kind::Is(JsonType::Array) => Type::Array(Box::new(self.array(written, path, depth)?)),
            Kind::Is(JsonType::Object) if is_struct(written) => Type::Named(self.declare_inline(id, path)),
            Kind::Is(JsonType::Object) => Type::Map(Box::new(self.map(written, path, depth)?)),
        };
        Some(Schema { ty, nullable: self.nullable(id) })
    }

    fn declare_inline(&mut self, id: SchemaId, path: &[String]) -> TypeId {
        if let Some(known) = self.type_ids.get(&id) {
            return *known;
        }
        let declared = self.types.declare();
        self.type_ids.insert(id, declared);
        self.waiting.push(Waiting { id: declared, schema: id, path: path.to_vec() });
        declared
    }

    /// Whether `null` is allowed: by the types, and by the enumeration if there is one.
    fn nullable(&self, id: SchemaId) -> bool {
        let written = self.document.schema(self.document.target(id));
        let listed = |nodes: &[Node]| nodes.iter().any(is_null);
        let typed = written.nullable || written.types.is_empty();
        match (&written.enumeration, &written.constant) {
            (Some(values), _) => typed && listed(&values.value),
            (None, Some(value)) => typed && is_null(value),
            (None, None) => written.nullable,
        }
    }

    /// Which type a schema has: as stated, or as its keywords imply.
    fn kind(&mut self, written: &Written) -> Option<Kind> {
        if let Some(words) = self.words(written)? {
            return Some(Kind::Words(words));
        }
        match written.types.as_slice() {
            [one] => Some(Kind::Is(one.value)),
            [_, second, ..] => {
                let message = "a value of several types is not supported yet";
                let finding = Finding::error(Code::NotSupported, message, second.place);
                self.findings.push(finding.help("keep one type, and `null` if it is meant"));
                None
            }
            [] if written.nullable => {
                let message = "a value that can only be `null` is not supported";
                self.findings.push(Finding::error(Code::NotSupported, message, written.place));
                None
            }
            [] => self.implied(written),
        }
    }

    /// Without `type`, `properties` or `items` mean an object or an array: stricter than the standard, which would let
    /// every other value through.
    fn implied(&mut self, written: &Written) -> Option<Kind> {
        if written.properties.is_some() || written.additional.is_some() || !written.required.is_empty() {
            return Some(Kind::Is(JsonType::Object));
        }
        if written.items.is_some() {
            return Some(Kind::Is(JsonType::Array));
        }
        let stated = [
            ("pattern", written.pattern.as_ref().map(|keyword| keyword.place)),
            ("minLength", written.min_length.as_ref().map(|keyword| keyword.place)),
            ("maxLength", written.max_length.as_ref().map(|keyword| keyword.place)),
            ("minItems", written.min_items.as_ref().map(|keyword| keyword.place)),
            ("maxItems", written.max_items.as_ref().map(|keyword| keyword.place)),
            ("uniqueItems", written.unique_items.as_ref().map(|keyword| keyword.place)),
            ("minProperties", written.min_properties.as_ref().map(|keyword| keyword.place)),
            ("maxProperties", written.max_properties.as_ref().map(|keyword| keyword.place)),
            ("format", written.format.as_ref().map(|keyword| keyword.place)),
        ];
        let bound = written.bounds.any();
        let found = stated.into_iter().find_map(|(name, place)| place.map(|place| (name, place))).or(bound);
        let Some((keyword, place)) = found else { return Some(Kind::Any) };
        let message = format!("`{keyword}` without a `type` is not supported");
        self.findings
            .push(Finding::error(Code::NotSupported, message, place).help("state the `type` beside it"));
        None
    }

    /// The words of `enum` or `const`, when there are such. `None` after a finding.
    fn words(&mut self, written: &Written) -> Option<Option<Vec<String>>> {
        let (values, place): (&[Node], _) = match (&written.enumeration, &written.constant) {
            (Some(_), Some(constant)) => {
                let message = "`enum` and `const` in one schema are not supported";
                self.findings
                    .push(Finding::error(Code::NotSupported, message, constant.place).help("keep `const`"));
                return None;
            }
            (Some(values), None) => (&values.value, values.place),
            (None, Some(value)) => (std::slice::from_ref(value), value.place),
            (None, None) => return Some(None),
        };
        let mut words: Vec<String> = Vec::new();
        for value in values.iter().filter(|value| !is_null(value)) {
            let Some(word) = value.as_str() else {
                // among strings it has the wrong type, and `check` says so
                if written.types.iter().any(|kind| kind.value == JsonType::String) {
                    return None;
                }
                let message = format!("an enumeration with {} is not supported yet", value.kind());
                let finding = Finding::error(Code::NotSupported, message, value.place);
                self.findings
                    .push(finding.help("palisade 0.1 enumerates strings: quote the value, or use bounds"));
                return None;
            };
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        if words.is_empty() {
            let message = "an enumeration without a string is not supported";
            self.findings.push(Finding::error(Code::NotSupported, message, place));
            return None;
        }
        Some(Some(words))
    }

    fn array(&mut self, written: &Written, path: &[String], depth: usize) -> Option<Array> {
        let items = match written.items {
            Some(items) => self.schema(items, &with(path, "item"), depth + 1)?,
            None => Schema::of(Type::Any),
        };
        let unique = written.unique_items.as_ref().is_some_and(|unique| unique.value);
        Some(Array { items, counts: counts(written.min_items.as_ref(), written.max_items.as_ref()), unique })
    }

    fn map(&mut self, written: &Written, path: &[String], depth: usize) -> Option<Map> {
        let values = match written.additional.as_ref().map(|additional| additional.value) {
            Some(Additional::Each(values)) => self.schema(values, &with(path, "value"), depth + 1)?,
            _ => Schema::of(Type::Any),
        };
        if let Some(name) = written.required.first() {
            let message = "`required` of an object without declared properties is not supported yet";
            self.findings
                .push(Finding::error(Code::NotSupported, message, name.place).help("declare the property"));
            return None;
        }
        let stated =
            written.additional.is_some() || written.rules.open.as_ref().is_some_and(|open| open.value);
        if !stated {
            let message = "nothing is declared of this object, so everything is let through";
            let finding = Finding::warning(Code::Untyped, message, written.place);
            self.findings.push(
                finding
                    .help("declare its `properties`, or say `additionalProperties: true` if that is meant"),
            );
        }
        Some(Map { values, counts: counts(written.min_properties.as_ref(), written.max_properties.as_ref()) })
    }

    fn object(&mut self, written: &Written, path: &[String]) -> Option<Object> {
        self.object_limits(written)?;
        let mut members = Vec::new();
        for (name, id) in written.properties.iter().flatten() {
            let property = self.document.schema(*id);
            let target = self.document.schema(self.document.target(*id));
            let docs = if property.docs == Docs::default() { &target.docs } else { &property.docs };
            let (docs, examples) = (docs.clone(), examples(property));
            let required = written.required.iter().any(|required| required.value == name.value);
            if let Some(schema) = self.schema(*id, &with(path, &name.value), 0) {
                members.push(Member { name: name.value.clone(), schema, required, docs, examples });
            }
        }
        Some(Object { members, open: is_open(written) })
    }

    fn object_limits(&mut self, written: &Written) -> Option<()> {
        let additional = written.additional.as_ref();
        let unsupported = match additional.map(|additional| (additional.value, additional.place)) {
            Some((Additional::Each(_), place)) => {
                Some(("a schema for additional properties beside `properties`", place))
            }
            _ => None,
        };
        let counted = written.min_properties.as_ref().or(written.max_properties.as_ref());
        let unsupported =
            unsupported.or(counted.map(|count| ("a count of properties beside `properties`", count.place)));
        let Some((what, place)) = unsupported else { return Some(()) };
        self.findings.push(Finding::error(Code::NotSupported, format!("{what} is not supported yet"), place));
        None
    }
}

enum Kind {
    Any,
    Is(JsonType),
    Words(Vec<String>),
}

/// Objects with declared members, and closed ones without, are structs; the others are maps.
fn is_struct(written: &Written) -> bool {
    let closed = matches!(
        written.additional.as_ref().map(|additional| additional.value),
        Some(Additional::Allowed(false))
    );
    written.properties.as_ref().is_some_and(|properties| !properties.is_empty()) || closed
}

/// Closed unless the document says otherwise: members that nobody declared must not slip through.
fn is_open(written: &Written) -> bool {
    matches!(written.additional.as_ref().map(|additional| additional.value), Some(Additional::Allowed(true)))
        || written.rules.open.as_ref().is_some_and(|open| open.value)
}

fn is_null(node: &Node) -> bool {
    matches!(node.value, crate::source::tree::Value::Null)
}

/// `const`, `example`, `examples`, `default`, in this order.
fn examples(written: &Written) -> Vec<Literal> {
    written.constant.iter().chain(&written.examples).chain(&written.default).map(literal).collect()
}

pub(super) fn with(path: &[String], word: &str) -> Vec<String> {
    let mut longer = path.to_vec();
    longer.push(word.to_owned());
    longer
}
