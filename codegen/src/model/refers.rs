//! What a definition refers to, for whoever renames it.

use super::{Keyword, Keywords, Schema, Shape, ShapeId, Type, TypeId};

/// An id, where it stands.
#[derive(Debug)]
pub(crate) enum Id<'a> {
    Type(&'a mut TypeId),
    Shape(&'a mut ShapeId),
}

impl Shape {
    /// Shows every id of it.
    pub(crate) fn each_id(&mut self, on: &mut dyn FnMut(Id<'_>)) {
        match self {
            Self::Object(object) => {
                let members = object.members.iter_mut().map(|member| &mut member.schema);
                members.chain(&mut object.others).for_each(|schema| of_schema(schema, on));
                object.shape.iter_mut().for_each(|shape| on(Id::Shape(shape)));
            }
            Self::Union(union) => {
                for variant in &mut union.variants {
                    of_schema(&mut variant.schema, on);
                    variant.guard.each_shape(&mut |shape| on(Id::Shape(shape)));
                }
                on(Id::Shape(&mut union.shape));
            }
            Self::Checked(shape) => on(Id::Shape(shape)),
            Self::Alias(schema) => of_schema(schema, on),
            Self::Words(_) => {}
        }
    }
}

fn of_schema(schema: &mut Schema, on: &mut dyn FnMut(Id<'_>)) {
    match &mut schema.ty {
        Type::Named(id) => on(Id::Type(id)),
        Type::Array(array) => of_schema(&mut array.items, on),
        Type::Map(map) => of_schema(&mut map.values, on),
        Type::Any | Type::Boolean | Type::Integer(_) | Type::Number(_) | Type::Text(_) => {}
    }
}

impl Keywords {
    /// Shows the id of every schema that it refers to.
    pub(crate) fn each_shape(&mut self, on: &mut dyn FnMut(&mut ShapeId)) {
        self.0.iter_mut().for_each(|keyword| of_keyword(keyword, on));
    }
}

fn of_keyword(keyword: &mut Keyword, on: &mut dyn FnMut(&mut ShapeId)) {
    let mut inner = |keywords: &mut Keywords| keywords.each_shape(on);
    match keyword {
        Keyword::Ref(shape) => on(shape),
        Keyword::Items(prefix, rest) => prefix.iter_mut().chain(rest).for_each(inner),
        Keyword::Contains(shape, ..)
        | Keyword::UnevaluatedItems(shape)
        | Keyword::UnevaluatedProperties(shape)
        | Keyword::PropertyNames(shape)
        | Keyword::Not(shape) => inner(shape),
        Keyword::Properties { declared, patterns, others } => {
            let patterns = patterns.iter_mut().map(|(_, shape)| shape);
            declared.iter_mut().map(|(_, shape)| shape).chain(patterns).chain(others).for_each(inner);
        }
        Keyword::DependentSchemas(all) => all.iter_mut().for_each(|(_, shape)| inner(shape)),
        Keyword::Tagged(tagged) => {
            tagged.words.iter_mut().map(|(_, shape)| shape).chain(&mut tagged.default).for_each(inner);
        }
        Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) => all.iter_mut().for_each(inner),
        Keyword::If(condition, then, otherwise) => {
            std::iter::once(condition).chain(then).chain(otherwise).for_each(inner);
        }
        Keyword::Never
        | Keyword::Types(_)
        | Keyword::Enum(_)
        | Keyword::Const(_)
        | Keyword::Minimum(_)
        | Keyword::Maximum(_)
        | Keyword::ExclusiveMinimum(_)
        | Keyword::ExclusiveMaximum(_)
        | Keyword::MultipleOf(_)
        | Keyword::Range(..)
        | Keyword::Length(..)
        | Keyword::Pattern(_)
        | Keyword::Format(_)
        | Keyword::ItemCount(..)
        | Keyword::UniqueItems
        | Keyword::Required(_)
        | Keyword::DependentRequired(_)
        | Keyword::MemberCount(..) => {}
    }
}
