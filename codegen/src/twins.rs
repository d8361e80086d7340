//! Types that are written twice. Documents repeat themselves: the same list of words stands inline in twenty schemas, and
//! each would be a type with all that belongs to one. An inline type that says what one before it says becomes another name
//! for that one, and a schema that stays JSON is stated once.
//!
//! - What counts is everything that is generated from the inside of a type, what the document says of its members and words
//!   included. The name and the text of the type itself stay with each name.
//! - A component is a type of its own: whoever gave two of them names may mean two things by them.
//! - A page is a type of its own: its cursor is one that nothing else makes.
//! - Of types that hold themselves, those of the circle are not joined: a type is compared when all that it refers to was.

use foldhash::{HashMap, HashSet};

use crate::lower::cursors;
use crate::model::{Api, Definition, Id, Keywords, Origin, Schema, Shape, ShapeId, Type, TypeId};

/// `api`, with each type and each shape stated once.
pub(crate) fn joined(mut api: Api) -> Api {
    let pages: HashSet<TypeId> = cursors(&api).into_iter().map(|(page, _)| page).collect();
    let types = api.types.iter().map(|(id, definition)| Part::of_type(definition, pages.contains(&id)));
    let shapes = api.shapes.iter().map(|keywords| Part::new(Said::Shape(keywords.clone())));
    let firsts = Firsts::among(types.chain(shapes).collect(), api.types.len());
    for (id, definition) in api.types.iter_mut() {
        let first = firsts.of_type(id);
        if first != id {
            definition.shape = Shape::Alias(Schema::of(Type::Named(first)));
        }
    }
    state_once(&mut api, &firsts);
    api
}

/// Leaves out the shapes that are stated before or that no type needs (what was JSON became bytes), and renames the others by
/// their new places.
fn state_once(api: &mut Api, firsts: &Firsts) {
    let needed = needed(api, firsts);
    let mut places = HashMap::default();
    let shapes = std::mem::take(&mut api.shapes);
    for (position, keywords) in shapes.into_iter().enumerate() {
        let id = ShapeId::at(position);
        if needed.contains(&id) {
            places.insert(id, ShapeId::at(api.shapes.len()));
            api.shapes.push(keywords);
        }
    }
    let mut rename = |shape: &mut ShapeId| {
        *shape = places.get(&firsts.of_shape(*shape)).copied().unwrap_or(*shape);
    };
    api.shapes.iter_mut().for_each(|keywords| keywords.each_shape(&mut rename));
    for (_, definition) in api.types.iter_mut() {
        definition.shape.each_id(&mut |id| {
            if let Id::Shape(shape) = id {
                rename(shape);
            }
        });
    }
}

/// The first of each shape that types refer to, or that those shapes do.
fn needed(api: &mut Api, firsts: &Firsts) -> HashSet<ShapeId> {
    let mut waiting = Vec::new();
    for (_, definition) in api.types.iter_mut() {
        definition.shape.each_id(&mut |id| {
            if let Id::Shape(shape) = id {
                waiting.push(firsts.of_shape(*shape));
            }
        });
    }
    let mut needed = HashSet::default();
    while let Some(id) = waiting.pop() {
        if needed.insert(id)
            && let Some(keywords) = api.shapes.get_mut(id.position())
        {
            keywords.each_shape(&mut |shape| waiting.push(firsts.of_shape(*shape)));
        }
    }
    needed
}

/// What a type or a shape says.
#[derive(PartialEq, Eq, Hash)]
enum Said {
    Type(Box<Shape>),
    Shape(Keywords),
}

impl Said {
    fn each_id(&mut self, on: &mut dyn FnMut(Id<'_>)) {
        match self {
            Self::Type(shape) => shape.each_id(on),
            Self::Shape(keywords) => keywords.each_shape(&mut |shape| on(Id::Shape(shape))),
        }
    }
}

struct Part {
    said: Said,
    /// Whether others may be another name for it, and whether it may be another name for others.
    lends: bool,
    borrows: bool,
}

impl Part {
    const fn new(said: Said) -> Self {
        Self { said, lends: true, borrows: true }
    }

    fn of_type(definition: &Definition, is_page: bool) -> Self {
        let is_name = matches!(definition.shape, Shape::Alias(_));
        let lends = !is_page && !is_name;
        let borrows = lends && matches!(definition.origin, Origin::Inline(_));
        Self { said: Said::Type(Box::new(definition.shape.clone())), lends, borrows }
    }
}

/// The first part that says what each part says: types by their positions, then shapes.
struct Firsts {
    first: Vec<Option<usize>>,
    types: usize,
}

impl Firsts {
    fn among(mut parts: Vec<Part>, types: usize) -> Self {
        let mut firsts = Self { first: vec![None; parts.len()], types };
        // as large as it may get: what grows hashes everything anew
        let mut known = HashMap::with_capacity_and_hasher(parts.len(), <_>::default());
        let order = inside_out(&mut parts, types);
        let mut parts: Vec<_> = parts.into_iter().map(Some).collect();
        for part in order {
            let Some(Part { mut said, lends, borrows }) = parts.get_mut(part).and_then(Option::take) else {
                continue;
            };
            said.each_id(&mut |id| match id {
                Id::Type(id) => *id = firsts.of_type(*id),
                Id::Shape(id) => *id = firsts.of_shape(*id),
            });
            // who borrows lends as well
            let known = if lends { *known.entry(said).or_insert(part) } else { part };
            let first = if borrows { known } else { part };
            firsts.first.get_mut(part).into_iter().for_each(|slot| *slot = Some(first));
        }
        firsts
    }

    fn of_type(&self, id: TypeId) -> TypeId {
        self.first.get(id.position()).copied().flatten().map_or(id, TypeId::at)
    }

    fn of_shape(&self, id: ShapeId) -> ShapeId {
        let first = self.first.get(self.types + id.position()).copied().flatten();
        first.map_or(id, |first| ShapeId::at(first - self.types))
    }
}

/// The parts, each after those that it refers to; one of a circle before some of them. With a list in place of recursion: a
/// chain of types may be longer than the stack is deep.
fn inside_out(parts: &mut [Part], types: usize) -> Vec<usize> {
    let refers = |part: &mut Part| {
        let mut refers = Vec::new();
        part.said.each_id(&mut |id| {
            refers.push(match id {
                Id::Type(id) => id.position(),
                Id::Shape(id) => types + id.position(),
            });
        });
        refers.reverse(); // the first is taken first, from the end
        refers
    };
    let mut to_come: Vec<Option<Vec<usize>>> = parts.iter_mut().map(|part| Some(refers(part))).collect();
    let mut order = Vec::with_capacity(to_come.len());
    for start in 0..to_come.len() {
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(refers) = next.and_then(|part| to_come.get_mut(part)).and_then(Option::take) {
                way.extend(next.map(|part| (part, refers)));
            }
            let Some((part, refers)) = way.last_mut() else { break };
            next = refers.pop();
            if next.is_none() {
                order.push(*part);
                way.pop();
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use crate::front::understand;
    use crate::source::Source;

    /// The names that are other names for a type, with what they stand for, and the number of shapes.
    fn joined(operations: &str, schemas: &str) -> (Vec<(String, String)>, usize) {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\nsecurity: []\n{operations}components:\n  schemas:\n{schemas}"
        );
        let understood = understand(&Source::text("a.yaml", text.as_str()))
            .unwrap_or_else(|findings| panic!("{findings}"));
        let output = crate::generate(&Source::text("a.yaml", text.as_str()), &crate::Options::default())
            .unwrap()
            .code();
        let names = output
            .lines()
            .filter_map(|line| line.strip_prefix("pub type ")?.strip_suffix(';')?.split_once(" = "));
        let names = names.map(|(name, of)| (name.to_owned(), of.to_owned()));
        (names.collect(), understood.api.api().shapes.len())
    }

    const PUBLIC: &str = "x-palisade: { public: a test }";
    const NOTHING: &str = "paths: {}\n";

    fn names(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect()
    }

    #[test]
    fn an_inline_type_that_is_there_already_is_another_name_for_it() {
        let schemas = "    Sort: { type: string, enum: [up, down] }
    A: { properties: { sort: { type: string, enum: [up, down] }, in: { properties: { x: { type: string, maxLength: 3 } } } } }
    B: { properties: { sort: { type: string, enum: [down, up] }, in: { properties: { x: { type: string, maxLength: 3 } } } } }
    C: { properties: { sort: { type: string, enum: [down, up] }, in: { properties: { x: { type: string, maxLength: 4 } } } } }\n";
        let expected = names(&[("ASort", "Sort"), ("BIn", "AIn"), ("CSort", "BSort")]);
        assert_eq!(joined(NOTHING, schemas).0, expected, "another order and another bound are another type");
    }

    #[test]
    fn what_holds_equal_types_is_equal_and_what_says_something_else_is_not() {
        let item = |text: &str| {
            format!(
                "{{ properties: {{ in: {{ properties: {{ x: {{ type: integer, description: {text} }} }} }} }} }}"
            )
        };
        let schemas = format!(
            "    A: {{ properties: {{ one: {}, two: {}, three: {} }} }}\n",
            item("same"),
            item("same"),
            item("other")
        );
        let expected = names(&[("ATwo", "AOne"), ("ATwoIn", "AOneIn")]);
        let mut found = joined(NOTHING, &schemas).0;
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn components_stay_apart_and_so_do_types_that_hold_themselves() {
        let schemas = "    Debit: { required: [amount], properties: { amount: { type: integer } } }
    Credit: { required: [amount], properties: { amount: { type: integer } } }
    Tree: { properties: { left: { properties: { of: { $ref: '#/components/schemas/Tree' } } }, right: { properties: { of: { $ref: '#/components/schemas/Tree' } } } } }\n";
        // both sides say the same of the same tree
        assert_eq!(joined(NOTHING, schemas).0, names(&[("TreeRight", "TreeLeft")]));
    }

    #[test]
    fn a_page_is_a_type_of_its_own() {
        let list = |name: &str, rule: &str| {
            format!(
                "  /{name}:
    get:
      operationId: {name}
      {rule}
      parameters:
        - {{ name: after, in: query, schema: {{ type: string, maxLength: 2048 }} }}
        - {{ name: limit, in: query, schema: {{ type: integer, minimum: 1, maximum: 10, default: 5 }} }}
      responses:
        '200': {{ description: A., content: {{ application/json: {{ schema: {{ required: [data], properties: {{ data: {{ type: array, items: {{ type: string }} }}, next: {{ type: string }} }} }} }} }} }}
"
            )
        };
        let plain = format!("paths:\n{}{}", list("one", PUBLIC), list("two", PUBLIC));
        let schemas = "    Any: { type: string }\n";
        assert!(joined(&plain, schemas).0.contains(&("Two200".into(), "One200".into())));
        let page = "x-palisade: { public: a test, pagination: { cursor: after, limit: limit, items: data, next: next } }";
        let paged = format!("paths:\n{}{}", list("one", page), list("two", PUBLIC));
        assert_eq!(joined(&paged, schemas).0, names(&[("Any", "String")]));
    }

    #[test]
    fn a_shape_is_stated_once() {
        let odd = "{ type: integer, not: { multipleOf: 2 } }";
        let one = joined(NOTHING, &format!("    A: {{ properties: {{ x: {odd} }} }}\n"));
        let two = joined(NOTHING, &format!("    A: {{ properties: {{ x: {odd}, y: {odd} }} }}\n"));
        assert_eq!(one.1, two.1);
        assert_eq!(two.0, names(&[("AY", "AX")]));
    }
}
