//! Where a recursive type needs a `Box`: on members that lead straight back to the struct they are in. A list or a map
//! on the way is indirection enough.
//!
//! Types that hold each other without one in between are a circle, and a member needs a box when its type is in the circle
//! of its struct.

use crate::circles::circles;
use crate::model::{Api, Schema, Shape, Type, TypeId};

/// The circle of each type.
#[derive(Debug)]
pub(crate) struct Circles(Vec<usize>);

impl Circles {
    pub(crate) fn of(api: &Api) -> Self {
        Self(circles(api.types.iter().map(|(_, definition)| held(&definition.shape)).collect()))
    }

    /// Whether a value of `schema` holds, without a list or map in between, a value of the struct `owner` that holds it.
    pub(crate) fn needs_box(&self, owner: TypeId, schema: &Schema) -> bool {
        let Type::Named(id) = schema.ty else { return false };
        self.0.get(id.position()) == self.0.get(owner.position())
    }
}

/// What a value holds in place.
fn held(shape: &Shape) -> Vec<usize> {
    let of = |schema: &Schema| match schema.ty {
        Type::Named(id) => Some(id.position()),
        _ => None,
    };
    match shape {
        Shape::Object(object) => object.members.iter().filter_map(|member| of(&member.schema)).collect(),
        Shape::Union(union) => union.variants.iter().filter_map(|variant| of(&variant.schema)).collect(),
        Shape::Alias(schema) => of(schema).into_iter().collect(),
        Shape::Words(_) | Shape::Checked(_) => Vec::new(),
    }
}
