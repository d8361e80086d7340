//! Schemas to types: components and inline objects and words get an entry in the table, the rest stands at its use.

use foldhash::HashSet;

use super::direction::Direction;
use super::keywords::Place;
use super::kind::{
    Kind, counts_members, describes_others, is_open, is_struct, is_whole, kind, nullable, undeclared,
};
use super::literal::literal;
use super::nesting::ends_nowhere;
use super::scalar::counts;
use super::{Builder, size};
use crate::document::{Additional, JsonType, Schema as Written, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{
    Array, Definition, Docs, Literal, Map, Member, Object, Origin, Schema, Shape, ShapeId, Type, TypeId,
    Words,
};
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
        let (docs, examples) = (written.docs.clone(), self.examples(written));
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
        match kind(document, written) {
            Kind::Words(words) => Some(Shape::Words(Words { words })),
            // what is no member here is let through by nobody, not even by an open object
            Kind::Is(JsonType::Object)
                if (is_open(written) || !is_struct(written)) && self.hides(written) =>
            {
                Some(Shape::Checked(self.shape_of(id, Place::Top)))
            }
            Kind::Is(JsonType::Object) if is_struct(written) => {
                // nor is it one of the others where those are described
                let hidden = describes_others(written) && self.hides(written);
                let shape = (hidden || counts_members(written)).then(|| self.shape_of(id, Place::Top));
                self.object(written, shape, path).map(Shape::Object)
            }
            // Rust has no name for a list of itself
            Kind::Is(JsonType::Array | JsonType::Object)
                if self.nesting.get(id.position()) == Some(&true) =>
            {
                Some(Shape::Checked(self.shape_of(id, Place::Top)))
            }
            Kind::One(core) => {
                let (core, shape) = (document.schema(core), self.shape_of(id, Place::Top));
                match is_open(core) && self.hides(core) {
                    true => Some(Shape::Checked(shape)),
                    false => self.object(core, Some(shape), path).map(Shape::Object),
                }
            }
            Kind::Choice => self.choice(id, path),
            Kind::Free => {
                self.choice_that_stays_json(id);
                Some(Shape::Checked(self.shape_of(id, Place::Top)))
            }
            _ => {
                let schema = self.inline(id, path, 0)?;
                Some(Shape::Alias(Schema { nullable: false, ..schema }))
            }
        }
    }

    /// What a value must be at a place of use.
    pub(super) fn schema(&mut self, id: SchemaId, path: &[String], depth: usize) -> Option<Schema> {
        let document = self.document;
        let nullable = nullable(document, id);
        if let Some(named) = self.type_ids.get(&(id, self.side(id))) {
            return Some(Schema { ty: Type::Named(*named), nullable });
        }
        let component = || document.component(id);
        // the answer's type has the component's own name
        let word = match self.side(id) {
            Direction::Request => Some("request"),
            Direction::Patch => Some("patch"),
            Direction::Answer | Direction::Either => None,
        };
        if let Some((word, name)) = word.and_then(|word| Some((word, component()?))) {
            let path = [name.value.clone(), word.to_owned()];
            return Some(Schema { ty: Type::Named(self.declare_inline(id, &path)), nullable });
        }
        let written = document.schema(id);
        if depth > MAX_NESTING {
            self.too_deep(id);
            return None;
        }
        if let Some(target) = written.reference {
            let schema = self.schema(target, path, depth + 1)?;
            return Some(Schema { nullable, ..schema });
        }
        self.inline(id, path, depth)
    }

    /// Lists and maps in each other have no name that could stand for what is inside.
    fn too_deep(&mut self, id: SchemaId) {
        let written = self.document.schema(id);
        let (message, help) = match ends_nowhere(self.document, id) {
            true => (
                "this type nests without an object in between, and does not end".to_owned(),
                "let it hold itself in a member of an object",
            ),
            false => (
                format!("more than {MAX_NESTING} lists, maps and references stand in each other here"),
                "describe one on the way as a component of its own, or as a member of an object",
            ),
        };
        self.findings.push(Finding::error(Code::Endless, message, written.place).help(help));
    }

    fn inline(&mut self, id: SchemaId, path: &[String], depth: usize) -> Option<Schema> {
        let document = self.document;
        let written = document.schema(id);
        let ty = match kind(document, written) {
            Kind::Any => Type::Any,
            Kind::Words(_) | Kind::One(_) | Kind::Choice | Kind::Free => {
                Type::Named(self.declare_inline(id, path))
            }
            Kind::Is(JsonType::Boolean) => Type::Boolean,
            Kind::Is(JsonType::Integer) => Type::Integer(self.integer(written)?),
            Kind::Is(JsonType::Number) if is_whole(written) => Type::Integer(self.integer(written)?),
            Kind::Is(JsonType::Number) => Type::Number(self.number(written)?),
            Kind::Is(JsonType::String) => Type::Text(self.string(written)?),
            Kind::Is(JsonType::Array) => Type::Array(Box::new(self.array(written, path, depth)?)),
            Kind::Is(JsonType::Object) if is_struct(written) || self.hides(written) => {
                Type::Named(self.declare_inline(id, path))
            }
            Kind::Is(JsonType::Object) => Type::Map(Box::new(self.map(written, path, depth)?)),
        };
        Some(Schema { ty, nullable: nullable(document, id) })
    }

    /// Whether the direction takes a member away, or those that are not declared by name.
    fn hides(&self, written: &Written) -> bool {
        let others = match written.additional.as_ref().map(|additional| additional.value) {
            Some(Additional::Each(each)) => Some(each),
            _ => None,
        };
        written.properties.iter().flatten().map(|(_, id)| *id).chain(others).any(|id| !self.is_member(id))
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

    pub(super) fn array(&mut self, written: &Written, path: &[String], depth: usize) -> Option<Array> {
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

    /// A struct. What is let through is kept, so that the whole can be looked at.
    fn object(&mut self, written: &Written, shape: Option<ShapeId>, path: &[String]) -> Option<Object> {
        let mut members = Vec::new();
        let required: HashSet<&str> = written.required.iter().map(|name| &*name.value).collect();
        for (name, id) in written.properties.iter().flatten() {
            if !self.is_member(*id) {
                continue;
            }
            let property = self.document.schema(*id);
            let target = self.document.schema(self.document.target(*id));
            let docs = if property.docs == Docs::default() { &target.docs } else { &property.docs };
            // a component says them once, and each of its uses again
            let docs = if self.has_room(size::of_docs(docs)) { docs.clone() } else { Docs::default() };
            let examples = self.examples(property);
            let required = required.contains(&*name.value);
            if let Some(schema) = self.schema(*id, &with(path, &name.value), 0) {
                let default = if required { None } else { self.filled_with(*id) };
                let name = name.value.clone();
                members.push(Member { name, schema, required, default, docs, examples });
            }
        }
        for name in undeclared(written) {
            let schema = Schema::of(Type::Any);
            let (docs, examples) = (Docs::default(), Vec::new());
            let name = name.value.clone();
            members.push(Member { name, schema, required: true, default: None, docs, examples });
        }
        let others = match written.additional.as_ref().map(|additional| additional.value) {
            Some(Additional::Each(each)) if !self.is_member(each) => None,
            Some(Additional::Each(each)) => Some(self.schema(each, &with(path, "value"), 0)?),
            _ => is_open(written).then(|| Schema::of(Type::Any)),
        };
        Some(Object { members, others, shape })
    }

    /// `const`, `example`, `examples`, `default`, in this order.
    fn examples(&mut self, written: &Written) -> Vec<Literal> {
        let values = written.constant.iter().chain(&written.examples).chain(&written.default);
        values.filter_map(|value| self.literal(value)).collect()
    }

    /// A value that is written out wherever it is used.
    fn literal(&mut self, value: &Node) -> Option<Literal> {
        self.has_room(size::of_value(value)).then(|| literal(value))
    }
}

pub(super) fn with(path: &[String], word: &str) -> Vec<String> {
    let mut longer = path.to_vec();
    longer.push(word.to_owned());
    longer
}
