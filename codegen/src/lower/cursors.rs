//! Which members hold sealed cursors.

use foldhash::HashSet;

use crate::model::{Api, Operation, Schema, Shape, StatusKey, Type, TypeId};

/// The members that hold a sealed cursor: `next` and `previous` of each page that a paginated operation answers with.
pub(crate) fn cursors(api: &Api) -> HashSet<(TypeId, String)> {
    api.operations.iter().flat_map(|operation| pages(api, operation)).collect()
}

fn pages(api: &Api, operation: &Operation) -> Vec<(TypeId, String)> {
    let Some(pagination) = &operation.pagination else { return Vec::new() };
    let good = operation.responses.iter().filter(|response| succeeds(response.status));
    let schemas = good.flat_map(|response| &response.contents).map(|content| &content.schema);
    let members = |page: TypeId| pagination.members().map(move |member| (page, member.to_owned()));
    schemas.filter_map(|schema| object(api, schema)).flat_map(members).collect()
}

fn succeeds(status: StatusKey) -> bool {
    match status {
        StatusKey::Exactly(status) => status / 100 == 2,
        StatusKey::Range(hundred) => hundred == 2,
        StatusKey::Default => false,
    }
}

/// The struct that `schema` leads to.
fn object(api: &Api, schema: &Schema) -> Option<TypeId> {
    let Type::Named(id) = schema.ty else { return None };
    match &api.types.get(id).shape {
        Shape::Object(_) => Some(id),
        Shape::Alias(schema) => object(api, schema),
        Shape::Words(_) | Shape::Union(_) | Shape::Checked(_) => None,
    }
}
