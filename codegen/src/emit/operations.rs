//! ```yaml
//! /status: { get: { operationId: getStatus, security: [], x-palisade: { public: "load balancers" } } }
//! ```
//! ```text
//! pub enum GetStatus {}
//! impl p::Operation for GetStatus {
//!     const DOCUMENT: &'static p::Document = &DOCUMENT;
//!     const POLICY: &'static p::Policy = &p::Policy { id: "getStatus", access: p::Access::Public(".."), .. };
//! }
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::doc::doc;
use super::limits::limit;
use super::scopes::code;
use super::values::{Paths, count, duration, integer, optional_text};
use super::{contents, inputs, outputs};
use crate::check::idempotency::longest;
use crate::lower::OperationPlan;
use crate::model::{
    Access, Api, Idempotency, Location, Login, Need, Operation, Ownership, Pagination, Parameter, Priority,
    StatusKey, StepUp, Style, Wire, WireKind,
};

/// An operation: its type with its policy, its input, its output.
pub(super) fn emit(api: &Api, plan: &OperationPlan<'_>) -> TokenStream {
    let ident = &plan.ident;
    let operation = plan.operation;
    let about = doc(&about(api, operation));
    let policy = policy(api, operation);
    let proofs = proofs(plan);
    let input = inputs::emit(plan, &Paths::inside());
    let output = outputs::emit(plan);
    let choice = plan.input.body.as_ref().and_then(|body| {
        let about = format!("The body of [`{ident}`], by its media type.");
        Some(contents::choice(body.choice.as_ref()?, &about, &body.contents))
    });
    quote! {
        #about
        #[derive(Debug)]
        pub enum #ident {}
        impl p::Operation for #ident {
            const DOCUMENT: &'static p::Document = &DOCUMENT;
            const POLICY: &'static p::Policy = &#policy;
        }
        #proofs
        #choice
        #input
        #output
    }
}

fn about(api: &Api, operation: &Operation) -> String {
    let place = format!("{} {}", operation.method.as_str(), operation.path.text);
    let assumed = api.assumed.as_ref().is_some_and(|assumed| assumed.operations.contains(&place));
    let mut text = code(&place);
    match operation.docs.summary.as_deref().map(super::doc::clean) {
        Some(summary) if !summary.is_empty() => text = format!("{text}: {summary}"),
        _ => {}
    }
    if assumed {
        text.push_str("\n\nAssumed public: the document says nothing of security here.");
    }
    text
}

/// What types may rely on: a principal, a cursor, a key, scopes.
fn proofs(plan: &OperationPlan<'_>) -> TokenStream {
    let ident = &plan.ident;
    let secured = plan.operation.access.is_secured().then(|| quote!(impl p::Secured for #ident {}));
    let paginated = plan.operation.pagination.as_ref().map(|rule| {
        let direction = direction(rule);
        quote!(impl p::Paginated for #ident { type Direction = #direction; })
    });
    let output = &plan.output_ident;
    let idempotent = plan.operation.idempotency.is_some();
    let idempotent = idempotent.then(|| quote!(impl p::Idempotent for #ident { type Output = #output; }));
    let grants = plan.grants.iter().map(|scope| {
        quote! {
            impl p::Grants<scope::#scope> for #ident {}
            const _: () = <#ident as p::Grants<scope::#scope>>::CHECKED;
        }
    });
    quote!(#secured #paginated #idempotent #(#grants)*)
}

/// By which names a parameter is in a request: an object of cookies has those of its members.
fn names(parameter: &Parameter) -> &[String] {
    match &parameter.wire {
        Wire { style: Style::Form, explode: true, kind: WireKind::Object(members, _), .. }
            if parameter.location == Location::Cookie =>
        {
            members
        }
        _ => std::slice::from_ref(&parameter.name),
    }
}

/// The policy of an operation, as an expression. `derive(Operation)` compares with and writes the very same.
pub(crate) fn policy(api: &Api, operation: &Operation) -> TokenStream {
    let Operation { id, timeout, audit, .. } = operation;
    let method = operation.method.as_str();
    let path = &operation.path.text;
    let access = access(api, &operation.access);
    let step_up = operation.step_up.as_ref().map_or_else(|| quote!(None), step_up);
    let limits = operation.limits.iter().map(|id| limit(api.limit(*id), operation.cost));
    let parameters = operation.parameters.iter().flat_map(|parameter| {
        let location = location(parameter.location);
        let fact = move |name| quote!(p::Parameter { name: #name, location: p::Location::#location });
        names(parameter).iter().map(fact)
    });
    let body = operation.body.as_ref().map_or_else(|| quote!(None), body);
    let timeout = duration(*timeout);
    let priority = priority(operation.priority);
    let ownership = operation.ownership.as_ref().map_or_else(|| quote!(None), |rule| ownership(api, rule));
    let pagination = operation.pagination.as_ref().map_or_else(|| quote!(None), pagination);
    let idempotency =
        operation.idempotency.as_ref().map_or_else(|| quote!(None), |rule| idempotency(api, operation, rule));
    let login = operation.login.as_ref().map_or_else(|| quote!(None), login);
    let answers = operation.responses.iter().map(|response| status(response.status));
    quote! {
        p::Policy {
            id: #id,
            method: #method,
            path: #path,
            access: #access,
            step_up: #step_up,
            limits: &[#(#limits),*],
            parameters: &[#(#parameters),*],
            body: #body,
            timeout: #timeout,
            priority: #priority,
            audit: #audit,
            ownership: #ownership,
            pagination: #pagination,
            idempotency: #idempotency,
            login: #login,
            answers: &[#(#answers),*],
        }
    }
}

fn priority(priority: Priority) -> TokenStream {
    match priority {
        Priority::Critical => quote!(p::Priority::Critical),
        Priority::Normal => quote!(p::Priority::Normal),
        Priority::Batch => quote!(p::Priority::Batch),
    }
}

fn access(api: &Api, access: &Access) -> TokenStream {
    match access {
        Access::Public(reason) => quote!(p::Access::Public(#reason)),
        Access::Any(alternatives) => {
            let alternatives = alternatives.iter().map(|needs| {
                let needs = needs.iter().map(|need| need_of(api, need));
                quote!(&[#(#needs),*])
            });
            quote!(p::Access::Any(&[#(#alternatives),*]))
        }
    }
}

fn step_up(rule: &StepUp) -> TokenStream {
    let acr = &rule.acr;
    let max_age = rule.max_age.map(duration).map_or_else(|| quote!(None), |longest| quote!(Some(#longest)));
    quote!(Some(p::StepUp { acr: &[#(#acr),*], max_age: #max_age }))
}

fn need_of(api: &Api, need: &Need) -> TokenStream {
    let scheme = &api.scheme(need.scheme).name;
    let scopes = &need.scopes;
    quote!(p::Need { scheme: #scheme, scopes: &[#(#scopes),*] })
}

fn location(location: Location) -> TokenStream {
    match location {
        Location::Path => quote!(Path),
        Location::Query => quote!(Query),
        Location::QueryString => quote!(QueryString),
        Location::Header => quote!(Header),
        Location::Cookie => quote!(Cookie),
    }
}

fn body(body: &crate::model::Body) -> TokenStream {
    let media_types = body.contents.iter().flat_map(|content| &content.media_types).chain(&body.refused);
    let required = body.required;
    let max = count(body.max);
    let depth = count(body.depth);
    quote!(Some(p::Body { media_types: &[#(#media_types),*], required: #required, max: #max, depth: #depth }))
}

fn ownership(api: &Api, rule: &Ownership) -> TokenStream {
    let resource = &api.resource(rule.resource).name;
    let Ownership { id, owner, .. } = rule;
    let or_scope = optional_text(rule.or_scope.as_ref());
    quote!(Some(p::Ownership { resource: #resource, id: #id, owner: #owner, or_scope: #or_scope }))
}

/// Whether its list is walked back as well.
pub(crate) fn direction(rule: &Pagination) -> TokenStream {
    match rule.previous {
        Some(_) => quote!(p::BothWays),
        None => quote!(p::Forward),
    }
}

fn pagination(rule: &Pagination) -> TokenStream {
    let Pagination { cursor, limit, .. } = rule;
    let ttl = duration(rule.ttl);
    quote!(Some(p::Pagination { cursor: #cursor, limit: #limit, ttl: #ttl }))
}

fn idempotency(api: &Api, operation: &Operation, rule: &Idempotency) -> TokenStream {
    let required = rule.required;
    let ttl = duration(rule.ttl);
    let rerun = if rule.rerun { quote!(Safe) } else { quote!(Never) };
    let replays = if rule.counts_replays { quote!(Counted) } else { quote!(Free) };
    let docs = optional_text(rule.docs.as_ref());
    let longest = count(longest(api, operation));
    quote! {
        Some(p::Idempotency {
            required: #required,
            ttl: #ttl,
            rerun: p::Rerun::#rerun,
            replays: p::Replays::#replays,
            docs: #docs,
            longest: #longest,
        })
    }
}

fn login(Login { account }: &Login) -> TokenStream {
    quote!(Some(p::Login { account: #account }))
}

/// A declared status.
pub(super) fn status(status: StatusKey) -> TokenStream {
    match status {
        StatusKey::Exactly(code) => {
            let code = integer(code.into());
            quote!(p::Status::Exactly(#code))
        }
        StatusKey::Range(hundred) => {
            let hundred = integer(hundred.into());
            quote!(p::Status::Range(#hundred))
        }
        StatusKey::Default => quote!(p::Status::Any),
    }
}
