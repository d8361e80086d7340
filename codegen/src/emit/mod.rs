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
mod rules;
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

/// The whole generated module, without the module around it, given in pieces of whole items in their order: nobody needs
/// to hold all of a large one. `hash` stands for everything that was read.
pub(crate) fn emit(plan: &Plan<'_>, hash: &str, mut give: impl FnMut(TokenStream)) {
    let document = document::emit(plan.api, hash);
    let scopes = scopes::emit(&plan.scopes);
    let resources = resources::emit(&plan.resources);
    give(quote! {
        use palisade::__private as p;
        #document
        #scopes
        #resources
    });
    let shapes = shapes::Emitter::of(&plan.patterns);
    let rules = rules::Rules::of(&plan.types);
    plan.types.iter().for_each(|ty| {
        give(match &ty.kind {
            TypeKind::Struct(members) => objects::emit(ty, members, &rules),
            TypeKind::Words(words) => enums::emit(ty, words),
            TypeKind::Union(union) => unions::emit(ty, union, &shapes),
            TypeKind::Checked(shape) => shapes::emit(ty, *shape),
            TypeKind::Alias(to) => objects::alias(ty, to),
        });
    });
    give(patterns(&plan.patterns));
    give(rules.emit());
    shapes.statics(&plan.api.shapes).for_each(&mut give);
    plan.operations.iter().for_each(|operation| give(operations::emit(plan.api, operation)));
    plan.traits.iter().for_each(|of_tag| give(traits::emit(of_tag, &plan.operations)));
    plan.outgoing.iter().for_each(|message| give(outgoing::emit(message)));
    give(server::emit(plan));
}
