//! ```yaml
//! parameters: [{ name: limit, in: query, schema: { type: integer, maximum: 100, default: 20 } }]
//! ```
//! ```text
//! pub struct ListTransfersInput { pub limit: i64 }
//! impl ListTransfersInput {
//!     const LIMIT: p::Param<i64> = p::Param::query("limit").check(|value, at, out| p::maximum(value, 100, at, out));
//! }
//! impl p::Input for ListTransfersInput { .. }
//! ```

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::checks::closure;
use super::doc::{clean, doc};
use super::scopes::code;
use super::values::{Paths, constant_of, rust_type};
use super::{contents, wires};
use crate::lower::{BodyPlan, Field, Given, InputPlan, OperationPlan};
use crate::model::WireKind;

/// The input of an operation, its types reached by `paths`.
pub(crate) fn emit(plan: &OperationPlan<'_>, paths: &Paths) -> TokenStream {
    let ident = &plan.input_ident;
    let about = doc(&format!("The input of [`{}`].", plan.ident));
    let input = &plan.input;
    let fields = input.fields.iter().map(|one| field(one, paths));
    let body = input.body.as_ref().map(|body| {
        let ty = body_type(body, paths);
        quote!(#[doc = " The body."] pub body: #ty)
    });
    let fields = fields.chain(body);
    let constants = (!input.fields.is_empty()).then(|| {
        let constants = input.fields.iter().map(|one| param(one, paths));
        quote!(impl #ident { #(#constants)* })
    });
    let decoding = decoding(input, paths);
    quote! {
        #about
        #[allow(dead_code, reason = "declared by the document")]
        #[derive(Debug)]
        pub struct #ident {
            #(#fields,)*
        }
        #constants
        impl p::Input for #ident {
            #decoding
        }
    }
}

fn field(field: &Field<'_>, paths: &Paths) -> TokenStream {
    let place = format!("{} {}", field.location.as_str(), code(field.name));
    let about = match field.docs.description.as_deref().map(clean) {
        Some(text) if !text.is_empty() => doc(&format!("{place}: {text}")),
        _ => doc(&place),
    };
    let ident = &field.field;
    let ty = field_type(field, paths);
    quote!(#about pub #ident: #ty)
}

/// The type of a field: an `Option` where the parameter may be absent and nothing stands in.
pub(crate) fn field_type(field: &Field<'_>, paths: &Paths) -> TokenStream {
    let ty = rust_type(&field.ty, paths);
    match field.given {
        Given::Required | Given::Or(_) | Given::OrJson(_) => ty,
        Given::Optional => paths.optional(&ty),
    }
}

fn param(field: &Field<'_>, paths: &Paths) -> TokenStream {
    let constant = &field.constant;
    let ty = rust_type(&field.ty, paths);
    let place = format_ident!("{}", field.location.as_str());
    let name = field.name;
    let wire = wires::param(field.wire, field.location);
    let check = closure(&field.checks);
    quote!(const #constant: p::Param<#ty> = p::Param::#place(#name)#wire #check;)
}

pub(crate) fn body_type(body: &BodyPlan<'_>, paths: &Paths) -> TokenStream {
    let ty = rust_type(&body.ty, paths);
    if body.required { ty } else { paths.optional(&ty) }
}

fn decoding(input: &InputPlan<'_>, paths: &Paths) -> TokenStream {
    let types = input.fields.iter().map(|field| field_type(field, paths));
    let names: Vec<_> = input.fields.iter().map(|field| &field.field).collect();
    let (body, with_body, body_pattern) = match &input.body {
        Some(body) => (body_type(body, paths), Some(quote!(body)), quote!(body)),
        None => (quote!(()), None, quote!(())),
    };
    let all = names.iter().map(|name| quote!(#name)).chain(with_body);
    let from = &input.source;
    let (parameter, value, parameters, pattern) = if input.fields.is_empty() {
        (quote!(_), quote!(Some(())), quote!(()), quote!(()))
    } else {
        let reads = input.fields.iter().map(|field| read(field, input, paths));
        let value = quote!(#(#reads)* Some((#(#names?,)*)));
        (quote!(#from), value, quote!((#(#types,)*)), quote!((#(#names,)*)))
    };
    let option = paths.optional(&quote!(Self::Parameters));
    let reading = contents::reading(input.body.as_ref(), paths);
    let receiving = contents::receiving(input.body.as_ref());
    quote! {
        type Parameters = #parameters;
        type Body = #body;
        fn parameters(#parameter: &mut p::Parameters<'_>) -> #option {
            #value
        }
        #receiving
        fn body(sent: Option<p::Sent<'_>>) -> Result<Self::Body, p::Refused> {
            #reading
        }
        fn assemble(#pattern: Self::Parameters, #body_pattern: Self::Body) -> Self {
            Self { #(#all),* }
        }
    }
}

/// Every parameter is read before the first missing one ends it: all violations come together.
fn read(field: &Field<'_>, input: &InputPlan<'_>, paths: &Paths) -> TokenStream {
    let from = &input.source;
    let name = &field.field;
    let constant = &field.constant;
    let list = field.wire.kind == WireKind::List;
    let call = match (&field.given, field.wire.typed, list) {
        (Given::Required, true, false) => quote!(required(&Self::#constant)),
        (Given::Required, true, true) => quote!(list(&Self::#constant)),
        (Given::Required, false, _) => quote!(decoded(&Self::#constant)),
        (Given::Optional, true, false) => quote!(optional(&Self::#constant)),
        (Given::Optional, true, true) => quote!(optional_list(&Self::#constant)),
        (Given::Optional, false, _) => quote!(optional_decoded(&Self::#constant)),
        (Given::Or(value), _, list) => {
            let method = if list { quote!(list_or) } else { quote!(or) };
            let value = constant_of(value, paths);
            quote!(#method(&Self::#constant, #value))
        }
        (Given::OrJson(value), _, _) => quote!(decoded_or(&Self::#constant, #value)),
    };
    quote!(let #name = #from.#call;)
}
