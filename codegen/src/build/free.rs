//! What a schema without a type in Rust can be, seen from its text.

use foldhash::{HashMap, HashSet};

use super::Builder;
use crate::model::{Keyword, Keywords, Kind, ShapeId, Style, Value, WireKind};

/// Shapes that are followed, one in another; more than that may be anything.
const MOST_SHAPES: usize = 256;

/// What its values can be written as. `null` has no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Free {
    sorts: Sorts,
    /// The members that an alternative of it declares.
    pub(super) members: Vec<String>,
    /// Whether it lets others through.
    pub(super) open: bool,
    /// Whether a member that it declares can be an object and nothing else.
    nested: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sorts {
    scalar: bool,
    list: bool,
    object: bool,
}

impl Free {
    /// Nothing is known of it.
    pub(super) const ANY: Self = Self { sorts: Sorts::ALL, members: Vec::new(), open: true, nested: false };

    pub(super) const fn is_scalar(&self) -> bool {
        !self.sorts.list && !self.sorts.object
    }

    pub(super) const fn may_be_scalar(&self) -> bool {
        self.sorts.scalar
    }

    pub(super) const fn may_be_object(&self) -> bool {
        self.sorts.object
    }

    pub(super) const fn is_object(&self) -> bool {
        self.sorts.object && !self.sorts.scalar && !self.sorts.list
    }

    /// Whether it is an object with objects in it that the style does not say how to write: none does but `deepObject`, where
    /// what stands deeper is undefined as well and read as servers share (OpenAPI 3.1 section 4.8.12.5).
    pub(super) fn nests(&self, style: Style) -> bool {
        self.nested && self.is_object() && style != Style::DeepObject
    }

    /// How it is written in a style.
    pub(super) fn kind(&self, style: Style, explode: bool) -> WireKind {
        let Sorts { scalar, list, object } = self.sorts;
        match style {
            // brackets and nothing else
            Style::DeepObject if !scalar => WireKind::Scalar,
            Style::DeepObject => WireKind::Either,
            _ if self.is_object() => WireKind::Object(self.members.clone(), self.open),
            _ if list && !scalar && !object => WireKind::List,
            Style::Form if list && explode => WireKind::Either,
            _ => WireKind::Scalar,
        }
    }
}

impl Sorts {
    const ALL: Self = Self { scalar: true, list: true, object: true };
    const NONE: Self = Self { scalar: false, list: false, object: false };

    const fn and(self, other: Self) -> Self {
        Self {
            scalar: self.scalar && other.scalar,
            list: self.list && other.list,
            object: self.object && other.object,
        }
    }

    const fn or(self, other: Self) -> Self {
        Self {
            scalar: self.scalar || other.scalar,
            list: self.list || other.list,
            object: self.object || other.object,
        }
    }

    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Null => Self::NONE,
            Kind::Boolean | Kind::Integer | Kind::Number | Kind::String => {
                Self { scalar: true, ..Self::NONE }
            }
            Kind::Array => Self { list: true, ..Self::NONE },
            Kind::Object => Self { object: true, ..Self::NONE },
        }
    }

    const fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NONE,
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => Self { scalar: true, ..Self::NONE },
            Value::List(_) => Self { list: true, ..Self::NONE },
            Value::Object(_) => Self { object: true, ..Self::NONE },
        }
    }

    fn any(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::NONE, Self::or)
    }
}

impl Builder<'_> {
    /// What a shape can be. Its keywords have been read.
    pub(super) fn free(&self, shape: ShapeId) -> Free {
        let start = Keywords(vec![Keyword::Ref(shape)]);
        let sorts = self.sorts(&start, &mut HashMap::default());
        let mut found = Members { names: Vec::new(), open: false, nested: false, seen: HashSet::default() };
        self.members_of(&start, &mut found);
        let open = found.open || found.names.is_empty();
        Free { sorts, members: found.names, open, nested: found.nested }
    }

    /// Everything that a schema says must hold.
    fn sorts(&self, keywords: &Keywords, known: &mut HashMap<ShapeId, Sorts>) -> Sorts {
        keywords.0.iter().map(|keyword| self.sorts_of(keyword, known)).fold(Sorts::ALL, Sorts::and)
    }

    fn sorts_of(&self, keyword: &Keyword, known: &mut HashMap<ShapeId, Sorts>) -> Sorts {
        let mut any = |all: &[Keywords]| Sorts::any(all.iter().map(|one| self.sorts(one, known)));
        match keyword {
            Keyword::Never => Sorts::NONE,
            Keyword::Types(kinds) => Sorts::any(kinds.iter().map(|kind| Sorts::of(*kind))),
            Keyword::Enum(values) => Sorts::any(values.iter().map(Sorts::of_value)),
            Keyword::Const(value) => Sorts::of_value(value),
            Keyword::Tagged(..) => Sorts::of(Kind::Object),
            Keyword::AnyOf(all) | Keyword::OneOf(all) => any(all),
            Keyword::AllOf(all) => all.iter().map(|one| self.sorts(one, known)).fold(Sorts::ALL, Sorts::and),
            Keyword::Ref(shape) => match known.get(shape) {
                Some(sorts) => *sorts,
                None if known.len() < MOST_SHAPES => {
                    known.insert(*shape, Sorts::ALL); // what leads back to itself may be anything
                    let sorts = self.shapes.get(shape.position()).map(|target| self.sorts(target, known));
                    let sorts = sorts.unwrap_or(Sorts::ALL);
                    known.insert(*shape, sorts);
                    sorts
                }
                None => Sorts::ALL,
            },
            _ => Sorts::ALL,
        }
    }

    fn members_of(&self, keywords: &Keywords, found: &mut Members) {
        for keyword in &keywords.0 {
            match keyword {
                Keyword::Properties { declared, patterns, others } => {
                    for (name, member) in declared {
                        let sorts = self.sorts(member, &mut HashMap::default());
                        found.name(name, sorts);
                    }
                    found.open |= !patterns.is_empty() || others.as_ref().is_some_and(lets_through);
                }
                Keyword::UnevaluatedProperties(others) => found.open |= lets_through(others),
                Keyword::Ref(shape) if found.seen.len() < MOST_SHAPES && found.seen.insert(*shape) => {
                    if let Some(target) = self.shapes.get(shape.position()) {
                        self.members_of(target, found);
                    }
                }
                Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) => {
                    all.iter().for_each(|one| self.members_of(one, found));
                }
                Keyword::Tagged(tagged) => tagged.all().for_each(|one| self.members_of(one, found)),
                Keyword::DependentSchemas(all) => {
                    all.iter().for_each(|(_, one)| self.members_of(one, found));
                }
                Keyword::If(_, then, otherwise) => {
                    then.iter().chain(otherwise).for_each(|one| self.members_of(one, found));
                }
                _ => {}
            }
        }
    }
}

struct Members {
    names: Vec<String>,
    open: bool,
    nested: bool,
    seen: HashSet<ShapeId>,
}

impl Members {
    fn name(&mut self, name: &str, sorts: Sorts) {
        self.nested |= sorts.object && !sorts.scalar && !sorts.list;
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }
}

fn lets_through(others: &Keywords) -> bool {
    *others != Keywords::never()
}
