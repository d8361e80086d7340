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
pub(crate) use operations::{direction, policy};
pub(crate) use patterns::emit as patterns;
pub(crate) use values::Paths;

use crate::lower::{OperationPlan, OutgoingPlan, Plan, TraitPlan, TypeKind, TypePlan};
use crate::model::{Keywords, ShapeId};

/// The whole generated module, without the module around it. It comes in pieces, each written when it is asked for: nobody
/// needs to hold all of a large one.
pub(crate) struct Emission<'p> {
    plan: &'p Plan<'p>,
    hash: &'p str,
    shapes: shapes::Emitter<'p>,
    rules: rules::Rules,
}

/// Whole items.
pub(crate) enum Piece<'p> {
    Head,
    Type(&'p TypePlan<'p>),
    Patterns,
    Rules,
    Shape(ShapeId, &'p Keywords),
    Operation(&'p OperationPlan<'p>),
    Trait(&'p TraitPlan<'p>),
    Outgoing(&'p OutgoingPlan<'p>),
    Server,
}

impl<'p> Emission<'p> {
    /// `hash` stands for everything that was read.
    pub(crate) fn of(plan: &'p Plan<'p>, hash: &'p str) -> Self {
        let shapes = shapes::Emitter::of(&plan.patterns);
        let rules = rules::Rules::of(&plan.types);
        Self { plan, hash, shapes, rules }
    }

    /// The pieces in their order.
    pub(crate) fn pieces(&self) -> Vec<Piece<'p>> {
        let plan = self.plan;
        let mut pieces = vec![Piece::Head];
        pieces.extend(plan.types.iter().map(Piece::Type));
        pieces.extend([Piece::Patterns, Piece::Rules]);
        let shapes = plan.api.shapes.iter().enumerate();
        pieces.extend(shapes.map(|(position, shape)| Piece::Shape(ShapeId::at(position), shape)));
        pieces.extend(plan.operations.iter().map(Piece::Operation));
        pieces.extend(plan.traits.iter().map(Piece::Trait));
        pieces.extend(plan.outgoing.iter().map(Piece::Outgoing));
        pieces.push(Piece::Server);
        pieces
    }

    /// A piece as code.
    pub(crate) fn write(&self, piece: &Piece<'_>) -> TokenStream {
        match piece {
            Piece::Head => self.head(),
            Piece::Type(ty) => match &ty.kind {
                TypeKind::Struct(members) => objects::emit(ty, members, &self.rules),
                TypeKind::Words(words) => enums::emit(ty, words),
                TypeKind::Union(union) => unions::emit(ty, union, &self.shapes),
                TypeKind::Checked(shape) => shapes::emit(ty, *shape),
                TypeKind::Alias(to) => objects::alias(ty, to),
            },
            Piece::Patterns => patterns(&self.plan.patterns),
            Piece::Rules => self.rules.emit(),
            Piece::Shape(id, shape) => self.shapes.emit(*id, shape),
            Piece::Operation(operation) => operations::emit(self.plan.api, operation),
            Piece::Trait(of_tag) => traits::emit(of_tag, &self.plan.operations),
            Piece::Outgoing(message) => outgoing::emit(message),
            Piece::Server => server::emit(self.plan),
        }
    }

    fn head(&self) -> TokenStream {
        let document = document::emit(self.plan.api, self.hash);
        let scopes = scopes::emit(&self.plan.scopes);
        let resources = resources::emit(&self.plan.resources);
        quote! {
            use palisade::__private as p;
            #document
            #scopes
            #resources
        }
    }
}
