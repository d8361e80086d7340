//! The code of `#[derive(Operation)]`: facts in a block of their own, so that no name of the user's can change them, and
//! beside it the few lines that touch the user's struct.

use palisade_codegen::operation_facts::OperationFacts;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path};

use super::check::Agreed;

/// What the operation is, as a generated file would say it.
pub(super) fn facts(name: &Ident, facts: &OperationFacts) -> TokenStream {
    let OperationFacts { document, policy, input, input_type, path, .. } = facts;
    let secured = facts.secured.then(|| quote! { impl p::Secured for #name {} });
    let paginated = facts
        .direction
        .as_ref()
        .map(|direction| quote! { impl p::Paginated for #name { type Direction = #direction; } });
    let path_docs = format!("The path of the operation, as a route of axum: `{path}`.");
    quote! {
        const _: () = {
            use ::palisade::__private as p;

            static DOCUMENT: p::Document = #document;

            #[automatically_derived]
            impl p::Operation for #name {
                const DOCUMENT: &'static p::Document = &DOCUMENT;
                const POLICY: &'static p::Policy = &#policy;
            }
            #secured
            #paginated

            #input

            #[automatically_derived]
            impl p::Reads for #name {
                type Input = #input_type;
            }
        };

        impl #name {
            #[doc = #path_docs]
            pub const PATH: &'static str = #path;
        }
    }
}

/// The scopes that the operation holds, as types of the generated module.
pub(super) fn grants(name: &Ident, facts: &OperationFacts, types: &Path) -> TokenStream {
    let grants = &facts.grants;
    quote! {
        #(
            #[automatically_derived]
            impl ::palisade::__private::Grants<#types::scope::#grants> for #name {}
            const _: () = <#name as ::palisade::__private::Grants<#types::scope::#grants>>::CHECKED;
        )*
    }
}

/// The struct as a handler's argument.
pub(super) fn extractor(name: &Ident, agreed: Option<&Agreed<'_>>) -> TokenStream {
    // A struct that disagrees does not compile; its body stays open so that nothing else is reported for it.
    let body = agreed.map_or_else(|| quote! { loop {} }, assembled);
    quote! {
        #[automatically_derived]
        impl ::palisade::__private::Adopted for #name {
            #[allow(unused_variables)]
            fn adopt(
                __caller: ::palisade::__private::Caller<Self>,
                __input: <Self as ::palisade::__private::Reads>::Input,
            ) -> Self {
                #body
            }
        }

        #[automatically_derived]
        impl<__S> ::palisade::__private::axum::extract::FromRequest<__S> for #name
        where
            __S: ::core::marker::Send + ::core::marker::Sync,
            ::palisade::Gate: ::palisade::__private::axum::extract::FromRef<__S>,
        {
            type Rejection = ::palisade::__private::axum::response::Response;

            fn from_request(
                __request: ::palisade::__private::axum::extract::Request,
                __state: &__S,
            ) -> impl ::core::future::Future<Output = ::core::result::Result<Self, Self::Rejection>> + ::core::marker::Send
            {
                ::palisade::__private::adopt::<Self, __S>(__request, __state)
            }
        }
    }
}

/// Each field from its input. `Agrees` holds for one type only, so that another one is an error at the field.
fn assembled(agreed: &Agreed<'_>) -> TokenStream {
    let caller = agreed.caller.name;
    let inputs = agreed.inputs.iter().map(|(field, input)| {
        let (name, ty, from) = (field.name, &field.field.ty, &input.field);
        let value = quote_spanned! {ty.span()=> ::palisade::__private::stated(__input.#from).field::<#ty>() };
        quote! { #name: #value }
    });
    quote! { Self { #caller: __caller, #(#inputs),* } }
}
