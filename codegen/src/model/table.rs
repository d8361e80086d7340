//! The table of named types. A draft hands out ids before the definitions exist, which is how recursion is built.

use super::{Definition, TypeId, ids};

/// Every named type, in the order in which it was declared.
#[derive(Clone, Debug, Default)]
pub struct TypeTable {
    definitions: Vec<Definition>,
}

impl TypeTable {
    /// The definition of `id`.
    #[must_use]
    pub fn get(&self, id: TypeId) -> &Definition {
        ids::entry(&self.definitions, id.position())
    }

    /// Every definition with its id.
    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &Definition)> {
        self.definitions.iter().enumerate().map(|(position, definition)| (TypeId::at(position), definition))
    }

    /// The same, to be rewritten.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (TypeId, &mut Definition)> {
        let definitions = self.definitions.iter_mut().enumerate();
        definitions.map(|(position, definition)| (TypeId::at(position), definition))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }
}

/// A table that is being filled.
#[derive(Clone, Debug, Default)]
pub struct TypeTableDraft {
    slots: Vec<Option<Definition>>,
}

impl TypeTableDraft {
    /// An id for a type that [`TypeTableDraft::define`] will define.
    pub fn declare(&mut self) -> TypeId {
        self.slots.push(None);
        TypeId::at(self.slots.len() - 1)
    }

    /// Defines `id`.
    pub fn define(&mut self, id: TypeId, definition: Definition) {
        if let Some(slot) = self.slots.get_mut(id.position()) {
            *slot = Some(definition);
        }
    }

    /// Declares and defines in one step.
    pub fn add(&mut self, definition: Definition) -> TypeId {
        let id = self.declare();
        self.define(id, definition);
        id
    }

    /// The definition of `id`, if it has one already.
    #[must_use]
    pub fn get(&self, id: TypeId) -> Option<&Definition> {
        self.slots.get(id.position()).and_then(Option::as_ref)
    }

    /// The table, once every declared type is defined; `None` while one is not.
    #[must_use]
    pub fn finish(self) -> Option<TypeTable> {
        let definitions = self.slots.into_iter().collect::<Option<Vec<_>>>()?;
        Some(TypeTable { definitions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Docs, Origin, Schema, Shape, Type};

    fn alias(to: Type) -> Definition {
        let origin = Origin::Component("A".into());
        Definition {
            origin,
            docs: Docs::default(),
            shape: Shape::Alias(Schema::of(to)),
            examples: Vec::new(),
        }
    }

    #[test]
    fn a_table_is_whole_or_not_there() {
        let mut draft = TypeTableDraft::default();
        let first = draft.declare();
        draft.add(alias(Type::Named(first)));
        assert!(draft.clone().finish().is_none(), "the first type has no definition yet");
        draft.define(first, alias(Type::Boolean));
        let table = draft.finish().expect("both are defined");
        assert_eq!(table.len(), 2);
        assert!(matches!(&table.get(first).shape, Shape::Alias(schema) if schema.ty == Type::Boolean));
    }
}
