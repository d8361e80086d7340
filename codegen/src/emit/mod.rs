//! From the plan to Rust: one file a concept, each function binds its pieces and then writes one block that reads as
//! the finished code. Nothing here decides, and nothing can fail.

mod checks;
mod contents;
mod doc;
mod document;
mod enums;
mod inputs;
mod limits;
mod objects;
mod operations;
mod outgoing;
mod outputs;
mod patterns;
mod resources;
mod scopes;
mod server;
mod shapes;
#[cfg(test)]
mod tests;
mod traits;
mod unions;
mod values;
mod wires;

use proc_macro2::TokenStream;
use quote::quote;

pub(crate) use doc::shows;
pub(crate) use document::facts as document_facts;
pub(crate) use inputs::{body_type, emit as input, field_type};
pub(crate) use operations::policy;
pub(crate) use patterns::emit as patterns;
pub(crate) use values::Paths;

use crate::lower::{Plan, TypeKind};

/// The whole generated module, without the module around it, as pieces of whole items in their order. `hash` stands for
/// everything that was read.
pub(crate) fn emit(plan: &Plan<'_>, hash: &str) -> Vec<TokenStream> {
    let document = document::emit(plan.api, hash);
    let scopes = scopes::emit(&plan.scopes);
    let resources = resources::emit(&plan.resources);
    let shapes = shapes::Emitter::of(&plan.patterns);
    let types = plan.types.iter().map(|ty| match &ty.kind {
        TypeKind::Struct(members) => objects::emit(ty, members),
        TypeKind::Words(words) => enums::emit(ty, words),
        TypeKind::Union(union) => unions::emit(ty, union, &shapes),
        TypeKind::Checked(shape) => shapes::emit(ty, *shape),
        TypeKind::Alias(to) => objects::alias(ty, to),
    });
    let patterns = patterns(&plan.patterns);
    let shapes = shapes.statics(&plan.api.shapes);
    let operations = plan.operations.iter().map(|operation| operations::emit(plan.api, operation));
    let traits = plan.traits.iter().map(|of_tag| traits::emit(of_tag, &plan.operations));
    let outgoing = plan.outgoing.iter().map(outgoing::emit);
    let server = server::emit(plan);
    let mut pieces = vec![quote! {
        use palisade::__private as p;
        #document
        #scopes
        #resources
    }];
    pieces.extend(types);
    pieces.extend([patterns, shapes]);
    pieces.extend(operations.chain(traits).chain(outgoing));
    pieces.push(server);
    pieces
}
