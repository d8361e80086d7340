//! Where a recursive type needs a `Box`: on members that lead straight back to the struct they are in. A list or a map
//! on the way is indirection enough.

use crate::model::{Api, Schema, Shape, Type, TypeId};

/// Whether a value of `schema` holds, without a list or map in between, a value of the struct `owner`.
pub(crate) fn needs_box(api: &Api, owner: TypeId, schema: &Schema) -> bool {
    let mut seen = vec![false; api.types.len()];
    holds(api, owner, schema, &mut seen)
}

fn holds(api: &Api, owner: TypeId, schema: &Schema, seen: &mut [bool]) -> bool {
    let Type::Named(id) = schema.ty else { return false };
    if id == owner {
        return true;
    }
    match seen.get_mut(id.position()) {
        Some(visited) if !*visited => *visited = true,
        _ => return false,
    }
    match &api.types.get(id).shape {
        Shape::Object(object) => object.members.iter().any(|member| holds(api, owner, &member.schema, seen)),
        Shape::Alias(schema) => holds(api, owner, schema, seen),
        Shape::Words(_) | Shape::Checked(_) => false,
    }
}
