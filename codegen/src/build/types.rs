//! Schemas to types: components and inline objects and words get an entry in the table, the rest stands at its use.

use super::Builder;
use super::direction::Direction;
use super::keywords::Place;
use super::literal::literal;
use super::scalar::counts;
use crate::document::{Additional, JsonType, Schema as Written, SchemaId, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{
    Array, Definition, Docs, Literal, Map, Member, Object, Origin, Schema, Shape, Type, TypeId, Words,
};
use crate::normalise::Bound;
use crate::source::tree::Node;

/// Arrays in arrays, through references: far more than any document nests.
const MAX_NESTING: usize = 64;

/// An inline type whose definition is still to be made.
pub(super) struct Waiting {
    id: TypeId,
    direction: Direction,
    schema: SchemaId,
    path: Vec<String>,
}

impl Builder<'_> {
    /// Gives every component its id, then defines them and whatever they hold.
    pub(super) fn components(&mut self) {
        let components = &self.document.components;
        for (_, schema) in components {
            let id = self.types.declare();
            self.type_ids.entry((*schema, self.side(*schema))).or_insert(id);
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
        let direction = self.direction;
        while let Some(next) = self.waiting.pop() {
            self.direction = next.direction;
            let shape = self.shape(next.schema, &next.path);
            self.define(next.id, Origin::Inline(next.path), next.schema, shape);
        }
        self.direction = direction;
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
        match kind(written) {
            Kind::Words(words) => Some(Shape::Words(Words { words })),
            // what is no member here is let through by nobody, not even by an open object
            Kind::Is(JsonType::Object) if is_open(written) && self.hides(written) => {
                Some(Shape::Checked(self.shape_of(id, Place::Top)))
            }
            Kind::Is(JsonType::Object) if is_struct(written) => self.object(written, path).map(Shape::Object),
            Kind::Free => Some(Shape::Checked(self.shape_of(id, Place::Top))),
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
        if let Some(named) = self.type_ids.get(&(id, self.side(id))) {
            return Some(Schema { ty: Type::Named(*named), nullable });
        }
        let component = || document.components.iter().find(|(_, known)| *known == id);
        if let Some((name, _)) = self.directed.contains(&id).then(component).flatten() {
            // the answer's type has the component's own name
            let path = [name.value.clone(), "request".to_owned()];
            return Some(Schema { ty: Type::Named(self.declare_inline(id, &path)), nullable });
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
        let ty = match kind(written) {
            Kind::Any => Type::Any,
            Kind::Words(_) | Kind::Free => Type::Named(self.declare_inline(id, path)),
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

    /// Whether the direction takes a member away.
    fn hides(&self, written: &Written) -> bool {
        written.properties.iter().flatten().any(|(_, id)| !self.is_member(*id))
    }

    fn declare_inline(&mut self, id: SchemaId, path: &[String]) -> TypeId {
        let key = (id, self.side(id));
        if let Some(known) = self.type_ids.get(&key) {
            return *known;
        }
        let declared = self.types.declare();
        self.type_ids.insert(key, declared);
        let direction = self.direction;
        self.waiting.push(Waiting { id: declared, direction, schema: id, path: path.to_vec() });
        declared
    }

    /// Whether `null` is allowed: by the types, and by the enumeration if there is one. What stays JSON says so itself.
    fn nullable(&self, id: SchemaId) -> bool {
        let (written, widened) = self.widened(id);
        if matches!(kind(written), Kind::Free) {
            return widened;
        }
        let listed = |nodes: &[Node]| nodes.iter().any(is_null);
        let typed = written.nullable || written.types.is_empty();
        match (&written.enumeration, &written.constant) {
            (Some(values), _) => typed && listed(&values.value),
            (None, Some(value)) => typed && is_null(value),
            (None, None) => written.nullable || widened,
        }
    }

    /// What `id` refers to in the end, and whether a reference on the way says `nullable` (3.0).
    fn widened(&self, id: SchemaId) -> (&Written, bool) {
        let target = self.document.target(id);
        let (mut at, mut widened) = (id, false);
        while let (true, Some(next)) = (at != target, self.document.schema(at).reference) {
            widened |= self.document.schema(at).nullable;
            at = next;
        }
        (self.document.schema(target), widened)
    }

    fn array(&mut self, written: &Written, path: &[String], depth: usize) -> Option<Array> {
        let items = match written.items {
            Some(items) => self.schema(items, &with(path, "item"), depth + 1)?,
            None => {
                let message = "nothing is declared of the items of this array, so everything is let through";
                let finding = Finding::warning(Code::Untyped, message, written.place);
                self.findings
                    .push(finding.help("declare its `items`, or write `items: {}` if that is meant"));
                Schema::of(Type::Any)
            }
        };
        let unique = written.unique_items.as_ref().is_some_and(|unique| unique.value);
        Some(Array { items, counts: counts(written.min_items.as_ref(), written.max_items.as_ref()), unique })
    }

    fn map(&mut self, written: &Written, path: &[String], depth: usize) -> Option<Map> {
        let values = match written.additional.as_ref().map(|additional| additional.value) {
            Some(Additional::Each(values)) => self.schema(values, &with(path, "value"), depth + 1)?,
            _ => Schema::of(Type::Any),
        };
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
        let mut members = Vec::new();
        for (name, id) in written.properties.iter().flatten() {
            if !self.is_member(*id) {
                continue;
            }
            let property = self.document.schema(*id);
            let target = self.document.schema(self.document.target(*id));
            let docs = if property.docs == Docs::default() { &target.docs } else { &property.docs };
            let (docs, examples) = (docs.clone(), examples(property));
            let required = written.required.iter().any(|required| required.value == name.value);
            if let Some(schema) = self.schema(*id, &with(path, &name.value), 0) {
                members.push(Member { name: name.value.clone(), schema, required, docs, examples });
            }
        }
        for name in undeclared(written) {
            let schema = Schema::of(Type::Any);
            let (docs, examples) = (Docs::default(), Vec::new());
            members.push(Member { name: name.value.clone(), schema, required: true, docs, examples });
        }
        Some(Object { members, open: is_open(written) })
    }
}

enum Kind {
    Any,
    Is(JsonType),
    Words(Vec<String>),
    /// Rust has no word for it: it stays JSON, and all of its keywords are checked.
    Free,
}

/// Which type a schema has: as stated, or as its keywords imply.
fn kind(written: &Written) -> Kind {
    if written.never || written.beyond.first.is_some() {
        return Kind::Free;
    }
    if written.enumeration.is_some() || written.constant.is_some() {
        return words(written).map_or(Kind::Free, Kind::Words);
    }
    match written.types.as_slice() {
        [one] if has_a_word(written, one.value) => Kind::Is(one.value),
        [] if written.literal && (written.nullable || written.says_something()) => Kind::Free,
        [] => match implied(written) {
            Some(kind) if has_a_word(written, kind) => Kind::Is(kind),
            None if !(written.nullable || written.says_something()) => Kind::Any,
            _ => Kind::Free,
        },
        _ => Kind::Free,
    }
}

/// Without `type`, `properties` or `items` mean an object or an array: stricter than the standard, which would let
/// every other value through. A schema that is read to the letter implies nothing.
pub(crate) fn implied(written: &Written) -> Option<JsonType> {
    let object = written.properties.is_some() || written.additional.is_some() || !written.required.is_empty();
    match object {
        _ if written.literal => None,
        true => Some(JsonType::Object),
        false => written.items.is_some().then_some(JsonType::Array),
    }
}

/// Whether the type in Rust can say what the schema says of a value of this type.
fn has_a_word(written: &Written, kind: JsonType) -> bool {
    let whole = |bound: &Option<Spanned<Bound>>| {
        bound.as_ref().is_none_or(|bound| bound.value.value.to_integer().is_some())
    };
    let bounds = &written.bounds;
    match kind {
        JsonType::Integer => [
            &bounds.minimum,
            &bounds.maximum,
            &bounds.exclusive_minimum,
            &bounds.exclusive_maximum,
            &bounds.multiple_of,
        ]
        .into_iter()
        .all(whole),
        JsonType::Object if is_struct(written) => {
            written.min_properties.is_none()
                && written.max_properties.is_none()
                && match written.additional.as_ref().map(|additional| additional.value) {
                    Some(Additional::Each(_)) => false,
                    // what is required and refused is never there
                    Some(Additional::Allowed(false)) => undeclared(written).next().is_none(),
                    Some(Additional::Allowed(true)) | None => true,
                }
        }
        JsonType::Object => written.required.is_empty(),
        _ => true,
    }
}

/// Names that are required and that nothing describes: any value will do.
pub(super) fn undeclared(written: &Written) -> impl Iterator<Item = &Spanned<String>> {
    let declared = |name: &Spanned<String>| {
        written.properties.iter().flatten().any(|(known, _)| known.value == name.value)
    };
    written.required.iter().filter(move |name| !declared(name))
}

/// The words of `enum` or `const`, when there are only such, and `null`.
fn words(written: &Written) -> Option<Vec<String>> {
    let values: &[Node] = match (&written.enumeration, &written.constant) {
        (Some(values), None) => &values.value,
        (None, Some(value)) => std::slice::from_ref(value),
        _ => return None,
    };
    if written.types.iter().any(|kind| kind.value != JsonType::String) {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    for value in values.iter().filter(|value| !is_null(value)) {
        let word = value.as_str()?;
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    (!words.is_empty()).then_some(words)
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
