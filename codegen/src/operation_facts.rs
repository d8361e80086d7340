//! What `#[derive(Operation)]` compares a handler struct with, and writes beside it: the very tokens of a generated file.

use proc_macro2::{Ident, TokenStream};

use crate::emit::{self, Paths};
use crate::lower::{Field, Given, OperationPlan, PatternPlan, Plan};
use crate::model::Operation;

/// An operation of a document, for a derive. All tokens expect `use palisade::__private as p` around them.
#[derive(Clone, Debug)]
pub struct OperationFacts {
    /// `operationId`.
    pub id: String,
    /// The HTTP method, e.g. `GET`.
    pub method: String,
    /// The path template.
    pub path: String,
    /// `p::Document { .. }`
    pub document: TokenStream,
    /// `p::Policy { .. }`
    pub policy: TokenStream,
    /// Whether every way in has a principal: `p::Secured`.
    pub secured: bool,
    /// Where its list is walked by cursor: the direction of `p::Paginated`.
    pub direction: Option<TokenStream>,
    /// Whether its answers are kept: the gate of an adopted operation cannot.
    pub idempotent: bool,
    /// The scopes that every way in grants: names in the generated module's `scope`.
    pub grants: Vec<Ident>,
    /// Its inputs: parameters in the order of the document, then the body. A cursor is none: the gate opens it.
    pub inputs: Vec<InputFacts>,
    /// The struct of its input with `p::Input` and what that needs.
    pub input: TokenStream,
    /// The name of that struct.
    pub input_type: Ident,
}

/// An input of an operation.
#[derive(Clone, Debug)]
pub struct InputFacts {
    /// Its field.
    pub field: Ident,
    /// Its name in the document; `body` for the body.
    pub name: String,
    /// `path`, `query`, `header` or `cookie`; `None` for the body.
    pub location: Option<&'static str>,
    /// Whether the field is an `Option` because the input may be absent and nothing stands in for it.
    pub optional: bool,
    /// The whole type of the field, as a person would write it inside the generated module.
    pub ty: TokenStream,
    /// The type of the generated module that `ty` is made of.
    pub schema: Option<String>,
}

/// The facts of `operationId` `id`; `types` is the path of the generated module, for types of the document's schemas.
pub(crate) fn operation_facts(
    plan: &Plan<'_>,
    hash: &str,
    id: &str,
    types: Option<&TokenStream>,
) -> Option<OperationFacts> {
    let operation_plan = plan.operations.iter().find(|plan| plan.operation.id == id)?;
    let operation: &Operation = operation_plan.operation;
    let statics = emit::patterns(used_patterns(plan, operation_plan));
    let input = emit::input(operation_plan, &Paths::elsewhere(types));
    Some(OperationFacts {
        id: operation.id.clone(),
        method: operation.method.as_str().to_owned(),
        path: operation.path.text.clone(),
        document: emit::document_facts(plan.api, hash),
        policy: emit::policy(plan.api, operation),
        secured: operation.access.is_secured(),
        direction: operation.pagination.as_ref().map(emit::direction),
        idempotent: operation.idempotency.is_some(),
        grants: operation_plan.grants.clone(),
        inputs: inputs(operation_plan),
        input: quote::quote!(#statics #input),
        input_type: operation_plan.input_ident.clone(),
    })
}

fn used_patterns<'p>(
    plan: &'p Plan<'_>,
    operation: &'p OperationPlan<'_>,
) -> impl Iterator<Item = &'p PatternPlan> {
    let needed = |pattern: &&PatternPlan| {
        let fields = operation.input.fields.iter().flat_map(|field| &field.checks);
        let contents = operation.input.body.iter().flat_map(|body| &body.contents);
        let mut checks = fields.chain(contents.flat_map(|content| &content.checks));
        checks.any(|check| check.needs_pattern(&pattern.ident))
    };
    plan.patterns.iter().filter(needed)
}

fn inputs(plan: &OperationPlan<'_>) -> Vec<InputFacts> {
    let inside = Paths::inside();
    let parameters = plan.input.fields.iter().map(|field: &Field<'_>| InputFacts {
        field: field.field.clone(),
        name: field.name.to_owned(),
        location: Some(field.location.as_str()),
        optional: matches!(field.given, Given::Optional),
        ty: emit::field_type(field, &inside),
        schema: field.ty.named().map(Ident::to_string),
    });
    let body = plan.input.body.iter().map(|body| InputFacts {
        field: Ident::new("body", proc_macro2::Span::call_site()),
        name: "body".to_owned(),
        location: None,
        optional: !body.required,
        ty: emit::body_type(body, &inside),
        schema: body.ty.named().map(Ident::to_string),
    });
    parameters.chain(body).collect()
}
